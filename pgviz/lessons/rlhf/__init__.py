"""RLHF: what is the environment when the agent writes text?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="rlhf",
    section="Bridges",
    title="RLHF",
    icon=":material/chat:",
    question="What is the environment when the agent writes text?",
    steps=(
        Step("language", "Text is a sequence of actions", introduces=("token", "reference model")),
        Step(
            "optimum",
            "Reward minus β KL has an exact best policy",
            introduces=("RLHF", "KL divergence"),
        ),
        Step(
            "baselines", "Three baselines for a group of sentences", introduces=("leave one out",)
        ),
        Step("spread", "Dividing by the spread weighs the prompts", deeper=True),
        Step(
            "kl",
            "log π/π_ref as a loss does nothing on average",
            question="log π/π_ref as a loss: what does it do?",
        ),
        Step("length", "Dividing by length hides a length reward", deeper=True),
        Step("proxy", "The proxy goes up, what was meant goes down", introduces=("proxy",)),
        Step("run", "Training towards the best policy, with the distance"),
        Step("write", "Write RLOO: three gaps"),
        Step("check", "Check yourself"),
    ),
)
