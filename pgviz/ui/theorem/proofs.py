"""Act 3, the theorem: both proofs, what drops out of them, and what must not."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import theorem as charts
from pgviz.measure import theorem
from pgviz.ui import page
from pgviz.ui.look import ink
from pgviz.ui.theorem.bench import (
    Setting,
    controls_text,
    found,
)
from pgviz.ui.theorem.layout import HEIGHT, number, prose, sentence, signed, spaced
from pgviz.ui.theorem.lines import derivation
from pgviz.worlds.stories import stories
from pgviz.worlds.tabular import TabularMDP, WorldError


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
    try:
        kept, dropped, has_a_past = found(setting, theorem.noise_of_the_past)
    except WorldError as fault:
        st.caption(sentence(fault))
        return
    heading, reason = theorem.past_in_words(kept, dropped, has_a_past)
    page.heading(heading)
    with st.container(horizontal=True, gap="large"):
        st.metric("Variance with past rewards", number(kept), width="content")
        st.metric("without them", number(dropped), width="content")
    st.caption(f"Trace of the covariance of one episode's estimate, exact. {reason}")


def _sums(setting: Setting) -> None:
    table: pd.DataFrame = found(setting, theorem.sums)
    terms, exact = theorem.enough_terms(table), table["exact"].iloc[0]
    page.heading(
        "Term by term the sum arrives at ∇J"
        if terms is not None
        else "So many terms, and the sum is not yet at ∇J",
        "points: sum of the first k terms of the largest component · dashed: exact",
    )
    page.chart(
        "chart-sums",
        charts.partial_sums,
        ink(),
        tables={"sums": table},
        height=220,
        says="Partial sums of the theorem against the number of terms, and ∇J.",
    )
    last = len(table) - 1
    st.caption(
        f"{terms} {'term brings' if terms == 1 else 'terms bring'} the sum within 1 % of"
        f" {number(exact)} for good: {_why_it_arrives(setting.at)}."
        if terms is not None
        else f"After {last} terms the sum is {number(table['partial_sum'].iloc[-1])};"
        f" ∇J is {number(exact)}. Long episodes need many terms."
    )
    page.numbers(table, "numbers-sums")


def _why_it_arrives(world: TabularMDP) -> str:
    ends = ["episodes end"] if theorem.always_ends(world) else []
    return ", and ".join([*ends, *(["γᵏ fades"] if world.gamma < 1 else [])])


WHY_THE_CHAIN: dict[theorem.GammaEffect, str] = {
    "some": "",
    "none": " In this world at this discount the factor changes nothing, so look at the chain"
    " with γ = 0.5.",
    "undefined": " In this world episodes are endless or too long, and without γᵗ the sum over"
    " them has no value. So look at the chain with γ = 0.5.",
}


def _gamma(setting: Setting) -> None:
    st.header("Where did γᵗ go?", anchor=False)
    effect = theorem.gamma_effect(setting.at)
    demo = setting if effect == "some" else Setting("shared-logit-chain", 50, 0.5)
    prose(
        "Most code leaves the factor γᵗ out. What it then follows is not ∇J, and in general not"
        " the gradient of anything." + WHY_THE_CHAIN[effect],
        "gamma",
    )
    left, right = st.columns(2, gap="medium")
    with left:
        try:
            _slopes(demo)
        except WorldError as fault:
            st.info(sentence(fault))
    with right:
        _curl(demo)


def _slopes(demo: Setting) -> None:
    """What the update gains along the knob, with γᵗ and without."""
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


def _curl(demo: Setting) -> None:
    """The update without γᵗ as a field that is no gradient."""
    curled = theorem.curled_world(demo.at)
    story = demo.story
    own = curled.name != "chain"
    seen: theorem.Curl = found(demo, theorem.curl_of)
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
