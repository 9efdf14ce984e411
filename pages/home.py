"""Home: the one equation, a run to look at, and what works today."""

import streamlit as st

from pgviz.measure import race
from pgviz.ui import (
    controls,
    live,
    noise_panels,
    page,
    race_panel,
    run_panel,
    time_machine,
)
from pgviz.ui.controls import Choice
from pgviz.ui.frame import PAGES, open_page, pages_by_slug

this = open_page("home")
page.question(this)

PSI = Choice("psi", "Point at a method", tuple(race.PSI))
RACERS = race.configs()
if fault := controls.faults_of_link((PSI,), "home"):
    st.caption(f":material/link_off: {fault}")

chosen: str = controls.draw(PSI, "reinforce", horizontal=True)
with st.container(key="equation"):
    st.latex(
        r"\hat g = \frac1N \sum_{\text{episodes}} \sum_t \; \big("
        rf"{race.PSI[chosen].equation}\big) \; \nabla_\theta \log \pi_\theta(a_t|s_t)"
    )
st.markdown(
    "Every method here is this one equation. Only the weight $\\Psi_t$ in brackets changes: how"
    f" much an action is credited with what came of it. Here: {race.PSI[chosen].words}."
)
if beyond := race.beyond_psi(chosen):
    st.caption(beyond)

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

st.header("The race", anchor=False)
st.markdown(
    "Every method at its preset (below the results), sixteen common seeds each, until each seed has"
    f" solved CartPole or spent {race.BUDGET:,} steps. The method you point at above stands out."
)
with st.container(horizontal=True, gap="small"):
    if st.button("Start the race", type="primary", key="race.run"):
        live.start_group("race", RACERS)
    if st.button("Stop", key="race.stop"):
        live.stop_group("race")
racers = live.group_of(RACERS)
if live.has_begun("race") or len(racers) == len(RACERS):
    race_panel.watch(RACERS, chosen, "all")
if len(racers) == len(RACERS) and all(run.ending == "finished" for run in racers):
    pace = next(run for run in racers if run.config.method == "reinforce")
    if (recorded := pace.recording()) is not None:
        noise_panels.along_training(pace, recorded, 0, tuple(race.PSI))

st.header("What you can do today", anchor=False)
for other in PAGES[1:]:
    with st.container(border=True):
        st.page_link(pages_by_slug()[other.slug], label=f"**{other.title}**")
        st.markdown(f"{other.question} {other.answer}")
