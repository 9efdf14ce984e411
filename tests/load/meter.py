"""What a server and its workers use: CPU seconds, and memory of which every shared page is shared."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

from tests.load.tab import LoadError

EVERY_S = 2.0  # adding up the memory of a process costs it milliseconds
QUIET = 0.05  # CPU seconds in half a second: less is nothing to do


@dataclass(frozen=True)
class Spent:
    """CPU seconds of the server, of its workers and of this client, in so many seconds."""

    wall_s: float
    server_s: float
    workers_s: float
    client_s: float

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(
            self.wall_s - before.wall_s,
            self.server_s - before.server_s,
            self.workers_s - before.workers_s,
            self.client_s - before.client_s,
        )


@dataclass(frozen=True)
class Weight:
    """Memory in bytes: of the server, and of it with its workers.

    `own` is the server's without the files it has mapped: its share of those rises when a stranger
    on this machine, who uses the same libraries, goes away.
    """

    server: float
    all: float
    own: float


class Meter:
    """`async with Meter(url) as meter:` looks at the server of this address now and then.

    `ports` are those of the servers behind it, if it is no server itself.
    """

    def __init__(self, url: str, ports: Sequence[int] = ()) -> None:
        pids = map(_listening, ports or [urlsplit(url).port or 80])
        self.servers = [psutil.Process(pid) for pid in pids]
        self._cpu: dict[int, float] = {}
        self.server_bytes = self.all_bytes = 0  # the most so far

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking

    def spent(self) -> Spent:
        """So far. A worker that has ended counts as it was seen last."""
        for process in self._family():
            with suppress(psutil.Error):
                self._cpu[process.pid] = sum(process.cpu_times()[:2])
        server = sum(self._cpu.get(each.pid, 0.0) for each in self.servers)
        workers = sum(self._cpu.values()) - server
        return Spent(time.monotonic(), server, workers, time.process_time())

    async def idle(self, patience_s: float = 60.0) -> None:
        """Wait until the server and its workers have nothing to do, but not for ever."""
        quiet, give_up = 0, time.monotonic() + patience_s
        before = self.spent()
        while quiet < 4 and time.monotonic() < give_up:
            await asyncio.sleep(0.5)
            now = self.spent()
            busy = now - before
            quiet = quiet + 1 if busy.server_s + busy.workers_s < QUIET else 0
            before = now

    async def _look(self) -> None:
        while True:
            self.spent()
            await asyncio.to_thread(self.weigh)
            await asyncio.sleep(EVERY_S)

    def weigh(self) -> Weight:
        """Now."""
        server = sum(map(_pss, self.servers))
        others = sum(_pss(each) for each in self._family() if each not in self.servers)
        self.server_bytes = max(self.server_bytes, server)
        self.all_bytes = max(self.all_bytes, server + others)
        return Weight(server, server + others, sum(map(_own, self.servers)))

    def _family(self) -> list[psutil.Process]:
        found = []
        for server in self.servers:
            with suppress(psutil.Error):
                found += [server, *server.children(recursive=True)]
        return found


def _listening(port: int) -> int:
    """The process behind a port of this machine."""
    with suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port and each.pid:
                return each.pid
    raise LoadError(f"No server of yours listens on port {port}.")


def _own(process: psutil.Process) -> int:
    """The anonymous part of a process's memory; where there is no such figure, all of it."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "Pss_Anon":
                return 1024 * int(value.split()[0])
    return _pss(process)


def _pss(process: psutil.Process) -> int:
    """Memory in bytes, shared pages by the share; where there is no such figure, all of them."""
    with suppress(psutil.Error):
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", memory.rss))
    return 0
