"""The folder of recordings, which several servers may share: what is whole, what is kept, what goes."""

import logging
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Set
from contextlib import suppress
from itertools import count
from pathlib import Path

from pgviz.runs import worker
from pgviz.runs.recording import RecordingError, Stamp, checked, stamp_of
from pgviz.training.config import Config

MAX_BYTES = 512 * 2**20  # of recordings that nobody watches …
MAX_IDLE = 1000  # … and their number
SPARE_BYTES = 64 * 2**20  # of the disk that recordings nobody watches leave free
RECENT_S = 120.0  # what another server has marked since, it needs
DAY_S = 86_400.0  # a clock may be set back; what is dated later than a day ahead is no mark
STALE_S = 3600.0  # after that, what is no finished recording was left by a server that died
_BESIDE = (".new", ".stop", ".claim", ".looks")

_logger = logging.getLogger(__name__)


class Shelf:
    """A folder of recordings; without a name a temporary one."""

    def __init__(self, directory: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self.is_temporary = directory is None
        if directory is None:
            directory = Path(tempfile.mkdtemp(prefix="pgviz-"))
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory.resolve()
        self.max_bytes = max_bytes
        self._name = uuid.uuid4().hex[:8]  # of this server, in the names of its recordings
        self._numbers = count()

    def new(self, key: str) -> Path:
        """Where the next recording of this run will be; no server writes what another one does."""
        return self.directory / f"{key}.{self._name}-{next(self._numbers):x}.run"

    def is_ours(self, path: Path) -> bool:
        """Whether this server has made it."""
        return f".{self._name}-" in path.name

    def whole(self, key: str, config: Config) -> tuple[Path, Stamp] | None:
        """A finished recording, checked; what is refused is not looked at again."""
        for done in self.directory.glob(f"{key}.*.done"):
            path = done.with_suffix(".run")
            try:
                _, found = checked(path, config)
            except RecordingError as error:
                _logger.warning("A recording on disk is not used: %s.", error)
                unlink(done)
            except OSError as error:
                _logger.warning("%s cannot be read: %s.", path.name, worker.sentence(error))
            else:
                touch(path)
                return path, found
        return None

    def make_room(self, needed: Set[Path]) -> None:
        """Delete the recordings nobody needs, longest unseen first, until the rest fits."""
        idle = []
        for path in self.directory.glob("*.run"):
            status = _status(path)
            if status is not None and path not in needed:
                seen = (_status(_done(path)) or status).st_mtime
                if self.is_ours(path) or not -DAY_S < time.time() - seen < RECENT_S:
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
                delete(path)

    def tidy(self) -> None:
        """Delete what servers that were killed have left: halves, and what stands beside them."""
        for path in _files(self.directory):
            half = path.suffix == ".run" and not _done(path).exists() and not self.is_ours(path)
            status = _status(path) if half or path.suffix in _BESIDE else None
            if status is not None and time.time() - status.st_mtime > STALE_S:
                unlink(path)

    def close(self) -> None:
        """A temporary folder goes with the server."""
        if self.is_temporary:
            shutil.rmtree(self.directory, ignore_errors=True)


def _files(directory: Path) -> list[Path]:
    with suppress(OSError):  # somebody may have tidied up
        return [*directory.iterdir()]
    return []


def stamp(path: Path) -> Stamp | None:
    """What tells that a file is still the same; None if there is none."""
    status = _status(path)
    return None if status is None else stamp_of(status)


def touch(path: Path) -> None:
    """A recording was seen. One that is finished is not touched itself: it must stay the same."""
    with suppress(OSError):
        os.utime(_done(path) if _status(_done(path)) else path)


def unlink(path: Path) -> None:
    """Delete a file, if it is there and can be deleted."""
    with suppress(OSError):
        path.unlink()


def delete(path: Path) -> None:
    """Delete a recording and what stands beside it."""
    for suffix in (".done", ".run", ".stop", ".new"):
        unlink(path.with_suffix(suffix))


def _status(path: Path) -> os.stat_result | None:
    """What the system knows of a regular file; None if there is none."""
    with suppress(OSError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            return status
    return None


def _done(path: Path) -> Path:
    """What stands beside a finished recording; its time says when the recording was last seen."""
    return path.with_suffix(".done")
