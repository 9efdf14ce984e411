"""Home: the one equation, a run to look at, and what works today."""

import streamlit as st

from pgviz.ui import live, page, run_panel, time_machine
from pgviz.ui.frame import PAGES, open_page, pages_by_slug

this = open_page("home")
page.question(this)

equation, weights = st.columns([3, 2], gap="large", vertical_alignment="center")
with equation:
    st.latex(
        r"\Large \hat g = \frac1N \sum_{\text{episodes}} \sum_t \Psi_t"
        r"\, \nabla_\theta \log \pi_\theta(a_t|s_t)"
    )
with weights:
    st.markdown(
        "Every method here is this one equation. Only the weight $\\Psi_t$ changes: how much an"
        " action is credited with what came of it."
    )

run = live.current_run("home", live.demonstration("reinforce"))
if run is not None:
    curves, player = st.columns([3, 2], gap="large")
    with curves:
        run_panel.watch(run)
    with player:
        recording = run.recording()
        if run.active or recording is None:
            st.skeleton(height=520)
        else:
            time_machine.watch(run, recording.num_updates, seed=0, episode=0, key="player")

st.header("What you can do today", anchor=False)
for other in PAGES[1:]:
    with st.container(border=True):
        st.page_link(pages_by_slug()[other.slug], label=f"**{other.title}.** {other.question}")
        st.markdown(other.answer)
