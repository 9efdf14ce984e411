"""Charts of noise: the cloud of estimates, what a baseline does to it, and who is credited.

Each is a constant specification over named tables. `ink` is the colour of the exact truth: black
on the light page, white on the dark one.
"""

from typing import Any

import altair as alt

from pgviz.charts.theme import BROKEN, COLOR, DASH, INK, QUIET, TRUTH_DASH

METHOD = COLOR | {"constant": COLOR["baseline"]}
METHOD_DASH = DASH | {"constant": [2, 2]}
SHAPE = {
    "full-return": "circle",
    "reinforce": "square",
    "constant": "triangle-up",
    "baseline": "diamond",
    "actor-critic": "triangle-down",
    "gae": "cross",
}
SHORT = "format(datum.value, '~s')"
PAPER = {INK["light"]: "#ffffff", INK["dark"]: "#171614"}  # the page behind each ink


def _by_method(field: str = "name") -> alt.Color:
    names = list(METHOD)
    return alt.Color(
        f"{field}:N", legend=None, scale=alt.Scale(domain=names, range=[METHOD[n] for n in names])
    )


def _dash_by_method() -> alt.StrokeDash:
    names = list(METHOD_DASH)
    scale = alt.Scale(domain=names, range=[METHOD_DASH[n] for n in names])
    return alt.StrokeDash("name:N", legend=None, scale=scale)


def _shape_by_method() -> alt.Shape:
    scale = alt.Scale(domain=list(SHAPE), range=list(SHAPE.values()))
    return alt.Shape("name:N", legend=None, scale=scale)


# --- the steps: a slider redraws its chart while it moves ---

LETTERS = 14
HEADROOM = 1.25  # above a cloud, for its labels
CROSS = "M-1,-1L1,1M-1,1L1,-1"
HERE = "datum.at == toNumber(at)"


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _live(field: str, start: float, name: str = "at") -> alt.Parameter:
    """The position of a slider, as its thumb moves."""
    return alt.param(name=name, value=start, bind=alt.BindDirect(element=field, event="input"))


def _arrow_to_truth(ink: str, x: alt.X, y: alt.Y) -> alt.LayerChart:
    """∇J as an arrow from the origin to where two lines cross. Table: truth (along, across, zero)."""
    truth = _table("truth")
    words: dict[str, Any] = {"fontSize": LETTERS, "align": "right", "dx": -7, "dy": 10}
    words |= {"fontWeight": "bold", "text": "∇J, exact"}
    cross = truth.mark_rule(color=QUIET, strokeWidth=1, opacity=0.5)
    top = alt.value(0)
    return (
        cross.encode(alt.Y("across:Q"))
        + cross.encode(alt.X("zero:Q"))
        + truth.mark_rule(color=ink, strokeWidth=1.2, strokeDash=TRUTH_DASH).encode(x)
        + truth.mark_rule(color=ink, strokeWidth=2.5, strokeDash=TRUTH_DASH).encode(
            alt.X("zero:Q"), alt.X2("along:Q"), alt.Y("across:Q")
        )
        + truth.mark_text(
            color=PAPER[ink], stroke=PAPER[ink], strokeWidth=5, strokeJoin="round", aria=False,
            **words,
        ).encode(x, y=top)
        + truth.mark_text(color=ink, **words).encode(x, y=top)
    )  # fmt: skip


def scatter(
    field: str, start: int, ink: str, weight: str, middle: float, reach: tuple[float, float]
) -> alt.LayerChart:
    """Estimates of N episodes as dots around ∇J, and their mean as a cross, as N moves.

    Tables: dots (at, along, across), centre (the same), truth (along, across, zero).
    """
    color = COLOR["full-return" if weight == "full return" else "reinforce"]
    x = alt.X("along:Q").title("along ∇J")
    x = x.scale(domain=[middle - reach[0], middle + reach[0]], nice=False)
    y = alt.Y("across:Q").title("at a right angle to it")
    y = y.scale(domain=[-reach[1], HEADROOM * reach[1]], nice=False)
    dots = _table("dots").transform_filter(HERE)
    centre = _table("centre").transform_filter(HERE)
    return (
        dots.mark_circle(size=40, opacity=0.42, color=color, clip=True)
        .encode(x, y)
        .add_params(_live(field, start))
        + _arrow_to_truth(ink, x, y)
        + centre.mark_point(shape="cross", filled=True, size=230, color=PAPER[ink], opacity=1)
        .encode(x, y)
        + centre.mark_point(shape="cross", filled=True, size=120, color=color, opacity=1).encode(
            x,
            y,
            tooltip=[alt.Tooltip("along:Q", format=".3f"), alt.Tooltip("across:Q", format=".3f")],
        )
    )  # fmt: skip


def errors_of_n(field: str, start: int, ink: str) -> alt.LayerChart:
    """The distance of ĝ from ∇J against N, on log axes: exact lines, measured points.

    Tables: lines (name, num, error), measured (name, num, error), here (at, name, num, error,
    label), ends (name, num, error, label), guide (num, error, label).
    """
    x = (
        alt.X("num:Q")
        .title("episodes N, log axis")
        .scale(type="log", domain=[1, 20_000], nice=False)
    )
    x = x.axis(values=[1, 10, 100, 1000], format="~s")
    y = alt.Y("error:Q").title("distance of ĝ from ∇J (root mean square)")
    y = y.scale(type="log", domain=[0.05, 6], nice=False).axis(
        values=[0.1, 0.2, 0.5, 1, 2, 5], format="~g"
    )
    here = _table("here").transform_filter(HERE)
    guide = _table("guide")
    return (
        guide.mark_line(color=ink, strokeDash=TRUTH_DASH, strokeWidth=1.6, clip=True).encode(x, y)
        + guide.transform_filter("isValid(datum.label)")
        .mark_text(align="right", dx=-8, dy=12, fontSize=LETTERS, color=ink)
        .encode(x, y, text="label:N")
        + _table("lines").mark_line(strokeWidth=2.5, clip=True)
        .encode(x, y, _by_method(), _dash_by_method())
        .add_params(_live(field, start))
        + _table("measured").mark_point(size=90, strokeWidth=2, opacity=1)
        .encode(x, y, _by_method(), _shape_by_method(), tooltip=["num:Q", alt.Tooltip("error:Q", format=".3f")])
        + here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + here.mark_point(filled=True, size=150, opacity=1).encode(x, y, _by_method())
        + here.transform_filter("datum.name == 'full-return'")
        .mark_text(align="left", dx=10, dy=-12, fontSize=LETTERS, fontWeight="bold")
        .encode(x, y, _by_method(), text="label:N")
        + here.transform_filter("datum.name == 'reinforce'")
        .mark_text(align="right", dx=-10, dy=14, fontSize=LETTERS, fontWeight="bold")
        .encode(x, y, _by_method(), text="label:N")
        + _table("ends").mark_text(align="left", dx=8, fontSize=LETTERS, fontWeight="bold")
        .encode(x, y, _by_method(), text="label:N")
    )  # fmt: skip


def seesaw(
    field: str, start: int, ink: str, low: float, high: float, exact: float
) -> alt.LayerChart:
    """The two estimates that two arms can give, and their mean, which stays on ∇J.

    One row per setting. Tables: estimates (at, row, x, share, label, up), rows (at, row, name,
    noise), guess (x, text). `at` is −1 in rows that stay.
    """
    x = (
        alt.X("x:Q")
        .title("ĝ along θ₁, from one draw (along θ₂ the opposite)")
        .scale(domain=[low, high], nice=False)
    )
    x = x.axis(tickCount=7)
    y = alt.Y("row:Q").scale(domain=[-0.62, 1.62], nice=False).axis(None)
    shown = f"datum.at == -1 || {HERE}"
    dots = _table("estimates").transform_filter(shown)
    rows = _table("rows").transform_filter(shown)
    size = alt.Size("share:Q", legend=None).scale(domain=[0, 1], range=[0, 1500])
    words: dict[str, Any] = {"fontSize": LETTERS, "color": ink}
    return (
        rows.mark_rule(color=QUIET, strokeWidth=1).encode(y)
        + alt.Chart(alt.NamedData("truth"))
        .mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.2)
        .encode(x)
        + alt.Chart(alt.NamedData("truth"))
        .mark_text(color=ink, fontSize=LETTERS, fontWeight="bold", align="left", dx=6, dy=10)
        .encode(x, y=alt.value(0), text="label:N")
        + dots.mark_circle(opacity=0.75, color=COLOR["reinforce"])
        .encode(x, y, size)
        .add_params(_live(field, start))
        + dots.transform_filter("datum.up").mark_text(align="left", dx=5, dy=-26, **words)
        .encode(x, y, text="label:N")
        + dots.transform_filter("!datum.up").mark_text(align="right", dx=-5, dy=28, **words)
        .encode(x, y, text="label:N")
        + rows.mark_text(align="left", fontSize=LETTERS, dy=-52, color=ink)
        .encode(x=alt.value(6), y=y, text="name:N")
        + rows.mark_text(align="right", fontSize=LETTERS, fontWeight="bold", dy=-52, color=ink)
        .encode(x=alt.value("width"), y=y, text="noise:N")
        + _table("guess").mark_text(color=QUIET, fontSize=LETTERS, align="left", dx=8)
        .encode(x, y=y, text="text:N")
    )  # fmt: skip


def drag_b(
    field: str,
    start: int,
    ink: str,
    options: tuple[float, float],
    wide: tuple[float, float],
    high: float,
    flat: bool,
) -> alt.LayerChart:
    """The cloud under a baseline b: a dot is its place without one, minus b times its scores.

    options: the lowest b and the step between two positions of the slider. Tables: dots (x, y, sx,
    sy), centre (the same: their mean), truth (along, across, zero), parabola (least, steep, best,
    none). `flat`: the estimates lie on a line, and the height only parts the dots.
    """
    low, step = options
    b = f"({low} + {step} * toNumber(at))"
    color = COLOR["baseline"]
    x = alt.X("along:Q").title("along ∇J")
    x = x.scale(domain=wide, nice=False).axis(tickCount=8)
    y = alt.Y("across:Q").scale(domain=[-high, HEADROOM * high], nice=False)
    y = (
        y.title(None).axis(labels=False, ticks=False, grid=False, domain=False)
        if flat
        else y.title("at a right angle to it").axis(tickCount=6)
    )

    def moved(table: str) -> alt.Chart:
        return _table(table).transform_calculate(
            along=f"datum.x - {b} * datum.sx", across=f"datum.y - {b} * datum.sy"
        )

    without = _table("centre").transform_calculate(along="datum.x", across="datum.y")
    numbers = _table("parabola").transform_calculate(
        noise=f"datum.least + datum.steep * pow({b} - datum.best, 2)",
        text=f"'noise of one episode ' + format(datum.noise, '.2f') + ' with b = ' + format({b}, '.1f')",
        plain="format(datum.none, '.2f') + ' without b'",
    )
    words: dict[str, Any] = {"fontSize": LETTERS + 1, "fontWeight": "bold", "align": "right"}
    halo: dict[str, Any] = {"color": PAPER[ink], "stroke": PAPER[ink], "strokeWidth": 6}
    halo |= {"strokeJoin": "round", "aria": False}
    right = alt.value("width")
    return (
        _table("dots")
        .transform_calculate(along="datum.x", across="datum.y")
        .mark_point(size=34, opacity=0.5, strokeWidth=1, color=QUIET, clip=True)
        .encode(x, y)
        .add_params(_live(field, start))
        + moved("dots").mark_circle(size=44, opacity=0.6, color=color, clip=True).encode(x, y)
        + _arrow_to_truth(ink, x, y)
        + without.mark_point(shape="cross", filled=True, size=420, color=PAPER[ink], opacity=1)
        .encode(x, y)
        + moved("centre")
        .mark_point(shape="cross", filled=True, size=230, color=PAPER[ink], opacity=1).encode(x, y)
        + moved("centre")
        .mark_point(shape="cross", filled=True, size=120, color=color, opacity=1).encode(x, y)
        + without.mark_point(shape="cross", size=330, strokeWidth=2, color=QUIET, opacity=1)
        .encode(x, y)
        + numbers.mark_text(dy=10, **halo, **words)
        .encode(x=right, y=alt.value(0), text="text:N")
        + numbers.mark_text(dy=30, **halo, **words)
        .encode(x=right, y=alt.value(0), text="plain:N")
        + numbers.mark_text(color=color, dy=10, **words)
        .encode(x=right, y=alt.value(0), text="text:N")
        + numbers.mark_text(color=QUIET, dy=30, **words)
        .encode(x=right, y=alt.value(0), text="plain:N")
    )  # fmt: skip


def values_and_returns(
    fields: tuple[str, str], starts: tuple[int, int], ink: str, steps: int
) -> alt.LayerChart:
    """From each rung: what the return can be, its average V, and the best policy's.

    Tables: returns (at_p, at_n, rung, total, share), values (at_p, at_n, rung, value, best, label).
    """
    params = [
        _live(field, start, name)
        for name, field, start in zip(("at_p", "at_n"), fields, starts, strict=True)
    ]
    mine = "datum.at_p == toNumber(at_p) && datum.at_n == toNumber(at_n)"
    x = alt.X("rung:Q").title("rung, the state s").scale(domain=[-0.5, 2.75], nice=False)
    x = x.axis(values=[0, 1, 2], format="d", grid=False)
    y = alt.Y("total:Q").title("return from here on").scale(domain=[-0.4, steps + 0.4], nice=False)
    y = y.axis(values=list(range(steps + 1)), format="d")
    size = alt.Size("share:Q", legend=None).scale(domain=[0, 1], range=[0, 2600])
    values = (
        _table("values")
        .transform_filter(mine)
        .transform_calculate(left="datum.rung - 0.24", right="datum.rung + 0.24")
    )
    color = COLOR["baseline"]
    bold: dict[str, Any] = {"align": "left", "dx": 6, "fontSize": LETTERS, "fontWeight": "bold"}
    own, best = alt.Y("value:Q"), alt.Y("best:Q")
    return (
        _table("returns").transform_filter(mine)
        .mark_circle(opacity=0.4, color=QUIET).encode(x, y, size).add_params(*params)
        + values.mark_rule(color=ink, strokeWidth=2.2, strokeDash=TRUTH_DASH)
        .encode(alt.X("left:Q"), alt.X2("right:Q"), best)
        + values.mark_rule(color=color, strokeWidth=5)
        .encode(alt.X("left:Q"), alt.X2("right:Q"), own)
        + values.mark_text(color=color, **bold).encode(alt.X("right:Q"), own, text="label:N")
        + values.transform_filter("datum.best - datum.value > 0.35")
        .mark_text(color=ink, **bold).encode(alt.X("right:Q"), best, text="best_label:N")
    )  # fmt: skip


def two_runs(num_updates: int, quantity: str, title: str, top: float | None) -> alt.LayerChart:
    """REINFORCE beside REINFORCE that subtracts a critic: one quantity against updates.

    Tables: middle (name, update, low, high and the quantity), before (the same, the recorded runs
    behind one's own), names (name, update, label, side and the quantity).
    """
    x = alt.X("update:Q").title("update").scale(domain=[0, num_updates], nice=False)
    x = x.axis(values=[k * num_updates // 6 for k in range(7)])
    y = alt.Y(f"{quantity}:Q").title(title)
    y = y.scale(domain=[0, top], nice=False) if top else y.scale(zero=True)
    y = y.axis(tickCount=6)
    middle, names = _table("middle"), _table("names")
    words: dict[str, Any] = {"fontSize": LETTERS, "fontWeight": "bold"}
    return (
        middle.transform_filter("isValid(datum.low)").mark_area(opacity=0.18)
        .encode(x, alt.Y("low:Q").title(title), alt.Y2("high:Q"), _by_method())
        + _table("before").mark_line(strokeWidth=1.6, opacity=0.45)
        .encode(x, y, _by_method(), _dash_by_method())
        + middle.mark_line(strokeWidth=3).encode(x, y, _by_method(), _dash_by_method())
        + names.transform_filter("datum.side == 'left'").mark_text(align="right", dx=-12, **words)
        .encode(x, y, _by_method(), text="label:N")
        + names.transform_filter("datum.side == 'right'").mark_text(align="left", dx=12, **words)
        .encode(x, y, _by_method(), text="label:N")
    )  # fmt: skip


def textbook(best: float) -> alt.LayerChart:
    """Mean return against episodes, a line for each run; the best there is, dashed.

    Tables: curves and before (label, method, episode, mean_return), names (label, method, place).
    """
    x = alt.X("episode:Q").title("episode").scale(domain=[0, 1000], nice=False)
    x = x.axis(values=[0, 200, 400, 600, 800, 1000])
    y = alt.Y("mean_return:Q").title("return of an episode").scale(domain=[-90, 0], nice=False)
    y = y.axis(values=[0, -20, -40, -60, -80])
    sizes = ["α = 2⁻¹²", "α = 2⁻¹³", "α = 2⁻¹⁴", "with V̂ (2⁻⁶), α = 2⁻⁹"]
    dash = alt.StrokeDash("label:N", legend=None).scale(
        domain=sizes, range=[[2, 2], [1, 0], [7, 3], [10, 3]]
    )
    opacity = alt.Opacity("label:N", legend=None).scale(domain=sizes, range=[0.75, 1, 0.75, 1])
    color = alt.Color("method:N", legend=None).scale(
        domain=["reinforce", "baseline"], range=[COLOR["reinforce"], COLOR["baseline"]]
    )
    limit = (
        _table("curves")
        .transform_aggregate(rows="count()")
        .transform_calculate(
            mean_return=str(best), text=f"'best possible: {best:g}'".replace("-", "−")
        )
    )
    place = alt.Y("place:Q").scale(domain=[-90, 0], nice=False)
    key = _table("names").transform_calculate(left="560", right="640", middle="655")
    return (
        limit.mark_rule(color=QUIET, strokeDash=TRUTH_DASH).encode(y)
        + limit.mark_text(color=QUIET, align="right", dy=-9, fontSize=LETTERS).encode(
            y, x=alt.value("width"), text="text:N"
        )
        + _table("before").mark_line(strokeWidth=1.4, opacity=0.35).encode(
            x, y, alt.Detail("label:N"), color=alt.value(QUIET)
        )
        + _table("curves").mark_line(strokeWidth=2.4).encode(x, y, color, dash, opacity)
        + key.mark_rule(strokeWidth=2.4).encode(
            alt.X("left:Q"), place, color, dash, opacity, x2="right:Q"
        )
        + key.mark_text(align="left", fontSize=LETTERS, fontWeight=600).encode(
            alt.X("middle:Q"), place, color, text="label:N"
        )
    )  # fmt: skip


def parabolas_of_states(
    fields: tuple[str, ...],
    starts: tuple[int, ...],
    ink: str,
    options: tuple[float, float, float],
    top: float,
    middle: float,
) -> alt.LayerChart:
    """One parabola per state, the other states where their sliders stand; levels of landmarks.

    options: lowest and highest b and the step between two positions. middle: the height of the
    legend. Tables: grid (state, b) and states (state, name), both with steep and best of their
    state, least, and steep0 … best2 of all;
    levels (noise, shown, label).
    """
    low, high, step = options
    wide = high - low
    at = [f"({low} + {step} * toNumber(b{s}))" for s in range(3)]
    total = "datum.least" + "".join(
        f" + datum.steep{s} * pow({at[s]} - datum.best{s}, 2)" for s in range(3)
    )
    moved = "datum.state == 0 ? {} : datum.state == 1 ? {} : {}".format(*at)
    x = alt.X("b:Q").title("b(s) of the state that is moved")
    x = x.scale(domain=[low, high + 0.42 * wide], nice=False)
    x = x.axis(values=[low + k * wide / 6 for k in range(7)], format="~g", titleAnchor="start")
    y = alt.Y("noise:Q").title("noise").scale(domain=[0, top], nice=False).axis(tickCount=6)
    dash = alt.StrokeDash("state:N", legend=None).scale(
        domain=[0, 1, 2], range=[[1, 0], [8, 4], [2, 3]]
    )
    shape = alt.Shape("state:N", legend=None).scale(
        domain=[0, 1, 2], range=["circle", "square", "triangle-up"]
    )
    color = COLOR["baseline"]
    curves = _table("grid").transform_calculate(
        noise=f"{total} + datum.steep * (pow(datum.b - datum.best, 2)"
        f" - pow(({moved}) - datum.best, 2))"
    )
    states = _table("states")
    dots = states.transform_calculate(b=moved, noise=total)
    lowest = states.transform_calculate(
        b="datum.best", noise=f"{total} - datum.steep * pow(({moved}) - datum.best, 2)"
    )
    # The legend and the names of the levels stand at the right of all curves.
    legend = states.transform_calculate(
        b=str(high + 0.05 * wide), to=str(high + 0.13 * wide), mid=str(high + 0.09 * wide),
        text=str(high + 0.15 * wide), noise=f"{middle} + {0.075 * top} * (1 - datum.state)",
    )  # fmt: skip
    levels = _table("levels").transform_calculate(
        b=str(low), to=str(high + 0.02 * wide), text=str(high + 0.06 * wide)
    )
    plain = alt.Y("noise:Q")
    words: dict[str, Any] = {"align": "left", "baseline": "middle"}
    params = [
        _live(field, start, f"b{s}")
        for s, (field, start) in enumerate(zip(fields, starts, strict=True))
    ]
    return (
        levels.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=1.4, opacity=0.7)
        .encode(x, alt.X2("to:Q"), y)
        + levels.mark_rule(color=ink, strokeWidth=1, opacity=0.5)
        .encode(alt.X("to:Q"), alt.X2("text:Q"), plain, alt.Y2("shown:Q"))
        + levels.mark_text(fontSize=LETTERS - 1, color=ink, dx=3, **words)
        .encode(alt.X("text:Q"), alt.Y("shown:Q"), text="label:N")
        + curves.mark_line(strokeWidth=2.5, color=color, clip=True).encode(x, y, dash)
        .add_params(*params)
        + lowest.mark_point(size=110, strokeWidth=1.8, fill=PAPER[ink], opacity=1, color=color, clip=True)
        .encode(x, y, shape)
        + dots.mark_point(filled=True, size=150, opacity=1, color=color, clip=True)
        .encode(x, y, shape)
        + legend.mark_rule(color=color, strokeWidth=2.5).encode(x, alt.X2("to:Q"), plain, dash)
        + legend.mark_point(filled=True, size=90, opacity=1, color=color)
        .encode(alt.X("mid:Q"), plain, shape)
        + legend.mark_text(fontSize=LETTERS, fontWeight="bold", color=color, **words)
        .encode(alt.X("text:Q"), plain, text="name:N")
    )  # fmt: skip


def part_kept(ink: str) -> alt.LayerChart:
    """What is left of ∇J when something is subtracted: bars; red with a cross where it is not free.

    Table: effects (title, order, kept, free, label), whole (kept).
    """
    rows = _table("effects")
    y = alt.Y("order:O").axis(None).scale(paddingInner=0.2)
    x = alt.X("kept:Q").title("part of ∇J that is left").scale(domain=[-0.95, 1.34], nice=False)
    x = x.axis(
        values=[0, 0.25, 0.5, 0.75, 1],
        labelExpr="format(100 * datum.value, 'd') + ' %'",
        titleX={"expr": "width * (0.5 + 0.95) / (1.34 + 0.95)"},
    )
    color = alt.Color("free:N", legend=None).scale(
        domain=[True, False], range=[COLOR["baseline"], BROKEN]
    )
    shape = alt.Shape("free:N", legend=None).scale(domain=[True, False], range=["circle", CROSS])
    return (
        _table("whole").mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2).encode(x)
        + rows.mark_rule(strokeWidth=4, opacity=0.75).encode(x, y, color, x2=alt.datum(0))
        + rows.mark_point(size=110, strokeWidth=3, opacity=1).encode(x, y, color, shape)
        + rows.mark_text(align="right", fontSize=LETTERS, color=ink, dx=-18)
        .encode(x=alt.X("zero:Q"), y=y, text="title:N")
        + rows.mark_text(align="right", fontSize=LETTERS, fontWeight="bold")
        .encode(y=y, color=color, x=alt.value("width"), text="label:N")
    )  # fmt: skip


ROUND = [m * 10.0**k for k in range(-2, 9) for m in (1, 2, 5)]  # ticks of a log axis


def noise_of_four(ink: str, labels: tuple[str, ...]) -> alt.LayerChart:
    """The noise of four estimators on a log axis: measured with its interval, exact as a tick.

    Tables: rows (name, label, trace, low, high, exact, needs).
    """
    rows = _table("rows")
    y = alt.Y("label:N", sort=list(labels), title=None).axis(
        labelFontSize=LETTERS,
        labelLimit=280,
        ticks=False,
        domain=False,
        labelPadding=8,
        labelBound=False,
        labelBaseline="middle",
    )
    x = alt.X("trace:Q").title("noise of one episode, log axis")
    x = x.scale(type="log", padding=40).axis(labelExpr=SHORT, values=ROUND)
    return (
        rows.mark_rule(strokeWidth=4, opacity=0.5).encode(
            alt.X("low:Q"), alt.X2("high:Q"), y, _by_method()
        )
        + rows.transform_filter("isValid(datum.exact)")
        .mark_tick(thickness=2.5, size=30, color=ink).encode(alt.X("exact:Q"), y)
        + rows.mark_point(filled=True, size=150, opacity=1).encode(
            x, y, _by_method(), _shape_by_method(),
            tooltip=["label:N", *(alt.Tooltip(f"{n}:Q", format=",.4~g") for n in ("trace", "low", "high"))],
        )
        + rows.mark_text(dy=-22, fontSize=LETTERS - 1, color=ink).encode(x, y, text="needs:N")
    )  # fmt: skip


def errors_of_four(ink: str) -> alt.LayerChart:
    """The distance of ĝ from ∇J, as a part of ‖∇J‖, against N: parallel lines on log axes.

    Tables: lines (name, num, error), ends (name, num, error, label).
    """
    x = alt.X("num:Q").title("episodes N").scale(type="log", domain=[1, 150_000], nice=False)
    x = x.axis(values=[1, 10, 100, 1000], format="~s")
    y = alt.Y("error:Q").title("distance of ĝ from ∇J / length of ∇J").scale(type="log", nice=False)
    y = y.axis(values=[0.01, 0.1, 1, 10, 100], format="~g")
    lines = _table("lines")
    return (
        _table("goal").mark_rule(color=ink, strokeDash=TRUTH_DASH).encode(y)
        + _table("goal").mark_text(color=ink, align="right", dy=-9, fontSize=LETTERS - 1)
        .encode(x=alt.value("width"), y=y, text="label:N")
        + lines.mark_line(strokeWidth=2.6)
        .encode(x, y, _by_method(), _dash_by_method(), alt.Detail("name:N"))
        + _table("ends").mark_text(align="left", dx=8, fontSize=LETTERS, fontWeight="bold")
        .encode(x, alt.Y("shown:Q"), _by_method(), text="label:N")
    )  # fmt: skip


def noise_along(num_updates: int) -> alt.LayerChart:
    """The noise of four estimators at a few updates of a run, on a log axis.

    Tables: traces (name, update, trace, low, high), ends (name, label, update, shown).
    """
    x = (
        alt.X("update:Q")
        .title("update of the run")
        .scale(domain=[0, 1.45 * num_updates], nice=False)
    )
    x = x.axis(values=[k * num_updates // 5 for k in range(6)], titleAnchor="start")
    y = alt.Y("trace:Q").title("noise of one episode, log axis").scale(type="log")
    y = y.axis(labelExpr=SHORT, tickCount=5)
    traces = _table("traces")
    return (
        traces.mark_line(strokeWidth=2.5).encode(x, y, _by_method(), _dash_by_method())
        + traces.mark_rule(strokeWidth=3, opacity=0.45)
        .encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), _by_method())
        + traces.mark_point(filled=True, size=70, opacity=1).encode(
            x, y, _by_method(), _shape_by_method(),
            tooltip=["label:N", "update:Q", alt.Tooltip("trace:Q", format=",.4~g")],
        )
        + _table("ends").mark_text(align="left", dx=10, fontSize=LETTERS, fontWeight="bold")
        .encode(x, alt.Y("shown:Q"), _by_method(), text="label:N")
    )  # fmt: skip


NORMALISERS = ("minus the batch's mean", "divided by its spread", "both")


def normalised(
    field: str, start: int, ink: str, quantity: str, title: str, domain: tuple[float, float]
) -> alt.LayerChart:
    """What normalising does to the mean of ĝ, against the size of the batch.

    Tables: lines (at, name, num, value), ends (name, num, value), truth (value, label).
    """
    x = alt.X("num:Q").title("episodes N in the batch")
    x = x.scale(type="log", domain=[2, 330], nice=False).axis(values=[2, 4, 8, 16, 32, 64])
    y = alt.Y("value:Q").title(title).scale(domain=domain, nice=False).axis(tickCount=6)
    dash = alt.StrokeDash("name:N", legend=None).scale(
        domain=NORMALISERS, range=[[1, 0], [8, 4], [2, 3]]
    )
    color = COLOR["baseline"]
    here = _table("lines").transform_filter(HERE)
    return (
        _table("truth").mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.2).encode(y)
        + _table("truth").mark_text(align="right", dy=-10, fontSize=LETTERS, color=ink)
        .encode(x=alt.value("width"), y=y, text="label:N")
        + _table("lines").mark_line(strokeWidth=2.5, color=color).encode(x, y, dash)
        .add_params(_live(field, start))
        + here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + here.mark_point(filled=True, size=130, opacity=1, color=color).encode(x, y)
        + _table("ends").mark_text(align="left", dx=9, fontSize=LETTERS, fontWeight="bold", color=color)
        .encode(x, y, text="name:N")
    )  # fmt: skip


SIDES = ("below", "least", "above")


def commits(field: str, start: int, ink: str, num_steps: int) -> alt.LayerChart:
    """The mean J of many runs under b* and under b* moved down and up by as much.

    Tables: paths (at, side, step, objective), ends (at, side, step, objective, label), best.
    """
    x = alt.X("step:Q").title("step").scale(domain=[0, 1.5 * num_steps], nice=False)
    x = x.axis(values=[0, 100, 200, 300], titleAnchor="start")
    y = alt.Y("objective:Q").title("J, mean of 2,000 runs").scale(domain=[0.35, 1.04], nice=False)
    y = y.axis(tickCount=6)
    color = alt.Color("side:N", legend=None).scale(
        domain=SIDES, range=[COLOR["full-return"], ink, COLOR["baseline"]]
    )
    dash = alt.StrokeDash("side:N", legend=None).scale(
        domain=SIDES, range=[DASH["full-return"], TRUTH_DASH, [1, 0]]
    )
    paths, ends = (_table(name).transform_filter(HERE) for name in ("paths", "ends"))
    best = _table("best")
    return (
        best.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(y)
        + best.mark_text(color=QUIET, align="left", dx=6, dy=-9, fontSize=LETTERS - 1)
        .encode(x=alt.value(0), y=y, text="label:N")
        + paths.mark_line(strokeWidth=2.8).encode(x, y, color, dash).add_params(_live(field, start))
        + ends.mark_text(align="left", dx=8, fontSize=LETTERS, fontWeight="bold")
        .encode(x, alt.Y("shown:Q"), color, text="label:N")
    )  # fmt: skip


def terms_that_cancel(ink: str, actions: tuple[str, ...]) -> alt.LayerChart:
    """Of every state: one term per action, and their sum: a dash at zero, or a red cross.

    Tables: terms (state, action, size), sums (state, size, zero, label), axis (size).
    """
    x = alt.X("state:N").title(None).axis(labelAngle=0, labelFontSize=LETTERS, ticks=False)
    y = alt.Y("size:Q").title("term along one θ").axis(tickCount=5)
    offset = alt.XOffset("action:N").sort([*actions, "sum"])
    offset = offset.scale(domain=[*actions, "sum"], paddingInner=0.25)
    terms, sums = _table("terms"), _table("sums")
    words: dict[str, Any] = {"fontSize": LETTERS - 1}
    return (
        _table("axis").mark_rule(color=QUIET).encode(y)
        + terms.mark_bar(color=COLOR["baseline"], opacity=0.8).encode(x, y, offset)
        + terms.transform_filter("datum.size >= 0")
        .mark_text(dy=-9, color=ink, **words)
        .encode(x, y, offset, text="action:N")
        + terms.transform_filter("datum.size < 0")
        .mark_text(dy=11, color=ink, **words)
        .encode(x, y, offset, text="action:N")
        + sums.transform_filter("datum.zero")
        .mark_tick(thickness=3, size=30, color=ink)
        .encode(x, y, offset)
        + sums.transform_filter("!datum.zero")
        .mark_point(shape=CROSS, size=150, strokeWidth=3, color=BROKEN, opacity=1)
        .encode(x, y, offset)
        + sums.transform_filter("datum.zero")
        .mark_text(dy=-12, fontWeight="bold", color=ink, **words)
        .encode(x, y, offset, text="label:N")
        + sums.transform_filter("!datum.zero")
        .mark_text(dy=18, fontWeight="bold", color=BROKEN, **words)
        .encode(x, y, offset, text="label:N")
    )
