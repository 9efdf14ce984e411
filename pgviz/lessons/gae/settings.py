"""The controls that several steps of this page share: one λ, one ε, one N, one world."""

from pgviz.measure import trust
from pgviz.ui.controls import Choice

HUNDREDTHS = tuple(i / 100 for i in range(101))
LAMBDA = Choice("lam", "λ", HUNDREDTHS)
LAMBDA_START = 0.6
ERROR = Choice("error", "Error ε of the critic", trust.ERRORS, "0 is the exact V, 1 predicts 0.")
ERROR_START = 0.5
EPISODES = Choice("episodes", "Episodes N", (10, 30, 100, 300, 1000))
WORLD = Choice("world", "World", trust.WORLDS)
SHAPE = Choice(
    "shape",
    "How the critic is wrong",
    tuple(trust.FORMULAS),
    "; ".join(f"{name}: {formula}" for name, formula in trust.FORMULAS.items())
    + ". J is the average return.",
)


def formula(shape: str) -> str:
    """V̂ = V + ε J, J the average return."""
    text = trust.FORMULAS[shape]
    return f"{text}, J the average return" if "J" in text else text
