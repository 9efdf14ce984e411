"""Charts of a run. Each is a constant specification over named tables: while a run streams only
the tables change, and the browser redraws in place.
"""

import altair as alt

from pgviz.charts.theme import COLOR, DASH, QUIET
from pgviz.worlds.world import CARTPOLE_V1

MAX_RETURN = CARTPOLE_V1.max_episode_steps
SOLVED_RETURN = int(CARTPOLE_V1.solved_at or 0)  # on average …
SOLVED_EPISODES = 100  # … over the last so many episodes
THOUSANDS = "format(datum.value / (abs(datum.value) < 1000 ? 1 : 1000), '~g') + (abs(datum.value) < 1000 ? '' : 'k')"
INSTRUMENTS = {
    "pseudo_loss": (
        alt.Scale(type="symlog", constant=10),
        alt.Axis(values=[-1000, -100, -10, 0, 10, 100, 1000, 10_000, 100_000], labelExpr=THOUSANDS),
    ),
    "grad_norm": (
        alt.Scale(type="symlog", constant=1),
        alt.Axis(values=[0, 1, 10, 100, 1000, 10_000], labelExpr=THOUSANDS),
    ),
    "entropy": (
        alt.Scale(domain=[0, 0.7], nice=False),
        alt.Axis(values=[0, 0.2, 0.4, 0.6], format=".1f"),
    ),
}


def instrument(method: str, num_updates: int, metric: str) -> alt.Chart | alt.LayerChart:
    """One metric's IQM against updates, and how long a gradient may be.

    Tables: middle (update and the metric) and limit (grad_norm).
    """
    scale, axis = INSTRUMENTS[metric]
    y = alt.Y(f"{metric}:Q", title=None, scale=scale, axis=axis)
    line = (
        alt.Chart(alt.NamedData("middle"))
        .mark_line(strokeWidth=2, color=COLOR[method], strokeDash=DASH[method])
        .encode(
            alt.X("update:Q").title("update").scale(domain=[0, num_updates], nice=False),
            y,
            tooltip=["update:Q", alt.Tooltip(f"{metric}:Q", format=".4~g")],
        )
    )
    if metric != "grad_norm":
        return line
    limit = alt.Chart(alt.NamedData("limit")).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(y)
    return limit + line


def race(budget: int) -> alt.LayerChart:
    """Return against steps, a line per method; earlier runs stay faint behind.

    Tables: curves and before (method, env_steps, trailing_return), labels (method, label, at).
    """
    names = list(COLOR)
    x = (
        alt.X("env_steps:Q")
        .title("environment steps of one learner")
        .scale(domain=[0, budget], nice=False)
        .axis(tickCount=6, labelExpr=THOUSANDS)
    )
    y = alt.Y("trailing_return:Q").title("mean return of the last 100 episodes")
    y = y.scale(domain=[0, MAX_RETURN]).axis(tickCount=5)
    color = alt.Color("method:N", legend=None).scale(domain=names, range=list(COLOR.values()))
    dash = alt.StrokeDash("method:N", legend=None).scale(domain=names, range=list(DASH.values()))
    solved = (
        alt.Chart(alt.NamedData("curves"))
        .transform_aggregate(count="count()")
        .mark_rule(color=QUIET, strokeDash=[2, 3])
        .encode(y=alt.datum(SOLVED_RETURN))
    )
    before = (
        alt.Chart(alt.NamedData("before"))
        .mark_line(strokeWidth=2, opacity=0.3, clip=True)
        .encode(x, y, color, dash)
    )
    lines = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(strokeWidth=2.6, clip=True)
        .encode(
            x,
            y,
            color,
            dash,
            tooltip=[
                "method:N",
                alt.Tooltip("env_steps:Q", format=",.0f"),
                alt.Tooltip("trailing_return:Q", format=".0f"),
            ],
        )
    )
    at = alt.Chart(alt.NamedData("labels"))
    place = alt.Y("at:Q").scale(domain=[0, MAX_RETURN])
    strokes = (
        at.transform_calculate(left=f"{0.60 * budget}", right=f"{0.67 * budget}")
        .mark_rule(strokeWidth=2.6)
        .encode(alt.X("left:Q"), place, color, dash, x2="right:Q")
    )
    texts = at.mark_text(align="left", fontSize=13, dx=8).encode(
        place, color, x=alt.datum(0.67 * budget), text="label:N"
    )
    return solved + before + lines + strokes + texts
