"""The theorem: the reward has no derivative, so what do we differentiate?"""

from pgviz.lessons.step import Page, Step

PAGE = Page(
    slug="theorem",
    section="Theory",
    title="The theorem",
    icon=":material/function:",
    question="The reward has no derivative. What do we differentiate?",
    steps=(
        Step(
            "guess",
            "Always right never arrives: mixing is best",
            question="Three rooms look alike: how often go right?",
            introduces=("state", "action", "reward", "episode", "return"),
        ),
        Step("policy", "One knob θ sets the probabilities", introduces=("policy", "softmax")),
        Step(
            "objective",
            "Rewards jump; their average J is smooth",
            introduces=("objective", "expectation"),
        ),
        Step("product", "Only the probabilities depend on θ", introduces=("gradient",)),
        Step(
            "no-log",
            "Samples that add R ∇P: the wrong arm wins",
            question="Sample arms, add R ∇P: which arm wins?",
        ),
        Step("divide", "Divide by how often it was sampled", introduces=("log-derivative",)),
        Step(
            "average",
            "Now an average of samples finds the slope",
            introduces=("estimate", "confidence interval"),
        ),
        Step("score", "Up for the chosen action, down for the others", introduces=("score",)),
        Step("episode", "An episode multiplies many probabilities", introduces=("trajectory",)),
        Step("no-model", "The log separates policy from world"),
        Step(
            "causality",
            "Earlier rewards add zero on average",
            introduces=("reward-to-go", "variance"),
        ),
        Step("theorem", "The policy gradient theorem", introduces=("weight",)),
        Step("derive", "Derive it yourself"),
        Step(
            "unrolled",
            "The same gradient, unrolled state by state",
            deeper=True,
            introduces=("value", "action value"),
        ),
        Step("climb", "Samples climb the hill; a broken line does not", deeper=True),
        Step(
            "discount",
            "Most code drops γᵗ; then uphill can become downhill",
            deeper=True,
            introduces=("discount",),
        ),
        Step("check", "Check yourself"),
    ),
)
