"""One episode at many θ, always with the same dice: how a return jumps while J does not.

Axes: P policies, D dice (episodes), T time, S states, A actions.
"""

import numpy as np

from pgviz.worlds.tabular import Floats, TabularMDP


def returns_with_common_random_numbers(
    world: TabularMDP, policies: Floats, num_dice: int, rng_seed: int, num_steps: int
) -> Floats:
    """R(τ) of `num_dice` episodes under each policy, shape [P, D]; cut after `num_steps` steps.

    Die d falls the same way at step t whatever the policy: an action is chosen where one uniform
    number lands among π(·|s), the next state where another lands among p(·|s, a). As θ moves, the
    episode stays the same until an action flips, and then it is another one.
    Shapes: policies [P, S, A].
    """
    rng = np.random.default_rng(rng_seed)
    horizon = num_steps if world.horizon is None else min(world.horizon, num_steps)
    start = np.searchsorted(np.cumsum(world.start)[:-1], rng.random(num_dice), side="right")
    states = np.tile(start, (len(policies), 1))
    choices, moves = np.cumsum(policies, axis=2), np.cumsum(world.transitions, axis=2)
    returns, running = np.zeros(states.shape), np.ones(states.shape, bool)
    which = np.arange(len(policies))[:, None]
    for t in range(horizon):
        dice = rng.random((2, num_dice))
        acting = choices[which, states]
        actions = (acting[..., :-1] <= dice[0][:, None]).sum(axis=-1)
        ahead = moves[states, actions]
        next_states = (ahead[..., :-1] <= dice[1][:, None]).sum(axis=-1)
        rewards = world.rewards[states, actions, next_states]
        returns += np.where(running, world.gamma**t * rewards, 0.0)
        running &= next_states < world.num_states
        states = np.where(running, next_states, 0)
        if not running.any():
            break
    return returns
