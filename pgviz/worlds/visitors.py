"""World files of visitors: data of bounded size, never written to disk, never executed."""

import numpy as np

from pgviz.worlds.files import parse_world
from pgviz.worlds.tabular import TabularMDP, WorldError

# One visitor shares two cores with a whole room: what is admitted is drawn anew within a moment.
MAX_BYTES = 500_000
MAX_STATES = 40
MAX_ACTIONS = 12
MAX_PARAMETERS = 120
MAX_HORIZON = 50
MAX_REWARD = 1e4


def admitted(content: bytes) -> TabularMDP:
    """The world in this file, or one sentence on why it cannot be used here."""
    if len(content) > MAX_BYTES:
        raise WorldError(f"a world file for this page may hold at most {MAX_BYTES // 1000} kB")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise WorldError("the world file is not UTF-8 text") from None
    world = parse_world(text)
    for what, size, most in (
        ("states", world.num_states, MAX_STATES),
        ("actions", world.num_actions, MAX_ACTIONS),
        ("parameters", world.theta.size, MAX_PARAMETERS),
        ("steps before its horizon", world.horizon or 0, MAX_HORIZON),
    ):
        if size > most:
            raise WorldError(
                f"this page draws worlds of at most {most} {what}, this one has {size};"
                " python -m pgviz moments takes larger ones"
            )
    if world.num_actions < 2:
        raise WorldError("with one action there is nothing to choose: a world needs two or more")
    largest = float(np.abs(world.rewards).max())
    if largest > MAX_REWARD:
        raise WorldError(
            f"this page draws rewards up to {MAX_REWARD:.0f}, this world pays {largest:g}"
        )
    return world


def limits_in_words() -> str:
    """The limits, for the page."""
    return (
        f"At most {MAX_STATES} states, {MAX_ACTIONS} actions, {MAX_PARAMETERS} parameters, a"
        f" horizon of {MAX_HORIZON} or none, {MAX_BYTES // 1000} kB."
    )
