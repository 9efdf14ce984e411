"""What a chart shows, in words, from its specification and its tables: for those who cannot see it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pgviz.figures import listed, number

MOST_LINES, MOST_BARS = 7, 8  # more would be a table, not a sentence


def told(spec: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """The axes, where each line begins and ends, how high each bar stands."""
    sentences: list[str] = []
    for unit in _units(spec, "", False):
        for said in (_axes(unit["encoding"]), _series(unit, tables)):
            if said and said not in sentences:
                sentences.append(said)
    return " ".join(sentences)


def _units(spec: Mapping[str, Any], data: str, changed: bool) -> Iterator[dict[str, Any]]:
    """All single marks, each with the name of its table unless the chart itself changes it."""
    data = spec.get("data", {}).get("name", data)
    changed = changed or "transform" in spec
    for name in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(name, ()):
            yield from _units(part, data, changed)
    if "spec" in spec:
        yield from _units(spec["spec"], data, changed)
    if "mark" in spec:
        mark = spec["mark"]["type"] if isinstance(spec["mark"], Mapping) else spec["mark"]
        table = "" if changed else data
        yield {"mark": mark, "table": table, "encoding": spec.get("encoding", {})}


def _axes(encoding: Mapping[str, Any]) -> str:
    names = {side: _title(encoding.get(side, {})) for side in ("x", "y")}
    return f"Left to right: {names['x']}; upwards: {names['y']}." if all(names.values()) else ""


def _title(channel: Mapping[str, Any]) -> str:
    axis = channel.get("axis", {})
    title = None if axis is None else axis.get("title", channel.get("title"))
    return " ".join(title) if isinstance(title, list) else title or ""


def _series(unit: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    encoding, table = unit["encoding"], tables.get(unit["table"])
    x, y = (encoding.get(side, {}) for side in ("x", "y"))
    if table is None or not {x.get("field"), y.get("field")} <= {*table} or not len(table):
        return ""
    if any("aggregate" in channel or "bin" in channel for channel in (x, y)):
        return ""
    if unit["mark"] == "line" and y.get("type") == "quantitative" and _title(y):
        return _lines(encoding, table, x["field"], y["field"])
    kinds = [channel.get("type") for channel in (x, y)]
    if unit["mark"] == "bar" and "quantitative" in kinds and len(table) <= MOST_BARS:
        name, size = (x, y) if kinds[0] != "quantitative" else (y, x)
        if table[name["field"]].is_unique:  # else each bar has parts
            pairs = zip(table[name["field"]], table[size["field"]], strict=True)
            return f"{listed([f'{_word(who)}: {_word(value)}' for who, value in pairs])}."
    return ""


def _lines(encoding: Mapping[str, Any], table: pd.DataFrame, x: str, y: str) -> str:
    fields = {encoding.get(by, {}).get("field") for by in ("color", "strokeDash", "detail")} - {
        None
    }
    if not fields <= {*table}:
        return ""
    of_line = np.zeros(len(table), int)
    for field in fields:
        codes, values = pd.factorize(table[field])
        of_line = of_line * len(values) + codes
    lines = [of_line == code for code in pd.unique(of_line)]
    if len(lines) > MOST_LINES:
        return ""
    across, up = table[x].to_numpy(), table[y].to_numpy(float)
    said = []
    for rows in lines:
        name = " ".join(_word(table[field][rows].iloc[0]) for field in sorted(fields))
        drawn = rows & np.isfinite(up)
        said += [_line(name, across[drawn], up[drawn])] if drawn.any() else []
    return " ".join(said)


def _line(name: str, across: np.ndarray, up: np.ndarray) -> str:
    first, last = np.argmin(across), np.argmax(across)
    ends = [f"{_word(up[at])} at {_word(across[at])}" for at in (first, last)]
    between = f", between {_word(up.min())} and {_word(up.max())}" if up.min() < up.max() else ""
    return f"{name or 'A line'}: from {ends[0]} to {ends[1]}{between}."


def _word(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return ""
    return (
        number(round(float(value), 12))
        if isinstance(value, int | float | np.number)
        else str(value)
    )
