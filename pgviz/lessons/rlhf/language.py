"""The toy language: its reference model, and a sentence drawn from it."""

import numpy as np
import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import language
from pgviz.figures import fixed, number
from pgviz.lessons.rlhf.reading import read
from pgviz.lessons.rlhf.shared import log_ref, mean
from pgviz.ui.controls import Number
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

DRAW = Number("sentence", "Sentence drawn", 1, 50)
CONTROLS = (DRAW,)
BEATS = ({"sentence": 1}, {"sentence": 2}, {"sentence": 3})


def draw(screen: Screen) -> None:
    screen.words(
        "A model writes text **token** by token. The state is the text so far, the action is the next"
        " token, one reward comes at the end. Here 8 tokens and sentences of 4: all 4,096 can be"
        " listed. Training begins at the **reference model**: a table of π(next | previous). The"
        " reward is the share of neighbours that count upwards."
    )
    which = int(screen.control(DRAW, 1))
    row = drawn(which)
    tokens = language.sentences()[row]
    screen.chart(
        charts.model, ink(),
        tables={"table": table(), "path": path(tokens)},
        title="The reference model, and one sentence",
        note="shade: π(next | previous) · dots: the sentence, token by token",
    )  # fmt: skip
    screen.says(sentence(row))
    screen.numbers(listing())
    screen.code(language.reference, language.log_probs, language.counting)
    read(screen)


def drawn(which: int) -> int:
    """The row of the sentence that this number draws."""
    chances = np.exp(log_ref())
    return int(np.random.default_rng(which).choice(len(chances), p=chances / chances.sum()))


def table() -> pd.DataFrame:
    """previous, next, probability."""
    probabilities = np.exp(language.log_softmax(language.reference()))
    rows = [
        ("start" if s == language.START else str(s), str(a), float(p))
        for (s, a), p in np.ndenumerate(probabilities)
    ]
    return pd.DataFrame(rows, columns=["previous", "next", "probability"])


def path(tokens: np.ndarray) -> pd.DataFrame:
    """Where a sentence is in the table: previous, next, order."""
    before = ["start", *(str(t) for t in tokens[:-1])]
    return pd.DataFrame(
        {
            "previous": before,
            "next": [str(t) for t in tokens],
            "order": [str(k + 1) for k in range(len(tokens))],
        }
    )


def listing() -> pd.DataFrame:
    """All sentences, the likeliest first."""
    names = [" ".join(map(str, y)) for y in language.sentences()]
    every = pd.DataFrame(
        {
            "sentence": names,
            "π_ref": np.exp(log_ref()),
            "reward": language.counting().round(3),
        }
    )
    return every.sort_values("π_ref", ascending=False)


def sentence(row: int) -> str:
    """The drawn sentence, its probability and reward, and the means over all."""
    tokens = " ".join(map(str, language.sentences()[row]))
    entropy = -mean(log_ref(), log_ref())
    return (
        f"“{tokens}” has probability {number(float(np.exp(log_ref()[row])), 2)} and reward"
        f" {fixed(float(language.counting()[row]))}. Over all 4,096 sentences the mean reward of the"
        f" reference model is {fixed(mean(log_ref(), language.counting()), 3)}, its entropy"
        f" {fixed(entropy, 2)} nats."
    )
