"""Charts of the page on the actor-critic, each a constant specification over named tables.

A slider redraws its chart while it moves: it writes its position into a hidden field, and a
parameter of the chart follows that field. `ink` is the colour of the exact truth.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from pgviz.charts.gae import live
from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, QUIET, TRUTH_DASH

RETURN, SUBTRACTED, BOOTSTRAPPED = (COLOR[n] for n in ("reinforce", "baseline", "actor-critic"))
LETTERS = 14
CROSS = "M-1,-1L1,1M-1,1L1,-1"
LABEL: dict[str, Any] = {"fontSize": LETTERS, "fontWeight": 700}


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _hidden(channel: type, field: str, domain: Sequence[float]) -> alt.X | alt.Y:
    return channel(f"{field}:Q").scale(domain=domain, nice=False).axis(None)


# --- the return waits for the end, and gathers noise ---


def fan(field: str, start: int, longest: int, top: float, ink: str) -> alt.LayerChart:
    """Sums of rewards that fan out until the episode ends, around their exact mean and spread.

    Tables: lines (future, k, total), spread (k, mean, low, high).
    """
    x = alt.X("k:Q").title("steps after the action").scale(domain=[0, 1.24 * longest], nice=False)
    x = x.axis(values=list(range(0, longest + 1, longest // 4)), grid=False)
    y = alt.Y("total:Q").title("sum of the rewards so far").scale(domain=[0, top], nice=False)
    y = y.axis(tickCount=6)
    counted, here = "datum.k <= toNumber(left)", "datum.k == toNumber(left)"
    lines = _table("lines").transform_filter(counted)
    spread = _table("spread").transform_filter(counted)
    end = _table("spread").transform_filter(here)
    said = end.transform_calculate(
        text="'± ' + format(datum.high - datum.mean, '.2f')", at="datum.k"
    )
    rule = end.mark_rule(color=QUIET, strokeWidth=1.5).encode(x)
    name: dict[str, Any] = {"color": QUIET, "fontSize": 13, "fontWeight": 600, "baseline": "top"}
    return (
        spread.mark_area(opacity=0.22, color=RETURN).encode(
            x, alt.Y("low:Q").scale(domain=[0, top], nice=False), alt.Y2("high:Q")
        )
        + lines.mark_line(color=RETURN, strokeWidth=1, opacity=0.45).encode(
            x, y, alt.Detail("future:N")
        )
        + spread.mark_line(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2).encode(
            x, alt.Y("mean:Q").title("sum of the rewards so far")
        )
        + rule
        + end.transform_filter("datum.k > 14")
        .mark_text(align="right", dx=-6, **name)
        .encode(x, y=alt.value(4), text=alt.value("the episode ends: G is known"))
        + end.transform_filter("datum.k <= 14")
        .mark_text(align="left", dx=6, **name)
        .encode(x, y=alt.value(4), text=alt.value("the episode ends: G is known"))
        + lines.transform_filter(here)
        .mark_point(filled=True, size=50, opacity=0.5, color=RETURN)
        .encode(x, y, tooltip=[alt.Tooltip("total:Q", title="G")])
        + end.mark_rule(color=RETURN, strokeWidth=4).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"))
        + said.mark_text(align="left", dx=10, color=RETURN, **LABEL).encode(
            x, alt.Y("mean:Q"), text="text:N"
        )
    ).add_params(live("left", field, start))


# --- averages of continuations ---


def _samples(most: int) -> alt.X:
    x = alt.X("n:Q").title("continuations N").scale(type="log", domain=[0.9, 3 * most], nice=False)
    return x.axis(values=[1, 3, 10, 30, 100, 300], grid=False)


def averages(field: str, start: int, numbers: tuple[int, ...], ink: str) -> alt.LayerChart:
    """The mean of the first N returns, and the returns themselves, around the exact Q.

    Tables: returns (n, total, mean), exact (value, label), other (value, label).
    """
    x = _samples(numbers[-1])
    num = f"{list(numbers)}[toNumber(num_at)]"
    y = alt.Y("total:Q").title("reward-to-go G").scale(domain=[-0.4, 6.4], nice=False)
    y = y.axis(values=list(range(7)))
    base = _table("returns").transform_filter(f"datum.n <= {num}")
    here = _table("returns").transform_filter(f"datum.n == {num}")
    exact, other = _table("exact"), _table("other")
    edge: dict[str, Any] = {"align": "right", "dy": -10, "fontSize": LETTERS}
    return (
        base.mark_point(filled=True, size=30, opacity=0.28, color=RETURN).encode(x, y)
        + other.mark_rule(color=QUIET, strokeDash=[2, 3], strokeWidth=2).encode(alt.Y("value:Q"))
        + other.mark_text(color=QUIET, **edge).encode(
            alt.Y("value:Q"), x=alt.value("width"), text="label:N"
        )
        + exact.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.5).encode(
            alt.Y("value:Q")
        )
        + exact.mark_text(color=ink, fontWeight=700, **edge).encode(
            alt.Y("value:Q"), x=alt.value("width"), text="label:N"
        )
        + base.mark_line(color=RETURN, strokeWidth=3).encode(x, alt.Y("mean:Q"))
        + here.mark_point(filled=True, size=130, opacity=1, color=RETURN).encode(
            x, alt.Y("mean:Q"), tooltip=["n:Q", alt.Tooltip("mean:Q", format=".3f")]
        )
        + here.transform_calculate(text="'mean ' + format(datum.mean, '.2f')")
        .mark_text(dy=20, color=RETURN, **LABEL)
        .encode(x, alt.Y("mean:Q"), text="text:N")
    ).add_params(live("num_at", field, start))


def advantages(field: str, start: int, numbers: tuple[int, ...], ink: str) -> alt.LayerChart:
    """The mean of the first N TD errors and of the first N of G − V, around the exact advantage.

    Tables: means (name, n, x, mean), exact (value, label), names (name, label, place).
    """
    x = _samples(numbers[-1])
    num = f"{list(numbers)}[toNumber(num_at)]"
    domain = [-4.3, 4.6]
    y = alt.Y("x:Q").title("estimate of the advantage").scale(domain=domain, nice=False)
    y = y.axis(values=[-4, -2, 0, 2, 4])
    mean = alt.Y("mean:Q").title("estimate of the advantage")
    names = ["baseline", "actor-critic"]
    color = alt.Color("name:N", legend=None).scale(domain=names, range=[SUBTRACTED, BOOTSTRAPPED])
    shape = alt.Shape("name:N", legend=None).scale(domain=names, range=["circle", "square"])
    dash = alt.StrokeDash("name:N", legend=None).scale(domain=names, range=[[1, 0], [3, 2]])
    base = _table("means").transform_filter(f"datum.n <= {num}")
    here = _table("means").transform_filter(f"datum.n == {num}")
    exact, labels = _table("exact"), _table("names")
    return (
        base.mark_point(filled=True, size=30, opacity=0.3).encode(x, y, color, shape)
        + exact.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.5).encode(
            alt.Y("value:Q")
        )
        + exact.mark_text(color=ink, align="right", dy=-12, **LABEL).encode(
            alt.Y("value:Q"), x=alt.value("width"), text="label:N"
        )
        + base.mark_line(strokeWidth=3).encode(x, mean, color, dash)
        + here.mark_point(filled=True, size=130, opacity=1).encode(
            x, mean, color, shape, tooltip=["n:Q", alt.Tooltip("mean:Q", format="+.3f")]
        )
        + labels.mark_text(align="right", **LABEL).encode(
            alt.Y("place:Q").scale(domain=domain), color, x=alt.value("width"), text="label:N"
        )
    ).add_params(live("num_at", field, start))


# --- one reward, then the value of the next state ---


def two_distributions(
    fields: tuple[str, str], starts: tuple[int, int], num_steps: int, ink: str
) -> alt.LayerChart:
    """How likely each G is, above how likely each r + V(s′) is; both have the mean Q.

    Tables: bars (rung, left, kind: G or δ, value, probability), exact (rung, left, value).
    rung and left are positions of their sliders.
    """
    xs, ys = [-0.5, num_steps + 0.5], [-0.05, 2.5]
    mine = "datum.rung == toNumber(rung_at) && datum.left == toNumber(left_at)"
    bars = (
        _table("bars")
        .transform_filter(mine)
        .transform_calculate(
            base="datum.kind == 'G' ? 1.3 : 0.02",
            first="datum.value - 0.15",
            last="datum.value + 0.15",
        )
        .transform_calculate(
            high="datum.base + 0.85 * datum.probability",
            text="datum.probability < 0.005 ? '<0.01' : format(datum.probability, '.2f')",
        )
    )
    color = alt.Color("kind:N", legend=None).scale(
        domain=["G", "one step"], range=[RETURN, BOOTSTRAPPED]
    )
    x = alt.X("first:Q").title("what multiplies the score").scale(domain=xs, nice=False)
    x = x.axis(values=list(range(num_steps + 1)), grid=False, labelFontSize=13, format="d")
    exact = _table("exact").transform_filter(mine)
    value = alt.X("value:Q").title("what multiplies the score")
    names = _table("names")
    return (
        bars.mark_rect(opacity=0.75, cornerRadius=2).encode(
            x, _hidden(alt.Y, "base", ys), color, alt.X2("last:Q"), alt.Y2("high:Q"),
            tooltip=["value:Q", alt.Tooltip("probability:Q", format=".3f")],
        )
        + bars.mark_text(dy=-8, fontSize=13).encode(
            value, _hidden(alt.Y, "high", ys), color, text="text:N"
        )
        + names.mark_rule(color=QUIET).encode(_hidden(alt.Y, "base", ys))
        + exact.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.5).encode(value)
        + exact.transform_calculate(text="'mean Q = ' + format(datum.value, '.2f')")
        .mark_text(color=ink, align="left", dx=7, baseline="top", **LABEL)
        .encode(value, y=alt.value(2), text="text:N")
        + names.mark_text(align="right", **LABEL).encode(
            _hidden(alt.Y, "place", ys), color, x=alt.value("width"), text="label:N"
        )
    ).add_params(live("rung_at", fields[0], starts[0]), live("left_at", fields[1], starts[1]))  # fmt: skip


# --- the sign of the advantage ---


def signs(field: str, start: int, num_updates: int) -> alt.LayerChart:
    """π(climb) along exact updates, with the sign kept and with it flipped.

    Table: paths (sign: kept or flipped, update, share, objective).
    """
    x = alt.X("update:Q").title("update").scale(domain=[0, 1.36 * num_updates], nice=False)
    x = x.axis(values=list(range(0, num_updates + 1, num_updates // 6)), grid=False)
    y = alt.Y("share:Q").title("probability of climb, π(climb)")
    y = y.scale(domain=[-0.03, 1.03], nice=False).axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    paths = _table("paths")
    kept, flipped = (f"datum.sign == '{sign}'" for sign in ("kept", "flipped"))
    here = "datum.update == toNumber(update_at)"
    said = (
        paths.transform_filter(here)
        .transform_joinaggregate(both="mean(share)", high="max(share)", low="min(share)")
        .transform_calculate(
            text="(datum.sign == 'kept' ? 'sign kept: ' : '✗ flipped: ') + 'J = '"
            " + format(datum.objective, '.2f')",
            # between the lines, which part from each other; above and below where they do not
            place="datum.high - datum.low > 0.3"
            " ? datum.share - 0.07 * (datum.sign == 'kept' ? 1 : -1)"
            " : datum.both + 0.05 * (datum.sign == 'kept' ? 1 : -1)",
        )
    )
    text: dict[str, Any] = {"align": "left", "dx": 12, **LABEL}
    return (
        paths.mark_rule(color=QUIET, strokeDash=[2, 3], opacity=0.5).encode(y=alt.datum(0.5))
        + paths.transform_filter(flipped)
        .mark_line(color=BROKEN, strokeWidth=3, strokeDash=BROKEN_DASH).encode(x, y)
        + paths.transform_filter(kept)
        .mark_line(color=BOOTSTRAPPED, strokeWidth=3).encode(x, y)
        + paths.transform_filter(f"{here} && {flipped}")
        .mark_point(shape=CROSS, size=150, strokeWidth=3.5, color=BROKEN, opacity=1).encode(x, y)
        + paths.transform_filter(f"{here} && {kept}")
        .mark_point(filled=True, size=150, color=BOOTSTRAPPED, opacity=1).encode(x, y)
        + said.transform_filter(kept).mark_text(color=BOOTSTRAPPED, **text)
        .encode(x, alt.Y("place:Q"), text="text:N")
        + said.transform_filter(flipped).mark_text(color=BROKEN, **text)
        .encode(x, alt.Y("place:Q"), text="text:N")
    ).add_params(live("update_at", field, start))  # fmt: skip
