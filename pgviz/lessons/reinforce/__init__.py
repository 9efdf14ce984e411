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
            "REINFORCE: play, weigh each action, update, repeat",
            introduces=("REINFORCE", "seed", "update", "learning rate"),
        ),
        Step("watch", "Rewind to any update and watch it play"),
        Step("episode", "In one episode, early actions weigh most"),
        Step("update", "A few long episodes can make most of ĝ", introduces=("batch",)),
        Step(
            "fresh",
            "Old episodes belong to an old policy",
            introduces=("bias", "on-policy"),
        ),
        Step(
            "surrogate", "A loss made so that autograd returns −ĝ", introduces=("surrogate loss",)
        ),
        Step("minus", "Optimisers go down, so code has a minus"),
        Step(
            "loss",
            "The loss rises while the policy improves",
            question="The return rises. What does the loss do?",
        ),
        Step("seeds", "Compare two weights by many seeds, not one", introduces=("full return",)),
        Step("acrobot", "Another world, the same code", introduces=("Acrobot",)),
        Step("mean", "Divide by episodes, not by steps", deeper=True),
        Step("write", "Write REINFORCE: four gaps"),
        Step("check", "Check yourself"),
    ),
)
