"""A reward that stands for what is meant, and what happens when it is maximised."""

import pandas as pd

from pgviz.charts import rlhf as charts
from pgviz.exact import language
from pgviz.figures import fixed
from pgviz.lessons.rlhf.reading import read
from pgviz.lessons.rlhf.shared import BETA, best, log_ref, mean
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (BETA,)
BEATS = ({"beta": 1.0}, {"beta": 0.2}, {"beta": 0.05})


def draw(screen: Screen) -> None:
    screen.words(
        "Nobody can write down what is meant; a **proxy** stands for it. Here the proxy pays for"
        " counting upwards. What is meant is the same, but a sentence that does nothing but count"
        " says nothing, and is worth 0. The smaller β, the further the best policy of the proxy"
        " leaves the reference."
    )
    beta: float = screen.control(BETA, 0.1)
    table = along_beta()
    top = table[table["kind"] == "what is meant"]["mean"].max()
    here = table[table["beta"] == beta]
    screen.chart(
        charts.over_optimised, ink(), tables={"means": table, "here": here},
        title="Both rise at first; then what is meant falls",
        note="exact best policies of the proxy, one for each β",
    )  # fmt: skip
    screen.says(sentence(beta, float(top)))
    screen.numbers(table.pivot(index="beta", columns="kind", values="mean").reset_index().round(3))
    screen.code(language.gold, language.best_policy)
    read(screen)


def along_beta() -> pd.DataFrame:
    """beta, kl, kind, mean: of the best policy of the proxy."""
    rows = []
    for beta in BETA.options:
        log_best, _ = best(beta)
        far = language.kl(log_best, log_ref())
        rows.append((beta, far, "proxy", mean(log_best, language.counting())))
        rows.append((beta, far, "what is meant", mean(log_best, language.gold())))
    return pd.DataFrame(rows, columns=["beta", "kl", "kind", "mean"])


def sentence(beta: float, top: float) -> str:
    """Proxy and gold at this β, and the largest gold there is among them."""
    log_best, _ = best(beta)
    proxy, gold = (mean(log_best, x) for x in (language.counting(), language.gold()))
    begun = mean(log_ref(), language.gold())
    worse = " That is less than the reference model has." if gold < begun else ""
    return (
        f"At β = {beta:g} the proxy is {fixed(proxy, 3)} and what is meant {fixed(gold, 3)}; its"
        f" largest value here is {fixed(top, 3)}, at the start it is {fixed(begun, 3)}.{worse}"
    )
