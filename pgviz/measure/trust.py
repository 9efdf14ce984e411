"""Tables and sentences behind the pages on believing a critic. Pages compute nothing."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact.trust import (
    window_bias,
    wrong_critic,
)
from pgviz.exact.values import gradient
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import Floats

FORMULAS = {  # of exact.trust.SHAPES
    "too small": "V̂ = (1 − ε) V",
    "shifted": "V̂ = V + ε J",
    "one number": "V̂ = V + ε (J − V)",
}
WORLDS = ("ladder", "short-corridor", "survival")
ERRORS = tuple(float(x) for x in np.round(np.arange(0, 1.01, 0.05), 2))
MANY = np.unique(np.round(np.logspace(0, 4, 41)))


WINDOWS = (1, 2, 3, 4, 5, 6, None)
WINDOW_LAMBDAS = (0.0, 0.5, 0.95, 1.0)


@lru_cache(16)
def _all_wrong_in_windows(world: str, shape: str) -> tuple[list[int | None], Floats]:
    """The windows that cut an episode, and bias² / ‖∇J‖² [W, L] at ε = 1."""
    mdp = named_worlds[world]()
    kept = [w for w in WINDOWS if w is None or mdp.horizon is None or w < mdp.horizon]
    bias = window_bias(mdp, wrong_critic(mdp, shape, 1.0), WINDOW_LAMBDAS, kept)
    return kept, bias / float((gradient(mdp) ** 2).sum())


def in_windows(world: str, shape: str, error: float) -> pd.DataFrame:
    """bias² / ‖∇J‖² of GAE when episodes are cut into windows: steps, and a column for each λ.

    E ĝ is affine in V̂ here, too, so bias²(ε) = ε² bias²(1).
    """
    kept, at_one = _all_wrong_in_windows(world, shape)
    shares = error**2 * at_one
    columns = {
        f"λ = {shown(lam)}": np.where(share < 1e-12, 0, share)
        for lam, share in zip(WINDOW_LAMBDAS, shares.T, strict=True)
    }
    steps = ["whole episodes" if w is None else str(w) for w in kept]
    return pd.DataFrame({"steps in a window": steps} | columns)


def course(values: Floats) -> str:
    """Which way numbers go: "stays", "rises", "falls", "falls, then rises", or "goes up and down"."""
    steps = np.diff(values)
    signs = np.sign(np.where(np.abs(steps) <= 1e-9 * np.abs(values).max(), 0, steps))
    signs = signs[signs != 0]
    if not len(signs):
        return "stays"
    if (signs == signs[0]).all():
        return "rises" if signs[0] > 0 else "falls"
    return "falls, then rises" if (np.diff(signs) >= 0).all() else "goes up and down"


def shown(x: float) -> str:
    """.61, 0, 1."""
    return f"{x:.2f}".rstrip("0").rstrip(".") or "0"
