"""GAE: how much should I trust my critic?"""

import pandas as pd
import streamlit as st

from pgviz import estimators
from pgviz.exact import trust as exact_trust
from pgviz.exact.believing import gae_lines
from pgviz.exact.critic_questions import GAE
from pgviz.from_scratch import actor_critic
from pgviz.measure import ledger, sweep, trust
from pgviz.training import methods
from pgviz.ui import controls, critic_panels, gae_panels, live, page, quiz, receipts
from pgviz.ui.controls import Choice
from pgviz.ui.frame import open_page

this = open_page("gae")

HUNDREDTHS = tuple(i / 100 for i in range(101))
EPISODES = Choice("episodes", "Episodes N", trust.EPISODES, "How many episodes ĝ is the mean of.")
LAMBDA = Choice("lam", "λ", HUNDREDTHS)
GAMMA = Choice("gamma", "γ", (0.5, 0.9, 0.95, 0.98, 0.99, 1.0))
LEDGER = Choice("ledger", "Ledger", tuple(ledger.LEDGERS))
LEDGER_LAMBDA = Choice("ledger_lambda", "λ of the ledger", HUNDREDTHS)
BUG = Choice("bug", "Break it", ledger.BUGS)
BREAK = Choice("break", "Break a step", ("nothing", *receipts.breaks(gae_lines)))
BUDGET = Choice("budget", "Steps per seed", sweep.BUDGETS)
TRY = Choice("try", "Your λ", HUNDREDTHS)
ALL = (*critic_panels.WRONG_CRITIC, EPISODES, LAMBDA, GAMMA, LEDGER, LEDGER_LAMBDA, BUG, BREAK)
ALL += (BUDGET, TRY)

page.question(this)
st.markdown(
    "The **advantage** A(s, a) = Q(s, a) − V(s) is how much more an action brings than the policy"
    " does on average. **GAE**, generalised advantage estimation, is an estimate Â of it."
)
if fault := controls.faults_of_link(ALL, "gae"):
    st.caption(f":material/link_off: {fault}")
receipts.style()


# --- the exact trade-off; its minimum stands behind the prediction ---

left, picture = st.columns([3, 7], gap="large")
with left:
    world, shape, error = critic_panels.wrong_critic("ladder", "too small", 0.5)
    num = controls.draw(EPISODES, 10)
    lam = controls.draw(LAMBDA, 0.95)
with picture:
    gae_panels.tradeoff(world, shape, error, num, lam, st.session_state.get("minimum.committed"))
guess = page.predict_number(
    "minimum",
    "The error of ĝ is bias² + variance / N. Where along λ is it least, for the critic and the N"
    " above?",
    0.0,
    1.0,
    0.01,
    0.5,
)
if guess is not None:
    gae_panels.movement(world, shape, error, num)


# --- what λ weighs ---

st.header("What λ weighs", anchor=False)
prose, picture = st.columns([3, 7], gap="large")
with prose:
    st.markdown(
        "$\\hat A_t = \\sum_k (\\gamma\\lambda)^k\\,\\delta_{t+k}$. Write out the δ, and every reward"
        " keeps a weight and the critic's word on every later state gets the rest. Move λ above to 1:"
        " in an episode that terminates the critic falls silent."
    )
    gamma = controls.draw(GAMMA, 0.99)
with picture:
    gae_panels.kernel(gamma, lam)
gae_panels.windows(world, shape, error)


# --- the ledger ---

st.header("The ledger: backwards, row by row", anchor=False)
st.markdown(
    "Terminated: nothing comes after, so V̂(s′) counts as 0. Truncated: a time limit cut the"
    " episode, so V̂ of the final observation counts. Both stop the sum. Here γ is always"
    f" {ledger.GAMMA:g}. Tick, type, break."
)
choose, knob, bugs = st.columns([4, 3, 5], gap="large")
with choose:
    name = controls.draw(LEDGER, "a fall", horizontal=True)
with knob:
    ledger_lam = controls.draw(LEDGER_LAMBDA, 0.95)
with bugs:
    bug = controls.draw(BUG, ledger.RIGHT)
gae_panels.ledger_bench(name, ledger.GAMMA, ledger_lam, bug)


# --- receipts ---

st.header("Why it is so, line by line", anchor=False)
words, chosen = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
with chosen:
    way = st.selectbox(BREAK.label, BREAK.options, key=BREAK.name, bind="query-params")
with words:
    st.markdown(
        "In the world above; the critic is V / 2 where none is named, d its error at ε = 1."
        " V and V̂ know the step, as the listed episodes have a last one: V̂(sₜ) is V̂ₜ(sₜ)."
        f" {receipts.listed_in_words(world)}"
    )
broken = None if way == "nothing" else way
lines = receipts.readings(gae_lines, world, broken)
receipts.table(lines, "gae")
st.caption(receipts.verdict(lines, broken))

# --- on CartPole ---

st.header("On CartPole: seven λ, sixteen seeds each", anchor=False)
st.markdown(
    "There the critic is a network that learns along, and nobody knows its error. The same seeds"
    f" for every λ, so runs are compared seed by seed. {sweep.windows_in_words(sweep.configs()[0])}"
)
SWEEP = sweep.configs()
begin, end = st.container(horizontal=True, gap="small"), st.container()
if begin.button("Run the sweep", type="primary", key="sweep.run"):
    live.start_group("sweep", SWEEP)
if begin.button("Stop", key="sweep.stop"):
    live.stop_group("sweep")
sweeping = live.group_of(SWEEP)
swept: dict = {}
if live.has_begun("sweep") or len(sweeping) == len(SWEEP):
    with end:
        gae_panels.watch_sweep(SWEEP)
    swept = {run.config.gae_lambda: run.recording() for run in sweeping if run.ending == "finished"}

st.header("Your task: tune λ under a budget", anchor=False)
left, right = st.columns([3, 7], gap="large")
with left:
    st.markdown("Sixteen seeds, a fixed number of steps. How many can you get solved?")
    budget = controls.draw(BUDGET, sweep.BUDGETS[1])
    tried = controls.draw(TRY, 0.5)
    config = sweep.within_budget(tried, budget)
    attempts: list = st.session_state.setdefault("gae.attempts", [])
    if st.button("Spend it", key="budget.run"):
        live.start_group("budget", [config])
        if config not in attempts:
            attempts.append(config)
with right:
    rows = []
    for run in live.group_of(attempts):
        recording = run.recording()
        done = run.ending == "finished" and recording is not None
        rows.append(
            {
                "λ": run.config.gae_lambda,
                "steps per seed": run.config.max_env_steps,
            }
            | (sweep.spent(recording) if done and recording else {"solved": run.status})
        )
    if latest := live.group_of(attempts[-1:]):
        gae_panels.attempt(latest[0], latest[0].config.max_env_steps)
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="attempts")
    else:
        st.markdown(
            "Every attempt is kept in a table here. The sweep above is the answer key: run it"
            " afterwards."
        )

page.code_that_ran(
    [
        (
            "The weight Ψ",
            r"\hat A_t = \sum_k (\gamma\lambda)^k \delta_{t+k}",
            estimators.gae,
        ),
        (
            "The recursion",
            r"X_t = x_t + c\,(1-\text{over}_t)\,X_{t+1}",
            estimators.discounted_sum,
        ),
        (
            "The exact trade-off",
            r"\text{bias}^2(\varepsilon) = \varepsilon^2\,\text{bias}^2(1)",
            exact_trust.tradeoff,
        ),
    ]
)
page.code_diff(methods.actor_critic, methods.gae)
page.from_scratch(actor_critic, " --gae-lambda 0.95")

sentences = [trust.kernel_in_words(gamma, lam)]
if guess is not None:
    sentences.insert(0, trust.moves(world, shape, error))
sentences.append(
    ledger.Ledger.of(ledger.LEDGERS["500 ones"](), ledger.GAMMA, 0.95)
    .difference(ledger.LIMIT)
    .replace("✗ The bug", "500 ones cut by a time limit: taking it for a fall")
)
if len(swept) == len(SWEEP):
    sentences.append(f"On CartPole: {sweep.in_words(swept)}")
page.takeaways(sentences)
quiz.draw(quiz.asked(GAE))

page.share(
    "gae",
    controls.held(ALL),
    gae_panels.command(world, shape, error, lam),
    gae_panels.sweep_command(),
    not_in_it=" What you type into the cells of the ledger stays in this tab.",
)
page.settled()
