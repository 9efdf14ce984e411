"""Charts of the theorem page, each a constant specification over named tables.

Domains come from a table `frame` of two invisible points, so that nothing jumps while a knob is
turned; `ink` is the colour of the exact truth, black on light and white on dark.
"""

import altair as alt

from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, QUIET, TRUTH_DASH

SAMPLED = COLOR["reinforce"]
PROBABILITY = [0, 1]


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _frame(x: alt.X, y: alt.Y) -> alt.Chart:
    return _table("frame").mark_point(opacity=0, size=0).encode(x, y)


def _p(title: str) -> alt.X:
    return (
        alt.X("p:Q")
        .title(title)
        .scale(domain=PROBABILITY, nice=False)
        .axis(tickCount=5, labelFlush=True)
    )


def objective(title: str, ink: str) -> alt.LayerChart:
    """J along the knob with the tangent where the knob stands.

    Tables: curve, tangent, here, marks (p, objective, and a label for marks), frame.
    """
    x = _p(title)
    y = alt.Y("objective:Q").title("J(θ)").scale(zero=False, nice=False).axis(tickCount=5)
    curve = _table("curve").mark_line(strokeWidth=2.5, color=ink, strokeDash=TRUTH_DASH)
    tangent = _table("tangent").mark_line(strokeWidth=2.5, color=SAMPLED)
    here = _table("here").mark_point(filled=True, size=110, opacity=1, color=SAMPLED)
    marks = _table("marks")
    tooltip = [alt.Tooltip("p:Q", format=".3f"), alt.Tooltip("objective:Q", format=".4f")]
    return (
        _frame(x, y)
        + marks.mark_rule(color=QUIET, strokeDash=[2, 3], aria=False).encode(x)
        + curve.encode(x, y, tooltip=tooltip)
        + tangent.encode(x, y)
        + here.encode(x, y, tooltip=tooltip)
        + marks.mark_text(aria=False, color=QUIET, fontSize=12, align="center", baseline="bottom", dy=-3)
        .encode(x, y=alt.value(0), text="label:N")
    )  # fmt: skip


def same_dice(title: str) -> alt.LayerChart:
    """Returns of the same dice along the knob, and sampled returns where it stands.

    Tables: dice (p, dice, drawn), returns (p, drawn), frame; what is drawn stays inside the frame.
    """
    x = _p(title)
    y = (
        alt.Y("drawn:Q")
        .title("return R(τ) of one episode")
        .scale(zero=False, nice=False)
        .axis(tickCount=5)
    )
    steps = _table("dice").mark_line(strokeWidth=1.8, color=SAMPLED, interpolate="step-after")
    strip = _table("returns").mark_tick(
        orient="horizontal", color=QUIET, opacity=0.35, width=14, thickness=2
    )
    return (
        _frame(x, y)
        + strip.encode(x, y)
        + steps.encode(
            x,
            y,
            alt.Detail("dice:N"),
            alt.StrokeDash("dice:N").scale(range=[[1, 0], [6, 3], [2, 2]]).legend(None),
        )
    )


def two_updates(quantity: str, title: str, ink: str, num_steps: int) -> alt.LayerChart:
    """One quantity over the steps of an ascent with the log and without it.

    Tables: paths (update, step, quantity), ends (the last rows, with a label).
    """
    x = alt.X("step:Q").title("step").scale(domain=[0, num_steps * 1.5], nice=False)
    x = x.axis(values=[0, 20, 40, 60, 80])
    scale = alt.Scale(domain=PROBABILITY) if quantity == "probability" else alt.Scale(zero=False)
    y = alt.Y(f"{quantity}:Q").title(title).scale(scale).axis(tickCount=5)
    return _kept_and_broken("with the log", "log dropped", x, y, ink)


def _kept_and_broken(kept: str, broken: str, x: alt.X, y: alt.Y, ink: str) -> alt.LayerChart:
    paths, ends = _table("paths"), _table("ends")
    is_kept = alt.datum.update == kept
    return (
        paths.transform_filter(is_kept)
        .mark_line(strokeWidth=2.5, color=ink, strokeDash=TRUTH_DASH)
        .encode(x, y)
        + paths.transform_filter(alt.datum.update == broken)
        .mark_line(strokeWidth=2.5, color=BROKEN, strokeDash=BROKEN_DASH)
        .encode(x, y)
        + ends.transform_filter(is_kept)
        .mark_text(align="left", dx=6, fontSize=12, color=ink)
        .encode(x, y, text="label:N")
        + ends.transform_filter(alt.datum.update == broken)
        .mark_text(align="left", dx=6, fontSize=12, color=BROKEN)
        .encode(x, y, text="label:N")
    )


def arrows(ink: str) -> alt.LayerChart:
    """Where each update pushes the probability of every arm.

    Table: arrows (update, arm, start, end).
    """
    y = alt.Y("arm:N").title(None).scale(paddingInner=0.3).axis(grid=True, domain=False)
    offset = alt.YOffset("update:N").sort(["with the log", "log dropped"])
    x = alt.X("start:Q").title("probability of the arm").scale(domain=PROBABILITY).axis(tickCount=5)
    color = (
        alt.Color("update:N")
        .scale(domain=["with the log", "log dropped"], range=[ink, BROKEN])
        .legend(alt.Legend(orient="top", title=None, symbolType="stroke"))
    )
    base = _table("arrows").encode(y, offset, color)
    shaft = base.mark_rule(strokeWidth=2.5).encode(x, alt.X2("end:Q"))
    tail = base.mark_tick(thickness=2, height=9).encode(x)
    head = (
        base.transform_calculate(angle="datum.end > datum.start ? 90 : -90")
        .mark_point(shape="triangle", filled=True, size=80, opacity=1)
        .encode(alt.X("end:Q"), alt.Angle("angle:Q").scale(domain=[-180, 180], range=[-180, 180]))
    )
    return shaft + tail + head


def closing_in(ink: str) -> alt.LayerChart:
    """A mean of samples with its interval as episodes are added, around the exact value.

    Tables: means (num_episodes, mean, low, high, exact), chosen (num_episodes).
    """
    x = alt.X("num_episodes:Q").title("episodes N").scale(type="log", nice=False)
    x = x.axis(values=[10, 100, 1000, 10_000], format="~s")
    y = alt.Y("mean:Q").title("one component of ∇J").scale(zero=False).axis(tickCount=5)
    means = _table("means").encode(x)
    return (
        means.mark_area(opacity=0.22, color=SAMPLED).encode(
            alt.Y("low:Q").title("one component of ∇J").scale(zero=False), alt.Y2("high:Q")
        )
        + means.mark_line(strokeWidth=2.5, color=SAMPLED).encode(
            y, tooltip=["num_episodes:Q", alt.Tooltip("mean:Q", format=".4f")]
        )
        + means.mark_line(strokeWidth=2, color=ink, strokeDash=TRUTH_DASH).encode(
            alt.Y("exact:Q").title("one component of ∇J")
        )
        + _table("chosen").mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
    )


def partial_sums(ink: str) -> alt.LayerChart:
    """Sums of the first k terms, on their way to ∇J. Table: sums (k, partial_sum, exact)."""
    x = alt.X("k:Q").title("terms k").scale(nice=False).axis(tickMinStep=1, tickCount=8)
    y = alt.Y("partial_sum:Q").title("sum of k terms").axis(tickCount=5)
    sums = _table("sums").encode(x)
    return (
        sums.mark_rule(color=SAMPLED, strokeWidth=2, opacity=0.5).encode(y, y2=alt.datum(0))
        + sums.mark_point(filled=True, size=55, opacity=1, color=SAMPLED).encode(
            y, tooltip=["k:Q", alt.Tooltip("partial_sum:Q", format=".6f")]
        )
        + sums.mark_line(strokeWidth=2, color=ink, strokeDash=TRUTH_DASH).encode(
            alt.Y("exact:Q").title("sum of k terms")
        )
    )


def slopes(title: str, ink: str) -> alt.LayerChart:
    """What an update gains along the knob, with γ^t and without.

    Tables: paths (p, update, slope), ends (with a label), here (p), zero (slope).
    """
    x = alt.X("p:Q").title(title).scale(domain=[0, 1.28], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    y = alt.Y("slope:Q").title("push on the logit").axis(tickCount=5)
    return (
        _table("zero").mark_rule(color=QUIET).encode(y)
        + _table("here").mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + _kept_and_broken("with γ^t: ∇J", "γ^t forgotten", x, y, ink)
    )


def curl(first: str, second: str) -> alt.LayerChart:
    """Arrows of a field in a plane of two parameters and the square walked around in it.

    Tables: arrows (x, y, angle, length), square (x, y, corner).
    """
    x = alt.X("x:Q").title(first).scale(domain=[-2.4, 2.4], nice=False).axis(tickCount=5)
    y = alt.Y("y:Q").title(second).scale(domain=[-2.4, 2.4], nice=False).axis(tickCount=5)
    size = alt.Size("length:Q").scale(range=[30, 420], zero=True).legend(None)
    field = (
        _table("arrows")
        .mark_point(shape="arrow", filled=True, color=BROKEN, opacity=0.9, strokeWidth=1.5)
        .encode(x, y, alt.Angle("angle:Q").scale(domain=[0, 360], range=[0, 360]), size)
    )
    square = _table("square").mark_line(color=SAMPLED, strokeWidth=2.5)
    return field + square.encode(x, y, alt.Order("corner:Q"))


UPDATES = ["exact", "sampled", "broken"]


def _racers(ink: str) -> tuple[alt.Color, alt.StrokeDash]:
    color = alt.Color("update:N").scale(domain=UPDATES, range=[ink, SAMPLED, BROKEN]).legend(None)
    dash = (
        alt.StrokeDash("update:N")
        .scale(domain=UPDATES, range=[TRUTH_DASH, [1, 0], BROKEN_DASH])
        .legend(None)
    )
    return color, dash


def race(quantity: str, title: str, ink: str, num_steps: int) -> alt.LayerChart:
    """A quantity over the steps of three ascents.

    Tables: steps (update, step, quantity, and as `drawn` the same inside the frame, with one point
    at its edge where a line leaves), frame.
    """
    color, dash = _racers(ink)
    x = alt.X("step:Q").title("step").scale(domain=[0, num_steps], nice=False)
    x = x.axis(values=[0, 20, 40, 60, 80], labelFlush=True)
    y = alt.Y("drawn:Q").title(title).axis(tickCount=5).scale(zero=False, nice=False)
    tooltip = ["update:N", "step:Q", alt.Tooltip(f"{quantity}:Q", format=".4f")]
    lines = _table("steps").mark_line(strokeWidth=2.5)
    return _frame(x, y) + lines.encode(x, y, color, dash, tooltip=tooltip)


def angles(ink: str, num_steps: int) -> alt.LayerChart:
    """The cosine of each update with ∇J: 1 is straight uphill, below 0 is downhill.

    Tables: steps (update, step, cosine), zero (cosine).
    """
    color, _ = _racers(ink)
    x = alt.X("step:Q").title("step").scale(domain=[0, num_steps], nice=False)
    x = x.axis(values=[0, 20, 40, 60, 80], labelFlush=True)
    y = alt.Y("cosine:Q").title("cosine with ∇J").scale(domain=[-1.05, 1.05], nice=False)
    y = y.axis(values=[-1, 0, 1])
    points = _table("steps").transform_filter("isValid(datum.cosine)")
    shape = (
        alt.Shape("update:N")
        .scale(domain=UPDATES, range=["stroke", "circle", "cross"])
        .legend(None)
    )
    return _table("zero").mark_rule(color=QUIET).encode(y) + points.transform_filter(
        alt.datum.update != "exact"
    ).mark_point(filled=True, size=26, opacity=0.75).encode(x, y, color, shape)


def triangle(ink: str) -> alt.LayerChart:
    """Policies over three actions as points of a triangle: three ascents from one point.

    Tables: steps (update, step, x, y), corners (x, y, label), outline (x, y, order).
    """
    color, dash = _racers(ink)
    x = alt.X("x:Q").scale(domain=[-0.18, 1.18], nice=False).axis(None)
    y = alt.Y("y:Q").scale(domain=[-0.14, 1.0], nice=False).axis(None)
    outline = (
        _table("outline").mark_line(color=QUIET, strokeWidth=1).encode(x, y, alt.Order("order:Q"))
    )
    corners = _table("corners").mark_text(color=QUIET, fontSize=12).encode(x, y, text="label:N")
    lines = (
        _table("steps").mark_line(strokeWidth=2.5).encode(x, y, color, dash, alt.Order("step:Q"))
    )
    start = (
        _table("steps")
        .transform_filter(alt.datum.step == 0)
        .mark_point(filled=True, size=80, color=QUIET, opacity=1)
        .encode(x, y)
    )
    return outline + corners + lines + start


def two_bars(field: str, options: tuple[float, ...], start: int) -> alt.LayerChart:
    """The probabilities of the arms, redrawn while the slider behind `field` moves.

    Table: bars (at: the position of the slider, arm, probability).
    """
    at = alt.param(name="at", value=start, bind=alt.BindDirect(element=field, event="input"))
    base = (
        _table("bars")
        .transform_filter("datum.at == toNumber(at)")
        .encode(
            alt.X("arm:N").title(None).axis(labelAngle=0, labelFontSize=14, ticks=False),
            alt.Y("probability:Q").title("probability π").scale(domain=[0, 1]),
        )
    )
    bars = base.mark_bar(size=90, color=SAMPLED, cornerRadiusEnd=4).add_params(at)
    labels = base.mark_text(dy=-10, fontSize=16, fontWeight=600).encode(
        alt.Text("probability:Q", format=".2f")
    )
    return bars + labels
