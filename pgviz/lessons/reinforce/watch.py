"""The time machine: any update of the run, any seed, any episode, played again."""

import pandas as pd
import streamlit as st

from pgviz.charts import reinforce as charts
from pgviz.figures import fixed
from pgviz.lessons.reinforce.recorded import (
    EPISODE,
    LEARN,
    NUM_UPDATES,
    SEED,
    UPDATE,
    clamped,
    episode_table,
    look_into,
    played,
)
from pgviz.runs import Recording
from pgviz.ui.player import cartpole_player
from pgviz.ui.screen import Screen, chart

RUNS = (LEARN,)
CONTROLS = (UPDATE, SEED, EPISODE)
BEATS = ({"update": 0}, {"update": 12}, {"update": 20}, {"update": 45})
START = 12


def draw(screen: Screen) -> None:
    screen.words(
        "In this run θ was recorded after every update. So the policy of any update can play its"
        " episodes again, exactly as they were. Choose an update, a seed and one of the N episodes,"
        " and press play. Drag in the curve below the cart to go back in time."
    )
    field = screen.live(UPDATE, START)
    update = int(screen.control(UPDATE, START))
    with screen.beside_controls():
        left, right = st.columns(2, gap="small")
        curve = st.container()
    seed = int(screen.control(SEED, 0, left))
    episode = int(screen.control(EPISODE, 0, right))

    def picture(recording: Recording) -> None:
        watch(recording, *clamped(recording, update, seed, episode))

    if recording := look_into(screen, picture):
        place = clamped(recording, update, seed, episode)
        with curve:
            chart(
                "chart-watch-where",
                charts.where_in_training,
                NUM_UPDATES,
                field,
                START,
                recording.config.world,
                tables={"seed": seed_returns(recording, place[1])},
                height=round(0.26 * screen.height),
                says=f"The returns of seed {place[1]}, with a mark at update {place[0]}.",
                scale=1.6 if screen.present else 1.0,
            )
        screen.says(in_words(recording, update, *place))
        screen.numbers(numbers(episode_table(recording.path, *place)))


def seed_returns(recording: Recording, seed: int, num_updates: int = NUM_UPDATES) -> pd.DataFrame:
    """What this seed returned at each update; the last policy stands where it ended."""
    returns = recording.metrics()["episode_return"][:, seed].tolist()
    returns += [returns[-1]] * (num_updates + 1 - len(returns))
    return pd.DataFrame({"update": range(len(returns)), "episode_return": returns})


def watch(recording: Recording, update: int, seed: int, episode: int) -> None:
    """The policy of one update, playing."""
    rollout = played(recording.path, update, seed)
    table = episode_table(recording.path, update, seed, episode)
    final = rollout.final_obs[0, episode].tolist()
    whose = "" if recording.config == LEARN else " of your run"
    cartpole_player(
        {
            "x": [*table["x"], final[0]],
            "angle": [*table["angle"], final[2]],
            "actions": table["action"].tolist(),
            "p_right": table["p_right"].tolist(),
            "rewards": table["reward"].tolist(),
            "terminated": bool(rollout.terminated[0, episode].any()),
            "truncated": bool(rollout.truncated[0, episode].any()),
        },
        key="player-watch",
        title=f"Seed {seed}, update {update}, episode {episode}{whose}",
    )


def in_words(recording: Recording, asked: int, update: int, seed: int, episode: int) -> str:
    """What this episode returned, and the other episodes of this update."""
    returns = played(recording.path, update, seed).episode_returns[0]
    recorded = recording.metrics()["episode_return"][:, seed]
    end = f" This run ended after update {update}." if asked > update else ""
    others = (
        f"This episode returns {fixed(returns[episode], 0)}; the {len(returns)} episodes of this"
        f" update {fixed(returns.mean(), 1)} on average"
    )
    learns = update < len(recorded) and recording.metrics()["active"][update, seed]
    if learns:
        return f"{others}. When the run was recorded it was {fixed(recorded[update], 1)}.{end}"
    return f"{others}, played by the last policy of this seed, after it had stopped learning.{end}"


COLUMNS = {
    "t": "t",
    "x": "x, m",
    "x_dot": "velocity, m/s",
    "angle": "angle, rad",
    "angle_dot": "rate, rad/s",
    "action": "action",
    "reward": "r",
    "p_right": "π(right)",
    "return_to_go": "G",
    "log_prob": "log π(a)",
    "pull": "|Ψ| · ‖∇ log π‖",
}


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The episode, a row per step; the last column is how hard a step pulls on θ."""
    return table[[*COLUMNS]].rename(columns=COLUMNS).round(4)
