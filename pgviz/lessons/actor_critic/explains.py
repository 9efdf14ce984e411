"""A critic compared with its own targets, and with fresh episodes."""

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.figures import fixed
from pgviz.measure import critic_map, recorded_critic
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen

SHOW = Choice("measure", "Show", ("share explained", "error"))
CONTROLS = (SHOW,)
BEATS = ({"measure": "share explained"}, {"measure": "error"})
COLUMNS = {"share explained": "explained_variance", "error": "error"}
NAMES = {"own": "its own targets", "fresh": "fresh episodes"}


def draw(screen: Screen) -> None:
    screen.words(
        "Code often logs how much of the variance of its targets a critic explains: 1 is perfect,"
        " 0 is what one constant would do. But the targets contain V̂ itself. Against the returns"
        " of fresh episodes the same critic explains far less, below 0 at times: less than a"
        " constant."
    )
    show: str = screen.control(SHOW, "share explained", horizontal=True)
    own, fresh = recorded_critic.along_training()
    column = COLUMNS[show]
    low, top = (-4.0, 1.2) if show == "share explained" else (0.0, 30.0)
    names = pd.DataFrame(
        [
            {"kind": kind, "label": NAMES[kind], **table.iloc[-1][["update", column]].to_dict()}
            for kind, table in (("own", own), ("fresh", fresh))
        ]
    )
    screen.chart(
        charts.along_training,
        column,
        "share of the variance" if show == "share explained" else "root mean square error, rewards",
        recorded_critic.UPDATES[-1],
        low,
        top,
        tables={"own": own, "fresh": fresh, "names": names},
        title="Against its own targets the critic looks better",
        note="mean of the middle half of 16 seeds · measured beforehand",
    )
    screen.says(sentence(show))
    screen.numbers(fresh.round(3))
    screen.code(critic_map.knowledge)
    screen.command("python -m pgviz.measure.recorded_critic")


def sentence(show: str) -> str:
    """Both curves in numbers."""
    own, fresh = recorded_critic.along_training()
    if show == "error":
        return (
            f"From the first policy to the last the error goes from {fixed(own['error'].iloc[0], 1)}"
            f" to {fixed(own['error'].iloc[-1], 1)} rewards against its targets, and from"
            f" {fixed(fresh['error'].iloc[0], 1)} to {fixed(fresh['error'].iloc[-1], 1)} against"
            f" fresh episodes; at worst {fixed(fresh['error'].max(), 1)}."
        )
    explained = fresh["explained_variance"]
    worst = int(fresh["update"].iloc[int(explained.argmin())])
    return (
        f"Before it has learned anything it explains {fixed(own['explained_variance'].iloc[0])} of"
        f" its targets' variance and {fixed(explained.iloc[0])} of the returns'. Of the returns it"
        f" explains {fixed(explained.max())} at best and {fixed(explained.min())} at worst, at"
        f" update {worst}."
    )
