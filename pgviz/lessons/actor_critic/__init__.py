"""Actor-critic: what if an estimate replaces the future rewards?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="actor-critic",
    section="Implementation",
    title="Actor-critic",
    icon=":material/groups:",
    question="What if an estimate replaces the future rewards?",
    steps=(
        Step("wait", "REINFORCE waits for the episode's end"),
        Step("average", "Average the future: G becomes Q", introduces=("action value",)),
        Step("bootstrap", "One reward plus the next state's value", introduces=("bootstrapping",)),
        Step(
            "td-error",
            "The TD error estimates the advantage",
            introduces=("TD error", "advantage"),
        ),
        Step("sign", "Positive advantage: more of that action"),
        Step(
            "networks", "Two networks, one fixed target", introduces=("actor", "target", "detach")
        ),
        Step("discount", "Why discount, and what code leaves out", introduces=("discount",)),
        Step(
            "two-uses",
            "Subtracting adds no bias; bootstrapping can",
            question="Subtract the critic, or bootstrap: which policy results?",
        ),
        Step("uses", "The same two uses in three worlds", deeper=True),
        Step("closer", "A biased estimate can be closer", introduces=("mean squared error",)),
        Step("run", "The actor-critic beside REINFORCE"),
        Step("maps", "What the critic predicts, and what happened"),
        Step("explains", "A critic fits its own targets better", deeper=True),
        Step("noise", "Early in training the TD error is least noisy"),
        Step(
            "switches",
            "One line changed: who still learns?",
            introduces=("terminated", "truncated"),
        ),
        Step("write", "Write an actor-critic: four gaps"),
        Step("check", "Check yourself"),
    ),
)
