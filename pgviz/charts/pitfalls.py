"""Charts of the pitfalls page: instruments of a run with a wrong line, beside the right one."""

from typing import Any

import altair as alt

from pgviz.charts.theme import BROKEN, QUIET, TRUTH_DASH

KINDS = ["wrong", "right"]
LABEL: dict[str, Any] = {"align": "left", "dx": 9, "fontSize": 13, "fontWeight": 600}
ROOM_FOR_NAMES = 1.3  # of the axis, beyond the end of the curves


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def reading(
    x_title: str, y_title: str, domain: tuple[float, float] | None, end: float, color: str
) -> alt.LayerChart:
    """One instrument along a run: seeds thin, their middle thick, a band where low and high differ.

    `color` is that of the run with the right line. `domain` None fits the data; `end` is where the
    curves end. Tables: middle (kind, x, value, low, high), seeds (kind, x, seed, value) of one run,
    names (kind, label, x, value).
    """
    x = alt.X("x:Q").title(x_title).scale(domain=[0, ROOM_FOR_NAMES * end], nice=False)
    x = x.axis(values=[end * k / 4 for k in range(5)], grid=False, format=",.0f", labelFlush=False)
    y = alt.Y("value:Q").title(y_title).axis(tickCount=6, grid=False)
    if domain is None:
        y = y.scale(zero=False, nice=True)
    else:
        y = y.scale(domain=list(domain), nice=False)
    colors = alt.Color("kind:N", legend=None).scale(domain=KINDS, range=[BROKEN, color])
    dash = alt.StrokeDash("kind:N", legend=None).scale(domain=KINDS, range=[[1, 0], TRUTH_DASH])
    middle = _table("middle")
    return (
        middle.mark_area(opacity=0.14, clip=True).encode(x, y, alt.Y2("high:Q"), colors)
        .transform_calculate(value="datum.low")
        + _table("seeds").mark_line(strokeWidth=1, opacity=0.3, clip=True)
        .encode(x, y, colors, alt.Detail("seed:N"))
        + middle.mark_line(strokeWidth=3, clip=True).encode(x, y, colors, dash)
        + _table("names").mark_text(clip=False, **LABEL).encode(x, y, colors, text="label:N")
    )  # fmt: skip


def pushes(ink: str, color: str) -> alt.LayerChart:
    """The expected update beside ∇J, in bars. Table: pushes (place, kind, value, low, high)."""
    kinds = ["exact", "measured"]
    y = alt.Y("place:N").title(None).sort(None).scale(paddingInner=0.4, paddingOuter=0.25)
    y = y.axis(labelLimit=160, ticks=False, domain=False, labelPadding=8)
    x = alt.X("value:Q").title("push on θ in one update").axis(tickCount=6)
    offset = alt.YOffset("kind:N").scale(domain=kinds, paddingInner=0.15)
    colors = alt.Color("kind:N").scale(domain=kinds, range=[ink, color])
    legend = alt.Legend(title=None, orient="top", labelExpr=(
        "datum.value === 'exact' ? 'exact ∇J' : 'mean of many updates'"))  # fmt: skip
    bars = _table("pushes").mark_bar(height={"band": 0.9})
    zero = _table("pushes").transform_aggregate(rows="count()").transform_calculate(value="0")
    return (
        bars.encode(x, y, offset, colors.legend(legend))
        + _table("pushes").mark_rule(color=QUIET, strokeWidth=2)
        .encode(alt.X("low:Q"), alt.X2("high:Q"), y, offset)
        + zero.mark_rule(color=QUIET).encode(x)
    )  # fmt: skip


def shares(learns: float, ink: str) -> alt.LayerChart:
    """What each wrong line reaches of the right one's improvement.

    Table: cases (label, share, shown, learns); `shown` is the share, drawn within the axis.
    """
    y = alt.Y("label:N").title(None).sort(None).axis(labelLimit=380, ticks=False, domain=False)
    x = alt.X("shown:Q").title(["improvement of the return,", "as a share of the right line's"])
    x = x.scale(domain=[-0.8, 1.1], nice=False)
    x = x.axis(format="%", values=[-0.5, 0, 0.5, 1], titleAnchor="end", labelOverlap=True)
    color = alt.Color("learns:N", legend=None).scale(domain=[True, False], range=[ink, BROKEN])
    shape = alt.Shape("learns:N", legend=None).scale(
        domain=[True, False], range=["circle", "cross"]
    )
    line = _table("cases").transform_aggregate(rows="count()")
    line = line.transform_calculate(shown=str(learns))
    return (
        line.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + _table("cases").mark_point(filled=True, size=90, opacity=1).encode(x, y, color, shape)
    )  # fmt: skip
