"""A few different episodes of a small world, to be looked at one by one."""

import numpy as np

from pgviz.exact.factors import trajectory
from pgviz.exact.trajectories import Trajectory
from pgviz.sampled.episodes import sample
from pgviz.worlds.tabular import TabularMDP, WorldError


def sampled_episodes(world: TabularMDP, num: int, rng_seed: int) -> list[Trajectory]:
    """Different episodes of a world with a horizon, in the order in which they were drawn."""
    rng = np.random.default_rng(rng_seed)
    found: dict[tuple, Trajectory] = {}
    for _ in range(50):
        played = sample(world, 4 * num, rng)
        for n in range(4 * num):
            length = int(played.mask[n].sum())
            states = [int(s) for s in played.states[n, :length]]
            actions = [int(a) for a in played.actions[n, :length]]
            after = [int(s) for s in played.next_states[n, :length]]
            name = (*states, *actions, *after)
            if name not in found:
                found[name] = trajectory(world, states, actions, after)
            if len(found) == num:
                return list(found.values())
    raise WorldError(f"this world has fewer than {num} different episodes")
