"""What is worked out once for all readers, bounded in bytes."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st

from pgviz.kept import Kept

T = TypeVar("T")
P = ParamSpec("P")


@st.cache_resource(show_spinner=False)
def _kept(name: str, megabytes: float) -> Kept:
    return Kept(megabytes)


def in_memory(megabytes: float) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep the results of a function for all readers, so many megabytes of them."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        name = f"{function.__module__}.{function.__qualname__}"

        @wraps(function)
        def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
            key = args, tuple(sorted(kwargs.items()))
            return _kept(name, megabytes).once(key, lambda: function(*args, **kwargs))

        return remembered

    return decorate
