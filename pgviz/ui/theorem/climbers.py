"""The mini-run: three ascents from the θ of the knob, side by side."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import theorem as charts
from pgviz.measure import theorem
from pgviz.ui import controls, page, receipts
from pgviz.ui.controls import Choice, Number
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.ui.theorem.bench import (
    EPISODES,
    MISTAKES,
    RATES,
    RESTING,
    Setting,
    found,
)
from pgviz.ui.theorem.layout import HEIGHT, cap_in_words, prose, sentence
from pgviz.worlds.tabular import WorldError


def race(setting: Setting) -> tuple[theorem.Race, str]:
    """Three ascents from the θ of the knob, side by side, and the mistake of the broken one."""
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
        rate = controls.draw(Choice("rate", "Step size α", RATES), default)
    with columns[2]:
        num = controls.draw(Choice("episodes", "Episodes N", EPISODES), RESTING["episodes"])
    with columns[3]:
        seed = controls.draw(Number("rng_seed", "Random seed", 0, 9999), 0)
    st.button(
        "Run with another seed",
        type="primary",
        icon=":material/play_arrow:",
        on_click=guarded(_next_seed),
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
        shown = in_frame(run.steps, "objective")
        page.heading(
            "A line ends at the cap"
            if {theorem.EXACT, theorem.SAMPLED} & run.capped.keys()
            else "Who gets to the top?",
            "dashed: exact · line: sampled · red: broken" + leaving(shown, "objective"),
        )
        page.chart(
            "chart-race",
            charts.race,
            "objective",
            "J(θ), exact",
            ink(),
            theorem.num_steps(setting.at),
            tables=shown,
            height=HEIGHT,
            says=theorem.race_in_words(run, broken),
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
                theorem.num_steps(setting.at),
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
        theorem.num_steps(setting.at),
        tables={"steps": run.steps, "zero": pd.DataFrame({"cosine": [0.0]})},
        height=150,
        says="The cosine of the sampled and of the broken update with the gradient, per step.",
    )
    st.caption(in_words(run, broken) + cap_in_words(setting))
    page.numbers(run.steps, "numbers-race")
    return run, broken


def _next_seed() -> None:
    st.session_state["rng_seed"] = (int(st.session_state["rng_seed"]) + 1) % 10_000


def leaving(tables: dict[str, pd.DataFrame], quantity: str) -> str:
    """Which lines leave the picture, for the note under its title."""
    steps = tables["steps"]
    names = list(dict.fromkeys(steps["update"][steps["drawn"] != steps[quantity]]))
    return f" · {' and '.join(names)} leave{'s' * (len(names) == 1)} the picture" if names else ""


def in_words(run: theorem.Race, broken: str) -> str:
    """What happened, and what was shortened."""
    cosines = run.steps[run.steps["update"] == theorem.SAMPLED]["cosine"].dropna()
    words = theorem.race_in_words(run, broken)
    if len(cosines):
        uphill = 100 * float((cosines > 0).mean())
        words += f" {uphill:.0f} % of the sampled steps pointed uphill."
    notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in run.notes)
    return words + notes


OUTLINE = pd.DataFrame({"x": [0, 1, 0.5, 0], "y": [0, 0, 3**0.5 / 2, 0], "order": range(4)})


def corners(actions: tuple[str, ...]) -> pd.DataFrame:
    """The names at the corners of the triangle."""
    return pd.DataFrame(
        {"x": [0.0, 1.0, 0.5], "y": [-0.07, -0.07, 3**0.5 / 2 + 0.06], "label": actions}
    )


def in_frame(steps: pd.DataFrame, quantity: str) -> dict[str, pd.DataFrame]:
    """The part worth looking at: a broken climber may leave the picture, and ends at its edge."""
    low, high = 0.0, 1.0
    if quantity == "objective":
        good = steps[steps["update"] != theorem.BROKEN]["objective"]
        worst, best = float(good.quantile(0.02)), float(good.max())
        reach = max(best - worst, 1e-6 * abs(best)) or 1.0
        low = max(worst - 1.2 * reach, float(steps["objective"].min()) - 0.05 * reach)
        high = min(best + 1.2 * reach, float(steps["objective"].max()) + 0.05 * reach)
    drawn = steps.assign(drawn=steps[quantity].clip(low, high))
    outside = drawn["drawn"] != steps[quantity]
    before = outside.groupby(steps["update"]).shift(fill_value=False)
    drawn.loc[outside & before, "drawn"] = np.nan  # one point at the edge, and no more
    return {"steps": drawn, "frame": pd.DataFrame({"step": [0, 0], "drawn": [low, high]})}
