"""Worlds small enough to write down: every probability and every reward is in a table.

Axes: S states, A actions, F features. The end of the episode is not a state: it is the last
column, S, of `transitions` and `rewards`; its value is 0. The policy is a softmax whose logits
are features @ theta, and a world carries the θ it is looked at with; `world.at(theta)` is the
same world under another policy.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from numbers import Real
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
T = TypeVar("T")

# Taxi (500 states, 6 actions) still fits; its exact gradient takes well under a second, and the
# tables of everything that fits stay under 50 MB.
MAX_STATES = 500
MAX_ACTIONS = 50
MAX_FEATURES = 500
MAX_ENTRIES = 2_000_000
MAX_PARAMETERS = 10_000
MAX_HORIZON = 10_000
# Fourth powers are taken on the way to a variance: 1e6 keeps them far from the ends of float64.
MAX_MAGNITUDE = 1e6
# Tables typed with six digits are welcome; rows are divided by their sum, so they sum to 1.
SUM_TOLERANCE = 1e-6
# Relative errors grow like 1e-16 × the mean length of an episode.
MAX_MEAN_LENGTH = 1e8


class WorldError(ValueError):
    """A fault in the description of a world, as one sentence for the person who wrote it."""


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A finite Markov decision process and the softmax policy that acts in it.

    Shapes: transitions and rewards [S, A, S+1] (rewards may be given as [S, A]), start [S]
    (uniform when None), features [S, F] (one-hot when None), theta [F, A] (0 when None: the
    uniform policy). Raises WorldError, one sentence that names the place of the fault.
    """

    name: str
    transitions: Floats
    rewards: Floats
    start: Floats = None  # type: ignore[assignment]
    gamma: float = 1.0
    horizon: int | None = None
    features: Floats = None  # type: ignore[assignment]
    theta: Floats = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for field, value in _checked(self).items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, field, value)
        if self.gamma == 1 and self.horizon is None:
            require_an_end(self)

    @property
    def num_states(self) -> int:
        return int(self.transitions.shape[0])

    @property
    def num_actions(self) -> int:
        return int(self.transitions.shape[1])

    @property
    def num_features(self) -> int:
        return int(self.features.shape[1])

    @cached_property
    def policy(self) -> Floats:
        """π(a|s) = exp(z_a) / Σ_b exp(z_b) with z = features[s] @ theta, shape [S, A]."""
        logits = self.features @ self.theta
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return _fixed(weights / weights.sum(axis=1, keepdims=True))

    @cached_property
    def flow(self) -> Floats:
        """π(a|s) p(s'|s, a), shape [S, A, S+1]: each [s] sums to 1."""
        return _fixed(self.policy[:, :, None] * self.transitions)

    @cached_property
    def is_one_hot(self) -> bool:
        """Whether feature s is 1 in state s and 0 elsewhere (states beyond the last have none)."""
        return np.array_equal(self.features, np.eye(*self.features.shape))

    @cached_property
    def endless_fault(self) -> str:
        """Why undiscounted sums over its episodes have no value; "" where they have one."""
        return _endless_fault(self)

    def at(self, theta: Floats) -> "TabularMDP":
        """The same world under the policy of another θ."""
        return replace(self, theta=np.asarray(theta, dtype=float))


def once_per_world(function: Callable[..., T]) -> Callable[..., T]:
    """Work out function(world, *arguments) once for every world, and forget it with the world."""
    known: WeakKeyDictionary[TabularMDP, dict[tuple, T]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(world: TabularMDP, *arguments: Any) -> T:
        results = known.setdefault(world, {})
        if arguments not in results:
            results[arguments] = function(world, *arguments)
        return results[arguments]

    return remembered


def reachable_states(world: TabularMDP) -> Bools:
    """Which states an episode can visit under the policy, shape [S]."""
    edges = world.flow[:, :, :-1].sum(axis=1) > 0
    return _spread(world.start > 0, edges)


def never_ending_states(world: TabularMDP) -> Bools:
    """States from which an episode may go on for ever under the policy, shape [S]."""
    flow = world.flow.sum(axis=1)
    backward = (flow[:, :-1] > 0).T
    can_end = _spread(flow[:, -1] > 0, backward)
    return _spread(~can_end, backward)


def require_an_end(world: TabularMDP) -> None:
    """Raise unless every episode ends: undiscounted sums over an endless one are infinite."""
    if world.endless_fault:
        raise WorldError(world.endless_fault)


def _endless_fault(world: TabularMDP) -> str:
    endless = never_ending_states(world) & reachable_states(world)
    if endless.any():
        stuck = int(np.flatnonzero(endless)[0])
        return (
            f"an episode in state {stuck} may never end under this policy, and without a horizon "
            "an undiscounted sum over it would be infinite: let it reach the last column of "
            "transitions, set a horizon, or lower gamma"
        )
    keep = reachable_states(world)
    chain = world.flow[:, :, :-1].sum(axis=1)[np.ix_(keep, keep)]
    try:
        lengths = np.linalg.solve(np.eye(len(chain)) - chain, np.ones(len(chain)))
    except np.linalg.LinAlgError:
        lengths = np.array([math.inf])
    if not 0 < lengths.max() <= MAX_MEAN_LENGTH or lengths.min() < 0:
        return (
            "episodes last more than 1e8 steps on average under this policy, too long for sums "
            "in double precision: set a horizon or lower gamma"
        )
    return ""


def _spread(reached: Bools, edges: Bools) -> Bools:
    """The states that can be reached from `reached` along edges[from, to]."""
    while True:
        wider = reached | edges[reached].any(axis=0)
        if (wider == reached).all():
            return reached
        reached = wider


def _fixed(array: Floats) -> Floats:
    array.setflags(write=False)
    return array


# --- validation: one place, one sentence per fault, each naming where it is ---


def _checked(world: TabularMDP) -> Mapping[str, Any]:
    """Every field in its final form: float64 arrays of agreeing shapes, rows that sum to 1."""
    name = world.name
    if not isinstance(name, str) or not name or len(name) > 80 or not name.isprintable():
        raise WorldError("name must be a line of 1 to 80 printable characters")

    _require_a_last_column(world)
    num_states = _length(world.transitions, "transitions", "one table per state", MAX_STATES)
    num_actions = _length(world.transitions[0], "transitions[0]", "one row per action", MAX_ACTIONS)
    if num_states * num_actions * (num_states + 1) > MAX_ENTRIES:
        raise WorldError(
            f"transitions would hold {num_states} × {num_actions} × {num_states + 1} numbers, "
            f"more than the {MAX_ENTRIES} that fit"
        )
    table = (num_states, num_actions, num_states + 1)
    transitions = _probabilities(
        _array(world.transitions, "transitions", table), "transitions", "probabilities"
    )
    first_row = world.rewards[0] if _length(world.rewards, "rewards", "one row per state") else []
    _length(first_row, "rewards[0]", "one entry per action")
    if _is_list(first_row[0]):
        rewards = _array(world.rewards, "rewards", table)
    else:
        rewards = _array(world.rewards, "rewards", table[:2])
        rewards = np.repeat(rewards[:, :, None], num_states + 1, axis=2)
    start = np.full(num_states, 1 / num_states) if world.start is None else world.start
    start = _probabilities(_array(start, "start", (num_states,)), "start", "start probabilities")

    if world.features is None:
        features = np.eye(num_states)
    else:
        _length(world.features, "features", "one row per state")
        num_features = _length(
            world.features[0], "features[0]", "one number per feature", MAX_FEATURES
        )
        features = _array(world.features, "features", (num_states, num_features))
    num_parameters = features.shape[1] * num_actions
    if num_parameters > MAX_PARAMETERS:
        raise WorldError(
            f"theta would hold {num_parameters} parameters, more than the {MAX_PARAMETERS} that fit"
        )
    theta = np.zeros((features.shape[1], num_actions)) if world.theta is None else world.theta
    return {
        "name": name,
        "transitions": transitions,
        "rewards": rewards,
        "start": start,
        "gamma": _gamma(world.gamma),
        "horizon": _horizon(world.horizon),
        "features": features,
        "theta": _array(theta, "theta", (features.shape[1], num_actions)),
    }


LAST_COLUMN = (
    "transitions[s][a] holds one number per next state and, as the last column, the probability "
    "that the episode ends"
)


def _require_a_last_column(world: TabularMDP) -> None:
    """Refuse the two usual forms without an end, S × A × S and A × S × S, in words that help.

    A × S × S with A = S − 1 has the shape of a world of A states with S actions: there another
    table must say which of the two it is.
    """
    shape = _shape(world.transitions)
    if len(shape) != 3 or 0 in shape or max(shape) > MAX_STATES:
        return
    first, second, third = shape
    said = f"transitions is {first} × {second} × {third}"
    if first == third:
        raise WorldError(
            f"{said}, states × actions × states, but here {LAST_COLUMN}: append one to every row, "
            "0 where it goes on, and see that the state comes first, transitions[s][a]"
        )
    if second != third:
        return
    by_action = f"{said}, one matrix per action, but here {LAST_COLUMN}"
    if third != first + 1:
        raise WorldError(
            f"{by_action}: put the state first, transitions[s][a], and append one to every row"
        )
    rewards, start, features, theta = map(
        _shape, (world.rewards, world.start, world.features, world.theta)
    )
    one_hot = world.features is None
    says_states = (
        rewards == (first, second)
        or start == (first,)
        or features[:1] == (first,)
        or (one_hot and theta == (first, second))
    )
    says_matrices = (
        rewards in ((second,), (second, first))
        or start == (second,)
        or features[:1] == (second,)
        or (one_hot and theta == (second, first))
    )
    if says_matrices and (first > 1 or not says_states):
        raise WorldError(
            f"{by_action}: put the state first, transitions[s][a], and append one to every row"
        )
    if first > 1 and not says_states:  # with one action there would be nothing to choose
        raise WorldError(
            f"{said}, which may be {first} states and {second} actions, or one matrix for each of "
            f"{first} actions: give start, one number per state, to say which"
        )


def _shape(values: Any) -> tuple[int, ...]:
    """The shape by the first entry of every level; what is uneven is found out later."""
    if isinstance(values, np.ndarray):
        return values.shape
    if not isinstance(values, (list, tuple)):
        return ()
    return (len(values), *(_shape(values[0]) if len(values) else ()))


def _gamma(gamma: object) -> float:
    if not _is_number(gamma) or not 0 <= gamma <= 1:  # type: ignore[operator]
        raise WorldError(f"gamma is a discount and must lie in [0, 1], got {_shown(gamma)}")
    return float(gamma)  # type: ignore[arg-type]


def _horizon(horizon: object) -> int | None:
    if horizon is None:
        return None
    whole = _is_number(horizon) and 1 <= horizon <= MAX_HORIZON and horizon == int(horizon)  # type: ignore
    if not whole:
        raise WorldError(
            "horizon is a number of steps and must be a whole number from 1 to "
            f"{MAX_HORIZON}, or null for none, got {_shown(horizon)}"
        )
    return int(horizon)  # type: ignore[call-overload]


def _probabilities(values: Floats, where: str, what: str) -> Floats:
    outside = np.argwhere((values < 0) | (values > 1 + SUM_TOLERANCE))
    if len(outside):
        place = _place(where, outside[0])
        raise WorldError(
            f"{place} is {values[tuple(outside[0])]:.6g}, but a probability lies in [0, 1]"
        )
    sums = values.sum(axis=-1)
    wrong = np.argwhere(np.abs(sums - 1) > SUM_TOLERANCE)
    if len(wrong):
        place = _place(where, wrong[0])
        raise WorldError(f"{place} sums to {sums[tuple(wrong[0])]:.7g}, but {what} must sum to 1")
    return values / sums[..., None]


def _array(values: Any, where: str, shape: tuple[int, ...]) -> Floats:
    """`values` as float64 of exactly this shape; the first entry that is not is named."""
    array = np.empty(shape)
    _fill(array, values, where)
    wrong = np.argwhere(~(np.abs(array) <= MAX_MAGNITUDE))
    if len(wrong):
        value = array[tuple(wrong[0])]
        raise WorldError(
            f"{_place(where, wrong[0])} is {value:.6g}, but numbers must lie between "
            f"-{MAX_MAGNITUDE:.0f} and {MAX_MAGNITUDE:.0f}"
        )
    return array


def _fill(array: Floats, values: Any, where: str) -> None:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        if values.shape != array.shape:
            raise WorldError(
                f"{where} must have shape {list(array.shape)}, got {list(values.shape)}"
            )
        array[...] = values
        return
    if not _is_list(values) or len(values) != len(array):
        what = "numbers" if array.ndim == 1 else "rows"
        got = len(values) if _is_list(values) else _shown(values)
        raise WorldError(f"{where} must be a list of {len(array)} {what}, got {got}")
    for i, value in enumerate(values):
        if array.ndim > 1:
            _fill(array[i], value, f"{where}[{i}]")
            continue
        if not _is_number(value):
            raise WorldError(f"{where}[{i}] must be a number, got {_shown(value)}")
        try:
            array[i] = float(value)
        except OverflowError:
            raise WorldError(f"{where}[{i}] is too large a number") from None


def _length(values: Any, where: str, what: str, most: int | None = None) -> int:
    if not _is_list(values) or len(values) == 0:
        raise WorldError(f"{where} must be a list with {what}, got {_shown(values)}")
    if most is not None and len(values) > most:
        raise WorldError(f"{where} has {len(values)} entries, more than the {most} that fit")
    return len(values)


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def _place(where: str, index: Any) -> str:
    return where + "".join(f"[{i}]" for i in index)


def quoted(text: str) -> str:
    """A text of unknown length and content, in quotes, in at most 60 printable characters."""
    shown = repr(text[:60])
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _shown(value: object) -> str:
    """A wrong value in a few characters and the words of JSON."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, Real):
        try:
            return f"{float(value):.6g}"
        except OverflowError:
            return "a very large number"
    if _is_list(value):
        return "an empty list" if len(value) == 0 else "a list"  # type: ignore[arg-type]
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"
