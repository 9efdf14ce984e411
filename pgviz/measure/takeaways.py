"""Sentences computed from a run: what a reader should have seen in it."""

import numpy as np

from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs.recording import Recording


def lengths(recording: Recording) -> str:
    """How much of a gradient's length is followed: clipping takes it away, Adam sets another."""
    metrics, limit = recording.metrics(), recording.config.max_grad_norm
    norms = metrics["grad_norm"][metrics["active"] > 0]
    num_zero = int((norms == 0).sum())
    if num_zero == len(norms):
        return "ĝ was 0 in every update: all Ψ of a batch were equal, and nothing was learned."
    cut = norms[norms > limit]
    if not len(cut):
        text = f"No ĝ was longer than {limit:g}, so none was cut."
    else:
        share = "Every" if len(cut) == len(norms) else f"{100 * len(cut) / len(norms):.3g} % of all"
        text = (
            f"{share} ĝ {'was' if len(cut) == len(norms) else 'were'} longer than {limit:g} and cut"
            f" to that, typically by a factor of {in_words(float(np.median(cut)) / limit)}; then Adam"
            " rescales each component. What is followed is the direction, not the length."
        )
    zero = f" {num_zero} ĝ of {len(norms)} were 0: all Ψ of their batch were equal."
    return text + (zero if num_zero else "")


def in_words(x: float) -> str:
    """Three digits, and no powers of ten: 0.554, 12.5, 69,040."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def loss_verdict(recording: Recording) -> str:
    """What the pseudo-loss did: "rose", "fell" or "stayed about the same"."""
    return verdict(interquartile_mean(recording.metrics()["pseudo_loss"], axis=1))


def verdict(losses: np.ndarray) -> str:
    """Whether a curve rose, fell or stayed, by its first and last tenth against its own range."""
    first, last = ends(losses)
    if abs(last - first) <= 0.1 * np.ptp(losses):
        return "stayed about the same"
    return "rose" if last > first else "fell"


def ends(curve: np.ndarray) -> tuple[float, float]:
    """The means of the first and of the last tenth of a curve."""
    tenth = max(1, len(curve) // 10)
    return float(curve[:tenth].mean()), float(curve[-tenth:].mean())
