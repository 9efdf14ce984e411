"""Gymnasium's own tabular worlds, read from `env.unwrapped.P`.

The table knows no time limit (FrozenLake's 100 steps are a wrapper around it), so the world has
no horizon: FrozenLake ends in a hole or at the goal, CliffWalking at the goal, after 6,453 steps
on average under the uniform policy.

One step may end an episode in two ways that pay differently (next to a hole AND the goal, as on
FrozenLake8x8). A table holds one reward per column, so the second way leads through an extra
state, the last one: it has no features, hence no score, pays nothing and ends. No return and no
gradient estimate is changed by it.
"""

import re
import warnings
from typing import Any

import numpy as np

from pgviz.worlds.tabular import TabularMDP, WorldError, quoted

GYMNASIUM_ID = re.compile(r"(?:[\w.-]+/)?[\w.-]+-v\d+")


def from_gymnasium(env_id: str, gamma: float = 1.0) -> TabularMDP:
    """The table of a Gymnasium environment under the uniform policy, one logit per (s, a)."""
    if ":" in env_id:
        raise WorldError(
            f"{quoted(env_id)} would import a module of that name: only environments that "
            "Gymnasium itself registers are accepted"
        )
    table, start = _table(env_id)
    num_states, num_actions = len(table), len(table[0])
    exit_state, end = num_states, num_states + 1
    transitions = np.zeros((num_states + 1, num_actions, num_states + 2))
    rewards = np.zeros_like(transitions)
    transitions[exit_state, :, end] = 1
    for s in range(num_states):
        for a in range(num_actions):
            for probability, next_state, reward, terminated in table[s][a]:
                if probability == 0:
                    continue
                columns = (end, exit_state) if terminated else (int(next_state),)
                for column in columns:
                    place = (s, a, column)
                    if transitions[place] == 0 or rewards[place] == reward:
                        break
                else:
                    raise WorldError(
                        f"{env_id} pays different rewards on the same step from state {s}, and a "
                        "table holds one reward per step"
                    )
                transitions[place] += probability
                rewards[place] = reward
    features, start = np.eye(num_states + 1, num_states), np.append(start, 0.0)
    if not transitions[:num_states, :, exit_state].any():
        transitions = np.delete(transitions[:num_states], exit_state, axis=2)
        rewards = np.delete(rewards[:num_states], exit_state, axis=2)
        features, start = features[:num_states], start[:num_states]
    return TabularMDP(
        name=env_id,
        transitions=transitions,
        rewards=rewards,
        start=start,
        gamma=gamma,
        horizon=None,
        features=features,
        theta=np.zeros((num_states, num_actions)),
    )


def _table(env_id: str) -> tuple[Any, Any]:
    import gymnasium

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            env = gymnasium.make(env_id).unwrapped
        except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv):
            raise WorldError(f"Gymnasium knows no environment {quoted(env_id)}") from None
        except Exception:  # an environment may need anything: a package, a screen, a file
            raise WorldError(f"Gymnasium cannot make {quoted(env_id)} here") from None
    try:
        table, start = getattr(env, "P", None), getattr(env, "initial_state_distrib", None)
    finally:
        env.close()
    if table is None or start is None:
        raise WorldError(f"{env_id} has no table of transitions, so nothing about it is exact")
    return table, start
