"""GAE: how much should I trust my critic?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="gae",
    section="Deep dive",
    title="GAE",
    icon=":material/tune:",
    question="How much should I trust my critic?",
    steps=(
        Step("n-steps", "Use n real rewards, then the critic", introduces=("n-step advantage",)),
        Step("bars", "On the ladder, small n: bias; large n: variance"),
        Step("mix", "λ averages all n", introduces=("GAE",)),
        Step("telescope", "The average becomes a sum of TD errors"),
        Step("ends", "λ leads from δ to G − V̂", introduces=("window",)),
        Step(
            "more",
            "More episodes: a larger λ is best",
            question="Three times as many episodes: where does λ go?",
        ),
        Step("batch", "The best λ grows with the batch", deeper=True),
        Step("critics", "What a wrong λ costs", deeper=True),
        Step("ledger", "Compute it backwards, row by row"),
        Step("stops", "Three ends stop the sum; one drops V̂"),
        Step("windows", "In windows even λ = 1 is biased", deeper=True),
        Step("lines", "GAE line by line", deeper=True),
        Step("sweep", "Where the critic learns, too, the ends lose"),
        Step("tune", "Your λ, on a budget"),
        Step("write", "Write GAE: three gaps"),
        Step("check", "Check yourself"),
    ),
)
