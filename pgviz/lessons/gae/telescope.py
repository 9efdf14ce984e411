"""Written out, the values of neighbouring TD errors cancel: the mixture is Σ (γλ)^k δ."""

import numpy as np
import pandas as pd

from pgviz import estimators
from pgviz.charts import gae as charts
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.lessons.gae.settings import HUNDREDTHS, LAMBDA, LAMBDA_START
from pgviz.measure.n_steps import mixture, recorded
from pgviz.proofs.believing import mixture as mixture_of_n
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

CONTROLS = (LAMBDA,)
BEATS = ({"lam": 1.0}, {"lam": 0.6}, {"lam": 0.0})
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw(screen: Screen) -> None:
    screen.words(
        "Multiply the TD error k steps ahead by λᵏ and add. Each later value enters twice: $\\hat"
        " V(s_n)$ keeps $\\lambda^{n-1}-\\lambda^n$, the weight of $\\hat A^{(n)}$ in GAE. Reward $r_k$"
        " keeps $\\lambda^k$, the weight of all n > k together. So GAE is one sum:"
        " $\\hat A_t = \\sum_k \\lambda^k\\,\\delta_{t+k}$; with a discount, γλ stands in place of λ."
    )
    field = screen.live(LAMBDA, LAMBDA_START)
    lam: float = screen.control(LAMBDA, LAMBDA_START)
    screen.chart(
        charts.telescope, field, HUNDREDTHS.index(LAMBDA_START), recorded().num_steps, ink(),
        tables=tables(),
        title="Row k is λᵏ δₖ; below, the sum of each column",
        note="the recorded episode, γ = 1 · blue: rewards, pink: values of the critic · drag λ",
    )  # fmt: skip
    screen.says(sentence(lam))
    screen.code(estimators.gae, mixture_of_n)


@in_memory
def tables() -> dict[str, pd.DataFrame]:
    """Cells, sums, names of rows and columns; powers of λ are left to the browser."""
    seen = recorded()
    cells, sums, heads = [], [], []
    rewards, values = seen.rewards.tolist(), seen.values.tolist()
    for k, reward in enumerate(rewards):
        row = {"row": k, "power": k}
        cells += [
            {**row, "column": 2 * k, "kind": "value", "value": -values[k]},
            {**row, "column": 2 * k + 1, "kind": "reward", "value": reward},
            {**row, "column": 2 * k + 2, "kind": "value", "value": values[k + 1]},
        ]
        place = str(k).translate(SUBSCRIPT)
        heads += [
            {"column": 2 * k, "text": f"V̂{place}", "kind": "value"},
            {"column": 2 * k + 1, "text": f"r{place}", "kind": "reward"},
        ]
        # V̂(s_k) keeps λ^{k−1} − λ^k of itself, V̂(s_0) all of it with a minus
        value = (
            {"value": values[k], "more": k - 1, "less": k}
            if k
            else {"value": -values[0], "more": 0, "less": -1}
        )
        sums += [
            {"column": 2 * k, "kind": "value", **value},
            {"column": 2 * k + 1, "kind": "reward", "value": reward, "more": k, "less": -1},
        ]
    last, end = seen.num_steps - 1, 2 * seen.num_steps
    heads.append({"column": end, "text": "end", "kind": "value"})
    sums.append({"column": end, "kind": "value", "value": 0.0, "more": last, "less": -1})
    rows = pd.DataFrame(
        {
            "row": range(len(rewards)),
            "error": seen.errors(),
            "label": [named(k) for k in range(len(rewards))],
        }
    ).assign(first=-2.05)
    foot = pd.DataFrame([{"row": seen.num_steps + 0.1, "text": "sum", "first": -2.05}])
    return {
        "cells": pd.DataFrame(cells),
        "sums": pd.DataFrame(sums).assign(row=seen.num_steps + 0.1),
        "heads": pd.DataFrame(heads).assign(row=-0.8),
        "rows": rows,
        "foot": foot,
    }


def named(k: int) -> str:
    """δ₀, λ δ₁, λ² δ₂."""
    place = str(k).translate(SUBSCRIPT)
    factor = "" if k == 0 else "λ " if k == 1 else f"λ{str(k).translate(RAISED)} "
    return f"{factor}δ{place}"


def sentence(lam: float) -> str:
    """The sum of TD errors beside the mean of all n, and what is left of the first value."""
    seen = recorded()
    total = float(lam ** np.arange(float(seen.num_steps)) @ seen.errors())
    mean = float(mixture(lam) @ seen.advantages()[:, 0])
    first = (1 - lam) * seen.values[1]
    stays = (
        "all later values cancel"
        if lam == 1
        else f"V̂(s₁) keeps {fixed(1 - lam)} · {fixed(seen.values[1])} = {fixed(first)}"
    )
    return (
        f"At λ = {lam:g} {stays}. The rows sum to {signed(total)}, as the weighted mean of all"
        f" n: {signed(mean)}."
    )
