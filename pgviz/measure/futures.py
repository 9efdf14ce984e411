"""The ladder, played on from one state and action again and again; and what is exact about it.

Axes: N continuations, T steps.
"""

from dataclasses import dataclass
from dataclasses import replace as changed
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact import futures as exact
from pgviz.exact.best import best_action_values
from pgviz.exact.values import (
    action_values,
    gradient,
    objective,
    state_distributions,
    state_values,
)
from pgviz.in_memory import in_memory
from pgviz.worlds.named import ladder
from pgviz.worlds.tabular import Floats, TabularMDP

ACTIONS = ("rest", "climb")
RUNGS = (0, 1, 2)
NUM_STEPS = 6  # of the ladder
LONGEST = 24
NUM_FUTURES = 50  # lines of the fan
MOST = 500  # continuations that are averaged
RNG_SEED = 4


@dataclass(frozen=True, eq=False)
class Continuations:
    """N ways to go on from one state and action: rewards [N, T], the state after each step [N, T]."""

    rewards: Floats
    states: Floats

    def returns(self) -> Floats:
        """G of each, [N]."""
        return self.rewards.sum(axis=1)


def continued(
    world: TabularMDP, state: int, action: int, num_steps: int, num: int, rng: np.random.Generator
) -> Continuations:
    """Play on from this state and action; later actions are the policy's."""
    states = np.full(num, state)
    rewards, path = np.zeros((num, num_steps)), np.zeros((num, num_steps), int)
    flow = world.flow.reshape(world.num_states, -1).cumsum(axis=1)
    first = world.transitions[state, action].cumsum()
    columns = world.num_states + 1
    for t in range(num_steps):
        dice = rng.random(num)
        if t == 0:
            actions = np.full(num, action)
            following = np.searchsorted(first, dice * first[-1], side="right")
        else:
            playing = states < world.num_states
            row = flow[np.where(playing, states, 0)]
            choice = (row <= (dice * row[:, -1])[:, None]).sum(axis=1)
            actions = choice // columns
            following = np.where(playing, choice % columns, world.num_states)
        alive = states < world.num_states
        here = np.where(alive, states, 0)
        rewards[:, t] = np.where(alive, world.rewards[here, actions, following], 0.0)
        path[:, t] = following
        states = following
    return Continuations(rewards, path)


# --- the fan: the reward-to-go grows, and so does its spread ---


@in_memory
def fan() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums of rewards of some continuations (future, k, total), and their exact mean and spread
    (k, mean, variance, low, high), from rung 0 after a climb; k steps are counted."""
    found = continued(
        ladder(), 0, ACTIONS.index("climb"), LONGEST, NUM_FUTURES, np.random.default_rng(RNG_SEED)
    )
    totals = np.concatenate(
        [np.zeros((NUM_FUTURES, 1)), found.rewards.cumsum(axis=1)], axis=1
    ).astype(int)
    future, k = np.indices(totals.shape)
    lines = pd.DataFrame({"future": future.ravel(), "k": k.ravel(), "total": totals.ravel()})
    sums = exact.sums_of_rewards(ladder(), 0, ACTIONS.index("climb"), LONGEST)
    means = np.array([0.0, *map(exact.mean, sums)])
    variances = np.array([0.0, *map(exact.variance, sums)])
    spread = np.sqrt(variances)
    return lines, pd.DataFrame(
        {
            "k": range(LONGEST + 1),
            "mean": means,
            "variance": variances,
            "low": means - spread,
            "high": means + spread,
        }
    )


# --- averages of continuations ---


@lru_cache(12)
def samples(rung: int, action: str) -> Continuations:
    """Continuations of six steps from this rung after this action."""
    rng = np.random.default_rng((RNG_SEED, rung, ACTIONS.index(action)))
    return continued(ladder(), rung, ACTIONS.index(action), NUM_STEPS, MOST, rng)


def td_errors(rung: int, action: str) -> Floats:
    """δ = r + V(s′) − V(s) of each of them, [N], with the exact V."""
    seen, values = samples(rung, action), state_values(ladder())
    return seen.rewards[:, 0] + values[1][seen.states[:, 0].astype(int)] - values[0, rung]


def returns_minus_value(rung: int, action: str) -> Floats:
    """G − V(s) of each of them, [N]."""
    return samples(rung, action).returns() - float(state_values(ladder())[0, rung])


def running_mean(x: Floats) -> Floats:
    """The mean of the first n, for n = 1 … N."""
    return x.cumsum() / np.arange(1, len(x) + 1)


def action_value(rung: int, action: str, step: int = 0) -> float:
    """Q(s, a) on the ladder."""
    return float(action_values(ladder())[step, rung, ACTIONS.index(action)])


def best_action_value(rung: int, action: str, step: int = 0) -> float:
    """Q*(s, a) on the ladder: what Q-learning learns."""
    return float(best_action_values(ladder())[step, rung, ACTIONS.index(action)])


def advantage(rung: int, action: str, step: int = 0) -> float:
    """A(s, a) = Q(s, a) − V(s) on the ladder."""
    return action_value(rung, action, step) - float(state_values(ladder())[step, rung])


@lru_cache(40)
def distributions(
    rung: int, action: str, left: int
) -> tuple[exact.Distribution, exact.Distribution]:
    """Of G, and of r + V(s′), with so many steps left."""
    world, a = ladder(), ACTIONS.index(action)
    returns = exact.sums_of_rewards(world, rung, a, left)[-1]
    return returns, exact.one_step(world, NUM_STEPS - left, rung, a)


# --- the sign ---

NUM_UPDATES = 60
RATE = 0.2


@in_memory
def climbed(sign: int) -> pd.DataFrame:
    """θ ← θ ± α ∇J, exactly: update, objective, and π(climb) of each rung."""
    world, rows = ladder(), []
    theta = np.asarray(world.theta)
    for update in range(NUM_UPDATES + 1):
        here = changed(world, theta=theta)
        shares = {f"rung {s}": float(here.policy[s, 1]) for s in RUNGS}
        rows.append({"update": update, "objective": objective(here), **shares})
        theta = theta + sign * RATE * gradient(here)
    return pd.DataFrame(rows)


@lru_cache(1)
def mean_advantages() -> dict[int, float]:
    """The mean advantage of a climb on each rung: over all visits of the uniform policy."""
    world = ladder()
    visits = state_distributions(world)
    found = (action_values(world) - state_values(world)[:, :, None])[:, :, 1]
    return {s: float((visits[:, s] @ found[:, s]) / visits[:, s].sum()) for s in RUNGS}
