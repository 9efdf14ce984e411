"""What the PPO page shows: old batches, ratios and promises on two worlds with one knob, exactly."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact.reuse import CLIMB, one_knob_ladder
from pgviz.exact.surrogate import surrogate, surrogate_gradient, without_ratio
from pgviz.exact.values import gradient, objective
from pgviz.in_memory import in_memory
from pgviz.training.config import presets
from pgviz.worlds.named import short_corridor
from pgviz.worlds.tabular import Floats, TabularMDP

RIGHT = 0
OLD_CORRIDOR = 0.5  # P(right) of the policy that played
GRID = np.round(np.arange(0.02, 0.9801, 0.01), 2)
FRESH, STALE, RATIO = "a fresh batch for each step", "one batch, without ρ", "one batch, with ρ"
STEP_SIZE = 0.05  # of the log-odds, along the slope

MANY_EPOCHS = presets["ppo"].replace(
    num_updates=120, update_epochs=10, learning_rate=0.01, critic_learning_rate=0.01
)
NO_CLIP = MANY_EPOCHS.replace(clip_coef=1e9)
ONE_PASS = MANY_EPOCHS.replace(update_epochs=1)


def slope(world: TabularMDP) -> float:
    """dJ/dθ of the ladder's one knob."""
    return float(gradient(world)[0, CLIMB])


def slopes(old: float, new: float) -> dict[str, float]:
    """The slope of J at the new policy, and what the old batch says it is, with ρ and without."""
    played, present = one_knob_ladder(old), one_knob_ladder(new)
    return {
        FRESH: slope(present),
        STALE: float(without_ratio(played, present)[0, CLIMB]),
        RATIO: float(surrogate_gradient(played, present)[0, CLIMB]),
    }


@in_memory
def climbed(old: float = OLD_CORRIDOR, num_steps: int = 20) -> pd.DataFrame:
    """Gradient steps in the corridor from P(right) = old: kind, step, p, slope, objective.

    θ ← θ + STEP_SIZE · slope, the log-odds of right; the slope is that of a fresh batch at every
    step, or what the mean of the first batch says at every step.
    """
    rows = []
    for kind in (FRESH, STALE):
        p = old
        for step in range(num_steps + 1):
            said = gradient(short_corridor(p)) if kind == FRESH else stale_slope(old, p)
            rows.append((kind, step, p, float(said[0, RIGHT]), truth(p)))
            log_odds = np.log(p) - np.log1p(-p) + STEP_SIZE * float(said[0, RIGHT])
            p = float(1 / (1 + np.exp(-log_odds)))
    return pd.DataFrame(rows, columns=["kind", "step", "p", "slope", "objective"])


def true_slope(p: float) -> float:
    """dJ/dθ of the corridor, θ the log-odds of right: one of two logits that move together."""
    return float(gradient(short_corridor(p))[0, RIGHT])


def stale_slope(old: float, p: float) -> Floats:
    """What episodes of P(right) = old say about the slope at p, ρ left out."""
    return without_ratio(short_corridor(old), short_corridor(p))


@in_memory
def along_policies(old: float) -> pd.DataFrame:
    """The three slopes against the present policy: climb, kind, slope."""
    rows = [
        (float(climb), kind, value)
        for climb in GRID[::3]
        for kind, value in slopes(old, float(climb)).items()
    ]
    return pd.DataFrame(rows, columns=["climb", "kind", "slope"])


def promised(p: float, clip_coef: float = np.inf, old: float = OLD_CORRIDOR) -> float:
    """What the corridor's episodes of the policy `old` promise about P(right) = p."""
    return surrogate(short_corridor(old), short_corridor(p), clip_coef)


def truth(p: float) -> float:
    """J of the corridor at P(right) = p."""
    return objective(short_corridor(p))


@in_memory
def promises(clip_coef: float = np.inf) -> pd.DataFrame:
    """p, kind ("true J", "promise"), value: the corridor from p_old = ½."""
    rows = [(float(p), "promise", promised(float(p), clip_coef)) for p in GRID]
    rows += [(float(p), "true J", truth(float(p))) for p in GRID]
    return pd.DataFrame(rows, columns=["p", "kind", "value"])


@lru_cache(32)
def best_promise(clip_coef: float) -> float:
    """The p at which the clipped promise is largest; the first of them where it is flat.

    It is piecewise linear in p, with corners where a ratio meets 1 ± ε.
    """
    corners = {OLD_CORRIDOR * (1 + clip_coef), OLD_CORRIDOR * (1 - clip_coef)}
    corners |= {1 - c for c in corners} | {0.02, 0.98}
    inside = sorted(c for c in corners if 0.02 <= c <= 0.98)
    values = [promised(c, clip_coef) for c in inside]
    top = max(values)
    return next(c for c, v in zip(inside, values, strict=True) if v >= top - 1e-9 * abs(top))
