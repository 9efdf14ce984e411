"""Gradient ascent in a finite world: by the exact gradient, by samples, and by a broken update.

Axes: T steps, S states, A actions, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pgviz.exact.direction import cosine
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.landscape import BREAKS, landscape
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

# A sampled episode that still runs after so many steps is cut.
STEP_CAP = 100
# The longest step, in logits: an estimate from few episodes can be hundreds of times too long.
LONGEST_STEP = 1.0
# A policy whose episodes last longer than this has committed itself; the ascent stops there.
LONGEST_EPISODE = 1000.0

# u(world, θ): the world is taken as checked, θ is where it is looked at.
Update = Callable[[TabularMDP, Floats], Floats]


@dataclass(frozen=True, eq=False)
class Ascent:
    """The path of θ under one kind of update, with the truth beside it at every step."""

    theta: Floats  # [T+1, F, A]
    policy: Floats  # [T+1, S, A]
    objective: Floats  # [T+1], exact
    cosine: list[float | None]  # [T]: of the update that was made with ∇J; None where one is 0
    num_shortened: int = 0
    stopped: str = ""  # why it ended before its time


def ascent(world: TabularMDP, update: Update, num_steps: int, learning_rate: float) -> Ascent:
    """θ ← θ + α u(θ), `num_steps` times; the objective and ∇J are always the exact ones."""
    theta = np.asarray(world.theta)
    path, objectives, policies = [], [], []
    cosines: list[float | None] = []
    shortened, stopped = 0, ""
    here = landscape(world, theta[None])
    for step in range(num_steps + 1):
        path.append(theta)
        objectives.append(float(here.objective[0]))
        policies.append(here.policy[0])
        if step == num_steps:
            break
        moving = here.field[0] if update is exact_update else update(world, theta)
        cosines.append(cosine(moving, here.field[0]))
        moved = learning_rate * moving
        longest = float(np.abs(moved).max(initial=0.0))
        if longest > LONGEST_STEP:
            moved, shortened = moved * (LONGEST_STEP / longest), shortened + 1
        following = landscape(world, (theta + moved)[None])
        if not _still_ends(world, following.num_steps[0], following.objective[0]):
            stopped = (
                f"stopped at step {step + 1}: its episodes would last more than"
                f" {LONGEST_EPISODE:.0f} steps on average"
            )
            break
        theta, here = theta + moved, following
    return Ascent(
        np.stack(path), np.stack(policies), np.array(objectives), cosines, shortened, stopped
    )


def exact_update(world: TabularMDP, theta: Floats) -> Floats:
    """∇J(θ)."""
    return landscape(world, theta[None]).field[0]


def sampled_update(num_episodes: int, rng_seed: int, estimator: str = "reward-to-go") -> Update:
    """ĝ = (1/N) Σ_n Σ_t γ^t Ψ_t ∇log π(a_t|s_t) from fresh episodes at every call."""
    from pgviz.sampled import episodes

    rng = np.random.default_rng(rng_seed)
    described = GradientEstimator(estimator)

    cut = lru_cache(1)(capped)

    def update(world: TabularMDP, theta: Floats) -> Floats:
        played = episodes.sample(cut(world).at(theta), num_episodes, rng)
        return episodes.gradient_estimates(played, episodes.weights(played, described)).mean(axis=0)

    return update


def broken_update(broken: str, num_episodes: int, rng_seed: int) -> Update:
    """What a broken derivation follows: on average, or, where only noise is added, in samples."""
    if broken == "keep past rewards":
        return sampled_update(num_episodes, rng_seed, "full-return")
    if broken not in BREAKS:
        raise WorldError(f"an update cannot be broken by {broken!r}")
    return lambda world, theta: landscape(world, theta[None], broken).field[0]


def capped(world: TabularMDP, num_steps: int = STEP_CAP) -> TabularMDP:
    """The world as it is sampled: cut after `num_steps` steps, or sooner at its own horizon."""
    horizon = num_steps if world.horizon is None else min(world.horizon, num_steps)
    return world if horizon == world.horizon else replace(world, horizon=horizon)


def _still_ends(world: TabularMDP, num_steps: float, objective: float) -> bool:
    if not np.isfinite(objective):
        return False
    undiscounted = world.gamma == 1 and world.horizon is None
    return not undiscounted or 0 <= num_steps <= LONGEST_EPISODE
