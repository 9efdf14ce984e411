"""The runs of a server: content-addressed, queued, watched, recorded; trained by worker processes.

A configuration IS the name of its run: everyone who asks for the same one watches the same run.
A run that nobody watches any more is stopped; a finished one is kept while there is room.
No Streamlit here: a viewer is any string.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
import uuid
import weakref
from concurrent.futures import CancelledError, Future
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from pgviz.runs import worker
from pgviz.runs.recording import Recording, RecordingError
from pgviz.training.config import Config

GRACE_S = 20.0  # a closed tab, or a lost connection, stops its run after this long
MAX_RUN_S = 900.0
MAX_QUEUED = 50
MAX_BYTES = 512 * 2**20  # of recordings that nobody watches

_PACKAGE = Path(__file__).parents[1]
_ENGINE = ("estimators.py", "policies.py", "training", "worlds/cartpole.py")


class Busy(RuntimeError):
    """The queue is full, said in one sentence."""


@dataclass(eq=False)
class Run:
    """One run: its configuration, where it is recorded, how it ended and who watches it."""

    key: str
    config: Config
    path: Path
    ending: str = ""  # finished, stopped or failed; empty while it is queued or running
    message: str = ""  # why it failed, one sentence
    viewers: set[str] = field(default_factory=set)
    last_seen: float = field(default_factory=time.monotonic)

    @property
    def status(self) -> str:
        """queued, running, finished, stopped or failed."""
        return self.ending or ("running" if self.path.exists() else "queued")

    @property
    def active(self) -> bool:
        """Queued or running."""
        return not self.ending

    def recording(self) -> Recording | None:
        """What there is of it so far; None before the first update."""
        return Recording(self.path) if self.path.exists() else None


class Runs:
    """The registry: one for a server, shared by all its sessions."""

    def __init__(
        self,
        directory: Path | None = None,
        num_workers: int | None = None,
        grace_s: float = GRACE_S,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """`directory` keeps finished recordings between servers; without it they are temporary."""
        if directory is None:
            directory = Path(tempfile.mkdtemp(prefix="pgviz-"))
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.grace_s = grace_s
        self.max_bytes = max_bytes
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}  # key → the latest run of that configuration
        self._recorded: list[Run] = []  # every run with a file, in order of their start
        self._watched: dict[str, Run] = {}  # viewer → the one run it watches
        self._leaving: dict[str, threading.Timer] = {}
        self._pool = worker_pool(num_workers or os.cpu_count() or 1)

    def watch(self, config: Config, viewer: str) -> Run:
        """The run of this configuration, started if there is none; the viewer leaves any other."""
        with self._lock:
            self.stay(viewer)
            run = self.find(config)
            if run is None or run.ending in ("stopped", "failed"):
                run = self._start(config)
            if self._watched.get(viewer) is not run:
                self.detach(viewer)
            self._watched[viewer] = run
            run.viewers.add(viewer)
            return run

    def find(self, config: Config) -> Run | None:
        """The run of this configuration, if it is known here or a finished one lies on disk."""
        key = run_key(config)
        with self._lock:
            if key not in self._runs:
                for done in self.directory.glob(f"{key}.*.done"):
                    self._recall(key, config, done.with_suffix(".run"))
            return self._runs.get(key)

    def watched_by(self, viewer: str) -> Run | None:
        """The run that this viewer watches."""
        return self._watched.get(viewer)

    def position(self, run: Run) -> int:
        """How many runs are ahead of this one in the queue."""
        with self._lock:
            queued = [other for other in self._recorded if other.status == "queued"]
            return queued.index(run) if run in queued else 0

    def detach(self, viewer: str) -> bool:
        """The viewer stops watching. True if its run goes on because others still watch it."""
        with self._lock:
            self._leaving.pop(viewer, None)
            run = self._watched.pop(viewer, None)
            if run is None:
                return False
            run.viewers.discard(viewer)
            run.last_seen = time.monotonic()
            if run.active and not run.viewers:
                run.ending = "stopped"
                run.path.with_suffix(".stop").touch()
            return run.active

    def leave(self, viewer: str) -> None:
        """A tab closed, or its connection broke: detach after the grace period unless it stays."""
        with self._lock:
            self.stay(viewer)
            timer = threading.Timer(self.grace_s, self.detach, [viewer])
            timer.daemon = True
            self._leaving[viewer] = timer
            timer.start()

    def stay(self, viewer: str) -> None:
        """The viewer is back within the grace period."""
        with self._lock:
            timer = self._leaving.pop(viewer, None)
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Stop every run and every worker."""
        with self._lock:
            for viewer in [*self._leaving, *self._watched]:
                self.stay(viewer)
                self.detach(viewer)
        self._pool.stop()
        self._pool.join()

    def _start(self, config: Config) -> Run:
        if sum(run.status == "queued" for run in self._recorded) >= MAX_QUEUED:
            raise Busy("Too many runs are waiting on this server: try again in a minute.")
        self._make_room()
        key = run_key(config)
        path = self.directory / f"{key}.{uuid.uuid4().hex[:8]}.run"
        run = self._runs[key] = Run(key, config, path)
        self._recorded.append(run)
        future = self._pool.schedule(worker.record, args=[config, path], timeout=MAX_RUN_S)
        future.add_done_callback(lambda ended: self._ended(run, ended))
        return run

    def _ended(self, run: Run, future: "Future[str]") -> None:
        try:
            ending, message = future.result(), ""
        except CancelledError:
            ending, message = "stopped", ""
        except ProcessExpired as error:
            ending = "failed"
            message = f"The worker process of this run died (exit code {error.exitcode})."
        except TimeoutError:
            ending, message = "failed", f"The run took longer than {MAX_RUN_S:.0f} seconds."
        except Exception as error:
            ending, message = "failed", f"The run failed: {error}"
        with self._lock:
            if run.active or ending == "finished":
                run.ending, run.message = ending, message
            if ending == "finished":
                run.path.with_suffix(".done").touch()
            run.path.with_suffix(".stop").unlink(missing_ok=True)

    def _recall(self, key: str, config: Config, path: Path) -> None:
        try:
            complete = Recording(path).num_updates > 0
        except RecordingError:
            return
        if complete:
            run = self._runs[key] = Run(key, config, path, ending="finished")
            self._recorded.append(run)

    def _make_room(self) -> None:
        """Delete the recordings nobody watches, longest unseen first, until the rest fits."""
        idle = [run for run in self._recorded if not run.active and not run.viewers]
        idle.sort(key=lambda run: run.last_seen, reverse=True)
        total = 0
        for run in idle:
            total += run.path.stat().st_size if run.path.exists() else 0
            if total > self.max_bytes or not run.path.exists():
                for suffix in (".run", ".done"):
                    run.path.with_suffix(suffix).unlink(missing_ok=True)
                self._recorded.remove(run)
                if self._runs.get(run.key) is run:
                    del self._runs[run.key]


def worker_pool(num_workers: int) -> ProcessPool:
    """Worker processes with the engine loaded; one that dies is replaced.

    They are forked from a server process that holds the engine and no threads: forking the app
    itself would copy its locks.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "gymnasium", "pgviz.runs.worker"])
    pool = ProcessPool(num_workers, context=context, initializer=worker.be_polite)
    for _ in range(num_workers):
        pool.schedule(worker.warm_up)
    return pool


def run_key(config: Config) -> str:
    """The name of a run: a hash of its configuration and of the code that will compute it."""
    text = json.dumps([asdict(config), code_version()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version() -> str:
    """A hash of the engine's sources and of the libraries it computes with."""
    digest = hashlib.sha256(f"numpy {version('numpy')} torch {version('torch')}".encode())
    for entry in _ENGINE:
        path = _PACKAGE / entry
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
