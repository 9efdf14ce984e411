"""What a run IS: a frozen configuration. It is the run's name, its URL, its flags and its caption."""

from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

METHODS = ("full-return", "reinforce")
WORLDS = ("CartPole-v1",)


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
    num_envs: int = 16  # parallel episodes per seed and update
    hidden: int = 32
    gamma: float = 1.0
    learning_rate: float = 0.02
    max_grad_norm: float = 0.5  # a seed's gradient is never longer than this
    normalize_advantages: bool = False  # per seed and batch: a hidden baseline, a hidden step size
    drop_gamma_t: bool = True  # leave out the factor γ^t, as training code does; see the theorem

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            value = getattr(self, name)
            if kind is float and type(value) is int:
                object.__setattr__(self, name, float(value))
            elif type(value) is not kind:
                raise ConfigError(f"{name} must be {_KINDS[kind]}, got {value!r}")
        _one_of("method", self.method, METHODS)
        _one_of("world", self.world, WORLDS)
        for name, (low, high, reason) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                limits = f"[{_written(low)}, {_written(high)}]"
                raise ConfigError(f"{name} {reason} {limits}, got {_written(value)}")

    def replace(self, **changes: Any) -> "Config":
        """A variant of this configuration."""
        return replace(self, **changes)


LIMITS: dict[str, tuple[float, float, str]] = {
    "num_seeds": (1, 256, "counts independent runs and must lie in"),
    "rng_seed": (0, 2**32 - 1, "names the random streams and must lie in"),
    "num_updates": (1, 100_000, "counts gradient steps and must lie in"),
    "max_env_steps": (0, 10**9, "limits the steps of one seed and must lie in"),
    "num_envs": (1, 256, "counts parallel episodes of one seed and must lie in"),
    "hidden": (1, 256, "counts hidden units and must lie in"),
    "gamma": (0, 1, "is a discount and must lie in"),
    "learning_rate": (0, 10, "is a step size and must lie in"),
    "max_grad_norm": (0, 1e9, "limits the length of a gradient and must lie in"),
}

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def with_settings(config: Config, settings: dict[str, str]) -> Config:
    """`config` with fields replaced by what a person typed, e.g. {"learning_rate": "0.01"}."""
    kinds = {field.name: type(getattr(config, field.name)) for field in fields(config)}
    changes: dict[str, Any] = {}
    for name, text in settings.items():
        if name not in kinds:
            raise ConfigError(f"there is no setting {name!r}; there are {', '.join(kinds)}")
        changes[name] = parse(name, kinds[name], text)
    return config.replace(**changes)


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


# Presets are data, each with the reason for its numbers.
presets: dict[str, Config] = {
    # Undiscounted and not normalised: ĝ is an unbiased estimate of ∇J, so nothing on screen needs
    # an asterisk. Seeds are solved after about 35 updates; discounting or normalising makes some
    # ensembles wait for a straggler that collapsed.
    "reinforce": Config(method="reinforce"),
    # The very same settings. Some seeds are solved late and some not at all: Ψ carries the noise
    # of rewards that were paid before the action.
    "full-return": Config(method="full-return"),
}
