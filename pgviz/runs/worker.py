"""What runs in a worker process: training, and nothing that knows a page.

Only plain values cross the border between the processes: an exception that cannot be unpickled, or
a configuration of an older program, would take the whole pool of workers down with it.
"""

import errno
import gc
import logging
import multiprocessing
import os
import resource
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from pebble import CONSTS

from pgviz import heap
from pgviz.runs.recording import Recorder
from pgviz.training import METRICS, Config

LOCK_S = 3.0  # seconds until a worker that holds the lock of the channel is given up
MEMORY = 2**30  # bytes that a run may take; the largest one of the pages takes a tenth of it


def settle_in() -> None:
    """Be polite, take no more than is given, wait for nobody who is dead, do not outlive the app.

    The pages need the processor for milliseconds, training for seconds. A worker that is killed
    while it hands over a result takes the lock of the channel with it; pebble would let the others
    wait for it for two minutes.
    """
    gc.freeze()  # what all workers share stays shared: the collector writes on all it looks at
    os.nice(10)
    with suppress(OSError):  # there is no /proc but on Linux
        _bound_memory()
    CONSTS.channel_lock_timeout = LOCK_S
    Thread(target=_end_with_the_app, daemon=True).start()


def _bound_memory() -> None:
    """A run that needs too much fails; where the whole machine has none left, a worker has to go.

    The limit is one of data: torch reserves addresses that it never uses.
    """
    data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data + MEMORY
    if most == resource.RLIM_INFINITY or wanted < most:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))
    Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_the_app() -> None:
    app = multiprocessing.parent_process()
    if app is not None:
        app.join()
        os._exit(1)


def warm_up() -> None:
    """Train for a moment, so that the first learner does not wait for libraries to load."""
    for _ in Config(num_seeds=1, num_updates=1, num_envs=1).train():
        pass


def record(
    settings: dict[str, Any], path: Path, kind: str = "pgviz.training.config:Config"
) -> tuple[str, str]:
    """Train into the recording `path` until the run ends or a file `….stop` stands beside it.

    `kind` is the class of the configuration, as "module:name".
    On a full disk nothing is left of it: the next run needs the room. A recording that was deleted
    while it was written can be read by nobody: the run ends.

    Returns how it ended, "finished", "stopped" or "failed", and why it failed, in one sentence.
    A finished recording has a file `….done` beside it, which holds its size and its checksum.
    """
    try:
        module, _, name = kind.partition(":")
        return _record(getattr(import_module(module), name)(**settings), path), ""
    except Exception as error:
        logging.getLogger(__name__).exception("a run failed")
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            for suffix in (".new", ".run"):
                path.with_suffix(suffix).unlink(missing_ok=True)
            return "failed", "The disk of this server is full."
        if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return "failed", "This server may not write to its folder of recordings."
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # torch's
            return "failed", "This run needs more memory than this server gives to a run."
        return "failed", f"The run failed: {sentence(error)}"
    finally:
        heap.trim()


def _record(config: Config, path: Path) -> str:
    stop = path.with_suffix(".stop")
    if stop.exists():
        return "stopped"
    started = time.perf_counter()
    recorder: Recorder | None = None
    try:
        for update in config.train():
            if recorder is None:
                with suppress(FileExistsError):  # opening it will say what is there instead
                    path.parent.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up
                recorder = Recorder(path, config, METRICS, birth=update.played)
            recorder.append(update.theta, update.metrics, time.perf_counter() - started)
            if stop.exists():
                return "stopped"
        if recorder is not None:
            recorder.seal()
    finally:
        if recorder is not None:
            recorder.close()
    return "finished"


def sentence(error: BaseException) -> str:
    """The first line of what an exception says, or its name; no paths of the server."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), "") or type(error).__name__
