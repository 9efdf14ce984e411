"""Baselines: what may I subtract for free?"""

import streamlit as st

from pgviz import broken, estimators
from pgviz.exact import by_hand as exact_by_hand
from pgviz.exact import credit as exact_credit
from pgviz.exact.subtraction import baseline_is_free
from pgviz.from_scratch import baseline
from pgviz.measure import frozen, noise, takeaways
from pgviz.training import methods
from pgviz.training.config import presets
from pgviz.ui import controls, live, noise_panels, page, quiz, receipts
from pgviz.ui.controls import Choice, Number
from pgviz.ui.frame import open_page

this = open_page("baselines")

STORIES = {
    "ladder": "three rungs, six steps",
    "bandit-a": "three arms, one step",
    "survival": "stay or stop",
    "short-corridor": "three states, one look",
}
WORLD = Choice("world", "World", tuple(STORIES), captions=tuple(STORIES.values()))
RANGES = {  # of b(s): lowest, highest, and so many steps to the unit
    "ladder": (-2, 4, 10, 3),
    "bandit-a": (-2, 8, 4, 1),
    "survival": (-2, 8, 4, 1),
    "short-corridor": (-26, 10, 1, 3),
}
SLIDERS = {
    name: tuple(
        Choice(
            f"{name.removeprefix('short-')}_b{s}",
            f"Subtract b(s{s})" if num > 1 else "Subtract b",
            tuple(  # whole numbers are written whole: −12, not −12.0
                i / steps if i % steps else i // steps for i in range(low * steps, high * steps + 1)
            ),
        )
        for s in range(num)
    )
    for name, (low, high, steps, num) in RANGES.items()
}
DOTS = Choice("dots", "Episodes per dot", (1, 4, 16, 64), "N: each dot is the mean of N episodes.")
NOT_FREE = Choice("not_free", "World", noise.SUBTRACTION_WORLDS)
CREDIT = Choice("credit", "World", noise.CREDIT_WORLDS)
WHERE = Choice("where", "Policy", ("CartPole", *STORIES))
RECORDING = Choice("recording", "Recording", ("REINFORCE", "with a baseline"))
UPDATE = Number("update", "Update", 0, 300)
SEED = Number("seed", "Seed", 0, 63)
EPISODES = Choice("episodes", "Episodes", (128, 256, 512, 1024))
BREAKS = ("nothing", *receipts.breaks(baseline_is_free))
BREAK = Choice("break", "Break a step", BREAKS)
ALL = (WORLD, DOTS, NOT_FREE, CREDIT, WHERE, RECORDING, UPDATE, SEED, EPISODES, BREAK)
ALL += tuple(slider for sliders in SLIDERS.values() for slider in sliders)


page.question(this)
receipts.style()
if fault := controls.faults_of_link(ALL, "baselines"):
    st.caption(f":material/link_off: {fault}")


# --- drag b(s), watch the cloud; the parabolas stand behind the prediction ---

bench, picture = st.columns([3, 7], gap="large")
with bench:
    world = controls.draw(WORLD, "ladder")
    values = [controls.draw(slider, 0) for slider in SLIDERS[world]]
    num_dots = controls.draw(DOTS, 16)
with picture:
    noise_panels.cloud(world, values, num_dots)
guess = page.predict(
    "thousand",
    "You subtract 1000 in every state. What happens to ĝ?",
    ("The centre moves", "The spread grows, the centre stays", "Both", "Nothing"),
)
if guess:
    st.markdown(noise.a_thousand(world))
    low, high, *_ = RANGES[world]
    noise_panels.parabolas(world, values, float(low), float(high))


# --- subtractions that look harmless ---

st.header("What is not free", anchor=False)
prose, picture = st.columns([3, 7], gap="large")
with prose:
    not_free = controls.draw(NOT_FREE, "survival")
    st.markdown(
        "A baseline may know the state. Once it knows something of the **action**, it takes a"
        " part of the lesson away. Here:"
    )
    st.markdown(noise.taken_away(not_free))
with picture:
    noise_panels.kept(not_free)


# --- the matrix of actions and rewards ---

st.header("The first thing everyone subtracts: the past", anchor=False)
st.markdown(
    "The full return multiplies every action's score with every reward of the episode, those"
    " paid before it included."
)
noise_panels.credit(controls.draw(CREDIT, "ladder", horizontal=True))


# --- six estimators on the same episodes, and both methods live ---

page_run = live.current_run("baselines", live.demonstration("reinforce"))
if page_run is not None and page_run.ending == "stopped":  # its last reader left too soon
    page_run = live.start("baselines", page_run.config)
recorded = page_run.recording() if page_run is not None else None
runs = [page_run] if page_run is not None else []
if "baseline" in presets and (beside := live.also_watch(live.demonstration("baseline"), "second")):
    runs.append(beside)


st.header("Six estimators, the same episodes", anchor=False)
with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
    where = controls.draw(WHERE, "CartPole", horizontal=True)
    taken = controls.draw(RECORDING, "REINFORCE", horizontal=True) if where == "CartPole" else ""
method = "baseline" if taken == "with a baseline" else "reinforce"
benched = next((run for run in runs if run.config.method == method), None)
frozen_in = benched.recording() if benched is not None and not benched.active else None
if where != "CartPole":
    noise_panels.bench(noise_panels.tabular_bench(where, 4000))
elif benched is None or frozen_in is None or frozen_in.num_updates == 0:
    st.skeleton(height=420)
else:
    last, seeds = frozen_in.num_updates, benched.config.num_seeds
    limits = (Number("update", "Update", 0, last), Number("seed", "Seed", 0, seeds - 1))
    controls.drop_faults(limits, "baselines")
    left, middle, right = st.columns([2, 1, 1], gap="large")
    with left:
        update = controls.draw(limits[0], min(12, last), slider=True)
    with middle:
        seed = controls.draw(limits[1], 0)
    with right:
        num = controls.draw(EPISODES, 256)
    noise_panels.bench(noise_panels.cartpole_bench(benched, frozen_in, update, seed, num))
st.caption("γ = 1, whole episodes, nothing normalised: otherwise the means would differ too.")

st.header("Does it learn faster?", anchor=False)
st.markdown(
    "REINFORCE, and REINFORCE that subtracts a critic V̂(s) fitted to the returns of earlier"
    " updates. The critic is subtracted and never believed."
)
if runs:
    left, right = st.columns(2, gap="large")
    with left:
        noise_panels.pair(runs)
    with right:
        if page_run is None or page_run.active or recorded is None:
            st.skeleton(height=420)
        else:
            noise_panels.along_training(page_run, recorded, seed=0)
            st.caption(f"REINFORCE: {takeaways.lengths(recorded)}")

st.header("Normalising is subtracting, too", anchor=False)
st.markdown(
    "Much code subtracts the batch's mean and divides by its spread. The mean contains the sample"
    " itself; the spread depends on it."
)
noise_panels.normalisers()


# --- why a baseline is free, line by line ---

st.header("Why it is free, line by line", anchor=False)
left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
with left:
    st.markdown(
        "Each line at the θ of the world above, both sides computed."
        f" {noise_panels.subtracted_in_words(world)}"
    )
with right:
    chosen = st.selectbox(BREAK.label, BREAKS, key=BREAK.name, bind="query-params")
noise_panels.derivation(world, None if chosen == "nothing" else chosen)

page.code_that_ran(
    [
        (
            "The weight Ψ",
            r"\Psi_t = G_t - \hat V(s_t)",
            estimators.baselined_reward_to_go,
        ),
        (
            "The parabola",
            r"\operatorname{tr}\operatorname{Cov}\hat g_b = \text{lowest} + \sum_s d(s)(b(s)-b^*(s))^2",
            exact_by_hand.parabolas,
        ),
        ("Who is credited", r"\mathbb E[\nabla\log\pi(a_t)\, r_u]", exact_credit.credit),
        (
            "One gradient per episode",
            r"\hat g_n = \textstyle\sum_t \Psi_t \nabla\log\pi(a_t|s_t)",
            frozen.episode_gradients,
        ),
        ("An illegal one", r"\Psi_t = G_t - \tfrac1T\textstyle\sum_u G_u", broken.own_episode_mean),
    ]
)
page.code_diff(methods.reinforce, methods.baseline)
page.from_scratch(baseline)

page.takeaways(
    ([noise.a_thousand(world), noise.surprise(world)] if guess else [])
    + [
        noise.credit_tables("ladder").sentence,
        noise.not_free_sentence(),
        noise.normaliser_sentence(),
    ]
)
quiz.draw(noise.quiz())
if page_run is not None:
    page.reproduce("baselines", controls.held(ALL), page_run)
