"""One update: the policy before and after it, and the share of each episode."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import learning
from pgviz.charts import reinforce as charts
from pgviz.figures import fixed, number, percent
from pgviz.in_memory import in_memory
from pgviz.lessons.reinforce.recorded import (
    AT_UPDATE,
    LEARN,
    SEED,
    clamped,
    look_into,
    played,
    room_for_captions,
)
from pgviz.measure import one_update, takeaways
from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs import Recording
from pgviz.training import gradient, loop, optimizer
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink, paper
from pgviz.ui.screen import Screen, chart

RUNS = (LEARN,)
VIEW = Choice("view", "Policy", ("before", "after", "change"))
CONTROLS = (VIEW, AT_UPDATE, SEED)
BEATS = ({"view": "before"}, {"view": "after"}, {"view": "change"})
START = 4


def draw(screen: Screen) -> None:
    screen.words(
        "ĝ averages over a **batch**: the N episodes that the present policy has just played. A"
        " long episode adds more terms, with larger weights. The map shows π(right) over angle and"
        " angular velocity, for a cart at rest in the middle. Dots: states of the batch. On the"
        " line both actions are equally likely."
    )
    view = screen.control(VIEW, "after", horizontal=True)
    with screen.beside_controls():
        left, right = st.columns(2, gap="small")
    update = int(screen.control(AT_UPDATE, START, left))
    seed = int(screen.control(SEED, 0, right))

    def picture(recording: Recording) -> None:
        place = where(recording, update, seed)
        found = measured(recording, *place)
        left, right = st.columns([60, 40], gap="small")
        scale = 1.6 if screen.present else 1.0
        with left:
            st.markdown(f"**{TITLES[view]}**  \n:small[:gray[{NOTES[view]}]]")
            chart(
                f"chart-update-{view}",
                charts.policy_map,
                view,
                ink(),
                paper(),
                tables={
                    "squares": found["squares"],
                    "border": found["border"],
                    "visited": found["visited"],
                    "names": NAMES,
                },
                height=room_for_captions(screen),
                says=f"π(right) over angle and angular velocity, {view}.",
                scale=scale,
            )
        with right:
            st.markdown("**Each episode's share of ĝ**  \n:small[:gray[longest first]]")
            chart(
                "chart-update-pulls",
                charts.pulls,
                tables={"pulls": found["pulls"]},
                height=room_for_captions(screen),
                says="The share of each episode of the batch in ĝ.",
                scale=scale,
            )

    if recording := look_into(screen, picture):
        found = measured(recording, *where(recording, update, seed))
        screen.says(in_words(found["squares"], found["pulls"]))
        screen.numbers(found["pulls"])
        with screen.fold("Length of ĝ", ":material/straighten:"):
            lengths(recording)
    screen.code(loop.train, gradient.policy_gradient, optimizer.clipped, optimizer.Adam.ascend)


TITLES = {
    "before": "π(right) before the update",
    "after": "π(right) after the update",
    "change": "Where the update moved the policy",
}
SHADES = "empty: left · blue: right · dashed: line before"
NOTES = {
    "before": SHADES,
    "after": SHADES,
    "change": "blue: right more often · grey: less often",
}
NAMES = pd.DataFrame(
    [
        {"angle": 9.0, "rate": 1.4, "label": "falls right"},
        {"angle": -9.0, "rate": -1.4, "label": "falls left"},
    ]
)


@in_memory
def _measured(path: str, update: int, seed: int) -> dict[str, pd.DataFrame]:
    recording = Recording(Path(path))
    config = recording.config
    before, after = (recording.theta(k)[seed] for k in (update, update + 1))
    maps = [one_update.policy_map(config, theta) for theta in (before, after)]
    rollout = played(recording.path, update, seed)
    shares = one_update.shares(one_update.episode_gradients(config, before, rollout))
    order = np.argsort(-rollout.episode_returns[0], kind="stable")
    seen = rollout.obs[0][rollout.mask[0]]
    thin = seen[:: max(1, len(seen) // 400)]
    table = squares(one_update.map_table(*maps))
    return {
        "squares": table.assign(visited=one_update.visited(seen).ravel()),
        "border": pd.concat(
            [
                one_update.border(m).assign(when=when)
                for m, when in zip(maps, ("before", "after"), strict=True)
            ]
        ),
        "visited": pd.DataFrame({"angle": np.degrees(thin[:, 2]), "rate": thin[:, 3]}),
        "pulls": pd.DataFrame(
            {
                "rank": range(len(order)),
                "episode": order,
                "episode_return": rollout.episode_returns[0][order].astype(int),
                "share": (100 * shares[order]).round(2),
            }
        ),
    }


def where(recording: Recording, update: int, seed: int) -> tuple[int, ...]:
    """The update asked for; the last one of this recording has nothing after it."""
    return clamped(recording, min(update, recording.num_updates - 1), seed)[:2]


def measured(recording: Recording, update: int, seed: int) -> dict[str, pd.DataFrame]:
    """The maps, the states that were visited, and the share of each episode."""
    return _measured(str(recording.path), update, seed)


def squares(table: pd.DataFrame) -> pd.DataFrame:
    """The map with the edges of its squares, and its change as a size and a side."""
    angle = np.degrees(one_update.ANGLES[1] - one_update.ANGLES[0]) / 2
    rate = (one_update.RATES[1] - one_update.RATES[0]) / 2
    return table.assign(
        left=table["angle"] - angle,
        right=table["angle"] + angle,
        low=table["rate"] - rate,
        high=table["rate"] + rate,
        size=table["change"].abs(),
        more=np.where(table["change"] > 0, "right", "left"),
    )


def in_words(table: pd.DataFrame, pulls: pd.DataFrame) -> str:
    """The largest change of the policy, and the share of the few longest episodes."""
    seen = table[table["visited"]]
    most = seen.iloc[int(seen["change"].abs().to_numpy().argmax())]
    few = max(1, len(pulls) // 4)
    share = pulls["share"].iloc[:few].sum() / 100
    who = (
        f"The {few} longest of {len(pulls)} episodes make"
        if few > 1
        else "The longest episode makes"
    )
    return (
        f"{who} {percent(share)} of ĝ{'' if share > 0.5 else ', less than half'}. Among the states of the batch"
        f" the policy changes most at {fixed(most['angle'], 1)}° and {fixed(most['rate'], 1)} rad/s: π(right) goes from"
        f" {fixed(most['before'])} to {fixed(most['after'])}."
    )


def lengths(recording: Recording) -> None:
    """How long ĝ is and what of its length is used."""
    limit = recording.config.max_grad_norm
    norms = interquartile_mean(recording.metrics()["grad_norm"], axis=1)
    chart(
        "chart-update-lengths",
        learning.instrument,
        recording.config.method,
        recording.config.num_updates,
        "grad_norm",
        tables={
            "middle": pd.DataFrame({"update": range(len(norms)), "grad_norm": norms}),
            "limit": pd.DataFrame({"grad_norm": [limit]}),
        },
        height=220,
        says="Length of ĝ against updates.",
    )
    st.markdown(f"Dashed: longer ones are cut to {number(limit)}. {takeaways.lengths(recording)}")
