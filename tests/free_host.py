"""A free host that sleeps when nobody comes, and forgets its disk: python -m tests.free_host [PAGE …]

\b
One core and 1 GB, held by the kernel, files that are read included, unless the visitors, who are on
this machine, read them, too. For each page the host wakes up: a new server, an empty folder of
recordings, as few files in memory as can be. A row says when the server answers, when the first
step of the page can be read, and when its picture is whole.

Then, on a server that has just woken, one visitor opens every step and stays until all runs that the
steps show are recorded; and at last ten visitors train runs of their own. A process that the kernel
kills for want of memory is a failure, and so is whatever a page says that went wrong.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import click

from pgviz.lessons import PAGES
from pgviz.lessons.step import Page
from tests.load.__main__ import VARY, _combinations
from tests.load.scenarios import measure
from tests.load.tab import LoadError, Tab
from tests.real import Group, Missing, Server
from tests.soak import Log, open_all

MOST_BYTES = 10**9
LOOK_S = 0.2
PATIENCE_S = 300.0
VISITORS = 10
COLUMNS = (
    "first page",
    "the server answers after, s",
    "its first view after, s",
    "the picture is whole after, s",
    "memory of its own / with files, at most, MB",
    "killed",
    "errors",
)


class Host:
    """One start of the server on this host, and what it took: `with host.awake() as server:`."""

    def __init__(self, folder: Path, num_bytes: int) -> None:
        self.folder, self._num_bytes = folder, num_bytes
        self.own_bytes = self.all_bytes = self.num_killed = 0  # the most so far
        self.errors: list[str] = []

    @contextmanager
    def awake(self) -> Iterator[Server]:
        """The server, until the end of the block."""
        _forget_files()
        with Group() as group:
            group.limit(self._num_bytes)
            under = [*group.under, "taskset", "--cpu-list", "0"]
            with (
                _other_core(),
                Server(
                    under=under, PGVIZ_RUNS=str(self.folder), PGVIZ_AHEAD="1", PGVIZ_HOSTED="1"
                ) as server,
                self._looking(group),
            ):
                yield server

    @contextmanager
    def _looking(self, group: Group) -> Iterator[None]:
        over = Event()

        def look() -> None:
            while not over.wait(LOOK_S):
                self.own_bytes = max(self.own_bytes, group.own_bytes)
                self.all_bytes = max(self.all_bytes, group.used_bytes)
                self.num_killed = group.num_killed

        thread = Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @property
    def weight(self) -> str:
        return f"{self.own_bytes / 1e6:.0f} / {self.all_bytes / 1e6:.0f}"

    @property
    def has_failed(self) -> bool:
        return bool(self.num_killed or self.errors)


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pages", nargs=-1, type=click.Choice([page.slug for page in PAGES]))
@click.option("--megabytes", default=MOST_BYTES // 10**6, show_default=True)
@click.option(
    "--walk/--no-walk", default=True, show_default=True, help="What comes after the rows."
)
def main(pages: Sequence[str], megabytes: int, walk: bool) -> None:
    num_bytes = megabytes * 10**6
    hosts = []
    try:
        print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
        for page in PAGES:
            if page.slug in (pages or [each.slug for each in PAGES]):
                hosts.append(_woken_by(page, num_bytes))
        if walk:
            hosts.append(_walked(num_bytes))
    except (Missing, LoadError, RuntimeError) as reason:
        raise click.ClickException(str(reason)) from reason
    for error in dict.fromkeys(error for host in hosts for error in host.errors):
        click.echo(error, err=True)
    sys.exit(int(any(host.has_failed for host in hosts)))


def _woken_by(page: Page, num_bytes: int) -> Host:
    """The first visitor opens this page by its link: a row."""
    with tempfile.TemporaryDirectory() as folder:
        host, begun = Host(Path(folder), num_bytes), time.monotonic()
        with host.awake() as server:
            times = [time.monotonic() - begun]
            asyncio.run(
                _look(server.url, page, host, lambda: times.append(time.monotonic() - begun))
            )
    cells = [page.slug, *(f"{seconds:.1f}" for seconds in times), host.weight]
    print(f"| {' | '.join(cells)} | {host.num_killed} | {len(host.errors)} |", flush=True)
    return host


async def _look(url: str, page: Page, host: Host, now: Callable[[], None]) -> None:
    async with Tab(url) as tab:
        await tab.visit(page.slug, page.steps[0].slug)
        now()
        await tab.until(lambda: not (tab.waits or tab.polls), PATIENCE_S)
        now()
        host.errors += tab.errors


def _walked(num_bytes: int) -> Host:
    """Every step, then visitors with runs of their own: sentences."""
    with tempfile.TemporaryDirectory() as folder:
        host, log = Host(Path(folder), num_bytes), Log()
        with host.awake() as server:
            print(
                f"\n{asyncio.run(open_all(server.url, host.folder, log))}Memory: {host.weight} MB."
            )
            own = measure("own", server.url, VISITORS, "reinforce", "run", _combinations(VARY))
            sessions = asyncio.run(own).sessions
    host.errors += [*log.errors, *(error for session in sessions for error in session.errors)]
    ends = [session.run_s for session in sessions if session.run_s is not None]
    print(
        f"{len(ends)} of {VISITORS} visitors' own runs ended, the last after {max(ends, default=0):.0f} s."
        f"\nMemory: {host.weight} MB, {host.num_killed} killed.",
        flush=True,
    )
    return host


@contextmanager
def _other_core() -> Iterator[None]:
    """The visitors are elsewhere, if there is a second core."""
    cores = os.sched_getaffinity(0)
    if others := cores - {0}:
        os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _forget_files() -> None:
    """What other processes have read costs a group nothing; root may make the kernel forget it."""
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3")


if __name__ == "__main__":
    main()
