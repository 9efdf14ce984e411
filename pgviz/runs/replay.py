"""The time machine: play again, step by step, what a recorded policy did.

Every seed and update has a random stream of its own, so the whole episodes that update u learned
from come back bit for bit from the parameters alone. A method that learns from windows
(`not config.whole_episodes`) cuts them from episodes which its earlier policies began: for it the
same stream plays fresh whole episodes, always the same ones, by the policy of update u.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from scipy.special import log_expit

from pgviz import estimators
from pgviz.policies import probability
from pgviz.training import critic
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.training.loop import stream
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout, collect_episodes
from pgviz.worlds.cartpole import CartPoleEnsemble


def replay(config: Config, theta: NDArray[np.float32], seed: int, update: int) -> Rollout:
    """The N episodes [1, N, T] that `theta` [P] plays with the stream of this seed and update.

    The very episodes that the update learned from if `config.whole_episodes`, else fresh ones; in
    either case with what the critic in theta says about them.
    """
    return replay_together(config, theta[None], [seed], update)


def replay_together(
    config: Config, theta: NDArray[np.float32], seeds: Sequence[int], update: int
) -> Rollout:
    """The same of several seeds at once, [S, N, T], each by its own row of theta [S, P]."""
    agent = Agent.of(config)
    env = CartPoleEnsemble(
        len(seeds) * config.num_envs, len(seeds), autoreset_mode=AutoresetMode.DISABLED
    )
    streams = [stream(config, seed, "update", update) for seed in seeds]
    rollout = collect_episodes(env, agent.policy, agent.policy_part(theta), streams)
    if agent.critic is None:
        return rollout
    return critic.with_values(agent.critic, agent.critic_part(theta), rollout)


def trajectory(
    config: Config, theta: NDArray[np.float32], rollout: Rollout, episode: int
) -> pd.DataFrame:
    """One episode as a table, a row per step.

    t; x, x_dot, angle, angle_dot (the observation); action; reward; p_right = π(right|s_t);
    return_to_go = G_t; value = V̂(s_t) by the critic in theta, NaN without one;
    log_prob = log π(a_t|s_t); weight = Ψ_t;
    pull = |Ψ_t| ‖∇θ log π(a_t|s_t)‖, how hard this step pulls on the parameters.
    """
    steps = rollout.mask[0, episode]
    obs = rollout.obs[0, episode][steps]
    actions = rollout.actions[0, episode][steps]
    rewards = rollout.rewards[0, episode][steps]
    logits = rollout.logits[0, episode][steps].astype(np.float64)
    weight = weights(rollout, config)[0, episode][steps]
    agent = Agent.of(config)
    score_norms = agent.policy.score_norms(agent.policy_part(theta[None])[0], obs, actions)
    values = rollout.values[0, episode][steps].astype(np.float64)
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
            "value": values if config.has_critic else np.nan,
            "log_prob": log_expit(np.where(actions, logits, -logits)),
            "weight": weight,
            "pull": np.abs(weight) * score_norms,
        }
    )
