"""The time machine: play again, step by step, what a recorded policy did.

Every seed and update has a random stream of its own, so the episodes that update u learned from
come back bit for bit from the parameters alone.
"""

import numpy as np
import pandas as pd
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from pgviz import estimators
from pgviz.policies import MLP, probability
from pgviz.training.config import Config
from pgviz.training.loop import stream
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout, collect_episodes
from pgviz.worlds.cartpole import CartPoleEnsemble


def replay(config: Config, theta: NDArray[np.float32], seed: int, update: int) -> Rollout:
    """The N episodes [1, N, T] that `theta` [P] plays with the stream of this seed and update."""
    env = CartPoleEnsemble(config.num_envs, 1, autoreset_mode=AutoresetMode.DISABLED)
    policy = MLP(hidden=config.hidden)
    return collect_episodes(env, policy, theta[None], [stream(config, seed, "update", update)])


def trajectory(
    config: Config, theta: NDArray[np.float32], rollout: Rollout, episode: int
) -> pd.DataFrame:
    """One episode as a table, a row per step.

    t; x, x_dot, angle, angle_dot (the observation); action; reward; p_right = π(right|s_t);
    return_to_go = G_t; log_prob = log π(a_t|s_t); weight = Ψ_t;
    pull = |Ψ_t| ‖∇θ log π(a_t|s_t)‖, how hard this step pulls on the parameters.
    """
    steps = rollout.mask[0, episode]
    obs = rollout.obs[0, episode][steps]
    actions = rollout.actions[0, episode][steps]
    rewards = rollout.rewards[0, episode][steps]
    logits = rollout.logits[0, episode][steps].astype(np.float64)
    weight = weights(rollout, config)[0, episode][steps]
    score_norms = MLP(hidden=config.hidden).score_norms(theta, obs, actions)
    return pd.DataFrame(
        {
            "t": np.arange(len(obs)),
            "x": obs[:, 0],
            "x_dot": obs[:, 1],
            "angle": obs[:, 2],
            "angle_dot": obs[:, 3],
            "action": actions.astype(int),
            "reward": rewards,
            "p_right": probability(logits),
            "return_to_go": estimators.reward_to_go(rewards, config.gamma),
            "log_prob": -np.log1p(np.exp(np.where(actions, -logits, logits))),
            "weight": weight,
            "pull": np.abs(weight) * score_norms,
        }
    )
