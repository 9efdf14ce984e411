"""What runs in a worker process: training, and nothing that knows a page."""

import os
import time
from pathlib import Path

from pgviz.runs.recording import Recorder
from pgviz.training import METRICS, Config, train


def be_polite() -> None:
    """Leave the processor to the pages: they need it for milliseconds, training for seconds."""
    os.nice(10)


def warm_up() -> None:
    """Train for a moment, so that the first learner does not wait for libraries to load."""
    for _ in train(Config(num_seeds=1, num_updates=1, num_envs=1)):
        pass


def record(config: Config, path: Path) -> str:
    """Train into the recording `path` until the run ends or a file `….stop` stands beside it.

    Returns "finished" or "stopped".
    """
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
        return "finished"
    finally:
        if recorder is not None:
            recorder.close()
