"""Charts of the theorem page, each a constant specification over named tables.

Domains come from a table `frame` of two invisible points, so that nothing jumps while a knob is
turned; `ink` is the colour of the exact truth, black on light and white on dark.
"""

import altair as alt

from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, QUIET, TRUTH_DASH

SAMPLED = COLOR["reinforce"]
PROBABILITY = [0, 1]
EDGE = 44  # pixels left of the plot, so that two pictures above each other share their steps


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _frame(x: alt.X, y: alt.Y) -> alt.Chart:
    return _table("frame").mark_point(opacity=0, size=0).encode(x, y)


def _p(title: str) -> alt.X:
    return alt.X("p:Q").title(title).scale(domain=PROBABILITY, nice=False).axis(tickCount=5)


def objective(title: str, ink: str) -> alt.LayerChart:
    """J along the knob with the tangent where the knob stands.

    Tables: curve, tangent, here, marks (p, objective, and a label for marks), frame.
    """
    x = _p(title)
    y = alt.Y("objective:Q").title("average return").scale(zero=False, nice=False)
    y = y.axis(tickCount=5)
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


def two_bars(field: str, start: int, ink: str) -> alt.LayerChart:
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
    labels = base.mark_text(dy=-10, fontSize=16, fontWeight=600, color=ink).encode(
        alt.Text("probability:Q", format=".2f")
    )
    return bars + labels


# --- the steps of the page: one picture each; `field` is the slider that redraws it ---

SLOPE = alt.Axis(values=[-1, -0.5, 0, 0.5, 1], format="~g", grid=False)
CHOSEN, OTHERS = COLOR["reinforce"], QUIET
POLICY_COLOR, WORLD_COLOR = COLOR["reinforce"], COLOR["full-return"]


def live(field: str, start: int) -> alt.Parameter:
    """The position of a slider, as it moves."""
    return alt.param(name="at", value=start, bind=alt.BindDirect(element=field, event="input"))


HERE = "datum.at == toNumber(at)"


def averages(field: str, start: int, ink: str, unit: str) -> alt.LayerChart:
    """The average return of N draws with the same dice, and J.

    Tables: draws (at: position of N, theta, average), curve (theta, objective), ends (label), frame.
    """
    x = alt.X("theta:Q").title("θ").scale(nice=False).axis(tickCount=7, format="~g")
    y = alt.Y("average:Q").title(unit).scale(zero=False, nice=False).axis(tickCount=5)
    drawn = (
        _table("draws")
        .transform_filter(HERE)
        .mark_line(strokeWidth=2.2, color=SAMPLED, interpolate="step-after")
        .encode(x, y)
        .add_params(live(field, start))
    )
    exact = _table("curve").mark_line(strokeWidth=2.5, color=ink, strokeDash=TRUTH_DASH)
    ends = _table("ends").mark_text(align="right", dy=18, fontSize=14, color=ink)
    return (
        _frame(x, y)
        + drawn
        + exact.encode(x, alt.Y("objective:Q"))
        + ends.encode(x, alt.Y("objective:Q"), text="label:N")
    )


COLUMNS = ("P", "R", "∇P", "R ∇P")


def product_table(field: str, start: int, ink: str) -> alt.LayerChart:
    """A table that follows the slider. Table: cells (at, row, column, text, strong)."""
    base = (
        _table("cells")
        .transform_filter(HERE)
        .encode(
            alt.X("column:N")
            .sort([*COLUMNS])
            .scale(domain=[*COLUMNS])
            .title(None)
            .axis(orient="top", labelAngle=0, labelFontSize=15, ticks=False, domain=False),
            alt.Y("row:N")
            .sort(None)
            .title(None)
            .axis(labelFontSize=15, ticks=False, domain=False, grid=False),
        )
    )
    plain = (
        base.transform_filter("!datum.strong")
        .mark_text(fontSize=16, color=ink)
        .encode(text="text:N")
        .add_params(live(field, start))
    )
    strong = (
        base.transform_filter("datum.strong")
        .mark_text(fontSize=16, fontWeight=700, color=SAMPLED)
        .encode(text="text:N")
    )
    return plain + strong


def slope_of_j(field: str, start: int, ink: str) -> alt.LayerChart:
    """J with its tangent where the slider stands. Tables: curve (at, theta, objective, slope)."""
    x = alt.X("theta:Q").title("θ").scale(nice=False).axis(tickCount=7, format="~g")
    y = alt.Y("objective:Q").title("J(θ)").scale(zero=False, nice=False).axis(tickCount=4)
    table = _table("curve")
    here = table.transform_filter(HERE)
    exact = table.mark_line(strokeWidth=2.5, color=ink, strokeDash=TRUTH_DASH).encode(x, y)
    tangent = (
        here.transform_calculate(
            left="datum.theta - 1.2",
            right="datum.theta + 1.2",
            low="datum.objective - 1.2 * datum.slope",
            high="datum.objective + 1.2 * datum.slope",
        )
        .mark_rule(strokeWidth=2.5, color=SAMPLED, clip=True)
        .encode(
            alt.X("left:Q").title("θ"),
            alt.Y("low:Q").title("J(θ)"),
            alt.X2("right:Q"),
            alt.Y2("high:Q"),
        )
        .add_params(live(field, start))
    )
    point = here.mark_point(filled=True, size=110, opacity=1, color=SAMPLED).encode(x, y)
    label = here.mark_text(align="left", dx=12, dy=16, fontSize=14, color=SAMPLED).encode(
        x, y, text=alt.Text("slope:Q", format="+.3f")
    )
    return exact + tangent + point + label


def two_ascents(field: str, start: int, ink: str, num_steps: int) -> alt.LayerChart:
    """The probability of arm 1 along two ascents from the start that the slider sets.

    Tables: paths (at, update, step, probability), guess (step, probability, label).
    """
    x = alt.X("step:Q").title("steps of size 1 in θ")
    x = x.scale(domain=[0, num_steps * 1.32], nice=False).axis(values=[0, 20, 40, 60, 80])
    y = alt.Y("probability:Q").title("probability of arm 1").scale(domain=[-0.04, 1.04])
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f")
    names = ["slope of J", "sampled R ∇P"]
    color = alt.Color("update:N").scale(domain=names, range=[ink, BROKEN]).legend(None)
    dash = alt.StrokeDash("update:N").scale(domain=names, range=[TRUTH_DASH, BROKEN_DASH])
    here = _table("paths").transform_filter(HERE)
    lines = here.mark_line(strokeWidth=3).encode(x, y, color, dash.legend(None))
    ends = here.transform_filter(f"datum.step == {num_steps}").transform_calculate(
        label="datum.update == 'slope of J' ? 'slope of J' : '✗ sampled R ∇P'"
    )
    labels = ends.mark_text(align="left", dx=8, fontSize=14).encode(x, y, color, text="label:N")
    guess = _table("guess")
    return (
        lines.add_params(live(field, start))
        + labels
        + guess.mark_point(shape="diamond", filled=True, size=130, color=QUIET, opacity=1).encode(x, y)
        + guess.mark_text(align="left", dx=10, fontSize=13, color=QUIET).encode(
            x, y, text="label:N"
        )
    )  # fmt: skip


def divided_bars(field: str, start: int, ink: str) -> alt.LayerChart:
    """∇P and ∇P / P of every arm. Tables: bars (at, arm, quantity, size, label), zero (size).

    The name of an arm stands at the zero line, on the side where it has no bars.
    """
    names = ["∇P", "∇P / P"]
    base = (
        _table("bars")
        .transform_filter(HERE)
        .encode(
            alt.X("arm:N").title(None).axis(labels=False, ticks=False, domain=False),
            alt.XOffset("quantity:N").sort(names),
            alt.Y("size:Q").title("slope in θ").scale(domain=[-1.12, 1.12]).axis(SLOPE),
        )
    )
    color = alt.Color("quantity:N").scale(domain=names, range=[OTHERS, SAMPLED]).legend(None)
    bars = base.mark_bar(cornerRadiusEnd=4).encode(color).add_params(live(field, start))
    up = base.transform_filter("datum.size >= 0").mark_text(
        dy=-11, fontSize=15, fontWeight=600, color=ink
    )
    down = base.transform_filter("datum.size < 0").mark_text(
        dy=13, fontSize=15, fontWeight=600, color=ink
    )
    zero = _table("zero").mark_rule(color=QUIET).encode(alt.Y("size:Q"))
    written = zero + bars + up.encode(text="label:N") + down.encode(text="label:N")
    for side, dy in ((">", 18), ("<", -16)):
        names_at = _table("bars").transform_filter(HERE)
        names_at = names_at.transform_filter(
            f"datum.quantity == '{names[0]}' && datum.size {side} 0"
        )
        written += names_at.mark_text(fontSize=15, color=QUIET, dy=dy).encode(
            alt.X("arm:N"), alt.YDatum(0), text="arm:N"
        )
    return written


def mean_of_samples(field: str, start: int, ink: str) -> alt.LayerChart:
    """A mean of N samples with its 95 % interval, on its way to the exact slope.

    Tables: means (num, mean, low, high, exact; inside the frame), marks (at, num, mean), frame
    (num, mean), ends (num, exact, label).
    """
    x = alt.X("num:Q").title("samples N, log scale").scale(type="log", nice=False)
    x = x.axis(values=[10, 100, 1000, 10_000], format="~s")
    y = alt.Y("mean:Q").title("slope").scale(zero=False, nice=False).axis(tickCount=6)
    means = _table("means")
    band = means.mark_area(opacity=0.2, color=SAMPLED, clip=True).encode(
        x, alt.Y("low:Q"), alt.Y2("high:Q")
    )
    line = means.mark_line(strokeWidth=2.5, color=SAMPLED, clip=True).encode(
        x, y, tooltip=["num:Q", alt.Tooltip("mean:Q", format=".4f")]
    )
    exact = means.mark_line(strokeWidth=2.2, color=ink, strokeDash=TRUTH_DASH).encode(
        x, alt.Y("exact:Q")
    )
    here = _table("marks").transform_filter(HERE)
    zero = _table("zero").mark_rule(color=QUIET, strokeWidth=1).encode(alt.Y("mean:Q"))
    return (
        _frame(x, y)
        + zero
        + band
        + line
        + exact
        + here.mark_rule(color=QUIET, strokeDash=[2, 3])
        .encode(alt.X("num:Q"))
        .add_params(live(field, start))
        + here.mark_rule(color=SAMPLED, strokeWidth=4, opacity=0.8, clip=True).encode(
            x, alt.Y("low:Q"), alt.Y2("high:Q")
        )
        + here.mark_point(filled=True, size=120, color=SAMPLED, opacity=1, clip=True).encode(x, y)
        + _table("ends")
        .mark_text(align="left", dx=8, dy=-9, fontSize=14, color=ink)
        .encode(x, alt.Y("exact:Q"), text="label:N")
    )


def score_bars(ink: str) -> alt.LayerChart:
    """1[a = b] − π(b) of every arm. Tables: scores (arm, size, label, chosen), zero."""
    base = _table("scores").encode(
        alt.X("arm:N").title(None).axis(labels=False, ticks=False, domain=False),
        alt.Y("size:Q")
        .title("score")
        .scale(domain=[-1.3, 1.3])
        .axis(values=[-1, 0, 1], format="~g", grid=False, minExtent=EDGE),
    )
    color = alt.Color("chosen:N").scale(domain=[True, False], range=[CHOSEN, OTHERS]).legend(None)
    up, down = "datum.size >= 0", "datum.size < 0"
    return (
        _table("zero").mark_rule(color=QUIET).encode(alt.Y("size:Q"))
        + base.mark_bar(size=70, cornerRadiusEnd=4).encode(color)
        + base.transform_filter(up)
        .mark_text(dy=-11, fontSize=15, fontWeight=600, color=ink)
        .encode(text="label:N")
        + base.transform_filter(down)
        .mark_text(dy=13, fontSize=15, fontWeight=600, color=ink)
        .encode(text="label:N")
    )


def moved_policy(field: str, start: int, ink: str) -> alt.LayerChart:
    """π before a step along a score (a line) and after it (a bar), both written above.

    Table: policies (at, arm, before, after).
    """
    base = (
        _table("policies")
        .transform_filter(HERE)
        .encode(
            alt.X("arm:N").title(None).axis(labelAngle=0, labelFontSize=15, ticks=False),
        )
    )
    y = alt.Y("after:Q").title("probability π").scale(domain=[0, 1.3])
    y = y.axis(values=[0, 0.5, 1], format="~g", minExtent=EDGE)
    return (
        base.mark_bar(size=70, color=SAMPLED, cornerRadiusEnd=4)
        .encode(y)
        .add_params(live(field, start))
        + base.mark_tick(thickness=3, size=92, color=ink).encode(
            alt.Y("before:Q").title("probability π")
        )
        + base.transform_calculate(
            moves="format(datum.before, '.2f') + ' → ' + format(datum.after, '.2f')"
        )
        .mark_text(fontSize=15, fontWeight=600, color=ink)
        .encode(alt.YDatum(1.16), text="moves:N")
    )


def episode_path(field: str, start: int, ink: str, num_steps: int, rungs: int) -> alt.LayerChart:
    """One episode on the ladder, with the two factors of each of its steps.

    Tables: moves (step, rung, next_step, next_rung, action), nodes (step, rung, paid), factors
    (at, step, part, text), product (at, text).
    """
    x = alt.X("step:Q").title("step t").scale(domain=[-0.3, num_steps + 0.3], nice=False)
    x = x.axis(values=list(range(num_steps + 1)), format="d", grid=False, orient="top")
    y = alt.Y("rung:Q").title("rung").scale(domain=[-1.9, rungs - 0.65], nice=False)
    y = y.axis(values=list(range(rungs)), format="d")
    moves, nodes = _table("moves"), _table("nodes")
    shaft = moves.mark_rule(strokeWidth=2, color=ink).encode(
        x, y, alt.X2("next_step:Q"), alt.Y2("next_rung:Q")
    )
    names = (
        moves.transform_calculate(middle="datum.step + .5")
        .mark_text(fontSize=14, color=ink)
        .encode(alt.X("middle:Q"), alt.YDatum(-0.45), text="action:N")
    )
    dots = nodes.mark_point(size=150, filled=True, opacity=1, stroke=ink, strokeWidth=1.6).encode(
        x,
        y,
        alt.Fill("paid:N").scale(domain=[True, False], range=[ink, QUIET]).legend(None),
    )
    factors = _table("factors").transform_filter(HERE).transform_calculate(middle="datum.step + .5")
    color = (
        alt.Color("part:N")
        .scale(domain=["policy", "world"], range=[POLICY_COLOR, WORLD_COLOR])
        .legend(None)
    )
    written = factors.transform_calculate(line="datum.part == 'policy' ? -0.8 : -1.15").mark_text(
        fontSize=16, fontWeight=600
    )
    product = _table("product").transform_filter(HERE)
    return (
        shaft
        + names
        + dots
        + written.encode(alt.X("middle:Q"), alt.Y("line:Q"), color, text="text:N").add_params(
            live(field, start)
        )
        + product.mark_text(fontSize=16, align="left", color=ink, fontWeight=600).encode(
            x=alt.datum(-0.15), y=alt.datum(-1.6), text="text:N"
        )
        + _table("labels").mark_text(fontSize=13, align="left").encode(
            x=alt.datum(-0.28), y=alt.Y("line:Q"), color=color, text="text:N"
        )
    )  # fmt: skip


def logs_of_factors(field: str, start: int) -> alt.LayerChart:
    """The log of every factor of an episode. Table: terms (at, step, part, log)."""
    return _terms(field, start, "log", "log")


def slopes_of_factors(field: str, start: int) -> alt.LayerChart:
    """The slope of each of these logs. Table: terms (at, step, part, slope, slope_label)."""
    return _terms(field, start, "slope", "slope in θ")


def _terms(field: str, start: int, quantity: str, title: str) -> alt.LayerChart:
    x = alt.X("step:O").title("step t" if quantity == "slope" else None)
    x = x.axis(labelAngle=0, labelFontSize=13, ticks=False, domain=False)
    domain = [-1.25, 1.25] if quantity == "slope" else [-3.6, 0]
    y = alt.Y(f"{quantity}:Q").title(title).scale(domain=domain, nice=False)
    y = y.axis(values=[-1, 0, 1] if quantity == "slope" else [-3, -2, -1, 0], minExtent=EDGE)
    parts = ["policy", "world"]
    colors = alt.Scale(domain=parts, range=[POLICY_COLOR, WORLD_COLOR])
    color = alt.Color("part:N", legend=None).scale(colors)
    offset = alt.XOffset("part:N").sort(parts)
    base = _table("terms").transform_filter(HERE).encode(x, offset, y, color)
    hollow = alt.FillOpacity("part:N", legend=None).scale(domain=parts, range=[1, 0.15])
    stroke = alt.Stroke("part:N", legend=None).scale(colors)
    bars = base.mark_bar(clip=True, strokeWidth=1.5).encode(hollow, stroke)
    bars = bars.add_params(live(field, start))
    text = f"{quantity}_label:N"
    up = base.transform_filter(f"datum.{quantity} >= 0").mark_text(dy=-9, fontSize=13)
    down = base.transform_filter(f"datum.{quantity} < 0").mark_text(dy=11, fontSize=13)
    if quantity == "log":
        return bars
    return bars + down.encode(text=text) + up.encode(text=text)


def credit(ink: str, steps: int, signed: bool) -> alt.LayerChart:
    """One number for every pair: action at step t, reward at step u.

    Tables: pairs (t, u, value, size, dropped, text), stairs (u, t, order), names (u, t, label).
    """
    axis = alt.Axis(
        values=[k + 0.5 for k in range(steps)],
        labelExpr="datum.value - 0.5",
        grid=False,
        ticks=False,
        domain=False,
        labelAngle=0,
        labelFontSize=13,
    )
    scale = alt.Scale(domain=[0, steps], nice=False)
    x = alt.X("u:Q", scale=scale, axis=axis).title("reward of step u")
    y = alt.Y("t:Q", axis=axis, scale=alt.Scale(domain=[steps, 0], nice=False))
    y = y.title("action of step t")
    base = _table("pairs").transform_calculate(
        u_end="datum.u + 1", t_end="datum.t + 1", u_mid="datum.u + .5", t_mid="datum.t + .5"
    )
    cells = base.mark_rect(color=SAMPLED, stroke=QUIET, strokeWidth=0.4).encode(
        x,
        y,
        alt.X2("u_end:Q"),
        alt.Y2("t_end:Q"),
        alt.FillOpacity("size:Q", legend=None).scale(domain=[0, 1], range=[0, 0.75]),
        tooltip=["t:Q", "u:Q", alt.Tooltip("value:Q", format=".4f")],
    )
    middle = {"x": alt.X("u_mid:Q"), "y": alt.Y("t_mid:Q")}
    numbers = base.transform_filter("!datum.dropped").mark_text(fontSize=14, color=ink)
    gone = base.transform_filter("datum.dropped").mark_text(
        text="×", fontSize=15, color=QUIET, opacity=0.8
    )
    stairs = (
        _table("stairs")
        .mark_line(color=WORLD_COLOR, strokeWidth=3)
        .encode(x, y, alt.Order("order:Q"))
    )
    return cells + numbers.encode(**middle, text="text:N") + gone.encode(**middle) + stairs


def two_sides(ink: str, named: bool = False) -> alt.LayerChart:
    """The numbers on both sides of a line: a short bar for the left, a point for the right.

    Tables: sides (place, left, right, same, low, high, and a name where they are `named`), zero
    (left). A name is broken before its " in ".
    """
    x = alt.X("place:O").title(None).axis(labels=False, ticks=False, domain=False)
    if named:
        x = alt.X("name:N").sort(None).title(None)
        lines = "split(replace(datum.label, ' in ', '\\n'), '\\n')"
        x = x.axis(labelAngle=0, labelExpr=lines, labelLimit=90, ticks=False, domain=False)
    y = alt.Y("left:Q").title("both sides").scale(zero=True, padding=16).axis(tickCount=4)
    right = alt.Y("right:Q").title("both sides")
    base = _table("sides").encode(x)
    left = base.mark_tick(thickness=2.5, size=18, color=ink).encode(y)
    interval = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2, color=SAMPLED)
    good = base.transform_filter("datum.same").mark_point(
        filled=True, size=60, color=SAMPLED, opacity=1
    )
    bad = base.transform_filter("!datum.same").mark_point(
        shape="M-1,-1L1,1M-1,1L1,-1", size=70, strokeWidth=2.5, color=BROKEN, opacity=1
    )
    return (
        _table("zero").mark_rule(color=QUIET, strokeWidth=1).encode(alt.Y("left:Q"))
        + interval.encode(alt.Y("low:Q"), alt.Y2("high:Q"))
        + left
        + good.encode(right, tooltip=["left:Q", "right:Q"])
        + bad.encode(right, tooltip=["left:Q", "right:Q"])
    )


def unrolled_sums(ink: str) -> alt.LayerChart:
    """Sums of the first k terms on their way to the exact slope; broken ones in red.

    Tables: sums (k, partial_sum, broken), exact (partial_sum), ends (k, partial_sum, label).
    """
    x = alt.X("k:Q").title("terms k").scale(nice=False).axis(tickMinStep=1, tickCount=8)
    y = alt.Y("partial_sum:Q").title("sum of the first k terms").scale(zero=False)
    y = y.axis(tickCount=5)
    sums = _table("sums")
    color = alt.Color("broken:N").scale(domain=[False, True], range=[SAMPLED, BROKEN]).legend(None)
    dash = alt.StrokeDash("broken:N").scale(domain=[False, True], range=[[1, 0], BROKEN_DASH])
    shape = alt.Shape("broken:N").scale(domain=[False, True], range=["circle", "cross"])
    exact = _table("exact")
    return (
        exact.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.2).encode(y)
        + sums.mark_line(strokeWidth=2, interpolate="step-after").encode(
            x, y, color, dash.legend(None)
        )
        + sums.mark_point(filled=True, size=80, opacity=1).encode(
            x, y, color, shape.legend(None), tooltip=["k:Q", alt.Tooltip("partial_sum:Q", format=".4f")]
        )
        + _table("ends").mark_text(align="left", dx=6, dy=-11, fontSize=14, color=ink).encode(
            x, y, text="label:N"
        )
    )  # fmt: skip


def climbers(ink: str, num_steps: int) -> alt.LayerChart:
    """J along three ascents, named at their ends. Tables: steps (as in `race`), frame, ends."""
    color, dash = _racers(ink)
    x = alt.X("step:Q").title(None).scale(domain=[0, num_steps * 1.25], nice=False)
    x = x.axis(values=[0, 20, 40, 60, 80])
    y = alt.Y("drawn:Q").title("J(θ), exact").scale(zero=False, nice=False)
    y = y.axis(tickCount=5, minExtent=EDGE)
    tooltip = ["update:N", "step:Q", alt.Tooltip("objective:Q", format=".4f")]
    lines = _table("steps").mark_line(strokeWidth=2.5).encode(x, y, color, dash, tooltip=tooltip)
    labels = (
        _table("ends")
        .mark_text(align="left", dx=8, fontSize=14)
        .encode(x, y, color, text="label:N")
    )
    return _frame(x, y) + lines + labels


def cosines(ink: str, num_steps: int) -> alt.LayerChart:
    """Whether each step points uphill. Tables: steps (update, step, cosine), zero."""
    color, _ = _racers(ink)
    x = alt.X("step:Q").title("step").scale(domain=[0, num_steps * 1.25], nice=False)
    x = x.axis(values=[0, 20, 40, 60, 80])
    y = alt.Y("cosine:Q").title("uphill").scale(domain=[-1.4, 1.4], nice=False)
    y = y.axis(values=[-1, 0, 1], minExtent=EDGE)
    shown = _table("zero").mark_rule(color=QUIET).encode(y)
    for name, shape, aside in (("sampled", "circle", -3), ("broken", "cross", 3)):
        points = _table("steps").transform_filter(
            f"isValid(datum.cosine) && datum.update == '{name}'"
        )
        # A little above and below their place, so that neither covers the other.
        shown += points.mark_point(
            filled=True, size=26, opacity=0.75, shape=shape, yOffset=aside
        ).encode(x, y, color)
    return shown


def with_and_without(field: str, start: int, ink: str, action: str) -> alt.LayerChart:
    """The slope along one θ with γ^t and the update without it, against p, as γ moves.

    Tables: paths (at, p, update, slope), ends (at, p, slope, update, label), zero.
    """
    x = (
        _p(f"p: probability of {action}")
        .scale(domain=[0, 1.2])
        .axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f")
    )
    y = alt.Y("slope:Q").title("slope in θ").axis(tickCount=6)
    names = ["with γᵗ", "without γᵗ"]
    color = alt.Color("update:N").scale(domain=names, range=[ink, BROKEN]).legend(None)
    dash = alt.StrokeDash("update:N").scale(domain=names, range=[TRUTH_DASH, BROKEN_DASH])
    lines = _table("paths").transform_filter(HERE).mark_line(strokeWidth=3)
    ends = _table("ends").transform_filter(HERE).mark_text(align="left", dx=8, fontSize=14)
    return (
        _table("zero").mark_rule(color=QUIET).encode(y)
        + lines.encode(x, y, color, dash.legend(None)).add_params(live(field, start))
        + ends.encode(x, y, color, text="label:N")
    )
