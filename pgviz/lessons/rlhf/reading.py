"""Where to read more: the chapters of the RLHF Book, and which of them goes with which step.

The numbers and addresses are those of the book in August 2026.
"""

import streamlit as st

from pgviz.ui.screen import Screen

ADDRESS = "https://rlhfbook.com"
BOOK = f"[The RLHF Book]({ADDRESS})"
# number: title, and the last part of its address
CHAPTERS = {
    3: ("Training Overview", "03-training-overview"),
    5: ("Reward Modeling", "05-reward-models"),
    6: ("Reinforcement Learning", "06-policy-gradients"),
    8: ("Direct-Alignment Algorithms", "08-direct-alignment"),
    14: ("Over-Optimization", "14-over-optimization"),
    15: ("Regularization", "15-regularization"),
}
# step: chapters, each with what it says about the step
READ = {
    "language": (
        (3, "It compares the state, action and reward of a game with those of a language model."),
        (6, "Is a token an action, or the whole text? Its part “MDP vs. Bandit Framing” has both."),
    ),
    "optimum": (
        (3, "It has the same J, and says why training must stay near the reference model."),
        (8, "It derives the same π*, and then trains on pairs of texts instead of rewards (DPO)."),
    ),
    "baselines": (
        (6, "It goes from REINFORCE to RLOO and GRPO, with the equations of both baselines."),
    ),
    "kl": (
        (15, "It says why the KL is used, in which direction, and how samples estimate it."),
        (
            6,
            "It compares the KL in the reward (RLOO, PPO) with the KL in the loss (GRPO), in code.",
        ),
    ),
    "length": ((6, "Its part “Loss Aggregation Tradeoffs” divides by the length in three ways."),),
    "proxy": (
        (14, "It shows what happens to real language models when a proxy is pushed too far."),
        (5, "It shows how a proxy is learned from what people prefer."),
    ),
}


def link(chapter: int) -> str:
    """The chapter's number and title, as a link to it."""
    title, name = CHAPTERS[chapter]
    return f"[{chapter}. {title}]({ADDRESS}/c/{name})"


def read(screen: Screen) -> None:
    """A fold with the chapters that go with this step."""
    with screen.fold("Read", ":material/menu_book:"):
        st.markdown(f"In {BOOK} by Nathan Lambert:")
        st.markdown("\n".join(f"- {link(n)}. {why}" for n, why in READ[screen.step.slug]))
