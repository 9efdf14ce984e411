"""Actor-critic: what changes when the critic is believed, not only subtracted?"""

import streamlit as st

from pgviz import estimators
from pgviz.exact import trust as exact_trust
from pgviz.exact.critic_questions import ACTOR_CRITIC
from pgviz.from_scratch import actor_critic
from pgviz.measure import critic_map, race, switches, trust
from pgviz.training import critic, loop, methods, presets
from pgviz.training.command import command_line
from pgviz.ui import controls, critic_panels, live, noise_panels, page, quiz, race_panel
from pgviz.ui.controls import Choice, Number
from pgviz.ui.frame import open_page

this = open_page("actor-critic")

START = Choice("start", "P(right) at the start", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8))
UPDATE = Number("update", "Update", 0, 5000)
SEED = Number("seed", "Seed", 0, 15)
SWITCH = Choice("switch", "What is done to the actor-critic", tuple(switches.SWITCHES))
ALL = (*critic_panels.WRONG_CRITIC, START, UPDATE, SEED, SWITCH)

page.question(this)
if fault := controls.faults_of_link(ALL, "actor-critic"):
    st.caption(f":material/link_off: {fault}")


# --- one slider corrupts V; the answer is committed to first ---

bench, picture = st.columns([3, 7], gap="large")
with bench:
    world, shape, error = critic_panels.wrong_critic("short-corridor", "one number", 0.5)
with picture:
    critic_panels.two_uses(
        world, shape, error, revealed=st.session_state.get("breaks.committed") is not None
    )
guess = page.predict(
    "breaks",
    "Make V̂ wrong. Which ĝ is then wrong on average?",
    ("The one that subtracts it", "The one that believes it", "Both", "Neither"),
)
if guess is not None:
    st.markdown(trust.uses_in_words(world, shape, error))


# --- the corridor's aliased critic ---

st.header("A bias you can see in the policy", anchor=False)
prose, picture = st.columns([3, 7], gap="large")
with prose:
    st.markdown(
        "In the corridor all rooms look alike, so the natural critic says one number:"
        f" {trust.aliased_in_words()} Follow both, without any noise, the critic kept up to date"
        " at every step."
    )
    start = controls.draw(START, 0.5)
with picture:
    critic_panels.ascents(start)

st.header("On CartPole: a critic that learns along", anchor=False)
AC = presets["actor-critic"]
st.markdown(
    "REINFORCE waits for the end of the episode. The actor-critic learns after"
    f" {AC.num_steps} steps, from one real reward and the critic's word for the rest:\n"
    f"1. Act: N = {AC.num_envs} environments go on for {AC.num_steps} steps each, under π.\n"
    "2. Ask the critic: δ = r + γ V̂(s′) − V̂(s) for every step; after a fall V̂(s′) counts as 0.\n"
    "3. Actor: one step up ĝ = (1/N) Σ δ ∇log π(a|s). δ is held still: it is a number.\n"
    "4. Critic: one step down Σ w (V̂(s) − y) ∇V̂(s), towards y = r + γ V̂(s′), held still, too;"
    f" w = 1 / {AC.num_envs * AC.num_steps}, an equal share for every step.\n"
    "5. Begin again at 1.\n\n"
    f"Sixteen common seeds each. {race.beyond_psi('actor-critic')}"
)
CONFIGS = race.configs(("reinforce", "actor-critic"))
if not live.has_begun("pair"):
    live.start_group("pair", CONFIGS)
with st.container(horizontal=True, gap="small"):
    if st.button("Run both", key="pair.run"):
        live.start_group("pair", CONFIGS)
    if st.button("Stop", key="pair.stop"):
        live.stop_group("pair")
race_panel.watch(CONFIGS, "actor-critic", "pair")
runs = live.group_of(CONFIGS)
believing = next((run for run in runs if run.config.method == "actor-critic"), None)
recording = believing.recording() if believing is not None and not believing.active else None

prose, picture = st.columns([3, 7], gap="large")
with prose:
    st.markdown(
        "How noisy is each? Freeze policies of the actor-critic's training, play fresh episodes, and"
        " weigh the same steps in three ways, with γ = 1 and a V̂ fitted to other episodes. Only the"
        " TD error is biased, as above: is it quieter for it?"
    )
with picture:
    if believing is None or recording is None or recording.num_updates == 0:
        st.skeleton(height=370)
    else:
        noise_panels.along_training(
            believing, recording, 0, ("reinforce", "baseline", "actor-critic")
        )

st.header("What the critic says, and what came", anchor=False)
if believing is None or recording is None or recording.num_updates == 0:
    st.caption("The map opens when the run above has ended.")
    st.skeleton(height=330)
else:
    knobs, picture = st.columns([3, 7], gap="large")
    with knobs:
        last = recording.num_updates
        reached = Number("update", "Update", 0, last)
        controls.drop_faults((reached, SEED), "actor-critic")
        update = controls.draw(reached, last // 3, slider=True)
        seed = controls.draw(SEED, 0)
        st.markdown(
            "The policy of this update plays fresh episodes. Left, what its critic says; right,"
            " the discounted reward that followed. Move through the training."
        )
    with picture:
        critic_panels.said_and_came(recording, update, seed)
    critic_panels.along_training(recording)

st.header("Three switches, and what each is good for", anchor=False)
prose, knobs = st.columns([3, 2], gap="large")
with knobs:
    switch = controls.draw(SWITCH, "forget the detach")
with prose:
    st.markdown(
        "Three places where code often differs from the method. Choose one, guess what it does to"
        f" sixteen seeds, then run it. {switches.SWITCHES[switch].words}"
    )
    with st.container(horizontal=True, gap="small"):
        if st.button("Run with and without", type="primary", key="switch.run"):
            live.start_group("switch", switches.configs(switch))
        if st.button("Stop", key="switch.stop"):
            live.stop_group("switch")
critic_panels.watch_switch(switches.configs(switch), switch)

page.code_that_ran(
    [
        (
            "The weight Ψ",
            r"\Psi_t = \delta_t = r_t + \gamma \hat V(s_{t+1}) - \hat V(s_t)",
            estimators.td_errors,
        ),
        (
            "The critic's step",
            r"\begin{gathered}\textstyle\sum w\,(\hat V(s) - y)\,\nabla \hat V(s) \\"
            r" y = \Psi + \hat V(s) = r + \gamma \hat V(s'), \text{ a number} \\"
            r" w = 1/\text{number of steps}\end{gathered}",
            critic.value_gradient,
        ),
        (
            "The loop",
            r"\begin{gathered}\hat g = \tfrac1N \textstyle\sum \Psi_t\,\nabla\log\pi(a_t|s_t) \\"
            r" \theta \leftarrow \theta + \mathrm{Adam}(\mathrm{clip}(\hat g)),"
            r" \text{ then the critic}\end{gathered}",
            loop.train,
        ),
        (
            "Nothing detached",
            r"\nabla \textstyle\sum w\,\big(\tfrac12\delta_t^2 - \delta_t \log\pi(a_t|s_t)\big)",
            critic.undetached_gradient,
        ),
        (
            "The biased ascent",
            r"\mathbb{E}\,\hat g \text{ with } \hat V = V(s_0) \text{ in every state}",
            exact_trust.follow_one_number,
        ),
    ]
)
page.code_diff(methods.baseline, methods.actor_critic)
page.from_scratch(actor_critic)

sentences = [trust.ascent_in_words(start)]
if guess is not None:
    sentences.insert(0, trust.uses_in_words(world, shape, error))
if len(runs) == len(CONFIGS) and all(run.ending == "finished" for run in runs):
    sentences.append(f"On CartPole: {race.in_words(race_panel.found(runs))}")
if recording is not None and recording.num_updates:
    cells = critic_panels.cells_of(recording, recording.num_updates, 0)
    sentences.append(
        f"At the end of training: {critic_map.in_words(cells, recording.config.gamma)}"
    )
if ends := critic_panels.ends_of(switches.configs(switch)):
    sentences.append(switches.in_words(switch, *ends))
page.takeaways(sentences)
quiz.draw(quiz.asked(ACTOR_CRITIC))

commands = map(command_line, (*CONFIGS, *switches.configs(switch)))
page.share("actor-critic", controls.held(ALL), "\n".join(commands))
page.settled()
