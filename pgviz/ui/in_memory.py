"""What is worked out once for all readers: one memory of the server, bounded in bytes.

Not Streamlit's own cache: that is emptied for everybody when any client sends `clear_cache`.
"""

import logging
import math
import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from pgviz.kept import Kept

T = TypeVar("T")
P = ParamSpec("P")

MEGABYTES = 300.0  # unless PGVIZ_CACHE_MB says otherwise


def _megabytes() -> float:
    """The limit of PGVIZ_CACHE_MB; the usual one, and a sentence in the log, if it is none."""
    text = os.environ.get("PGVIZ_CACHE_MB", str(MEGABYTES))
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if 1 <= found <= 1e6:
        return found
    logging.getLogger(__name__).warning(
        "PGVIZ_CACHE_MB=%s is no number from 1 to 1,000,000: %g is used.", text, MEGABYTES
    )
    return MEGABYTES


memory = Kept(_megabytes())


def in_memory(function: Callable[P, T]) -> Callable[P, T]:
    """Keep the results of a function for all readers; the least used go first.

    Its arguments must be hashable. Everybody gets a copy of the result.
    """
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        key = name, args, tuple(sorted(kwargs.items()))
        return memory.once(key, lambda: function(*args, **kwargs))

    return remembered
