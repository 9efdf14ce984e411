"""Work that takes long: done once for all readers, behind a bar."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from pgviz.kept import Kept
from pgviz.ui import once as module
from pgviz.ui.once import once, together


@pytest.fixture
def known(monkeypatch):
    """What the server knows, and nothing of other tests."""
    results = Kept(megabytes=1)
    monkeypatch.setattr(module, "_results", lambda: results)
    return results


def counting(done):
    yield 0.5
    done.append("work")
    yield 1.0
    yield "result"


def test_the_second_reader_gets_the_result_without_the_work(known):
    done = []
    assert once(("a",), "Working", counting(done)) == "result"
    assert once(("a",), "Working", counting(done)) == "result"
    assert once(("b",), "Working", counting(done)) == "result"
    assert done == ["work", "work"]


def test_results_are_kept_as_far_as_their_bytes_go(known):
    """However large one is: a hundred entries of any size were once kept."""
    for name in "abc":
        once((name,), "Working", iter([0.5, np.zeros(50_000)]))
    assert [name for name in "abc" if (name,) in known] == ["b", "c"]
    assert known.num_bytes <= 1e6
    assert once(("d",), "Working", iter([np.zeros(500_000)])).size == 500_000
    assert ("d",) not in known


def test_a_kept_result_is_worked_out_once_for_all_threads_and_copied_for_each():
    kept, done = Kept(megabytes=1), []

    def work():
        done.append(1)
        return {"table": [1, 2]}

    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: kept.once("name", work), range(50))]
    assert done == [1]
    found[0]["table"].append(3)
    assert kept.once("name", work) == found[1] == {"table": [1, 2]}
    with pytest.raises(ZeroDivisionError):
        kept.once("other", lambda: 1 / 0)
    assert kept.once("other", lambda: 5) == 5


def test_work_that_fails_leaves_no_result(known):
    def failing():
        yield 0.5
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        once(("a",), "Working", failing())
    assert known.num_bytes == 0


def test_tables_are_shares_and_then_one_table():
    tables = [pd.DataFrame({"x": [k]}) for k in range(4)]
    *shares, whole = together(iter(tables), 4)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert [*whole["x"]] == [*whole.index] == [0, 1, 2, 3]
