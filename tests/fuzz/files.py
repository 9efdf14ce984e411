"""Files of visitors: worlds, progress, sheets; in this process, or through the pages of a server."""

import contextlib
import resource
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import psutil

from pgviz import sheets
from pgviz.measure import theorem
from pgviz.ui.plain import plain
from pgviz.worlds.files import load_world, parse_world, world_document
from pgviz.worlds.tabular import WorldError
from pgviz.worlds.visitors import admitted
from tests.fuzz import hostile
from tests.fuzz.live import live
from tests.fuzz.report import Found

MOST_S, MOST_BYTES = 5.0, 300_000_000  # of one file
LONGEST_SENTENCE = 1000


class Refused(Exception):
    """The loader has said in a sentence what is wrong."""


class TooLong(BaseException):
    """A file took longer than it may."""


def visitors_world(content: bytes, folder: Path) -> None:
    """As the page takes it, and again what the page would offer as a download."""
    try:
        world = admitted(content)
        theorem.place(world, 0)
    except WorldError as fault:
        raise Refused(str(fault)) from None
    assert parse_world(world_document(world)).name == world.name


def world_file(content: bytes, folder: Path) -> None:
    """As the command line reads it."""
    path = folder / "world.json"
    path.write_bytes(content)
    try:
        load_world(path)
    except WorldError as fault:
        raise Refused(str(fault)) from None


def progress_file(content: bytes, folder: Path) -> None:
    """As Home restores it, and again what would be saved."""
    try:
        steps, last = sheets.parsed(content)
    except sheets.SheetError as fault:
        raise Refused(str(fault)) from None
    sheets.as_text(steps, last).encode()
    sheets.summary(steps)


def sheet_file(content: bytes, folder: Path) -> None:
    """As a lecturer counts it in a folder."""
    (folder / "sheet.json").write_bytes(content)
    ((_, found),) = sheets.of_folder(folder)
    (folder / "sheet.json").unlink()
    if isinstance(found, str):
        raise Refused(found)
    assert not any("\x1b" in said for said in found.checked)


LOADERS: dict[str, tuple[Callable[[bytes, Path], None], tuple[Callable, ...]]] = {
    "visitor's world": (visitors_world, hostile.WORLDS),
    "world file": (world_file, hostile.WORLDS),
    "progress": (progress_file, (hostile.progress,)),
    "sheet": (sheet_file, (hostile.progress,)),
}


def read_all(number: int, seed: int, minutes: float = 60) -> Iterator[Found]:
    """So many files in all, a row for each kind, which gets an equal share of the minutes."""
    process = psutil.Process()
    for kind, (load, honest) in LOADERS.items():
        found = Found(kind, bytes_before=process.memory_info().rss)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for k in range(number // len(LOADERS)):
                if time.monotonic() - begun > 60 * minutes / len(LOADERS):
                    break
                found.number += 1
                content = hostile.document(hostile.source(seed, kind, k), honest)
                _read(found, k, load, content, Path(folder))
        found.seconds = time.monotonic() - begun
        found.bytes_after, found.bytes_peak = process.memory_info().rss, _peak()
        yield found


def _read(
    found: Found, number: int, load: Callable[[bytes, Path], None], content: bytes, folder: Path
) -> None:
    name = f"number {number}, {content[:60]!r}"
    before, highest, begun = psutil.Process().memory_info().rss, _peak(), time.monotonic()
    try:
        with at_most(MOST_S):
            load(content, folder)
    except Refused as refusal:
        found.refused += 1
        sentence = str(refusal)
        if not sentence.isprintable() or not 0 < len(sentence) < LONGEST_SENTENCE:
            found.live.append(f"{name}: no sentence: {sentence[:200]!r}")
        elif load is visitors_world and (made := live(plain(sentence))):
            found.live.append(f"{name}: {made} in {sentence!r}")
    except TooLong:
        found.hangs.append(name)
    except Exception:
        found.tracebacks.append(f"{name}: {traceback.format_exc(limit=-2)}")
    if time.monotonic() - begun > MOST_S:
        found.hangs.append(f"{name}: {time.monotonic() - begun:.1f} s")
    if _peak() > max(highest, before + MOST_BYTES):
        found.memory.append(f"{name}: {(_peak() - before) / 1e6:.0f} MB")


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what takes longer; what never comes back to Python is only measured."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
