"""Baselines: what can I subtract without changing the gradient?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="baselines",
    section="Implementation",
    title="Baselines",
    icon=":material/vertical_align_center:",
    question="What can I subtract without changing the gradient?",
    steps=(
        Step("centre", "Estimates scatter around the gradient", introduces=("unbiased",)),
        Step("spread", "How far they scatter, as one number", introduces=("covariance trace",)),
        Step(
            "ten",
            "The centre stays, the noise grows",
            question="Every reward is 10 more: what changes?",
        ),
        Step("subtract", "Subtract b: the centre stays", introduces=("baseline",)),
        Step("why-free", "Why subtracting is free, line by line"),
        Step("value", "The value: the average return from a state", introduces=("value",)),
        Step("critic", "Learn the value, and subtract it", introduces=("critic",)),
        Step("textbook", "In the textbook's corridor V̂ helps, too", deeper=True),
        Step("best", "The best number is not the value"),
        Step("states", "One number for every state", deeper=True),
        Step("corridor", "A constant that beats the exact value", deeper=True),
        Step("not-free", "Not free: whatever depends on the action"),
        Step("bench", "Four estimators, the same episodes", introduces=("cosine",)),
        Step("along", "The noise along a training", deeper=True),
        Step("normalise", "Normalising is a hidden baseline", deeper=True),
        Step("faster", "Less noise does not always find the best arm", deeper=True),
        Step("write", "Write a value baseline: three gaps"),
        Step("check", "Check yourself"),
    ),
)
