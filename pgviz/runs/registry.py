"""The runs of a server: content-addressed, queued, watched, recorded; trained by worker processes.

A configuration IS the name of its run: everyone who asks for the same one watches the same run.
A run that nobody watches any more is stopped; a finished one is kept while there is room.
No Streamlit here: a viewer is any string.
"""

import atexit
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import count
from multiprocessing import forkserver
from pathlib import Path
from threading import Event, Lock, RLock, Thread, Timer
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from pgviz.runs import worker
from pgviz.runs.recording import FORMAT, Recording, RecordingError, Stamp, checked, stamp_of
from pgviz.training import Config

T = TypeVar("T")

GRACE_S = 20.0  # a closed tab, or a lost connection, stops its run after this long
LOOK_S = 1.0  # between two looks whether the workers still are a pool
MAX_RUN_S = 900.0
MAX_QUEUED = 50
MAX_BYTES = 512 * 2**20  # of recordings that nobody watches …
MAX_IDLE = 1000  # … and their number
SPARE_BYTES = 64 * 2**20  # of the disk that recordings nobody watches leave free
AHEAD = "recorded ahead"  # the viewer of runs that no visitor has asked for
TOUCH_S = 30.0  # between two marks on the recordings that are watched
RECENT_S = 120.0  # what another server has marked since, it needs
POOL_DIED = "The worker processes of this server died."

_logger = logging.getLogger(__name__)
_PACKAGE = Path(__file__).parents[1]
# What decides the numbers of a run; the tests hold it against what training imports.
_ENGINE = (
    "__init__.py",
    "estimators.py",
    "shapes.py",
    "networks.py",
    "policies.py",
    "exact/__init__.py",
    "exact/many.py",
    "training",
    "worlds",
)
_LIBRARIES = ("numpy", "torch", "gymnasium")


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
    stamp: Stamp | None = field(default=None, repr=False)  # of its file, when that was whole
    task: "Future[tuple[str, str]] | None" = field(default=None, repr=False)  # until it has ended
    _read: tuple[tuple[int, int], Recording] | None = field(default=None, repr=False)

    @property
    def status(self) -> str:
        """queued, running, finished, stopped or failed."""
        task = self.task  # the pool's threads may take it away at any time
        begun = task is not None and (task.running() or task.done())
        return self.ending or ("running" if begun else "queued")

    @property
    def active(self) -> bool:
        """Queued or running."""
        return not self.ending

    def recording(self) -> Recording | None:
        """What there is of it so far; None before the first update, or if it is there no more.

        Its header is read once; whoever reads on finds out whether the file is still the same.
        """
        try:
            status = self.path.lstat()
            read = self._read
            if read is None or read[0] != (status.st_dev, status.st_ino):
                read = self._read = (status.st_dev, status.st_ino), Recording(self.path)
            return read[1]
        except (RecordingError, FileNotFoundError, NotADirectoryError):
            return None


class Runs:
    """The registry: one for a server, shared by all its sessions."""

    def __init__(
        self,
        directory: Path | None = None,
        num_workers: int | None = None,
        grace_s: float = GRACE_S,
        max_bytes: int = MAX_BYTES,
        records_ahead: bool = True,
    ) -> None:
        """`directory` keeps finished recordings between servers; without it they are temporary.

        Several servers may share it: each writes files of its own, whose names appear when they
        are whole. `close` when done; at exit it is implied.
        """
        self._temporary = directory is None
        if directory is None:
            directory = Path(tempfile.mkdtemp(prefix="pgviz-"))
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory.resolve()
        self.grace_s = grace_s
        self.max_bytes = max_bytes
        self.records_ahead = records_ahead
        self._name = uuid.uuid4().hex[:8]  # of this server, in the names of its recordings
        self._numbers = count()
        self._lock = RLock()
        self._reading: dict[str, Lock] = {}  # key → of those who look for it on the disk
        self._runs: dict[str, Run] = {}  # key → the latest run of that configuration
        self._tasks: list[Run] = []  # every run that the pool still holds, in order of their start
        self._watched: dict[str, tuple[Run, ...]] = {}  # viewer → what it watches, one or a group
        self._leaving: dict[str, Timer] = {}
        self._ahead: list[Config] = []  # to be recorded while no visitor needs the workers
        self._num_workers = num_workers or os.cpu_count() or 1
        self._opening = _in_background(worker_pool, self._num_workers)
        self._closed = Event()
        Thread(target=self._look_after_the_pool, daemon=True).start()
        atexit.register(self.close)

    @property
    def _pool(self) -> ProcessPool:
        """The workers; the first to ask may have to wait until they have loaded their libraries."""
        return self._opening.result()

    def watch(self, config: Config, viewer: str) -> Run:
        """The run of this configuration, started if there is none; the viewer leaves any other."""
        return self.watch_all([config], viewer)[0]

    def watch_all(self, configs: Sequence[Config], viewer: str) -> list[Run]:
        """The runs of these configurations, to be compared; the viewer leaves any others.

        They are started in this order; if there is no room for all that are missing, none is.
        """
        for config in configs:
            self.find(config)
        with self._lock:
            self.stay(viewer)
            before = self._watched.get(viewer, ())
            found = {config: self._known(run_key(config)) for config in configs}
            missing = [
                config
                for config, run in found.items()
                if run is None or run.ending in ("stopped", "failed")
            ]
            if missing:
                self._require_room(len(missing), viewer)
                self._give_way()
            # Watched from now on: making room for the missing ones must not delete the others.
            group = {config: run for config, run in found.items() if run and config not in missing}
            self._watched[viewer] = (*before, *group.values())
            group |= {config: self._start(config) for config in missing}
            for run in group.values():
                run.viewers.add(viewer)
            self._watched[viewer] = tuple(group[config] for config in found)
            for run in before:
                if run not in self._watched[viewer]:
                    self._let_be(run, viewer)
            return [group[config] for config in configs]

    def prepare(self, configs: Sequence[Config], soon: bool = False) -> None:
        """Record these runs ahead of any visitor, one at a time, while no visitor's run waits.

        `soon` puts them before the others: somebody is looking at where they will be shown.
        """
        with self._lock:
            if not self.records_ahead:
                return
            if soon:
                self._ahead = [*configs, *(c for c in self._ahead if c not in configs)]
            else:
                self._ahead += [config for config in configs if config not in self._ahead]

    def _go_ahead(self) -> None:
        """Start the next run that is to be recorded ahead, if the workers have nothing to do."""
        while True:
            with self._lock:
                if not self._ahead or self._tasks or self._closed.is_set():
                    return
                config = self._ahead.pop(0)
            known = self.find(config)  # it may have to be read: without the lock
            with self._lock:
                if known is None or known.ending == "stopped":
                    with suppress(Busy):
                        self._start(config).viewers.add(AHEAD)

    def _give_way(self) -> None:
        """A visitor's run waits for no run that is recorded ahead: that one begins anew later."""
        for run in [*self._tasks]:
            if run.viewers == {AHEAD} and len(self._tasks) >= self._num_workers:
                self._ahead.insert(0, run.config)
                self._let_be(run, AHEAD)

    def find(self, config: Config) -> Run | None:
        """The run of this configuration, if it is known here or a finished one lies on disk."""
        key = run_key(config)
        run = self._known(key)
        if run is None:
            with self._lock:
                reading = self._reading.setdefault(key, Lock())
            with reading:  # and without the registry's lock: nobody else waits for the disk
                run = self._known(key) or self._recall(key, config)
            with self._lock:
                self._reading.pop(key, None)
        return run

    def _known(self, key: str) -> Run | None:
        """The run of this name, unless its finished recording is gone, or no longer the same."""
        with self._lock:
            run = self._runs.get(key)
            if run is not None and run.ending == "finished":
                now = _stamp(run.path)
                return run if now is not None and now == run.stamp else None
            return run

    def watched_by(self, viewer: str) -> Run | None:
        """The run that this viewer watches; the first of a group."""
        return next(iter(self._watched.get(viewer, ())), None)

    def position(self, run: Run) -> int:
        """How many runs are ahead of this one in the queue."""
        with self._lock:
            queued = [other for other in self._tasks if other.status == "queued"]
            return queued.index(run) if run in queued else 0

    def detach(self, viewer: str) -> bool:
        """The viewer stops watching. True if one of its runs goes on: others still watch it."""
        with self._lock:
            self.stay(viewer)
            group = self._watched.pop(viewer, ())
            for run in group:
                self._let_be(run, viewer)
            return any(run.active for run in group)

    def _let_be(self, run: Run, viewer: str) -> None:
        """One viewer fewer; a run that has none left stops."""
        run.viewers.discard(viewer)
        _touch(run.path)
        if run.active and not run.viewers:
            run.ending = "stopped"
            try:
                run.path.with_suffix(".stop").touch()
            except OSError:  # there is no such folder any more, or no room in it
                if run.task is not None:
                    run.task.cancel()

    def leave(self, viewer: str, is_here: Callable[[], bool] = lambda: False) -> None:
        """A tab closed, or its connection broke: detach after the grace period unless it stays.

        `is_here` says then whether the viewer is there after all; it is asked again and again.
        """
        with self._lock:
            self.stay(viewer)
            if viewer in self._watched:
                timer = Timer(self.grace_s, lambda: self._gone(viewer, timer, is_here))
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
        """Stop every run and every worker; keep the finished recordings of a lasting directory."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            for viewer in [*self._watched]:
                self.detach(viewer)
        atexit.unregister(self.close)
        shut_down(self._pool)  # without the lock: the pool's threads may be waiting for it
        for run in [*self._tasks, *self._runs.values()]:
            if run.ending != "finished":
                _delete(run.path)
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _gone(self, viewer: str, timer: Timer, is_here: Callable[[], bool]) -> None:
        here = is_here()
        with self._lock:
            if self._leaving.get(viewer) is timer:  # else the viewer came back in the last moment
                if here:
                    self.leave(viewer, is_here)
                else:
                    self.detach(viewer)

    def _require_room(self, num_runs: int, viewer: str) -> None:
        # Runs that only this viewer waits for are about to leave the queue.
        others = [run for run in self._tasks if run.viewers != {viewer}]
        if sum(run.status == "queued" for run in others) + num_runs > MAX_QUEUED:
            raise Busy("Too many runs are waiting on this server: try again in a minute.")

    def _start(self, config: Config) -> Run:
        self._replace_broken_pool()
        self._make_room()
        key = run_key(config)
        name = f"{key}.{self._name}-{next(self._numbers):x}.run"
        run = Run(key, config, self.directory / name)
        args: list[Any] = [asdict(config), run.path]
        if type(config) is not Config:
            args.append(f"{type(config).__module__}:{type(config).__name__}")
        run.task = self._pool.schedule(worker.record, args=args, timeout=MAX_RUN_S)
        self._runs[key] = run
        self._tasks.append(run)
        run.task.add_done_callback(lambda task: self._ended(run, task))
        return run

    def _ended(self, run: Run, task: "Future[tuple[str, str]]") -> None:
        """Called by a thread of the pool."""
        try:
            ending, message = task.result()
        except ProcessExpired as error:
            ending = "failed"
            message = f"The worker process of this run died (exit code {error.exitcode})."
        except TimeoutError:
            ending, message = "failed", f"The run took longer than {MAX_RUN_S:.0f} seconds."
        except BrokenProcessPool:
            ending, message = "failed", POOL_DIED
        except Exception as error:
            ending, message = "failed", f"The run failed: {worker.sentence(error)}"
        whole = _stamp(run.path) if ending == "finished" else None
        with self._lock:
            run.stamp = whole
            self._let_go(run, ending, message)

    def _let_go(self, run: Run, ending: str, message: str) -> None:
        if run in self._tasks:
            self._tasks.remove(run)
            if run.active or ending == "finished":
                run.ending, run.message = ending, message
            run.task = None
            for suffix in (".stop", ".new"):
                _unlink(run.path.with_suffix(suffix))

    def _replace_broken_pool(self) -> None:
        """pebble gives up for ever if a worker dies while all of them are idle."""
        if self._closed.is_set():
            raise Busy("This server is shutting down.")
        if not self._pool.active:
            broken, self._opening = self._pool, _in_background(worker_pool, self._num_workers)
            Thread(target=shut_down, args=[broken], daemon=True).start()
            for run in [*self._tasks]:
                self._let_go(run, "failed", POOL_DIED)

    def _look_after_the_pool(self) -> None:
        """A pool may break just after a run was handed to it: that run must not wait for ever."""
        marked = time.monotonic()
        while not self._closed.wait(LOOK_S):
            with self._lock:
                if self._closed.is_set() or not self._opening.done():
                    continue
                if self._tasks:
                    self._replace_broken_pool()
                watched = {run.path for group in self._watched.values() for run in group}
            self._go_ahead()
            if time.monotonic() - marked > TOUCH_S:
                marked = time.monotonic()
                for path in watched:
                    _touch(path)

    def _recall(self, key: str, config: Config) -> Run | None:
        """A finished run that lies on disk, checked; what is refused is not looked at again."""
        for done in self.directory.glob(f"{key}.*.done"):
            path = done.with_suffix(".run")
            try:
                _, whole = checked(path, config)
            except RecordingError as error:
                _logger.warning("A recording on disk is not used: %s.", error)
                _unlink(done)
                continue
            except OSError as error:
                _logger.warning("%s cannot be read: %s.", path.name, worker.sentence(error))
                continue
            _touch(path)
            with self._lock:
                run = self._runs.get(key)
                if run is None or not run.active:
                    if run is None or run.path != path:
                        run = self._runs[key] = Run(key, config, path, ending="finished")
                    run.stamp = whole
                return run
        with self._lock:
            run = self._runs.get(key)
            if run is not None and run.ending == "finished":  # its recording is not what it was
                del self._runs[key]
                return None
            return run

    def _make_room(self) -> None:
        """Delete the recordings nobody watches, longest unseen first, until the rest fits."""
        watched = [run for group in self._watched.values() for run in group]
        needed = {run.path for run in [*self._tasks, *watched]}
        idle = []
        for path in self.directory.glob("*.run"):
            status = _status(path)
            if status is not None and path not in needed:
                seen = (_status(_done(path)) or status).st_mtime
                ours = f".{self._name}-" in path.name
                if ours or abs(time.time() - seen) > RECENT_S:
                    idle.append((seen, status.st_size, path))
        free = 0
        with suppress(OSError):  # a run that cannot be recorded says so itself
            self.directory.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up
            free = shutil.disk_usage(self.directory).free
        room = min(self.max_bytes, sum(size for _, size, _ in idle) + free - SPARE_BYTES)
        num_kept = num_bytes = 0
        for _, size, path in sorted(idle, reverse=True):
            if num_kept < MAX_IDLE and num_bytes + size <= room:
                num_kept, num_bytes = num_kept + 1, num_bytes + size
            else:
                _delete(path)
        for key, run in [*self._runs.items()]:
            if run.path not in needed and not run.path.exists():
                del self._runs[key]


def _in_background(function: Callable[..., T], *args: Any) -> "Future[T]":
    """The result of a call that goes on while the caller does something else."""
    executor = ThreadPoolExecutor(1)
    future = executor.submit(function, *args)
    executor.shutdown(wait=False)
    return future


def _status(path: Path) -> os.stat_result | None:
    """What the system knows of a regular file; None if there is none."""
    with suppress(OSError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            return status
    return None


def _stamp(path: Path) -> Stamp | None:
    status = _status(path)
    return None if status is None else stamp_of(status)


def _done(path: Path) -> Path:
    """What stands beside a finished recording; its time says when the recording was last seen."""
    return path.with_suffix(".done")


def _touch(path: Path) -> None:
    """A recording was seen. One that is finished is not touched itself: it must stay the same."""
    with suppress(OSError):
        os.utime(_done(path) if _status(_done(path)) else path)


def _unlink(path: Path) -> None:
    """Delete a file, if it is there and can be deleted."""
    with suppress(OSError):
        path.unlink()


def _delete(path: Path) -> None:
    """Delete a recording and what stands beside it."""
    for suffix in (".done", ".run", ".stop", ".new"):
        _unlink(path.with_suffix(suffix))


def shut_down(pool: ProcessPool) -> None:
    """Stop the workers, whatever they do, and wait until they are gone."""
    pool.stop()
    pool.join()


def worker_pool(num_workers: int) -> ProcessPool:
    """Worker processes with the engine loaded; one that dies is replaced.

    They are forked from a server process that holds the engine and no threads: forking the app
    itself would copy its locks.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "gymnasium", "pgviz.runs.worker"])
    with _importable(_PACKAGE.parent):
        forkserver.ensure_running()
    pool = ProcessPool(num_workers, context=context, initializer=worker.settle_in)
    for _ in range(num_workers):
        pool.schedule(worker.warm_up)
    return pool


@contextmanager
def _importable(directory: Path) -> Iterator[None]:
    """Python started in here finds `directory`: older fork servers look nowhere else for pgviz."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(directory), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def run_key(config: Config) -> str:
    """The name of a run: a hash of its configuration and of what will compute and record it."""
    return _run_key(config, code_version())


@lru_cache(10_000)
def _run_key(config: Config, version: str) -> str:
    kind = type(config).__name__
    text = json.dumps([kind, asdict(config), version, FORMAT], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version() -> str:
    """A hash of the engine's sources and of the libraries it computes with."""
    digest = hashlib.sha256(" ".join(map(version, _LIBRARIES)).encode())
    for entry in _ENGINE:
        path = _PACKAGE / entry
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
