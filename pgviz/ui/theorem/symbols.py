"""The symbols of the theorem page, each with its meaning, before the first proof uses them."""

import streamlit as st

from pgviz.ui import page, receipts
from pgviz.worlds.tabular import TabularMDP

WORTH = (
    r"V(s) = \mathbb{E}[G_t|s],\;\; Q(s,a) = \mathbb{E}[G_t|s,a]",
    "what a **state** is worth, and an **action** in it; the **advantage** is $A = Q - V$",
)
WORTH_AT_A_STEP = (
    r"V_t(s) = \mathbb{E}[G_t|s_t=s],\;\; Q_t(s,a) = \mathbb{E}[G_t|s_t=s,a_t=a]",
    "what a **state** is worth at step $t$, and an **action** in it: this world has a horizon, so"
    " it depends on the steps that are left; the **advantage** is $A_t = Q_t - V_t$",
)
SYMBOLS = (
    (
        r"\tau = (s_0, a_0, r_0, s_1, \dots)",
        r"an **episode**; it returns $R(\tau) = \sum_t \gamma^t r_t$",
    ),
    (
        r"\pi(a|s) = e^{h_a(s)} \big/ \sum_b e^{h_b(s)}",
        r"the **policy**, a softmax of its logits $h_a(s) = \theta_a \cdot x(s)$;"
        r" $x(s)$ is what it sees of the state",
    ),
    (
        r"P(\tau) = d_0(s_0) \prod_t \pi(a_t|s_t)\, p(s_{t+1}|s_t, a_t)",
        r"how likely an episode is; the start $d_0$ and the moves $p$ belong to the world",
    ),
    (
        r"J(\theta) = \mathbb{E}[R(\tau)] = \sum_\tau P(\tau)\,R(\tau)",
        "the **objective**: what an episode returns on average",
    ),
    (
        r"G_t = \sum_{u \ge t} \gamma^{u-t}\, r_u",
        "the **reward-to-go**: what is still to come at step $t$",
    ),
    WORTH,
    (
        r"d_t(s) = P(s_t = s),\;\; \eta_\gamma(s) = \sum_t \gamma^t d_t(s)",
        "how likely a state is at step $t$; how often it is **visited**, discounted",
    ),
)


def symbols(world: TabularMDP) -> None:
    """A table of two columns at a readable width; on a phone the meaning goes below."""
    told = [
        WORTH_AT_A_STEP if row is WORTH and world.horizon is not None else row for row in SYMBOLS
    ]
    st.html(f"""<style>
.st-key-symbols {{ max-width: {page.READING_WIDTH + 80}px; }}
.st-key-symbols table {{ border-collapse: collapse; width: 100%; }}
.st-key-symbols thead {{ display: none; }}
.st-key-symbols td {{ border: 0; border-bottom: 1px solid rgba(125, 130, 140, .25);
  padding: .5rem 1.2rem .5rem 0; vertical-align: baseline; }}
.st-key-symbols td:first-child {{ white-space: nowrap; }}
@media (max-width: 640px) {{
  .st-key-symbols tr {{ display: block; border-bottom: 1px solid rgba(125, 130, 140, .25); }}
  .st-key-symbols td {{ display: block; border: 0; padding: .1rem 0 .6rem; }}
  .st-key-symbols td:first-child {{ padding: .6rem 0 0; overflow-x: auto;
    overflow-y: hidden; }}
}}
</style>""")
    rows = ["| symbol | meaning |", "|:--|:--|"]
    rows += [f"| ${receipts.piped(symbol)}$ | {meaning} |" for symbol, meaning in told]
    with st.container(key="symbols"):
        page.heading("What the symbols mean")
        st.markdown("\n".join(rows))
