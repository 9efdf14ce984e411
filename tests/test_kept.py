"""What is worked out once for all readers, bounded in bytes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pgviz.kept import Kept


def test_results_are_kept_as_far_as_their_bytes_go():
    """However large one is: a hundred entries of any size were once kept."""
    kept = Kept(megabytes=1)
    for name in "abc":
        kept.once((name,), lambda: np.zeros(50_000))
    assert [name for name in "abc" if (name,) in kept] == ["b", "c"]
    assert kept.num_bytes <= 1e6
    assert kept.once(("d",), lambda: np.zeros(500_000)).size == 500_000
    assert ("d",) not in kept


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
