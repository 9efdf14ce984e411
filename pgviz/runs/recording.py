"""A recording: everything a run did, in one append-only file of equal records.

Record 0 is the birth of the ensemble; record u + 1 is update u. Since all records have the same
size, a reader knows how many are complete from the size of the file alone: it may read while a
worker writes, and a worker that was killed in mid-write leaves at most one record to ignore.

The file begins with one JSON line (the header), padded to 4,096 bytes. Nothing in it is executed.
It gets its name together with its birth: whoever finds a recording can read it.

Axes: U updates, S seeds, P parameters of one seed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.training.config import Config

FORMAT = 1
HEADER_BYTES = 4096
MAX_BYTES = 2**30  # of one recording


class RecordingError(ValueError):
    """A file that is not a recording of this format, said in one sentence."""


class Recorder:
    """Writes a recording: the birth first, then one record an update. For one writer only."""

    def __init__(
        self, path: Path, config: Config, metrics: tuple[str, ...], birth: NDArray[np.float32]
    ) -> None:
        header = {
            "format": FORMAT,
            "config": asdict(config),
            "metrics": metrics,
            "num_seeds": birth.shape[0],
            "num_parameters": birth.shape[1],
        }
        line = json.dumps(header).encode()
        if len(line) >= HEADER_BYTES:
            raise RecordingError(f"the header takes {len(line)} bytes, more than {HEADER_BYTES}")
        self._metrics = metrics
        self._record = np.zeros(1, record_type(len(metrics), *birth.shape))
        unnamed = path.with_suffix(".new")
        # Buffered, then flushed: an unbuffered write may write a part and say nothing.
        self._file: BinaryIO = unnamed.open("xb")
        self._file.write(line.ljust(HEADER_BYTES - 1) + b"\n")
        self._record["metrics"] = np.nan
        self._write(birth, elapsed_s=0.0)
        unnamed.rename(path)

    def append(
        self,
        theta: NDArray[np.float32],
        metrics: Mapping[str, NDArray[np.float64]],
        elapsed_s: float,
    ) -> None:
        """One update: the parameters [S, P] after it and its metrics, each [S]."""
        self._record["metrics"][0] = [metrics[name] for name in self._metrics]
        self._write(theta, elapsed_s)

    def _write(self, theta: NDArray[np.float32], elapsed_s: float) -> None:
        self._record["theta"][0] = theta
        self._record["elapsed_s"] = elapsed_s
        if self._file.tell() + self._record.nbytes > MAX_BYTES:
            raise RecordingError(f"its recording grew to {MAX_BYTES >> 20} MB, the most allowed")
        self._file.write(self._record.tobytes())
        self._file.flush()

    def close(self) -> None:
        """No more updates will follow."""
        self._file.close()


class Recording:
    """Reads a recording, finished or still growing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        header = read_header(path)
        self.config: Config = header["config"]
        self.metric_names: tuple[str, ...] = header["metrics"]
        self.num_seeds: int = header["num_seeds"]
        self.num_parameters: int = header["num_parameters"]
        sizes = len(self.metric_names), self.num_seeds, self.num_parameters
        birth_bytes = path.stat().st_size - HEADER_BYTES
        if birth_bytes < 8 + sizes[1] * (8 * sizes[0] + 4 * sizes[2]):
            raise RecordingError(f"{path.name} ends before its first record does")
        self._type = record_type(*sizes)

    @property
    def num_updates(self) -> int:
        """U, the number of complete updates so far."""
        return (self.path.stat().st_size - HEADER_BYTES) // self._type.itemsize - 1

    def theta(self, update: int) -> NDArray[np.float32]:
        """The parameters [S, P] that PLAY update `update`; update U is the last policy learned."""
        records = self._records()
        if not 0 <= update < len(records):
            raise IndexError(f"this recording has updates 0 to {len(records) - 1}, not {update}")
        return np.array(records[update]["theta"])

    def metrics(self, start: int = 0) -> dict[str, NDArray[np.float64]]:
        """The metrics of the updates from `start` on, name → [U − start, S]."""
        return self._named(self._records()[start + 1 :])

    def elapsed_s(self) -> float:
        """Seconds of training until the last update."""
        return float(self._records()[-1]["elapsed_s"])

    def table(self) -> pd.DataFrame:
        """One row per update and seed: update, seed and the metrics."""
        block = self._records()[1:]
        update, seed = np.indices((len(block), self.num_seeds))
        columns = {"update": update.ravel(), "seed": seed.ravel()}
        metrics = {name: x.ravel() for name, x in self._named(block).items()}
        return pd.DataFrame(columns | metrics)

    def as_dict(self) -> dict[str, Any]:
        """The recording as plain numbers: configuration, metrics [U][S], last parameters [S][P].

        What is not finite is None, since JSON knows no NaN.
        """
        records = self._records()
        return {
            "format": FORMAT,
            "config": asdict(self.config),
            "num_updates": len(records) - 1,
            "metrics": {name: plain(x) for name, x in self._named(records[1:]).items()},
            "theta": plain(records[-1]["theta"]),
        }

    def _named(self, records: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        block = np.array(records["metrics"])
        return {name: block[:, i] for i, name in enumerate(self.metric_names)}

    def _records(self) -> NDArray[Any]:
        """The complete records at this moment, mapped: only what is looked at is read."""
        shape = (self.num_updates + 1,)
        return np.memmap(self.path, self._type, "r", offset=HEADER_BYTES, shape=shape)


def record_type(num_metrics: int, num_seeds: int, num_parameters: int) -> np.dtype:
    """The layout of one record."""
    return np.dtype(
        [
            ("elapsed_s", "<f8"),
            ("metrics", "<f8", (num_metrics, num_seeds)),
            ("theta", "<f4", (num_seeds, num_parameters)),
        ]
    )


def plain(x: NDArray[np.floating]) -> list[Any]:
    """Nested lists of numbers, None where a number is not finite."""
    numbers = x.astype(object)
    numbers[~np.isfinite(x)] = None
    return numbers.tolist()


def read_header(path: Path) -> dict[str, Any]:
    """The header of a recording, checked; it may come from a file that anything wrote."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(HEADER_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordingError(
            f"{path.name} is not a recording: it has no readable header"
        ) from error
    if not isinstance(header, dict) or "format" not in header:
        raise RecordingError(f"{path.name} is not a recording: its header names no format")
    if header["format"] != FORMAT:
        raise RecordingError(f"{path.name} has format {header['format']!r}, this is {FORMAT}")
    try:
        return {
            "config": _config(header["config"]),
            "metrics": _names(header["metrics"]),
            "num_seeds": _size(header["num_seeds"]),
            "num_parameters": _size(header["num_parameters"]),
        }
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RecordingError(f"{path.name} has a header that makes no sense: {error}") from error


def _config(settings: Any) -> Config:
    known = {field.name for field in fields(Config)}
    if not isinstance(settings, dict) or settings.keys() != known:
        raise ValueError("its settings are not those of this version")
    return Config(**settings)


def _names(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its metrics have no names")
    return tuple(names)


def _size(size: Any) -> int:
    if type(size) is not int or not 0 < size < 2**31:
        raise ValueError(f"{size!r} is not a size")
    return size
