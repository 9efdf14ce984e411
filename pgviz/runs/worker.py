"""What runs in a worker process: training, and nothing that knows a page.

Only plain values cross the border between the processes: an exception that cannot be unpickled, or
a configuration of an older program, would take the whole pool of workers down with it.
"""

import logging
import multiprocessing
import os
import time
from pathlib import Path
from threading import Thread
from typing import Any

from pgviz.runs.recording import Recorder
from pgviz.training import METRICS, Config, train


def settle_in() -> None:
    """Be polite, and do not outlive the app.

    The pages need the processor for milliseconds, training for seconds.
    """
    os.nice(10)
    Thread(target=_end_with_the_app, daemon=True).start()


def _end_with_the_app() -> None:
    app = multiprocessing.parent_process()
    if app is not None:
        app.join()
        os._exit(1)


def warm_up() -> None:
    """Train for a moment, so that the first learner does not wait for libraries to load."""
    for _ in train(Config(num_seeds=1, num_updates=1, num_envs=1)):
        pass


def record(settings: dict[str, Any], path: Path) -> tuple[str, str]:
    """Train into the recording `path` until the run ends or a file `….stop` stands beside it.

    Returns how it ended, "finished", "stopped" or "failed", and why it failed, in one sentence.
    A finished recording has a file `….done` beside it, which holds its size.
    """
    try:
        return _record(Config(**settings), path), ""
    except Exception as error:
        logging.getLogger(__name__).exception("a run failed")
        return "failed", f"The run failed: {sentence(error)}"


def _record(config: Config, path: Path) -> str:
    stop = path.with_suffix(".stop")
    if stop.exists():
        return "stopped"
    started = time.perf_counter()
    recorder: Recorder | None = None
    try:
        for update in train(config):
            if recorder is None:
                recorder = Recorder(path, config, METRICS, birth=update.played)
            recorder.append(update.theta, update.metrics, time.perf_counter() - started)
            if stop.exists():
                return "stopped"
    finally:
        if recorder is not None:
            recorder.close()
    path.with_suffix(".done").write_text(str(path.stat().st_size))
    return "finished"


def sentence(error: BaseException) -> str:
    """The first line of what an exception says, or its name if it says nothing."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
