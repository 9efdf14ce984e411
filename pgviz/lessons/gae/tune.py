"""Choose λ, spend a budget of steps, and compare with the recorded sweep."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pgviz.charts import gae as charts
from pgviz.figures import listed
from pgviz.lessons.gae.settings import LAMBDA, LAMBDA_START
from pgviz.lessons.gae.sweep import found_in
from pgviz.measure import sweep
from pgviz.runs import Recording, Run
from pgviz.training.command import command_line
from pgviz.training.config import Config
from pgviz.ui import live
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import ROOM_SCALE, Screen, chart

RUNS = tuple(sweep.configs())
BUDGET = Choice(
    "budget", "Thousand steps per learner", tuple(steps // 1000 for steps in sweep.BUDGETS)
)
CONTROLS = (LAMBDA, BUDGET)
BEATS = ({"budget": 96}, {"budget": 110})
SECTION = "gae-tune"


def draw(screen: Screen) -> None:
    screen.words(
        "Your turn: choose λ, and how many steps each of sixteen learners may use. The circles are"
        " the recorded runs of the last step: how many of their learners solved CartPole (mean"
        " return 475) within these steps. Which λ is best? Train with it; every attempt stays in the"
        " picture and in a table."
    )
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    budget: int = 1000 * screen.control(BUDGET, BUDGET.options[1])
    config = sweep.within_budget(lam, budget)
    attempts: list[Config] = st.session_state.setdefault("gae.attempts", [])
    with screen.beside_controls():
        pressed = st.button(
            f"Train with λ = {lam:g}", key="tune.run", type="primary", icon=":material/play_arrow:"
        )
    if pressed:
        live.start_group(SECTION, [config])
        if config not in attempts:
            attempts.append(config)
    live.runs().prepare([c for c in RUNS if live.runs().find(c) is None])
    waited = [*RUNS, *attempts[-1:]]
    with screen.picture():
        live.follow(
            lambda: _draw(screen, budget, lam, attempts),
            alive=_waiting(waited),
            until=lambda: not _waiting(waited),
        )
        live.offer_again(live.group_of(waited))
    screen.says(sentence(budget, attempts))
    if attempts:
        screen.numbers(table(attempts))
    screen.command(command_line(config))


def _waiting(configs: Sequence[Config]) -> bool:
    return any(run.active for run in live.group_of(configs))


def _draw(screen: Screen, budget: int, lam: float, attempts: Sequence[Config]) -> None:
    found = found_in(live.group_of(RUNS))
    if not found:
        st.skeleton(height=screen.height - 44)
        return
    mine = [run for run in live.group_of(attempts) if run.config.max_env_steps == budget]
    done = [run for run in mine if run.ending == "finished"]
    st.markdown(
        f"**Learners that solved CartPole within {budget:,} steps**  \n:small[:gray[circles:"
        f" recorded · diamonds: your attempts · dotted: your λ{_progress(attempts)}]]"
    )
    rows = [
        {
            "gae_lambda": run.config.gae_lambda,
            "solved": solved_in(recording),
            "steps": budget,
            "text": f"{solved_in(recording)}",
            "last": run.config == attempts[-1],
        }
        for run in done
        if (recording := run.recording()) is not None
    ]
    chart(
        f"chart-{screen.key}",
        charts.within_budget,
        RUNS[0].num_seeds,
        ink(),
        tables={
            "recorded": recorded(found, budget),
            "attempts": pd.DataFrame(
                rows, columns=["gae_lambda", "solved", "steps", "text", "last"]
            ),
            "yours": pd.DataFrame({"gae_lambda": [lam]}),
        },
        height=screen.height - 84,
        says="Seeds solved within the budget against λ: recorded and your own attempts.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


def _progress(attempts: Sequence[Config]) -> str:
    runs = [run for run in live.group_of(attempts[-1:]) if run.active]
    if not runs:
        return ""
    if runs[0].status == "queued":
        return f" · λ = {runs[0].config.gae_lambda:g} waits for a worker"
    recording = runs[0].recording()
    done = recording.num_updates if recording is not None else 0
    most = -(-runs[0].config.max_env_steps // _steps_of_update(runs[0].config))
    return f" · training λ = {runs[0].config.gae_lambda:g}: update {done} of about {most}"


def _steps_of_update(config: Config) -> int:
    return config.num_envs * config.num_steps


def recorded(found: dict[float, Recording], budget: int) -> pd.DataFrame:
    """Of the sweep: seeds solved by the update in which the budget ends, against λ."""
    steps_of_update = _steps_of_update(RUNS[0])
    last = -(-budget // steps_of_update) * steps_of_update
    return pd.DataFrame(
        [
            {"gae_lambda": lam, "solved": int((sweep.steps_to_solved(recording) <= last).sum())}
            for lam, recording in found.items()
        ]
    )


def solved_in(recording: Recording) -> int:
    """Seeds solved when the run ended."""
    return int(recording.metrics()["solved"][-1].sum())


def table(attempts: Sequence[Config]) -> pd.DataFrame:
    """Every attempt and what came of it."""
    return pd.DataFrame([_row(run) for run in live.group_of(attempts)])


def _row(run: Run) -> dict[str, object]:
    row: dict[str, object] = {
        "λ": run.config.gae_lambda,
        "steps per learner": run.config.max_env_steps,
    }
    recording = run.recording()
    if run.ending != "finished" or recording is None:
        return row | {"solved": run.status, "mean return": ""}
    return row | sweep.spent(recording)


def sentence(budget: int, attempts: Sequence[Config]) -> str:
    """The best of the recorded λ on this budget, and the latest attempt beside it."""
    found = found_in(live.group_of(RUNS))
    if len(found) < len(RUNS):
        return "The comparison stands here when the recorded sweep is complete."
    best = recorded(found, budget)
    most = int(best["solved"].max())
    names = [f"{lam:g}" for lam in best[best["solved"] == most]["gae_lambda"]]
    of = RUNS[0].num_seeds
    get = "gets" if len(names) == 1 else "get"
    text = f"Of the recorded λ, {listed(names)} {get} most solved within {budget:,} steps: {most} of {of}."
    latest = live.group_of(attempts[-1:])
    if not latest or latest[0].config.max_env_steps != budget:
        return text
    recording = latest[0].recording()
    if latest[0].ending != "finished" or recording is None:
        return f"{text} Your λ = {latest[0].config.gae_lambda:g} is {latest[0].status}."
    mine = solved_in(recording)
    beside = "more than" if mine > most else "as many as" if mine == most else "fewer than"
    return (
        f"{text} Your λ = {latest[0].config.gae_lambda:g}: {mine}, {beside} the best of them."
        " Differences of one or two learners may be luck."
    )
