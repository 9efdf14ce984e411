"""A recording: everything a run did, in one append-only file of equal records.

Record 0 is the birth of the ensemble; record u + 1 is update u. Since all records have the same
size, a reader knows how many are complete from the size of the file alone: it may read while a
worker writes, and a worker that was killed in mid-write leaves at most one record to ignore.

The file begins with one JSON line (the header), padded to 4,096 bytes. Nothing in it is executed.

Axes: U updates, S seeds, P parameters of one seed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.training.config import Config, ConfigError

FORMAT = 1
HEADER_BYTES = 4096


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
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._file.write(line.ljust(HEADER_BYTES - 1) + b"\n")
        self._record["metrics"] = np.nan
        self._write(birth, elapsed_s=0.0)

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
        self._file.write(self._record.tobytes())

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
        self._type = record_type(
            len(self.metric_names), header["num_seeds"], header["num_parameters"]
        )

    @property
    def num_updates(self) -> int:
        """U, the number of complete updates so far."""
        num_records = (self.path.stat().st_size - HEADER_BYTES) // self._type.itemsize
        return max(0, num_records - 1)

    def theta(self, update: int) -> NDArray[np.float32]:
        """The parameters [S, P] that PLAY update `update`; update U is the last policy learned."""
        if not 0 <= update <= self.num_updates:
            raise IndexError(f"this recording has updates 0 to {self.num_updates}, not {update}")
        return np.array(self._records()[update]["theta"])

    def metrics(self, start: int = 0) -> dict[str, NDArray[np.float64]]:
        """The metrics of the updates from `start` on, name → [U − start, S]."""
        block = np.array(self._records()[start + 1 :]["metrics"])
        return {name: block[:, i] for i, name in enumerate(self.metric_names)}

    def elapsed_s(self) -> float:
        """Seconds of training until the last update."""
        return float(self._records()[-1]["elapsed_s"])

    def table(self) -> pd.DataFrame:
        """One row per update and seed: update, seed and the metrics."""
        metrics = self.metrics()
        num_updates = len(metrics[self.metric_names[0]])
        update, seed = np.indices((num_updates, self.num_seeds))
        columns = {"update": update.ravel(), "seed": seed.ravel()}
        return pd.DataFrame(columns | {name: x.ravel() for name, x in metrics.items()})

    def as_dict(self) -> dict[str, Any]:
        """The recording as plain numbers: configuration, metrics [U][S], last parameters [S][P]."""
        return {
            "format": FORMAT,
            "config": asdict(self.config),
            "num_updates": self.num_updates,
            "metrics": {name: x.tolist() for name, x in self.metrics().items()},
            "theta": self.theta(self.num_updates).tolist(),
        }

    def _records(self) -> NDArray[Any]:
        num_records = self.num_updates + 1
        return np.memmap(self.path, self._type, "r", offset=HEADER_BYTES, shape=(num_records,))


def record_type(num_metrics: int, num_seeds: int, num_parameters: int) -> np.dtype:
    """The layout of one record."""
    return np.dtype(
        [
            ("elapsed_s", "<f8"),
            ("metrics", "<f8", (num_metrics, num_seeds)),
            ("theta", "<f4", (num_seeds, num_parameters)),
        ]
    )


def read_header(path: Path) -> dict[str, Any]:
    """The header of a recording, checked; it may come from a file that anything wrote."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(HEADER_BYTES))
        if header["format"] != FORMAT:
            raise RecordingError(f"{path.name} has format {header['format']}, this is {FORMAT}")
        checked = {
            "config": Config(**header["config"]),
            "metrics": tuple(str(name) for name in header["metrics"]),
            "num_seeds": int(header["num_seeds"]),
            "num_parameters": int(header["num_parameters"]),
        }
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordingError(
            f"{path.name} is not a recording: it has no readable header"
        ) from error
    except (KeyError, TypeError, ConfigError, OverflowError) as error:
        raise RecordingError(f"{path.name} has a header that makes no sense: {error}") from error
    return checked
