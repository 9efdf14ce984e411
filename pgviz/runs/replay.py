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

from pgviz import estimators
from pgviz.networks import MLP, Linear
from pgviz.policies import Softmax, TwoActions, probability, softmax
from pgviz.training import critic
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.training.loop import stream
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout, collect_episodes
from pgviz.worlds.world import find


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
    num_envs = len(seeds) * config.num_envs
    env = find(config.world).make(num_envs, len(seeds), AutoresetMode.DISABLED)
    streams = [stream(config, seed, "update", update) for seed in seeds]
    rollout = collect_episodes(env, agent, agent.policy_part(theta), streams)
    if agent.critic is None:
        return rollout
    return critic.with_values(agent.critic, agent.critic_part(theta), rollout)


def trajectory(
    config: Config, theta: NDArray[np.float32], rollout: Rollout, episode: int
) -> pd.DataFrame:
    """One episode as a table, a row per step.

    t; the numbers of the observation by the world's names for them; action; reward;
    p_right = π(right|s_t) where there are two actions, p_0, p_1, … where there are more;
    return_to_go = G_t; value = V̂(s_t) by the critic in theta, NaN without one;
    log_prob = log π(a_t|s_t); weight = Ψ_t;
    pull = |Ψ_t| ‖∇θ log π(a_t|s_t)‖, how hard this step pulls on the parameters.
    """
    steps = rollout.mask[0, episode]
    obs = rollout.obs[0, episode][steps]
    actions = rollout.actions[0, episode][steps]
    rewards = rollout.rewards[0, episode][steps]
    outputs = rollout.outputs[0, episode][steps].astype(np.float64)
    weight = weights(rollout, config)[0, episode][steps]
    agent, names = Agent.of(config), find(config.world).obs_names
    distribution, row = agent.distribution, agent.policy_part(theta[None])[0]
    assert isinstance(agent.policy, (MLP, Linear)), "a shared network is played back by nobody"
    score_norms = agent.policy.slope_norms(row, obs, distribution.slopes(outputs, actions))
    values = rollout.values[0, episode][steps].astype(np.float64)
    columns = {name: obs[:, i] for i, name in enumerate(names)}
    if actions.ndim == 1:
        columns["action"] = actions.astype(int)
    if isinstance(distribution, TwoActions):
        columns["p_right"] = probability(outputs)
    elif isinstance(distribution, Softmax):
        p = softmax(outputs)
        columns |= {f"p_{a}": p[:, a] for a in range(distribution.num_actions)}
    return pd.DataFrame(
        {
            "t": np.arange(len(obs)),
            **columns,
            "reward": rewards,
            "return_to_go": estimators.reward_to_go(rewards, config.gamma),
            "value": values if config.has_critic else np.nan,
            "log_prob": distribution.log_probs(outputs, actions),
            "weight": weight,
            "pull": np.abs(weight) * score_norms,
        }
    )
