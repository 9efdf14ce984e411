"""A learner's file in a process of its own, with limits; its functions are called over a pipe.

Verdicts are reached on this side, from answers that are numbers and nothing else. The limits keep
mistakes from doing harm on the learner's own machine: loops without an end, floods of output,
memory, stray files. They are no prison for code that is meant to break out, so a server that
others use must never run this; `lint-imports` keeps it out of the app.
"""

import json
import os
import secrets
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import numpy as np

from pgviz.exercises import child
from pgviz.exercises.checking import Refused, Unusable

LARGEST_FILE = 256 * 1024
LONGEST_ANSWER = 16 * 1024 * 1024
NOT_LIMITED = (
    "On Windows only the time and the output of the file are limited, not its memory and its"
    " processes."
)


@dataclass(frozen=True)
class Limits:
    """What a learner's file may use, all its calls together; sizes are bytes.

    When the time is up the child names the line that was running; `grace` seconds later it is
    ended from here.
    """

    seconds: float = 60.0
    grace: float = 2.0
    memory: int = 4 * 1024**3
    file_size: int = 16 * 1024**2
    output: int = 64 * 1024

    def of_system(self) -> dict[str, int]:
        """By the names of the `resource` module."""
        return {
            "RLIMIT_CPU": int(self.seconds + self.grace) + 1,
            "RLIMIT_AS": self.memory,
            "RLIMIT_FSIZE": self.file_size,
            "RLIMIT_NPROC": 0,
            "RLIMIT_CORE": 0,
        }


def read(path: Path) -> str:
    """The text of a learner's file; raises Unusable, one sentence, if it cannot be one."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise Unusable(f"{path} is a folder, not a file.")
        if not stat.S_ISREG(found.st_mode):
            raise Unusable(f"{path} is not an ordinary file.")
        if found.st_size > LARGEST_FILE:
            raise Unusable(
                f"{path} is larger than {LARGEST_FILE // 1024} kB: that is no file of an exercise."
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Unusable(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise Unusable(f"{path} is not a text in UTF-8.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unusable(f"{path} cannot be read: {reason}.") from None
    if "\0" in text:
        raise Unusable(f"{path} is not a text.")
    if not text.strip():
        raise Unusable(f"{path} is empty.")
    return text


class Sandbox:
    """`with Sandbox(source, "gae.py") as call:` starts the process; leaving it ends the process."""

    def __init__(self, source: str, filename: str, limits: Limits | None = None) -> None:
        self.source, self.filename = source, printable(filename)
        self.limits = limits or Limits()
        self.printed = bytearray()
        self.stopped = ""  # why it was stopped from here

    def __enter__(self) -> "Sandbox":
        try:
            self.folder = TemporaryDirectory(prefix="pgviz-check-", ignore_cleanup_errors=True)
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-u", "-X", "utf8", child.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.folder.name,
                env=_environment(self.folder.name),
                start_new_session=True,
            )
        except OSError as error:
            raise Unusable(
                f"A process for {self.filename} cannot be started: {error.strerror or error}."
            ) from None
        self.reader = threading.Thread(target=self._keep_what_it_prints, daemon=True)
        self.reader.start()
        self.watch = threading.Timer(
            self.limits.seconds + self.limits.grace, self._stop, [self._late()]
        )
        self.watch.daemon = True
        self.watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.watch.cancel()
        self._kill()
        self.process.wait()
        self.reader.join(timeout=self.limits.grace)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not written is of no use any more
                pipe.close()
        self.folder.cleanup()

    def load(self) -> None:
        """Run the file; raises Refused, one sentence, if it does not run to its end."""
        here = str(Path(__file__).parents[2])
        path = [entry for entry in sys.path if entry and os.path.abspath(entry) != here]
        self._ask(
            path=path,
            seconds=self.limits.seconds,
            limits=self.limits.of_system(),
            folder=self.folder.name,
            source=self.source,
            filename=self.filename,
        )

    def call(self, name: str, arguments: tuple[Any, ...]) -> tuple[np.ndarray, list[int]]:
        """The answer of a function, and the numbers of the arguments it wrote into."""
        answer = self._ask(name=name, arguments=child.encode(arguments))
        try:
            value, changed = child.decode(answer["value"]), answer["changed"]
            good = isinstance(value, np.ndarray) and value.dtype == np.float64
            if not good or not all(i in range(len(arguments)) for i in changed):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise self._nonsense() from None
        return value, changed

    def said(self) -> str:
        """What the learner's code has printed, as far as it was kept."""
        return self.printed.decode(errors="replace")

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        nonce = secrets.token_hex(16)
        try:
            self.process.stdin.write(json.dumps({"nonce": nonce, **request}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self._ended() from None
        line = self.process.stdout.readline(LONGEST_ANSWER)
        if not line:
            raise self._ended()
        try:
            answer = json.loads(line)
            if answer.pop("nonce") != nonce:
                raise ValueError
            fault = answer.get("fault")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._nonsense() from None
        if fault is not None:
            raise Refused(
                printable(str(fault)), bool(answer.get("late")), bool(answer.get("raised"))
            )
        return answer

    def _ended(self) -> Refused:
        """Why there is no answer."""
        try:
            status = self.process.wait(timeout=self.limits.grace)
        except subprocess.TimeoutExpired:
            self._kill()
            return Refused(f"{self.filename} closed the pipe that carries its answers.", last=True)
        if self.stopped:
            return Refused(self.stopped, last=True)
        if status == child.BROKEN:
            reason = "breaks the Python that runs it, so that nothing can answer any more"
        elif status >= 0:
            reason = f"ended Python with status {status}: a function of an exercise returns instead"
        elif -status == getattr(signal, "SIGXCPU", None):
            return Refused(self._late(), last=True)
        elif -status == getattr(signal, "SIGKILL", None):
            reason = "was killed by the system, most likely because of its memory"
        else:
            reason = "made Python itself crash: it may call itself too deeply"
        return Refused(f"{self.filename} {reason}.", last=True)

    def _nonsense(self) -> Refused:
        self._kill()
        return Refused(f"{self.filename} writes into the pipe that carries its answers.", last=True)

    def _late(self) -> str:
        return (
            f"{self.filename} did not end within {self.limits.seconds:g} s: is there a loop without"
            " an end?"
        )

    def _keep_what_it_prints(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as pipe:
            while chunk := os.read(pipe.fileno(), 8192):
                self.printed += chunk
                if len(self.printed) > self.limits.output:
                    del self.printed[self.limits.output :]
                    self._stop(
                        f"{self.filename} printed more than {self.limits.output // 1024} kB: take"
                        " out what prints in a loop."
                    )
                    return

    def _stop(self, reason: str) -> None:
        self.stopped = self.stopped or reason
        self._kill()

    def _kill(self) -> None:
        """The whole group, then the process itself, should it have left the group."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()


def printable(text: str) -> str:
    """Text from the other side as one printable line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:1000]


def _environment(folder: str) -> dict[str, str]:
    """As little as Python needs; the threads of linear algebra would count as processes."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**kept, **one_thread, "HOME": folder, "TMPDIR": folder}
