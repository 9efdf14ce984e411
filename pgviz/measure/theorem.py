"""The numbers behind the theorem page: one function per picture, each a table or a few numbers.

Everything is computed in one finite world at one θ; the page only shows it.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.landscape import (
    Knob,
    asymmetry,
    curls,
    knob,
    landscape,
    loop_integral,
    most_curled_plane,
)
from pgviz.exact.moments import moments
from pgviz.exact.values import settled, state_transitions
from pgviz.proofs.ascent import (
    STEP_CAP,
    Ascent,
    ascent,
    broken_update,
    capped,
    exact_update,
)
from pgviz.proofs.ascent import sampled_update as sampled_ascent_update
from pgviz.proofs.derivation import partial_sums
from pgviz.proofs.receipts import MAX_SAMPLED_STEPS
from pgviz.sampled.episodes import mean_length, paired_estimates
from pgviz.sampled.statistics import mean_estimate
from pgviz.worlds.named import shared_logit_chain
from pgviz.worlds.tabular import (
    Floats,
    TabularMDP,
    WorldError,
)

LOWEST, HIGHEST = 5, 95  # where the knob ends, in percent
GRID = np.linspace(LOWEST, HIGHEST, 181) / 100
# With these dice the lines of samples on the opening page are among the 19 in 20 that hit.
DICE_SEED = 3
NUM_STEPS = 80
LARGEST_SAMPLE = 10_000
# Multiplications of one sweep over an episode; in worlds with more of them less is shown.
LARGE = 100_000
COARSER = 4
FORGET = "forget γᵗ"


def is_large(world: TabularMDP) -> bool:
    """Whether pictures of it would keep a shared computer busy: then they show less."""
    steps = min(world.horizon or STEP_CAP, STEP_CAP)
    return steps * world.num_states**2 * world.num_actions > LARGE


def num_steps(world: TabularMDP) -> int:
    """How many steps the climbers take here."""
    return NUM_STEPS // COARSER if is_large(world) else NUM_STEPS


def grid(world: TabularMDP) -> Floats:
    """The p at which curves along the knob are computed here."""
    return GRID[::COARSER] if is_large(world) else GRID


def largest_sample(world: TabularMDP) -> int:
    """How many episodes are sampled here at most."""
    return LARGEST_SAMPLE // COARSER if is_large(world) else LARGEST_SAMPLE


def size_in_words(world: TabularMDP) -> str:
    """One sentence on what a large world shows less of; "" for others."""
    if not is_large(world):
        return ""
    return (
        f"A large world, so less is shown: climbers take {num_steps(world)} steps instead of"
        f" {NUM_STEPS}, curves have {len(grid(world))} points instead of {len(GRID)}, and no more"
        f" than {largest_sample(world):,} episodes are sampled to close in on ∇J."
    )


@dataclass(frozen=True)
class Place:
    """The knob and what is true there."""

    p: float
    objective: float
    slope: float  # ∂J/∂p
    gradient_norm: float

    @property
    def has_knob(self) -> bool:
        """Whether there is a probability to turn."""
        return not np.isnan(self.p)


def last_rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The last row of every update, by its name."""
    rows = table.groupby("update", sort=False).tail(1).to_dict("records")
    return {str(row["update"]): {str(k): v for k, v in row.items()} for row in rows}


# --- the objective ---


def place(world: TabularMDP, action: int) -> Place:
    """J, its slope along the knob and the length of ∇J, at the world's θ."""
    there = landscape(world, world.theta[None])
    turn = knob(world, action)
    p = turn.rest if turn else float("nan")
    slope = 0.0
    if turn:
        field = there.field[0]
        size = np.abs(turn.per_p(np.array(p), np.abs(field) * np.sign(turn.direction)))
        slope = float(settled(turn.per_p(np.array(p), field), size))
    return Place(p, float(there.objective[0]), slope, float(np.linalg.norm(there.field)))


def objective_curve(world: TabularMDP, action: int) -> pd.DataFrame:
    """J along the knob: p, objective."""
    turn = _knob(world, action)
    p = grid(world)
    return pd.DataFrame({"p": p, "objective": landscape(world, turn.thetas(p)).objective})


def share_cut(world: TabularMDP) -> float:
    """The probability that an episode is cut by the step cap when it is sampled."""
    if world.horizon is not None and world.horizon <= STEP_CAP:
        return 0.0
    moves = np.linalg.matrix_power(state_transitions(world), STEP_CAP)
    return float((world.start @ moves).sum())


# --- the log trick ---


def closing_in(world: TabularMDP, rng_seed: int) -> pd.DataFrame:
    """The mean of 10, 20, … episodes' estimates of the largest component of ∇J, with intervals.

    num_episodes, mean, low, high, exact, spread: growing prefixes of one long sequence of
    episodes, cut at the step cap, as is the world whose gradient they are held to; `spread` is the
    exact standard deviation of one estimate.
    """
    cut = capped(world)
    exact = landscape(cut, cut.theta[None]).field[0]
    index = _largest(exact)
    spread = np.sqrt(moments(cut, GradientEstimator("full-return")).variance[index])
    most = int(min(largest_sample(world), MAX_SAMPLED_STEPS / max(mean_length(cut), 1)))
    estimates = paired_estimates(cut, [GradientEstimator("full-return")], most, rng_seed)[0]
    samples = estimates[:, index[0], index[1]]
    rows = []
    for num in np.unique(np.round(np.geomspace(10, most, 31)).astype(int)):
        # Of the vector of one component: an interval of no width where all samples are equal.
        rows.append((int(num), *(float(x[0]) for x in mean_and_interval(samples[:num, None]))))
    table = pd.DataFrame(rows, columns=["num_episodes", "mean", "low", "high"])
    return table.assign(exact=float(exact[index]), spread=float(spread))


def cut_gradient(world: TabularMDP) -> tuple[float, float]:
    """The largest component of ∇J in the world as it is sampled, and the same without the cut."""
    cut = capped(world)
    sampled, true = (landscape(w, w.theta[None]).field[0] for w in (cut, world))
    index = _largest(sampled)
    return float(sampled[index]), float(true[index])


def _largest(field: Floats) -> tuple[int, ...]:
    """Where |∇J| is largest; of several that differ by rounding only, the first."""
    size = np.abs(field)
    first = int((size >= size.max() * (1 - 1e-9)).argmax())
    return tuple(int(i) for i in np.unravel_index(first, field.shape))


def mean_and_interval(samples: Floats) -> tuple[Floats, Floats, Floats]:
    """x̄ and the ends of its 95 % interval, componentwise."""
    found = mean_estimate(samples)
    return np.asarray(found.value), np.asarray(found.low), np.asarray(found.high)


# --- the theorem ---


def sums(world: TabularMDP) -> pd.DataFrame:
    """Partial sums of the largest component of ∇J: k, partial_sum, exact."""
    exact = landscape(world, world.theta[None]).field[0]
    index = _largest(exact)
    longest = 40 if world.horizon is None else world.horizon
    table = partial_sums(world, longest)[:, index[0], index[1]]
    off = np.abs(table - exact[index]) > 1e-6 * (abs(exact[index]) or np.abs(table).max())
    last = min(max(int(np.flatnonzero(off).max(initial=0)) + 1, 2), longest)
    return pd.DataFrame(
        {"k": range(last + 1), "partial_sum": table[: last + 1], "exact": float(exact[index])}
    )


def enough_terms(table: pd.DataFrame) -> int | None:
    """From which k on the partial sum stays within 1 % of ∇J; None if that lies further out."""
    exact = table["exact"].iloc[0]
    size = abs(exact) or np.abs(table["partial_sum"]).max()
    far = np.abs(table["partial_sum"] - exact) > 0.01 * size
    last = int(np.flatnonzero(far).max(initial=-1))
    return last + 1 if last + 1 < len(table) else None


GammaEffect = Literal["some", "none", "undefined"]


def gamma_effect(world: TabularMDP) -> GammaEffect:
    """What forgetting γ^t does to the sum: something, nothing, or it leaves the sum no value."""
    if world.gamma == 1 or not world.transitions[:, :, :-1].any():
        return "none"
    try:
        found = landscape(world, world.theta[None], FORGET).field
    except WorldError:
        return "undefined"
    if not np.isfinite(found).all():
        return "undefined"
    true = landscape(world, world.theta[None]).field
    return "some" if np.abs(found - true).max() > 1e-9 * np.abs(found).max() else "none"


def shows_gamma(world: TabularMDP) -> bool:
    """Whether γ^t matters here: discounting, more than one step, and an end."""
    return gamma_effect(world) == "some"


def curled_world(world: TabularMDP) -> TabularMDP:
    """This world if its update without γ^t curls, else the chain with logits of its own."""
    if shows_gamma(world) and curls(world, FORGET):
        return world
    gamma = world.gamma if world.name == "shared-logit-chain" and world.gamma < 1 else 0.5
    return replace(
        shared_logit_chain(gamma), features=np.eye(3), theta=np.zeros((3, 2)), name="chain"
    )


@dataclass(frozen=True, eq=False)
class Curl:
    """A plane of two parameters, the update without γ^t in it, and a walk around a square."""

    arrows: pd.DataFrame  # x, y, angle (degrees, clockwise from up), length
    square: pd.DataFrame  # x, y, corner
    axes: tuple[tuple[int, int], tuple[int, int]]  # (feature, action) of x and of y
    true_loop: float
    broken_loop: float
    asymmetry: float


REACH = 1.5


def curl(world: TabularMDP) -> Curl:
    """The picture of a field that is not a gradient."""
    plane = most_curled_plane(world, FORGET)
    ticks = np.linspace(-2, 2, 9)
    x, y = (grid.ravel() for grid in np.meshgrid(ticks, ticks))
    thetas = world.theta + x[:, None, None] * plane[0] + y[:, None, None] * plane[1]
    field = landscape(world, thetas, FORGET).field
    u, v = ((field * direction).sum(axis=(1, 2)) for direction in plane)
    corners = REACH * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
    axes = [np.unravel_index(int(d.argmax()), d.shape) for d in plane]
    return Curl(
        pd.DataFrame(
            {"x": x, "y": y, "angle": np.degrees(np.arctan2(u, v)) % 360, "length": np.hypot(u, v)}
        ),
        pd.DataFrame({"x": corners[:, 0], "y": corners[:, 1], "corner": range(5)}),
        ((int(axes[0][0]), int(axes[0][1])), (int(axes[1][0]), int(axes[1][1]))),
        loop_integral(world, plane, REACH),
        loop_integral(world, plane, REACH, FORGET),
        asymmetry(world, FORGET),
    )


def curl_of(world: TabularMDP) -> Curl:
    """The picture in this world, or in the chain if nothing curls here."""
    return curl(curled_world(world))


# --- the mini-run ---


UPDATES = EXACT, SAMPLED, BROKEN = "exact", "sampled", "broken"


@dataclass(frozen=True, eq=False)
class Race:
    """Three ascents from one θ."""

    steps: pd.DataFrame  # update, step, objective, probability, cosine, and x, y on the simplex
    notes: tuple[str, ...]
    policies: dict[str, list[float]]  # the last one of each, in the state that is shown
    capped: dict[str, int]  # at which update a run was stopped, its episodes having grown too long


def race(
    world: TabularMDP,
    action: int,
    broken: str,
    learning_rate: float,
    num_episodes: int,
    rng_seed: int,
) -> Race:
    """Ascent by the exact gradient, by the mean of N episodes, and by the broken update."""
    turn = knob(world, action)
    state = turn.state if turn else int(world.start.argmax())
    tables, notes, policies, stopped = [], [], {}, {}
    for name, update in (
        (EXACT, exact_update),
        (SAMPLED, sampled_ascent_update(num_episodes, rng_seed)),
        (BROKEN, broken_update(broken, num_episodes, rng_seed)),
    ):
        walked = ascent(world, update, num_steps(world), learning_rate)
        tables.append(_walk(name, walked, state, action))
        policies[name] = [float(x) for x in walked.policy[-1, state]]
        if walked.stopped:
            stopped[name] = len(walked.objective)
        if walked.num_shortened:
            steps = (
                "1 step was" if walked.num_shortened == 1 else f"{walked.num_shortened} steps were"
            )
            notes.append(f"{name}: {steps} shortened to one logit")
    return Race(pd.concat(tables, ignore_index=True), tuple(notes), policies, stopped)


def _walk(name: str, walked: Ascent, state: int, action: int) -> pd.DataFrame:
    policy = walked.policy[:, state]
    num = len(walked.objective)
    cosines = [np.nan if c is None else c for c in walked.cosine[:num]]
    table = pd.DataFrame(
        {
            "update": name,
            "step": range(num),
            "objective": walked.objective,
            "probability": policy[:, action],
            "cosine": np.append(cosines, [np.nan] * (num - len(cosines))),
        }
    )
    if policy.shape[1] == 3:
        x, y = on_the_triangle(policy)
        table = table.assign(x=x, y=y)
    return table


def on_the_triangle(policy: Floats) -> tuple[Floats, Floats]:
    """Three probabilities as a point: action 0 bottom left, action 1 bottom right, action 2 top."""
    return policy[..., 1] + policy[..., 2] / 2, policy[..., 2] * np.sqrt(3) / 2


# --- what to take away ---


def _knob(world: TabularMDP, action: int) -> Knob:
    turn = knob(world, action)
    if turn is not None:
        return turn
    if knob(world.at(np.zeros_like(world.theta)), action) is not None:  # at another θ it turns
        raise WorldError(
            "this θ makes the action certain or impossible where the knob reads it, so there is"
            " no probability to turn"
        )
    raise WorldError("the features of this world leave no policy to turn")
