"""How well an estimate points where the gradient points, in the words learners use."""

import math

import numpy as np

from pgviz.worlds.tabular import Floats


def length(vector: Floats) -> float:
    """‖v‖, also where the squares of the components are beyond the reach of float64."""
    largest = float(np.abs(vector).max(initial=0.0))
    return largest * float(np.linalg.norm(vector / largest)) if largest > 0 else 0.0


def cosine(mean: Floats, gradient: Floats) -> float | None:
    """cos ∠(E[ĝ], ∇J): blind to scale, and None where one of them is zero."""
    lengths = length(mean), length(gradient)
    if 0 in lengths:
        return None
    return float(((mean / lengths[0]) * (gradient / lengths[1])).sum())


def signal_to_noise(mean: Floats, covariance_trace: float) -> float | None:
    """‖E[ĝ]‖² / tr Cov[ĝ] of one episode; None where there is no noise."""
    if covariance_trace <= 0:
        return None
    return (length(mean) / math.sqrt(covariance_trace)) ** 2


def episodes_for_cosine(
    mean: Floats, covariance_trace: float, gradient: Floats, target: float = 0.9
) -> int | None:
    """The batch size N that suffices for a cosine of `target`, or None if none does.

    √E[cos²] ≥ E[ĝ]·∇J / (‖∇J‖ √E‖ĝ_N‖²)   (Cauchy and Schwarz, E[ĝ·u] = E[‖ĝ‖ cos])

    N is the least one at which the right side reaches the target, so the cosine between ĝ_N and ∇J
    is there, in the root mean square, if not earlier. E‖ĝ_N‖² = ‖E[ĝ]‖² + tr Cov / N, hence
    N = tr Cov / ‖E[ĝ]‖² / ((cos ∠(E[ĝ], ∇J) / target)² − 1).
    """
    along, signal = cosine(mean, gradient), signal_to_noise(mean, covariance_trace)
    if along is None or along <= target:
        return None
    if signal is None:
        return 1
    needed = 1 / signal / ((along / target) ** 2 - 1) if signal > 0 else math.inf
    return max(math.ceil(needed * (1 - 1e-9)), 1) if math.isfinite(needed) else None
