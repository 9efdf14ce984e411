"""Work that takes long: done once for all readers, behind a bar."""

import pandas as pd
import pytest

from pgviz.ui import once as module
from pgviz.ui.once import once, together


@pytest.fixture
def known(monkeypatch):
    """What the server knows, and nothing of other tests."""
    results = module.OrderedDict()
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


def test_only_the_freshest_results_are_kept(known, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    for name in "abc":
        once((name,), "Working", counting([]))
    assert [*known] == [("b",), ("c",)]


def test_work_that_fails_leaves_no_result(known):
    def failing():
        yield 0.5
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        once(("a",), "Working", failing())
    assert not known


def test_tables_are_shares_and_then_one_table():
    tables = [pd.DataFrame({"x": [k]}) for k in range(4)]
    *shares, whole = together(iter(tables), 4)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert [*whole["x"]] == [*whole.index] == [0, 1, 2, 3]
