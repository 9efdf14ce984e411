"""The runs of a server: content-addressed, queued, watched, recorded; trained by worker processes.

A configuration IS the name of its run: everyone who asks for the same one watches the same run.
A run that nobody watches any more is stopped; a finished one is kept while there is room.
No Streamlit here: a viewer is any string, and so is a visitor, who may have many viewers.

Several servers may share a folder: then a run has one trainer for all of them. A server that finds
a run claimed by another one reads on in that one's recording, and trains it itself if it ends there.
"""

import atexit
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Lock, RLock, Thread, Timer
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pgviz.figures import plural
from pgviz.runs import worker
from pgviz.runs.claims import Claim, Follower
from pgviz.runs.names import run_key
from pgviz.runs.pool import in_background, num_cores, shut_down, worker_pool
from pgviz.runs.recording import Recording, RecordingError, Stamp
from pgviz.runs.shares import HOME, Limits, Line
from pgviz.runs.shelf import MAX_BYTES, Shelf, delete, stamp, touch, unlink
from pgviz.training import Config

GRACE_S = 60.0  # a closed tab, or a lost connection, stops its run after this long
LOOK_S = 1.0  # between two looks at the workers and at what other servers train
MAX_WAITING = 300
AHEAD = "recorded ahead"  # the viewer of runs that no visitor has asked for
ELSEWHERE = "another server"  # the viewer of runs that visitors of another server look at
TOUCH_S = 30.0  # between two marks on the recordings that are watched
DIED = "The process that trained this run died: try again."
POOL_DIED = "The processes that train on this server died: try again."

_logger = logging.getLogger(__name__)


class Busy(RuntimeError):
    """There is no room for a run, and what to do about it: one sentence."""


@dataclass(eq=False)
class Run:
    """One run: its configuration, where it is recorded, how it ended and who watches it."""

    key: str
    config: Config
    path: Path
    visitor: str = ""  # who has asked for it
    ending: str = ""  # finished, stopped or failed; empty while it is queued or running
    message: str = ""  # why it failed, one sentence
    viewers: set[str] = field(default_factory=set)
    stamp: Stamp | None = field(default=None, repr=False)  # of its file, when that was whole
    task: "Future[tuple[str, str]] | None" = field(default=None, repr=False)  # until it has ended
    claim: Claim | None = field(default=None, repr=False)  # while a worker of this server has it
    follower: Follower | None = field(default=None, repr=False)  # while another server trains it
    _read: tuple[tuple[int, int], Recording] | None = field(default=None, repr=False)

    @property
    def status(self) -> str:
        """queued, running, finished, stopped or failed."""
        task = self.task  # the pool's threads may take it away at any time
        begun = task is not None and (task.running() or task.done() or self.path.exists())
        return self.ending or ("running" if begun or self.follower else "queued")

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
        limits: Limits = HOME,
    ) -> None:
        """`directory` keeps finished recordings between servers; without it they are temporary.

        Several servers may share it: each writes files of its own, whose names appear when they
        are whole. `close` when done; at exit it is implied. There is one worker more than cores:
        it is left for short runs of others.
        """
        self._shelf = Shelf(directory, max_bytes)
        self.directory = self._shelf.directory
        self.grace_s = grace_s
        self.records_ahead = records_ahead
        self.limits = limits
        self._lock = RLock()
        self._reading: dict[str, Lock] = {}  # key → of those who look for it on the disk
        self._runs: dict[str, Run] = {}  # key → the latest run of that configuration
        self._num_workers = num_workers or num_cores() + 1
        self._line: Line[Run] = Line(self._num_workers, limits)
        self._tasks: list[Run] = []  # every run that the pool still holds, in order of their start
        self._followed: list[Run] = []  # those that other servers train
        self._watched: dict[str, tuple[Run, ...]] = {}  # viewer → what it watches, one or a group
        self._leaving: dict[str, Timer] = {}
        self._ahead: list[Config] = []  # to be recorded while no visitor needs the workers
        self._closed = Event()
        self._marked = time.monotonic()  # when what is watched was touched last
        self._open()
        Thread(target=self._look_around, daemon=True).start()
        atexit.register(self.close)

    @property
    def _pool(self) -> ProcessPool:
        """The workers; the first to ask may have to wait until they have loaded their libraries."""
        return self._opening.result()

    # --- what viewers do ---

    def watch(self, config: Config, viewer: str, visitor: str = "") -> Run:
        """The run of this configuration, started if there is none; the viewer leaves any other."""
        return self.watch_all([config], viewer, visitor)[0]

    def watch_all(self, configs: Sequence[Config], viewer: str, visitor: str = "") -> list[Run]:
        """The runs of these configurations, to be compared; the viewer leaves any others.

        They begin as soon as it is the turn of this visitor, whom nobody names for a viewer who is
        alone; if there is no room for all that are missing, none is started.
        """
        visitor = visitor or viewer
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
                self._require_room(len(missing), viewer, visitor)
                self._give_way()
            # Watched from now on: making room for the missing ones must not delete the others.
            group = {config: run for config, run in found.items() if run and config not in missing}
            self._watched[viewer] = (*before, *group.values())
            for run in group.values():
                self._line.ask_too(run, visitor)
            group |= {config: self._start(config, visitor) for config in missing}
            for run in group.values():
                run.viewers.add(viewer)
            self._watched[viewer] = tuple(group[config] for config in found)
            for run in before:
                if run not in self._watched[viewer]:
                    self._let_be(run, viewer)
            self._begin()
            return [group[config] for config in configs]

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

    def watched_by(self, viewer: str) -> Run | None:
        """The run that this viewer watches; the first of a group."""
        return next(iter(self._watched.get(viewer, ())), None)

    def position(self, run: Run) -> int:
        """How many runs are ahead of this one in the queue."""
        with self._lock:
            queued = [other for other in self._tasks if other.status == "queued"]
            queued += self._line.order()
            return queued.index(run) if run in queued else 0

    def why_it_waits(self, run: Run) -> str:
        """What a queued run waits for, in one sentence; nothing for any other."""
        with self._lock:
            return self._line.because(run) if run.status == "queued" and run.task is None else ""

    def detach(self, viewer: str) -> bool:
        """The viewer stops watching. True if one of its runs goes on: others still watch it."""
        with self._lock:
            self.stay(viewer)
            group = self._watched.pop(viewer, ())
            for run in group:
                self._let_be(run, viewer)
            self._begin()
            return any(run.active for run in group)

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

    def _gone(self, viewer: str, timer: Timer, is_here: Callable[[], bool]) -> None:
        here = is_here()
        with self._lock:
            if self._leaving.get(viewer) is timer:  # else the viewer came back in the last moment
                if here:
                    self.leave(viewer, is_here)
                else:
                    self.detach(viewer)

    def close(self) -> None:
        """Stop every run and every worker; keep the finished recordings of a lasting directory."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            for viewer in [*self._watched]:
                self.detach(viewer)
            for run in self._tasks:
                self._stop(run)
        atexit.unregister(self.close)
        shut_down(self._pool)  # without the lock: the pool's threads may be waiting for it
        for run in [*self._tasks, *self._runs.values()]:
            if run.ending != "finished" and self._shelf.is_ours(run.path):
                delete(run.path)
            self._claim_no_longer(run)
        self._shelf.close()

    # --- what is recorded before anybody asks ---

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
                busy = self._tasks or len(self._line) or self._closed.is_set()
                if not self._ahead or busy:
                    return
                config = self._ahead.pop(0)
            known = self.find(config)  # it may have to be read: without the lock
            with self._lock:
                if known is None or known.ending == "stopped":
                    with suppress(Busy):
                        self._start(config, f"{AHEAD} {run_key(config)}").viewers.add(AHEAD)
                        self._begin()

    def _give_way(self) -> None:
        """A visitor's run shares no core with one that is recorded ahead: that begins anew later."""
        for run in [*self._tasks]:
            if run.viewers == {AHEAD} and len(self._tasks) >= max(1, self._num_workers - 1):
                self._ahead.insert(0, run.config)
                self._let_be(run, AHEAD)

    # --- the life of a run ---

    def _start(self, config: Config, visitor: str) -> Run:
        if self._closed.is_set():
            raise Busy("This server is shutting down.")
        self._make_room()
        key = run_key(config)
        before = self._runs.get(key)
        run = self._runs[key] = Run(key, config, self._shelf.new(key), visitor)
        if before is not None:
            self._forget(before)
        self._line.join(run)
        return run

    def _begin(self) -> None:
        """Hand runs to the workers while there is a run whose turn it is, and a worker for it."""
        if len(self._line):
            self._replace_broken_pool()
        while self._opening.done() and not self._closed.is_set() and (run := self._line.next()):
            try:
                run.claim = Claim(run.path)
            except BlockingIOError:  # another server trains it
                self._line.leave(run)
                self._follow(run)
                continue
            self._line.begin(run)
            self._tasks.append(run)
            args: list[Any] = [asdict(run.config), run.path]
            if type(run.config) is not Config:
                args.append(f"{type(run.config).__module__}:{type(run.config).__name__}")
            try:
                task = self._pool.schedule(worker.record, args=args)
            except RuntimeError:  # the pool has broken in this moment
                self._let_go(run, "failed", POOL_DIED)
                continue
            run.task = task
            task.add_done_callback(partial(self._ended, run))

    def _ended(self, run: Run, task: "Future[tuple[str, str]]") -> None:
        """Called by a thread of the pool."""
        try:
            ending, message = task.result()
        except ProcessExpired as error:
            _logger.warning("A worker died with exit code %s.", error.exitcode)
            ending, message = "failed", DIED
        except BrokenProcessPool:
            ending, message = "failed", POOL_DIED
        except Exception as error:
            ending, message = "failed", f"The run failed: {worker.sentence(error)}"
        whole = stamp(run.path) if ending == "finished" else None
        with self._lock:
            run.stamp = whole
            self._let_go(run, ending, message)
            self._begin()

    def _let_go(self, run: Run, ending: str, message: str) -> None:
        """The workers hold this run no longer."""
        if run in self._tasks:
            self._tasks.remove(run)
            self._line.end(run)
            if run.active or ending == "finished":
                run.ending, run.message = ending, message
            run.task = None
            self._claim_no_longer(run)
            for suffix in (".stop", ".new"):
                unlink(run.path.with_suffix(suffix))
            self._forget(run)

    def _forget(self, run: Run) -> None:
        """A half of a run that was begun anew is of no use: not while a worker still has it open."""
        replaced = self._runs.get(run.key) is not run and run.task is None
        if replaced and run.ending != "finished" and self._shelf.is_ours(run.path):
            delete(run.path)

    def _let_be(self, run: Run, viewer: str) -> None:
        """One viewer fewer; a run that has none left stops, here and on other servers."""
        run.viewers.discard(viewer)
        touch(run.path)
        if run.active and not run.viewers:
            if run.claim is not None and run.claim.is_followed():
                run.viewers.add(ELSEWHERE)
            else:
                self._stop(run)

    def _stop(self, run: Run) -> None:
        run.ending = run.ending or "stopped"
        self._line.leave(run)
        self._follow_no_longer(run)
        self._claim_no_longer(run)  # whoever asks now wants it from its beginning
        if run.task is not None:
            try:
                run.path.with_suffix(".stop").touch()
            except OSError:  # there is no such folder any more, or no room in it
                run.task.cancel()

    def _end_early(self, run: Run) -> None:
        """A run that has had its time. By a clock that nobody sets: the pool's own is not one."""
        if run.active:
            minutes = plural(max(1, round(self.limits.run_s / 60)), "minute")
            run.ending = "failed"
            run.message = f"This run took longer than {minutes}, the most that a run may take here."
        if run.task is not None:
            run.task.cancel()

    def _claim_no_longer(self, run: Run) -> None:
        if run.claim is not None:
            run.claim.release()
            run.claim = None

    # --- runs that other servers train ---

    def _follow(self, run: Run) -> None:
        run.follower = Follower(self.directory, run.key)
        self._followed.append(run)
        run.path = run.follower.recording() or run.path

    def _follow_no_longer(self, run: Run) -> None:
        if run.follower is not None:
            run.follower.release()
            run.follower = None
            self._followed.remove(run)

    def _read_on(self) -> None:
        """What has become of the runs that other servers train; one that has stopped goes on here."""
        for run in [*self._followed]:
            follower = run.follower
            if follower is None or not follower.is_over():
                run.path = (follower and follower.recording()) or run.path
                continue
            whole = self._shelf.whole(run.key, run.config)  # read without the lock
            with self._lock:
                self._follow_no_longer(run)
                if not run.active:
                    continue
                if whole is not None:
                    run.path, run.stamp = whole
                    run.ending = "finished"
                else:
                    run.path = self._shelf.new(run.key)
                    self._line.join(run)
                    self._begin()

    def _look_elsewhere(self) -> None:
        """Runs that only other servers looked at stop when nobody does there."""
        with self._lock:
            for run in [*self._tasks]:
                if run.viewers == {ELSEWHERE}:
                    self._let_be(run, ELSEWHERE)

    # --- what is known, and where ---

    def _known(self, key: str) -> Run | None:
        """The run of this name, unless its finished recording is gone, or no longer the same."""
        with self._lock:
            run = self._runs.get(key)
            if run is not None and run.ending == "finished":
                now = stamp(run.path)
                return run if now is not None and now == run.stamp else None
            return run

    def _recall(self, key: str, config: Config) -> Run | None:
        """A finished run that lies on disk."""
        whole = self._shelf.whole(key, config)
        with self._lock:
            run = self._runs.get(key)
            if whole is not None:
                path, found = whole
                if run is None or not run.active:
                    if run is None or run.path != path:
                        run = self._runs[key] = Run(key, config, path, ending="finished")
                    run.stamp = found
            elif run is not None and run.ending == "finished":  # it is not what it was
                del self._runs[key]
                return None
            return run

    def _make_room(self) -> None:
        watched = [run for group in self._watched.values() for run in group]
        needed = {run.path for run in [*self._tasks, *self._line.order(), *watched]}
        self._shelf.make_room(needed)
        for key, run in [*self._runs.items()]:
            if run.path not in needed and not run.path.exists():
                del self._runs[key]

    def _require_room(self, num_runs: int, viewer: str, visitor: str) -> None:
        # Runs that only this viewer waits for are about to leave the queue.
        waiting = [run for run in self._line.order() if run.viewers != {viewer}]
        mine = sum(run.visitor == visitor for run in waiting)
        if mine + num_runs > self.limits.waiting:
            raise Busy(
                f"You have {plural(mine, 'run')} waiting on this server, and {self.limits.waiting}"
                " may wait: stop one, or try again when some have ended."
            )
        if len(waiting) + num_runs > MAX_WAITING:
            raise Busy("Too many runs are waiting on this server: try again in a minute.")

    # --- the workers ---

    def _open(self) -> None:
        """Start the workers; what waits for them begins when they have loaded their libraries."""
        self._opening = in_background(worker_pool, self._num_workers)
        self._opening.add_done_callback(lambda _: self._begin_now())

    def _begin_now(self) -> None:
        with self._lock:
            self._begin()

    def _replace_broken_pool(self) -> None:
        """pebble gives up for ever if a worker dies while all of them are idle."""
        if self._opening.done() and not self._pool.active:
            Thread(target=shut_down, args=[self._pool], daemon=True).start()
            for run in [*self._tasks]:
                self._let_go(run, "failed", POOL_DIED)
            self._open()

    def _look_around(self) -> None:
        """Once a second: a pool may break just after a run was handed to it; other servers end."""
        self._shelf.tidy()
        while not self._closed.wait(LOOK_S):
            try:
                self._look()
            except Exception:
                _logger.exception("a look around failed")

    def _look(self) -> None:
        self._read_on()
        self._look_elsewhere()
        with self._lock:
            if self._closed.is_set() or not self._opening.done():
                return
            if self._tasks:
                self._replace_broken_pool()
            for run in self._line.overdue():
                self._end_early(run)
            self._begin()
            watched = {run.path for group in self._watched.values() for run in group}
        self._go_ahead()
        if time.monotonic() - self._marked > TOUCH_S:
            self._marked = time.monotonic()
            self._shelf.tidy()
            for path in watched:
                touch(path)
