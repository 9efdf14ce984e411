"""The numbers behind the theorem page: one function per picture, each a table or a few numbers.

Everything is computed in one finite world at one θ; the page only shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from pgviz.exact import derivation
from pgviz.exact.ascent import (
    LONGEST_EPISODE,
    STEP_CAP,
    Ascent,
    ascent,
    broken_update,
    capped,
    exact_update,
)
from pgviz.exact.ascent import sampled_update as sampled_ascent_update
from pgviz.exact.derivation import partial_sums
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.landscape import (
    Knob,
    asymmetry,
    curls,
    knob,
    landscape,
    loop_integral,
    most_curled_plane,
    shares_one_policy,
)
from pgviz.exact.moments import moments, past_returns
from pgviz.exact.receipts import MAX_SAMPLED_STEPS, Reading
from pgviz.exact.values import settled, state_transitions
from pgviz.measure.direction import cosine
from pgviz.measure.episodes import mean_length, paired_estimates, sample
from pgviz.measure.same_dice import returns_with_the_same_dice
from pgviz.measure.statistics import mean_estimate
from pgviz.worlds.named import shared_logit_chain, two_arms
from pgviz.worlds.tabular import (
    Floats,
    TabularMDP,
    WorldError,
    never_ending_states,
    reachable_states,
)

LOWEST, HIGHEST = 5, 95  # where the knob ends, in percent
GRID = np.linspace(LOWEST, HIGHEST, 181) / 100
NUM_DICE = 3
# With these dice the lines of samples on the opening page are among the 19 in 20 that hit.
DICE_SEED = 3
NUM_RETURNS = 100
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


def at_rest(world: TabularMDP, action: int) -> int:
    """Where the knob stands for the world's own θ, in percent; not at all means in the middle."""
    turn = knob(world, action)
    return 50 if turn is None else int(np.clip(round(100 * turn.rest), LOWEST, HIGHEST))


def turned(world: TabularMDP, action: int, percent: int) -> TabularMDP:
    """The world with its knob at `percent`; at rest, it is the world itself to the last digit."""
    turn = knob(world, action)
    if turn is None or percent == at_rest(world, action):
        return world
    return world.at(turn.thetas(percent / 100))


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


def tangent(place: Place, low: float, high: float) -> pd.DataFrame:
    """A piece of the tangent at the knob, cut where it would leave the picture."""
    reach = 0.12
    if place.slope:
        room = (high - low) * 0.35 / abs(place.slope)
        reach = min(reach, room)
    p = place.p + np.array([-reach, reach])
    return pd.DataFrame({"p": p, "objective": place.objective + place.slope * (p - place.p)})


def best_of(curve: pd.DataFrame) -> tuple[float, float, str]:
    """Where the curve is highest, how high, and in one word: never, sometimes or always.

    "whatever" if it is flat: what is left of it is rounding.
    """
    top = int(curve["objective"].to_numpy().argmax())
    p, objective = (float(curve[name].iloc[top]) for name in ("p", "objective"))
    word = "never" if top == 0 else "always" if top == len(curve) - 1 else "sometimes"
    if _is_flat(curve["objective"].to_numpy()):
        word = "whatever"
    return p, objective, word


def _is_flat(objective: Floats) -> bool:
    """Whether J differs by no more than rounding from one end to the other."""
    return bool(np.ptp(objective) <= 1e-10 * np.abs(objective).max())


def summit(world: TabularMDP, action: int) -> tuple[float | None, float]:
    """The best p and its J, refined between the points of the curve where it lies inside.

    Without a p where J is the same along the whole knob.
    """
    turn = _knob(world, action)
    points = grid(world)
    along = landscape(world, turn.thetas(points)).objective
    if _is_flat(along):
        return None, float(along[len(along) // 2])
    low, high = points[0], points[-1]
    for _ in range(7):
        p = np.linspace(low, high, 41)
        objective = landscape(world, turn.thetas(p)).objective
        top = int(objective.argmax())
        low, high = p[max(top - 1, 0)], p[min(top + 1, 40)]
    return float(p[top]), float(objective[top])


def dice_curves(world: TabularMDP, action: int, rng_seed: int) -> pd.DataFrame:
    """R(τ) of the same dice along the knob: p, dice, episode_return."""
    turn = _knob(world, action)
    p = np.linspace(LOWEST, HIGHEST, 2 * len(grid(world)) - 1) / 100
    policies = landscape(world, turn.thetas(p)).policy
    returns = returns_with_the_same_dice(world, policies, NUM_DICE, rng_seed, STEP_CAP)
    # Only where a line begins, ends or jumps is there anything to draw.
    rows = []
    for dice, column in enumerate(returns.T):
        jumps = np.flatnonzero(np.diff(column)) + 1
        keep = np.unique(np.concatenate([[0], jumps, [len(p) - 1]]))
        rows.append(pd.DataFrame({"p": p[keep], "dice": dice, "episode_return": column[keep]}))
    return pd.concat(rows, ignore_index=True)


def sampled_returns(world: TabularMDP, rng_seed: int) -> Floats:
    """R(τ) of episodes at this θ, cut at the step cap."""
    played = sample(capped(world), NUM_RETURNS, np.random.default_rng(rng_seed))
    steps = played.rewards.shape[1]
    return (played.rewards * world.gamma ** np.arange(steps)).sum(axis=1)


def share_cut(world: TabularMDP) -> float:
    """The probability that an episode is cut by the step cap when it is sampled."""
    if world.horizon is not None and world.horizon <= STEP_CAP:
        return 0.0
    moves = np.linalg.matrix_power(state_transitions(world), STEP_CAP)
    return float((world.start @ moves).sum())


# --- the log trick ---


def is_bandit(world: TabularMDP) -> bool:
    """One state, one decision."""
    return world.num_states == 1 and not world.transitions[:, :, :-1].any()


def log_demo(world: TabularMDP) -> TabularMDP:
    """Where the forgotten log is shown: this world if it is a bandit, else the two arms."""
    return world if is_bandit(world) else two_arms()


@dataclass(frozen=True, eq=False)
class LogDemo:
    """Exact ascent with the log and without it."""

    best: int
    paths: pd.DataFrame  # update, step, probability (of the best arm), objective
    arrows: pd.DataFrame  # update, arm, start, end
    cosine: float | None  # of the two updates, at θ


KEPT, DROPPED = "with the log", "log dropped"


def log_paths(world: TabularMDP, actions: Sequence[str], learning_rate: float) -> LogDemo:
    """Both ascents from this θ, and the first arrow of each."""
    pays = (world.transitions * world.rewards).sum(axis=-1)[0]
    best = int(pays.argmax())
    paths, arrows = [], []
    for name, update in ((KEPT, exact_update), (DROPPED, broken_update("drop the log", 1, 0))):
        walked = ascent(world, update, num_steps(world), learning_rate)
        paths.append(
            pd.DataFrame(
                {
                    "update": name,
                    "step": range(len(walked.objective)),
                    "probability": walked.policy[:, 0, best],
                    "objective": walked.objective,
                }
            )
        )
        moving = update(world, world.theta)
        policy = world.policy[0]
        rate = policy * (moving[0] - policy @ moving[0])  # ∂π along the update
        length = np.abs(rate).max()
        arrows.append(
            pd.DataFrame(
                {
                    "update": name,
                    "arm": list(actions),
                    "start": policy,
                    "end": policy + (0.15 * rate / length if length else 0),
                }
            )
        )
    both = [landscape(world, world.theta[None], b).field[0] for b in (None, "drop the log")]
    return LogDemo(
        best,
        pd.concat(paths, ignore_index=True),
        pd.concat(arrows, ignore_index=True),
        cosine(both[1], both[0]),
    )


def one_policy(world: TabularMDP) -> bool:
    """Whether all states share one policy."""
    return shares_one_policy(world)


def is_uniform(world: TabularMDP) -> bool:
    """Whether all actions are equally likely, where the forgotten log cannot be seen."""
    return bool(np.ptp(world.policy, axis=1).max() < 1e-3)


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


def shrinking(table: pd.DataFrame, first: int, last: int) -> str:
    """How much narrower the interval is in row `last` than in row `first`, and if that is not √N,
    which of the two misjudged the spread."""
    width, counts = table["high"] - table["low"], table["num_episodes"]
    ratio = width.iloc[first] / width.iloc[last]
    root = np.sqrt(counts.iloc[last] / counts.iloc[first])
    words = (
        f"From {counts.iloc[first]:,} to {counts.iloc[last]:,} episodes the interval shrinks"
        f" {ratio:.1f}-fold; √N says {root:.1f}."
    )
    if abs(ratio / root - 1) <= 0.25:
        return words
    seen = width * np.sqrt(counts) / (2 * stats.t.ppf(0.975, counts - 1))  # s of the N samples
    wrong = max(
        (first, last),
        key=lambda row: abs(np.log(max(seen.iloc[row] / table["spread"].iloc[row], 1e-12))),
    )
    return words + (
        f" The first {counts.iloc[wrong]:,} estimates have a spread of {seen.iloc[wrong]:.3g}, not"
        f" {table['spread'].iloc[wrong]:.3g}: rare large ones are"
        f" {'missing' if seen.iloc[wrong] < table['spread'].iloc[wrong] else 'too many'}."
    )


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


def always_ends(world: TabularMDP) -> bool:
    """Whether every episode ends, by its horizon or by itself."""
    endless = never_ending_states(world) & reachable_states(world)
    return world.horizon is not None or not endless.any()


def noise_of_the_past(world: TabularMDP) -> tuple[float, float, bool]:
    """tr Cov of one episode's estimate with past rewards and without them; and whether any reward
    comes before a later action."""
    return *derivation.noise_of_the_past(world), bool(past_returns(world, 0.0, 2)[2].any())


def past_in_words(kept: float, dropped: float, has_a_past: bool) -> tuple[str, str]:
    """What past rewards do to the spread here: a heading and a reason."""
    sign = derivation.sign_of_the_past(kept, dropped)
    if sign > 0:
        times = f" is {kept / dropped:.2f} times as large" if dropped > 0 else " comes"
        return (
            "Past rewards add nothing but noise",
            f"The means are equal; the variance{times} with rewards that came before the action.",
        )
    if sign < 0:
        return (
            "Here past rewards cancel some of the noise",
            "The means are equal; the past happens to cancel some of the future's noise.",
        )
    if has_a_past:
        return "Here the past changes nothing", "The means are equal, and so is the variance."
    return (
        "Here there is no past to drop",
        "No reward comes before a later action: try the short corridor.",
    )


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


def slopes_along(world: TabularMDP, action: int) -> pd.DataFrame:
    """What the update gains along the knob, with γ^t and without: p, update, slope.

    The slope is ⟨u, direction⟩, per unit of the logit.
    """
    turn, p = _knob(world, action), grid(world)
    tables = []
    for name, broken in ((WITH_GAMMA, None), (WITHOUT_GAMMA, FORGET)):
        field = landscape(world, turn.thetas(p), broken).field
        along = (field * turn.direction).sum(axis=(1, 2))
        tables.append(pd.DataFrame({"p": p, "update": name, "slope": along}))
    return pd.concat(tables, ignore_index=True)


WITH_GAMMA, WITHOUT_GAMMA = "with γ^t: ∇J", "γ^t forgotten"


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


def race_in_words(race: Race, broken: str) -> str:
    """Where each of the three ends. A run that was stopped has no end: its J there is no result."""
    ends = {name: float(row["objective"]) for name, row in last_rows(race.steps).items()}
    start = float(race.steps["objective"].iloc[0])
    same = 1e-9 * float(race.steps["objective"].abs().max())

    def told(name: str, who: str, plural: str = "s") -> str:
        gain = ends[name] - start
        went = 0 if abs(gain) <= same else 1 if gain > 0 else -1
        verb = ("stay", "climb", "fall")[went] + plural
        if name in race.capped:
            first = name == next(iter(race.capped))
            steps = f" of {LONGEST_EPISODE:,.0f} steps an episode" if first else ""
            return f"{who} {verb} until the cap{steps} at update {race.capped[name]}"
        if name == BROKEN:
            verdict = ("where it began", "higher than it began", "lower than it began")[went]
            return f"{who} ends at {ends[name]:.4g}, {verdict}"
        return f"{who} {verb} {'to' if went else 'at'} {ends[name]:.4g}"

    parts = (told(EXACT, "the exact gradient"), told(SAMPLED, "samples", ""))
    words = f"From J = {start:.4g} {' and '.join(parts)}; {told(BROKEN, f'“{broken}”')}."
    if race.capped:
        words += " A run stops at the cap: its J there is no result."
    return words.replace(" -", " −").replace("γ^t", "γᵗ")


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


def takeaways(
    place: Place,
    returns: Floats,
    summit: tuple[float | None, float] | None,
    race: Race,
    broken: str,
    readings: Sequence[Reading],
) -> list[str]:
    """What this very setting shows. The summit is left out until it has been guessed."""
    slope = f" has the slope {place.slope:.4g} at p = {place.p:.3f} all the same"
    sentences = [
        f"One episode returned anything from {returns.min():.4g} to {returns.max():.4g}; J ="
        f" {place.objective:.4g}{slope if place.has_knob else ''}."
    ]
    if summit is not None:
        p, objective = summit
        if p is None:
            sentences.append(f"Along the knob J is {objective:.4f} everywhere: it changes nothing.")
        else:
            where = (
                "neither action for certain"
                if LOWEST < 100 * p < HIGHEST
                else "the knob ends there"
            )
            sentences.append(
                f"Along the knob J is highest at p = {p:.4f}, with J = {objective:.4f}: {where}."
            )
    sentences.append(_lines_in_words(readings))
    sentences.append(race_in_words(race, broken))
    return [text.replace(" -", " −").replace("γ^t", "γᵗ") for text in sentences]


def _lines_in_words(readings: Sequence[Reading]) -> str:
    """How many exact lines hold when nothing is broken."""
    if any(r.mark == "fails" for r in readings):
        return (
            "Not every exact line holds here: the numbers of this world are at the limits of"
            " double precision."
        )
    exact = [r for r in readings if r.mark == "holds" and "±" not in r.right]
    unread = sum(r.mark == "none" for r in readings)
    lines = "line" if unread == 1 else "lines"
    missing = f" {unread} {lines} could not be computed." if unread else ""
    if not exact:
        return f"No exact line could be computed in this world.{missing}"
    return (
        f"{len(exact)} of {len(exact)} exact lines{' that could be computed' if unread else ''}"
        " hold when nothing is broken, the worst of them up to"
        f" {max(r.size for r in exact):.0e}.{missing}"
    )


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
