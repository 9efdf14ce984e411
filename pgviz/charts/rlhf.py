"""Charts of the RLHF page, each a constant specification over named tables."""

from typing import Any

import altair as alt

from pgviz.charts.theme import BROKEN, COLOR, QUIET, TRUTH_DASH

LETTERS = 13
LABEL: dict[str, Any] = {"align": "left", "dx": 9, "fontSize": LETTERS, "fontWeight": 600}
BLUE, GREEN, ORANGE = COLOR["reinforce"], COLOR["baseline"], COLOR["full-return"]
METHODS = ["no baseline", "leave one out", "group mean"]
SHADES: dict[str, Any] = {"domain": METHODS, "range": [ORANGE, BLUE, GREEN]}
DASHES: dict[str, Any] = {"domain": METHODS, "range": [[6, 3], [1, 0], [2, 2]]}


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def model(ink: str) -> alt.LayerChart:
    """π(next | previous). Tables: table (previous, next, probability), path (the same and order)."""
    tokens = [str(k) for k in range(8)]
    x = alt.X("next:N").title("next token").sort(tokens).axis(labelAngle=0, orient="top")
    y = alt.Y("previous:N").title("previous token").sort(["start", *tokens])
    shade = alt.Color("probability:Q", legend=None).scale(range=["#eaf2f9", BLUE], domain=[0, 0.3])
    return (
        _table("table").mark_rect(stroke="white", strokeWidth=1)
        .encode(x, y, shade, tooltip=[
            "previous:N", "next:N", alt.Tooltip("probability:Q", format=".3f")])
        + _table("path").mark_point(filled=True, size=420, opacity=1, color=ORANGE).encode(x, y)
        + _table("path").mark_text(fontSize=LETTERS, fontWeight=700, color="white")
        .encode(x, y, text="order:N")
    )  # fmt: skip


def by_reward(ink: str) -> alt.LayerChart:
    """How likely sentences of each reward are. Table: bars (reward, policy, probability)."""
    names = ["π_ref", "π*"]
    x = alt.X("reward:N").title("reward of a sentence").axis(labelAngle=0)
    y = (
        alt.Y("probability:Q")
        .title("probability")
        .scale(domain=[0, 1])
        .axis(format="%", tickCount=5)
    )
    offset = alt.XOffset("policy:N").sort(names)
    colors, legend = (
        alt.Scale(domain=names, range=[QUIET, BLUE]),
        alt.Legend(title=None, orient="top"),
    )
    # Hollow against full: without colours, too, they are told apart.
    full = alt.FillOpacity("policy:N").scale(domain=names, range=[0.15, 1]).legend(legend)
    fill, stroke = (
        kind("policy:N").scale(colors).legend(legend) for kind in (alt.Fill, alt.Stroke)
    )
    bars = _table("bars").encode(x, y, offset)
    return bars.mark_bar(strokeWidth=2).encode(fill, stroke, full) + bars.mark_text(
        dy=-8, fontSize=12
    ).encode(text=alt.Text("probability:Q", format=".1%"), color=alt.value(ink))


def noise_over_group(ink: str, group: int) -> alt.LayerChart:
    """Covariance trace against K. Table: noise (group, method, noise)."""
    x = alt.X("group:Q").title("sentences of a group, K")
    x = x.scale(type="log", base=2, domain=[1.8, 80], nice=False).axis(values=[2, 4, 8, 16, 32])
    y = alt.Y("noise:Q").title("noise of ĝ").scale(type="log", domain=[0.002, 0.2], nice=False)
    y = y.axis(values=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2], format="~g")
    color = alt.Color("method:N", legend=None).scale(**SHADES)
    dash = alt.StrokeDash("method:N", legend=None).scale(**DASHES)
    base = _table("noise")
    here = base.transform_filter(f"datum.group == {group}")
    key = base.transform_filter("datum.group == 2")
    places = "datum.method == 'no baseline' ? 0.09 : datum.method == 'leave one out' ? 0.135 : 0.06"
    key = key.transform_calculate(place=places, left="11", right="15", middle="16")
    place = alt.Y("place:Q").scale(type="log", domain=[0.002, 0.2], nice=False)
    return (
        base.mark_line(strokeWidth=2.4).encode(x, y, color, dash)
        + base.mark_point(filled=True, size=50, opacity=1).encode(x, y, color)
        + here.mark_point(filled=True, size=170, opacity=1).encode(x, y, color)
        + key.mark_rule(strokeWidth=2.4).encode(alt.X("left:Q"), place, color, dash, x2="right:Q")
        + key.mark_text(align="left", fontSize=LETTERS, fontWeight=600).encode(
            alt.X("middle:Q"), place, color, text="method:N")
    )  # fmt: skip


def difficulty(ink: str, group: int) -> alt.LayerChart:
    """The factor of ∇p against p. Table: factors (p, group, factor)."""
    x = alt.X("p:Q").title("how often the prompt is solved, p").scale(domain=[0, 1], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    y = alt.Y("factor:Q").title("mean of ĝ / ∇p").scale(domain=[0, 6], nice=False).axis(tickCount=6)
    base = _table("factors")
    here = base.transform_filter(f"datum.group == {group}")
    ends = base.transform_filter("datum.p == 0.5")
    return (
        base.mark_line(strokeWidth=1.4, color=QUIET, clip=True, opacity=0.7)
        .encode(x, y, alt.Detail("group:N"))
        + here.mark_line(strokeWidth=3.2, color=BLUE, clip=True).encode(x, y)
        + ends.transform_filter(f"datum.group == {group}")
        .transform_calculate(text="'K = ' + datum.group")
        .mark_text(dy=16, fontSize=LETTERS, fontWeight=600, color=BLUE).encode(x, y, text="text:N")
    )  # fmt: skip


def estimates(ink: str, true: float) -> alt.LayerChart:
    """Means of estimates of the KL. Table: estimates (name, mean, spread)."""
    y = alt.Y("name:N").title(None).sort(None).axis(labelLimit=260, labelFontSize=LETTERS)
    x = alt.X("mean:Q").title("mean over samples of π").axis(tickCount=6)
    base = _table("estimates")
    rule = base.transform_aggregate(rows="count()").transform_calculate(mean=str(true))
    return (
        base.mark_bar(color=BLUE, height=18).encode(x, y)
        + rule.mark_rule(color=ink, strokeDash=TRUTH_DASH, strokeWidth=2).encode(x)
        + base.mark_text(align="left", dx=6, fontSize=12).encode(
            x, y, text=alt.Text("mean:Q", format=".4f"), color=alt.value(ink))
    )  # fmt: skip


def losses(ink: str) -> alt.LayerChart:
    """Lengths of mean gradients. Table: losses (name, length, cosine)."""
    y = alt.Y("name:N").title(None).sort(None).axis(labelLimit=260, labelFontSize=LETTERS)
    x = alt.X("length:Q").title("length of the mean gradient / ‖∇KL(π‖π_ref)‖")
    x = x.scale(domain=[0, 2.2], nice=False).axis(tickCount=5)
    base = _table("losses").transform_calculate(
        text="datum.length == 0 ? '0: no mean' : 'cosine ' + format(datum.cosine, '.3f')"
    )
    right = alt.condition("datum.cosine > 0.9999", alt.value(BLUE), alt.value(BROKEN))
    return base.mark_bar(height=22).encode(x, y, color=right) + base.mark_text(
        align="left", dx=8, fontSize=LETTERS
    ).encode(x, y, text="text:N", color=alt.value(ink))


def lengths(ink: str) -> alt.LayerChart:
    """Slopes along p. Table: slopes (p, kind, slope)."""
    kinds = ["slope of E[r]", "each divided by its length"]
    x = alt.X("p:Q").title("how often it goes on, p").scale(domain=[0, 1], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    y = alt.Y("slope:Q").title("slope along θ").axis(tickCount=6)
    color = alt.Color("kind:N").scale(domain=kinds, range=[ink, BROKEN])
    color = color.legend(alt.Legend(title=None, orient="top", symbolType="stroke", labelLimit=260))
    dash = alt.StrokeDash("kind:N", legend=None).scale(domain=kinds, range=[TRUTH_DASH, [1, 0]])
    return _table("slopes").mark_line(strokeWidth=2.6).encode(x, y, color, dash) + _table(
        "slopes"
    ).transform_aggregate(rows="count()").transform_calculate(slope="0").mark_rule(
        color=QUIET
    ).encode(y)


def over_optimised(ink: str) -> alt.LayerChart:
    """Proxy and gold against the KL. Tables: means and here (beta, kl, kind, mean)."""
    kinds = ["proxy", "what is meant"]
    x = alt.X("kl:Q").title("KL from the reference model, nats")
    x = x.scale(domain=[0, 8.2], nice=False).axis(values=[0, 1, 2, 3, 4, 5, 6])
    y = alt.Y("mean:Q").title("mean").scale(domain=[0, 1.05], nice=False).axis(tickCount=5)
    color = alt.Color("kind:N", legend=None).scale(domain=kinds, range=[BLUE, ORANGE])
    dash = alt.StrokeDash("kind:N", legend=None).scale(domain=kinds, range=[[1, 0], [6, 3]])
    base, here = _table("means"), _table("here")
    last = base.transform_filter("datum.beta == 0.02")
    return (
        base.mark_line(strokeWidth=2.4).encode(x, y, color, dash)
        + base.mark_point(filled=True, size=50, opacity=1)
        .encode(x, y, color, tooltip=["beta:Q", alt.Tooltip("mean:Q", format=".3f")])
        + here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + here.mark_point(filled=True, size=170, opacity=1).encode(x, y, color)
        + last.mark_text(**LABEL).encode(x, y, color, text="kind:N")
    )  # fmt: skip


def towards_best(ink: str, num_updates: int) -> alt.LayerChart:
    """KL to the best policy along updates. Tables: curves (method, update, distance), names (and place)."""
    x = alt.X("update:Q").title("update").scale(domain=[0, 1.3 * num_updates], nice=False)
    x = x.axis(values=[k * num_updates // 4 for k in range(5)], grid=False)
    scale: dict[str, Any] = {"type": "log", "domain": [1e-6, 10], "nice": False, "clamp": True}
    y = alt.Y("distance:Q").title("KL to the best policy, nats").scale(**scale)
    y = y.axis(values=[1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10], format="~g")
    color = alt.Color("method:N", legend=None).scale(**SHADES)
    dash = alt.StrokeDash("method:N", legend=None).scale(**DASHES)
    return _table("curves").mark_line(strokeWidth=2.6).encode(x, y, color, dash) + _table(
        "names"
    ).mark_text(**LABEL).encode(x, alt.Y("place:Q").scale(**scale), color, text="method:N")
