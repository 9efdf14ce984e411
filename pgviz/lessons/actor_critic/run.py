"""The actor-critic beside REINFORCE: sixteen common seeds each, recorded, in two worlds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import actor_critic as charts
from pgviz.figures import fixed, plural
from pgviz.measure import race
from pgviz.measure.solving import interval, paired_difference, steps_to_solved, within
from pgviz.runs import Recording, Run
from pgviz.training import loop, methods
from pgviz.training.command import command_line
from pgviz.ui import besides, live, training
from pgviz.ui.controls import Choice
from pgviz.ui.screen import ROOM_SCALE, Screen, chart
from pgviz.worlds.world import find

METHODS = ("reinforce", "actor-critic")
CARTPOLE, ACROBOT = "CartPole-v1", "Acrobot-v1"
IN_WORLD = {world: tuple(race.configs(METHODS, world)) for world in (CARTPOLE, ACROBOT)}
RUNS = (*IN_WORLD[CARTPOLE], *IN_WORLD[ACROBOT])
WORLD = Choice("learned-world", "World", ("CartPole", "Acrobot"))
CONTROLS = (WORLD,)
BEATS = ({"learned-world": "CartPole"}, {"learned-world": "Acrobot"})


def draw(screen: Screen) -> None:
    plain, config = IN_WORLD[CARTPOLE]
    screen.words(
        f"REINFORCE plays {plain.num_envs} whole episodes before each update. The actor-critic plays"
        f" {config.num_steps} steps in each of {config.num_envs} copies of the world, computes δ of"
        " every step, updates actor and critic, and continues the same episodes. A seed stops once"
        " it has solved the game. Beside the weight, discount, learning rate and batch differ:"
        " see Settings."
    )
    world = CARTPOLE if screen.control(WORLD, "CartPole") == "CartPole" else ACROBOT
    runs = IN_WORLD[world]
    training.run_again(screen, runs)
    finished = training.recorded(
        screen, runs, lambda found, before: _draw(screen, found, before, world)
    )
    found = training.recordings(finished)
    if len(found) == len(runs):
        screen.says(in_words(found))
        screen.numbers(race.results(found))
    else:
        screen.says("The result stands here when both have ended.")
    with screen.fold("Steps", ":material/format_list_numbered:"), st.container(width=520):
        st.markdown(algorithm())
    with screen.fold("Settings", ":material/tune:"), st.container(width=620):
        st.markdown(race.beyond_psi("actor-critic", world))
        st.dataframe(
            race.settings(METHODS, world), hide_index=True, key="ac-settings", alt="Settings"
        )
    shown = live.group_of(runs)
    besides.fold(screen, shown, [race.label(run.config.method) for run in shown])
    screen.code(methods.baseline, methods.actor_critic, loop.train)
    screen.command(*map(command_line, runs))


def algorithm() -> str:
    """What one update does, in order."""
    c = IN_WORLD[CARTPOLE][1]
    return (
        f"1. **Act.** {c.num_envs} environments go on for {c.num_steps} steps each, under π.\n"
        "2. **Compute** δ = r + γ V̂(s′) − V̂(s) of every step; after an end V̂(s′) = 0.\n"
        f"3. **Actor:** one step along ĝ, the sum of δ ∇ log π(a|s), divided by {c.num_envs}."
        " δ is a fixed number.\n"
        "4. **Critic:** one step down the mean of ½ (V̂(s) − y)², y = r + γ V̂(s′) a fixed number.\n"
        "5. Begin again at 1."
    )


def _draw(screen: Screen, runs: Sequence[Run], before: Sequence[Run], world: str) -> None:
    st.markdown(
        f"**{heading(runs)}**  \n:small[:gray[thin: a seed · thick: mean of the middle half of the"
        " seeds]]"
    )
    curves, seeds = tables(runs)
    chart(
        f"chart-{screen.key}",
        charts.beside,
        race.BUDGETS[world],
        world,
        tables={
            "curves": curves,
            "seeds": seeds,
            "before": tables(before)[0],
            "names": names(world),
        },
        height=screen.height - (150 if screen.present else 88),
        says="Return against environment steps of REINFORCE and of the actor-critic.",
        scale=ROOM_SCALE if screen.present else 1.0,
    )


def names(world: str) -> pd.DataFrame:
    """A key of the two lines where no line runs: below, in the right half."""
    low, high = find(world).returns or (0.0, 1.0)
    places = (low + 0.26 * (high - low), low + 0.17 * (high - low))
    labels = map(race.label, METHODS)
    return pd.DataFrame({"method": METHODS, "label": labels, "place": places})


@live.once_for_all
def heading(runs: Sequence[Run]) -> str:
    """What to see: whose slowest seed is done first; known once both have ended."""
    ended = {run.config.method: run.recording() for run in runs if run.ending == "finished"}
    slowest = {name: steps_to_solved(r).max() for name, r in ended.items() if r is not None}
    if len(slowest) < len(METHODS) or any(np.isnan(x) for x in slowest.values()):
        return "Return along training"
    sooner = slowest["actor-critic"] < slowest["reinforce"]
    return f"The actor-critic's slowest seed is done {'sooner' if sooner else 'later'}"


@live.once_for_all
def tables(runs: Sequence[Run]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The middle and the seeds of these runs, with the name of the method."""
    both = [(live.by_steps(run), run.config.method) for run in runs]
    middle = [t[0].assign(method=name) for t, name in both if len(t[0])]
    seeds = [t[1].assign(method=name) for t, name in both if len(t[1])]
    return (
        pd.concat(middle) if middle else live.NO_CURVE.assign(method=""),
        pd.concat(seeds) if seeds else live.NO_SEEDS.assign(method=""),
    )


def in_words(found: dict[str, Recording]) -> str:
    """Steps until solved of both, whether they differ seed by seed, and the slowest seeds."""
    steps = {name: steps_to_solved(recording) for name, recording in found.items()}
    spent = {name: within(x, race.BUDGETS[found[name].config.world]) for name, x in steps.items()}
    ours, theirs = (interval(spent[name])[0] for name in ("actor-critic", "reinforce"))
    _, low, high = paired_difference(spent["actor-critic"], spent["reinforce"])
    apart = (
        "fewer, seed by seed"
        if high < 0
        else "more, seed by seed"
        if low > 0
        else "seed by seed no clear difference"
    )
    text = (
        f"Until solved, the actor-critic needs {fixed(ours, 0)} steps, REINFORCE {fixed(theirs, 0)}"
        f" (mean of the middle half): {apart}."
    )
    lacking = {name: int(np.isnan(x).sum()) for name, x in steps.items()}
    if any(lacking.values()):
        return (
            f"{text} Not solved within {race.BUDGETS[found['reinforce'].config.world]:,} steps: {plural(lacking['actor-critic'], 'seed')} of the actor-critic,"
            f" {lacking['reinforce']} of REINFORCE."
        )
    return (
        f"{text} Its slowest seed needs {fixed(steps['actor-critic'].max(), 0)}, REINFORCE's"
        f" {fixed(steps['reinforce'].max(), 0)}."
    )
