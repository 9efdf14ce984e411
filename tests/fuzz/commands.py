"""Command lines of `python -m pgviz` that nobody should type, in worker processes; some for real."""

import contextlib
import io
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from pathlib import Path

import pebble

from pgviz import exercises
from pgviz.training.methods import methods
from pgviz.worlds.named import named_worlds
from tests.fuzz import hostile
from tests.fuzz.report import Found
from tests.real import REPO

MOST_S = 60.0  # of one command; each of them has next to nothing to do
MOST_BYTES = 6 * 2**30  # of address space: torch alone maps some gigabytes
AMONG, SOLUTIONS = (
    20,
    40,
)  # one in so many runs as a process of its own; of the checks, one in so many
FLAGS = {
    "train": ("--num-seeds", "--rng-seed", "--num-updates", "--max-env-steps", "--set", "--world", "--watch"),
    "moments": ("--estimator", "--gamma", "--horizon", "--make", "--gae-lambda", "--baseline", "--values",
                "--values-scale", "--window", "--time-limit", "--num-episodes", "--rng-seed"),
    "check": ("--write", "--seconds"),
    "sheets": (),
    "figure": (),
}  # fmt: skip
SETTINGS = (
    "num_envs", "num_steps", "learning_rate", "gamma", "gae_lambda", "clip_coef", "ent_coef", "vf_coef", "hidden",
    "num_seeds", "num_updates", "method", "world", "rng_seed", "stop_when_solved", "zq7", "", "__class__",
)  # fmt: skip
WORLDS = (
    *named_worlds, "CartPole-v1", "Acrobot-v1", "FrozenLake-v1", "Taxi-v4", "Pendulum-v1", "CartPole-v0",
    "CliffWalking-v1", "Blackjack-v1", "zq7-v1", "no_such_module:Zq7-v1", "json:Zq7-v1", "", ".", "/", "/dev/null",
    "/dev/zero", "-", "{", "{}", "world.json", "no.json", "folder.json", "mine.py", ":", "a:b:c", "-v1", "v1",
)  # fmt: skip
SOURCES = (
    "", "\0", "\ufeff", "def gae(:\n", "raise SystemExit(3)", "import os; os._exit(0)", "while True: pass",
    "print('\\x1b]0;zq7\\x07' * 9)", "x = 'zq7' * 10**10", "def gae(*a, **k): return None", "exit()",
    "def gae(*a, **k): raise Exception('\\x1b[31mzq7\\n' * 99)", "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    "raise KeyboardInterrupt", "def gae(*a, **k): return float('nan')", "class gae: pass", "gae = 3", "import no_such_zq7",
    "def gae(*a, **k):\n    return [1e308 * 10] * 10**6", "raise type('E\\x1b[31m', (Exception,), {})", "1/0",
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "import sys; sys.stdout.close(); sys.stderr.close()",
    "print('zq7' * 10**8)", "open('/tmp/zq7-was-here', 'w').write('zq7')", "import threading; threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()",
    "import builtins; builtins.print = None", "from gae import *", "globals().clear()", "import os; os.fork()",
    "def gae(*a, **k):\n    class A(float):\n        def __float__(self): raise SystemExit\n    return A()",
    "def gae(rewards, *a, **k):\n    import numpy\n    return numpy.array([object()] * len(rewards))", "(" * 5000, "x = [" * 90,
)  # fmt: skip

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said on both outputs."""

    status: int | None
    said: str
    fault: str = ""


def prepare(folder: Path) -> None:
    """The files that command lines name."""
    (folder / "world.json").write_text(hostile._named()[1])
    (folder / "folder.json").mkdir()
    (folder / "mine.py").write_text("def gae(*a): return 0\n")
    (folder / "sheets").mkdir()
    for k in range(30):
        rng = hostile.source(0, "a sheet of a folder", k)
        name = hostile.text(rng, 100).replace("/", "").replace("\0", "").encode()[:100]
        with contextlib.suppress(OSError):
            content = hostile.document(rng, (hostile.progress,))[:300_000]
            (folder / "sheets" / os.fsdecode(name + b".json")).write_bytes(content)


def line(seed: int, number: int, folder: Path) -> list[str]:
    """The arguments of a command; a solution that `check` is to run is written first."""
    rng = hostile.source(seed, "command", number)
    if number % SOLUTIONS == 0:
        path = folder / f"mine-{number}.py"
        path.write_bytes(_solution(rng, number // SOLUTIONS))
        return ["check", rng.choice(["gae", *exercises.NAMES]), str(path), "--seconds", "3"]
    command = rng.choice(
        [
            "train",
            "train",
            "train",
            "moments",
            "moments",
            "moments",
            "check",
            "sheets",
            "figure",
            "",
            "zq7",
        ]
    )
    first = {
        "train": [_or_junk(rng, [*methods])],
        "moments": [_world(rng, folder, number)],
        "check": [
            _or_junk(rng, exercises.NAMES),
            *rng.choice([[], [_path(rng)], ["--list"], ["--skeleton"]]),
        ],
        "sheets": [rng.choice(["sheets", "sheets", ".", _path(rng)])],
        "figure": [_or_junk(rng, ["13.3", "13"])],
    }.get(command, [])
    arguments = [*first] if rng.random() < 0.95 else []
    if command == "train":
        arguments += (
            ["--num-updates", "1", "--num-seeds", "1", "--max-env-steps", "50"]
            if rng.random() < 0.7
            else ["--num-updates", "1"]
        )
    for flag in rng.choices(FLAGS.get(command, ()) or ("--zq7",), k=rng.choice([0, 1, 1, 1, 2, 3])):
        arguments += [flag] if rng.random() < 0.03 else _flag(rng, flag, folder, number)
    if rng.random() < 0.1:
        arguments.append(
            rng.choice(
                [
                    "--json",
                    "--help",
                    "-h",
                    "--stop-when-solved",
                    "--drop-gamma-t",
                    "--list",
                    "--",
                    "-",
                    _typed(rng),
                ]
            )
        )
    if rng.random() < 0.1:
        rng.shuffle(arguments)
    return [command or _typed(rng), *arguments] if rng.random() < 0.98 else arguments


def _solution(rng: random.Random, number: int) -> bytes:
    """A solution of an exercise that means no good, or a good one with something wrong in it."""
    if number < len(SOURCES):
        return SOURCES[number].encode()
    good = exercises.exercise(rng.choice(exercises.NAMES)).source().encode()
    return hostile.spoilt(rng, good)


def _or_junk(rng: random.Random, known: object) -> str:
    return rng.choice([*known]) if rng.random() < 0.85 else _typed(rng)  # type: ignore[misc]


def _typed(rng: random.Random) -> str:
    """What a system lets through as an argument: no null byte, but bytes that are no UTF-8."""
    text = hostile.text(rng, 20_000).replace("\0", "")
    data = text.encode("utf-8", "surrogatepass")[:20_000]
    return os.fsdecode(data + rng.choice([b"", b"", b"", b"\xff", b"\x9b31m"]))


def _path(rng: random.Random) -> str:
    return rng.choice(
        [
            "no.py",
            "mine.py",
            ".",
            "/",
            "",
            "/dev/null",
            "/dev/zero",
            "folder.json",
            "/proc/self/mem",
            _typed(rng),
        ]
    )


def _world(rng: random.Random, folder: Path, number: int) -> str:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(WORLDS)
    if kind < 0.7:
        return _typed(rng)
    path = folder / f"world-{number}.json"
    path.write_bytes(hostile.document(rng, hostile.WORLDS))
    return str(path)


WHOLE = ("0", "1", "2", "5", "-1", "100", "2147483648", "9223372036854775807", "9" * 30)
LITTLE = ("0", "1", "2", "-1", "1.0", "zq7")  # what would run for long is no fault
REAL = (
    "0",
    "0.0",
    "1",
    "0.5",
    "0.9",
    "-12",
    "1e308",
    "-1e308",
    "1e-320",
    "nan",
    "inf",
    "-inf",
    "1e6",
    "1e-9",
)
FOUND = ("is_slippery=false", "map_name=8x8", "desc=[]", 'desc=["SFG"]', "desc=[[[", "render_mode=human", "success_rate=2",
         "is_slippery=1e999", "map_name=null", 'desc=["zq7"]', "is_rainy=true", "fickle_passenger=1")  # fmt: skip


def _flag(rng: random.Random, flag: str, folder: Path, number: int) -> list[str]:
    """A flag with its value: most of the right kind and at its limits."""
    own: dict[str, list[str]] = {
        "--world": [_world(rng, folder, number)],
        "--watch": ["/no/such/folder/a.gif", "", ".", "/dev/full"],
        "--write": ["/no/such/folder/a.py", "", ".", "mine.py", f"{number}.ipynb", f"\x1b[31m{number}.py", f"{number}\udc9b.py"],
        "--set": [f"{rng.choice(SETTINGS)}={rng.choice([*WHOLE, *REAL, _typed(rng)])}", "zq7", "=", "=="],
        "--make": [*FOUND],
        "--estimator": ["full-return", "reward-to-go", "td", "gae"],
        "--values": ["true", "0,0", "1,2,3", ",", "nan,nan", "true,1", ",".join(["1"] * 5000)],
        "--num-updates": [*LITTLE],
        "--num-episodes": ["2", "100", "0", "-1", "1000001"],
        "--seconds": ["1", "0", "nan", "inf", "3600", "-1"],
    }  # fmt: skip
    real = {"--gamma", "--gae-lambda", "--baseline", "--values-scale"}
    value = rng.choice(own.get(flag, [*(REAL if flag in real else WHOLE)]))
    return [
        flag,
        value if rng.random() < 0.85 else rng.choice([_typed(rng), rng.choice(hostile.NUMBERS)]),
    ]


# --- running one ---


def in_this_process(arguments: list[str], folder: str) -> Ended:
    """As `python -m pgviz` would do it, with its outputs caught."""
    from pgviz.__main__ import status

    os.chdir(folder)
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", "strict")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    sys.argv, sys.stdin = ["pgviz", *arguments], io.TextIOWrapper(io.BytesIO(b"{}"))
    ended, fault = None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            ended = status()
        except SystemExit as leaving:
            ended = leaving.code if isinstance(leaving.code, int) else 1
        except OSError as error:  # main says so in a sentence
            ended, fault = 1, "" if error.errno else repr(error)
        except BaseException:
            fault = traceback.format_exc(limit=-4)
        out.flush()
        err.flush()
    said = b"".join(each.buffer.getvalue() for each in (out, err))  # type: ignore[attr-defined]
    return Ended(ended, said.decode("utf-8", "surrogateescape"), fault)


def as_a_process(arguments: list[str], folder: str) -> Ended:
    """For real."""
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pgviz", *arguments], cwd=folder, input=b"{}", capture_output=True,
            env={**os.environ, "PYTHONPATH": str(REPO), "PYTHONUTF8": "1"}, timeout=MOST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TooLate from None
    except (ValueError, OSError):  # the system itself refuses such an argument
        return Ended(2, "")
    said = (ran.stdout + ran.stderr).decode("utf-8", "surrogateescape")
    return Ended(ran.returncode, said)


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def run_all(number: int, seed: int, minutes: float = 60) -> Found:
    """So many command lines, one after the other in two workers."""
    found, begun = Found("command lines"), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        context = multiprocessing.get_context("spawn")
        with pebble.ProcessPool(2, context=context, initializer=_limited) as pool:
            asked = []
            for k in range(number):
                arguments = line(seed, k, folder)
                real = k % AMONG == 1
                work = as_a_process if real else in_this_process
                asked.append(
                    (k, arguments, pool.schedule(work, [arguments, name], timeout=2 * MOST_S))
                )
            for k, arguments, future in asked:
                if time.monotonic() - begun < 60 * minutes:
                    _note(found, k, arguments, future)
                else:
                    future.cancel()
    found.bytes_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    found.seconds = time.monotonic() - begun
    return found


def _note(found: Found, number: int, arguments: list[str], future: pebble.ProcessFuture) -> None:
    found.number += 1
    name = f"number {number}, {[a[:60] for a in arguments]}"
    try:
        ended: Ended = future.result()
    except TooLate:
        found.hangs.append(name)
        return
    except Exception as fault:  # the worker has died
        found.tracebacks.append(f"{name}: {type(fault).__name__} {fault}")
        return
    found.refused += ended.status == 2
    broken, obeyed = faults_of(ended)
    found.tracebacks += [f"{name}: {fault}" for fault in broken]
    found.live += [f"{name}: {fault}" for fault in obeyed]


def faults_of(ended: Ended) -> tuple[list[str], list[str]]:
    """How a command may not end, and what a terminal would obey."""
    broken, obeyed = [], []
    if ended.fault or "Traceback (most recent call last)" in ended.said:
        broken.append((ended.fault or ended.said)[-700:])
    elif ended.status not in (0, 1, 2):
        broken.append(f"status {ended.status}")
    at = next((k for k, letter in enumerate(ended.said) if _obeyed(letter)), -1)
    if at >= 0:
        obeyed.append(repr(ended.said[max(0, at - 60) : at + 20]))
    return broken, obeyed


def _obeyed(letter: str) -> bool:
    """Whether a terminal does something else than to show it; progress bars turn back."""
    return (unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\r") or letter in BIDI
