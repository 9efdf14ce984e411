"""One recorded episode of the ladder, and what n real rewards make of it; the same on average.

The critic of the recorded episode predicts half the exact value, rounded to two decimals, so that
every sum on a screen can be checked by hand. Averages use exactly V / 2.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact import n_steps as exact
from pgviz.exact.values import action_values, state_values
from pgviz.sampled.episodes import sample
from pgviz.worlds.named import ladder
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import Floats

RNG_SEED = 13  # an episode whose rewards are neither all 0 nor all 1


@dataclass(frozen=True, eq=False)
class Stretch:
    """An episode of T steps: states and values [T+1], V̂ of the end being 0; the rest [T].

    actions are names; exact is A(s_t, a_t), which only somebody knows who knows the world.
    """

    states: Floats
    actions: tuple[str, ...]
    rewards: Floats
    values: Floats
    exact: Floats

    @property
    def num_steps(self) -> int:
        return len(self.rewards)

    def advantages(self) -> Floats:
        """Â^(n)_t, [N, T]."""
        return exact.n_step_advantages(self.rewards, self.values, 1.0)

    def errors(self) -> Floats:
        """δ_t [T]."""
        return self.rewards + self.values[1:] - self.values[:-1]


@lru_cache(1)
def recorded() -> Stretch:
    """The episode that these steps show."""
    world = ladder()
    episode = sample(world, 1, np.random.default_rng(RNG_SEED))
    states, actions = episode.states[0], episode.actions[0]
    steps = np.arange(len(states))
    values = np.append(np.round(state_values(world)[steps, states] / 2, 2), 0.0)
    advantages = action_values(world)[steps, states, actions] - state_values(world)[steps, states]
    path = np.append(states, episode.next_states[0, -1])
    names = tuple(stories["ladder"].actions[a] for a in actions)
    return Stretch(path, names, episode.rewards[0], values, advantages)


@lru_cache(4)
def of_ladder(shape: str = "too small") -> exact.NSteps:
    """Exact bias and variance of every n on the ladder."""
    return exact.n_steps(ladder(), shape)


@lru_cache(4)
def mixed_on_ladder(shape: str = "too small") -> exact.Tradeoff:
    """The same of every λ."""
    return of_ladder(shape).mixed()


def parts(shape: str = "too small") -> pd.DataFrame:
    """Of each n: bias² at ε = 1, and c₀, c₁, c₂ of the variance of one episode's ĝ."""
    found = of_ladder(shape)
    table = pd.DataFrame(found.traces, columns=["c0", "c1", "c2"])
    return table.assign(n=np.arange(1, len(table) + 1), bias=found.bias_squared(1.0))


def mixture(gae_lambda: float) -> Floats:
    """The weights of all n in the recorded episode."""
    return exact.mixture_weights(gae_lambda, recorded().num_steps)
