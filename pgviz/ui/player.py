"""The CartPole player: one episode, replayed in the browser without a word to the server."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
import streamlit as st
from numpy.typing import NDArray

Numbers = Sequence[float] | NDArray[np.number]


class CartPoleEpisode(TypedDict):
    """One episode of T steps, which has T + 1 states.

    A plain dictionary with these keys will do: whoever records episodes need not import this.
    """

    x: Numbers
    """Cart position in metres from the centre, positive to the right, [T + 1]: the state before
    every action, then the state after the last one."""
    angle: Numbers
    """Pole angle in radians from the vertical, positive to the right, [T + 1], as x."""
    actions: Numbers
    """The action taken in each state, 0 pushes left and 1 pushes right, [T]."""
    p_right: Numbers
    """π(right | s_t), the probability the policy gave to action 1, [T]."""
    rewards: Numbers
    """What followed each action, [T]."""
    terminated: bool
    """The pole fell or the cart left the track."""
    truncated: bool
    """The episode was stopped from outside, at the step limit."""


_here = Path(__file__).parent
_player = st.components.v2.component(
    "pgviz.cartpole_player",
    html=(_here / "player.html").read_text(encoding="utf-8"),
    css=(_here / "player.css").read_text(encoding="utf-8"),
    js=(_here / "player.js").read_text(encoding="utf-8"),
)


def cartpole_player(episode: CartPoleEpisode, *, key: str, title: str, gamma: float = 1.0) -> None:
    """Show an episode with its policy's probabilities; it plays by itself once it arrives.

    The same episode under the same key keeps its position through reruns of the page; another
    one replaces it and starts from its first step. With gamma below 1 the discounted return is
    shown beside the plain one.
    """
    num_steps = len(episode["actions"])
    lengths = [len(episode[name]) for name in ("x", "angle", "p_right", "rewards")]
    if lengths != [num_steps + 1, num_steps + 1, num_steps, num_steps]:
        raise ValueError(
            f"an episode of {num_steps} actions has {num_steps + 1} states and {num_steps} "
            f"probabilities and rewards, got x, angle, p_right, rewards of lengths {lengths}"
        )
    _player(
        key=key,
        data={
            "title": title,
            "gamma": gamma,
            "episode": {
                # A tenth of a millimetre is finer than a screen; a thousandth is what is written.
                "x": _rounded(episode["x"], 4),
                "angle": _rounded(episode["angle"], 4),
                "actions": [int(action) for action in episode["actions"]],
                "p_right": _rounded(episode["p_right"], 3),
                "rewards": _rounded(episode["rewards"], 4),
                "terminated": bool(episode["terminated"]),
                "truncated": bool(episode["truncated"]),
            },
        },
    )


def _rounded(numbers: Numbers, digits: int) -> list[float]:
    return np.round(np.asarray(numbers, float), digits).tolist()
