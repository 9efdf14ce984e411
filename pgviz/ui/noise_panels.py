"""The panels of the page on baselines. Each asks `measure` for tables and hands them to a chart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import baselines as charts
from pgviz.exact.subtraction import baseline, baseline_is_free
from pgviz.measure import checkpoints, noise, race
from pgviz.measure.bench import LABELS, Bench, frozen_bench, world_bench
from pgviz.measure.frozen import FrozenPolicy
from pgviz.runs import Recording, Run
from pgviz.ui import besides, live, page, receipts
from pgviz.ui.look import ink
from pgviz.ui.once import once, together
from pgviz.worlds.named import named_worlds

# --- the baseline set by hand ---


def cloud(name: str, values: Sequence[float], num_episodes: int) -> None:
    """The estimates around the exact gradient, and three exact numbers above them."""
    found = noise.cloud(name, num_episodes)
    exact = noise.subtracted(named_worlds[name](), np.asarray(values))
    page.figures(
        ("Bias² of ĝ", "0" if exact.bias_squared == 0 else f"{exact.bias_squared:.1e}"),
        ("Spread, tr Cov ĝ", noise.in_figures(exact.moments.covariance_trace)),
        (
            "Episodes that suffice for cosine .9",
            "none" if exact.episodes is None else f"{exact.episodes:,}",
        ),
    )
    dots = found.dots(np.asarray(values))
    reach = found.reach()
    each = "one episode" if num_episodes == 1 else f"{num_episodes} episodes"
    page.heading(
        "The spread changes, the centre does not move",
        f"a dot: ĝ from {each}, the same ones for every b · ✚ the mean of {len(dots)} dots"
        + (" · the height only parts the dots" if found.flat else ""),
    )
    centre = dots.mean().to_frame().T
    page.chart(
        "chart-cloud",
        charts.cloud,
        ink(),
        found.length,
        *reach,
        found.flat,
        tables={
            "dots": dots.round(4),
            "centre": centre if not found.flat else centre.assign(across=0.0),
            "truth": pd.DataFrame({"along": [found.length], "across": [0.0], "zero": [0.0]}),
        },
        height=330,
        says=f"Estimates of the gradient around the exact one; their mean is {centre['along'][0]:.3f}"
        f" along it, the gradient {found.length:.3f}.",
    )
    outside = int((np.abs(dots["along"] - found.length) > reach[0]).sum())
    away = f"Dots outside the picture: {outside}. " if outside else ""
    st.caption(
        f"{away}The mean of the dots lies at {centre['along'][0]:.2f} along ∇J, whose length is"
        f" {found.length:.2f}; one dot is off by"
        f" {np.sqrt(exact.moments.covariance_trace / num_episodes):.2f} on average (r.m.s.)."
    )


def parabolas(name: str, values: Sequence[float], low: float, high: float) -> None:
    """The bias, flat, above the spread, a parabola for every state."""
    plain = noise.by_hand(name).landmarks["none"].covariance_trace
    top = 1.35 * max(plain, noise.by_hand(name).parabolas.trace(np.asarray(values)))
    tables = noise.parabola_tables(name, values, low, high, top)
    page.heading("The bias is flat at zero", "the same b in every state")
    page.chart(
        "chart-bias",
        charts.bias_line,
        ink(),
        low,
        high,
        tables={
            "bias": tables["bias"],
            "label": pd.DataFrame({"b": [low], "bias": [0.0], "text": ["  0 at every b"]}),
        },
        height=80,
        says="The squared bias against b is zero everywhere.",
    )
    states = len(values)
    page.heading(
        "The spread is a parabola" + (" for every state" if states > 1 else ""),
        ("the dots are your b(s); move one and the others ride along · " if states > 1 else "")
        + "dashed: exact landmarks",
    )
    page.chart(
        "chart-parabolas",
        charts.parabolas,
        ink(),
        low,
        high,
        top,
        tables={
            "curves": tables["curves"],
            "chosen": tables["chosen"],
            "marks": noise.landmark_table(name, high, top),
            "names": tables["names"],
        },
        height=320,
        says=noise.surprise(name),
    )
    st.caption(noise.surprise(name))
    page.numbers(_landmark_numbers(name), "landmarks")
    page.heading("Why the spread falls and the centre stays")
    with st.container(width=page.READING_WIDTH):
        st.latex(noise.BEST_B)
        st.markdown(noise.why_it_falls(name))


def _landmark_numbers(name: str) -> pd.DataFrame:
    rows = [
        {"baseline": mark.name, "spread": mark.covariance_trace}
        | {f"b(s{s})": b for s, b in enumerate(mark.values)}
        for mark in noise.by_hand(name).landmarks.values()
    ]
    return pd.DataFrame(rows)


# --- what is not free ---


def kept(name: str) -> None:
    """What each subtraction leaves of the gradient."""
    table = noise.effects(name)
    page.heading(
        "What is left of ∇J",
        "exact: sums over every episode of this world · ● legal · ✗ not",
    )
    page.chart(
        "chart-kept",
        charts.kept,
        ink(),
        tables={
            "effects": table.drop(columns=["reason"]),
            "whole": pd.DataFrame({"kept": [1.0]}),
        },
        height=48 * len(table) + 40,
        says="; ".join(table["words"]),
    )
    numbers = table[["title", "kept", "bias²", "spread", "reason"]]
    page.numbers(numbers, "effects")


# --- who is credited ---


def credit(name: str) -> None:
    """The mean and the spread of every pair of an action and a reward."""
    found = noise.credit_tables(name)
    left, right = st.columns(2, gap="large")
    for column, key, heading, note, table in (
        (left, "mean", "Mean: the past adds nothing", "E[∇log π(aₜ) rᵤ] along ∇J", found.mean),
        (right, "spread", found.noisiest(), "√tr Cov", found.spread),
    ):
        with column:
            page.heading(heading, note + " · under the stairs the reward came first")
            page.chart(
                f"chart-credit-{key}",
                charts.credit,
                ink(),
                float(table["value"].max()),
                int(table["t"].max()) + 1,
                tables={"pairs": table, "stairs": noise.stairs(int(table["t"].max()) + 1)},
                height=290,
                says=f"{heading}, for every action and reward of an episode.",
            )
    st.caption(found.sentence)


# --- the bench ---


def cartpole_bench(run: Run, recording: Recording, update: int, seed: int, num: int) -> Bench:
    """The bench at one update of a recording."""
    policy = FrozenPolicy(recording.config, recording.theta(update)[seed], seed, update)
    return once(
        ("bench", run.key, update, seed, num),
        "Playing episodes of the frozen policy",
        frozen_bench(policy, num),
    )


@st.cache_resource(max_entries=40, show_spinner="Sampling episodes")
def tabular_bench(name: str, num: int) -> Bench:
    """The bench of a named world."""
    return world_bench(named_worlds[name](), num)


def bench(found: Bench) -> None:
    """Spreads with their intervals, and the error of a batch against its size."""
    spreads = found.spreads()
    spreads["needs"] = [found.in_words(row) for row in found.rows]
    left, right = st.columns([1, 1], gap="large")
    with left:
        page.heading(
            found.extremes(),
            "line: 95 % interval · above: episodes that suffice for a cosine of .9 (r.m.s.)"
            + (" · tick: exact" if found.is_exact else ""),
        )
        page.chart(
            "chart-spreads",
            charts.spreads,
            ink(),
            tuple(spreads["label"]),
            tables={"spreads": spreads},
            height=330,
            says="; ".join(f"{r.label}: {r.trace:.4g}" for r in spreads.itertuples()),
        )
    with right:
        errors = found.errors(np.logspace(0, 4, 25))
        low, high = _decades(errors["error"])
        low = min(low, high / 1e4)
        page.heading(
            "Without a bias, half the error costs four times the episodes",
            "dashed: slope −½ · a line that bends away is biased",
        )
        guide = errors[errors["name"] == "reinforce"]
        lowest = errors[errors["num_episodes"] == 1]["error"].min()
        guide = guide.assign(error=0.5 * lowest / guide["num_episodes"] ** 0.5)
        ends = errors[errors["num_episodes"].isin((1, 100, 10_000))]
        page.chart(
            "chart-errors",
            charts.errors,
            ink(),
            low,
            high,
            tables={"errors": errors, "guide": guide, "ends": ends},
            height=330,
            says="The error of each estimator against the size of the batch. Without a bias it falls"
            " with the square root; a bias stays.",
        )
    st.caption(_bench_words(found))
    page.numbers(found.table(), "bench")


def _decades(errors: pd.Series) -> tuple[float, float]:
    return (
        float(10 ** np.floor(np.log10(errors[errors > 0].min()))),
        float(10 ** np.ceil(np.log10(errors.max()))),
    )


def _bench_words(found: Bench) -> str:
    if found.is_exact:
        return (
            f"{found.num_episodes:,} episodes, the same for all six; ∇J is exact."
            f" {_exact_bias_in_words(found)}{found.doubts()}"
        )
    called = [found.bias_in_words(row) for row in found.rows if row.looks_biased]
    biased = (
        f"Told apart from unbiased: {', '.join(called)}."
        if called
        else "None can be told apart from unbiased with so few episodes."
    )
    length = found.reference.squared_length
    assert isinstance(length.low, float)
    assert isinstance(length.high, float)
    sure = f"‖∇J‖ between {max(length.low, 0) ** 0.5:.3g} and {max(length.high, 0) ** 0.5:.3g}"
    return (
        f"{found.num_episodes:,} episodes, the same for all six. CartPole has no exact gradient: ∇J is"
        f" an estimate from {found.reference.num_episodes:,} other episodes ({sure}). {biased}"
        f"{found.doubts()}"
    )


def _exact_bias_in_words(found: Bench) -> str:
    """Who is biased, summed exactly: with the true V for a critic, nobody is."""
    squared = float(found.reference.squared_length.value)  # type: ignore[arg-type]
    biases = {LABELS[row.name]: found.bias_squared(row) / squared for row in found.rows}
    worst = max(biases.values())
    if worst == 0:
        return "All six are exactly unbiased, bias² is 0: TD error and GAE believe the true V here."
    called = [f"{name} ({bias:.2g} ‖∇J‖²)" for name, bias in biases.items() if bias > 0]
    return f"Biased, exactly: {', '.join(called)}."


# --- normalising ---


def normalisers() -> None:
    """Scale and rotation of the expected gradient when batches are normalised."""
    table = noise.normaliser_table()
    left, right = st.columns(2, gap="large")
    for column, field, heading, title, low, high, truth in (
        (left, "scale", "It changes the length of E ĝ", "‖E ĝ‖ / ‖∇J‖", 0.4, 1.3, 1.0),
        (right, "degrees", "It turns E ĝ away from ∇J", "degrees", -3.0, 45.0, 0.0),
    ):
        with column:
            page.heading(heading, "three arms, exact: sums over every batch")
            page.chart(
                f"chart-normalised-{field}",
                charts.normalisers,
                ink(),
                field,
                title,
                low,
                high,
                tables={
                    "lines": table,
                    "ends": _placed(table, field),
                    "truth": pd.DataFrame({field: [truth]}),
                },
                height=260,
                says=noise.normaliser_sentence(),
            )
    st.caption(noise.normaliser_sentence())


def _placed(table: pd.DataFrame, field: str) -> pd.DataFrame:
    """Where the labels stand, beside their lines and clear of each other."""
    at: dict[str, dict[str, tuple[float, float]]] = {
        "scale": {
            "minus the batch's mean": (2.7, 0.53),
            "divided by its spread": (4.2, 1.16),
            "both": (2.35, 0.78),
        },
        "degrees": {
            "minus the batch's mean": (2.3, 3),
            "divided by its spread": (5.2, 37),
            "both": (3.4, 17),
        },
    }
    rows = [{"name": name, "num_episodes": x, field: y} for name, (x, y) in at[field].items()]
    return pd.DataFrame(rows)


# --- two runs side by side ---


def pair(runs: Sequence[Run]) -> None:
    """Learning curves of both runs, polled while one of them lives."""
    live.poll([run.config for run in runs], lambda: _draw_pair(runs))
    besides.panel(runs, [LABELS[run.config.method] for run in runs])


TEXTS = ("name", "label")
NUMBERS = ("update", "episode_return", "low", "high")
NO_MIDDLE = pd.DataFrame(
    {name: pd.Series(dtype=str) for name in TEXTS}
    | {name: pd.Series(dtype=float) for name in NUMBERS}
)


def _draw_pair(runs: Sequence[Run]) -> None:
    tables, told = [], []
    for run in runs:
        curves = live.curves_of(run)
        recording = run.recording() if curves else None
        label = LABELS[run.config.method]
        if curves is None or recording is None:
            continue
        last = recording.metrics(recording.num_updates - 1)
        solved, steps = int(last["solved"].sum()), float(last["env_steps"].mean())
        told.append(
            f"{label}: {solved} of {run.config.num_seeds} seeds solved,"
            f" {steps:,.0f} steps each on average"
        )
        columns = ["update", "episode_return", "low", "high"]
        tables.append(curves.middle[columns].assign(name=run.config.method, label=label))
        if run.config.method == "baseline" and "explained_variance" in recording.metric_names:
            explained = np.nanmedian(recording.metrics()["explained_variance"], axis=1)
            told.append(
                f"at the end the critic explains {100 * explained[-1]:.0f} % of the variance of G"
            )
    middle = pd.concat(tables) if tables else NO_MIDDLE
    page.heading(
        "The same seeds, with and without a critic to subtract",
        "thick: the middle half of the seeds (IQM) · band: its 95 % bootstrap interval",
    )
    page.chart(
        "chart-pair",
        charts.pair,
        max(run.config.num_updates for run in runs),
        tables={"middle": middle, "key": _key(runs)},
        height=300,
        says="Return of an episode against updates for both methods.",
    )
    st.caption(_sentence(told) if told else "The first episodes are being played.")


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]


def _key(runs: Sequence[Run]) -> pd.DataFrame:
    """The names of the lines, one below the other in the corner where no line runs."""
    width = max(run.config.num_updates for run in runs)
    methods = [run.config.method for run in runs]
    return pd.DataFrame(
        {
            "name": methods,
            "label": [LABELS[method] for method in methods],
            "left": 0.52 * width,
            "right": 0.62 * width,
            "shown": [90.0 - 45 * k for k in range(len(methods))],
        }
    )


def along_training(
    run: Run, recording: Recording, seed: int, names: Sequence[str] = checkpoints.SHOWN
) -> None:
    """Covariance traces of some estimators at checkpoints of a recording."""
    updates = checkpoints.checkpoints(recording)
    table = once(
        ("noise", str(run.path), recording.num_updates, seed, names),
        "Freezing policies along the training",
        together(checkpoints.traces(recording, seed, updates, names=names), len(updates)),
    )
    page.heading(
        "Gradient variance along the training",
        f"{race.label(run.config.method)}, seed {seed}, frozen at {table['update'].nunique()} of its"
        f" updates, {checkpoints.EPISODES} episodes each, γ = 1 · V̂ is fitted to other episodes of"
        " each policy",
    )
    page.chart(
        "chart-along",
        charts.along_training,
        int(table["update"].max()),
        tables={"traces": table, "ends": _line_ends(table)},
        height=300,
        says=checkpoints.sentence(table),
    )
    st.caption(checkpoints.sentence(table))
    st.html("<span data-settled></span>")


def _line_ends(table: pd.DataFrame) -> pd.DataFrame:
    """Labels beside the line ends, at least a tenth of the axis apart."""
    ends = table[table["update"] == table["update"].max()].sort_values("trace")
    apart = 0.075 * np.log10(table["trace"].max() / table["trace"].min())
    levels = np.log10(ends["trace"].to_numpy(float))
    for i in range(1, len(levels)):
        levels[i] = max(levels[i], levels[i - 1] + apart)
    return ends.assign(shown=10**levels)


# --- receipts ---


def subtracted_in_words(name: str) -> str:
    """Which b(s) the lines subtract, in numbers."""
    world = receipts.listed_world(name)
    steps = "" if world.horizon is None else ", the value at step 0"
    values = ", ".join(noise.in_figures(x).replace("-", "−") for x in baseline(world))
    return f"b(s) is V(s){steps}: {values}."


def derivation(name: str, broken: str | None) -> None:
    """Every line with both of its sides, at the worst of their numbers."""
    readings = receipts.readings(baseline_is_free, name, broken)
    receipts.table(readings, "baselines")
    cut = receipts.listed_in_words(name)
    st.caption(f"{receipts.verdict(readings, broken)} {cut}".rstrip())
