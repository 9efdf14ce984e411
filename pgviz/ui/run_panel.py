"""A run as it happens: three numbers, the learning curves, and the instruments beside them."""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import learning
from pgviz.measure.ensembles import FEWEST_SEEDS, Curves
from pgviz.measure.takeaways import in_words, loss_verdict
from pgviz.runs import Recording, Run
from pgviz.ui import besides, live, page
from pgviz.ui.guard import fragment

SOLVED = pd.DataFrame({"episode_return": [learning.SOLVED_RETURN]})
EMPTY_MIDDLE = pd.DataFrame(
    {name: pd.Series(dtype=float) for name in ("update", "episode_return", "low", "high")}
)
EMPTY_SEEDS = pd.DataFrame(
    {name: pd.Series(dtype=float) for name in ("update", "seed", "episode_return")}
)


def watch(run: Run) -> None:
    """The run, polled while it lives; when it ends the whole page is drawn once more."""
    is_live = live.is_live(run)
    had_begun = live.curves_of(run) is not None

    live.follow(
        lambda: draw(run),
        is_live,
        until=lambda: not run.active or (live.curves_of(run) is not None) != had_begun,
    )
    live.offer_again([run])
    curves = None if is_live else live.curves_of(run)
    page.numbers(curves.middle if curves else EMPTY_MIDDLE, key="numbers")
    besides.panel([run])


def draw(run: Run) -> None:
    """Numbers, status and learning curves of a run so far. Heights never change."""
    curves = live.curves_of(run)
    recording = run.recording() if curves else None
    _numbers(run, recording)
    st.progress(*_progress(run, curves))
    num_seeds = run.config.num_seeds
    page.heading(
        f"How far apart do {num_seeds} runs of the same method end up?"
        if num_seeds > 1
        else "One run: would another one look the same?",
        f"thin: a seed · thick: {_middle(num_seeds)}"
        + (" · band: its 95 % bootstrap interval" if num_seeds >= FEWEST_SEEDS else "")
        + " · a seed that has solved it stands still",
    )
    page.chart(
        "chart-returns",
        learning.learning_curves,
        run.config.method,
        run.config.num_updates,
        tables={
            "seeds": curves.seeds if curves else EMPTY_SEEDS,
            "middle": curves.middle if curves else EMPTY_MIDDLE,
            "solved": SOLVED,
        },
        height=340,
        says="Return of an episode against updates, one thin line per seed and their middle.",
    )
    with st.container(key="run-in-words"):  # as high as two lines, whatever it says
        begins = "The first episodes are being played."
        st.caption(_in_words(curves) if curves else begins if run.active else "")


def watch_instruments(run: Run, names: tuple[str, ...]) -> None:
    """The same charts, polled while the run lives, under what the pseudo-loss did until now."""

    @fragment(run_every=2 * live.POLL_S if live.is_live(run) else None)
    def panel() -> None:
        recording = run.recording()
        if recording is None or not recording.num_updates:
            return
        until = "So far" if run.active else "In this run"
        st.markdown(f"{until} it **{loss_verdict(recording)}**.")
        instruments(run, names)

    panel()


def instruments(run: Run, names: tuple[str, ...]) -> None:
    """Small charts of other metrics, side by side; drawn once the run has something to show."""
    curves = live.curves_of(run)
    if curves is None:
        return
    for column, name in zip(st.columns(len(names)), names, strict=True):
        heading, note = INSTRUMENTS[name]
        with column:
            page.heading(heading, note)
            page.chart(
                f"chart-{name}",
                learning.instrument,
                run.config.method,
                run.config.num_updates,
                name,
                tables={
                    "middle": curves.middle,
                    "limit": pd.DataFrame({"grad_norm": [run.config.max_grad_norm]}),
                },
                height=170,
                says=f"{heading}, against updates.",
            )
            first, last = curves.middle[name].iloc[[0, -1]]
            st.caption(f"From {in_words(first)} to {in_words(last)}.")


INSTRUMENTS = {
    "pseudo_loss": ("Pseudo-loss", "−(1/N) Σ Ψ log π, IQM over seeds"),
    "grad_norm": ("Length of the gradient", "‖ĝ‖, IQM · dashed: longer ones are cut to this"),
    "entropy": ("Entropy of the policy", "nats, IQM; log 2 ≈ .693 is a coin"),
}


def _numbers(run: Run, recording: Recording | None) -> None:
    steps, speed, solved = "0", "–", f"0 of {run.config.num_seeds}"
    if recording is not None:
        last = recording.metrics(recording.num_updates - 1)
        total = int(last["env_steps"].sum())
        steps = in_short(total)
        speed = in_short(total / max(recording.elapsed_s(), 1e-9))
        solved = f"{int(last['solved'].sum())} of {run.config.num_seeds}"
    with st.container(horizontal=True, gap="large"):
        for label, value in (
            ("Seeds solved", solved),
            ("Environment steps", steps),
            ("Steps per second", speed),
        ):
            st.metric(label, value, width="content")


def in_short(count: float) -> str:
    """A count that fits: 950, 86 k, 1.72 M."""
    if count >= 1e6:
        return f"{count / 1e6:.2f} M"
    return f"{count / 1e3:.0f} k" if count >= 1e4 else f"{count:,.0f}"


def _progress(run: Run, curves: Curves | None) -> tuple[float, str]:
    num_updates = curves.num_updates if curves else 0
    share = min(1.0, num_updates / run.config.num_updates)
    if run.status == "queued":
        ahead = live.runs().position(run)
        waiting = f"Waiting: {ahead} runs ahead of yours." if ahead else "Starting."
        return 0.0, waiting
    if run.status == "running" and not live.is_live(run):
        return share, "You stopped watching; the run goes on for others."
    words = {
        "running": f"Update {num_updates} of {run.config.num_updates}",
        "finished": f"Finished after {num_updates} updates",
        "stopped": f"Stopped after {num_updates} updates",
        "failed": f"Failed after {num_updates} updates" if num_updates else "Failed",
    }
    return (1.0 if run.status == "finished" else share), words[run.status]


def _in_words(curves: Curves) -> str:
    last, seeds = curves.middle.iloc[-1], curves.seeds
    now = seeds[seeds["update"] == seeds["update"].max()]["episode_return"]
    updates = f"After {curves.num_updates} update{'s' if curves.num_updates > 1 else ''}"
    if len(now) == 1:
        return f"{updates} the seed returns {last['episode_return']:.0f}."
    sure = (
        f" (95 % interval {last['low']:.0f} to {last['high']:.0f})"
        if len(now) >= FEWEST_SEEDS
        else ""
    )
    return (
        f"{updates} {_middle(len(now))} returns {last['episode_return']:.0f}{sure};"
        f" the best seed {np.max(now):.0f}, the worst {np.min(now):.0f}."
    )


def _middle(num_seeds: int) -> str:
    return "the middle half of the seeds (IQM)" if num_seeds >= 4 else "the mean of the seeds"
