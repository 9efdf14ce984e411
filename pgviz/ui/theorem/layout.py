"""How the acts of the theorem page look: widths, heights, numbers and words."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.exact.ascent import STEP_CAP
from pgviz.measure import theorem
from pgviz.ui import page
from pgviz.ui.look import quiet_text
from pgviz.ui.theorem.bench import (
    YOURS,
    Setting,
    controls_text,
    found,
)

HEIGHT = 300
NEGLIGIBLE = 0.001  # a share of episodes that a table need not mention


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


def prose(text: str, key: str) -> None:
    """A paragraph of the story, at a readable width."""
    with st.container(key=f"prose-{key}"):
        st.markdown(text)


def signed(value: float) -> str:
    """Four decimals with a real minus sign."""
    return f"{value:.4f}".replace("-", "−")


def number(value: float) -> str:
    """Four significant digits with a real minus sign. What is rounding is 0 before it comes here."""
    return f"{value + 0.0:.4g}".replace("-", "−")


def sentence(fault: Exception) -> str:
    """A fault as a sentence; nothing in it is markup."""
    text = controls_text(str(fault))
    return f"{text[:1].upper()}{text[1:]}."


def axis_title(setting: Setting) -> str:
    """What the knob shows; of a visitor's world only that it is a probability."""
    if setting.world == YOURS:
        return "p = π(action 0)"
    return f"p = π({setting.story.actions[setting.story.turned]})"


def cap_in_words(setting: Setting) -> str:
    """A word about the step cap, where it can be felt."""
    share = theorem.share_cut(setting.at)
    if share < 1e-9:
        return ""
    often = f"{share:.2g}" if share >= NEGLIGIBLE else "less than 1 in 1,000"
    return f" Sampled episodes are cut after {STEP_CAP} steps ({often} of them, at this θ)."


def cut_gradient_in_words(setting: Setting) -> str:
    """What ∇J is in the world that is sampled, where the cut can be seen in it; else nothing."""
    share = theorem.share_cut(setting.at)
    cut, true = (number(x) for x in found(setting, theorem.cut_gradient))
    if share < NEGLIGIBLE and cut == true:
        return ""
    without = "the same without the cut" if cut == true else f"without the cut it is {true}"
    return (
        f"Samples are held to the world cut after {STEP_CAP} steps. There the largest component of"
        f" ∇J is {cut}; {without}."
    )


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
