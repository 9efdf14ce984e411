"""A prediction: the return rises; what does the surrogate loss do?"""

import numpy as np
import pandas as pd
import streamlit as st

from pgviz.charts import reinforce as charts
from pgviz.figures import fixed
from pgviz.lessons.reinforce.recorded import LEARN, begun, look_into, room_for_captions
from pgviz.measure import takeaways
from pgviz.measure.ensembles import interquartile_mean
from pgviz.runs import Recording
from pgviz.training import gradient
from pgviz.ui import live, progress
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen, chart

RUNS = (LEARN,)
ANSWERS = {
    "It falls": "fell",
    "It stays about the same": "stayed about the same",
    "It rises": "rose",
}
MARKS = 5  # returns that are written beside the loss


def draw(screen: Screen) -> None:
    screen.words(
        "In supervised learning a falling loss is progress. The surrogate loss is rebuilt for every"
        " batch, from other episodes with other returns. In the recorded run of REINFORCE the"
        " return rises to 500, so the policy improves. Its loss was recorded, too."
    )
    guess = screen.predict(tuple(ANSWERS), verdict)
    answered = progress.is_revealed(screen.page.slug, screen.step.slug)

    def picture(recording: Recording) -> None:
        middle = middle_of(recording)
        scale = 1.6 if screen.present else 1.0
        if not answered:
            st.markdown(
                "**The return rises**  \n:small[:gray[mean of the middle half of the seeds]]"
            )
            chart(
                "chart-loss-return",
                charts.return_alone,
                LEARN.num_updates,
                tables={"middle": middle},
                height=room_for_captions(screen),
                says="Return against updates.",
                scale=scale,
            )
            return
        st.markdown(
            "**The loss while the policy improves**  \n:small[:gray[mean of the middle half of the"
            " seeds; the returns stand beside it]]"
        )
        chart(
            "chart-loss",
            charts.loss_with_returns,
            LEARN.num_updates,
            ink(),
            tables={
                "losses": middle,
                "marks": marks(middle),
                "guess": guessed(middle, guess or ""),
            },
            height=room_for_captions(screen),
            says="The surrogate loss against updates.",
            scale=scale,
        )

    recording = look_into(screen, picture, LEARN)
    if recording is not None and answered:
        screen.says(in_words(recording))
        screen.numbers(middle_of(recording).round(2))
        screen.code(gradient.policy_gradient)
    elif recording is not None:
        screen.says("Answer first: the loss is drawn afterwards.")


def verdict(guess: str | None) -> tuple[bool, str]:
    """What the loss of the recorded run did."""
    recording = begun(live.group_of([LEARN]))
    if recording is None:
        return False, "The run is not recorded yet."
    did = takeaways.loss_verdict(recording)
    return guess is not None and ANSWERS.get(guess) == did, (
        f"It {did}: larger returns make larger terms $G_t \\log\\pi$."
        if did == "rose"
        else f"It {did} here."
    )


def middle_of(recording: Recording) -> pd.DataFrame:
    """update, episode_return, pseudo_loss: means of the middle half of the seeds."""
    metrics = recording.metrics()
    names = ("episode_return", "pseudo_loss")
    columns = {name: interquartile_mean(metrics[name], axis=1) for name in names}
    return pd.DataFrame({"update": range(recording.num_updates), **columns})


def marks(middle: pd.DataFrame) -> pd.DataFrame:
    """A few updates at which the return is written down: evenly spaced in the loss."""
    losses = middle["pseudo_loss"].to_numpy()
    wanted = np.linspace(losses[0], losses.max(), MARKS)
    rows = middle.iloc[np.unique([int(np.argmax(losses >= w)) for w in wanted])]
    return rows.assign(label=[f"return {fixed(r, 0)}" for r in rows["episode_return"]])


def guessed(middle: pd.DataFrame, guess: str) -> pd.DataFrame:
    """The guess as a line from the first loss on: down, level or up."""
    rows: list[tuple[float, float, str]] = []
    if guess in ANSWERS:
        first, top = float(middle["pseudo_loss"].iloc[0]), float(middle["pseudo_loss"].max())
        way = {"fell": -0.12, "stayed about the same": 0.0, "rose": 0.3}[ANSWERS[guess]] * top
        rows = [(0.0, first, ""), (LEARN.num_updates / 5, first + way, "you")]
    return pd.DataFrame(rows, columns=["update", "pseudo_loss", "label"])


def in_words(recording: Recording) -> str:
    """What the return and the loss did."""
    metrics = recording.metrics()
    returns, losses = (
        takeaways.ends(interquartile_mean(metrics[name], axis=1))
        for name in ("episode_return", "pseudo_loss")
    )
    return (
        f"The return goes from {fixed(returns[0], 0)} to {fixed(returns[1], 0)} while the loss goes"
        f" from {fixed(losses[0], 0)} to {fixed(losses[1], 0)} (first and last tenth of the run)."
        " Judge a policy by its return: this loss does not say how good it is."
    )
