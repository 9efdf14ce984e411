"""Another world, the same code: Acrobot, its policy at any update, playing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from pgviz.charts import reinforce as charts
from pgviz.figures import fixed, plural
from pgviz.lessons.reinforce.recorded import begun, clamped, episode_table, played
from pgviz.lessons.reinforce.watch import seed_returns
from pgviz.policies import Softmax
from pgviz.runs import Recording, Run
from pgviz.training.command import command_line
from pgviz.training.config import preset
from pgviz.ui import live, training
from pgviz.ui.controls import Choice, Number
from pgviz.ui.player import acrobot_player
from pgviz.ui.screen import Screen, chart
from pgviz.worlds.world import find

ACROBOT = preset("reinforce", "Acrobot-v1").replace(stop_when_solved=True)
RUNS = (ACROBOT,)
NUM_UPDATES = ACROBOT.num_updates
UPDATE = Choice("acrobot-update", f"Update, 0 to {NUM_UPDATES}", tuple(range(NUM_UPDATES + 1)))
SEED = Number("acrobot-seed", "Seed", 0, ACROBOT.num_seeds - 1)
EPISODE = Number("acrobot-episode", "Episode", 0, ACROBOT.num_envs - 1)
CONTROLS = (UPDATE, SEED, EPISODE)
START = NUM_UPDATES
BEATS = ({"acrobot-update": 0}, {"acrobot-update": 20}, {"acrobot-update": NUM_UPDATES})


def draw(screen: Screen) -> None:
    screen.words(
        "In **Acrobot** a motor between two hanging links turns by −1, 0 or +1. Every step costs 1"
        " until the tip is above the line, at most 500 times. The code of REINFORCE is the same;"
        " only the network has six inputs and three outputs: the logits of a softmax."
    )
    field = screen.live(UPDATE, START)
    update = int(screen.control(UPDATE, START))
    with screen.beside_controls():
        left, right = st.columns(2, gap="small")
        curve = st.container()
    seed = int(screen.control(SEED, 0, left))
    episode = int(screen.control(EPISODE, 0, right))

    def picture(runs: Sequence[Run], _before: Sequence[Run]) -> None:
        if recording := begun(runs):
            watch(recording.path, *clamped(recording, update, seed, episode))

    training.recorded(screen, RUNS, picture)
    recording = begun(live.group_of(RUNS))
    if recording is None:
        screen.says("The run is being recorded; the picture follows.")
        return
    place = clamped(recording, update, seed, episode)
    with curve:
        chart(
            "chart-acrobot-where",
            charts.where_in_training,
            NUM_UPDATES,
            field,
            START,
            ACROBOT.world,
            tables={"seed": seed_returns(recording, place[1], NUM_UPDATES)},
            height=round(0.26 * screen.height),
            says=f"The returns of seed {place[1]}, with a mark at update {place[0]}.",
            scale=1.6 if screen.present else 1.0,
        )
    screen.says(in_words(recording, *place))
    screen.numbers(episode_table(recording.path, *place).round(4))
    screen.code(Softmax)
    screen.command(command_line(ACROBOT))


def watch(path: Path, update: int, seed: int, episode: int) -> None:
    """The policy of one update, playing."""
    rollout = played(path, update, seed)
    table = episode_table(path, update, seed, episode)
    steps = int(rollout.mask[0, episode].sum())
    seen = np.vstack([rollout.obs[0, episode, :steps], rollout.final_obs[0, episode][None]])
    acrobot_player(
        {
            "angle_1": np.arctan2(seen[:, 1], seen[:, 0]),
            "angle_2": np.arctan2(seen[:, 3], seen[:, 2]),
            "actions": table["action"].to_numpy(),
            "probabilities": table[["p_0", "p_1", "p_2"]].to_numpy(),
            "rewards": table["reward"].to_numpy(),
            "terminated": bool(rollout.terminated[0, episode].any()),
            "truncated": bool(rollout.truncated[0, episode].any()),
        },
        key="player-acrobot",
        title=f"Seed {seed}, update {update}, episode {episode}",
    )


def in_words(recording: Recording, update: int, seed: int, episode: int) -> str:
    """What this episode returned, and how many seeds have learned."""
    world = find(recording.config.world)
    returns = played(recording.path, update, seed).episode_returns[0]
    metrics = recording.metrics()
    solved = int(metrics["solved"][-1].sum())
    learns = update < recording.num_updates and metrics["active"][update, seed]
    ended = "" if learns else ", by its last policy, after it had stopped learning"
    said = (
        f"This episode returns {fixed(returns[episode], 0)}; the {len(returns)} of this update"
        f" {fixed(returns.mean(), 1)} on average{ended}. {solved} of {recording.num_seeds} seeds"
        f" solve Acrobot ({fixed(world.solved_at or 0, 0)})"
    )
    lowest = world.returns[0] if world.returns else -np.inf
    stuck = int((metrics["trailing_return"][-1] <= lowest).sum())
    if not stuck:
        return f"{said}."
    return (
        f"{said}. {plural(stuck, 'seed')} never saw an episode reach the line: all returns are"
        f" {fixed(lowest, 0)}, and ĝ is noise."
    )
