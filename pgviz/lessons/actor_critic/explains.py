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
        "Code often logs the share of its targets' variance that a critic explains,"
        " $1 - \\mathrm{Var}(y - \\hat V)/\\mathrm{Var}(y)$: 1 is perfect, a constant V̂ gives 0. But the targets y contain V̂"
        " itself. With the returns G of fresh episodes in place of y the share is smaller. It is"
        " below 0 where the errors G − V̂ vary more than G."
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
        "share of the variance explained"
        if show == "share explained"
        else "root mean square error, rewards",
        recorded_critic.UPDATES[-1],
        low,
        top,
        tables={"own": own, "fresh": fresh, "names": names},
        title="Against its own targets the critic looks better",
        note="mean of the middle half of 16 seeds, each with its last networks once it has solved",
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
    best, worst = (
        int(fresh["update"].iloc[at]) for at in (int(explained.argmax()), int(explained.argmin()))
    )
    spread = fresh.set_index("update")["spread"]
    return (
        f"Before learning the share is {fixed(own['explained_variance'].iloc[0])} of the targets and"
        f" {fixed(explained.iloc[0])} of the returns. Of the returns it is {fixed(explained.max())}"
        f" at best (update {best}) and {fixed(explained.min())} at worst (update {worst}): their"
        f" standard deviation has then fallen from {fixed(spread[best], 1)} to"
        f" {fixed(spread[worst], 1)}, and small errors count much."
    )
