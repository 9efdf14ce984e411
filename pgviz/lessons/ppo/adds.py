"""What PPO adds to GAE: the same Ψ, and the lines of the update that are new."""

import pandas as pd
import streamlit as st

from pgviz.figures import plural
from pgviz.measure import race
from pgviz.training.methods import methods
from pgviz.training.updates import clipped_surrogate, gradient_step, minibatches, ppo
from pgviz.ui.listing import source_of
from pgviz.ui.screen import Screen

LINES = (
    ("Play windows; compute GAE", "the same", "the same"),
    ("Keep log π of the actions taken", "not needed", "the ratio's denominator"),
    ("Normalise the advantages", "no", "yes: one learning rate fits every batch"),
    ("Use the batch", "once", "several passes, in minibatches"),
    ("Ascend", "Ψ log π", "min(ρ Ψ, clip(ρ) Ψ)"),
)


def draw(screen: Screen) -> None:
    screen.words(
        "PPO takes its advantages from GAE. New is how a batch is"
        " used: several passes over minibatches, the ratio to the probabilities of the policy that"
        " played, and the clip."
    )
    with screen.picture():
        st.markdown("**The same advantages, another use of the batch**")
        st.dataframe(
            pd.DataFrame(LINES, columns=["part", "GAE", "PPO"]),
            hide_index=True,
            height=35 * (len(LINES) + 1) + 3,
            key="ppo-adds",
            alt="What GAE and PPO do",
        )
        st.code(source_of(clipped_surrogate), language="python")
    screen.says(sentence())
    with screen.fold("Settings", ":material/tune:"):
        st.dataframe(
            race.settings(["gae", "ppo"]), hide_index=True, key="ppo-settings", alt="Settings"
        )
    screen.code(gradient_step, minibatches, ppo)


def sentence() -> str:
    """Whether Ψ is the same function, and which settings are PPO's alone."""
    same = methods["gae"].weight is methods["ppo"].weight
    new = [name for name in methods["ppo"].settings if name not in methods["gae"].settings]
    return (
        f"Ψ is {'the same function' if same else 'another function'} in both methods. PPO has"
        f" {plural(len(new), 'setting')} of its own: {', '.join(f'`{name}`' for name in new)}. In the"
        " first minibatch every ρ is 1, and the gradient is the mean of Ψ ∇ log π."
    )
