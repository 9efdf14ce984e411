"""What is worked out once for all readers: one memory of the server, bounded in bytes.

Not Streamlit's own cache: that is emptied for everybody when any client sends `clear_cache`.
"""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pgviz.environment import number_of
from pgviz.kept import Kept

T = TypeVar("T")
P = ParamSpec("P")

MEGABYTES = 300.0  # unless PGVIZ_CACHE_MB says otherwise
memory = Kept(number_of("PGVIZ_CACHE_MB", MEGABYTES, 1, 1e6))


def in_memory(function: Callable[P, T]) -> Callable[P, T]:
    """Keep the results of a function for all readers; the least used go first.

    Its arguments must be hashable. Everybody gets a copy of the result.
    """

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        return memory.once(name_of(function, *args, **kwargs), lambda: function(*args, **kwargs))

    return remembered


def name_of(function: Callable[..., object], *args: Any, **kwargs: Any) -> Hashable:
    """Under which the result of a call is kept; it is owned by nobody."""
    name = f"{function.__module__}.{function.__qualname__}"
    return "", name, args, tuple(sorted(kwargs.items()))
