"""REINFORCE: how do samples become a gradient?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="reinforce",
    section="Implementation",
    title="REINFORCE",
    icon=":material/casino:",
    question="How do samples become a gradient?",
    steps=(
        Step(
            "run",
            "Play, push up what paid, repeat: it learns",
            introduces=("REINFORCE", "CartPole", "seed", "update", "learning rate"),
        ),
        Step("watch", "Rewind to any update and watch it play"),
        Step("episode", "In one episode, early actions weigh most"),
        Step("update", "In one update, few episodes make most of ĝ", introduces=("batch",)),
        Step(
            "fresh",
            "Old episodes belong to an old policy",
            introduces=("bias", "on-policy"),
        ),
        Step("surrogate", "A loss made so that autograd returns ĝ", introduces=("surrogate loss",)),
        Step("minus", "Optimisers go down, so code has a minus"),
        Step(
            "loss",
            "The loss rises while the policy improves",
            question="The return rises. What does the loss do?",
        ),
        Step("seeds", "Same settings, other luck", introduces=("full return",)),
        Step("mean", "Divide by episodes, not by steps", deeper=True),
        Step("write", "Write REINFORCE: four gaps"),
        Step("check", "Check yourself"),
    ),
)
