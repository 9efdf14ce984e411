"""What a run IS: a frozen configuration. It is the run's name, its URL, its flags and its caption."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self, get_type_hints

import numpy as np
from gymnasium.spaces import Discrete

from pgviz.training.methods import irrelevant, methods
from pgviz.worlds.tabular import WorldError
from pgviz.worlds.world import World, find

if TYPE_CHECKING:
    from pgviz.training.loop import Update


class ConfigError(ValueError):
    """A setting that makes no sense, said in one sentence."""


@dataclass(frozen=True)
class Config:
    """One training run of an ensemble. Every field can be set from the URL and the command line."""

    method: str = "reinforce"
    world: str = "CartPole-v1"
    num_seeds: int = 16
    rng_seed: int = 0
    num_updates: int = 100
    max_env_steps: int = 0  # per seed; 0 means no limit
    stop_when_solved: bool = False  # each seed stops learning when IT has solved the world
    num_envs: int = 16  # parallel environments of a seed
    num_steps: int = 0  # of each environment between two updates; 0 means whole episodes
    hidden: int = 32  # units of the policy, and of the critic
    gamma: float = 1.0
    optimizer: str = "adam"  # or "sgd", plain steps along the gradient
    learning_rate: float = 0.02
    max_grad_norm: float = 0.5  # a seed's gradient is never longer than this
    normalize_advantages: bool = False  # per seed and batch: a hidden baseline, a hidden step size
    drop_gamma_t: bool = True  # leave out the factor γ^t, as training code does; see the theorem
    gae_lambda: float = 0.95  # 0 believes V̂ after one step, 1 only where a window or a limit cuts
    critic_learning_rate: float = 0.02  # this and the next two matter where there is a critic
    critic_steps: int = 16  # of regression after each update
    minibatch_size: int = 256  # steps drawn for each of them; 0 means all
    # Two settings of finite worlds.
    every_step: bool = False  # θ and V̂ move at each t of an episode, as in Sutton & Barto, ch. 13
    initial_theta: str = ""  # numbers with commas, feature by feature; empty: the world's own θ
    # PPO uses a batch several times.
    clip_coef: float = 0.2  # ε: a ratio beyond 1 ± ε pulls no further
    update_epochs: int = 4  # how often each step of a batch is used
    num_minibatches: int = 4  # of an epoch
    # Three switches of the actor-critic, to see what each is good for.
    detach: bool = True  # Ψ and y are numbers; False differentiates V̂ in them too
    bootstrap_truncated: bool = True  # a time limit is no fall: V̂ of the last observation counts
    share_network: bool = False  # one hidden layer for policy and critic, moved by both losses

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if kind is float and type(value) is int:
                object.__setattr__(self, name, float(value))
            elif type(value) is not kind:
                raise ConfigError(f"{name} must be {_KINDS[kind]}, got {value!r}")
        _one_of("method", self.method, tuple(methods))
        _one_of("optimizer", self.optimizer, ("adam", "sgd"))
        try:
            world = find(self.world)
        except WorldError as error:
            raise ConfigError(str(error)) from None
        for name, (low, high, reason) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                limits = f"[{_written(low)}, {_written(high)}]"
                raise ConfigError(f"{name} {reason} {limits}, got {_written(value)}")
        if self.num_steps and not methods[self.method].windows:
            raise ConfigError(
                f"{self.method} needs the rewards until the end of the episode: num_steps must be"
                f" 0, got {self.num_steps}"
            )
        if self.num_steps and not self.drop_gamma_t:
            raise ConfigError("γ^t counts from the start of an episode: num_steps must be 0 for it")
        if self.share_network and not self.num_steps:
            raise ConfigError(
                "share_network needs a critic that is believed, and windows: num_steps > 0"
            )
        if not self.detach and (self.method, self.critic_steps, self.minibatch_size) != (
            "actor-critic",
            1,
            0,
        ):
            raise ConfigError(
                "detach=false differentiates one loss of the actor-critic once: it needs"
                " critic_steps=1 and minibatch_size=0"
            )
        if not self.detach and self.share_network:
            raise ConfigError("one switch at a time: detach=false or share_network=true")
        if not self.bootstrap_truncated and not methods[self.method].windows:
            raise ConfigError(f"{self.method} never bootstraps: bootstrap_truncated must be true")
        if self.reuses_batch:
            if not self.num_steps:
                raise ConfigError(f"{self.method} learns from windows: num_steps must be 1 or more")
            if self.share_network:
                raise ConfigError(
                    f"{self.method} has two networks here: share_network must be false"
                )
            if self.num_minibatches > self.num_envs * self.num_steps:
                raise ConfigError(
                    f"num_minibatches must be at most the steps of a batch,"
                    f" {self.num_envs * self.num_steps}, got {self.num_minibatches}"
                )
        self._require_what_fits(world)
        self._forget_what_means_nothing(world)

    def _require_what_fits(self, world: World) -> None:
        """Settings that only some worlds have."""
        if self.share_network and (world.linear or not isinstance(world.action_space, Discrete)):
            raise ConfigError(
                f"share_network needs a hidden layer and actions that are counted; {self.world} has"
                " not both"
            )
        if self.every_step:
            alone = self.num_envs == 1 and self.whole_episodes and self.optimizer == "sgd"
            if not (world.linear and alone and self.method in ("reinforce", "baseline")):
                raise ConfigError(
                    "every_step learns from one episode of a finite world at a time: it needs reinforce"
                    " or baseline, num_envs=1, num_steps=0 and optimizer=sgd"
                )
        if self.initial_theta:
            if world.table is None:
                raise ConfigError("initial_theta is for finite worlds: networks begin at random")
            words = self.initial_theta.split(",")
            numbers = [parse("initial_theta", float, word) for word in words]
            expected = world.table.theta.shape
            if (
                len(numbers) != world.table.theta.size
                or not np.isfinite(np.asarray(numbers, np.float32)).all()
            ):
                raise ConfigError(
                    f"initial_theta must be {expected[0]} × {expected[1]} finite numbers with commas"
                    f" between them, got {len(numbers)}"
                )

    def _forget_what_means_nothing(self, world: World) -> None:
        """Fields that do nothing here take their defaults: what runs alike is one configuration."""
        idle = irrelevant(self.method)
        if world.linear:
            idle.add("hidden")
        if self.every_step:
            idle |= {"max_grad_norm", "critic_steps", "minibatch_size", "normalize_advantages"}
        if self.gamma == 1 or self.method == "full-return":
            idle.add("drop_gamma_t")
        for each in fields(self):
            if each.name in idle:
                object.__setattr__(self, each.name, each.default)

    @property
    def has_critic(self) -> bool:
        """Whether this method's Ψ asks a critic."""
        return methods[self.method].critic

    @property
    def reuses_batch(self) -> bool:
        """Whether a batch is used for several steps, with ratios of new and old probabilities."""
        return methods[self.method].update == "ppo"

    @property
    def whole_episodes(self) -> bool:
        """Whether every update learns from whole episodes, and not from windows of num_steps."""
        return self.num_steps == 0

    def replace(self, **changes: Any) -> Self:
        """A variant of this configuration."""
        return replace(self, **changes)

    def train(self) -> Iterator["Update"]:
        """Its updates. A kind of configuration that brings an engine of its own trains with that."""
        from pgviz.training.loop import train  # torch is loaded when it is needed

        return train(self)


LIMITS: dict[str, tuple[float, float, str]] = {
    "num_seeds": (1, 256, "counts independent runs and must lie in"),
    "rng_seed": (0, 2**32 - 1, "names the random streams and must lie in"),
    "num_updates": (1, 100_000, "counts gradient steps and must lie in"),
    "max_env_steps": (0, 10**9, "limits the steps of one seed and must lie in"),
    "num_envs": (1, 256, "counts parallel environments of one seed and must lie in"),
    "num_steps": (0, 1000, "counts the steps of a window and must lie in"),
    "hidden": (1, 256, "counts hidden units and must lie in"),
    "gamma": (0, 1, "is a discount and must lie in"),
    "learning_rate": (0, 10, "is a step size and must lie in"),
    "gae_lambda": (0, 1, "weighs the critic against the rewards and must lie in"),
    "critic_learning_rate": (0, 10, "is a step size and must lie in"),
    "critic_steps": (0, 100, "counts steps of regression and must lie in"),
    "minibatch_size": (0, 4096, "counts the steps in a minibatch and must lie in"),
    "clip_coef": (0, 1e9, "limits how far a ratio pulls and must lie in"),
    "update_epochs": (1, 100, "counts passes over a batch and must lie in"),
    "num_minibatches": (1, 64, "counts the minibatches of an epoch and must lie in"),
    "max_grad_norm": (0, 1e9, "limits the length of a gradient and must lie in"),
}

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def with_settings(config: Config, settings: dict[str, str]) -> Config:
    """`config` with fields replaced by what a person typed, e.g. {"learning_rate": "0.01"}."""
    return config.replace(**typed(settings))


def typed(settings: dict[str, str]) -> dict[str, Any]:
    """What a person typed for fields of a configuration, each as its kind."""
    kinds = {field.name: type(field.default) for field in fields(Config)}
    for name in settings:
        if name not in kinds:
            raise ConfigError(f"there is no setting {name!r}; there are {', '.join(kinds)}")
    return {name: parse(name, kinds[name], text) for name, text in settings.items()}


def parse(name: str, kind: type, text: str) -> Any:
    """The value a person typed for a field of this kind."""
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.strip().lower()]
        if kind is int:
            return int(text)
        return float(text) if kind is float else text
    except (ValueError, KeyError):
        raise ConfigError(f"{name} must be {_KINDS[kind]}, got {text!r}") from None


def _written(number: float) -> str:
    """Whole numbers in full, as a limit of 4294967295 is not 4.29497e+09; cut if endless."""
    if isinstance(number, float):
        return f"{number:g}"
    digits = str(number)
    return digits if len(digits) <= 20 else f"{digits[:20]}…"


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def preset(method: str, world: str = "CartPole-v1", **others: Any) -> Config:
    """A method at its own numbers in a world: those on CartPole, and what the world changes in them.

    `others` are settings besides; given here and not afterwards, they meet the world's numbers before
    what means nothing is forgotten (γ^t is kept in finite worlds, but with γ = 1 there is none).
    methods.py and worlds/world.py give the reasons. ConfigError if there is no such method or world.
    """
    if method not in methods:
        raise ConfigError(f"there is no method {method!r}; there are {', '.join(methods)}")
    try:
        changes = find(world).presets.get(method, {})
    except WorldError as error:
        raise ConfigError(str(error)) from None
    return Config(method=method, world=world, **{**methods[method].preset, **changes, **others})


# Each method at its own numbers on CartPole.
presets: dict[str, Config] = {name: preset(name) for name in methods}
