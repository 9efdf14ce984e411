"""What the estimators are called with, made sure of in one place: their bodies hold equations only."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from numbers import Real
from typing import Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
Result = NDArray[np.floating]

FLAGS = ("terminated", "episode_over")
DISCOUNTS = ("gamma", "gae_lambda", "discount")


def same_shape(estimator: Callable[P, Result]) -> Callable[P, Result]:
    """Hand an estimator arrays of one shape [..., T], flags as booleans, discounts in [0, 1].

    Lists become arrays, integers float64, and the flags 0 and 1 False and True; float32 stays
    float32. Nothing is broadcast: values [N, 1] beside rewards [N] would make [N, N] of them.

    Raises ValueError, in one sentence, with the name of what does not fit and both shapes.
    """
    names = tuple(signature(estimator).parameters)

    @wraps(estimator)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Result:
        first = "", ()

        def fitting(name: str, value: Any) -> Any:
            nonlocal first
            if name in DISCOUNTS:
                return _discount(name, value)
            if name not in names or (name == "episode_over" and value is None):
                return value
            array = _flags(name, value) if name in FLAGS else _numbers(name, value)
            if array.ndim == 0:
                raise ValueError(f"{name} is a single number, but needs an axis of steps, [..., T]")
            if not first[0]:
                first = name, array.shape
            elif array.shape != first[1]:
                raise ValueError(
                    f"{name} has the shape {array.shape}, but {first[0]} has {first[1]}: they must "
                    "agree, [..., T]"
                )
            return array

        fitted: list[Any] = [fitting(name, value) for name, value in zip(names, args, strict=False)]
        named: dict[str, Any] = {name: fitting(name, value) for name, value in kwargs.items()}
        return estimator(*fitted, *args[len(names) :], **named)  # type: ignore[arg-type]

    return checked


def _numbers(name: str, value: Any) -> NDArray[np.floating]:
    array = _array(name, value)
    if array.dtype.kind == "f":
        return array
    if array.dtype.kind not in "iub":
        raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    return array.astype(np.float64)


def _flags(name: str, value: Any) -> NDArray[np.bool_]:
    array = _array(name, value)
    if array.dtype == bool:
        return array
    flags = array == 1
    wrong = np.argwhere(~(flags | (array == 0)))
    if len(wrong):
        place = "".join(f"[{i}]" for i in wrong[0])
        raise ValueError(f"{name}{place} is {array[tuple(wrong[0])]}, but a flag is 0 or 1")
    return flags


def _array(name: str, value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # rows of unequal length, a tensor with a graph
        raise ValueError(
            f"{name} must be an array [..., T] or a list of equally long rows"
        ) from None


def _discount(name: str, value: Any) -> Any:
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} must be a number in [0, 1], got {value!r}")
    return value
