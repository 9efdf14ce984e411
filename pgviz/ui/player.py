"""The player: one episode, replayed in the browser without a word to the server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
import streamlit as st
from numpy.typing import NDArray

Numbers = Sequence[float] | NDArray[np.number]


class Episode(TypedDict):
    """What an episode of T steps, which has T + 1 states, has in every world.

    A plain dictionary with the keys of a world's episode will do: whoever records episodes need
    not import this.
    """

    actions: Numbers
    """The action taken in each state, [T]."""
    rewards: Numbers
    """What followed each action, [T]."""
    terminated: bool
    """The episode reached an end of the world's own."""
    truncated: bool
    """The episode was stopped from outside, at the step limit."""


class CartPoleEpisode(Episode):
    """Action 0 pushes left and 1 pushes right; it terminates when the pole has fallen or the cart
    has left the track."""

    x: Numbers
    """Cart position in metres from the centre, positive to the right, [T + 1]: the state before
    every action, then the state after the last one."""
    angle: Numbers
    """Pole angle in radians from the vertical, positive to the right, [T + 1], as x."""
    p_right: Numbers
    """π(right | s_t), the probability the policy gave to action 1, [T]."""


class AcrobotEpisode(Episode):
    """Actions 0, 1, 2 are a torque of −1, 0, +1 on the joint between the links; +1 turns the second
    link against the clock. It terminates when the tip is one link length above the upper joint."""

    angle_1: Numbers
    """Angle of the first link in radians, 0 hanging down and positive to the right, [T + 1]: the
    state before every action, then the state after the last one. Whole turns do not matter."""
    angle_2: Numbers
    """Angle of the second link in radians, measured from the first link, [T + 1], as angle_1."""
    probabilities: Sequence[Numbers] | NDArray[np.number]
    """π(· | s_t), the probabilities the policy gave to the actions 0, 1, 2, [T][3]."""


_here = Path(__file__).parent
_player = st.components.v2.component(
    "pgviz.player",
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
    states = {"x": episode["x"], "angle": episode["angle"]}
    policy = {"p_right": episode["p_right"]}
    _play("cartpole", episode, states, policy, key=key, title=title, gamma=gamma)


def acrobot_player(episode: AcrobotEpisode, *, key: str, title: str, gamma: float = 1.0) -> None:
    """Show an episode of Acrobot, as cartpole_player shows one of CartPole."""
    states = {"angle_1": episode["angle_1"], "angle_2": episode["angle_2"]}
    policy = {"probabilities": episode["probabilities"]}
    for step, probabilities in enumerate(episode["probabilities"]):
        if np.shape(probabilities) != (3,):
            raise ValueError(
                f"Acrobot has 3 actions, got probabilities of shape {np.shape(probabilities)} "
                f"at step {step}"
            )
    _play("acrobot", episode, states, policy, key=key, title=title, gamma=gamma)


def _play(
    world: str,
    episode: Episode,
    states: Mapping[str, Numbers],
    policy: Mapping[str, Sequence[Numbers] | Numbers],
    *,
    key: str,
    title: str,
    gamma: float,
) -> None:
    """Send what a world has of its own, by the names under which its drawing looks for it."""
    num_steps = len(episode["actions"])
    a_step = {**policy, "rewards": episode["rewards"]}
    lengths = [len(numbers) for numbers in [*states.values(), *a_step.values()]]
    if lengths != [num_steps + 1] * len(states) + [num_steps] * len(a_step):
        raise ValueError(
            f"an episode of {num_steps} actions has {num_steps + 1} states and {num_steps} "
            f"probabilities and rewards, got {', '.join([*states, *a_step])} of lengths {lengths}"
        )
    _player(
        key=key,
        data={
            "world": world,
            "title": title,
            "gamma": gamma,
            "episode": {
                # A tenth of a millimetre is finer than a screen; a thousandth is what is written.
                **{name: _rounded(numbers, 4) for name, numbers in states.items()},
                **{name: _rounded(numbers, 3) for name, numbers in policy.items()},
                "actions": [int(action) for action in episode["actions"]],
                "rewards": _rounded(episode["rewards"], 4),
                "terminated": bool(episode["terminated"]),
                "truncated": bool(episode["truncated"]),
            },
        },
    )


def _rounded(numbers: Sequence[Numbers] | Numbers, digits: int) -> list[float]:
    return np.round(np.asarray(numbers, float), digits).tolist()
