"""REINFORCE: how do samples become a gradient?"""

import math

import streamlit as st

from pgviz import estimators
from pgviz.exact.reinforce_questions import REINFORCE
from pgviz.from_scratch import reinforce
from pgviz.measure import takeaways
from pgviz.training import gradient, loop, methods
from pgviz.ui import controls, live, page, quiz, run_panel, time_machine
from pgviz.ui.controls import Choice, Number
from pgviz.ui.frame import open_page
from pgviz.ui.guard import guarded
from pgviz.worlds.cartpole import ANGLE_LIMIT, MAX_EPISODE_STEPS

this = open_page("reinforce")
default = live.demonstration("reinforce")

VISIBLE = (
    Choice(
        "method",
        "Ψ, the weight of an action",
        ("reinforce", "full-return"),
        captions=("the rewards still to come", "all rewards of the episode"),
    ),
    Number("num_seeds", "Seeds", 1, 64, "Independent runs of the same method."),
    Choice("num_envs", "Episodes per update", (1, 2, 4, 8, 16, 32, 64), "N in the equation."),
    Choice("learning_rate", "Learning rate", (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1)),
)
MORE = (
    Choice("gamma", "Discount γ", (0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1.0)),
    Choice(
        "normalize_advantages",
        "Normalise Ψ in each batch",
        (True, False),
        "Subtract the batch's mean and divide by its spread: a hidden baseline and a hidden step"
        " size. Off when estimators are compared.",
    ),
    Choice(
        "drop_gamma_t",
        "Drop the factor γ^t",
        (True, False),
        "The theorem weighs step t by γ^t; most code leaves it out. Nothing changes at γ = 1, nor for"
        " the full return, whose rewards are discounted from the start.",
    ),
    Choice("stop_when_solved", "Stop a seed once it has solved it", (True, False)),
    Choice("num_updates", "Updates", (20, 40, 60, 100, 150, 200, 300)),
    Number("rng_seed", "Random seed", 0, 9999, "Other numbers, other luck."),
)
PLACE = (
    Number("update", "Update", 0, 300),
    Number("seed", "Seed", 0, 63),
    Number("episode", "Episode", 0, 63),
)
SETTINGS = [control.name for control in VISIBLE + MORE]


def reset() -> None:
    """Every control back to where it was, and the first run back on the page."""
    for name in SETTINGS:
        st.session_state[name] = getattr(default, name)
    st.session_state.pop("reinforce.config", None)
    controls.forget_faults("reinforce")
    time_machine.forget(live.runs().find(default))


page.question(this)
with st.container(key="equation"):
    st.latex(
        r"\hat g = \frac1N \sum_{\text{episodes}} \sum_t \Psi_t \; \nabla_\theta \log"
        r" \pi_\theta(a_t|s_t)"
    )
st.markdown(
    "The theorem's expectation, as a mean. The weight of an action is what followed it:"
    " $\\Psi_t = G_t = r_t + \\gamma\\, G_{t+1}$.\n\n"
    "The world is **CartPole**: push a cart left or right so that its pole stays up."
    " Every step pays 1; the episode ends when the pole leans"
    f" {math.degrees(ANGLE_LIMIT):.0f}° or the cart leaves the track, after {MAX_EPISODE_STEPS}"
    f" steps at the latest. Solved: {loop.SOLVED_RETURN:g} on average over"
    f" {loop.SOLVED_EPISODES} episodes."
)
if fault := controls.faults_of_link(VISIBLE + MORE + PLACE, "reinforce"):
    st.caption(f":material/link_off: {fault}")

bench, picture = st.columns([3, 7], gap="large")
with bench:
    values = {c.name: controls.draw(c, getattr(default, c.name)) for c in VISIBLE}
    with st.popover("More settings", width="stretch"):
        values |= {c.name: controls.draw(c, getattr(default, c.name)) for c in MORE}
    config = default.replace(**values)
    buttons = st.container(horizontal=True, gap="small")
    pressed_run = buttons.button("Run", type="primary")
    pressed_stop = buttons.button("Stop")
    buttons.button("Reset", on_click=guarded(reset))

run = live.start("reinforce", config) if pressed_run else live.current_run("reinforce", config)
if pressed_stop:
    live.stop("reinforce")
if run is None:
    st.stop()

with bench:
    if run.config != config:
        st.caption("The settings have changed. Press Run to see what they do.")
with picture:
    run_panel.watch(run)

guess = page.predict(
    "pseudo-loss",
    "Code hands the optimiser a “loss”, −(1/N) Σ Ψ log π. While the return rises, this loss …",
    ("falls", "stays about the same", "rises"),
)
if guess:
    run_panel.watch_instruments(run, ("pseudo_loss", "grad_norm", "entropy"))

time_machine.draw(run, "reinforce")

keeps_gamma_t = not run.config.drop_gamma_t and run.config.method != "full-return"
gamma_t = r"\gamma^t \, " if keeps_gamma_t else ""
psi = r"(\Psi_t - \bar\Psi) / \sigma_\Psi" if run.config.normalize_advantages else r"\Psi_t"
page.code_that_ran(
    [
        (
            "The weight Ψ",
            r"\Psi_t = \sum_{k \ge t} \gamma^{k-t} r_k"
            if run.config.method == "reinforce"
            else r"\Psi_t = \sum_k \gamma^k r_k",
            estimators.reward_to_go if run.config.method == "reinforce" else estimators.full_return,
        ),
        (
            "What else is done to Ψ",
            rf"\Psi_t \leftarrow {gamma_t}{psi}",
            methods.weighted,
        ),
        (
            "The gradient",
            r"\hat g = \tfrac1N \textstyle\sum_{\text{episodes}} \sum_t \Psi_t"
            r" \nabla_\theta \log \pi(a_t|s_t)",
            gradient.policy_gradient,
        ),
        ("The loop", r"\theta \leftarrow \theta + \text{Adam}(\text{clip}(\hat g))", loop.train),
    ]
)
page.from_scratch(reinforce)

recording = run.recording()
if recording is not None and recording.num_updates and not live.is_live(run):
    sentences = takeaways.all_of(recording)
    page.takeaways(sentences if guess else sentences[:2])
quiz.draw(quiz.asked(REINFORCE))
query = f"{controls.query_of(run.config, SETTINGS)}&{controls.held(PLACE)}".rstrip("&")
page.reproduce("reinforce", query, run)
