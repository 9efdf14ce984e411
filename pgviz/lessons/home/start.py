"""The way in: the one equation, and a policy that plays."""

import streamlit as st

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
        "Learn how a program gets better by trial: derive **policy gradients**, write them, measure"
        " them. Everything grows from one equation, which the first page builds:\n\n"
        r"$\displaystyle\hat g = \frac1N \sum_{\text{episodes}} \sum_t \Psi_t\,"
        r"\nabla\log\pi(a_t|s_t)$"
    )
    with screen.beside_controls(), st.container(horizontal=True, gap="small"):
        left = progress.last()
        walk.open_button("Begin", ("theorem", "guess"), primary=left is None)
        if left is not None:
            walk.open_button("Go on where you left off", left, primary=True)
    moment = screen.control(MOMENT, "trained", horizontal=True)
    found = demonstration()
    shown = found.at(MOMENT.options.index(moment))
    with screen.picture():
        cartpole_player(
            shown["episode"],
            key="player-home",
            title=f"CartPole after {shown['update']} of {found.num_updates} updates (recorded)",
        )
    screen.says(
        f"Here an episode lasts {fixed(shown['mean_return'], 0)} of 500 steps on average. After"
        f" {found.num_updates} updates, {found.solved_seeds} of {found.num_seeds} independent"
        " learners had solved it."
    )
