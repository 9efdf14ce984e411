"""Gymnasium's own tabular worlds, read from `env.unwrapped.P`.

The table knows no time limit (FrozenLake's 100 steps are a wrapper around it), so the world has
no horizon: FrozenLake ends in a hole or at the goal, CliffWalking at the goal, after 6,453 steps
on average under the uniform policy.
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
    transitions = np.zeros((num_states, num_actions, num_states + 1))
    rewards = np.zeros_like(transitions)
    for s in range(num_states):
        for a in range(num_actions):
            for probability, next_state, reward, terminated in table[s][a]:
                if probability == 0:
                    continue
                place = (s, a, num_states if terminated else int(next_state))
                if transitions[place] > 0 and rewards[place] != reward:
                    raise WorldError(
                        f"{env_id} pays {rewards[place]:g} or {reward:g} on the same step from "
                        f"state {s} to {'the end' if terminated else next_state}, and a table "
                        "holds one reward per step"
                    )
                transitions[place] += probability
                rewards[place] = reward
    return TabularMDP(
        name=env_id,
        transitions=transitions,
        rewards=rewards,
        start=np.asarray(start, dtype=float),
        gamma=gamma,
        horizon=None,
        features=np.eye(num_states),
        theta=np.zeros((num_states, num_actions)),
    )


def _table(env_id: str) -> tuple[Any, Any]:
    import gymnasium

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            env = gymnasium.make(env_id).unwrapped
        except gymnasium.error.Error:
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
