"""Charts of the page on GAE, each a constant specification over named tables.

A slider redraws its chart while it moves: it writes its position into a hidden field, and a
parameter of the chart follows that field. What is linear in a power of λ, in ε or in 1 / N, the
browser works out; what is not comes in a table with a column for the position of the slider.
`ink` is the colour of the exact truth.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, DASH, QUIET, TRUTH_DASH

REAL, PREDICTED = COLOR["reinforce"], COLOR["actor-critic"]  # rewards; what the critic says
BIAS, VARIANCE = COLOR["actor-critic"], COLOR["baseline"]
LETTERS = 14
ERROR_TOP = 0.45  # of the axis of errors along λ; curves of very wrong critics leave it
SHORT = "format(datum.value, '~s')"
CROSS = "M-1,-1L1,1M-1,1L1,-1"


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def live(name: str, field: str, start: float) -> alt.Parameter:
    """A parameter that follows the hidden field of a slider."""
    return alt.param(name=name, value=start, bind=alt.BindDirect(element=field, event="input"))


def _hidden(channel: type, field: str, domain: Sequence[float]) -> alt.X | alt.Y:
    return channel(f"{field}:Q").scale(domain=domain, nice=False).axis(None)


# --- n real rewards, then the critic ---


def stretch(
    n_field: str, t_field: str, n_start: int, t_start: int, num_steps: int, ink: str
) -> alt.LayerChart:
    """One episode; what Â^(n) of step t uses is filled, the rest is outlined.

    Tables: tiles (n, t, x, y, text, kind: reward, value or unused), path (x, y), sums (n, t, text),
    names (y, text), steps (x).  n and t are positions of their sliders.
    """
    x = _hidden(alt.X, "x", [-1.75, num_steps + 0.6])
    y = _hidden(alt.Y, "y", [0, 10])
    chosen = "datum.n == toNumber(n_at) && datum.t == toNumber(t_at)"
    tiles = (
        _table("tiles")
        .transform_filter(chosen)
        .transform_calculate(
            left="datum.x - 0.37",
            right="datum.x + 0.37",
            low="datum.y - 0.62",
            high="datum.y + 0.62",
        )
    )
    color = alt.Color("kind:N", legend=None).scale(
        domain=["reward", "value", "unused"], range=[REAL, PREDICTED, QUIET]
    )
    sides = {"x2": alt.X2("right:Q"), "y2": alt.Y2("high:Q")}
    used = tiles.transform_filter("datum.kind != 'unused'")
    fill = used.mark_rect(opacity=0.3, cornerRadius=6).encode(
        _hidden(alt.X, "left", [-1.75, num_steps + 0.6]), _hidden(alt.Y, "low", [0, 10]),
        color, **sides,
    )  # fmt: skip
    edge = tiles.mark_rect(fillOpacity=0, strokeWidth=2, cornerRadius=6).encode(
        _hidden(alt.X, "left", [-1.75, num_steps + 0.6]),
        _hidden(alt.Y, "low", [0, 10]),
        alt.Stroke("kind:N", legend=None).scale(
            domain=["reward", "value", "unused"], range=[REAL, PREDICTED, QUIET]
        ),
        alt.StrokeOpacity("kind:N", legend=None).scale(
            domain=["reward", "value", "unused"], range=[1, 1, 0.35]
        ),
        **sides,
    )
    text = used.mark_text(fontSize=LETTERS, fontWeight=700, color=ink).encode(x, y, text="text:N")
    faint = (
        tiles.transform_filter("datum.kind == 'unused'")
        .mark_text(fontSize=LETTERS, color=QUIET)
        .encode(x, y, text="text:N")
    )
    path = _table("path")
    line = path.mark_line(color=QUIET, strokeWidth=2).encode(x, y, alt.Order("x:Q"))
    dots = path.mark_point(filled=True, size=70, color=QUIET, opacity=1).encode(
        x, y, tooltip=[alt.Tooltip("rung:Q", title="rung")]
    )
    rungs = path.mark_text(dy=-14, fontSize=12, color=QUIET).encode(x, y, text="rung:Q")
    names = (
        _table("names").mark_text(align="left", fontSize=LETTERS).encode(x, y, text="text:N")
    ).encode(color=alt.Color("kind:N", legend=None))
    steps = _table("steps").mark_text(fontSize=12, color=QUIET).encode(x, y, text="text:N")
    sums = (
        _table("sums")
        .transform_filter(chosen)
        .mark_text(fontSize=19, fontWeight=600, color=ink, align="center")
        .encode(x, y, text="text:N")
    )
    return (fill + edge + text + faint + line + dots + rungs + names + steps + sums).add_params(
        live("n_at", n_field, n_start), live("t_at", t_field, t_start)
    )


# --- bias and variance of every n ---


def bars(
    error_field: str, num_field: str, error_start: int, num_start: int,
    errors: tuple[float, ...], numbers: tuple[int, ...], top: float, ink: str,
) -> alt.LayerChart:  # fmt: skip
    """bias² and variance / N of every n, stacked; the least sum is named.

    Tables: parts (n, bias, c0, c1, c2), key (y, text, part).
    """
    base = (
        _table("parts")
        .transform_calculate(
            e=f"{list(errors)}[toNumber(error_at)]", num=f"{list(numbers)}[toNumber(num_at)]"
        )
        .transform_calculate(
            bias2="datum.e * datum.e * datum.bias",
            variance="(datum.c0 + datum.c1 * datum.e + datum.c2 * datum.e * datum.e) / datum.num",
        )
        .transform_calculate(total="datum.bias2 + datum.variance")
    )
    x = alt.X("n:O").title("n: real rewards before the critic")
    x = x.axis(labelAngle=0, labelFontSize=LETTERS, ticks=False)
    scale = alt.Scale(domain=[0, top], nice=False)
    title = "mean squared error of ĝ"
    tooltip = [
        alt.Tooltip("n:O"),
        alt.Tooltip("bias2:Q", title="bias²", format=".4f"),
        alt.Tooltip("variance:Q", title="variance / N", format=".4f"),
        alt.Tooltip("total:Q", title="error", format=".4f"),
    ]
    low = base.mark_bar(color=BIAS, size=44, clip=True).encode(
        x,
        alt.Y("bias2:Q").title(title).scale(scale).axis(tickCount=5, grid=False),
        tooltip=tooltip,
    )
    # Full against hollow: without colours, too, they are told apart.
    high = base.mark_bar(
        color=VARIANCE, size=44, fillOpacity=0.25, stroke=VARIANCE, strokeWidth=2, clip=True
    ).encode(x, alt.Y("bias2:Q").title(title), alt.Y2("total:Q"), tooltip=tooltip)
    text = base.mark_text(dy=-10, fontSize=LETTERS, color=ink).encode(
        x, alt.Y("total:Q").title(title), text=alt.Text("total:Q", format=".3f")
    )
    least = (
        base.transform_joinaggregate(least="min(total)")
        .transform_filter("datum.total <= datum.least")
        .mark_text(dy=-28, fontSize=LETTERS, fontWeight=700, color=ink, text="least")
        .encode(x, alt.Y("total:Q").title(title))
    )
    key = _table("key").mark_text(align="left", fontSize=LETTERS + 1, fontWeight=700)
    names = key.encode(
        alt.Y("y:Q").title(title), x=alt.value(14), text="text:N",
        color=alt.Color("part:N", legend=None).scale(
            domain=["bias", "variance"], range=[BIAS, VARIANCE]
        ),
    )  # fmt: skip
    return (low + high + text + least + names).add_params(
        live("error_at", error_field, error_start), live("num_at", num_field, num_start)
    )


# --- λ averages all n ---


def weights(field: str, start: int, num_steps: int, ink: str) -> alt.LayerChart:
    """The weight of every n; the last one has the rest. Table: steps (n, advantage, label)."""
    base = (
        _table("steps")
        .transform_calculate(lam="toNumber(lam_at) / 100")
        .transform_calculate(
            weight=f"(datum.n < {num_steps} ? 1 - datum.lam : 1) * pow(datum.lam, datum.n - 1)"
        )
    )
    x = (
        alt.X("label:N")
        .title("n, and Â⁽ⁿ⁾ of step 0 in the recorded episode")
        .sort(field="n", order="ascending")
    )
    x = x.axis(
        labelAngle=0, labelFontSize=LETTERS, ticks=False, labelExpr="split(datum.label, '|')",
        labelLineHeight=24,
    )  # fmt: skip
    y = alt.Y("weight:Q").title("weight").scale(domain=[0, 1.2], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f", grid=False)
    marks = base.mark_bar(size=48, color=COLOR["gae"], cornerRadiusEnd=4).encode(x, y)
    text = base.mark_text(dy=-11, fontSize=LETTERS + 1, fontWeight=600, color=ink).encode(
        x, y, text=alt.Text("weight:Q", format=".2f")
    )
    total = (
        base.transform_calculate(product="datum.weight * datum.advantage")
        .transform_aggregate(total="sum(product)")
        .transform_calculate(text="'Â = ' + format(datum.total, '.2f')")
        .mark_text(fontSize=22, fontWeight=700, align="right", color=COLOR["gae"])
        .encode(x=alt.value("width"), y=alt.value(10), text="text:N")
    )
    return (marks + text + total).add_params(live("lam_at", field, start))


# --- the values cancel ---


def telescope(field: str, start: int, num_steps: int, ink: str) -> alt.LayerChart:
    """λ^k δ_k row by row, written out; what the columns leave stands below.

    Tables: cells (row, column, kind, value, power: value · λ^power), sums (column, kind, value,
    more, less: value · (λ^more − λ^less), or value · λ^more where less is −1), rows (row, label,
    error), heads (column, text, kind), foot (text).
    """
    columns = [-2.1, 2 * num_steps + 0.6]
    x = _hidden(alt.X, "column", columns)
    y = _hidden(alt.Y, "row", [num_steps + 1.4, -1.1])
    lam = "toNumber(lam_at) / 100"
    color = alt.Color("kind:N", legend=None).scale(
        domain=["reward", "value"], range=[REAL, PREDICTED]
    )
    # letters that fit the columns on any screen; one decimal on a telephone
    number = "(datum.x > 0 ? '+' : '') + format(datum.x, width < 450 ? '.1f' : '.2f')"

    def letters(columns_of_text: float) -> Any:
        return alt.expr(f"width / (width < 450 ? {0.8 * columns_of_text} : {columns_of_text})")

    cells = (
        _table("cells")
        .transform_calculate(x=f"datum.value * pow({lam}, datum.power)")
        .transform_calculate(text=number, left="datum.column - 0.46", right="datum.column + 0.46",
                             low="datum.row - 0.4", high="datum.row + 0.4")
    )  # fmt: skip
    back = cells.mark_rect(opacity=0.16, cornerRadius=4).encode(
        _hidden(alt.X, "left", columns), _hidden(alt.Y, "low", [num_steps + 1.4, -1.1]),
        color, x2=alt.X2("right:Q"), y2=alt.Y2("high:Q"),
    )  # fmt: skip
    text = cells.mark_text(fontSize=letters(41), color=ink).encode(x, y, text="text:N")
    sums = (
        _table("sums")
        .transform_calculate(
            x=f"datum.value * (pow({lam}, datum.more)"
            f" - (datum.less < 0 ? 0 : pow({lam}, datum.less)))"
        )
        .transform_calculate(
            text=f"abs(datum.x) < 0.005 ? '0' : {number}",
            seen="abs(datum.x) < 0.005 ? 0.55 : 1",
        )
    )
    left = sums.mark_text(fontSize=letters(41), fontWeight=700).encode(
        x, y, color, alt.Opacity("seen:Q", legend=None).scale(domain=[0, 1], range=[0, 1]),
        text="text:N",
    )  # fmt: skip
    rows = (
        _table("rows")
        .transform_calculate(x=f"datum.error * pow({lam}, datum.row)")
        .transform_calculate(text="format(datum.x, '.2f')")
    )
    names = rows.mark_text(align="left", fontSize=letters(40), color=ink).encode(
        _hidden(alt.X, "first", columns), y, text="label:N"
    )
    heads = (
        _table("heads")
        .mark_text(fontSize=letters(40), fontWeight=700)
        .encode(x, y, color, text="text:N")
    )
    foot = _table("foot").mark_text(align="left", fontSize=letters(40), fontWeight=700, color=ink)
    foot = foot.encode(_hidden(alt.X, "first", columns), y, text="text:N")
    total = (
        rows.transform_aggregate(total="sum(x)")
        .transform_calculate(
            text="'Â = Σ λᵏ δₖ = ' + format(datum.total, '.2f')",
            row=str(num_steps + 1.05),
            column=str(2 * num_steps + 0.4),
        )
        .mark_text(align="right", fontSize=17, fontWeight=700, color=COLOR["gae"])
        .encode(x, y, text="text:N")
    )
    line = (
        _table("foot")
        .transform_calculate(row="datum.row - 0.55", end=str(2 * num_steps + 0.5))
        .mark_rule(color=QUIET)
        .encode(_hidden(alt.X, "first", columns), y, x2=alt.X2("end:Q"))
    )
    return (back + text + left + names + heads + foot + total + line).add_params(
        live("lam_at", field, start)
    )


# --- what Â weighs, between the two ends ---


def kernel(
    lam_field: str, gamma_field: str, lam_start: int, gamma_start: int, gammas: tuple[float, ...],
    num_steps: int, cut: bool,
) -> alt.LayerChart:  # fmt: skip
    """The weights in Â of rewards, and of the critic's values on the states that follow.

    Tables: weights (kind, k), names (y, text, kind).
    """
    last = "datum.gamma" if cut else "0"
    base = (
        _table("weights")
        .transform_calculate(
            lam="toNumber(lam_at) / 100", gamma=f"{list(gammas)}[toNumber(gamma_at)]"
        )
        .transform_calculate(
            weight="datum.kind == 'reward' ? pow(datum.gamma * datum.lam, datum.k)"
            f" : datum.k < {num_steps}"
            " ? (1 - datum.lam) * pow(datum.lam, datum.k - 1) * pow(datum.gamma, datum.k)"
            f" : {last} * pow(datum.gamma * datum.lam, {num_steps - 1})",
            zero="0",
            at="datum.k + (datum.kind == 'reward' ? -0.11 : 0.11)",
        )
    )
    x = alt.X("at:Q").title("steps ahead, k").scale(domain=[-0.5, num_steps + 0.7], nice=False)
    x = x.axis(values=list(range(num_steps + 1)), format="d", grid=False)
    y = alt.Y("weight:Q").title("weight in Â").scale(domain=[0, 1.22], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    kinds = ["reward", "value"]
    color = alt.Color("kind:N", legend=None).scale(domain=kinds, range=[REAL, PREDICTED])
    shape = alt.Shape("kind:N", legend=None).scale(domain=kinds, range=["circle", "triangle-up"])
    stems = base.mark_rule(opacity=0.5, strokeWidth=2.5).encode(
        x, alt.Y("zero:Q"), alt.Y2("weight:Q"), color
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x, y, color, shape,
        tooltip=[alt.Tooltip("k:Q"), alt.Tooltip("weight:Q", format=".4f")],
    )  # fmt: skip
    names = (
        _table("names")
        .mark_text(align="right", fontSize=LETTERS + 1, fontWeight=700)
        .encode(y=alt.Y("y:Q"), x=alt.value("width"), color=color, text="text:N")
    )
    return (stems + dots + names).add_params(
        live("lam_at", lam_field, lam_start), live("gamma_at", gamma_field, gamma_start)
    )


# --- the best λ ---


def errors_along_lambda(
    field: str, start: int, errors: tuple[float, ...], ink: str
) -> alt.LayerChart:
    """The error of ĝ against λ for a few N, each with its least value; bias² dashed.

    Tables: curves (gae_lambda, label, share = 1 / N, bias, c0, c1, c2), guess (gae_lambda, text).
    """
    base = (
        _table("curves")
        .transform_calculate(e=f"{list(errors)}[toNumber(error_at)]")
        .transform_calculate(
            size="datum.e * datum.e * datum.bias + datum.share *"
            " (datum.c0 + datum.c1 * datum.e + datum.c2 * datum.e * datum.e)"
        )
    )
    x = alt.X("gae_lambda:Q").title("λ").scale(domain=[0, 1.13], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f")
    y = alt.Y("size:Q").title("mean squared error of ĝ")
    y = y.scale(domain=[0, ERROR_TOP], nice=False).axis(tickCount=5)
    sampled = base.transform_filter("datum.share > 0")
    lines = sampled.mark_line(strokeWidth=3, clip=True, color=COLOR["gae"]).encode(
        x, y, alt.Detail("label:N"),
        alt.Opacity("share:Q", legend=None).scale(type="log", domain=[0.02, 0.1], range=[0.65, 1]),
        tooltip=["label:N", alt.Tooltip("gae_lambda:Q", title="λ"), alt.Tooltip("size:Q", format=".4f")],
    )  # fmt: skip
    bias = (
        base.transform_filter("datum.share == 0")
        .mark_line(strokeWidth=2, color=BIAS, strokeDash=DASH["actor-critic"], clip=True)
        .encode(x, y, tooltip=[alt.Tooltip("size:Q", title="bias²", format=".4f")])
    )
    best = sampled.transform_joinaggregate(least="min(size)", groupby=["label"]).transform_filter(
        "datum.size <= datum.least"
    )
    dots = best.mark_point(size=150, strokeWidth=2.5, filled=False, color=ink, opacity=1).encode(
        x, y
    )
    names = (
        best.transform_calculate(text="'best λ = ' + format(datum.gae_lambda, '.2~f')")
        .mark_text(dy=-16, fontSize=LETTERS, fontWeight=700, color=ink, clip=False)
        .encode(x, y, text="text:N")
    )
    ends = base.transform_filter("datum.gae_lambda == 1").mark_text(
        align="left", dx=7, fontSize=LETTERS, fontWeight=700
    )
    labels = ends.encode(
        x, y, text="label:N",
        color=alt.condition("datum.share > 0", alt.value(COLOR["gae"]), alt.value(BIAS)),
    )  # fmt: skip
    guess = _table("guess")
    rule = guess.mark_rule(color=ink, strokeWidth=2, strokeDash=[2, 3]).encode(x)
    mine = guess.mark_text(fontSize=LETTERS, fontWeight=700, color=ink, dx=6, align="left").encode(
        x, y=alt.value(10), text="text:N"
    )
    return (rule + mine + bias + lines + dots + names + labels).add_params(
        live("error_at", field, start)
    )


def best_by_episodes(field: str, start: int, ink: str) -> alt.LayerChart:
    """The best λ against N, for the critic of the slider and for the exact V.

    Tables: best (at, num_episodes, gae_lambda), exact (num_episodes, gae_lambda), name (text).
    """
    x = alt.X("num_episodes:Q").title("episodes N")
    x = x.scale(type="log", domain=[1, 10_000], nice=False).axis(
        values=[1, 10, 100, 1000, 10_000], labelExpr=SHORT
    )
    y = alt.Y("gae_lambda:Q").title("best λ").scale(domain=[0, 1.1], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    tooltip = [
        alt.Tooltip("num_episodes:Q", title="N", format=",.0f"),
        alt.Tooltip("gae_lambda:Q", title="best λ", format=".2f"),
    ]
    mine = _table("best").transform_filter("datum.at == toNumber(error_at)")
    exact = _table("exact")
    line = mine.mark_line(strokeWidth=3.5, color=COLOR["gae"]).encode(x, y, tooltip=tooltip)
    dashed = exact.mark_line(strokeWidth=2, color=ink, strokeDash=TRUTH_DASH).encode(
        x, y, tooltip=tooltip
    )
    last = "datum.num_episodes == 10000"
    text: dict[str, Any] = {"align": "right", "dx": -6, "fontSize": LETTERS, "fontWeight": 700}
    name = (
        mine.transform_filter(last)
        .mark_text(**text, dy=16, color=COLOR["gae"], text="the wrong critic")
        .encode(x, y)
    )
    truth = (
        exact.transform_filter(last)
        .mark_text(**text, dy=-12, color=ink, text="the exact V")
        .encode(x, y)
    )
    return (dashed + line + name + truth).add_params(live("error_at", field, start))


def error_map(field: str, start: int, ink: str) -> alt.LayerChart:
    """How many times its least error a λ costs, for every error of the critic; best λ dashed.

    Tables: cells (at, gae_lambda, error, times), best (at, gae_lambda, error).
    """
    here = "datum.at == toNumber(num_at)"
    xs, ys = [-0.02, 1.02], [-0.05, 1.05]
    strength = alt.Opacity(
        "times:Q",
        legend=alt.Legend(
            title="error ÷ least error of its row", values=[1, 2, 4], orient="top",
            direction="horizontal", titleOrient="left", symbolType="square", symbolSize=180,
            symbolFillColor=COLOR["actor-critic"], symbolStrokeColor=QUIET, symbolStrokeWidth=1,
            titleFontSize=13, labelFontSize=13,
        ),
    ).scale(type="log", domain=[1, 4], range=[0.1, 0.92], clamp=True)  # fmt: skip
    cells = (
        _table("cells")
        .transform_filter(here)
        .transform_calculate(
            left="datum.gae_lambda - 0.02", right="datum.gae_lambda + 0.02",
            low="datum.error - 0.05", high="datum.error + 0.05",
        )
        .mark_rect(color=COLOR["actor-critic"], clip=True)
        .encode(
            alt.X("left:Q").title("λ").scale(domain=xs, nice=False).axis(grid=False),
            alt.X2("right:Q"),
            alt.Y("low:Q").title("error ε of the critic").scale(domain=ys, nice=False)
            .axis(grid=False),
            alt.Y2("high:Q"), strength,
            tooltip=[
                alt.Tooltip("gae_lambda:Q", title="λ", format=".2f"),
                alt.Tooltip("error:Q", title="ε"),
                alt.Tooltip("times:Q", title="times the least error", format=".3~g"),
            ],
        )
    )  # fmt: skip
    ridge = _table("best").transform_filter(here)
    line = ridge.mark_line(color=ink, strokeWidth=3, strokeDash=TRUTH_DASH, clip=True).encode(
        alt.X("gae_lambda:Q").title("λ"),
        alt.Y("error:Q").title("error ε of the critic"),
        alt.Order("error:Q"),
    )
    name = (
        ridge.transform_filter("datum.error == 1")
        .mark_text(color=ink, fontSize=LETTERS, fontWeight=700, align="right", dx=-8, dy=8, text="best λ")
        .encode(alt.X("gae_lambda:Q"), alt.Y("error:Q"))
    )  # fmt: skip
    return (cells + line + name).add_params(live("num_at", field, start))


# --- the recursion ---

LEDGER_COLUMNS = {"t": 0, "r": 1, "V̂(s)": 2, "V̂(s′)": 3, "δ": 4.1, "γλ Â′": 5.4, "Â": 6.6}


def ledger(lam_field: str, rows_field: str, lam_start: int, rows_start: int, num_rows: int, ink: str) -> alt.LayerChart:  # fmt: skip
    """The rows of a ledger; those above the chosen one are not computed yet.

    Tables: rows (row, and per column of LEDGER_COLUMNS that does not depend on λ a text; end: why
    it ends), values (at, row, carried, advantage, cut), heads (column, text).
    """
    xs, ys = [-0.5, 8.4], [num_rows - 0.4, -1.3]
    y = _hidden(alt.Y, "row", ys)
    rows = _table("rows").transform_calculate(from_last=f"{num_rows} - 1 - datum.row")
    done = "datum.from_last <= toNumber(rows_at)"
    last = "datum.from_last == toNumber(rows_at)"

    def text(
        base: alt.Chart, column: float, field: str, weight: Any = 400, color: str = ink
    ) -> alt.Chart:
        return (
            base.transform_calculate(column=str(column))
            .mark_text(fontSize=16, fontWeight=weight, color=color)
            .encode(_hidden(alt.X, "column", xs), y, text=f"{field}:N")
        )

    band = (
        rows.transform_filter(last)
        .transform_calculate(left=str(xs[0] + 0.1), right=str(xs[1]), low="datum.row - 0.46",
                             high="datum.row + 0.46")
        .mark_rect(color=COLOR["gae"], opacity=0.16, cornerRadius=6)
        .encode(_hidden(alt.X, "left", xs), _hidden(alt.Y, "low", ys), alt.X2("right:Q"),
                alt.Y2("high:Q"))
    )  # fmt: skip
    typed = [
        text(rows, LEDGER_COLUMNS[c], f)
        for c, f in (("t", "t"), ("r", "reward"), ("V̂(s)", "value"))
    ]
    found = [
        text(rows.transform_filter(done), LEDGER_COLUMNS[c], f)
        for c, f in (("V̂(s′)", "following"), ("δ", "error"))
    ]
    values = (
        _table("values")
        .transform_filter("datum.at == toNumber(lam_at)")
        .transform_calculate(from_last=f"{num_rows} - 1 - datum.row")
        .transform_filter(done)
        .transform_calculate(
            back="datum.cut ? '0' : format(datum.carried, '.3f')",
            shown="format(datum.advantage, '.3f')",
        )
    )
    carried = text(values, LEDGER_COLUMNS["γλ Â′"], "back")
    advantage = text(values, LEDGER_COLUMNS["Â"], "shown", 700, COLOR["gae"])
    arrows = (
        values.transform_filter(f"!datum.cut && datum.row < {num_rows} - 1")
        .transform_calculate(
            x=str(LEDGER_COLUMNS["Â"] - 0.05), x2=str(LEDGER_COLUMNS["γλ Â′"] + 0.3),
            y="datum.row + 0.72", y2="datum.row + 0.3",
        )
        .mark_rule(color=COLOR["gae"], strokeWidth=1.5)
        .encode(_hidden(alt.X, "x", xs), _hidden(alt.Y, "y", ys), alt.X2("x2:Q"), alt.Y2("y2:Q"))
    )  # fmt: skip
    heads_of_arrows = (
        values.transform_filter(f"!datum.cut && datum.row < {num_rows} - 1")
        .transform_calculate(x=str(LEDGER_COLUMNS["γλ Â′"] + 0.28), y="datum.row + 0.29")
        .mark_point(
            shape="triangle", angle=298, filled=True, size=70, color=COLOR["gae"], opacity=1
        )
        .encode(_hidden(alt.X, "x", xs), _hidden(alt.Y, "y", ys))
    )
    ends = (
        rows.transform_filter("datum.end != ''")
        .transform_calculate(column="7.15")
        .mark_text(fontSize=13, align="left", color=QUIET, fontWeight=600)
        .encode(_hidden(alt.X, "column", xs), y, text="end:N")
    )
    stops = (
        rows.transform_filter("datum.end != ''")
        .transform_calculate(left=str(xs[0] + 0.1), right=str(xs[1]), y="datum.row + 0.5")
        .mark_rule(color=QUIET, strokeWidth=2)
        .encode(_hidden(alt.X, "left", xs), _hidden(alt.Y, "y", ys), alt.X2("right:Q"))
    )
    heads = (
        _table("heads")
        .mark_text(fontSize=LETTERS, fontWeight=700, color=QUIET)
        .encode(_hidden(alt.X, "column", xs), y, text="text:N")
    )
    chart = band + arrows + heads_of_arrows + stops + heads + carried + advantage + ends
    for part in (*typed, *found):
        chart += part
    return chart.add_params(
        live("lam_at", lam_field, lam_start), live("rows_at", rows_field, rows_start)
    )


def stops(field: str, start: int, num_steps: int, tall: float, ink: str) -> alt.LayerChart:
    """Â before three kinds of end, right and with its bug, one band each, all on one scale.

    Tables: lines (at, band, step, right, wrong: heights in units of Â, downwards; wrong_at: of the
    number; advantage and bug: numbers), bands (band, zero, title, rule, bug and where they stand, begin, end, top,
    bottom), times (step, y, text).  The last band ends at `tall`.
    """
    xs = [-1.95 * num_steps, 3.3]
    x = _hidden(alt.X, "step", xs)
    ys = [tall + 1.6, -1.5]

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q").scale(domain=ys, nice=False).axis(None)

    lines = _table("lines").transform_filter("datum.at == toNumber(lam_at)")
    tooltip = [
        alt.Tooltip("advantage:Q", title="Â", format=".2f"),
        alt.Tooltip("bug:Q", title="with the bug", format=".2f"),
    ]
    zero = (
        _table("bands")
        .mark_rule(color=QUIET, strokeWidth=1, opacity=0.6)
        .encode(_hidden(alt.X, "begin", xs), y("zero"), alt.X2("end:Q"))
    )
    name = (
        _table("bands")
        .mark_text(align="right", dx=-5, fontSize=12, color=QUIET, text="Â = 0")
        .encode(_hidden(alt.X, "begin", xs), y("zero"))
    )
    wrong = lines.mark_line(color=BROKEN, strokeWidth=2.5, strokeDash=BROKEN_DASH).encode(
        x, y("wrong"), alt.Detail("band:N")
    )
    crosses = lines.mark_point(
        shape=CROSS, size=70, strokeWidth=2.5, color=BROKEN, opacity=1
    ).encode(x, y("wrong"), tooltip=tooltip)
    right = lines.mark_line(color=COLOR["gae"], strokeWidth=3).encode(
        x, y("right"), alt.Detail("band:N")
    )
    dots = lines.mark_point(filled=True, size=60, color=COLOR["gae"], opacity=1).encode(
        x, y("right"), tooltip=tooltip
    )
    bands = _table("bands")
    left, small = alt.value(4), alt.expr("max(9, width / 44)")
    titles = bands.mark_text(
        align="left", fontSize=alt.expr("max(10, width / 38)"), fontWeight=700, color=ink
    ).encode(y("title_at"), x=left, text="title:N")
    rules = bands.mark_text(align="left", fontSize=small, color=QUIET, fontWeight=600).encode(
        y("rule_at"), x=left, text="rule:N"
    )
    bugs = bands.mark_text(align="left", fontSize=small, fontWeight=600, color=BROKEN).encode(
        y("bug_at"), x=left, text="bug:N"
    )
    end = bands.mark_rule(color=QUIET, strokeWidth=2).encode(
        _hidden(alt.X, "end", xs), y("top"), alt.Y2("bottom:Q")
    )
    times = _table("times").mark_text(fontSize=12, color=QUIET).encode(x, y("y"), text="text:N")
    numbers = lines.transform_filter("datum.step == 0")
    right_text = numbers.transform_calculate(text="format(datum.advantage, '.2f')")
    wrong_text = numbers.transform_calculate(text="'✗ ' + format(datum.bug, '.2f')")
    look: dict[str, Any] = {"align": "left", "dx": 22, "fontSize": LETTERS + 1, "fontWeight": 700}
    return (
        zero
        + name
        + end
        + times
        + wrong
        + crosses
        + right
        + dots
        + titles
        + rules
        + bugs
        + right_text.mark_text(**look, color=COLOR["gae"]).encode(x, y("right"), text="text:N")
        + wrong_text.mark_text(**look, color=BROKEN).encode(x, y("wrong_at"), text="text:N")
    ).add_params(live("lam_at", field, start))


# --- windows ---


def windows(
    field: str, start: int, errors: tuple[float, ...], top: float, ink: str
) -> alt.LayerChart:
    """The bias of GAE in windows of a few steps, one line for each λ.

    Tables: bias (label, at: place on the axis, gae_lambda, name, bias at ε = 1), zero.
    """
    base = _table("bias").transform_calculate(
        size=f"datum.bias * {list(errors)}[toNumber(error_at)]"
    )
    x = alt.X("label:N").title("steps in a window").sort(field="at", order="ascending")
    x = x.axis(labelAngle=0, labelFontSize=13, ticks=False, labelExpr="split(datum.label, ' ')")
    y = alt.Y("size:Q").title("bias, divided by ‖∇J‖").scale(domain=[0, top], nice=False)
    y = y.axis(tickCount=5, grid=False)
    names = ["λ = 0", "λ = 0.5", "λ = 0.95", "λ = 1"]
    color = alt.Color("name:N", legend=None).scale(
        domain=names, range=[COLOR["actor-critic"], COLOR["ppo"], COLOR["gae"], COLOR["baseline"]]
    )
    shape = alt.Shape("name:N", legend=None).scale(
        domain=names, range=["square", "diamond", "circle", "triangle-up"]
    )
    lines = base.mark_line(strokeWidth=2.5).encode(x, y, color, alt.Detail("name:N"))
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x, y, color, shape, tooltip=["name:N", "label:N", alt.Tooltip("size:Q", format=".4f")]
    )
    text = (
        base.transform_filter("datum.named")
        .mark_text(align="left", dx=8, dy=-10, fontSize=LETTERS, fontWeight=700)
        .encode(x, y, color, text="name:N")
    )
    return (lines + dots + text).add_params(live("error_at", field, start))


# --- line by line ---


def both_sides(broken: bool, ink: str) -> alt.LayerChart:
    """Left sides against right sides: what is equal lies on the diagonal.

    Tables: sides (left, right), diagonal (left, right).
    """
    x = alt.X("right:Q").title("right side").scale(zero=False).axis(tickCount=5)
    y = alt.Y("left:Q").title("left side").scale(zero=False).axis(tickCount=5)
    line = _table("diagonal").mark_line(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2)
    dots = _table("sides")
    tooltip = [alt.Tooltip("left:Q", format=".5f"), alt.Tooltip("right:Q", format=".5f")]
    if broken:
        marks = dots.mark_point(shape=CROSS, size=60, strokeWidth=2.2, color=BROKEN, opacity=0.8)
    else:
        marks = dots.mark_point(filled=True, size=55, color=COLOR["gae"], opacity=0.55)
    return line.encode(x, y) + marks.encode(x, y, tooltip=tooltip)


# --- on CartPole ---


def sweep(budget: float, low: float) -> alt.LayerChart:
    """Steps until solved against λ: seeds faint, the mean of their middle half and its interval.

    Tables: seeds, before (label, steps, solved), summary (label, steps, low, high).
    """
    x = alt.X("label:O", sort=None).title("λ").axis(labelAngle=0, ticks=False, labelFontSize=14)
    y = alt.Y("steps:Q").title("environment steps until solved")
    y = y.scale(type="log", domain=[low, budget * 1.05], nice=False).axis(
        labelExpr=SHORT,
        values=[60_000, 70_000, 80_000, 90_000, 100_000, 120_000, 150_000, 200_000, 250_000],
    )
    dots = (
        _table("seeds")
        .transform_filter("datum.solved")
        .mark_point(filled=True, size=34, opacity=0.35, color=COLOR["gae"])
        .encode(x, y, tooltip=["label:O", "seed:Q", alt.Tooltip("steps:Q", format=",.0f")])
    )
    unsolved = (
        _table("seeds")
        .transform_filter("!datum.solved")
        .mark_point(shape=CROSS, size=70, strokeWidth=2.2, color=BROKEN, opacity=0.9)
        .encode(x, y)
    )
    before = (
        _table("before")
        .mark_point(size=220, strokeWidth=1.5, color=QUIET, opacity=0.8)
        .encode(x, y, tooltip=["label:O", alt.Tooltip("steps:Q", title="recorded", format=",.0f")])
    )
    base = _table("summary")
    interval = base.mark_rule(strokeWidth=3.5, color=COLOR["gae"]).encode(
        x, alt.Y("low:Q").title("environment steps until solved"), alt.Y2("high:Q")
    )
    middle = base.mark_point(filled=True, size=130, opacity=1, color=COLOR["gae"]).encode(
        x, y,
        tooltip=[
            "label:O",
            alt.Tooltip("steps:Q", title="mean of the middle half", format=",.0f"),
            alt.Tooltip("low:Q", format=",.0f"),
            alt.Tooltip("high:Q", format=",.0f"),
        ],
    )  # fmt: skip
    return before + dots + unsolved + interval + middle


def sweep_curves() -> alt.Chart:
    """Returns along training, a line for each λ. Table: curves (env_steps, trailing_return, label)."""
    names = ["0", "0.5", "0.8", "0.9", "0.95", "0.98", "1"]
    dashes = [DASH["actor-critic"], [8, 3], [1, 0], [1, 0], [1, 0], [1, 0], DASH["baseline"]]
    widths = [2.5, 1.5, 1, 1, 3, 1, 2.5]
    colors = [COLOR["actor-critic"], *[COLOR["gae"]] * 5, COLOR["baseline"]]
    legend = alt.Legend(title="λ", orient="right")
    return (
        _table("curves")
        .mark_line(clip=True)
        .encode(
            alt.X("env_steps:Q").title("steps of each learner").axis(labelExpr=SHORT, tickCount=4),
            alt.Y("trailing_return:Q").title("return").axis(values=[0, 100, 200, 300, 400, 475]),
            alt.Color("label:N").scale(domain=names, range=colors).legend(legend),
            alt.StrokeDash("label:N").scale(domain=names, range=dashes).legend(legend),
            alt.StrokeWidth("label:N").scale(domain=names, range=widths).legend(legend),
        )
    )


def within_budget(num_seeds: int, ink: str) -> alt.LayerChart:
    """Seeds solved within the budget against λ: the recorded sweep, and one's own attempts.

    Tables: recorded (gae_lambda, solved), attempts (gae_lambda, solved, text, last), yours (gae_lambda).
    """
    x = alt.X("gae_lambda:Q").title("λ").scale(domain=[-0.03, 1.03], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f")
    y = alt.Y("solved:Q").title(f"learners that solved it, of {num_seeds}")
    y = y.scale(domain=[-0.6, num_seeds * 1.12], nice=False).axis(
        values=list(range(0, num_seeds + 1, 4)), format="d"
    )
    yours = _table("yours").mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
    recorded = _table("recorded")
    line = recorded.mark_line(color=COLOR["gae"], strokeWidth=1.5, opacity=0.6).encode(x, y)
    dots = recorded.mark_point(size=80, strokeWidth=2, color=COLOR["gae"], opacity=0.9).encode(
        x, y, tooltip=[alt.Tooltip("gae_lambda:Q", title="λ"), "solved:Q"]
    )
    attempts = _table("attempts")
    size = alt.Size("last:N", legend=None).scale(domain=[False, True], range=[110, 260])
    mine = attempts.mark_point(filled=True, shape="diamond", color=ink, opacity=1).encode(
        x, y, size, tooltip=[alt.Tooltip("gae_lambda:Q", title="λ"), "solved:Q", "steps:Q"]
    )
    names = attempts.mark_text(dy=-17, fontSize=13, fontWeight=700, color=ink).encode(
        x, y, text="text:N"
    )
    return yours + line + dots + mine + names
