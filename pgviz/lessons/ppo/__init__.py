"""PPO: why not take ten steps on one batch?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="ppo",
    section="Bridges",
    title="PPO",
    icon=":material/content_cut:",
    question="Why not take ten steps on one batch?",
    steps=(
        Step("reuse", "Many steps on one batch walk past the top"),
        Step(
            "ratio",
            "Weigh old actions by how likely they are now",
            introduces=("probability ratio",),
        ),
        Step(
            "far",
            "Far from the old policy, the promise is false",
            question="The old batch promises −8.8. What is true?",
            introduces=("surrogate objective",),
        ),
        Step("clip", "Clip the ratio, and the promise ends", introduces=("clip", "PPO")),
        Step("sides", "The clip takes one side for each sign"),
        Step("zero", "A clipped step may still have a gradient"),
        Step("run", "Ten passes over each batch, clipped or not"),
        Step("adds", "What PPO adds to GAE"),
        Step("write", "Write PPO: three gaps"),
        Step("check", "Check yourself"),
    ),
)
