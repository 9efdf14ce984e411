"""Charts of the REINFORCE page, each a constant specification over named tables."""

from typing import Any

import altair as alt

from pgviz.charts.learning import MAX_RETURN, SOLVED_RETURN, THOUSANDS
from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, DASH, QUIET, TRUTH_DASH
from pgviz.worlds.world import find

BLUE = COLOR["reinforce"]
METHODS = ["reinforce", "full-return"]
RETURN = "return: steps of an episode"
AT_THE_END: dict[str, Any] = {"align": "left", "dx": 8, "fontSize": 13, "fontWeight": 600}
ROOM_RIGHT = 1.27  # of the updates: labels stand to the right of their lines


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def _updates(num_updates: int, room: float = 1.0) -> alt.X:
    ticks = [k * num_updates // 6 for k in range(7)]
    return (
        alt.X("update:Q")
        .title("update")
        .scale(domain=[0, num_updates * room], nice=False)
        .axis(values=ticks)
    )


def _return() -> alt.Y:
    return (
        alt.Y("episode_return:Q")
        .title(RETURN)
        .scale(domain=[0, MAX_RETURN + 20], nice=False)
        .axis(values=[0, 100, 200, 300, 400, 500])
    )


def _once(table: str) -> alt.Chart:
    """One mark, whatever stands in the table."""
    return _table(table).transform_aggregate(rows="count()")


def _ends() -> alt.Chart:
    """The names of the lines, all of them beside the longest one."""
    return _table("ends").transform_joinaggregate(last="max(update)")


def _solved(table: str = "middle") -> alt.LayerChart:
    rule = _once(table).transform_calculate(episode_return=f"{SOLVED_RETURN}").encode(_return())
    return rule.mark_rule(color=QUIET, strokeDash=[2, 3]) + rule.mark_text(
        color=QUIET, fontSize=12, align="left", dx=6, dy=10
    ).encode(x=alt.value(0), text=alt.value(f"solved: {SOLVED_RETURN}"))


def learners(num_updates: int) -> alt.LayerChart:
    """Return against updates: every learner faint, the mean of the middle half strong.

    Tables: seeds (update, seed, episode_return), middle (update, episode_return, low, high),
    before (as middle: the recorded run behind one's own), ends (update, episode_return, label).
    """
    # Axes and scales are said once, by the lines of the seeds: all of it travels at every look.
    x, y = alt.X("update:Q"), alt.Y("episode_return:Q")
    x_end = alt.X("last:Q").title("update")
    seeds, middle, ends = _table("seeds"), _table("middle"), _ends()
    return (
        _solved()
        + middle.mark_area(opacity=0.2, color=BLUE).encode(
            x, alt.Y("low:Q").title(RETURN), alt.Y2("high:Q")
        )
        + seeds.mark_line(opacity=0.3, strokeWidth=1.2, color=BLUE).encode(
            _updates(num_updates, ROOM_RIGHT),
            _return(),
            alt.Detail("seed:N"),
            tooltip=["seed:N", "update:Q", alt.Tooltip("episode_return:Q", format=".0f")],
        )
        + _table("before").mark_line(strokeWidth=2, color=QUIET, strokeDash=[2, 2]).encode(x, y)
        + middle.mark_line(strokeWidth=3, color=BLUE).encode(x, y)
        + ends.mark_text(color=BLUE, **AT_THE_END)
        .transform_filter("datum.own")
        .encode(x_end, y, text="label:N")
        + ends.mark_text(color=QUIET, **AT_THE_END)
        .transform_filter("!datum.own")
        .encode(x_end, y, text="label:N")
    )


def where_in_training(num_updates: int, field: str, start: int, world: str) -> alt.LayerChart:
    """One learner's returns with a mark at the update that the slider behind `field` stands on.

    Table: seed (update, episode_return).
    """
    at = alt.param(name="at", value=start, bind=alt.BindDirect(element=field, event="input"))
    x = (
        alt.X("update:Q")
        .title(None)
        .scale(domain=[0, num_updates], nice=False)
        .axis(values=[0, num_updates // 2, num_updates], labelFlush=True)
    )
    ends = list(find(world).returns or (0, 1))
    y = alt.Y("episode_return:Q").title("return").scale(domain=ends).axis(values=ends)
    seed = _table("seed")
    here = seed.transform_filter("datum.update == toNumber(at)")
    return (
        seed.mark_line(strokeWidth=2, color=BLUE).encode(x, y).add_params(at)
        + here.mark_rule(color=QUIET).encode(x)
        + here.mark_point(filled=True, size=90, opacity=1, color=BLUE).encode(x, y)
    )


SIDES = ["right", "left"]


def actions(quantity: str, title: str) -> alt.LayerChart:
    """One bar per action of an episode: up if it went right, down if it went left.

    Table: steps (t, action, drawn: the quantity with that sign, and what the tooltip shows).
    """
    x = alt.X("t:Q").title("step t").scale(nice=False, padding=12).axis(tickMinStep=1, grid=False)
    y = alt.Y("drawn:Q").title(title).axis(labelExpr="format(abs(datum.value), '~g')", tickCount=7)
    steps = _table("steps")
    tooltip: list[Any] = [
        "t:Q",
        "action:N",
        alt.Tooltip("reward:Q", title="reward"),
        alt.Tooltip("return_to_go:Q", title="G"),
        alt.Tooltip("before:Q", title="π before", format=".3f"),
        alt.Tooltip("after:Q", title="π after its own term", format=".3f"),
    ]
    bars = steps.encode(
        x,
        y,
        alt.Opacity("action:N").scale(domain=SIDES, range=[1, 0.55]).legend(None),
        tooltip=tooltip,
    )
    label = _once("steps").mark_text(align="right", color=QUIET, fontSize=13, fontWeight=600)
    return (
        bars.mark_rule(color=BLUE, strokeWidth=3).encode(y2=alt.datum(0))
        + bars.mark_point(filled=True, size=40, color=BLUE)
        + steps.mark_rule(color=QUIET).encode(y=alt.datum(0))
        + label.encode(x=alt.value("width"), y=alt.value(10), text=alt.value("↑ right was taken"))
        + label.encode(
            x=alt.value("width"),
            y=alt.value(alt.expr("height - 12")),
            text=alt.value("↓ left was taken"),
        )
    )


def policy_map(view: str, ink: str, paper: str) -> alt.LayerChart:
    """π(right|s) over the pole's angle and angular velocity, or its change.

    Tables: squares (angle, rate, before, after, change, width, height as edges), border (angle,
    rate, when), visited (angle, rate).
    """
    x = alt.X("left:Q").title("angle of the pole, degrees").scale(domain=[-12.2, 12.2], nice=False)
    x = x.axis(values=[-12, -6, 0, 6, 12], grid=False)
    y = alt.Y("low:Q").title("angular velocity, rad/s").scale(domain=[-1.7, 1.7], nice=False)
    y = y.axis(values=[-1.5, -1, -0.5, 0, 0.5, 1, 1.5], grid=False)
    squares = _table("squares").mark_rect(strokeWidth=1)
    tooltip: list[Any] = [
        alt.Tooltip("angle:Q", format=".1f"),
        alt.Tooltip("rate:Q", format=".2f"),
        alt.Tooltip("before:Q", format=".3f"),
        alt.Tooltip("after:Q", format=".3f"),
    ]
    if view == "change":
        scale = alt.Scale(
            domain=[-0.3, 0, 0.3], range=[QUIET, paper, BLUE], clamp=True, interpolate="rgb"
        )
    else:
        scale = alt.Scale(domain=[0, 1], range=[paper, BLUE], interpolate="rgb")
    fill = alt.Fill(f"{view}:Q").scale(scale).legend(None)
    edge = alt.Stroke(f"{view}:Q").scale(scale).legend(None)
    picture = squares.encode(x, y, fill, edge, x2="right:Q", y2="high:Q", tooltip=tooltip)
    place: dict[str, Any] = {
        "x": alt.X("angle:Q").title("angle of the pole, degrees"),
        "y": alt.Y("rate:Q").title("angular velocity, rad/s"),
    }
    border = _table("border").encode(order=alt.Order("rate:Q"), **place)
    names = _table("names").encode(text="label:N", **place)
    return (
        picture
        + _table("visited")
        .mark_point(filled=True, size=9, opacity=0.55, color=QUIET, clip=True)
        .encode(**place)
        + border.transform_filter("datum.when == 'before'").mark_line(
            color=ink, strokeWidth=1.6, strokeDash=[3, 3], clip=True
        )
        + border.transform_filter("datum.when == 'after'").mark_line(
            color=ink, strokeWidth=2.6, clip=True
        )
        + names.mark_text(color=ink, fontSize=13, fontWeight=600)
    )


def pulls() -> alt.LayerChart:
    """Whose ĝ it is: one bar per episode, the longest above.

    Table: pulls (rank, episode, episode_return, share, label).
    """
    y = alt.Y("rank:O").title("return of the episode").sort(None)
    y = y.axis(labelExpr="datum.value", ticks=False, domain=False, labels=False, titlePadding=26)
    x = alt.X("share:Q").title("share of ĝ, %").axis(tickCount=4, format="d")
    rows = _table("pulls")
    return (
        rows.mark_bar(color=BLUE).encode(
            x, y, tooltip=["episode:Q", "episode_return:Q", alt.Tooltip("share:Q", format=".1f")]
        )
        + rows.mark_text(align="right", dx=-5, fontSize=11, color=QUIET).encode(
            y, x=alt.value(0), text="episode_return:Q"
        )
        + rows.mark_rule(color=QUIET).encode(x=alt.datum(0))
    )


def old_and_new(fields: tuple[str, str], starts: tuple[int, int], ink: str) -> alt.LayerChart:
    """The slope of J, and the mean of ĝ from episodes of an old policy.

    Tables: truth (climb, slope), old (at_old, climb, slope), gap (at_old, at_now, old, climb,
    truth, slope, middle, label), zero (slope), names (climb, to, slope, label, exact).
    """
    params = [
        alt.param(name=name, value=start, bind=alt.BindDirect(element=field, event="input"))
        for name, field, start in zip(("at_old", "at_now"), fields, starts, strict=True)
    ]
    x = alt.X("climb:Q").title("how often the present policy climbs, π(climb)")
    x = x.scale(domain=[0, 1], nice=False).axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    y = alt.Y("slope:Q").title("slope along θ").scale(domain=[-3, 5], nice=False)
    y = y.axis(tickCount=8)
    mine = "datum.at_old == toNumber(at_old)"
    old = _table("old").transform_filter(mine)
    gap = _table("gap").transform_filter(f"{mine} && datum.at_now == toNumber(at_now)")
    dots: dict[str, Any] = {"filled": True, "size": 130, "opacity": 1, "clip": True}
    same = old.transform_filter("datum.here")
    names, truth = _table("names"), "datum.exact"
    stroke: dict[str, Any] = {"strokeWidth": 2.6}
    text: dict[str, Any] = {"align": "left", "dx": 8, "fontSize": 13}
    return (
        _table("zero").mark_rule(color=QUIET).encode(y).add_params(*params)
        + same.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + same.mark_text(color=QUIET, fontSize=12, align="center", baseline="bottom", dy=-4).encode(
            x, y=alt.value(0), text=alt.value("played here")
        )
        + _table("truth").mark_line(strokeWidth=2.6, color=ink, strokeDash=TRUTH_DASH).encode(x, y)
        + old.mark_line(strokeWidth=2.6, color=BROKEN, clip=True).encode(x, y)
        + gap.mark_rule(color=BROKEN, strokeWidth=5, opacity=0.35, clip=True).encode(
            x, alt.Y("truth:Q").title("slope along θ"), y2="slope:Q"
        )
        + gap.mark_point(color=ink, **dots).encode(x, alt.Y("truth:Q"))
        + gap.mark_point(color=BROKEN, shape="cross", angle=45, **dots).encode(x, y)
        + gap.transform_filter("datum.old < datum.climb")
        .mark_text(align="left", dx=10, fontSize=13, fontWeight=600, color=BROKEN, clip=True)
        .encode(x, alt.Y("middle:Q"), text="label:N")
        + gap.transform_filter("datum.old > datum.climb")
        .mark_text(align="right", dx=-10, fontSize=13, fontWeight=600, color=BROKEN, clip=True)
        .encode(x, alt.Y("middle:Q"), text="label:N")
        + names.transform_filter(truth).mark_rule(color=ink, **stroke)
        .encode(x, y, alt.X2("to:Q"), strokeDash=alt.value(TRUTH_DASH))
        + names.transform_filter(f"!({truth})").mark_rule(color=BROKEN, **stroke)
        .encode(x, y, alt.X2("to:Q"))
        + names.transform_filter(truth).mark_text(color=ink, **text)
        .encode(alt.X("to:Q"), y, text="label:N")
        + names.transform_filter(f"!({truth})").mark_text(color=BROKEN, **text)
        .encode(alt.X("to:Q"), y, text="label:N")
    )  # fmt: skip


def surrogate(field: str, start: int, ink: str, present: str) -> alt.LayerChart:
    """The surrogate loss of a batch along θ, and its slope at the present θ.

    Tables: losses (at, theta, loss), tangents (at, theta, loss), here (at, theta, loss, label).
    """
    at = alt.param(name="at", value=start, bind=alt.BindDirect(element=field, event="input"))
    x = alt.X("theta:Q").title("θ").scale(domain=[-3, 3], nice=False).axis(tickCount=7)
    y = alt.Y("loss:Q").title("surrogate loss L(θ)").scale(domain=[0, 2.4], nice=False)
    y = y.axis(tickCount=5)
    mine = "datum.at == toNumber(at)"
    here = _table("here").transform_filter(mine)
    return (
        _table("losses").transform_filter(mine).mark_line(strokeWidth=2.6, color=BLUE, clip=True)
        .encode(x, y).add_params(at)
        + here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + here.mark_text(color=QUIET, fontSize=12, baseline="bottom", dy=-4)
        .encode(x, y=alt.value(0), text=alt.value(present))
        + _table("tangents").transform_filter(mine)
        .mark_line(strokeWidth=3, color=ink, strokeDash=TRUTH_DASH, clip=True).encode(x, y)
        + here.mark_point(filled=True, size=130, opacity=1, color=BLUE).encode(x, y)
        + here.mark_text(align="left", dx=14, dy=-16, fontSize=14, fontWeight=600, color=ink)
        .encode(x, y, text="label:N")
    )  # fmt: skip


def forgotten_minus(num_updates: int) -> alt.LayerChart:
    """Return against updates with the minus and without it: seeds faint, their middle strong.

    Tables: seeds (sign, seed, update, episode_return), middle (sign, update, episode_return), ends
    (sign, update, episode_return, label).
    """
    x, y = _updates(num_updates, ROOM_RIGHT), _return()
    x_end = alt.X("last:Q").title("update")
    kept, lost = (f"datum.sign == '{sign}'" for sign in ("kept", "forgotten"))
    seeds, middle, ends = _table("seeds"), _table("middle"), _ends()
    thin: dict[str, Any] = {"opacity": 0.2, "strokeWidth": 1}
    return (
        _solved()
        + seeds.transform_filter(kept).mark_line(color=BLUE, **thin).encode(x, y, detail="seed:N")
        + seeds.transform_filter(lost).mark_line(color=BROKEN, **thin).encode(x, y, detail="seed:N")
        + middle.transform_filter(kept).mark_line(strokeWidth=3, color=BLUE).encode(x, y)
        + middle.transform_filter(lost)
        .mark_line(strokeWidth=3, color=BROKEN, strokeDash=BROKEN_DASH).encode(x, y)
        + ends.transform_filter(lost)
        .mark_point(shape="cross", filled=True, size=130, opacity=1, color=BROKEN, angle=45)
        .encode(x, y)
        + ends.transform_filter(kept).mark_text(color=BLUE, **AT_THE_END)
        .encode(x_end, y, text="label:N")
        + ends.transform_filter(lost).mark_text(color=BROKEN, **AT_THE_END)
        .encode(x_end, y, text="label:N")
    )  # fmt: skip


def loss_with_returns(num_updates: int, ink: str) -> alt.LayerChart:
    """The surrogate loss against updates; the return stands beside it as numbers.

    Tables: losses (update, pseudo_loss, episode_return), marks (the same, with a label), guess
    (update, pseudo_loss, label).
    """
    x = _updates(num_updates)
    y = alt.Y("pseudo_loss:Q").title("surrogate loss").axis(tickCount=6, labelExpr=THOUSANDS)
    y = y.scale(zero=True, padding=18)
    losses, marks, guess = _table("losses"), _table("marks"), _table("guess")
    return (
        losses.mark_line(strokeWidth=3, color=BLUE).encode(
            x,
            y,
            tooltip=[
                "update:Q",
                alt.Tooltip("pseudo_loss:Q", format=",.0f"),
                alt.Tooltip("episode_return:Q", format=".0f"),
            ],
        )
        + marks.mark_point(filled=True, size=90, opacity=1, color=BLUE).encode(x, y)
        + marks.transform_filter("datum.update > 0")
        .mark_text(align="right", dx=-10, dy=-10, fontSize=13, fontWeight=600, color=ink)
        .encode(x, y, text="label:N")
        + marks.transform_filter("datum.update == 0")
        .mark_text(align="left", dx=4, dy=-16, fontSize=13, fontWeight=600, color=ink)
        .encode(x, y, text="label:N")
        + guess.mark_line(color=QUIET, strokeWidth=2, strokeDash=[4, 4]).encode(x, y)
        + guess.transform_filter("datum.label != ''")
        .mark_text(align="left", dx=6, fontSize=13, color=QUIET)
        .encode(x, y, text="label:N")
    )


def return_alone(num_updates: int) -> alt.LayerChart:
    """The return against updates, before the question about the loss. Table: middle."""
    x, y = _updates(num_updates), _return()
    return _solved() + _table("middle").mark_line(strokeWidth=3, color=BLUE).encode(x, y)


def luck(num_updates: int) -> alt.LayerChart:
    """Every seed of two weights, and the middle of each.

    Tables: seeds (method, seed, update, episode_return), middle (method, update, episode_return),
    before (as middle), ends (method, update, episode_return, label).
    """
    x, y = _updates(num_updates, ROOM_RIGHT), _return()
    x_end = alt.X("last:Q").title("update")
    palette = [COLOR[name] for name in METHODS]
    color = alt.Color("method:N", legend=None).scale(domain=METHODS, range=palette)
    dash = alt.StrokeDash("method:N", legend=None).scale(
        domain=METHODS, range=[DASH[name] for name in METHODS]
    )
    tooltip = ["seed:N", "update:Q", alt.Tooltip("episode_return:Q", format=".0f")]
    return (
        _solved()
        + _table("seeds")
        .mark_line(opacity=0.4, strokeWidth=1.2)
        .encode(x, y, color, alt.Detail("seed:N"), tooltip=tooltip)
        + _table("before").mark_line(opacity=0.35, strokeWidth=2).encode(x, y, color, dash)
        + _table("middle").mark_line(strokeWidth=3.2).encode(x, y, color, dash)
        + _ends().mark_text(**AT_THE_END).encode(x_end, y, color, text="label:N")
    )


def two_divisors(field: str, start: int, ink: str) -> alt.LayerChart:
    """The mean update along p if a sum over the steps is divided by episodes, or by steps.

    Tables: curves (p, episodes, steps), here (at, p, episodes, steps), zeros (p, kind, label).
    """
    at = alt.param(name="at", value=start, bind=alt.BindDirect(element=field, event="input"))
    x = alt.X("p:Q").title("p: how often right").scale(domain=[0.5, 0.7], nice=False)
    x = x.axis(values=[0.5, 0.55, 0.6, 0.65, 0.7], format=".2f")
    title = "mean update ÷ mean update at p = 0.5"
    scale = alt.Scale(domain=[-1.5, 1.1], nice=False)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q").title(title).scale(scale).axis(tickCount=6)

    curves, zeros = _table("curves"), _table("zeros")
    here = _table("here").transform_filter("datum.at == toNumber(at)")
    episodes, steps = (f"datum.kind == '{kind}'" for kind in ("episodes", "steps"))
    flat = alt.Y("zero:Q").title(title)
    label: dict[str, Any] = {"fontSize": 13, "fontWeight": 600, "lineBreak": "\n"}
    return (
        zeros.mark_rule(color=QUIET).encode(flat).add_params(at)
        + here.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + curves.mark_line(strokeWidth=2.6, color=ink, strokeDash=TRUTH_DASH, clip=True)
        .encode(x, y("episodes"))
        + curves.mark_line(strokeWidth=2.6, color=BROKEN, clip=True).encode(x, y("steps"))
        + here.mark_point(filled=True, size=110, opacity=1, color=ink).encode(x, y("episodes"))
        + here.mark_point(filled=True, size=150, opacity=1, color=BROKEN, shape="cross", angle=45)
        .encode(x, y("steps"))
        + zeros.transform_filter(episodes)
        .mark_point(filled=False, size=90, strokeWidth=2, opacity=1, color=ink).encode(x, flat)
        + zeros.transform_filter(steps)
        .mark_point(filled=False, size=90, strokeWidth=2, opacity=1, color=BROKEN).encode(x, flat)
        + zeros.transform_filter(episodes).mark_text(color=ink, align="right", dx=-8, dy=16, **label)
        .encode(x, flat, text="label:N")
        + zeros.transform_filter(steps).mark_text(color=BROKEN, align="left", dx=8, dy=-30, **label)
        .encode(x, flat, text="label:N")
    )  # fmt: skip
