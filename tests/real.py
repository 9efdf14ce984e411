"""The real things that tests and tools use: a Streamlit server of their own, and the system's Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

from playwright.sync_api import Page

REPO = Path(__file__).parent.parent
APP = "streamlit_app.py"
GRACE_S = 30.0  # a server that was asked to end is killed after that
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Missing(Exception):
    """What this machine lacks, in one sentence."""


class Server:
    """`with Server() as server:` runs the app, on a port of this machine that is free.

    It has the project's config and the named environment variables, and records nothing ahead
    unless PGVIZ_AHEAD says so. `under` is a command that starts it. It is the first of a process
    group of its own.
    """

    def __init__(
        self, script: str | Path = APP, *, under: Sequence[str] = (), **environment: str
    ) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        options = {"port": self.port, "address": "127.0.0.1", "fileWatcherType": "none"}
        flags = [f"--server.{name}={value}" for name, value in options.items()]
        self._command = [*under, sys.executable, "-m", "streamlit", "run", str(script), *flags]
        ours = filter(None, [environment.get("PYTHONPATH"), str(REPO)])
        self._environment = {
            **{"PGVIZ_AHEAD": "0", **os.environ, **environment},
            "PYTHONPATH": os.pathsep.join(ours),
        }

    def __enter__(self) -> Self:
        self._log = TemporaryFile()
        self.process = subprocess.Popen(
            self._command,
            cwd=REPO,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if not self._answers():
            said = self.said()
            self.__exit__()
            raise RuntimeError(f"the server did not start:\n{said}")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def said(self) -> str:
        """What it wrote to the terminal."""
        file = self._log.fileno()  # its position is the server's, too: it must not move
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def _answers(self, patience_s: float = 60.0) -> bool:
        give_up = time.monotonic() + patience_s
        while self.process.poll() is None and time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                    return True
            except urllib.error.HTTPError:  # it is there, in a folder of its host
                return True
            except OSError:
                time.sleep(0.1)
        return False


class Group:
    """`with Group() as group:` is a group of processes with one limit of memory, held by the kernel.

    A control group of Linux (v1); `under` starts a command in it. Missing if there can be none.
    """

    def __init__(self) -> None:
        self._folder = Path(f"/sys/fs/cgroup/memory/pgviz-{os.getpid()}")
        self.under = ["sh", "-c", f'echo $$ > {self._folder}/cgroup.procs && exec "$@"', "sh"]

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir()
        except OSError as error:
            raise Missing(f"no group of control for memory: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        while (self._folder / "cgroup.procs").read_text():
            time.sleep(0.05)
        self._folder.rmdir()

    def limit(self, num_bytes: int | None) -> None:
        """What all of them together may use, files that they have read included; None is no limit."""
        text = "-1" if num_bytes is None else str(num_bytes)
        (self._folder / "memory.limit_in_bytes").write_text(text)

    @property
    def used_bytes(self) -> int:
        return int((self._folder / "memory.usage_in_bytes").read_text())

    @property
    def own_bytes(self) -> int:
        """Without the files: what the kernel cannot take back."""
        return self._number("memory.stat", "rss")

    @property
    def num_killed(self) -> int:
        """The processes that the kernel has killed for want of memory."""
        return self._number("memory.oom_control", "oom_kill")

    def _number(self, file: str, name: str) -> int:
        lines = (self._folder / file).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == name)


@contextmanager
def served(script: str | Path = APP, **environment: str) -> Iterator[str]:
    """`with served(NAME=value) as url:` is a server of which only the address is needed."""
    with Server(script, **environment) as server:
        yield server.url


def free_ports(number: int) -> list[int]:
    """Ports of this machine on which nothing listens."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def chromium_options() -> dict[str, Any]:
    """How Playwright launches the system's own Chromium: nothing is downloaded. Or Missing."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise Missing(f"none of {', '.join(BROWSERS)} is installed")
    return {"executable_path": executable, "args": BROWSER_FLAGS}


def ready(page: Page) -> None:
    """Wait until the page is connected, its script has run and nothing is stale.

    After an interaction wait for the expected text first: the script may not have started yet.
    """
    page.wait_for_selector(
        "[data-testid=stApp][data-test-connection-state=CONNECTED]"
        "[data-test-script-state=notRunning]",
        state="attached",
        timeout=60_000,
    )
    # Before a script has run for the first time the page says "notRunning", too, and is empty.
    page.wait_for_selector(
        "[data-testid=stMain] [data-testid=stElementContainer]", state="attached", timeout=60_000
    )
    page.wait_for_function(
        "!document.querySelector('[data-stale=true], [data-testid=stSkeleton]')", timeout=60_000
    )
