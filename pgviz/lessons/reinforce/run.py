"""The run: one learner, then sixteen."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import reinforce as charts
from pgviz.charts.learning import SOLVED_EPISODES, SOLVED_RETURN
from pgviz.figures import count, fixed, plural
from pgviz.lessons.reinforce.recorded import (
    LEARN,
    NO_MIDDLE,
    begun,
    beside_the_threshold,
    room_for_captions,
)
from pgviz.measure.ensembles import bootstrap_band, interquartile_mean
from pgviz.runs import Recording, Run
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.ui import besides, live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen, chart

RUNS = (LEARN,)
LEARNERS = Choice("learners", "Seeds shown", ("1", "4", "16"))
EPISODES = Choice("num_envs", "Episodes N", (1, 2, 4, 8, 16, 32, 64))
RATE = Choice("learning_rate", "Learning rate", (0.002, 0.005, 0.01, 0.02, 0.05, 0.1))
CONTROLS = (LEARNERS, EPISODES, RATE)
BEATS = ({"learners": "1"}, {"learners": "4"}, {"learners": "16"})

# What later pages introduce can be tried from the command line.
OTHER_SETTINGS = (
    "python -m pgviz train reinforce --num-seeds 64 --rng-seed 1 --set gamma=0.99"
    " --set normalize_advantages=true --set drop_gamma_t=false"
)

POINTS = 25  # of each thin line, at most about: what travels at every look


def draw(screen: Screen) -> None:
    screen.words(
        "CartPole pays 1 per step until the pole falls or the cart leaves, at most 500 times."
        " State: cart position, pole angle and their velocities. Policy: a network with"
        f" {Agent.of(LEARN).num_parameters} parameters θ. **REINFORCE** plays N episodes, estimates"
        " ∇J by\n\n"
        r"$\hat g = \frac1N \sum_{\text{episodes}} \sum_t G_t\,\nabla\log\pi(a_t|s_t)$"
        "\n\nwith $\\Psi_t = G_t$, and moves θ with ĝ: one **update**, scaled by the **learning"
        " rate**. Each **seed** is one repetition."
    )
    shown = int(
        screen.control(
            LEARNERS,
            "16",
            horizontal=True,
            label_visibility="collapsed",
            format_func=lambda number: f"{number} seed{'' if number == '1' else 's'}",
        )
    )
    with screen.beside_controls():
        box = st.container(gap="small")
    with box:
        left, right, press = st.columns([30, 34, 36], gap="small", vertical_alignment="bottom")
    num_envs = int(screen.control(EPISODES, LEARN.num_envs, left))
    rate = screen.control(RATE, LEARN.learning_rate, right)
    mine = training.own_of(screen.key)  # then two buttons, which need a line of their own
    own = LEARN.replace(num_envs=num_envs, learning_rate=rate)
    training.run_again(screen, RUNS, "Run", own=(own,), place=box if mine else press)
    training.recorded(screen, RUNS, lambda runs, before: _draw(screen, runs, before, shown))
    run = next(iter(live.group_of(training.own_of(screen.key) or RUNS)), None)
    recording = begun([run]) if run else None
    if run is None or run.active or recording is None:
        screen.says("The result stands here when the run has ended.")
    else:
        screen.says(in_words(recording, shown))
        if not mine:  # the place of this fold is then taken by the second button
            screen.numbers(numbers(recording))
    screen.command(command(own), OTHER_SETTINGS)
    besides.fold(screen, [run] if run else [])


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run], shown: int) -> None:
    run = runs[0]
    recording = begun(runs)
    if recording is None:
        st.skeleton(height=room_for_captions(screen) + 52)
        return
    config = run.config
    lines = "one seed" if shown == 1 else "thin: a seed · thick: mean of their middle half"
    settings = f"N = {config.num_envs}, learning rate {config.learning_rate:g}"
    seeds, middle = _curves_so_far([run], shown)
    st.markdown(f"**{title(middle)}**  \n:small[:gray[{lines} · {settings}]]")
    earlier = begun(before)
    behind = None
    if earlier:
        behind = _curves_so_far(before, shown)[1]
    chart(
        "chart-learners",
        charts.learners,
        LEARN.num_updates,
        tables={
            "seeds": seeds,
            "middle": middle,
            "before": NO_MIDDLE if behind is None else behind,
            "ends": ends(middle, behind, shown),
        },
        height=room_for_captions(screen),
        says="Return of an episode against updates: one thin line per seed, and their middle.",
        scale=1.6 if screen.present else 1.0,
    )


def curves(
    recording: Recording, shown: int, num_updates: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The returns of the first `shown` seeds, and the mean of their middle half with its interval."""
    returns = recording.metrics()["episode_return"][:num_updates, :shown]
    low, high = bootstrap_band(returns)
    updates = range(len(returns))
    middle = pd.DataFrame(
        {
            "update": updates,
            "episode_return": interquartile_mean(returns, axis=1),
            "low": low,
            "high": high,
        }
    )
    seeds = pd.DataFrame(returns).melt(var_name="seed", value_name="episode_return")
    seeds["update"] = [*updates] * returns.shape[1]
    return seeds, middle


@live.once_for_all
def _curves_so_far(runs: Sequence[Run], shown: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves of the one run so far, in fewer points."""
    (run,) = runs
    recording = run.recording()
    assert recording is not None
    num_updates = live.seen_by_all(run, recording)
    seeds, middle = curves(recording, shown, num_updates)
    stride = -(-num_updates // POINTS)
    kept = (seeds["update"] % stride == 0) | (seeds["update"] == num_updates - 1)
    return live.compact(seeds[kept | (shown == 1)]), live.compact(middle)


def ends(middle: pd.DataFrame, behind: pd.DataFrame | None, shown: int) -> pd.DataFrame:
    """A name at the end of each line; the recorded one only where it stands behind another."""
    rows = [middle.iloc[-1].to_dict() | {"label": middle_name(shown), "own": True}]
    if behind is not None:
        rows.append(behind.iloc[-1].to_dict() | {"label": "recorded run", "own": False})
        low, high = sorted(rows, key=lambda row: row["episode_return"])
        if high["episode_return"] - low["episode_return"] < 30:  # else the names would overlap
            low["episode_return"] = high["episode_return"] - 30
    return pd.DataFrame(rows).assign(
        episode_return=lambda ends: beside_the_threshold(ends["episode_return"])
    )


def title(middle: pd.DataFrame) -> str:
    """What the thick line shows: a rise is claimed only where there is one."""
    first, last = middle["episode_return"].iloc[[0, -1]]
    return (
        "With the updates, the pole stays up longer"
        if last > 2 * first
        else "The return of each seed, update by update"
    )


def middle_name(shown: int) -> str:
    """What the thick line is, at its end."""
    return "seed 0" if shown == 1 else "middle half"


def in_words(recording: Recording, shown: int) -> str:
    """Where the seeds that are shown began and where they are; how many have solved the game."""
    metrics = recording.metrics()
    returns = interquartile_mean(metrics["episode_return"][:, :shown], axis=1)
    solved = int(metrics["solved"][-1, :shown].sum())
    num_updates = recording.num_updates
    if shown == 1:
        dips = metrics["episode_return"][:, 0]
        worst = float((dips - pd.Series(dips).cummax().to_numpy()).min())
        fell = f" On the way it lost {fixed(-worst, 0)} steps again." if worst < -20 else ""
        return (
            f"In {plural(num_updates, 'update')} this seed goes from {fixed(returns[0], 0)} to"
            f" {fixed(returns[-1], 0)} steps per episode.{fell}"
        )
    steps = float(metrics["env_steps"][-1, :shown].sum())
    return (
        f"In {plural(num_updates, 'update')} the return goes from {fixed(returns[0], 0)} to"
        f" {fixed(returns[-1], 0)}. {solved} of {shown} seeds have solved CartPole"
        f" ({SOLVED_RETURN} on average over {SOLVED_EPISODES} episodes), within {count(steps)} steps"
        " in all."
    )


def numbers(recording: Recording) -> pd.DataFrame:
    """What else was recorded, one row per update: means of the middle half of all seeds."""
    metrics = recording.metrics()
    names = {
        "episode_return": "return",
        "grad_norm": "length of ĝ",
        "entropy": "entropy of π, nats",
        "pseudo_loss": "loss",
    }
    columns = {
        label: interquartile_mean(metrics[name], axis=1).round(3) for name, label in names.items()
    }
    return pd.DataFrame(
        {
            "update": range(recording.num_updates),
            **columns,
            "seeds solved": metrics["solved"].sum(axis=1).astype(int),
        }
    )


def command(config: Config) -> str:
    """The command line that trains with these settings."""
    return (
        f"python -m pgviz train reinforce --num-updates {LEARN.num_updates} --stop-when-solved"
        f" --set num_envs={config.num_envs}"
        f" --set learning_rate={config.learning_rate:g}"
    )
