"""Charts of the page on the actor-critic, each a constant specification over named tables.

A slider redraws its chart while it moves: it writes its position into a hidden field, and a
parameter of the chart follows that field. `ink` is the colour of the exact truth.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from pgviz.charts.gae import live
from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, QUIET, TRUTH_DASH
from pgviz.worlds.world import find

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
    # the end that is set, and beside it an earlier one: an episode of a quarter of the longest
    both = "datum.k == toNumber(left) || (datum.k == {0} && toNumber(left) >= {1})"
    ends = _table("spread").transform_filter(both.format(longest // 4, longest // 2))
    said = ends.transform_calculate(
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
        + ends.mark_rule(color=RETURN, strokeWidth=4).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"))
        + said.transform_filter("datum.k == toNumber(left)")
        .mark_text(align="left", dx=10, color=RETURN, **LABEL)
        .encode(x, alt.Y("mean:Q"), text="text:N")
        + said.transform_filter("datum.k < toNumber(left)")
        .mark_text(align="right", dx=-6, dy=-6, color=RETURN, **LABEL)
        .encode(x, alt.Y("high:Q"), text="text:N")
    ).add_params(live("left", field, start))


# --- averages of continuations ---


def _samples(most: int) -> alt.X:
    x = alt.X("n:Q").title("continuations N").scale(type="log", domain=[0.9, 8 * most], nice=False)
    return x.axis(values=[1, 3, 10, 30, 100, 300], grid=False)


def averages(field: str, start: int, numbers: tuple[int, ...], ink: str) -> alt.LayerChart:
    """The mean of the first N returns, and the returns themselves, around the exact Q.

    Tables: returns (n, total, mean, above: where its label stands), exact (value, label), other
    (value, label).
    """
    x = _samples(numbers[-1])
    num = f"{list(numbers)}[toNumber(num_at)]"
    y = alt.Y("total:Q").title("reward-to-go G").scale(domain=[-0.4, 6.4], nice=False)
    y = y.axis(values=list(range(7)), grid=False)
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
        .transform_filter("datum.above")
        .mark_text(align="left", dx=-8, dy=-18, color=RETURN, **LABEL)
        .encode(x, alt.Y("mean:Q"), text="text:N")
        + here.transform_calculate(text="'mean ' + format(datum.mean, '.2f')")
        .transform_filter("!datum.above")
        .mark_text(align="left", dx=-8, dy=22, color=RETURN, **LABEL)
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
        + here.transform_filter("datum.name == 'baseline'")
        .mark_point(size=240, strokeWidth=3, opacity=1)
        .encode(x, mean, color, shape, tooltip=["n:Q", alt.Tooltip("mean:Q", format="+.3f")])
        + here.transform_filter("datum.name == 'actor-critic'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(x, mean, color, shape, tooltip=["n:Q", alt.Tooltip("mean:Q", format="+.3f")])
        + labels.mark_text(align="right", **LABEL).encode(
            alt.Y("place:Q").scale(domain=domain), color, x=alt.value("width"), text="label:N"
        )
    ).add_params(live("num_at", field, start))


# --- one reward, then the value of the next state ---


_RIGHT_END: dict[str, Any] = {"align": "right", "dx": -2}
_MIDDLE: dict[str, Any] = {"align": "center"}
_LEFT_END: dict[str, Any] = {"align": "left", "dx": 5}


def two_distributions(
    fields: tuple[str, str], starts: tuple[int, int], num_steps: int, ink: str
) -> alt.LayerChart:
    """How likely each G is, above how likely each r + V(s′) is; both have the mean Q.

    Tables: bars (rung, left, kind: G or one step, value, probability, side: where its numbers stand),
    exact (rung, left, value).
    rung and left are positions of their sliders.
    """
    xs, ys = [-0.5, num_steps + 0.5], [-0.22, 2.5]
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
    texts = []  # a number close to the line of the mean stands on its own side of it
    for side, place in (("left", _RIGHT_END), ("on", _MIDDLE), ("right", _LEFT_END)):
        here = bars.transform_filter(f"datum.side == '{side}'")
        texts += [
            here.mark_text(dy=-8, fontSize=13, **place).encode(
                value, _hidden(alt.Y, "high", ys), color, text="text:N"
            ),
            here.transform_filter("datum.kind != 'G'")
            .transform_calculate(text="format(datum.value, '.2f')")
            .mark_text(dy=11, fontSize=13, fontWeight=700, **place)
            .encode(value, _hidden(alt.Y, "base", ys), color, text="text:N"),
        ]
    chart = (
        bars.mark_rect(opacity=0.75, cornerRadius=2).encode(
            x, _hidden(alt.Y, "base", ys), color, alt.X2("last:Q"), alt.Y2("high:Q"),
            tooltip=["value:Q", alt.Tooltip("probability:Q", format=".3f")],
        )
        + names.mark_rule(color=QUIET).encode(_hidden(alt.Y, "base", ys))
        + exact.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2.5).encode(value)
        + exact.transform_calculate(text="'mean Q = ' + format(datum.value, '.2f')")
        .mark_text(color=ink, align="left", dx=7, baseline="top", **LABEL)
        .encode(value, y=alt.value(2), text="text:N")
        + names.mark_text(align="right", **LABEL).encode(
            _hidden(alt.Y, "place", ys), color, x=alt.value("width"), text="label:N"
        )
    )  # fmt: skip
    for each in texts:
        chart += each
    return chart.add_params(
        live("rung_at", fields[0], starts[0]), live("left_at", fields[1], starts[1])
    )


# --- the sign of the advantage ---


def signs(field: str, start: int, num_updates: int) -> alt.LayerChart:
    """π(climb) along exact updates, with the sign kept and with it flipped.

    Table: paths (sign: kept or flipped, update, share, objective).
    """
    x = alt.X("update:Q").title("update").scale(domain=[0, 1.52 * num_updates], nice=False)
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
            text="(datum.sign == 'kept' ? 'sign kept: π ' : '✗ flipped: π ')"
            " + format(datum.share, '.2f') + ', J = ' + format(datum.objective, '.2f')",
            # between the lines, which part from each other; above and below where they do not
            place="datum.high - datum.low > 0.3"
            " ? datum.share - 0.07 * (datum.sign == 'kept' ? 1 : -1)"
            " : datum.both + 0.05 * (datum.sign == 'kept' ? 1 : -1)",
        )
    )
    text: dict[str, Any] = {"align": "left", "dx": 12, **LABEL}
    return (
        paths.mark_rule(color=QUIET, strokeDash=[2, 3], opacity=0.5).encode(y=alt.datum(0.5))
        + said.transform_filter(f"{kept} && (datum.high - datum.low > 0.3 || datum.update < 20)")
        .mark_text(color=QUIET, align="right", dy=-10, fontSize=12)
        .encode(y=alt.datum(0.5), x=alt.value("width"), text=alt.value("before the first update"))
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


# --- two networks, one target ---

BOX = 1.5  # height of most boxes
HALVES = 2  # positions of a slider per unit of value


def networks(
    fields: tuple[str, str], starts: tuple[int, int], detached: bool, rate: float, ink: str
) -> alt.LayerChart:
    """Actor and critic on one transition: what is computed (thin), and where gradients go (thick).

    Tables: boxes (left, right, y, half: of its height, kind, head, alone: without a number), edges
    (x, y, x2, y2, kind), tips (x, y, kind, way), notes (x, y, text, kind), one (a single row).
    """
    xs, ys = [0, 12.1], [0.1, 8]
    broken = not detached
    kinds = ["forward", "actor", "critic", "cut"]
    colors = [QUIET, RETURN, BOOTSTRAPPED, BROKEN if broken else ink]
    color = alt.Color("kind:N", legend=None).scale(domain=kinds, range=colors)
    boxes = _table("boxes").transform_calculate(
        low="datum.y - datum.half",
        high="datum.y + datum.half",
        head_at="datum.y + (datum.alone ? 0 : 0.32)",
    )
    sides = {"x2": alt.X2("right:Q"), "y2": alt.Y2("high:Q")}
    place = _hidden(alt.X, "left", xs), _hidden(alt.Y, "low", ys)
    middle = boxes.transform_calculate(middle="(datum.left + datum.right) / 2")
    numbers = (
        _table("one")
        .transform_calculate(v=f"toNumber(value_at) / {HALVES}", w=f"toNumber(next_at) / {HALVES}")
        .transform_calculate(d="1 + datum.w - datum.v")
        .transform_calculate(push="datum.d" if detached else "datum.d + log(2)")
        .transform_calculate(
            v2=f"datum.v + {rate} * datum.push",
            w2="datum.w" if detached else f"datum.w - {rate} * datum.push",
            p2=f"1 / (1 + exp(-0.5 * {rate} * datum.d))",
        )
    )
    moved = "' → ' + format(datum.{}, '.2f')"
    texts = {
        "pi": (6.0, 6.9, "'0.50" + " → ' + format(datum.p2, '.2f')"),
        "value": (6.0, 4.3, "format(datum.v, '.1f') + " + moved.format("v2")),
        "next": (
            6.0,
            1.6,
            "format(datum.w, '.1f')" + (" + " + moved.format("w2") if broken else ""),
        ),
        "target": (
            10.35,
            1.6,
            "'1 + ' + format(datum.w, '.1f') + ' = ' + format(1 + datum.w, '.1f')"
            if detached
            else "format(1 + datum.w, '.1f') + ' → ' + format(1 + datum.w2, '.2f')",
        ),
        "error": (10.35, 4.3, "'y − V̂(s) = ' + format(datum.d, '+.1f')"),
        "push": (10.35, 6.9, "'δ = ' + format(datum.d, '+.1f')"),
    }
    chart = (
        boxes.mark_rect(cornerRadius=8, fillOpacity=0.1, strokeWidth=1.6).encode(
            *place, alt.Fill("kind:N", legend=None).scale(domain=kinds, range=colors),
            alt.Stroke("kind:N", legend=None).scale(domain=kinds, range=colors), **sides,
        )
        + middle.mark_text(fontSize=LETTERS, color=ink).encode(
            _hidden(alt.X, "middle", xs), _hidden(alt.Y, "head_at", ys), text="head:N"
        )
        + _table("edges").mark_rule().encode(
            _hidden(alt.X, "x", xs), _hidden(alt.Y, "y", ys), alt.X2("x2:Q"), alt.Y2("y2:Q"), color,
            alt.StrokeWidth("kind:N", legend=None).scale(domain=kinds, range=[1.5, 4, 4, 4]),
        )
        + _table("tips").mark_point(shape="triangle", filled=True, opacity=1).encode(
            _hidden(alt.X, "x", xs), _hidden(alt.Y, "y", ys), color,
            alt.Angle("way:Q").scale(domain=[0, 360], range=[0, 360]),
            alt.Size("kind:N", legend=None).scale(domain=kinds, range=[50, 150, 150, 150]),
        )
        + _table("notes").mark_text(fontSize=15, fontWeight=700, align="center").encode(
            _hidden(alt.X, "x", xs), _hidden(alt.Y, "y", ys), color, text="text:N"
        )
    )  # fmt: skip
    for name, (x, y, formula) in texts.items():
        red = broken and name in ("next", "target")
        chart += (
            numbers.transform_calculate(text=formula, x=str(x), y=str(y - 0.33))
            .mark_text(fontSize=LETTERS + 1, fontWeight=700, color=BROKEN if red else ink)
            .encode(_hidden(alt.X, "x", xs), _hidden(alt.Y, "y", ys), text="text:N")
        )
    return chart.add_params(
        live("value_at", fields[0], starts[0]), live("next_at", fields[1], starts[1])
    )


# --- the discount ---


def discounted(field: str, start: int, gammas: tuple[float, ...], longest: int) -> alt.LayerChart:
    """What the next n rewards of 1 count for. Table: steps (n)."""
    x = alt.X("n:Q").title("steps that the pole still stands, n")
    x = x.scale(domain=[0, 1.2 * longest], nice=False)
    x = x.axis(values=list(range(0, longest + 1, longest // 5)), grid=False)
    y = alt.Y("value:Q").title("value of a standing pole")
    y = y.scale(domain=[0, 1.08 * longest], nice=False)
    y = y.axis(values=list(range(0, longest + 1, longest // 5)))
    base = (
        _table("steps")
        .transform_calculate(g=f"{list(gammas)}[toNumber(gamma_at)]")
        .transform_calculate(
            value="datum.g == 1 ? datum.n : (1 - pow(datum.g, datum.n)) / (1 - datum.g)",
            most="datum.g == 1 ? NaN : 1 / (1 - datum.g)",
        )
    )
    last = base.transform_filter(f"datum.n == {longest}")
    bounded = last.transform_filter("datum.g < 1")
    return (
        base.mark_line(color=QUIET, strokeWidth=1.5, strokeDash=[2, 3]).encode(
            x, alt.Y("n:Q").title("value of a standing pole")
        )
        + base.mark_line(color=BOOTSTRAPPED, strokeWidth=3.5).encode(
            x, y, tooltip=["n:Q", alt.Tooltip("value:Q", format=".1f")]
        )
        + bounded.mark_rule(color=BOOTSTRAPPED, strokeDash=[3, 3], strokeWidth=1.5).encode(
            alt.Y("most:Q")
        )
        + bounded.transform_calculate(text="'never above ' + format(datum.most, ',.0f')")
        .mark_text(color=BOOTSTRAPPED, align="right", dy=-12, **LABEL)
        .encode(alt.Y("most:Q"), x=alt.value("width"), text="text:N")
        + last.transform_calculate(text="'γ = 1'")
        .mark_text(color=QUIET, align="left", dx=8, dy=6, **LABEL)
        .encode(x, alt.Y("n:Q"), text="text:N")
    ).add_params(live("gamma_at", field, start))


def left_out(
    field: str, start: int, gammas: tuple[float, ...], longest: int, ink: str
) -> alt.LayerChart:
    """The factor of a score at step t: γ^t in the theorem, 1 in most code. Table: steps (n)."""
    x = alt.X("n:Q").title("step t of the episode").scale(domain=[0, 1.2 * longest], nice=False)
    x = x.axis(values=list(range(0, longest + 1, longest // 5)), grid=False)
    y = alt.Y("factor:Q").title("factor before the score").scale(domain=[0, 1.12], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    base = _table("steps").transform_calculate(
        factor=f"pow({list(gammas)}[toNumber(gamma_at)], datum.n)", one="1"
    )
    half = base.transform_filter(f"datum.n == {longest}")
    return (
        base.mark_line(color=BOOTSTRAPPED, strokeWidth=3.5).encode(
            x, alt.Y("one:Q").title("factor before the score")
        )
        + base.mark_line(color=ink, strokeWidth=3, strokeDash=TRUTH_DASH).encode(x, y)
        + half.mark_text(color=BOOTSTRAPPED, align="left", dx=8, dy=-12, text="most code: 1", **LABEL)
        .encode(x, alt.Y("one:Q"))
        + half.mark_text(color=ink, align="left", dx=8, dy=12, text="theorem: γᵗ", **LABEL)
        .encode(x, y)
    ).add_params(live("gamma_at", field, start))  # fmt: skip


# --- the same critic, two uses ---

USES = ["baseline", "actor-critic"]


def _use() -> tuple[alt.Color, alt.StrokeDash]:
    colors = [SUBTRACTED, BOOTSTRAPPED]
    return (
        alt.Color("name:N", legend=None).scale(domain=USES, range=colors),
        alt.StrokeDash("name:N", legend=None).scale(domain=USES, range=[[1, 0], [5, 2]]),
    )


def walks(field: str, start: int, num_steps: int, ink: str) -> alt.LayerChart:
    """π(right) along the mean of ĝ of both uses, from the start that the slider stands on.

    Tables: paths (at, name, step, probability, objective), ends (at, name, step, probability,
    text), best (probability), guess (name, probability).
    """
    x = alt.X("step:Q").title("update").scale(domain=[0, 1.42 * num_steps], nice=False)
    x = x.axis(values=list(range(0, num_steps + 1, 20)), grid=False)
    y = alt.Y("probability:Q").title("p = π(right)").scale(domain=[0, 1.06], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    color, dash = _use()
    mine = "datum.at == toNumber(start_at)"
    paths, ends = (_table(name).transform_filter(mine) for name in ("paths", "ends"))
    best, guess = _table("best"), _table("guess")
    return (
        best.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=1.5).encode(y)
        + best.mark_text(color=ink, align="right", dy=12, fontSize=13, text="best p, 2 − √2")
        .encode(y, x=alt.value("width"))
        + paths.mark_line(strokeWidth=3.5).encode(
            x, y, color, dash,
            tooltip=["step:Q", alt.Tooltip("probability:Q", format=".3f"),
                     alt.Tooltip("objective:Q", title="J", format=".2f")],
        )
        + ends.mark_point(filled=True, size=140, opacity=1).encode(x, y, color)
        + ends.transform_filter("datum.name == 'baseline'")
        .mark_text(align="left", dx=8, dy=-13, **LABEL).encode(x, y, color, text="text:N")
        + ends.transform_filter("datum.name == 'actor-critic'")
        .mark_text(align="left", dx=11, dy=2, **LABEL).encode(x, y, color, text="text:N")
        + guess.mark_point(shape="diamond", size=170, strokeWidth=2.5, opacity=1).encode(
            y, color, x=alt.datum(0.82 * num_steps)
        )
        + guess.mark_text(dy=18, fontSize=13, text="you").encode(
            y, color, x=alt.datum(0.82 * num_steps)
        )
    ).add_params(live("start_at", field, start))  # fmt: skip


def of_error(
    quantity: str, title: str, field: str, start: int, errors: tuple[float, ...], top: float
) -> alt.LayerChart:
    """bias² or variance of both uses against the critic's error.

    Tables: uses (name, error, quantity), names (name, error, quantity, label).
    """
    below = quantity == "variance"
    x = alt.X("error:Q").title("error of the critic, ε" if below else None)
    x = x.scale(domain=[0, 1.02], nice=False)
    x = x.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f", grid=False, labels=below)
    y = alt.Y(f"{quantity}:Q").title(title).scale(domain=[0, top], nice=False)
    y = y.axis(tickCount=3, minExtent=40, grid=False)
    color, dash = _use()
    uses = _table("uses")
    here = uses.transform_filter(f"abs(datum.error - {list(errors)}[toNumber(error_at)]) < 0.001")
    return (
        here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + uses.mark_line(strokeWidth=3).encode(x, y, color, dash)
        + here.mark_point(filled=True, size=120, opacity=1).encode(
            x, y, color, tooltip=[alt.Tooltip("error:Q", title="ε"), alt.Tooltip(f"{quantity}:Q")]
        )
        + _table("names").mark_text(align="right", dy=-12, **LABEL).encode(
            x, y, color, text="label:N"
        )
    ).add_params(live("error_at", field, start))  # fmt: skip


def closer(
    error_field: str, num_field: str, error_start: int, num_start: int,
    errors: tuple[float, ...], numbers: tuple[int, ...], ink: str,
) -> alt.LayerChart:  # fmt: skip
    """bias² + variance / N of both uses against N. Table: parts (name, num, bias, c0, c1, c2)."""
    x = alt.X("num:Q").title("episodes N").scale(type="log", domain=[1, 1000], nice=False)
    x = x.axis(values=[1, 3, 10, 30, 100, 300, 1000], grid=False)
    y = alt.Y("size:Q").title("mean squared error of ĝ")
    y = y.scale(type="log", domain=[0.0015, 12], nice=False)
    y = y.axis(values=[0.001, 0.01, 0.1, 1, 10], labelExpr="format(datum.value, '~g')")
    color, dash = _use()
    base = (
        _table("parts")
        .transform_calculate(e=f"{list(errors)}[toNumber(error_at)]")
        .transform_calculate(
            size="datum.e * datum.e * datum.bias + (datum.c0 + datum.c1 * datum.e"
            " + datum.c2 * datum.e * datum.e) / datum.num"
        )
    )
    here = base.transform_filter(f"datum.num == {list(numbers)}[toNumber(num_at)]")
    ordered = here.transform_joinaggregate(most="max(size)", least="min(size)")
    last = base.transform_filter("datum.num == 1000")
    said = ordered.transform_calculate(text="format(datum.size, '.3f')")
    return (
        here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + base.mark_line(strokeWidth=3.5).encode(x, y, color, dash)
        + base.transform_filter("datum.num == 100 && datum.name == 'baseline'")
        .mark_text(align="left", dx=9, dy=-6, text="subtracted", **LABEL).encode(x, y, color)
        + last.transform_filter("datum.name != 'baseline'")
        .mark_text(align="right", dy=-13, text="bootstrapped", **LABEL).encode(x, y, color)
        + here.mark_point(filled=True, size=130, opacity=1).encode(x, y, color)
        + said.transform_filter("datum.size == datum.most")
        .mark_text(align="left", dx=9, dy=-12, **LABEL).encode(x, y, color, text="text:N")
        + said.transform_filter("datum.size == datum.least && datum.most > datum.least")
        .mark_text(align="left", dx=9, dy=14, **LABEL).encode(x, y, color, text="text:N")
    ).add_params(
        live("error_at", error_field, error_start), live("num_at", num_field, num_start)
    )  # fmt: skip


# --- on CartPole ---

TITLE_RETURN = "return, mean of the last 100 episodes"
THOUSANDS = "datum.value ? format(datum.value / 1000, 'd') + 'k' : '0'"


def _by_steps(budget: float, room: float = 1.0, world: str = "CartPole-v1") -> tuple[alt.X, alt.Y]:
    x = alt.X("env_steps:Q").title("environment steps of one seed")
    x = x.scale(domain=[0, room * budget], nice=False)
    x = x.axis(tickCount=6, labelExpr=THOUSANDS, grid=False)
    low, high = find(world).returns or (0, 1)
    y = alt.Y("trailing_return:Q").title(TITLE_RETURN).scale(domain=[low, high + 20], nice=False)
    return x, y.axis(values=[low + k * (high - low) / 5 for k in range(6)])


def _solved(table: str, y: alt.Y, world: str = "CartPole-v1") -> alt.LayerChart:
    solved_at = find(world).solved_at
    line = _table(table).transform_aggregate(rows="count()")
    line = line.transform_calculate(trailing_return=f"{solved_at:g}").encode(y)
    text = f"solved: {solved_at:g}".replace("-", "−")
    return line.mark_rule(color=QUIET, strokeDash=[2, 3]) + line.mark_text(
        color=QUIET, fontSize=12, align="left", dx=6, dy=10, text=text
    ).encode(x=alt.value(0))


def beside(budget: float, world: str) -> alt.LayerChart:
    """Return against steps of both methods: every seed faint, the mean of the middle half strong.

    Tables: seeds (method, seed, env_steps, trailing_return), curves and before (method, env_steps,
    trailing_return), names (method, label, place).
    """
    x, y = _by_steps(budget, world=world)
    names = ["reinforce", "actor-critic"]
    color = alt.Color("method:N", legend=None).scale(domain=names, range=[RETURN, BOOTSTRAPPED])
    dash = alt.StrokeDash("method:N", legend=None).scale(domain=names, range=[[1, 0], [5, 2]])
    low, high = find(world).returns or (0, 1)
    place = alt.Y("place:Q").scale(domain=[low, high + 20], nice=False)
    key = _table("names").transform_calculate(
        left=str(0.7 * budget), right=str(0.77 * budget), middle=str(0.78 * budget)
    )
    return (
        _solved("curves", y, world)
        + _table("seeds")
        .mark_line(strokeWidth=1, opacity=0.3, clip=True)
        .encode(x, y, color, alt.Detail("seed:N"), tooltip=["method:N", "seed:Q"])
        + _table("before").mark_line(strokeWidth=2, opacity=0.35, clip=True).encode(
            x, y, dash, alt.Detail("method:N"), color=alt.value(QUIET)
        )
        + _table("curves").mark_line(strokeWidth=3.5, clip=True).encode(
            x, y, color, dash,
            tooltip=["method:N", alt.Tooltip("env_steps:Q", format=",.0f"),
                     alt.Tooltip("trailing_return:Q", format=".0f")],
        )
        + key.mark_rule(strokeWidth=3.5).encode(
            alt.X("left:Q"), place, color, dash, x2="right:Q"
        )
        + key.mark_text(align="left", **LABEL).encode(
            alt.X("middle:Q"), place, color, text="label:N"
        )
    )  # fmt: skip


def switched(budget: float) -> alt.LayerChart:
    """Return against steps with and without one change: seeds faint, their middle strong.

    Tables: seeds (kind: intact or changed, seed, env_steps, trailing_return), curves and before
    (kind, env_steps, trailing_return), names (kind, label, env_steps, place).
    """
    x, y = _by_steps(budget, 1.4)
    intact, changed = (f"datum.kind == '{kind}'" for kind in ("intact", "changed"))
    seeds, curves, names = _table("seeds"), _table("curves"), _table("names")
    thin: dict[str, Any] = {"strokeWidth": 1.2, "opacity": 0.4, "clip": True}
    place = alt.Y("place:Q").scale(domain=[0, 520], nice=False)
    text: dict[str, Any] = {"align": "left", "dx": 9, **LABEL}
    return (
        _solved("curves", y)
        + seeds.transform_filter(intact).mark_line(color=BOOTSTRAPPED, **thin).encode(
            x, y, alt.Detail("seed:N"))
        + seeds.transform_filter(changed).mark_line(color=BROKEN, **thin).encode(
            x, y, alt.Detail("seed:N"))
        + _table("before").mark_line(strokeWidth=2, color=QUIET, opacity=0.6, clip=True).encode(
            x, y, alt.Detail("kind:N"))
        + curves.transform_filter(intact)
        .mark_line(color=BOOTSTRAPPED, strokeWidth=3.5, clip=True).encode(x, y)
        + curves.transform_filter(changed)
        .mark_line(color=BROKEN, strokeWidth=3.5, strokeDash=BROKEN_DASH, clip=True).encode(x, y)
        + names.transform_filter(changed)
        .mark_point(shape=CROSS, size=140, strokeWidth=3.5, color=BROKEN, opacity=1)
        .encode(x, y)
        + names.transform_filter(intact).mark_text(color=BOOTSTRAPPED, **text)
        .encode(x, place, text="label:N")
        + names.transform_filter(changed).mark_text(color=BROKEN, **text)
        .encode(x, place, text="label:N")
    )  # fmt: skip


# --- what the critic predicts, and what happened ---

CELL = (1.337, 0.2222)  # half the sides of a cell: degrees, rad/s


def critic_map(field: str, start: int, quantity: str, top: float, ink: str) -> alt.LayerChart:
    """A mean per cell of the pole's angle and angular velocity, written into the cell.

    Table: cells (at, angle in degrees, rate, predicted, observed, states).
    """
    angles, rates = (
        alt.Scale(domain=[-12.1, 12.1], nice=False),
        alt.Scale(domain=[-2, 2], nice=False),
    )
    x = alt.X("angle:Q", scale=angles).title("angle of the pole, degrees")
    y = alt.Y("rate:Q", scale=rates).title("angular velocity, rad/s")
    x = x.axis(values=[-12, -6, 0, 6, 12], grid=False)
    y = y.axis(values=[-2, -1, 0, 1, 2], grid=False)
    cells = _table("cells").transform_filter("datum.at == toNumber(update_at)")
    boxes = cells.transform_calculate(
        left=f"datum.angle - {CELL[0]}",
        right=f"datum.angle + {CELL[0]}",
        low=f"datum.rate - {CELL[1]}",
        high=f"datum.rate + {CELL[1]}",
    )
    return (
        boxes.mark_rect(color=BOOTSTRAPPED, stroke=QUIET, strokeWidth=0.4).encode(
            alt.X("left:Q", scale=angles),
            alt.Y("low:Q", scale=rates),
            alt.X2("right:Q"),
            alt.Y2("high:Q"),
            alt.Opacity(f"{quantity}:Q", legend=None).scale(
                domain=[0, top], range=[0.03, 1], clamp=True
            ),
            tooltip=[
                alt.Tooltip("angle:Q", format=".1f"),
                alt.Tooltip("rate:Q", format=".2f"),
                alt.Tooltip("predicted:Q", title="V̂", format=".1f"),
                alt.Tooltip("observed:Q", title="return", format=".1f"),
                alt.Tooltip("states:Q", title="states"),
            ],
        )
        + cells.mark_text(fontSize=10, color=ink).encode(
            x, y, text=alt.Text(f"{quantity}:Q", format=".0f")
        )
    ).add_params(live("update_at", field, start))


def along_training(
    quantity: str, title: str, num_updates: int, low: float, top: float
) -> alt.LayerChart:
    """What a critic is worth along training. Tables: own, fresh (update, quantity), names."""
    x = alt.X("update:Q").title("update").scale(domain=[0, 1.38 * num_updates], nice=False)
    x = x.axis(values=[0, 50, 100, 150, 200], grid=False)
    y = alt.Y(f"{quantity}:Q").title(title).scale(domain=[low, top], nice=False).axis(tickCount=6)
    own, fresh, names = _table("own"), _table("fresh"), _table("names")
    text: dict[str, Any] = {"align": "left", "dx": 9, **LABEL}
    zero = fresh.transform_aggregate(rows="count()")
    return (
        zero.mark_rule(color=QUIET).encode(y=alt.datum(0))
        + own.mark_line(strokeWidth=2, color=QUIET, strokeDash=[4, 2]).encode(x, y)
        + fresh.mark_line(strokeWidth=3, color=BOOTSTRAPPED).encode(x, y)
        + fresh.mark_point(filled=True, size=60, color=BOOTSTRAPPED, opacity=1).encode(
            x, y, tooltip=["update:Q", alt.Tooltip(f"{quantity}:Q", format=".2f")]
        )
        + names.transform_filter("datum.kind == 'own'")
        .mark_text(color=QUIET, dy=-4, **text)
        .encode(x, y, text="label:N")
        + names.transform_filter("datum.kind == 'fresh'")
        .mark_text(color=BOOTSTRAPPED, dy=13, **text)
        .encode(x, y, text="label:N")
    )  # fmt: skip


def noise(field: str, start: int, num_updates: int) -> alt.LayerChart:
    """The variance of three estimates along training, on a log axis.

    Tables: noise (seed, name, place: update, a little aside, update, trace, low, high), names
    (seed, name, place, trace, label).
    """
    x = alt.X("place:Q").title("update whose policy is frozen")
    x = x.scale(domain=[-6, 1.3 * num_updates], nice=False)
    x = x.axis(values=[0, 50, 100, 150, 200], grid=False)
    domain = [100, 3e8]
    y = alt.Y("trace:Q").title("variance of ĝ (covariance trace)")
    y = y.scale(type="log", domain=domain, nice=False)
    y = y.axis(values=[1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8], format="~s")
    order = ["reinforce", "baseline", "actor-critic"]
    color = alt.Color("name:N", legend=None).scale(
        domain=order, range=[RETURN, SUBTRACTED, BOOTSTRAPPED]
    )
    dash = alt.StrokeDash("name:N", legend=None).scale(
        domain=order, range=[[1, 0], [10, 3], [5, 2]]
    )
    mine = "datum.seed == toNumber(seed_at)"
    base, names = _table("noise").transform_filter(mine), _table("names").transform_filter(mine)
    return (
        base.mark_line(strokeWidth=2).encode(x, y, color, dash)
        + base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=2.5)
        .encode(x, alt.Y("low:Q").scale(type="log", domain=domain), alt.Y2("high:Q"), color)
        + base.mark_point(filled=True, size=70, opacity=1).encode(
            x, y, color, tooltip=["update:Q", alt.Tooltip("trace:Q", format=",.0f")]
        )
        + names.mark_text(align="left", dx=12, **LABEL).encode(x, y, color, text="label:N")
    ).add_params(live("seed_at", field, start))
