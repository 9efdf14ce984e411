"""The estimator bench: every estimator on the SAME episodes of one policy that stands still.

On a finite world the truth is exact and stands beside what is measured; on CartPole the truth is
itself an estimate, from other and more episodes, and carries its interval. γ = 1 on CartPole, and
nothing is normalised: both would change what is being estimated.

Axes: K estimators, N episodes, P parameters.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import Moments, moments
from pgviz.exact.values import gradient, objective
from pgviz.measure import frozen
from pgviz.measure.direction import cosine, episodes_for_cosine, signal_to_noise
from pgviz.measure.episodes import Choices, paired_estimates
from pgviz.measure.frozen import FrozenPolicy
from pgviz.measure.statistics import (
    Estimate,
    GradientStatistics,
    Reference,
    statistics_against,
    too_few_choices,
    trace_ratio,
)
from pgviz.worlds.tabular import Floats, TabularMDP

NAMES = frozen.ESTIMATORS
UNBIASED = ("full-return", "reinforce", "constant", "baseline")
LABELS = {
    "full-return": "full return",
    "reinforce": "reward-to-go",
    "constant": "− a constant",
    "baseline": "− V(s)",
    "actor-critic": "TD error",
    "gae": "GAE",
}
REFERENCE_RATIO = 4  # episodes of the reference for each one that is measured


@dataclass(frozen=True, eq=False)
class Row:
    """One estimator: what was measured, what is exact, and its noise beside that of another.

    ratio is tr Cov of this one over tr Cov of reward-to-go, on the same episodes.
    """

    name: str
    measured: GradientStatistics
    ratio: Estimate
    exact: Moments | None = None

    @property
    def unbiased(self) -> bool:
        """Whether a theorem says so, whatever was measured."""
        return self.name in UNBIASED

    @property
    def looks_biased(self) -> bool:
        """Whether the interval of the debiased bias² lies above 0."""
        low = self.measured.bias_squared.low
        return isinstance(low, float) and low > 0


@dataclass(frozen=True, eq=False)
class Bench:
    """K estimators on the same N episodes, and the gradient they are held against."""

    rows: tuple[Row, ...]
    reference: Reference
    num_episodes: int

    def __getitem__(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    @property
    def is_exact(self) -> bool:
        """Whether the reference is the gradient itself."""
        return self.reference.error is None

    def bias_squared(self, row: Row) -> float:
        """The bias² to draw: exact, or 0 by theorem, or 0 if it cannot be told from 0."""
        if row.exact is not None:
            shape = row.exact.mean.shape
            return row.exact.bias_squared(self.reference.mean.reshape(shape))
        return float(row.measured.bias_squared.value) if row.looks_biased else 0.0  # type: ignore[arg-type]

    def trace(self, row: Row) -> float:
        """tr Cov of one episode's estimate, exact where it is known."""
        measured = float(row.measured.covariance_trace.value)  # type: ignore[arg-type]
        return measured if row.exact is None else row.exact.covariance_trace

    def episodes_needed(self, row: Row) -> int | None:
        """Episodes that suffice for a cosine of .9, exact where it is known."""
        if row.exact is None:
            return row.measured.episodes_for_cosine
        true = self.reference.mean.reshape(row.exact.mean.shape)
        return episodes_for_cosine(row.exact.mean, row.exact.covariance_trace, true)

    def in_words(self, row: Row) -> str:
        """How many episodes suffice for a cosine of .9, in a few words."""
        needed = self.episodes_needed(row)
        if needed is not None:
            return f"{needed:,} episode" + ("s" if needed > 1 else "")
        return "too far off for .9" if row.looks_biased else "not enough to say"

    def bias_in_words(self, row: Row) -> str:
        """The name, and the two parts of its bias vector as measured, in parts of ‖∇J‖."""
        along, across = row.measured.bias_along.value, row.measured.bias_across.value
        if along is None or across is None:
            return LABELS[row.name]
        length = np.sqrt(float(self.reference.squared_length.value))  # type: ignore[arg-type]
        parts = f"{along / length:+.2f} ‖∇J‖ along ∇J, {across / length:.2f} ‖∇J‖ across it"
        return f"{LABELS[row.name]} ({parts})".replace("-", "−")

    def extremes(self) -> str:
        """Who is quietest and who noisiest, by the covariance trace; all of them where they tie."""
        traces = {LABELS[row.name]: self.trace(row) for row in self.rows}
        least, most = min(traces.values()), max(traces.values())

        def near(x: float) -> str:
            return ", ".join(name for name, trace in traces.items() if _close(trace, x))

        measured = "" if self.is_exact else ", as measured"
        return f"Quietest{measured}: {near(least)}. Noisiest: {near(most)}"

    def doubts(self) -> str:
        """Which estimators' traces have no interval and why, as sentences; "" if all have one."""
        why = {LABELS[row.name]: row.measured.covariance_trace.doubt for row in self.rows}
        sentences = []
        for doubt in dict.fromkeys(filter(None, why.values())):
            names = [name for name in why if why[name] == doubt]
            who = "any of them" if len(names) == len(self.rows) else ", ".join(names)
            sentences.append(f" No interval for the trace of {who}: {doubt}.")
        return "".join(sentences)

    def spreads(self) -> pd.DataFrame:
        """One row per estimator: covariance trace with its interval, and the exact one."""
        rows = []
        for row in self.rows:
            trace = row.measured.covariance_trace
            rows.append(
                {
                    "name": row.name,
                    "label": LABELS[row.name],
                    "trace": trace.value,
                    "low": trace.low,
                    "high": trace.high,
                    "exact": None if row.exact is None else row.exact.covariance_trace,
                    "needed": self.episodes_needed(row),
                }
            )
        return pd.DataFrame(rows)

    def table(self) -> pd.DataFrame:
        """Everything, one row per estimator."""
        rows = []
        for row in self.rows:
            m = row.measured
            exact: dict[str, float | None] = {}
            if row.exact is not None:
                true = self.reference.mean.reshape(row.exact.mean.shape)
                along, across = in_two_parts(row.exact.mean, true)
                exact = {
                    "exact bias²": row.exact.bias_squared(true),
                    "exact bias along ∇J": along,
                    "exact bias across ∇J": across,
                    "exact trace": row.exact.covariance_trace,
                    "exact cosine": cosine(row.exact.mean, true),
                    "exact signal to noise": signal_to_noise(
                        row.exact.mean, row.exact.covariance_trace
                    ),
                }
            rows.append(
                {
                    "estimator": LABELS[row.name],
                    "bias²": m.bias_squared.value,
                    "bias² low": m.bias_squared.low,
                    "bias² high": m.bias_squared.high,
                    "bias along ∇J": m.bias_along.value,
                    "along low": m.bias_along.low,
                    "along high": m.bias_along.high,
                    "bias across ∇J": m.bias_across.value,
                    "across low": m.bias_across.low,
                    "across high": m.bias_across.high,
                    "covariance trace": m.covariance_trace.value,
                    "trace low": m.covariance_trace.low,
                    "trace high": m.covariance_trace.high,
                    "trace / reward-to-go": row.ratio.value,
                    "ratio low": row.ratio.low,
                    "ratio high": row.ratio.high,
                    "cosine of the mean": m.cosine.value,
                    "signal to noise": m.signal_to_noise.value,
                    "P(wrong sign)": m.wrong_sign.value,
                    "episodes that suffice for cosine .9": self.episodes_needed(row),
                    **exact,
                }
            )
        return pd.DataFrame(rows)

    def errors(self, sizes: Floats) -> pd.DataFrame:
        """√MSE(N) / ‖∇J‖ for batches of each size: one row per estimator and size."""
        squared = float(self.reference.squared_length.value)  # type: ignore[arg-type]
        rows = [
            {
                "name": row.name,
                "label": LABELS[row.name],
                "num_episodes": float(size),
                "error": np.sqrt((self.bias_squared(row) + self.trace(row) / size) / squared),
            }
            for row in self.rows
            for size in sizes
        ]
        return pd.DataFrame(rows)


def _close(x: float, y: float) -> bool:
    """Whether two traces tie, in whatever unit."""
    return abs(x - y) <= 1e-6 * max(x, y)


def in_two_parts(mean: Floats, true: Floats) -> tuple[float, float]:
    """The bias vector E[ĝ] − ∇J: its part along ∇J, and the length of what is across."""
    bias, direction = (mean - true).ravel(), true.ravel() / np.linalg.norm(true)
    along = float(bias @ direction)
    return along, float(np.linalg.norm(bias - along * direction))


def rows_of(
    estimates: dict[str, Floats], reference: Reference, num_choices: float = math.inf
) -> tuple[Row, ...]:
    """Statistics of each estimator's gradients [N, P], all from the same N episodes.

    num_choices: see `statistics.too_few_choices`.
    """
    to_go = estimates["reinforce"]
    doubt = too_few_choices(num_choices, len(to_go))
    return tuple(
        Row(
            name,
            statistics_against(of_one, reference, name in UNBIASED, num_choices),
            trace_ratio(of_one, to_go).doubted(doubt),
        )
        for name, of_one in estimates.items()
    )


# --- finite worlds: exact beside measured ---


def world_estimators(world: TabularMDP, critic_scale: float = 1.0) -> dict[str, GradientEstimator]:
    """The six, in a finite world: the constant is J, the critic is V times `critic_scale`."""
    values = true_values(world, critic_scale)
    return {
        "full-return": GradientEstimator("full-return"),
        "reinforce": GradientEstimator("reward-to-go"),
        "constant": GradientEstimator("reward-to-go", baseline=objective(world)),
        "baseline": GradientEstimator("reward-to-go", values=values),
        "actor-critic": GradientEstimator("td", values=values),
        "gae": GradientEstimator("gae", values=values, gae_lambda=frozen.GAE_LAMBDA),
    }


def world_bench(
    world: TabularMDP, num_episodes: int, rng_seed: int = 0, critic_scale: float = 1.0
) -> Bench:
    """The bench of a finite world at its own θ."""
    described = world_estimators(world, critic_scale)
    true = gradient(world).ravel()
    reference = Reference(true)
    choices = Choices(world, world.gamma)
    found = paired_estimates(world, list(described.values()), num_episodes, rng_seed, choices)
    estimates = dict(zip(described, found, strict=True))
    rows = []
    for row, estimator in zip(
        rows_of(estimates, reference, choices.num_choices),
        described.values(),
        strict=True,
    ):
        rows.append(Row(row.name, row.measured, row.ratio, moments(world, estimator)))
    return Bench(tuple(rows), reference, num_episodes)


# --- CartPole: measured, against a larger batch of other episodes ---


def frozen_bench(policy: FrozenPolicy, num_episodes: int) -> Iterator[float | Bench]:
    """How much of the work is done, again and again, and at last the bench.

    The reference is G − V̂(s, t), unbiased and quiet, on four times as many episodes of its own.
    """
    parts: list[Floats] = []
    total = num_episodes * (1 + REFERENCE_RATIO)
    done = 0
    for part in policy.gradients(num_episodes):
        parts.append(part)
        done += part.shape[1]
        yield done / total
    beyond = 2 + len(parts)
    others: list[Floats] = []
    for part in policy.gradients(REFERENCE_RATIO * num_episodes, beyond, ("baseline",)):
        others.append(part[0])
        done += part.shape[1]
        yield done / total
    estimates = np.concatenate(parts, axis=1)
    reference = Reference.measured(np.concatenate(others))
    rows = rows_of(dict(zip(NAMES, estimates, strict=True)), reference)
    yield Bench(rows, reference, num_episodes)


def finished(work: Iterator[float | Bench]) -> Bench:
    """The bench at the end of the work."""
    *_, last = work
    assert isinstance(last, Bench)
    return last
