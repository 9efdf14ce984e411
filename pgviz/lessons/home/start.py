"""The way in: the one equation, and a policy that plays."""

import streamlit as st

from pgviz.charts.learning import MAX_RETURN, SOLVED_EPISODES, SOLVED_RETURN
from pgviz.figures import fixed
from pgviz.lessons.home.demonstration import demonstration
from pgviz.ui import progress, walk
from pgviz.ui.controls import Choice
from pgviz.ui.player import cartpole_player
from pgviz.ui.screen import Screen

MOMENT = Choice("moment", "Policy", ("first", "halfway", "trained"))
CONTROLS = (MOMENT,)
BEATS = ({"moment": "first"}, {"moment": "trained"})


def draw(screen: Screen) -> None:
    screen.words(
        "In **CartPole** a program pushes a cart so that its pole stays up, and gets better by"
        " trial. Here you derive, write and measure how: **policy gradients**. They share one"
        " equation:\n\n"
        r"$\displaystyle\hat g = \frac1N \sum_{\text{episodes}} \sum_t \Psi_t\,"
        r"\nabla\log\pi(a_t|s_t)$"
        "\n\nIn words: make each decision of N games more likely where a number Ψ is positive, less"
        " likely where it is negative. The next pages build this equation."
    )
    with screen.beside_controls(), st.container(horizontal=True, gap="small"):
        first, left = ("theorem", "guess"), progress.last()
        walk.open_button("Begin", first, primary=left in (None, first))
        if left not in (None, first):
            walk.open_button("Go on where you left off", left, primary=True)
    moment = screen.control(MOMENT, "trained", horizontal=True)
    found = demonstration()
    shown = found.at(MOMENT.options.index(moment))
    with screen.picture():
        cartpole_player(
            shown["episode"],
            key="player-home",
            title=f"One learner after {shown['update']} of {found.num_updates} rounds (recorded)",
        )
    screen.says(
        f"At this point a game of this learner lasts {fixed(shown['mean_return'], 0)} of"
        f" {MAX_RETURN} steps on average. In the end {found.solved_seeds} of {found.num_seeds}"
        f" independent learners had solved it: {SOLVED_RETURN} steps on average over"
        f" {SOLVED_EPISODES} games."
    )
