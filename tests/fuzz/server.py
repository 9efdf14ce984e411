"""A server of one's own, strangers at its door and one visitor who wants nothing but to learn."""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from tests.fuzz.report import Found
from tests.fuzz.stranger import Stranger
from tests.load.meter import Meter
from tests.load.scenarios import wake
from tests.load.tab import LoadError, Tab, loopback
from tests.real import REPO, Server

EVERY_S = 0.5
MOST_BYTES = 600_000_000  # by which a server may grow: PGVIZ_CACHE_MB, 128 sessions that have left
INNOCENT = (
    ("theorem", "policy"),
    ("gae", "ledger"),
    ("baselines", "subtract"),
    ("reinforce", "run"),
)
Act = Callable[[Found, str, int], Awaitable[None]]


def through_a_server(kind: str, act: Act, number: int, tabs: int, minutes: float) -> Found:
    """`act(found, url, k)` for every k, so many at once, while the innocent tab looks on.

    After so many minutes no more are begun.
    """
    found = Found(kind)
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        with Server(PGVIZ_RUNS=folder) as server:
            asyncio.run(wake(server.url, "reinforce", "run"))
            before = set(runs.iterdir())
            with _innocent(server.url) as latencies:
                asyncio.run(_all(found, server.url, act, number, tabs, 60 * minutes))
            found.latencies_s = latencies
            if new := {*runs.iterdir()} - before:
                found.tracebacks.append(f"{len(new)} trainings were started: {sorted(new)[:3]}")
            _read_log(found, server.said())
    return found


async def _all(found: Found, url: str, act: Act, number: int, tabs: int, seconds: float) -> None:
    begun = time.monotonic()
    in_time = iter(lambda: time.monotonic() - begun < seconds, False)
    queue = (k for k, _ in zip(range(number), in_time, strict=False))

    async def one_after_the_other() -> None:
        for k in queue:
            found.number += 1
            try:
                await act(found, url, k)
            except LoadError as fault:
                found.hangs.append(f"number {k}: {fault}")

    async with Meter(url) as meter:
        await asyncio.sleep(1)
        found.bytes_before = meter.server_bytes
        await asyncio.gather(*(one_after_the_other() for _ in range(tabs)))
        meter.server_bytes, peak = 0, meter.server_bytes
        await asyncio.sleep(5)
        found.bytes_after, found.bytes_peak = meter.server_bytes, max(peak, meter.server_bytes)
    found.seconds = time.monotonic() - begun
    if found.bytes_peak > found.bytes_before + MOST_BYTES:
        found.memory.append(
            f"the server grew by {(found.bytes_peak - found.bytes_before) / 1e6:.0f} MB"
        )


def note(found: Found, number: int, said: str, tab: Stranger) -> None:
    """What came of one input."""
    found.refused += tab.is_refused
    found.tracebacks += [f"number {number}, {said[:200]!r}: {text}" for text in tab.broken]
    found.live += [f"number {number}, {said[:200]!r}: {text}" for text in tab.alive]


def _read_log(found: Found, log: str) -> None:
    """Every traceback on the server's stderr counts."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    for part in re.split(r"Traceback\s+\(most recent call last\)", plain)[1:]:
        places = re.findall(r'pgviz/[\w/]+\.py", line \d+', part)[-1:]
        fault = re.search(r"^[\w.]+(?:: .*)?$", part, re.M)
        found.tracebacks.append(f"on the server's stderr: {fault and fault[0][:300]} {places}")


# --- the innocent tab: a process of its own, so that it waits for the server alone ---


@contextlib.contextmanager
def _innocent(url: str) -> Iterator[list[float]]:
    command = [sys.executable, "-m", "tests.fuzz", "innocent", url]
    latencies: list[float] = []
    with subprocess.Popen(
        command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield latencies
        out, _ = process.communicate("\n")
    latencies += json.loads(out)


def look_on(url: str) -> None:
    """Ask for a view each half second until something stands on stdin; print how long each took."""
    print(json.dumps(asyncio.run(_look_on(loopback(url)))), flush=True)


async def _look_on(url: str) -> list[float]:
    latencies: list[float] = []
    over = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    async with Tab(url) as tab:
        for place in INNOCENT:  # its own first views are no part of this
            await tab.visit(*place)
        while not over.done():
            begun = time.monotonic()
            await tab.visit(*INNOCENT[len(latencies) % len(INNOCENT)])
            latencies.append(time.monotonic() - begun)
            await asyncio.sleep(max(0.0, EVERY_S - latencies[-1]))
    return latencies
