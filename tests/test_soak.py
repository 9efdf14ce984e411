"""The soak: comings and goings are counted, and growth is a failure."""

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict

import psutil
import pytest
from click.testing import CliRunner

from pgviz.runs.registry import shut_down, worker_pool
from pgviz.runs.worker import record
from pgviz.training.config import presets
from tests import soak
from tests.load.meter import Weight
from tests.real import REPO


@pytest.mark.parametrize(("last", "status"), [(1.04, 0), (1.06, 1), (0.5, 0)])
@pytest.mark.parametrize("grows", ["own", "all"])
def test_more_than_five_per_cent_of_growth_is_a_failure(monkeypatch, grows, last, status):
    def weights(*_):
        same = {"server": 4e8, "all": 8e8, "own": 3e8}
        return [Weight(**same | {grows: same[grows] * size}) for size in (1, last)]

    async def visits(*_):
        return weights()

    monkeypatch.setattr(soak, "served", lambda **_: nullcontext("http://127.0.0.1"))
    monkeypatch.setattr(soak, "soak", visits)
    said = CliRunner().invoke(soak.main, ["--minutes", "2"])
    assert said.exit_code == status, said.output
    assert f"{100 * (last - 1):+.1f} %" in said.output


@pytest.mark.browser  # for its length, not for a browser
def test_a_short_soak_counts_visits_sessions_and_recordings(monkeypatch):
    monkeypatch.setattr(soak, "MINUTE_S", 15.0)
    monkeypatch.setattr(soak, "LOOK_S", 1.0)
    monkeypatch.setattr(soak, "WARM_S", 1.0)
    steps = [step for step in soak.STEPS if step[0].slug == "reinforce"]
    monkeypatch.setattr(soak, "STEPS", steps)
    monkeypatch.setattr(soak, "MOST_GROWTH", 1.0)
    line = ["--minutes", "2", "--visitors", "3", "--pause", "0.3"]
    with ThreadPoolExecutor(1) as thread:  # Playwright, if a test has opened it, keeps a loop here
        said = thread.submit(CliRunner().invoke, soak.main, line).result()
    assert said.exit_code == 0, said.output
    _, first, second = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in said.output.splitlines()
        if line.startswith(("| minute", "| 1 ", "| 2 "))
    )
    row = dict(zip(soak.COLUMNS, second, strict=True))
    assert 0 < int(first[1]) < int(row["visits"])
    assert 0 <= int(row["sessions"]) <= 3


FREES = """
import threading
import numpy as np
import psutil
from pgviz import heap

heap.share_between_threads()
before = psutil.Process().memory_info().rss
together = threading.Barrier(16)

def work():
    together.wait()
    for _ in range(20):
        np.ones(1_500_000)

threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((psutil.Process().memory_info().rss - before) // 2**20)
"""


@pytest.mark.browser  # for its length, not for a browser
@pytest.mark.skipif(sys.platform != "linux", reason="about the C library of Linux")
def test_what_threads_have_freed_goes_back_to_the_system():
    """Each of them was left a heap of its own, with the megabytes that it had used last."""
    done = subprocess.run(
        [sys.executable, "-c", FREES], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40


@pytest.mark.browser  # for its length, not for a browser
@pytest.mark.skipif(sys.platform != "linux", reason="about the C library of Linux")
def test_a_worker_has_little_of_its_own_even_after_a_large_run(tmp_path):
    """It kept 50 MB that the run had used, and 50 MB that the collector had written into."""
    large = asdict(presets["reinforce"].replace(num_envs=64, num_updates=12))
    pool = worker_pool(1)
    try:
        process = psutil.Process(pool.schedule(os.getpid).result())
        begun = process.memory_full_info().uss
        assert pool.schedule(record, args=[large, tmp_path / "a.run"]).result()[0] == "finished"
        pool.schedule(gc.collect).result()
        assert process.memory_full_info().uss - begun < 20e6
    finally:
        shut_down(pool)
