"""The three switches of the actor-critic, each run beside the intact one on common seeds."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pgviz.measure.critic_map import visited
from pgviz.runs.recording import Recording
from pgviz.training.config import Config, presets

NUM_UPDATES = 500  # well past the point where the intact runs are solved
INTACT = presets["actor-critic"].replace(num_updates=NUM_UPDATES)


SWITCHES: Mapping[str, Config] = {
    # One loss, ½ δ² − δ log π, differentiated through everything: the policy's loss moves the
    # critic, too, and the critic's drags V̂(s′) towards V̂(s).
    "forget the detach": INTACT.replace(detach=False),
    # Code that asks only "done?" counts V̂(s′) as 0 at step 500, where the pole still stands.
    "treat the time limit as a fall": INTACT.replace(bootstrap_truncated=False),
    # One hidden layer for both, moved by both losses at once; their joint gradient is clipped as
    # one. The critic's errors are counted in rewards, the policy's logits are about one.
    "share the network": INTACT.replace(share_network=True),
}


def critic_errors(recording: Recording) -> NDArray[np.float64]:
    """Root mean square of V̂(s) − G over fresh episodes at the end of training, one per seed [S]."""
    last = recording.num_updates
    tables = (visited(recording, last, seed) for seed in range(recording.num_seeds))
    return np.array([np.sqrt(((t["predicted"] - t["observed"]) ** 2).mean()) for t in tables])
