"""Small worlds nobody thought of, for theorems that must hold in every world."""

import numpy as np
from hypothesis import strategies as st

from pgviz.exact.estimator import GradientEstimator
from pgviz.worlds.tabular import TabularMDP


def random_world(
    seed: int,
    num_states: int = 2,
    num_actions: int = 2,
    num_features: int | None = None,
    gamma: float = 1.0,
    horizon: int | None = None,
) -> TabularMDP:
    """Every step ends the episode with probability .3 or more; features None is one-hot."""
    rng = np.random.default_rng(seed)
    table = (num_states, num_actions, num_states + 1)
    transitions = 0.7 * rng.dirichlet(np.ones(num_states + 1), table[:2])
    transitions[:, :, -1] += 0.3
    features = np.eye(num_states)
    if num_features is not None:
        features = rng.normal(size=(num_states, num_features))
    return TabularMDP(
        name=f"random-{seed}",
        transitions=transitions,
        rewards=rng.normal(size=table),
        start=rng.dirichlet(np.ones(num_states)),
        gamma=gamma,
        horizon=horizon,
        features=features,
        theta=rng.normal(size=(features.shape[1], num_actions)),
    )


def worlds(horizon: st.SearchStrategy) -> st.SearchStrategy[TabularMDP]:
    return st.builds(
        random_world,
        seed=st.integers(0, 10**6),
        num_states=st.integers(1, 2),
        num_actions=st.integers(1, 3),
        num_features=st.sampled_from([None, 1, 2]),
        gamma=st.sampled_from([1.0, 0.9, 0.5, 0.0]),
        horizon=horizon,
    )


def estimators_of(world: TabularMDP, seed: int) -> list[GradientEstimator]:
    """One of every kind, with random critics and baselines."""
    rng = np.random.default_rng(seed)
    critic = rng.normal(size=world.num_states)
    timed = critic
    if world.horizon is not None:
        timed = rng.normal(size=(world.horizon, world.num_states))
    b, gae_lambda = rng.normal(), rng.uniform()
    return [
        GradientEstimator("full-return", b),
        GradientEstimator("reward-to-go"),
        GradientEstimator("reward-to-go", b, drop_gamma_t=True),
        GradientEstimator("reward-to-go", b, timed),
        GradientEstimator("td", b, critic),
        GradientEstimator("td", 0.0, timed, drop_gamma_t=True),
        GradientEstimator("gae", b, timed, gae_lambda),
        GradientEstimator("gae", 0.0, critic, gae_lambda, drop_gamma_t=True),
    ]
