"""How well an estimate points where the gradient points, in the words learners use."""

import math

import numpy as np

from pgviz.worlds.tabular import Floats


def cosine(mean: Floats, gradient: Floats) -> float | None:
    """cos ∠(E[ĝ], ∇J): blind to scale, and None where one of them is zero."""
    lengths = float(np.linalg.norm(mean) * np.linalg.norm(gradient))
    return None if lengths < 1e-12 else float((mean * gradient).sum() / lengths)


def signal_to_noise(mean: Floats, covariance_trace: float) -> float | None:
    """‖E[ĝ]‖² / tr Cov[ĝ] of one episode; None where there is no noise."""
    return None if covariance_trace <= 0 else float((mean**2).sum() / covariance_trace)


def episodes_for_cosine(
    mean: Floats, covariance_trace: float, gradient: Floats, target: float = 0.9
) -> int | None:
    """The batch size N that suffices for a cosine of `target`, or None if none does.

    √E[cos²] ≥ E[ĝ]·∇J / (‖∇J‖ √E‖ĝ_N‖²)   (Cauchy and Schwarz, E[ĝ·u] = E[‖ĝ‖ cos])

    N is the least one at which the right side reaches the target, so the cosine between ĝ_N and ∇J
    is there, in the root mean square, if not earlier. E‖ĝ_N‖² = ‖E[ĝ]‖² + tr Cov / N, hence
    N = tr Cov / ((E[ĝ]·∇J / (target ‖∇J‖))² − ‖E[ĝ]‖²).
    """
    if float(np.linalg.norm(gradient)) < 1e-12:
        return None
    along = float((mean * gradient).sum() / np.linalg.norm(gradient))
    room = (along / target) ** 2 - float((mean**2).sum())
    if along <= 0 or room <= 0:
        return None
    needed = covariance_trace / room
    return max(math.ceil(needed - 1e-9), 1) if math.isfinite(needed) else None
