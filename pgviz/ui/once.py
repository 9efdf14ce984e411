"""What takes longer than half a second is worked out once for all readers, with a bar."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

T = TypeVar("T")
MOST = 100  # results that a server keeps, the freshest


@st.cache_resource(show_spinner=False)
def _results() -> OrderedDict[tuple, Any]:
    return OrderedDict()


def once(key: tuple, words: str, work: Iterator[float | T]) -> T:
    """The result of this name. `work` yields the share that is done, again and again, then it."""
    known = _results()
    if key not in known:
        bar = st.progress(0.0, words)
        for step in work:
            if isinstance(step, float):
                bar.progress(min(step, 1.0), words)
            else:
                known[key] = step
        bar.empty()
        while len(known) > MOST:
            known.popitem(last=False)
    result: T = known[key]
    return result


def together(tables: Iterator[pd.DataFrame], num_tables: int) -> Iterator[float | pd.DataFrame]:
    """Work that is done when all of these tables are, one below the other."""
    done: list[pd.DataFrame] = []
    for table in tables:
        done.append(table)
        yield len(done) / num_tables
    yield pd.concat(done, ignore_index=True)
