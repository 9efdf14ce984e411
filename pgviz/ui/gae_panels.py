"""The panels of the page on GAE. Each asks `measure` for tables and hands them to a chart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import critics as charts
from pgviz.exact.trust import wrong_critic
from pgviz.measure import ledger, sweep, trust
from pgviz.runs import Run
from pgviz.training.command import command_line
from pgviz.training.config import Config
from pgviz.ui import besides, live, page
from pgviz.ui.guard import guarded
from pgviz.ui.look import ink
from pgviz.worlds.named import named_worlds


def in_parts(x: float) -> str:
    """0, .161, 12.3 of ‖∇J‖²."""
    return "0" if x < 1e-12 else f"{x:.3g}"


# --- the exact trade-off ---


def tradeoff(
    world: str, shape: str, error: float, num: int, lam: float, guess: float | None
) -> None:
    """bias², variance and, once the reader has guessed, MSE with its minimum, against λ."""
    bias, variance, mse = trust.share_of_error(world, shape, error, num, lam)
    page.figures(
        (f"Bias² / ‖∇J‖² at λ = {lam:g}", in_parts(bias)),
        (f"Variance / (N ‖∇J‖²), N = {num}", in_parts(variance)),
        (
            "MSE / ‖∇J‖²" if guess is not None else "MSE: guess first",
            in_parts(mse) if guess is not None else "–",
        ),
    )
    table = trust.curves(world, shape, error, num)
    top = float(10 ** np.ceil(np.log10(table["size"].max())))
    low = top / 1e3
    shown = table if guess is not None else table[table["part"] != "MSE"]
    page.heading(
        trust.trade_in_words(world, shape, error),
        f"exact, no samples, whole episodes · {trust.FORMULAS[shape]}, ε = {error:g} · in parts of"
        " ‖∇J‖²",
    )
    marks = {
        name: pd.DataFrame({"gae_lambda": [], "size": [], "text": [], "at": [], "height": []})
        for name in ("best", "guess")
    }
    best = trust.best(world, shape, error, num)
    if guess is not None:
        for name, at, text in (
            ("best", best, f"least error: λ = {trust.shown(best)}"),
            ("guess", guess, "your guess"),
        ):
            size = trust.share_of_error(world, shape, error, num, at)[2]
            marks[name] = pd.DataFrame(
                {"gae_lambda": [at], "size": [size], "text": [text], "at": [_inside(at)]}
            ).assign(height=min(_clear_of(table, at, size) if name == "best" else size, top / 2.2))
    page.chart(
        "chart-tradeoff",
        charts.tradeoff,
        ink(),
        low,
        top,
        tables={
            "curves": shown[shown["size"] >= low],
            "labels": _labels(shown, low, *(_inside(x) for x in (best, guess) if x is not None)),
            "here": pd.DataFrame({"gae_lambda": [lam]}),
            **marks,
        },
        height=360,
        says=trust.moves(world, shape, error)
        if guess is not None
        else trust.parts_in_words(world, shape, error),
    )
    if guess is not None:
        st.markdown(trust.verdict(world, shape, error, num, guess))
    wide = shown.pivot(index="gae_lambda", columns="part", values="size").reset_index()
    page.numbers(wide.rename(columns={"gae_lambda": "λ"}), "tradeoff")


HALF_LABEL = 0.15  # half the width of the longest label, in widths of the picture


def _inside(gae_lambda: float) -> float:
    """Where the middle of a label at this λ may stand: all of it within the picture."""
    return float(np.clip(gae_lambda, HALF_LABEL, 1 - HALF_LABEL))


def _clear_of(table: pd.DataFrame, gae_lambda: float, size: float) -> float:
    """How high a label must stand for the MSE to pass below it; but not far from its point."""
    beneath = (table["gae_lambda"] - _inside(gae_lambda)).abs() < HALF_LABEL
    return min(float(table["size"][beneath & (table["part"] == "MSE")].max()), 2 * size)


def _labels(table: pd.DataFrame, low: float, *taken: float) -> pd.DataFrame:
    """Where the names of the curves stand: MSE above its curve and clear of the labels there."""
    free = max((0.01, 0.36, 0.55, 0.8), key=lambda x: min(abs(x + 0.03 - at) for at in taken))
    at = {"bias²": 0.3, "variance / N": 0.01, "MSE": free}
    rows = [
        table[
            (table["part"] == part) & np.isclose(table["gae_lambda"], lam) & (table["size"] >= low)
        ]
        for part, lam in at.items()
    ]
    return pd.concat(rows)


def _line_names(ends: pd.DataFrame) -> pd.DataFrame:
    """The names above the line ends, the upper one raised where two would overlap."""
    ends = ends.sort_values("gae_lambda", kind="stable")
    levels = ends["gae_lambda"].to_numpy(float).copy()
    levels[1:] = np.maximum(levels[1:], levels[:-1] + 0.1)
    return ends.assign(shown=levels)


def movement(world: str, shape: str, error: float, num: int) -> None:
    """The best λ against N, and over all errors."""
    left, right = st.columns(2, gap="large")
    best = trust.best_by_episodes(world, shape, error)
    at = trust.best(world, shape, error, num)
    with left:
        page.heading(
            trust.more_episodes(world, shape, error),
            "the λ of least error, exact",
        )
        page.chart(
            "chart-best",
            charts.best_by_episodes,
            ink(),
            tables={
                "best": best,
                "ends": _line_names(best[best["num_episodes"] == best["num_episodes"].max()]),
                "here": pd.DataFrame({"num_episodes": [num], "gae_lambda": [at]}),
            },
            height=290,
            says=trust.moves(world, shape, error),
        )
    cells, ridge = trust.error_map(world, shape, num)
    with right:
        page.heading(
            trust.worse_critic(world, shape, num),
            f"N = {num} · dashed: the best λ · more colour: more error",
        )
        page.chart(
            "chart-map",
            charts.error_map,
            ink(),
            tables={
                "cells": cells,
                "best": ridge,
                "here": pd.DataFrame({"gae_lambda": [at], "error": [error]}),
            },
            height=290,
            says=f"The best λ for every error of the critic. {trust.worse_critic(world, shape, num)}.",
        )
    st.caption(trust.moves(world, shape, error))
    page.numbers(ridge.rename(columns={"gae_lambda": "best λ", "error": "ε"}), "ridge")


def kernel(gamma: float, lam: float) -> None:
    """What Â listens to."""
    page.heading(
        trust.what_lambda_listens_to(gamma),
        f"γ = {gamma:g}, λ = {lam:g} · the critic's word on the present state has −1, always",
    )
    table = trust.kernel(gamma, lam)
    page.chart(
        "chart-kernel",
        charts.kernel,
        ink(),
        tables={
            "weights": table.assign(zero=0.0),
            "names": pd.DataFrame(
                {
                    "ahead": [13.0, 13.0],
                    "weight": [1.0, 0.9],
                    "text": ["● rewards", "▲ the critic's word"],
                    "what": ["rewards", "the critic"],
                }
            ),
        },
        height=240,
        says=trust.kernel_in_words(gamma, lam),
    )
    st.caption(trust.kernel_in_words(gamma, lam))


def windows(world: str, shape: str, error: float) -> None:
    """bias² where the sums are cut."""
    page.heading(
        "Cut into windows", f"bias² / ‖∇J‖², exact · {trust.FORMULAS[shape]}, ε = {error:g}"
    )
    st.dataframe(
        trust.in_windows(world, shape, error),
        hide_index=True,
        width="stretch",
        key="gae-windows",
    )
    st.caption(trust.windows_in_words(world, shape, error))


# --- the ledger ---

TYPED = {
    "_index": st.column_config.NumberColumn("t"),
    "reward": st.column_config.NumberColumn("r", format="%g"),
    "value": st.column_config.NumberColumn("V̂(s)", format="%g"),
    "final_value": st.column_config.NumberColumn(
        "V̂(final)",
        format="%g",
        help="What the critic says about the observation after this row. It counts where the row"
        " is truncated, or the window ends.",
    ),
    "terminated": st.column_config.CheckboxColumn("terminated"),
    "truncated": st.column_config.CheckboxColumn("truncated"),
}


def ledger_bench(name: str, gamma: float, lam: float, bug: str) -> None:
    """Type on the left, read on the right, from the last row up."""
    page.heading("What happened", "every cell can be edited")
    typed = st.data_editor(
        ledger.LEDGERS[name](),
        key=f"ledger-{name}",
        column_config=TYPED,
        height=36 * 7 + 4,
        width="stretch",
        num_rows="fixed",
    )
    found = ledger.Ledger.of(typed, gamma, lam)
    total = len(found.rewards)
    key = f"rows-{name}"
    rows = min(int(st.session_state.setdefault(key, total)), total)
    table = found.table(rows, bug)
    page.heading(
        "What follows from it", "computed from the last row up · λ = 0 and λ = 1 beside it"
    )
    st.dataframe(
        table,
        hide_index=True,
        height=36 * 7 + 4,
        width="stretch",
        column_config={
            c: st.column_config.NumberColumn(c, format="%d" if c == "t" else "%.3f")
            for c in table.columns
        },
        key="ledger-table",
    )

    def go_to(count: int) -> None:
        st.session_state[key] = max(0, min(total, count))

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Begin at the end", on_click=guarded(go_to), args=(1,), key="ledger.begin")
        st.button(
            "One row back",
            on_click=guarded(go_to),
            args=(rows + 1,),
            key="ledger.back",
            disabled=rows >= total,
        )
        st.button("All rows", on_click=guarded(go_to), args=(total,), key="ledger.all")
    st.markdown(found.in_words(rows))
    if rows == total:
        st.markdown(found.lambda_one_in_words())
    if bug != ledger.RIGHT:
        st.markdown(found.difference(bug))


# --- the sweep ---


def watch_sweep(configs: Sequence[Config]) -> None:
    """One small multiple per λ and one summary, polled while one of the runs lives."""
    live.poll(configs, lambda: _draw_sweep(live.group_of(configs), configs))
    runs = live.group_of(configs)
    besides.panel(runs, [f"λ = {sweep.label(run.config.gae_lambda)}" for run in runs])


def _draw_sweep(runs: list[Run], configs: Sequence[Config]) -> None:
    budget = sweep.steps_in(configs[0])
    over = {run.config.gae_lambda: run for run in runs if run.ending == "finished"}
    others = live.others_in_words(runs, len(configs))
    words = f"{len(over)} of {len(configs)} runs have ended{others}."
    st.progress(len(over) / len(configs), words)
    for start in range(0, len(runs), 4):
        for column, run in zip(st.columns(4, gap="small"), runs[start : start + 4], strict=False):
            with column:
                _one(run, budget)
    finished = {
        lam: recording
        for lam, run in sorted(over.items())
        if (recording := run.recording()) is not None
    }
    if not finished:
        st.skeleton(height=330)
        return
    seeds, middle = sweep.tables(finished)
    page.heading(
        "How soon is each λ there?",
        f"faint: a seed · ✗ not solved in {budget:,} steps · dot and bar: IQM and its 95 % interval",
    )
    low = float(np.floor(seeds["steps"].min() / 20_000) * 20_000)
    page.chart(
        "chart-sweep",
        charts.sweep_summary,
        budget,
        low,
        tables={"seeds": seeds, "summary": middle},
        height=280,
        says=sweep.in_words(finished),
    )
    st.caption(sweep.in_words(finished))
    if 0.95 in finished and len(finished) > 1:
        with st.expander("Show the numbers"):
            st.dataframe(middle, hide_index=True, key="sweep-summary")
            st.markdown("Seed by seed against λ = .95, in environment steps:")
            st.dataframe(sweep.compared(finished), hide_index=True, key="sweep-compared")


def _one(run: Run, budget: int) -> None:
    middle, seeds = live.by_steps(run)
    recording = run.recording()
    solved = 0
    if recording is not None and recording.num_updates:
        solved = int(recording.metrics(recording.num_updates - 1)["solved"].sum())
    lam = sweep.label(run.config.gae_lambda)
    page.heading(f"λ = {lam}", f"{solved} of {run.config.num_seeds} solved")
    page.chart(
        f"chart-sweep-{lam.replace('.', '-')}",
        charts.sweep_curves,
        "gae",
        budget,
        tables={"middle": middle, "seeds": seeds},
        height=170,
        says=f"Returns along training with λ = {lam}.",
    )


def attempt(run: Run, budget: int) -> None:
    """What a budget bought, polled while the run lives."""
    live.poll([run.config], lambda: _draw_attempt(run, budget))
    besides.panel([run])


def _draw_attempt(run: Run, budget: int) -> None:
    middle, seeds = live.by_steps(run)
    page.heading(
        f"What λ = {run.config.gae_lambda:g} makes of {budget:,} steps",
        "a line: a seed · thick: their middle half (IQM) · 475 is solved",
    )
    page.chart(
        "chart-attempt",
        charts.sweep_curves,
        "gae",
        budget,
        tables={"middle": middle, "seeds": seeds},
        height=170,
        says="Returns along the training within the budget.",
    )


def command(world: str, shape: str, error: float, lam: float) -> str:
    """The command that prints the exact numbers of one λ."""
    begin = f"python -m pgviz moments {world} --estimator gae --gae-lambda {lam:g}"
    if shape == "too small":
        return f"{begin} --values true --values-scale {1 - error:g} --json"
    critic = wrong_critic(named_worlds[world](), shape, error)
    if critic.ndim == 1:
        return f"{begin} --values={','.join(f'{v:.10g}' for v in critic)} --json"
    return f"{begin} --json  # this page adds its error to the true V: {shape}, ε = {error:g}"


def sweep_command() -> str:
    """The command that trains the same runs, one λ after the other."""
    one = command_line(sweep.configs((0.0,))[0])
    values = " ".join(sweep.label(lam) for lam in sweep.SWEPT)
    return f"for lam in {values}; do {one.replace('gae_lambda=0.0', 'gae_lambda=$lam')}; done"
