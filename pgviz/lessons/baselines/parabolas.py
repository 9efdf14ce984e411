"""What the steps with one b per state share: their picture, their buttons, their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import baselines as charts
from pgviz.exact.by_hand import Parabolas, parabolas
from pgviz.figures import number
from pgviz.in_memory import in_memory
from pgviz.measure import noise
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

LINE = 0.062  # the height of a label, in heights of the picture


@dataclass(frozen=True)
class Bench:
    """A world with a slider b(s) for each of its three states."""

    world: str
    sliders: tuple[Choice, ...]
    start: tuple[float, ...]
    top: float
    levels: tuple[tuple[str, str], ...]  # landmarks of measure.noise, and their names here
    names: tuple[str, ...]
    other: tuple[str, tuple[float, ...]]  # one more level: its name and its b(s)

    @property
    def options(self) -> tuple[float, float, float]:
        """Lowest and highest b, and the step between two positions."""
        values = self.sliders[0].options
        return float(values[0]), float(values[-1]), round(float(values[1] - values[0]), 9)

    @property
    def exact(self) -> Parabolas:
        return noise.by_hand(self.world).parabolas

    def nearest(self, values: Sequence[float]) -> tuple[float, ...]:
        """The positions of the sliders next to these b."""
        return tuple(
            min(slider.options, key=lambda option, wanted=value: abs(option - wanted))  # type: ignore[misc]
            for slider, value in zip(self.sliders, values, strict=True)
        )


def draw(
    screen: Screen, bench: Bench, buttons: Sequence[tuple[str, tuple[float, ...]]], title: str
) -> tuple[float, ...]:
    """The sliders, the buttons and the picture; returns b(s) as set."""
    fields = tuple(
        screen.live(slider, start) for slider, start in zip(bench.sliders, bench.start, strict=True)
    )
    first = screen.control(bench.sliders[0], bench.start[0])
    with screen.beside_controls():
        columns = st.columns(2, gap="medium")
    others = (
        screen.control(slider, start, column)
        for slider, start, column in zip(bench.sliders[1:], bench.start[1:], columns, strict=True)
    )
    values = (first, *others)
    with screen.beside_controls(), st.container(horizontal=True, gap="small"):
        for at, (label, to) in enumerate(buttons):
            st.button(
                label, key=f"{screen.key}-set-{at}", on_click=guarded(_set_to), args=(bench, to)
            )
    starts = tuple(
        slider.options.index(start)
        for slider, start in zip(bench.sliders, bench.start, strict=True)
    )
    screen.chart(
        charts.parabolas_of_states, fields, starts, ink(), bench.options, bench.top, free(bench),
        tables=tables(bench),
        title=title,
        note="filled: b(s) as set · curve: this state's b moved alone · hollow: its b\\*(s), lowest",
        says="The noise against b of each state.",
    )  # fmt: skip
    screen.numbers(numbers(bench, values))
    screen.code(parabolas)
    return values


def _set_to(bench: Bench, values: tuple[float, ...]) -> None:
    for slider, value in zip(bench.sliders, bench.nearest(values), strict=True):
        st.session_state[slider.name] = value


@in_memory
def tables(bench: Bench) -> dict[str, pd.DataFrame]:
    """The tables of the chart; the browser works out the parabolas."""
    found = bench.exact
    shared: dict[str, float] = {"least": found.lowest}
    for s in range(3):
        shared |= {f"steep{s}": float(found.steepness[s]), f"best{s}": float(found.best[s])}
    low, high, _ = bench.options
    grid = [
        {"state": s, "b": b, "steep": shared[f"steep{s}"], "best": shared[f"best{s}"], **shared}
        for s in range(3)
        for b in np.linspace(low, high, 57)
    ]
    states = [
        {
            "state": s,
            "name": bench.names[s],
            "steep": shared[f"steep{s}"],
            "best": shared[f"best{s}"],
        }
        | shared
        for s in range(3)
    ]
    return {
        "grid": pd.DataFrame(grid),
        "states": pd.DataFrame(states),
        "levels": levels(bench),
    }


def levels(bench: Bench) -> pd.DataFrame:
    """The landmarks as levels; `shown`: where the label of each stands, clear of the others."""
    marks = noise.by_hand(bench.world).landmarks
    rows: list[dict[str, Any]] = [
        {
            "noise": marks[key].covariance_trace,
            "label": f"{name}: {number(marks[key].covariance_trace)}",
        }
        for key, name in bench.levels
    ]
    name, values = bench.other
    other = bench.exact.trace(np.asarray(values))
    rows.append({"noise": other, "label": f"{name}: {number(other)}"})
    table = pd.DataFrame(rows).sort_values("noise", ignore_index=True)
    return table.assign(shown=apart(table["noise"].to_list(), LINE * bench.top))


def free(bench: Bench) -> float:
    """The middle of the widest gap between two labels: there the legend stands."""
    places = [0.0, *levels(bench)["shown"], bench.top]
    gaps = np.diff(places)
    at = int(np.argmax(gaps))
    return float(places[at] + 0.5 * gaps[at])


def apart(levels: Sequence[float], gap: float) -> list[float]:
    """Sorted levels, moved as little as needed to stand a gap apart: a crowd around its middle."""
    crowds: list[list[float]] = []
    for level in levels:
        crowds.append([level])
        while len(crowds) > 1 and _middle(crowds[-1]) - _middle(crowds[-2]) < gap * 0.5 * (
            len(crowds[-1]) + len(crowds[-2])
        ):
            last = crowds.pop()
            crowds[-1] += last
    return [
        _middle(crowd) + gap * (k - 0.5 * (len(crowd) - 1))
        for crowd in crowds
        for k in range(len(crowd))
    ]


def _middle(crowd: Sequence[float]) -> float:
    return sum(crowd) / len(crowd)


def numbers(bench: Bench, values: Sequence[float]) -> pd.DataFrame:
    """Of each state: b as set, the best, how steep the parabola is; and the noise of all landmarks."""
    found = bench.exact
    table = pd.DataFrame(
        {
            "state": range(3),
            "b(s)": values,
            "best b(s)": found.best,
            "steepness d(s)": found.steepness,
        }
    )
    return table.round(4)
