"""Charts of the workbook: an answer on its curve."""

import altair as alt

from pgviz.charts.theme import COLOR, QUIET


def answered(ink: str, x_title: str, y_title: str) -> alt.LayerChart:
    """A curve and the answer on it. Tables: curve (x, y), marks (x, y, label)."""
    x = alt.X("x:Q").title(x_title).scale(zero=False, nice=False).axis(tickCount=6, grid=False)
    y = alt.Y("y:Q").title(y_title).scale(zero=False, padding=24).axis(tickCount=6)
    curve, marks = (alt.Chart(alt.NamedData(name)) for name in ("curve", "marks"))
    return (
        curve.mark_line(strokeWidth=3, color=COLOR["baseline"]).encode(x, y)
        + marks.mark_point(filled=True, size=160, opacity=1, color=ink).encode(x, y)
        + marks.mark_text(align="center", dy=-18, fontSize=14, fontWeight=600, color=ink)
        .encode(x, y, text="label:N")
    )  # fmt: skip


def chosen(ink: str) -> alt.LayerChart:
    """Error of ĝ over λ, with the λ that was chosen and the best one.

    Tables: curve (gae_lambda, error), marks (gae_lambda, error, kind, label).
    """
    x = alt.X("gae_lambda:Q").title("λ").scale(domain=[0, 1], nice=False).axis(tickCount=6)
    y = alt.Y("error:Q").title("mean squared error of ĝ").scale(type="log", nice=True)
    y = y.axis(tickCount=5, format="~g")
    color = alt.Color("kind:N", legend=None).scale(
        domain=["best", "yours"], range=[ink, COLOR["gae"]]
    )
    shape = alt.Shape("kind:N", legend=None).scale(
        domain=["best", "yours"], range=["circle", "diamond"]
    )
    curve, marks = (alt.Chart(alt.NamedData(name)) for name in ("curve", "marks"))
    return (
        curve.mark_line(strokeWidth=3, color=QUIET).encode(x, y)
        + marks.mark_point(filled=True, size=170, opacity=1).encode(x, y, color, shape)
        + marks.mark_text(align="left", dx=10, dy=-12, fontSize=14, fontWeight=600)
        .encode(x, y, color, text="label:N")
    )  # fmt: skip
