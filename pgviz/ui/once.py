"""What is worked out once for all readers: with a bar where it takes long, bounded in bytes."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar

import pandas as pd
import streamlit as st

from pgviz.kept import Kept

T = TypeVar("T")
P = ParamSpec("P")
MEGABYTES = 64  # of results that took long


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


def _results() -> Kept:
    return _kept("once", MEGABYTES)


def once(key: tuple, words: str, work: Iterator[float | T]) -> T:
    """The result of this name. `work` yields the share that is done, again and again, then it."""
    known = _results()
    result: T | None = known.find(key)
    if result is None:
        bar = st.progress(0.0, words)
        for step in work:
            if isinstance(step, float):
                bar.progress(min(step, 1.0), words)
            else:
                result = step
        bar.empty()
        assert result is not None, "the last that is yielded is the result"
        known.keep(key, result)
    return result


def together(tables: Iterator[pd.DataFrame], num_tables: int) -> Iterator[float | pd.DataFrame]:
    """Work that is done when all of these tables are, one below the other."""
    done: list[pd.DataFrame] = []
    for table in tables:
        done.append(table)
        yield len(done) / num_tables
    yield pd.concat(done, ignore_index=True)
