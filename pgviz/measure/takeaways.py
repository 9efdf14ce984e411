"""Sentences computed from a run: what a reader should have seen in it."""

import numpy as np

from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs.recording import Recording


def seeds_solved(recording: Recording) -> str:
    """How many seeds solved the world, and how far apart in time."""
    solved = recording.metrics()["solved"]
    num_updates, num_seeds = solved.shape
    when = 1 + solved.argmax(axis=0)[solved[-1] > 0]
    if len(when) == 0:
        return f"None of the {num_seeds} seeds solved CartPole within {num_updates} updates."
    if num_seeds == 1:
        return f"The seed solved CartPole after {when[0]} updates."
    if len(when) == 1:
        return f"One of {num_seeds} seeds solved CartPole, after {when[0]} updates."
    if when.min() == when.max():
        return f"{len(when)} of {num_seeds} seeds solved CartPole, all after {when.min()} updates."
    return (
        f"{len(when)} of {num_seeds} seeds solved CartPole: the first after {when.min()} updates,"
        f" the last after {when.max()}. Only the random numbers differ between them."
    )


def spread(recording: Recording) -> str:
    """How little one seed says about the method."""
    returns = recording.metrics()["episode_return"]
    if returns.shape[1] == 1:
        return "One seed shows one story: set more seeds to see what the method does."
    update = int(np.ptp(returns, axis=1).argmax())
    low, high = returns[update].min(), returns[update].max()
    return (
        f"At update {update} the luckiest seed returned {high:.0f} and the unluckiest {low:.0f}:"
        " one curve says little about a method."
    )


def loss_against_return(recording: Recording) -> str:
    """What the pseudo-loss did while the return did something else."""
    metrics = recording.metrics()
    returns, losses = (
        ends(interquartile_mean(metrics[name], axis=1))
        for name in ("episode_return", "pseudo_loss")
    )
    return (
        f"While the return went from {returns[0]:.0f} to {returns[1]:.0f}, the pseudo-loss"
        f" {loss_verdict(recording)} ({in_words(losses[0])}, then {in_words(losses[1])}: means of the"
        " first and the last tenth of the run). Its gradient points the way; its value measures"
        " nothing."
    )


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


def all_of(recording: Recording) -> list[str]:
    """The sentences under a REINFORCE run."""
    return [
        seeds_solved(recording),
        spread(recording),
        lengths(recording),
        loss_against_return(recording),
    ]
