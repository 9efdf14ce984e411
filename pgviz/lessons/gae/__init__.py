"""GAE: how much should I trust my critic?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="gae",
    section="Concepts",
    title="GAE",
    icon=":material/tune:",
    question="How much should I trust my critic?",
    steps=(
        Step("n-steps", "Use n real rewards, then the critic", introduces=("n-step advantage",)),
        Step("bars", "Small n: bias. Large n: usually variance"),
        Step("mix", "λ averages all n", introduces=("GAE",)),
        Step("telescope", "The average becomes a sum of TD errors"),
        Step("ends", "The two ends: λ = 0 and λ = 1"),
        Step(
            "more",
            "More data: a larger λ is best",
            question="Three times as many episodes: where does λ go?",
        ),
        Step("ledger", "Compute it backwards, row by row"),
        Step(
            "stops",
            "Fall, time limit, window: what stops?",
            introduces=("window",),
        ),
        Step("lines", "GAE line by line", deeper=True),
        Step("sweep", "Seven λ on CartPole"),
        Step("tune", "Your λ, on a budget"),
        Step("write", "Write GAE: three gaps"),
        Step("check", "Check yourself"),
    ),
)
