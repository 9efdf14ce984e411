"""What to read beside this site, and when."""

import streamlit as st

from pgviz.figures import plural
from pgviz.ui.screen import Screen

GRAESSER_AND_KENG = (
    "https://pearson.com/en-us/subject-catalog/p/Graesser-Foundations-of-Deep-Reinforcement-Learning"
    "-Theory-and-Practice-in-Python/P200000009486"
)
READING = (
    (
        "before you start",
        "Graesser and Keng, *Foundations of Deep Reinforcement Learning*, chapter 1",
        GRAESSER_AND_KENG,
        "the vocabulary; chapter 2 is REINFORCE in code",
    ),
    (
        "after The theorem",
        "Sutton and Barto, *Reinforcement Learning*, chapter 13",
        "http://incompleteideas.net/book/the-book-2nd.html",
        "the same theorem, unrolled over states",
    ),
    (
        "after REINFORCE",
        "A REINFORCE tutorial on Substack",
        "https://substack.com/home/post/p-170790602",
        "the algorithm once more, in other words",
    ),
    (
        "after Baselines",
        "Greensmith, Bartlett and Baxter 2004, *Variance Reduction Techniques*",
        "https://www.jmlr.org/papers/v5/greensmith04a.html",
        "the best baseline, proved",
    ),
    (
        "after Actor-critic",
        "Graesser and Keng, the same book, chapter 6",
        GRAESSER_AND_KENG,
        "the actor-critic with advantage estimates, in code",
    ),
    (
        "after GAE",
        "Schulman et al. 2016, *Generalized Advantage Estimation*",
        "https://arxiv.org/abs/1506.02438",
        "the article that introduced it",
    ),
    (
        "to go on",
        "Lambert, *The RLHF Book*",
        "https://rlhfbook.com",
        "reinforcement learning from human feedback: policy gradients for language models",
    ),
)


def draw(screen: Screen) -> None:
    screen.words(
        "You can learn here without other books. These texts explain the same things in other"
        " words. The list says when to read each of them. Compare the symbols: they differ from"
        " book to book."
    )
    with screen.picture():
        st.markdown(
            "\n".join(
                f"- **{when}**: {f'[{title}]({link})' if link else title}. {why[0].upper()}{why[1:]}."
                for when, title, link, why in READING
            )
        )
    screen.says(f"{plural(len(READING), 'text')}, in the order of the pages.")
