"""What is worked out once for all readers, bounded in bytes."""

import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pgviz.kept import Kept
from tests.real import REPO


def noise(size):
    """What cannot be written shorter."""
    return np.random.default_rng(0).random(size)


def test_results_are_kept_as_far_as_their_bytes_go():
    """However large one is: a hundred entries of any size were once kept."""
    kept = Kept(megabytes=1)
    for name in "abc":
        kept.once((name,), lambda: noise(50_000))
    assert [name for name in "abc" if (name,) in kept] == ["b", "c"]
    assert kept.num_bytes <= 1e6
    assert kept.once(("d",), lambda: noise(500_000)).size == 500_000
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


def test_a_result_of_another_state_takes_the_place_of_the_old_one():
    """A run under way leaves one entry, not one for each update."""
    kept = Kept(megabytes=1)
    assert kept.once("curve", lambda: "ten updates", state=10) == "ten updates"
    size = kept.num_bytes
    assert kept.once("curve", lambda: "now eleven", state=11) == "now eleven"
    assert kept.once("curve", lambda: "never asked", state=11) == "now eleven"
    assert kept.num_bytes == pytest.approx(size, abs=10)


def test_many_small_results_take_no_more_than_large_ones():
    """Each needs a name and its place in the table: a number counted as its 21 bytes took 500."""
    kept = Kept(megabytes=1)
    tracemalloc.start()
    try:
        for k in range(5_000):
            kept.once(("", "a.module.function", (k, f"/a/folder/{k}.run"), ()), lambda: 1 / 7)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.5e6 < taken < 1e6


def test_what_has_an_owner_goes_with_the_owner():
    kept = Kept(megabytes=1)
    for owner in ("you", ""):
        kept.once((owner, "value"), lambda: 1)
    kept.forget("you")
    assert ("you", "value") not in kept
    assert ("", "value") in kept


def test_every_cache_of_a_function_has_an_end():
    """One without a limit keeps one result: its function takes no arguments."""
    endless = re.compile(
        r"^( *)@(functools\.)?(cache|lru_cache\((maxsize=)?None\)|st\.cache_data.*)\n\1def \w+\((?!\))",
        re.MULTILINE,
    )
    assert endless.search("@lru_cache(None)\ndef squared(x):")
    found = {
        file.name: match.group()
        for file in (REPO / "pgviz").rglob("*.py")
        for match in endless.finditer(file.read_text(encoding="utf-8"))
    }
    assert found.pop("world.py") == "@cache\ndef find("  # of names that a control holds
    assert found == {}
