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
            "Add sampled R ∇P: the wrong arm can win",
            question="Sample arms, add R ∇P: which arm wins?",
        ),
        Step("divide", "Divide by how often it was sampled", introduces=("log-derivative",)),
        Step(
            "average",
            "Now an average of samples finds the slope",
            introduces=("estimate", "confidence interval"),
        ),
        Step("score", "The score raises the chosen θ, lowers the others", introduces=("score",)),
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
        Step("climb", "Samples can climb the hill; a mistake may not", deeper=True),
        Step(
            "discount",
            "Drop γᵗ, and uphill can become downhill",
            deeper=True,
            introduces=("discount",),
        ),
        Step("check", "Check yourself"),
    ),
)
