"""Three changes of one line that code often has, each beside the method as it should be."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from pgviz import broken
from pgviz.charts import actor_critic as charts
from pgviz.figures import fixed, plural
from pgviz.in_memory import in_memory
from pgviz.measure import recorded_critic
from pgviz.measure.ensembles import interquartile_mean
from pgviz.measure.solving import steps_to_solved
from pgviz.measure.sweep import steps_in
from pgviz.measure.switches import INTACT
from pgviz.measure.switches import SWITCHES as CHANGES
from pgviz.runs import Recording, Run
from pgviz.training import critic
from pgviz.training.command import command_line
from pgviz.training.config import Config
from pgviz.ui import besides, live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import ROOM_SCALE, Screen, chart
from pgviz.worlds.world import CARTPOLE_V1

RUNS = (INTACT, *CHANGES.values())
SWITCH = Choice(
    "switch",
    "The line that is changed",
    tuple(CHANGES),
    captions=(
        "one loss, nothing is a fixed number",
        "V̂(s′) = 0 at step 500, too",
        "one hidden layer for actor and critic",
    ),
)
CONTROLS = (SWITCH,)
BEATS = tuple({"switch": name} for name in CHANGES)
SOLVED = CARTPOLE_V1.solved_at or 0.0


def draw(screen: Screen) -> None:
    screen.words(
        "At step 500 an episode of CartPole is **truncated**: it is cut, though the pole stands, and"
        " δ uses V̂(s′) as before. Only where it has **terminated**, by a fall, nothing follows:"
        " V̂(s′) = 0. Below are three changes that are common in code. Each is shown beside the code"
        " as it should be."
    )
    name: str = screen.control(SWITCH, "forget the detach")
    training.run_again(screen, RUNS)
    finished = training.recorded(
        screen, RUNS, lambda runs, before: _draw(screen, runs, before, name)
    )
    found = {run.config.replace(rng_seed=0): run.recording() for run in finished}
    intact, changed = found.get(INTACT), found.get(CHANGES[name])
    if intact is not None and changed is not None:
        screen.says(in_words(name, intact, changed))
        screen.numbers(numbers({c: r for c, r in found.items() if r is not None}))
    else:
        screen.says(
            "The result stands here when all four runs have ended: as it should be, and each change."
        )
    known = live.group_of(RUNS)
    labels = dict(zip(RUNS, ("as it should be", *CHANGES), strict=True))
    besides.fold(screen, known, [labels[run.config] for run in known])
    screen.code(critic.td_gradient, broken.truncation_as_termination)
    screen.command(*map(command_line, RUNS))


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run], name: str) -> None:
    shown = (INTACT, "intact"), (CHANGES[name], "changed")
    st.markdown(
        f"**{heading(runs, name)}**  \n:small[:gray[thin: a seed · thick: mean of the middle"
        " half of 16 seeds]]"
    )
    curves, seeds = tables(runs, shown)
    chart(
        f"chart-{screen.key}",
        charts.switched,
        steps_in(INTACT),
        tables={
            "curves": curves,
            "seeds": seeds,
            "before": tables(before, shown)[0],
            "names": names(curves, name),
        },
        height=screen.height - (150 if screen.present else 88),
        says=f"Return against steps, as it should be, and after the change: {name}.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


def heading(runs: Sequence[Run], name: str) -> str:
    """What to see: how many seeds still solve the game with this change; known once it has ended."""
    for run in runs:
        if run.config.replace(rng_seed=0) == CHANGES[name] and run.ending == "finished":
            recording = run.recording()
            if recording is not None:
                found = ends_of(recording)
                lost = found["lost"]
                again = f", {lost} later lose{'s' * (lost == 1)} it again" if lost else ""
                return (
                    f"{short(name).capitalize()}: {found['solved']} of {found['seeds']} seeds"
                    f" solve it{again}"
                )
    return "With and without the change"


@live.once_for_all
def tables(
    runs: Sequence[Run], shown: tuple[tuple[Config, str], ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The middle and the seeds of the runs that are shown, with their kind."""
    kinds = dict(shown)
    chosen = [
        (live.by_steps(run), kinds[run.config.replace(rng_seed=0)])
        for run in runs
        if run.config.replace(rng_seed=0) in kinds
    ]
    middle = [t[0].assign(kind=kind) for t, kind in chosen if len(t[0])]
    seeds = [t[1].assign(kind=kind) for t, kind in chosen if len(t[1])]
    return (
        pd.concat(middle) if middle else live.NO_CURVE.assign(kind=""),
        pd.concat(seeds) if seeds else live.NO_SEEDS.assign(kind=""),
    )


def names(curves: pd.DataFrame, name: str) -> pd.DataFrame:
    """A name at the end of each line; names keep apart."""
    labels = {"intact": "as it should be", "changed": short(name)}
    rows = curves.groupby("kind", sort=False).tail(1).sort_values("trailing_return")
    heights = rows["trailing_return"].tolist()
    for k in range(len(heights) - 1, 0, -1):
        heights[k - 1] = min(heights[k - 1], heights[k] - 60)
    return rows.assign(place=heights, label=rows["kind"].map(labels))


def short(name: str) -> str:
    """The change in a few words, for the end of a line."""
    return {
        "forget the detach": "no detach",
        "treat the time limit as a fall": "limit as a fall",
        "share the network": "one network",
    }[name]


def ends_of(recording: Recording) -> dict[str, float]:
    """How many seeds solved it, lost it again, the steps they took, and the worst seed's return."""
    return _ends_of(str(recording.path), recording.num_updates)


@in_memory
def _ends_of(path: str, num_updates: int) -> dict[str, float]:
    recording = Recording(Path(path))
    metrics = recording.metrics()
    solved, returns = metrics["solved"][-1] > 0, metrics["trailing_return"][-1]
    steps = steps_to_solved(recording)[solved]
    return {
        "seeds": recording.num_seeds,
        "solved": int(solved.sum()),
        "lost": int((solved & (returns < SOLVED)).sum()),
        "steps": float(interquartile_mean(steps)) if solved.any() else float("nan"),
        "worst": float(returns.min()),
    }


def in_words(name: str, intact: Recording, changed: Recording) -> str:
    """What the change did to these seeds, and how far off its critic is."""
    kept, now = ends_of(intact), ends_of(changed)
    text = (
        f"{now['solved']} of {plural(int(now['seeds']), 'seed')} solve the game, {kept['solved']}"
        " as it should be."
    )
    if now["lost"]:
        text += f" {now['lost']} of them later lose{'s' * (now['lost'] == 1)} it again."
    text += f" The worst seed ends at a return of {fixed(now['worst'], 0)}, not {fixed(kept['worst'], 0)}."
    errors = [recorded_critic.critic_error(r.config) for r in (changed, intact)]
    if errors[0] is not None and errors[1] is not None:
        text += (
            f" At the end the critic's error (root mean square) is {fixed(errors[0], 1)} rewards, not"
            f" {fixed(errors[1], 1)}."
        )
    return text


def numbers(found: dict) -> pd.DataFrame:
    """One row per run."""
    labels = {INTACT: "as it should be", **{config: n for n, config in CHANGES.items()}}
    rows = []
    for config, recording in found.items():
        ends = ends_of(recording)
        rows.append(
            {
                "run": labels[config],
                "solved": f"{ends['solved']} of {ends['seeds']}",
                "solved, then lost": ends["lost"],
                "steps until solved": round(ends["steps"]) if ends["solved"] else None,
                "worst seed's return": round(ends["worst"]),
                "critic off by": recorded_critic.critic_error(recording.config),
            }
        )
    return pd.DataFrame(rows)
