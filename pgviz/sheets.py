"""The sheet of a visit: what was opened, predicted, answered, found and written, as a file.

The visitor's browser keeps it; nothing in it was checked by anybody else, so a sheet proves nothing.
Files come from strangers: what is not expected is left out, and nothing in them is run.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = 1
MOST_BYTES = 200_000
MOST_STEPS = 500
MOST_SHEETS = 2000  # of a folder
LONGEST = 200  # characters of a guess
LONGEST_WORDS = 2000  # characters of an answer in the learner's own words

PROVES_NOTHING = (
    "A sheet proves nothing: whoever holds the file can write anything into it. Ask about it."
)

Steps = dict[str, dict[str, Any]]

_KINDS = {
    "guess": (str, int, float),
    "passed": bool,
    "answered": list,  # of bool: questions, lines of a proof
    "looked": list,  # of names: the instruments that were used on a blind case
    "tries": int,  # wrong answers to it
    "words": str,  # the learner's own
    "checked": str,  # what the command `check` printed, typed in by the learner
}


class SheetError(ValueError):
    """What is wrong with a sheet, in one sentence."""


def as_text(steps: Mapping[str, Mapping[str, Any]], last: str | None) -> str:
    """A sheet as a file: the steps, and the one that was opened last, by "page/step"."""
    return json.dumps({"pgviz": VERSION, "last": last, "steps": steps}, ensure_ascii=False)


def parsed(text: object) -> tuple[Steps, str | None]:
    """The steps and the last place of a sheet; nothing unknown is kept.

    Raises SheetError, one sentence, if it is none: a file of other bytes, or a browser that has
    stored no text at all.
    """
    if not isinstance(text, str | bytes):
        raise SheetError("This is not a record of progress: it is no text.")
    if len(text) > MOST_BYTES:
        raise SheetError("This file is too large to be a record of progress.")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise SheetError("This file is not a record of progress: it is not JSON.") from None
    if not isinstance(document, Mapping) or document.get("pgviz") != VERSION:
        raise SheetError("This file is not a record of progress made by this app.")
    found = document.get("steps")
    if not isinstance(found, Mapping) or len(found) > MOST_STEPS:
        raise SheetError("This record of progress lists no steps.")
    kept = {
        name: {key: record[key] for key in _KINDS if _is_fact(key, record.get(key))}
        for name, record in found.items()
        if _is_place(name) and isinstance(record, Mapping)
    }
    place = document.get("last")
    return kept, place if _is_place(place) else None


def _is_fact(key: str, value: Any) -> bool:
    if not isinstance(value, _KINDS[key]):  # type: ignore[arg-type]
        return False
    if isinstance(value, str):
        return _is_text(value, LONGEST_WORDS if key == "words" else LONGEST)
    if isinstance(value, list):
        item = str if key == "looked" else bool
        return len(value) <= 20 and all(isinstance(x, item) and _is_text(str(x), 39) for x in value)
    return isinstance(value, bool) == (key == "passed") and abs(value) < 1e9


def _is_text(text: str, longest: int) -> bool:
    """Short enough, and no half of a letter, which JSON may hold and no file and no page."""
    return len(text) <= longest and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _is_place(name: Any) -> bool:
    return (
        isinstance(name, str)
        and len(name) <= 80
        and name.count("/") == 1
        and name.replace("/", "").replace("-", "").isalnum()
        and name.isascii()
    )


# ── A folder of them ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Summary:
    """What one sheet says, counted."""

    steps: int  # opened
    predicted: int  # questions with a guess
    answered: int  # questions answered, lines placed
    found: int  # blind cases
    checked: tuple[str, ...]  # exercises whose check is said to have passed
    words: int  # answers in the learner's own words


def summary(steps: Mapping[str, Mapping[str, Any]]) -> Summary:
    """The counts of a sheet."""
    records = steps.values()
    cases = [r for name, r in steps.items() if name.startswith("pitfalls/case-")]
    others = [r for name, r in steps.items() if not name.startswith("pitfalls/case-")]
    return Summary(
        steps=len(steps),
        predicted=sum("guess" in record for record in records),
        answered=sum(sum(record.get("answered", [])) for record in others),
        found=sum(record.get("answered") == [True, True] for record in cases),
        checked=tuple(shown(record["checked"]) for record in records if record.get("checked")),
        words=sum(bool(record.get("words")) for record in records),
    )


def of_folder(folder: Path) -> Iterator[tuple[str, Summary | str]]:
    """The sheets of a folder, by the names of their files: a summary, or what is wrong with it.

    Raises SheetError if the folder cannot be read.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".json"))
    except OSError as error:
        raise SheetError(
            f"The folder {shown(str(folder))} cannot be read: {error.strerror}."
        ) from None
    if not names:
        raise SheetError(f"The folder {shown(str(folder))} holds no file that ends in .json.")
    if len(names) > MOST_SHEETS:
        raise SheetError(f"The folder holds {len(names):,} files, more than {MOST_SHEETS:,}.")
    for name in names:
        try:
            yield shown(name), summary(parsed(_read(folder / name))[0])
        except SheetError as error:
            yield shown(name), str(error)
        except OSError as error:
            yield shown(name), f"It cannot be read: {error.strerror}."


def _read(path: Path) -> bytes:
    """A regular file, no longer than a sheet may be: no pipe, no device, no link."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise SheetError("This is no regular file.")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        return file.read(MOST_BYTES + 1)


def shown(text: str) -> str:
    """Foreign text made short and harmless for a terminal."""
    clean = "".join(c if c.isprintable() else "·" for c in text)
    return clean if len(clean) <= 60 else clean[:59] + "…"
