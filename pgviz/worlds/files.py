"""Worlds from outside: a JSON document is data, nothing in it is ever executed."""

import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pgviz.worlds.gymnasium_tables import GYMNASIUM_ID, from_gymnasium
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import TabularMDP, WorldError, quoted

# Two tables of 2 million short numbers; parsing that much takes about a second.
MAX_BYTES = 16_000_000

REQUIRED = ("name", "transitions", "rewards", "gamma")
OPTIONAL = ("start", "horizon", "features", "theta")


def find_world(
    name: str,
    gamma: float | None = None,
    horizon: int | None = None,
    make: Mapping[str, Any] | None = None,
) -> TabularMDP:
    """The world of this name, Gymnasium id or file; - is the standard input.

    gamma and horizon replace the world's own; `make` holds arguments for `gymnasium.make`.
    """
    given = {"gamma": gamma, "horizon": horizon}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    is_named = name == "-" or name in named_worlds
    is_file = name.lstrip().startswith("{") or name.endswith(".json") or _is_file(name)
    if not is_named and not is_file and (":" in name or GYMNASIUM_ID.fullmatch(name)):
        return from_gymnasium(name, make=make, **changes)
    if make:
        raise WorldError(
            "arguments to make a world with are for Gymnasium's environments, and "
            f"{quoted(name)} is none"
        )
    if name == "-":
        return parse_world(_standard_input(), **changes)
    if is_named:
        return replace(named_worlds[name](), **changes)
    if is_file:
        return load_world(name, **changes)
    raise WorldError(
        f"there is no world {quoted(name)}: give one of {', '.join(named_worlds)}, a Gymnasium id "
        "such as FrozenLake-v1, or a JSON file"
    )


def world_to_train_in(name: str) -> str:
    """The name under which training finds what was typed on a command line.

    A world file is read now and registered under its path; of module:Id the module is imported. Only
    a command line does that: nothing that a visitor sends comes here.
    """
    from pgviz.worlds.world import register

    if name == "-" or name.endswith(".json") or name.lstrip().startswith("{") or _is_file(name):
        table = find_world(name)
        register(table.name, table)
        return table.name
    module, colon, env_id = name.partition(":")
    if not colon:
        return name
    try:
        importlib.import_module(module)
    except Exception as fault:  # a module of the learner's own may do anything
        raise WorldError(
            f"the module {quoted(module)} cannot be imported: {type(fault).__name__}: {fault}"
        ) from None
    return env_id


def load_world(text_or_path: str | Path, **changes: Any) -> TabularMDP:
    """A world from a JSON document: the text itself (it begins with a brace) or its path.

    `changes` replace what the document says: gamma=0.9, horizon=100.
    """
    if isinstance(text_or_path, str) and text_or_path.lstrip("\ufeff \t\r\n").startswith("{"):
        return parse_world(text_or_path, **changes)
    return parse_world(_read(text_or_path), **changes)


def parse_world(text: str, **changes: Any) -> TabularMDP:
    """A world from the text of a JSON document; never touches the disk, so safe for visitors."""
    if len(text) > MAX_BYTES:
        raise WorldError(f"a world file may hold at most {MAX_BYTES // 10**6} MB")
    fields = _parse(text.removeprefix("\ufeff"))
    if not isinstance(fields, dict):
        raise WorldError("a world file must be one JSON object, {…}")
    for key in REQUIRED:
        if key not in fields:
            raise WorldError(f"the world file lacks {key!r}")
    for key in fields:
        if key not in REQUIRED + OPTIONAL:
            raise WorldError(
                f"the world file has an unknown key {quoted(key)}; the keys are "
                f"{', '.join(REQUIRED + OPTIONAL)}"
            )
    return TabularMDP(**(fields | changes))


def world_document(world: TabularMDP) -> str:
    """The JSON document that `parse_world` reads back as this world, θ included."""
    arrays = {
        field: getattr(world, field).tolist()
        for field in ("transitions", "rewards", "start", "features", "theta")
    }
    fields = {"name": world.name, "gamma": world.gamma, "horizon": world.horizon, **arrays}
    return json.dumps(fields)


def _is_file(name: str) -> bool:
    """Whether it can be read to its end: a file or a pipe, no folder and no device."""
    try:
        return Path(name).is_file() or Path(name).is_fifo()
    except (OSError, ValueError):
        return False


def _read(path: str | Path) -> str:
    shown = quoted(str(path))
    if not _is_file(str(path)):
        raise WorldError(f"there is no world file {shown}")
    try:
        with open(path, "rb") as file:
            return _text(file, f"the world file {shown}")
    except OSError:
        raise WorldError(f"the world file {shown} cannot be read") from None


def _standard_input() -> str:
    if sys.stdin is None:  # closed, with <&-
        raise WorldError("the standard input is closed")
    try:
        return _text(sys.stdin.buffer, "the standard input")
    except OSError:
        raise WorldError("the standard input cannot be read") from None


def _text(file: IO[bytes], shown: str) -> str:
    """All that a file holds; of one that holds too much, or never ends, no more than is allowed."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise WorldError(f"a world file may hold at most {MAX_BYTES // 10**6} MB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise WorldError(f"{shown} is not UTF-8 text") from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except WorldError:
        raise
    except json.JSONDecodeError as error:
        raise WorldError(
            f"the world file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise WorldError("the world file is nested too deeply to be a world") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise WorldError("the world file holds a number with too many digits") from None


def _no_constant(name: str) -> float:
    raise WorldError(f"the world file holds {name}, but every number must be finite")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise WorldError(f"the world file gives {quoted(key)} twice")
        fields[key] = value
    return fields
