"""A recording: everything a run did, in one append-only file of equal records.

Record 0 is the birth of the ensemble; record u + 1 is update u. Since all records have the same
size, a reader knows how many are complete from the size of the file alone: it may read while a
worker writes, and a worker that was killed in mid-write leaves at most one record to ignore.

The file begins with one JSON line (the header), padded to 4,096 bytes. Nothing in it is executed.
It gets its name together with its birth: whoever finds a recording can read it.

A finished recording has a file `….done` beside it with its size and its checksum (BLAKE2b of header
and records). A server that finds a recording on its disk reads it whole against both before use.

Axes: U updates, S seeds, P parameters of one seed.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.training import METRICS
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.training.methods import RATIO_METRICS

FORMAT = 4
HEADER_BYTES = 4096
MAX_BYTES = 2**30  # of one recording
BLOCK_BYTES = 2**20  # read at a time while a recording is checked
SMALL_RECORD = 2**14  # bytes; smaller ones are faster read whole than in part

# Never wait for a pipe, never follow a link; where a system has no such flag, `opened` looks first.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
)

Stamp = tuple[int, ...]  # changes with the content of a file


class RecordingError(ValueError):
    """A file that is not a recording of this format, said in one sentence."""


class Recorder:
    """Writes a recording: the birth first, then one record an update. For one writer only."""

    def __init__(
        self, path: Path, config: Config, metrics: tuple[str, ...], birth: NDArray[np.float32]
    ) -> None:
        header = {
            "format": FORMAT,
            "kind": type(config).__name__,
            "config": asdict(config),
            "metrics": metrics,
            "num_seeds": birth.shape[0],
            "num_parameters": birth.shape[1],
        }
        line = json.dumps(header).encode()
        if len(line) >= HEADER_BYTES:
            raise RecordingError(f"the header takes {len(line)} bytes, more than {HEADER_BYTES}")
        if not np.isfinite(birth).all():
            raise RecordingError("it begins with parameters that are not finite")
        self._path = path
        self._metrics = metrics
        self._config = config
        self._record = np.zeros(1, record_type(len(metrics), *birth.shape))
        self._digest = hashlib.blake2b()
        unnamed = path.with_suffix(".new")
        # Buffered, then flushed: an unbuffered write may write a part and say nothing.
        self._file: BinaryIO = unnamed.open("xb")
        self._put(line.ljust(HEADER_BYTES - 1) + b"\n")
        self._record["metrics"] = np.nan
        self._write(birth, elapsed_s=0.0)
        unnamed.rename(path)

    def append(
        self,
        theta: NDArray[np.float32],
        metrics: Mapping[str, NDArray[np.float64]],
        elapsed_s: float,
    ) -> None:
        """One update: the parameters [S, P] after it and its metrics, each [S].

        RecordingError if a number is not finite that must be, or if somebody deleted the file.
        """
        if not sane(theta, metrics, self._config):
            raise RecordingError("it diverged: an update made numbers that are not finite")
        self._record["metrics"][0] = [metrics[name] for name in self._metrics]
        self._write(theta, elapsed_s)
        self._require_name()

    def _write(self, theta: NDArray[np.float32], elapsed_s: float) -> None:
        self._record["theta"][0] = theta
        self._record["elapsed_s"] = elapsed_s
        if self._file.tell() + self._record.nbytes > MAX_BYTES:
            raise RecordingError(f"its recording grew to {MAX_BYTES >> 20} MB, the most allowed")
        self._put(self._record.tobytes())
        self._file.flush()

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)

    def _require_name(self) -> None:
        """A file that was deleted, moved or replaced can still be written, and nobody reads it."""
        try:
            named = os.path.samestat(self._path.lstat(), os.fstat(self._file.fileno()))
        except (FileNotFoundError, NotADirectoryError):
            named = False
        if not named:
            raise RecordingError("its recording was deleted while it was being written")

    def seal(self) -> None:
        """The run has finished: say so in a file `….done`, which is there as a whole or not at all."""
        self._require_name()
        unnamed = self._path.with_suffix(".new")
        unnamed.write_text(f"{self._file.tell()} {self._digest.hexdigest()}")
        unnamed.replace(self._path.with_suffix(".done"))

    def close(self) -> None:
        """No more updates will follow."""
        self._file.close()


class Recording:
    """Reads a recording, finished or still growing; RecordingError once it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with opened(path) as file:
            self._begin(file)

    def _begin(self, file: BinaryIO) -> None:
        header = read_header(file, self.path.name)
        self.config: Config = header["config"]
        self.metric_names: tuple[str, ...] = header["metrics"]
        self.num_seeds: int = header["num_seeds"]
        self.num_parameters: int = header["num_parameters"]
        sizes = len(self.metric_names), self.num_seeds, self.num_parameters
        num_bytes = os.fstat(file.fileno()).st_size
        if num_bytes < HEADER_BYTES + 8 + sizes[1] * (8 * sizes[0] + 4 * sizes[2]):
            raise RecordingError(f"{self.path.name} ends before its first record does")
        if num_bytes > MAX_BYTES:
            raise RecordingError(f"{self.path.name} is larger than {MAX_BYTES >> 20} MB")
        self._type = record_type(*sizes)

    @property
    def num_updates(self) -> int:
        """U, the number of complete updates so far."""
        with opened(self.path) as file:
            return self._num_records(file) - 1

    def theta(self, update: int) -> NDArray[np.float32]:
        """The parameters [S, P] that PLAY update `update`; update U is the last policy learned."""
        with opened(self.path) as file:
            num_records = self._num_records(file)
            if not 0 <= update < num_records:
                raise IndexError(f"this recording has updates 0 to {num_records - 1}, not {update}")
            return np.array(self._records(file, update, update + 1)[0]["theta"])

    def metrics(self, start: int = 0) -> dict[str, NDArray[np.float64]]:
        """The metrics of the updates from `start` on, name → [U − start, S]."""
        with opened(self.path) as file:
            return self._metrics(file, start, self._num_records(file) - 1)

    def elapsed_s(self) -> float:
        """Seconds of training until the last update."""
        with opened(self.path) as file:
            last = self._num_records(file) - 1
            return float(self._records(file, last, last + 1)[0]["elapsed_s"])

    def table(self) -> pd.DataFrame:
        """One row per update and seed: update, seed and the metrics."""
        metrics = self.metrics()
        num_updates = len(next(iter(metrics.values()), ()))
        update, seed = np.indices((num_updates, self.num_seeds))
        columns = {"update": update.ravel(), "seed": seed.ravel()}
        return pd.DataFrame(columns | {name: x.ravel() for name, x in metrics.items()})

    def as_dict(self) -> dict[str, Any]:
        """The recording as plain numbers: configuration, metrics [U][S], last parameters [S][P].

        What is not finite is None, since JSON knows no NaN.
        """
        with opened(self.path) as file:
            last = self._num_records(file) - 1
            metrics = self._metrics(file, 0, last)
            theta = self._records(file, last, last + 1)[0]["theta"]
        return {
            "format": FORMAT,
            "config": asdict(self.config),
            "num_updates": last,
            "metrics": {name: plain(x) for name, x in metrics.items()},
            "theta": plain(theta),
        }

    def _num_records(self, file: BinaryIO) -> int:
        """The number of complete records at this moment, the birth included."""
        num_bytes = os.fstat(file.fileno()).st_size - HEADER_BYTES
        if num_bytes < self._type.itemsize:
            raise RecordingError(f"{self.path.name} ends before its first record does")
        return num_bytes // self._type.itemsize

    def _records(self, file: BinaryIO, start: int, stop: int) -> NDArray[Any]:
        """The records start … stop − 1, read and not mapped: a mapped file must not get shorter."""
        file.seek(HEADER_BYTES + start * self._type.itemsize)
        data = file.read(max(0, stop - start) * self._type.itemsize)
        if len(data) % self._type.itemsize or len(data) < (stop - start) * self._type.itemsize:
            raise RecordingError(f"{self.path.name} was cut short while it was being read")
        return np.frombuffer(data, self._type)

    def _metrics(self, file: BinaryIO, start: int, stop: int) -> dict[str, NDArray[np.float64]]:
        """The metrics of the updates start … stop − 1, without the parameters of large records."""
        size = self._type.itemsize
        if size <= SMALL_RECORD:
            return self._named(self._records(file, start + 1, stop + 1)["metrics"])
        part = record_type(len(self.metric_names), self.num_seeds)
        pieces = []
        for record in range(start + 1, stop + 1):
            file.seek(HEADER_BYTES + record * size)
            pieces.append(file.read(part.itemsize))
        if any(len(piece) < part.itemsize for piece in pieces):
            raise RecordingError(f"{self.path.name} was cut short while it was being read")
        return self._named(np.frombuffer(b"".join(pieces), part)["metrics"])

    def _named(self, block: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        block = np.array(block)
        return {name: block[:, i] for i, name in enumerate(self.metric_names)}

    def _check(self, file: BinaryIO, config: Config, size: int, checksum: str) -> None:
        """RecordingError unless this is, whole, what training with `config` records."""
        self._begin(file)
        name = self.path.name
        expected = config, METRICS, config.num_seeds, Agent.of(config).num_parameters
        found = self.config, self.metric_names, self.num_seeds, self.num_parameters
        if found != expected:
            raise RecordingError(f"{name} is of another configuration")
        num_records, rest = divmod(size - HEADER_BYTES, self._type.itemsize)
        if os.fstat(file.fileno()).st_size != size or rest:
            raise RecordingError(f"{name} has not the size it was finished with")
        digest = hashlib.blake2b()
        file.seek(0)
        digest.update(file.read(HEADER_BYTES))
        at_once = max(1, BLOCK_BYTES // self._type.itemsize)
        for start in range(0, num_records, at_once):
            records = self._records(file, start, min(start + at_once, num_records))
            digest.update(records.data)
            if start == 0 and not np.isfinite(records[0]["theta"]).all():
                raise RecordingError(f"{name} begins with parameters that are not finite")
            updates = records[1:] if start == 0 else records
            if not sane(updates["theta"], self._named(updates["metrics"]), config):
                raise RecordingError(f"{name} holds numbers that are not finite")
        if digest.hexdigest() != checksum:
            raise RecordingError(f"{name} has not the checksum it was finished with")
        if not has_finished(config, num_records - 1, self._named(records[-1:]["metrics"])):
            raise RecordingError(f"{name} ends before its run had finished")


def checked(path: Path, config: Config) -> tuple[Recording, Stamp]:
    """The finished recording of a configuration, read whole before anything of it is believed.

    With it the stamp of what was read. RecordingError, one sentence, if it is anything else.
    """
    with opened(path.with_suffix(".done")) as file:
        words = file.read(300).split()
    if len(words) != 2 or not words[0].isdigit() or len(words[0]) > 12:
        raise RecordingError(f"{path.name} has no size and checksum beside it")
    recording = Recording(path)
    with opened(path) as file:
        recording._check(file, config, int(words[0]), words[1].decode(errors="replace"))
        return recording, stamp_of(os.fstat(file.fileno()))


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading. A pipe, a device, a link or a directory is refused."""
    try:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            file = os.fdopen(os.open(path, _FLAGS), "rb")
            if os.path.samestat(status, os.fstat(file.fileno())):
                return file
            file.close()  # another one has taken its place since
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RecordingError(f"{path.name} is not a recording: it does not exist") from error
    except OSError as error:
        if error.errno != errno.ELOOP:  # a link that has just taken its place
            raise
    raise RecordingError(f"{path.name} is not a recording: it is no regular file")


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells that a file is the same one, unchanged."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def sane(
    theta: NDArray[np.float32], metrics: Mapping[str, NDArray[np.float64]], config: Config
) -> bool:
    """Whether all is finite that must be: parameters [..., S, P], and metrics name → [..., S].

    NaN stands for what has no value: returns before the first episode has ended, and what is
    measured of a critic or of ratios where there are none, or where what V̂ explains does not vary.
    """
    none_yet = metrics["num_episodes"] == 0
    undefined: dict[str, Any] = {
        "episode_return": none_yet,
        "trailing_return": none_yet,
        "value_loss": not config.has_critic,
        "explained_variance": True,
        "objective": True,
        **dict.fromkeys(RATIO_METRICS, not config.reuses_batch),
    }
    return bool(np.isfinite(theta).all()) and all(
        bool((np.isfinite(x) | (np.isnan(x) & undefined.get(name, False))).all())
        for name, x in metrics.items()
    )


def has_finished(config: Config, num_updates: int, last: Mapping[str, NDArray[np.float64]]) -> bool:
    """Whether training ends after this many updates, the last one with these metrics [..., S]."""
    if num_updates == config.num_updates:
        return True
    done = np.zeros(config.num_seeds, np.bool_)
    if config.stop_when_solved:
        done |= last["solved"].reshape(-1) > 0
    if config.max_env_steps:
        done |= last["env_steps"].reshape(-1) >= config.max_env_steps
    return 0 < num_updates < config.num_updates and bool(done.all())


def record_type(num_metrics: int, num_seeds: int, num_parameters: int | None = None) -> np.dtype:
    """The layout of one record; without a number of parameters, of its part before them."""
    layout: list[Any] = [("elapsed_s", "<f8"), ("metrics", "<f8", (num_metrics, num_seeds))]
    if num_parameters is not None:
        layout.append(("theta", "<f4", (num_seeds, num_parameters)))
    return np.dtype(layout)


def plain(x: NDArray[np.floating]) -> list[Any]:
    """Nested lists of numbers, None where a number is not finite."""
    numbers = x.astype(object)
    numbers[~np.isfinite(x)] = None
    return numbers.tolist()


def read_header(file: BinaryIO, name: str) -> dict[str, Any]:
    """The header of a recording, checked; it may come from a file that anything wrote."""
    try:
        header = json.loads(file.read(HEADER_BYTES))
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{name} is not a recording: it has no readable header") from error
    if not isinstance(header, dict) or "format" not in header:
        raise RecordingError(f"{name} is not a recording: its header names no format")
    if header["format"] != FORMAT:
        raise RecordingError(f"{name} has format {header['format']!r}, this is {FORMAT}")
    try:
        return {
            "config": _config(header["kind"], header["config"]),
            "metrics": _names(header["metrics"]),
            "num_seeds": _size(header["num_seeds"]),
            "num_parameters": _size(header["num_parameters"]),
        }
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RecordingError(f"{name} has a header that makes no sense: {error}") from error


def _config(kind: Any, settings: Any) -> Config:
    """Of a kind that is known already: a header loads nothing."""
    known_kinds: list[type[Config]] = [Config, *Config.__subclasses__()]
    kinds = {each.__name__: each for each in known_kinds}
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError("its kind of configuration is unknown")
    known = {field.name for field in fields(kinds[kind])}
    if not isinstance(settings, dict) or settings.keys() != known:
        raise ValueError("its settings are not those of this version")
    return kinds[kind](**settings)


def _names(names: Any) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its metrics have no names")
    return tuple(names)


def _size(size: Any) -> int:
    if type(size) is not int or not 0 < size < 2**31:
        raise ValueError(f"{size!r} is not a size")
    return size
