"""The worker processes: forked from a server process that holds the engine and no threads."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessPool

from pgviz.runs import worker
from pgviz.runs.names import PACKAGE

T = TypeVar("T")


def num_cores() -> int:
    """How many cores this server may use: fewer than there are, where it was given some of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_pool(num_workers: int) -> ProcessPool:
    """Worker processes with the engine loaded; one that dies is replaced.

    They are forked from a server process that holds the engine and no threads: forking the app
    itself would copy its locks.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "gymnasium", "pgviz.runs.worker"])
    with _importable(PACKAGE.parent):
        forkserver.ensure_running()
    pool = ProcessPool(num_workers, context=context, initializer=worker.settle_in)
    for _ in range(num_workers):
        pool.schedule(worker.warm_up)
    return pool


def shut_down(pool: ProcessPool) -> None:
    """Stop the workers, whatever they do, and wait until they are gone."""
    pool.stop()
    pool.join()


def in_background(function: Callable[..., T], *args: Any) -> "Future[T]":
    """The result of a call that goes on while the caller does something else."""
    executor = ThreadPoolExecutor(1)
    future = executor.submit(function, *args)
    executor.shutdown(wait=False)
    return future


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
