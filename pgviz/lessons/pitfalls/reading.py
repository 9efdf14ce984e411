"""Reading a run: five instruments, each with its curve, its scale and its sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pgviz.charts import pitfalls as charts
from pgviz.charts.theme import BROKEN, COLOR
from pgviz.figures import fixed, number
from pgviz.in_memory import in_memory
from pgviz.measure import symptoms
from pgviz.runs import Recording, Run
from pgviz.training import zoo
from pgviz.training.config import Config
from pgviz.training.zoo import CASES
from pgviz.ui import live
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import ROOM_SCALE, Screen, chart
from pgviz.worlds.world import find

NAMES = ("return", "entropy", "explained variance", "advantages", "one update")
BELOW = 104  # pixels of the picture that are not the chart, nor the line below it
DOMAINS = {"short-corridor": (-50.0, -8.0)}  # single seeds may lie far below
FIELDS = {
    "return": "episode_return",
    "entropy": "entropy",
    "explained variance": "explained_variance",
    "advantages": "advantage_mean",
}
AXES = {
    "return": "mean return",
    "entropy": "entropy, nats",
    "explained variance": "explained variance",
    "advantages": "weight Ψ, mean ± std",
}
LABELS = {"wrong": "this run", "right": "right code"}


@dataclass(frozen=True)
class Reading:
    """The instruments of one case."""

    name: str

    @property
    def choice(self) -> Choice:
        """The instruments that this case has."""
        case = CASES[self.name]
        options = [
            name
            for name in NAMES
            if (name != "explained variance" or case.config.has_critic)
            and (name != "one update" or case.world)
        ]
        return Choice("instrument", "Instrument", tuple(options))

    @property
    def runs(self) -> tuple[Config, Config]:
        """With the wrong line, and with the right one."""
        return zoo.run_of(self.name), zoo.run_of(self.name, "right")

    def asked(self, screen: Screen) -> str:
        """The instrument that the reader has chosen; it stands above the picture."""
        chosen: str = screen.control(
            self.choice,
            "return",
            place=screen.picture(),
            horizontal=True,
            label_visibility="collapsed",
        )
        return chosen if chosen in self.choice.options else "return"

    def draw(self, screen: Screen, runs: Sequence[Run], instrument: str) -> None:
        """The curves of both runs, as far as they have come."""
        found = self._by_kind(runs)
        begun = {kind: rec for kind, run in found.items() if (rec := live.begun(run))}
        if not begun:
            st.skeleton(height=screen.height - BELOW)
            return
        along = "num_episodes" if self.runs[0].whole_episodes else "env_steps"
        field = FIELDS[instrument]
        if instrument == "return":
            field = symptoms.return_metric(self.runs[0])
        middles, names, seeds = [], [], live.NO_SEEDS
        for kind, recording in begun.items():
            num_updates = live.seen_by_all(found[kind], recording)
            middle, each = _curves(str(recording.path), num_updates, field, along)
            middles.append(middle.assign(kind=kind))
            names.append(middle.tail(1).assign(kind=kind, label=LABELS[kind]))
            if kind == "wrong" or "wrong" not in begun:
                seeds = each.assign(kind=kind)
        end = max(middle["x"].max() for middle in middles if len(middle))
        ends = pd.concat(names, ignore_index=True)
        chart(
            f"chart-{screen.key}-{FIELDS[instrument]}",
            charts.reading,
            "episodes of a seed" if along == "num_episodes" else "steps of a seed",
            AXES[instrument],
            self._domain(instrument),
            _rounded(end),
            COLOR[CASES[self.name].config.method],
            tables={
                "middle": pd.concat(middles, ignore_index=True),
                "seeds": seeds if instrument != "advantages" else seeds.head(0),
                "names": apart(ends, self._domain(instrument), pd.concat(middles)),
            },
            height=screen.height - (190 if screen.present else 128),
            says=f"{AXES[instrument]}, along both runs.",
            scale=ROOM_SCALE if screen.present else 1.0,
        )

    def heading(self, instrument: str, of: str) -> None:
        """Above the curves."""
        st.markdown(
            f"**{instrument.capitalize()}: {of}**  \n:small[:gray[thin: a seed · thick: mean of the"
            " middle half of 16 seeds · dashed: the right code]]"
        )

    def draw_update(self, screen: Screen, which: zoo.Which = "wrong") -> None:
        """The expected update beside the exact gradient."""
        case, table = CASES[self.name], symptoms.pushes(self.name, which)
        with screen.picture():
            st.markdown(
                f"**One update, averaged over many batches, beside ∇J**  \n:small[:gray[the world"
                f" {case.world}, where ∇J is exact · bar: mean of {symptoms.ROUNDS * 256:,} batches"
                " · line: two standard errors]]"
            )
            chart(
                f"chart-{screen.key}-update",
                charts.pushes,
                ink(),
                BROKEN if which == "wrong" else COLOR[case.config.method],
                tables={"pushes": table},
                height=screen.height - (190 if screen.present else 128),
                says="The mean update and the exact gradient, for each action.",
                scale=ROOM_SCALE if screen.present else 1.0,
            )

    def alone(self, instrument: str, finished: Sequence[Run]) -> str:
        """What the instrument reads in the end with the right line."""
        right = self._readings(finished)["right"]
        value = fixed(right[FIELDS[instrument]], 2)
        if instrument == "advantages":
            value = f"{value} ± {number(right['advantage_std'], 2)}"
        what = {"advantages": "advantage"}.get(instrument, instrument)
        return f"In the last tenth of the run the {what} is {value}."

    def sentence(self, instrument: str, finished: Sequence[Run] = ()) -> str:
        """What the instrument reads in the end, of both runs; as measured beforehand until they have."""
        if instrument == "one update":
            wrong, right = (symptoms.measured()[self.name][which] for which in symptoms.LINES)
            return f"Cosine with ∇J: {_cosine(wrong)}; with the right code {_cosine(right)}."
        readings = self._readings(finished)
        wrong, right = readings["wrong"], readings["right"]
        if instrument == "advantages":
            said = [
                f"{_plain(x['advantage_mean'])} ± {number(x['advantage_std'], 2)}"
                for x in (wrong, right)
            ]
            return f"In the last tenth of the run Ψ is {said[0]}; with the right code {said[1]}."
        low, high = (_plain(x[FIELDS[instrument]], 3) for x in (wrong, right))
        if instrument == "return":
            low, high = (
                f"{mean} (worst seed {_plain(x['worst'], 3)})"
                for mean, x in zip((low, high), (wrong, right), strict=True)
            )
        return (
            f"In the last tenth of the run the {instrument} is {low}; with the right code {high}."
        )

    def _readings(self, finished: Sequence[Run]) -> dict[str, dict[str, Any]]:
        """Of the runs that have finished; of the others what was measured beforehand."""
        shown = {
            kind: _reading(str(recording.path), recording.num_updates)
            for kind, run in self._by_kind(finished).items()
            if (recording := live.begun(run))
        }
        return symptoms.measured()[self.name] | shown

    def _by_kind(self, runs: Sequence[Run]) -> dict[str, Run]:
        wrong, right = self.runs
        by_config = {run.config.replace(rng_seed=0): run for run in runs}
        kinds = {"wrong": by_config.get(wrong), "right": by_config.get(right)}
        return {kind: run for kind, run in kinds.items() if run is not None}

    def _domain(self, instrument: str) -> tuple[float, float] | None:
        if instrument == "explained variance":
            return -1.0, 1.05
        if instrument == "return":
            world = CASES[self.name].config.world
            if returns := find(world).returns:
                return returns[0], returns[1] + 20
            return DOMAINS.get(world)
        return None


@in_memory
def _curves(
    path: str, num_updates: int, field: str, along: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    metrics = Recording(Path(path)).metrics()
    cut = {name: metrics[name][:num_updates] for name in (field, along, "advantage_std")}
    middle, seeds = symptoms.curves(cut, field, along)
    return live.compact(middle), live.compact(seeds)


@in_memory
def _reading(path: str, num_updates: int) -> dict[str, Any]:
    recording = Recording(Path(path))
    return symptoms.reading(recording.metrics(), recording.config)


def apart(
    ends: pd.DataFrame, domain: tuple[float, float] | None, curves: pd.DataFrame
) -> pd.DataFrame:
    """The names at the ends of the lines, never one upon the other."""
    low, high = domain or (float(curves["low"].min()), float(curves["high"].max()))
    least = 0.08 * (high - low)
    ordered = ends.sort_values("value").reset_index(drop=True)
    ordered["value"] = ordered["value"].clip(low, high)
    if len(ordered) == 2:
        bottom, top = ordered["value"]
        lack = max(0.0, least - (top - bottom))
        bottom = max(low, bottom - lack / 2)
        ordered["value"] = [bottom, max(top + lack / 2, bottom + least)]
    return ordered


def _rounded(end: float) -> float:
    """Two digits, so that few axes are built while a run is under way."""
    digits = len(str(int(end))) - 2
    step = 10 ** max(0, digits)
    return float(-(-end // step) * step)


def _plain(value: float, digits: int = 2) -> str:
    return "0" if abs(value) < 5e-4 else number(value, digits)


def _cosine(found: dict) -> str:
    cosine = found["update"]["cosine"]
    return "none, for the mean update is 0" if cosine is None else fixed(cosine[0], 2)
