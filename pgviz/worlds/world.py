"""What training, players and charts know of a world: one record, and nothing of it elsewhere.

A world of Gymnasium's that is not listed here is described by its own spaces and its own
specification. A finite world is described by its tables, and is known exactly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import numpy as np
from gymnasium import Space
from gymnasium.vector import AutoresetMode

from pgviz.worlds.acrobot import ACROBOT
from pgviz.worlds.cartpole import CARTPOLE, OBS_SCALE
from pgviz.worlds.ensemble import Dynamics, Ensemble, SeededEnvs
from pgviz.worlds.finite import finite_dynamics
from pgviz.worlds.mountain_car import MOUNTAIN_CAR, MOUNTAIN_CAR_CONTINUOUS
from pgviz.worlds.named import named_worlds
from pgviz.worlds.pendulum import PENDULUM
from pgviz.worlds.tabular import TabularMDP

MAX_EPISODE_STEPS = 1000  # of a world without a limit of its own: there an episode is cut
Maker = Callable[[int, int, AutoresetMode], SeededEnvs]
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """One world to learn.

    make(num_envs, num_seeds, mode)   S seeds × N copies of it, in all num_envs = S·N
    obs_names          what the numbers of an observation are called
    obs_scale          observations times these lie near [−1, 1]; constants, no running statistics
    action_names       what actions that are counted are called
    max_episode_steps  the longest episode
    reward_scale       what a step pays at most, roughly: the unit of a critic's output
    solved_at          Gymnasium's own threshold for the mean of 100 episodes; None where it has none
    returns            the ends of an axis of returns
    table              the finite world behind it, where J is known exactly
    linear             the policy is a softmax of features, the critic is linear in them
    presets            method → its own numbers here, where they are not those on CartPole
    scene              which drawing plays its episodes; "" for none
    because            what is to be known before one trains here: one sentence, or none
    """

    name: str
    make: Maker
    action_space: Space
    obs_scale: tuple[float, ...]
    obs_names: tuple[str, ...]
    max_episode_steps: int
    action_names: tuple[str, ...] = ()
    reward_scale: float = 1.0
    solved_at: float | None = None
    returns: tuple[float, float] | None = None
    table: TabularMDP | None = None
    linear: bool = False
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scene: str = ""
    because: str = ""

    def horizon_value(self, gamma: float) -> float:
        """What the longest episode is worth when every step pays reward_scale: Σ_{t<T} γ^t · scale."""
        return self.reward_scale * float(np.sum(gamma ** np.arange(self.max_episode_steps)))


def of_dynamics(name: str, dynamics: Dynamics, **others: Any) -> World:
    """The record of a world that this package steps itself."""

    def make(num_envs: int, num_seeds: int, mode: AutoresetMode) -> Ensemble:
        return Ensemble(dynamics, num_envs, num_seeds, autoreset_mode=mode)

    return World(
        name,
        make,
        action_space=dynamics.action_space,
        max_episode_steps=dynamics.max_episode_steps,
        **others,
    )


def numbered(size: int) -> tuple[str, ...]:
    """Names for numbers that have none."""
    return tuple(f"obs_{i}" for i in range(size))


def of_table(
    table: TabularMDP, name: str | None = None, num_updates: int = 200, **others: Any
) -> World:
    """The record of a finite world; the agent sees the features of its states."""
    dynamics = finite_dynamics(table, MAX_EPISODE_STEPS)
    own = {"gamma": table.gamma, "num_updates": num_updates}
    presets = {method: {**numbers, **own} for method, numbers in FINITE.items()}
    cut = (
        f"Episodes are cut after {MAX_EPISODE_STEPS:,} steps; J is that of the world without a cut."
    )
    return of_dynamics(
        name or table.name,
        dynamics,
        obs_scale=(1.0,) * table.num_features,
        obs_names=numbered(table.num_features),
        table=table,
        linear=True,
        presets=presets,
        because="" if table.horizon else cut,
        **others,
    )


# In a finite world the steps are few and cheap. Windows are as short as its episodes, and θ moves
# by whole logits: Adam's step size is five times that on CartPole. The γ^t of the theorem is kept
# where a row is a whole episode: J is known, and without it some worlds are learned the wrong way.
_FINITE = {
    "drop_gamma_t": False,
    "num_envs": 16,
    "learning_rate": 0.1,
    "critic_learning_rate": 0.1,
    "max_grad_norm": 1e9,
}
_FINITE_WINDOWS = {
    **_FINITE,
    "drop_gamma_t": True,
    "num_steps": 8,
    "critic_steps": 4,
    "minibatch_size": 0,
}
FINITE: Mapping[str, Mapping[str, Any]] = {
    "full-return": _FINITE,
    "reinforce": _FINITE,
    "baseline": _FINITE,
    "actor-critic": {**_FINITE_WINDOWS, "critic_steps": 1},
    "gae": _FINITE_WINDOWS,
    "ppo": {**_FINITE_WINDOWS, "num_steps": 16, "learning_rate": 0.05},
}

CARTPOLE_V1 = of_dynamics(
    "CartPole-v1",
    CARTPOLE,
    obs_names=("x", "x_dot", "angle", "angle_dot"),
    obs_scale=OBS_SCALE,
    action_names=("left", "right"),
    solved_at=475.0,
    returns=(0.0, 500.0),
    scene="cartpole",
)

# Until a seed has seen the goal all its returns are −500, whatever it does: ĝ is noise, and Adam
# makes whole steps of it. Half the step size and normalised Ψ let most seeds of the methods of whole
# episodes see it before they are certain of their actions. In windows V̂ stands in for what a limit
# cuts off, and δ is small until something happens: gae and ppo need no other numbers than on CartPole.
# With λ = 0 all hangs on V̂: eight steps of regression an update, and a slower policy. With one step
# of it at most eight seeds of sixteen solve it.
_ACROBOT = {
    "num_updates": 120,
    "gamma": 0.99,
    "learning_rate": 0.01,
    "normalize_advantages": True,
}
ACROBOT_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "full-return": _ACROBOT,
    "reinforce": _ACROBOT,
    "baseline": {**_ACROBOT, "normalize_advantages": False},
    "actor-critic": {
        "num_updates": 1200,
        "learning_rate": 0.001,
        "critic_learning_rate": 0.06,
        "critic_steps": 8,
    },
}

# A swing-up earns little until it succeeds, so each batch must teach much: ten passes over 2,048
# steps. One gradient step for each batch, as in gae, is too few by far.
PENDULUM_PPO: Mapping[str, Any] = {
    "num_envs": 32,
    "num_steps": 64,
    "update_epochs": 10,
    "hidden": 32,
    "gamma": 0.97,
    "learning_rate": 0.003,
    "critic_learning_rate": 0.01,
}

CLASSIC: dict[str, World] = {
    "CartPole-v1": CARTPOLE_V1,
    "Acrobot-v1": of_dynamics(
        "Acrobot-v1",
        ACROBOT,
        obs_names=("cos_1", "sin_1", "cos_2", "sin_2", "rate_1", "rate_2"),
        obs_scale=(1.0, 1.0, 1.0, 1.0, 1 / 4, 1 / 8),
        reward_scale=1.0,
        action_names=("torque −1", "no torque", "torque +1"),
        solved_at=-100.0,
        returns=(-500.0, 0.0),
        presets=ACROBOT_PRESETS,
        scene="acrobot",
    ),
    "Pendulum-v1": of_dynamics(
        "Pendulum-v1",
        PENDULUM,
        obs_names=("cos", "sin", "rate"),
        obs_scale=(1.0, 1.0, 1 / 8),
        reward_scale=8.0,
        returns=(-1600.0, 0.0),
        presets={"ppo": PENDULUM_PPO},
    ),
    "MountainCar-v0": of_dynamics(
        "MountainCar-v0",
        MOUNTAIN_CAR,
        obs_names=("x", "x_dot"),
        obs_scale=(1.0, 1 / 0.07),
        solved_at=-110.0,
        returns=(-200.0, 0.0),
        because="Every step pays −1 until the goal is reached, which pushes at random do not do in"
        " 200 steps: methods of whole episodes see returns of −200 only, and their ĝ is noise.",
    ),
    "MountainCarContinuous-v0": of_dynamics(
        "MountainCarContinuous-v0",
        MOUNTAIN_CAR_CONTINUOUS,
        obs_names=("x", "x_dot"),
        obs_scale=(1.0, 1 / 0.07),
        solved_at=90.0,
        returns=(-100.0, 100.0),
        because="Pushing costs, and the goal pays 100: whoever has not yet seen the goal learns to"
        " stand still.",
    ),
}

_registered: dict[str, World] = {}


def register(name: str, table: TabularMDP) -> None:
    """Let this process train in a finite world that is known by no other name, a file for example."""
    _registered[name] = of_table(table, name)
    find.cache_clear()


@cache
def find(name: str) -> World:
    """The world of this name: a registered, classic or finite one, or any of Gymnasium's.

    Nothing is imported and no file is read because of a name. WorldError, one sentence, if there is
    none or if it cannot be trained in.
    """
    if name in _registered:
        return _registered[name]
    if name in CLASSIC:
        return CLASSIC[name]
    if name in named_worlds:
        return of_table(named_worlds[name]())
    from pgviz.worlds.gymnasium_ensemble import of_gymnasium

    return of_gymnasium(name)


def known_worlds() -> list[str]:
    """The names that need no explanation."""
    return [*CLASSIC, *named_worlds]
