"""Who trains a configuration, where several servers share a folder: one of them, for all.

`….claim` is locked by the server that trains it and names its recording; `….looks` is locked, and
shared, by the servers whose visitors look on. The system takes a lock away from a process that
ends, however it ends: no server waits for one that is gone, and no clock is asked.
"""

import fcntl
import os
import re
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MOST_TRIES = 100  # each fails only if somebody deletes the file in that moment
_NAME = re.compile(rb"[0-9a-f]{16}\.[0-9a-f]+-[0-9a-f]+\.run")


class Lock:
    """A lock on a file, of one holder or shared; BlockingIOError if another has it.

    It holds nothing where there is no such file and none is to be made, where the folder is gone,
    and where the file system knows no locks: then every server is alone.
    """

    def __init__(self, path: Path, shared: bool = False, make: bool = True) -> None:
        self.path = path
        self._file = -1
        flags = _FLAGS | (os.O_CREAT if make else 0)
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        for _ in range(_MOST_TRIES):
            try:
                self._file = os.open(path, flags, 0o600)
                fcntl.flock(self._file, how)
                if os.path.samestat(path.lstat(), os.fstat(self._file)):
                    return
            except BlockingIOError:
                self._close()
                raise
            except FileNotFoundError:  # deleted between the two looks
                if not make:
                    self._close()
                    return
            except OSError:
                self._close()
                return
            self._close()

    def write(self, text: str) -> None:
        """Say something to whoever reads the file."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, text.encode(), 0)

    def release(self, and_delete: bool = True) -> None:
        """Give it back. The last holder deletes the file first: nobody locks one that has gone."""
        if self._file >= 0 and and_delete:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.path.unlink()
        self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


class Claim:
    """That this server trains a configuration; BlockingIOError if another one does."""

    def __init__(self, recording: Path) -> None:
        claim, self._looks = _files(recording.parent, recording.name.partition(".")[0])
        self._lock = Lock(claim)
        self._lock.write(recording.name)

    def is_followed(self) -> bool:
        """Whether visitors of another server look on."""
        return _is_locked(self._looks, by_many=True)

    def release(self) -> None:
        """The run has ended, well or not."""
        self._lock.release()


class Follower:
    """That visitors of this server look at a run which another one trains."""

    def __init__(self, directory: Path, key: str) -> None:
        self._directory = directory
        self._claim, self._looks = _files(directory, key)
        self._lock: Lock | None = None
        self._look_on()

    def _look_on(self) -> None:
        with suppress(BlockingIOError):  # the trainer asks in this moment whether anybody does
            self._lock = self._lock or Lock(self._looks, shared=True)

    def recording(self) -> Path | None:
        """Where the other server records; None if it does not say, or no longer."""
        try:
            name = self._claim.read_bytes()
        except OSError:
            return None
        return self._directory / name.decode() if _NAME.fullmatch(name) else None

    def is_over(self) -> bool:
        """Whether nobody trains it any more: it has ended, or the other server has."""
        self._look_on()
        return not _is_locked(self._claim)

    def release(self) -> None:
        """Look on no longer."""
        if self._lock is not None:
            self._lock.release()


def _is_locked(path: Path, by_many: bool = False) -> bool:
    try:
        Lock(path, shared=not by_many, make=False).release(and_delete=False)
    except BlockingIOError:
        return True
    return False


def _files(directory: Path, key: str) -> tuple[Path, Path]:
    return directory / f"{key}.claim", directory / f"{key}.looks"
