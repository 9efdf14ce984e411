"""What one episode teaches: its rewards, its rewards-to-go, and what each term alone changes."""

import pandas as pd
import streamlit as st

from pgviz import estimators
from pgviz.charts import reinforce as charts
from pgviz.figures import fixed, plural
from pgviz.lessons.reinforce.recorded import (
    AT_UPDATE,
    EPISODE,
    LEARN,
    clamped,
    episode_table,
    look_into,
    room_for_captions,
)
from pgviz.measure import one_update
from pgviz.runs import Recording
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen, chart

RUNS = (LEARN,)
SHOWN = Choice("bars", "Bars show", ("reward", "reward-to-go", "change"))
CONTROLS = (AT_UPDATE, EPISODE, SHOWN)
BEATS = ({"bars": "reward"}, {"bars": "reward-to-go"}, {"bars": "change"})
START = 4
AXES = {
    "reward": "reward of the step",
    "reward-to-go": "reward-to-go G, the weight of the score",
    "change": "change of the probability of the action",
}


def draw(screen: Screen) -> None:
    screen.words(
        "Every reward is 1, so the reward-to-go $G_t$ counts the steps still to come. It multiplies"
        " the score of the action taken at $t$. All $G_t$ are positive: each term makes its own"
        " action more likely, good or bad. Good actions gain more only on average over"
        " episodes. **Change**: how far each term alone moves the probability of its action."
    )
    shown = screen.control(SHOWN, "reward-to-go", horizontal=True)
    with screen.beside_controls():
        left, right = st.columns(2, gap="small")
    update = int(screen.control(AT_UPDATE, START, left))
    episode = int(screen.control(EPISODE, 0, right))

    def picture(recording: Recording) -> None:
        place = clamped(recording, update, 0, episode)
        steps = pushes(recording, *place)
        st.markdown(
            f"**{TITLES[shown]}**  \n:small[:gray[seed 0, update {place[0]}, episode {place[2]}"
            f"{SCALE if shown == 'change' else ''}]]"
        )
        chart(
            f"chart-episode-{shown}",
            charts.actions,
            shown,
            AXES[shown],
            tables={"steps": drawn(steps, shown)},
            height=room_for_captions(screen),
            says=f"{AXES[shown]} at each step of one episode; up if the action was right.",
            scale=1.6 if screen.present else 1.0,
        )

    if recording := look_into(screen, picture):
        steps = pushes(recording, *clamped(recording, update, 0, episode))
        screen.says(in_words(steps))
        screen.numbers(steps.rename(columns={"push": "change"}).round(4))
    screen.code(estimators.reward_to_go, one_update.pushes)


TITLES = {
    "reward": "Every step pays the same",
    "reward-to-go": "The first actions get the largest weights",
    "change": "Each term alone makes its own action more likely",
}
SCALE = "; one step size for all, the largest changes the log-odds by 1"
COLUMNS = {"reward": "reward", "reward-to-go": "return_to_go", "change": "push"}


def pushes(recording: Recording, update: int, seed: int, episode: int) -> pd.DataFrame:
    """The episode with the push of each of its terms."""
    return one_update.pushes(episode_table(recording.path, update, seed, episode))


def drawn(steps: pd.DataFrame, shown: str) -> pd.DataFrame:
    """The quantity with the sign of its action."""
    sign = steps["action"].map({"right": 1, "left": -1})
    return steps.assign(drawn=sign * steps[COLUMNS[shown]])


def in_words(steps: pd.DataFrame) -> str:
    """The first weight, the last, and the largest push."""
    most = steps.iloc[int(steps["push"].to_numpy().argmax())]
    return (
        f"The episode lasts {plural(len(steps), 'step')}: the first weight is"
        f" {fixed(steps['return_to_go'].iloc[0], 0)}, the last {fixed(steps['return_to_go'].iloc[-1], 0)}."
        f" The largest change is at step {int(most['t'])}: {most['action']} would go from"
        f" probability {fixed(most['before'])} to {fixed(most['after'])}."
    )
