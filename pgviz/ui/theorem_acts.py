"""The acts of the theorem page, in the order in which it is read.

Every number comes from `measure.theorem` or from a receipt; here it is only placed.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import theorem as charts
from pgviz.exact.ascent import STEP_CAP
from pgviz.exact.questions import QUESTIONS, Question
from pgviz.exact.receipts import MAX_LISTED, Reading, is_cut, listed, read_out
from pgviz.measure import theorem
from pgviz.ui import page, receipts
from pgviz.ui.look import ink, quiet_text
from pgviz.ui.theorem_bench import (
    EPISODES,
    INTACT,
    MISTAKES,
    RATES,
    RESTING,
    SAMPLES,
    TABLES,
    YOURS,
    Setting,
    breaks_of,
    controls_text,
    found,
    query_of,
)
from pgviz.worlds.files import world_document
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import WorldError

HEIGHT = 300
HIDDEN = 0.08  # how far the curve is shown before the prediction is locked in


def style() -> None:
    """The bench stays in sight on a wide screen; prose keeps to a readable width."""
    st.html(f"""<style>
.stMainBlockContainer {{ padding-left: 3rem; padding-right: 3rem; }}
@media (min-width: 641px) {{
  [data-testid="stColumn"]:has(.st-key-bench) {{ position: sticky; top: 4.5rem;
    align-self: flex-start; }}
}}
@media (max-width: 640px) {{ .stMainBlockContainer {{ padding-left: 1rem; padding-right: 1rem; }} }}
[class*="st-key-prose"] {{ max-width: {page.READING_WIDTH}px; }}
[data-testid="stMain"] [data-testid="stCaptionContainer"], [data-testid="stMain"] small {{
  opacity: 1; }}
[data-testid="stMain"] [data-testid="stCaptionContainer"] :is(p, li) {{ color: {quiet_text()}; }}
.katex {{ font-size: 1.08em; }}
h3 {{ font-size: 1.5rem !important; }}
</style>""")


# --- act 1: the objective ---


def objective(setting: Setting) -> str | None:
    """J is smooth although returns jump; returns the reader's guess once it is locked in."""
    action = setting.story.actions[setting.story.turned]
    turned = setting.story.turned
    guess = page.predict(
        f"theorem-best-{setting.world}",
        f"One probability of “{action}”, chosen once and for all. How often is best?",
        ("never", "sometimes", "always"),
    )
    here: theorem.Place = found(setting, theorem.place, turned)
    returns: np.ndarray = found(setting, theorem.sampled_returns, 0)
    with st.container(horizontal=True, gap="large"):
        for label, value in (
            ("J(θ), exact", number(here.objective)),
            ("Slope ∂J/∂p, exact", number(here.slope)),
            (f"Mean of {len(returns)} returns", number(float(returns.mean()))),
        ):
            st.metric(label, value, width="content")
    try:
        curve: pd.DataFrame = found(setting.resting, theorem.objective_curve, turned)
        dice: pd.DataFrame = found(setting.resting, theorem.dice_curves, turned, 0)
    except WorldError as fault:
        st.info(sentence(fault))
        return guess
    best_p, best, word = theorem.best_of(curve)
    low, high = float(curve["objective"].min()), float(curve["objective"].max())
    shown = curve if guess else curve[np.abs(curve["p"] - here.p) <= HIDDEN]
    if not guess:  # the scale must not tell what the curve does not
        seen = np.append(shown["objective"].to_numpy(), here.objective)
        low, high = float(seen.min()), float(seen.max())
    margin = 0.06 * (high - low) or 1.0
    marks = pd.DataFrame({"p": [best_p], "label": ["best"]})
    if guess and word == "sometimes":
        best_p, best = found(setting.resting, theorem.summit, turned)
        marks = pd.DataFrame({"p": [best_p], "label": [f"best: p = {best_p:.3f}"]})
    if guess:
        at = {"never": theorem.LOWEST / 100, "always": theorem.HIGHEST / 100}.get(guess, 0.5)
        if guess != word:
            marks = pd.concat(
                [marks, pd.DataFrame({"p": [at], "label": ["your guess"]})], ignore_index=True
            )
    left, right = st.columns(2, gap="medium")
    with left:
        page.heading(
            "J is smooth: it has a slope everywhere",
            "dashed: exact · line: its tangent"
            if guess
            else "the rest of it waits for your prediction",
        )
        page.chart(
            "chart-objective",
            charts.objective,
            axis_title(setting),
            ink(),
            tables={
                "frame": pd.DataFrame(
                    {"p": [0.0, 1.0], "objective": [low - margin, high + margin]}
                ),
                "curve": shown,
                "tangent": theorem.tangent(here, low, high),
                "here": pd.DataFrame({"p": [here.p], "objective": [here.objective]}),
                "marks": marks if guess else marks.iloc[:0],
            },
            height=HEIGHT,
            says=f"J against the probability of {action}: {number(here.objective)} at"
            f" p = {here.p:.2f}, with slope {number(here.slope)}.",
        )
    with right:
        page.heading(
            "One episode jumps: it has no slope at all",
            "the same dice at every θ · ticks: 100 returns",
        )
        low_r = min(*np.quantile(dice["episode_return"], [0.05]), *np.quantile(returns, [0.05]))
        high_r = max(*np.quantile(dice["episode_return"], [0.95]), float(returns.max()))
        edge = 0.06 * (high_r - low_r) or 1.0
        page.chart(
            "chart-dice",
            charts.same_dice,
            axis_title(setting),
            tables={
                "frame": pd.DataFrame({"p": [0.0, 1.0], "drawn": [low_r - edge, high_r + edge]}),
                "dice": dice.assign(drawn=dice["episode_return"].clip(low_r - edge, high_r + edge)),
                "returns": pd.DataFrame(
                    {"p": here.p, "drawn": np.clip(returns, low_r - edge, high_r + edge)}
                ),
            },
            height=HEIGHT,
            says="Returns of three episodes against the same probability: flat, with jumps.",
        )
    spread = f"from {number(float(returns.min()))} to {number(float(returns.max()))}"
    st.caption(
        f"At p = {here.p:.3f}, {len(returns)} episodes returned {spread}. Nothing in one of them"
        f" says that J = {number(here.objective)} would change by {number(here.slope)} per unit"
        f" of p.{cut_in_words(setting)}"
    )
    if guess:
        _answer(setting, guess, word, best_p, best)
        page.numbers(curve, "numbers-objective")
    return guess


def _answer(setting: Setting, guess: str, word: str, best_p: float, best: float) -> None:
    action = setting.story.actions[setting.story.turned]
    said = "Your guess was right" if guess == word else f"You said {guess}"
    if word == "sometimes":
        edge = found(
            replace(setting, percent=theorem.HIGHEST), theorem.place, setting.story.turned
        ).objective
        st.markdown(
            f"{said}. The best policy here tosses a coin: “{action}” with p = {best_p:.4f} has"
            f" J = {signed(best)}. At p = .95 J is {signed(edge)}, and it falls without end as p goes to"
            " 1."
            if setting.world == "short-corridor"
            else f"{said}. The best policy on this line tosses a coin: “{action}” with p = {best_p:.4f}"
            f" has J = {signed(best)}."
        )
    else:
        st.markdown(
            f"{said}. J is highest at the {'right' if word == 'always' else 'left'} end of the"
            f" knob: {signed(best)} at p = {best_p:.2f}."
        )


# --- act 2: the log trick ---


def log_trick(setting: Setting) -> None:
    """Why the log: with it the better arm wins, without it the likelier one."""
    st.header("Why the log?", anchor=False)
    prose(
        "R(τ) is handed out by the world; only P(τ) knows θ. So the derivative falls on P. But"
        " ∇P is no longer a probability, and samples cannot add it up. Writing ∇P = P ∇log P puts"
        " the probability back in front: an average over episodes.",
        "log",
    )
    demo = setting if theorem.is_bandit(setting.at) else Setting("two-arms", 40, 1.0)
    at = demo.at
    actions = demo.story.actions
    rate = stories[demo.world].learning_rate if demo.world in stories else 0.3
    walked: theorem.LogDemo = found(demo, theorem.log_paths, actions, rate)
    ends = walked.paths.groupby("update", sort=False).tail(1)
    winner = actions[walked.best]
    last = theorem.last_rows(walked.paths)
    kept, dropped = last[theorem.KEPT], last[theorem.DROPPED]
    ends = ends.assign(label=ends["update"])
    st.caption(
        ("" if demo == setting else "Shown on two arms that pay 1 and 0.8, from π = (.4, .6). ")
        + "Both ascents are exact: no sampling, no luck."
    )
    left, right = st.columns(2, gap="medium")
    titles = {
        "probability": (f"Without the log, {winner} loses", f"probability of {winner}", "π"),
        "objective": ("… and J with it", "what a decision pays on average", "J(θ)"),
    }
    if dropped["probability"] > 0.5:
        titles["probability"] = (f"From here both find {winner}", f"probability of {winner}", "π")
        titles["objective"] = ("J along both paths", "what a decision pays on average", "J(θ)")
    for column, quantity in zip((left, right), titles, strict=True):
        heading, note, axis = titles[quantity]
        with column:
            page.heading(heading, note)
            page.chart(
                f"chart-log-{quantity}",
                charts.two_updates,
                quantity,
                axis,
                ink(),
                theorem.NUM_STEPS,
                tables={"paths": walked.paths, "ends": spaced(ends, quantity)},
                height=220,
                says=f"{heading}: with the log it ends at {kept[quantity]:.3f}, without"
                f" it at {dropped[quantity]:.3f}.",
            )
    page.heading(
        "The first step of each", "arrows of equal length; what counts is where they point"
    )
    page.chart(
        "chart-arrows",
        charts.arrows,
        ink(),
        tables={"arrows": walked.arrows},
        height=120 + 40 * len(actions),
        says="For each arm, where the update with the log and the one without it push it.",
    )
    if theorem.is_uniform(at):
        st.caption(
            "All arms are equally likely here, and that hides the mistake: both arrows agree."
            " Turn the knob away from the middle."
        )
    else:
        cosine = "undefined" if walked.cosine is None else number(walked.cosine)
        st.caption(
            f"The cosine of the two updates is {cosine}. After {theorem.NUM_STEPS} steps"
            f" {winner} has probability {kept['probability']:.3f} with the log and"
            f" {dropped['probability']:.3f} without it, where each arm is credited once more for"
            " being likely."
        )
    page.numbers(walked.paths, "numbers-log")
    readings = derivation(setting, "log", "The log trick, line by line")
    _closing_in(setting, readings)


def _closing_in(setting: Setting, readings: list[Reading]) -> None:
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="center")
    with left:
        num = st.select_slider(
            "Episodes N of the last line",
            SAMPLES,
            RESTING["samples"],
            key="samples",
            bind="query-params",
        )
    table: pd.DataFrame = found(setting, theorem.closing_in, theorem.DICE_SEED)
    with right:
        page.heading(
            "Samples close in on ∇J like 1/√N",
            "dashed: exact · line and band: mean of N episodes, 95 % interval",
        )
        page.chart(
            "chart-closing-in",
            charts.closing_in,
            ink(),
            tables={"means": table, "chosen": pd.DataFrame({"num_episodes": [num]})},
            height=200,
            says="The mean of N estimates with its interval against N, around the exact value.",
        )
    with left:
        width = table["high"] - table["low"]
        counts = table["num_episodes"].to_numpy()
        near, first = (int(np.abs(counts - n).argmin()) for n in (num, 100))
        if width.iloc[near] > 0 and near != first:
            ratio = width.iloc[first] / width.iloc[near]
            root = np.sqrt(counts[near] / counts[first])
            st.caption(
                f"From {counts[first]:,} to"
                f" {counts[near]:,} episodes the interval shrinks"
                f" {ratio:.1f}-fold; √N says {root:.1f}."
            )
        else:
            st.caption("Set N to 10 000 and watch the last line of the table.")


# --- act 3: the theorem ---


def proofs(setting: Setting) -> None:
    """Both proofs, what drops out, what must not."""
    st.header("The theorem", anchor=False)
    prose(
        "The world's own probabilities hold no θ, so their derivative is zero: no model is needed."
        " What is left is one score per action, each weighted by what came after it.",
        "theorem",
    )
    derivation(setting, "path", "Along an episode, line by line")
    _past(setting)
    prose(
        "The second proof never writes an episode down. It asks what an action changes now, and"
        " passes the rest of the question on to the next state.",
        "unroll",
    )
    derivation(setting, "unroll", "Unrolling ∇V, line by line")
    _sums(setting)
    _gamma(setting)


def _past(setting: Setting) -> None:
    st.markdown("**Past rewards add nothing but noise**")
    try:
        kept, dropped = found(setting, theorem.noise_of_the_past)
    except WorldError as fault:
        st.caption(sentence(fault))
        return
    with st.container(horizontal=True, gap="large"):
        st.metric("Variance with past rewards", number(kept), width="content")
        st.metric("without them", number(dropped), width="content")
    if kept - dropped > 1e-9 * max(kept, 1e-9):
        st.caption(
            f"Trace of the covariance of one episode's estimate, exact. The means are equal; the"
            f" variance is {kept / dropped:.2f} times as large with rewards that came before the"
            " action."
        )
    elif dropped - kept > 1e-9 * max(kept, 1e-9):
        st.caption(
            "Trace of the covariance of one episode's estimate, exact. The means are equal, and"
            " here the past happens to cancel some of the future's noise."
        )
    else:
        st.caption(
            "Trace of the covariance of one episode's estimate, exact. Here no reward comes before"
            " a later action, so there is nothing to drop: try the short corridor."
        )


def _sums(setting: Setting) -> None:
    table: pd.DataFrame = found(setting, theorem.sums)
    page.heading(
        "Term by term the sum arrives at ∇J",
        "points: sum of the first k terms of the largest component · dashed: exact",
    )
    page.chart(
        "chart-sums",
        charts.partial_sums,
        ink(),
        tables={"sums": table},
        height=220,
        says="Partial sums of the theorem against the number of terms, on their way to ∇J.",
    )
    terms, exact = theorem.enough_terms(table), table["exact"].iloc[0]
    last = len(table) - 1
    st.caption(
        f"{terms} {'term brings' if terms == 1 else 'terms bring'} the sum within 1 % of"
        f" {number(exact)} for good: episodes end, and γᵏ fades."
        if terms is not None
        else f"After {last} terms the sum is {number(table['partial_sum'].iloc[-1])};"
        f" ∇J is {number(exact)}. Long episodes need many terms."
    )
    page.numbers(table, "numbers-sums")


def _gamma(setting: Setting) -> None:
    st.header("Where did γᵗ go?", anchor=False)
    shows = theorem.shows_gamma(setting.at)
    demo = setting if shows else Setting("shared-logit-chain", 50, 0.5)
    prose(
        "Most code leaves the factor γᵗ out. What it then follows is not ∇J, and in general not"
        " the gradient of anything."
        + (
            ""
            if shows
            else " In this world at this discount the factor changes nothing, so look at the chain"
            " with γ = 0.5."
        ),
        "gamma",
    )
    story = demo.story
    action = story.actions[story.turned]
    here: theorem.Place = found(demo, theorem.place, story.turned)
    rest = demo.resting
    paths: pd.DataFrame = found(rest, theorem.slopes_along, story.turned)
    ends = paths.groupby("update", sort=False).tail(1)
    ends = ends.assign(label=["with γᵗ", "without"])
    true, wrong = (
        float(np.interp(here.p, part["p"], part["slope"]))
        for part in (
            paths[paths["update"] == name] for name in (theorem.WITH_GAMMA, theorem.WITHOUT_GAMMA)
        )
    )
    left, right = st.columns(2, gap="medium")
    with left:
        page.heading(
            "Uphill becomes downhill" if true * wrong < 0 else "Another step than the gradient's",
            f"push on the logit of {controls_text(action)}, by its probability",
        )
        page.chart(
            "chart-slopes",
            charts.slopes,
            "p" if demo.document else f"p = π({action})",
            ink(),
            tables={
                "paths": paths,
                "ends": spaced(ends, "slope", float(np.ptp(paths["slope"]))),
                "here": pd.DataFrame({"p": [here.p]}),
                "zero": pd.DataFrame({"slope": [0.0]}),
            },
            height=HEIGHT,
            says=f"At p = {here.p:.2f} the gradient pushes by {true:+.4f}, the update without"
            f" γᵗ by {wrong:+.4f}.",
        )
        q = here.p * (1 - here.p)
        st.caption(
            f"At p = {here.p:.2f}: {signed(true)} with γᵗ, {signed(wrong)} without"
            + (
                f", which is {number(true / q)} q and {number(wrong / q)} q with q = p(1−p)."
                if story is stories["shared-logit-chain"]
                else "."
            )
        )
    curled = theorem.curled_world(demo.at)
    own = curled.name != "chain"
    seen: theorem.Curl = found(demo, theorem.curl_of)
    with right:
        page.heading(
            "No hill has such a slope field",
            "arrows: the update without γᵗ · square: a round trip",
        )
        names = story.actions if own else ("action 0", "action 1")
        axes = [
            f"logit of {'action ' + str(a) if demo.document else names[a]}, state {s}"
            for s, a in seen.axes
        ]
        page.chart(
            "chart-curl",
            charts.curl,
            *axes,
            tables={"arrows": seen.arrows, "square": seen.square},
            height=HEIGHT,
            says="Arrows of the update without γᵗ in a plane of two logits, and a square walk.",
        )
        st.caption(
            f"Once around the square ∇J adds up to {abs(seen.true_loop):.0e}, as every gradient"
            f" must. Without γᵗ it is {signed(seen.broken_loop)}, and |∂₁u₂ − ∂₂u₁| is"
            f" {seen.asymmetry:.4f} at the centre."
            + ("" if own else " (The chain, with logits of its own in every state.)")
        )


# --- receipts ---


def derivation(setting: Setting, key: str, title: str) -> list[Reading]:
    """One derivation with its switch."""
    name = TABLES[key]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.header(title, anchor=False)
    with right:
        chosen = st.selectbox(
            "Break this step",
            (INTACT, *breaks_of(name)),
            0,
            key=key,
            bind="query-params",
        )
    broken = None if chosen == INTACT else chosen
    num = st.session_state.get("samples", RESTING["samples"])
    readings: list[Reading] = found(
        setting, read_out, name, broken, num, theorem.DICE_SEED, setting.story.actions
    )
    receipts.table(readings, key)
    st.caption(receipts.verdict(readings, broken) + _cut(setting, name))
    return readings


def _cut(setting: Setting, name: str) -> str:
    if name == "unrolling ∇V":
        return ""
    few = listed(setting.at)
    if few is None or not is_cut(setting.at, few):
        return ""
    return (
        f" Lines that list episodes are evaluated in this world cut after {few.horizon} steps, so"
        f" that there are at most {MAX_LISTED} of them."
    )


# --- the mini-run ---


def race(setting: Setting) -> theorem.Race:
    """Three ascents from the θ of the knob, side by side."""
    st.header("Three climbers, one hill", anchor=False)
    prose(
        "All three start at your θ and take steps α u. One knows ∇J, one estimates it from N fresh"
        " episodes, one believes a broken derivation. J is always the exact one.",
        "race",
    )
    default = setting.story.learning_rate
    columns = st.columns([3, 2, 2, 2], vertical_alignment="bottom", gap="medium")
    with columns[0]:
        broken = st.selectbox(
            "The mistake",
            MISTAKES,
            MISTAKES.index(setting.story.mistake),
            key="broken",
            bind="query-params",
        )
    with columns[1]:
        rate = st.select_slider("Step size α", RATES, default, key="rate", bind="query-params")
    with columns[2]:
        num = st.select_slider(
            "Episodes N", EPISODES, RESTING["episodes"], key="episodes", bind="query-params"
        )
    with columns[3]:
        seed = st.number_input("Random seed", 0, 9999, 0, key="rng_seed", bind="query-params")
    st.button(
        "Run with another seed", type="primary", icon=":material/play_arrow:", on_click=_next_seed
    )
    try:
        run: theorem.Race = found(
            setting, theorem.race, setting.story.turned, broken, rate, num, seed
        )
    except WorldError as fault:
        st.info(f"“{receipts.typeset(broken)}” has no update here. {sentence(fault)}")
        broken = "differentiate R"
        run = found(setting, theorem.race, setting.story.turned, broken, rate, num, seed)
    last = theorem.last_rows(run.steps)
    actions = setting.story.actions
    action = actions[setting.story.turned]
    left, right = st.columns(2, gap="medium")
    with left:
        page.heading("Who gets to the top?", "dashed: exact · line: sampled · red: broken")
        page.chart(
            "chart-race",
            charts.race,
            "objective",
            "J(θ), exact",
            ink(),
            theorem.NUM_STEPS,
            tables=in_frame(run.steps, "objective"),
            height=HEIGHT,
            says="; ".join(
                f"{name} ends at J = {number(row['objective'])}" for name, row in last.items()
            ),
        )
    with right:
        if len(actions) == 3 and theorem.is_bandit(setting.at):
            page.heading("Where the policy walks", "each corner is one action for certain")
            page.chart(
                "chart-triangle",
                charts.triangle,
                ink(),
                tables={
                    "steps": run.steps,
                    "corners": corners(actions),
                    "outline": OUTLINE,
                },
                height=HEIGHT,
                says="Three paths of the policy on the triangle of its probabilities.",
            )
        else:
            where = "" if theorem.one_policy(setting.at) else ", in the first state"
            page.heading("Where the policy walks", f"probability of {action}{where}")
            page.chart(
                "chart-policy",
                charts.race,
                "probability",
                "π",
                ink(),
                theorem.NUM_STEPS,
                tables=in_frame(run.steps, "probability"),
                height=HEIGHT,
                says="; ".join(
                    f"{name} ends at {row['probability']:.3f}" for name, row in last.items()
                ),
            )
    page.heading(
        "Does the step point uphill?",
        "circles: sampled · crosses: broken · 1 is straight along ∇J, below 0 is downhill",
    )
    page.chart(
        "chart-angles",
        charts.angles,
        ink(),
        theorem.NUM_STEPS,
        tables={"steps": run.steps, "zero": pd.DataFrame({"cosine": [0.0]})},
        height=150,
        says="The cosine of the sampled and of the broken update with the gradient, per step.",
    )
    st.caption(in_words(run, broken) + cut_in_words(setting))
    page.numbers(run.steps, "numbers-race")
    return run


def _next_seed() -> None:
    st.session_state["rng_seed"] = (int(st.session_state["rng_seed"]) + 1) % 10_000


def in_words(run: theorem.Race, broken: str) -> str:
    """What happened, and what was cut."""
    ends = theorem.last_rows(run.steps)
    cosines = run.steps[run.steps["update"] == theorem.SAMPLED]["cosine"].dropna()
    exact, sampled, wrong = (float(ends[name]["objective"]) for name in theorem.UPDATES)
    words = (
        f"J ends at {number(exact)} with the exact gradient, {number(sampled)}"
        f" with samples and {number(wrong)} with “{receipts.typeset(broken)}”."
    )
    if len(cosines):
        uphill = 100 * float((cosines > 0).mean())
        words += f" {uphill:.0f} % of the sampled steps pointed uphill."
    notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in run.notes)
    return words + notes


# --- what to take away ---


def takeaways(setting: Setting, run: theorem.Race, revealed: bool) -> list[str]:
    """Sentences computed at this setting; the one on the best policy waits for the prediction."""
    return theorem.takeaways(
        found(setting, theorem.place, setting.story.turned),
        found(setting, theorem.sampled_returns, 0),
        found(setting.resting, theorem.summit, setting.story.turned) if revealed else None,
        run,
        str(st.session_state.get("broken", setting.story.mistake)),
        [
            reading
            for name in TABLES.values()
            for reading in found(
                setting, read_out, name, None, 1000, theorem.DICE_SEED, setting.story.actions
            )
        ],
    )


@st.cache_data(show_spinner=False)
def asked() -> list[Question]:
    """The questions of this page, with their computed replies."""
    return [question() for question in QUESTIONS]


def share(setting: Setting) -> None:
    """The link, the command and the files that give these numbers again."""
    st.header("Share and reproduce", anchor=False)
    if setting.document:
        st.markdown(
            "Your world stays with you, so a link cannot carry it: send the file along. The link"
            " sets every other control."
        )
    else:
        st.markdown("The link sets every control of this page and gives the same numbers.")
    st.code(f"{page.base_url('theorem')}?{query_of(setting)}", language=None, wrap_lines=True)
    st.markdown("The file holds this world at this θ; the command prints its exact numbers.")
    st.code(
        "python -m pgviz moments world.json --estimator reward-to-go --json",
        language="bash",
        wrap_lines=True,
    )
    with st.container(horizontal=True):
        st.download_button(
            "World at this θ as JSON",
            lambda: world_document(setting.at),
            "world.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Receipts as CSV",
            lambda: receipts_table(setting).to_csv(index=False),
            "receipts.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def receipts_table(setting: Setting) -> pd.DataFrame:
    """Every line of the page as it is broken now."""
    rows = []
    for key, name in TABLES.items():
        chosen = st.session_state.get(key, INTACT)
        broken = None if chosen == INTACT else chosen
        for reading in found(
            setting, read_out, name, broken, 1000, theorem.DICE_SEED, setting.story.actions
        ):
            rows.append(
                {
                    "derivation": name,
                    "line": reading.title,
                    "equation": reading.equation,
                    "left": reading.left,
                    "right": reading.right,
                    "difference": reading.size,
                    "mark": reading.mark,
                    "broken": broken or "",
                }
            )
    return pd.DataFrame(rows)


# --- small things ---


OUTLINE = pd.DataFrame({"x": [0, 1, 0.5, 0], "y": [0, 0, 3**0.5 / 2, 0], "order": range(4)})


def corners(actions: tuple[str, ...]) -> pd.DataFrame:
    """The names at the corners of the triangle."""
    return pd.DataFrame(
        {"x": [0.0, 1.0, 0.5], "y": [-0.07, -0.07, 3**0.5 / 2 + 0.06], "label": actions}
    )


def in_frame(steps: pd.DataFrame, quantity: str) -> dict[str, pd.DataFrame]:
    """The part worth looking at: a broken climber may fall out of the picture, along its edge."""
    low, high = 0.0, 1.0
    if quantity == "objective":
        good = steps[steps["update"] != theorem.BROKEN]["objective"]
        worst, best = float(good.quantile(0.02)), float(good.max())
        reach = max(best - worst, 1e-6 * max(abs(best), 1e-6))
        low = max(worst - 1.2 * reach, float(steps["objective"].min()) - 0.05 * reach)
        high = min(best + 1.2 * reach, float(steps["objective"].max()) + 0.05 * reach)
    drawn = steps.assign(drawn=steps[quantity].clip(low, high))
    return {"steps": drawn, "frame": pd.DataFrame({"step": [0, 0], "drawn": [low, high]})}


def spaced(ends: pd.DataFrame, quantity: str, span: float = 0.0) -> pd.DataFrame:
    """The last rows with labels that would cover each other joined into one."""
    reach = 0.08 * (span or float(np.ptp(ends[quantity])) or 1.0)
    if quantity == "probability":
        reach = 0.08
    kept: list[dict] = []
    for row in ends.to_dict("records"):
        near = next((k for k in kept if abs(k[quantity] - row[quantity]) <= reach), None)
        if near is None:
            kept.append(row)
        else:
            near["label"] = f"{near['label']}, {row['label']}"
    return pd.DataFrame(kept)


def cut_in_words(setting: Setting) -> str:
    """A word about the step cap, where it can be felt."""
    share = theorem.share_cut(setting.at)
    if share < 1e-9:
        return ""
    often = f"{share:.2g}" if share >= 0.001 else "less than 1 in 1,000"
    return f" Sampled episodes are cut after {STEP_CAP} steps ({often} of them, at this θ)."


def axis_title(setting: Setting) -> str:
    """What the knob shows; of a visitor's world only that it is a probability."""
    if setting.world == YOURS:
        return "p = π(action 0)"
    return f"p = π({setting.story.actions[setting.story.turned]})"


def signed(value: float) -> str:
    """Four decimals with a real minus sign."""
    return f"{value:.4f}".replace("-", "−")


def number(value: float) -> str:
    """Four significant digits with a real minus sign."""
    text = f"{value:.4g}" if abs(value) >= 1e-12 else "0"
    return text.replace("-", "−")


def sentence(fault: Exception) -> str:
    """A fault as a sentence; nothing in it is markup."""
    text = controls_text(str(fault))
    return f"{text[:1].upper()}{text[1:]}."


def prose(text: str, key: str) -> None:
    """A paragraph of the story, at a readable width."""
    with st.container(key=f"prose-{key}"):
        st.markdown(text)
