"""Charts of believing a critic: what λ trades, what it listens to, and what a sweep of it gave.

Each is a constant specification over named tables. `ink` is the colour of the exact truth.
"""

import altair as alt

from pgviz.charts.theme import BROKEN, BROKEN_DASH, COLOR, DASH, QUIET

FONT = 12
SHORT = "format(datum.value, '~s')"
PARTS = ("bias²", "variance / N", "MSE")


def _parts(ink: str) -> alt.Color:
    colors = [COLOR["actor-critic"], COLOR["baseline"], ink]
    return alt.Color("part:N", legend=None).scale(domain=list(PARTS), range=colors)


def tradeoff(ink: str, low: float, high: float) -> alt.LayerChart:
    """bias², variance / N and MSE against λ, in parts of ‖∇J‖², on a log axis.

    Tables: curves (part, gae_lambda, size), labels (part, gae_lambda, size), best (gae_lambda,
    size, text; at and height: where the text stands), guess (the same), here (gae_lambda).
    """
    x = alt.X("gae_lambda:Q").title("λ: 0 believes the critic after one step, 1 only subtracts it")
    x = x.scale(domain=[0, 1], nice=False)
    y = alt.Y("size:Q").title("in parts of ‖∇J‖², log axis")
    y = y.scale(type="log", domain=[low, high], nice=False).axis(
        values=[10.0**k for k in range(-6, 7)], labelExpr="format(datum.value, '~g')"
    )
    dash = alt.StrokeDash("part:N", legend=None).scale(
        domain=list(PARTS), range=[[3, 2], [10, 3], [7, 4]]
    )
    lines = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(strokeWidth=2.5, clip=True)
        .encode(
            x,
            y,
            _parts(ink),
            dash,
            tooltip=[
                "part:N",
                alt.Tooltip("gae_lambda:Q", title="λ", format=".2f"),
                alt.Tooltip("size:Q", format=".4~g"),
            ],
        )
    )
    names = alt.layer(
        *(
            alt.Chart(alt.NamedData("labels"))
            .transform_filter(which)
            .mark_text(fontSize=FONT + 1, fontWeight="bold", align="left", dx=6, dy=dy)
            .encode(x, y, _parts(ink), text="part:N")
            for which, dy in (("datum.part == 'MSE'", -15), ("datum.part != 'MSE'", 14))
        )
    )
    here = (
        alt.Chart(alt.NamedData("here"))
        .mark_rule(color=QUIET, strokeWidth=1, opacity=0.7)
        .encode(x)
    )
    return here + lines + names + _marked("best", ink, "circle") + _marked("guess", ink, "cross")


def _marked(table: str, ink: str, shape: str) -> alt.LayerChart:
    base = alt.Chart(alt.NamedData(table)).encode(alt.X("gae_lambda:Q"), alt.Y("size:Q"))
    dot = base.mark_point(
        shape=shape, size=150, strokeWidth=2.5, filled=False, color=ink, opacity=1
    )
    text = base.mark_text(
        color=ink,
        fontSize=FONT + 1,
        fontWeight="bold",
        dy=-15 if table == "best" else -32,
    ).encode(alt.X("at:Q"), alt.Y("height:Q"), text="text:N")
    return dot + text


def best_by_episodes(ink: str) -> alt.LayerChart:
    """The best λ against N.

    Tables: best (critic, num_episodes, gae_lambda), ends (shown: the height of the name), here.
    """
    x = alt.X("num_episodes:Q").title("episodes in the batch, N")
    x = x.scale(type="log", domain=[1, 10_000], nice=False).axis(
        values=[1, 10, 100, 1000, 10_000], labelExpr=SHORT
    )
    y = alt.Y("gae_lambda:Q").title("best λ").scale(domain=[0, 1.08], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    critics = ["your critic", "the true V"]
    color = alt.Color("critic:N", legend=None).scale(domain=critics, range=[COLOR["gae"], ink])
    dash = alt.StrokeDash("critic:N", legend=None).scale(domain=critics, range=[[1, 0], [7, 4]])
    line = (
        alt.Chart(alt.NamedData("best"))
        .mark_line(strokeWidth=2.5, interpolate="monotone")
        .encode(
            x,
            y,
            color,
            dash,
            tooltip=[
                "critic:N",
                alt.Tooltip("num_episodes:Q", format=",.0f"),
                alt.Tooltip("gae_lambda:Q", title="best λ", format=".2f"),
            ],
        )
    )
    names = (
        alt.Chart(alt.NamedData("ends"))
        .mark_text(align="right", dy=-9, dx=-6, fontSize=FONT, fontWeight="bold")
        .encode(x, alt.Y("shown:Q"), color, text="critic:N")
    )
    here = (
        alt.Chart(alt.NamedData("here"))
        .mark_point(filled=True, size=110, opacity=1, color=COLOR["gae"])
        .encode(x, y)
    )
    return line + names + here


def error_map(ink: str) -> alt.LayerChart:
    """MSE over λ × error, as multiples of the least at that error; the best λ as a line.

    Tables: cells (gae_lambda, error, times), best (gae_lambda, error), here (the same).
    """
    x = alt.X("gae_lambda:Q").title("λ").scale(domain=[-0.02, 1.02], nice=False)
    y = alt.Y("error:Q").title("error of the critic, ε").scale(domain=[-0.025, 1.025], nice=False)
    strength = alt.Opacity("times:Q", legend=_swatches([1, 3, 10], "times its least error")).scale(
        type="log", domain=[1, 10], range=[0.02, 0.9], clamp=True
    )
    cells = (
        alt.Chart(alt.NamedData("cells"))
        .transform_calculate(
            left="datum.gae_lambda - 0.02",
            right="datum.gae_lambda + 0.02",
            low="datum.error - 0.025",
            high="datum.error + 0.025",
        )
        .mark_rect(color=COLOR["actor-critic"], clip=True)
        .encode(
            alt.X("left:Q").title("λ").scale(domain=[-0.02, 1.02], nice=False),
            alt.X2("right:Q"),
            alt.Y("low:Q")
            .title("error of the critic, ε")
            .scale(domain=[-0.025, 1.025], nice=False),
            alt.Y2("high:Q"),
            strength,
            tooltip=[
                alt.Tooltip("gae_lambda:Q", title="λ", format=".2f"),
                alt.Tooltip("error:Q", title="ε"),
                alt.Tooltip("times:Q", title="times the least MSE", format=".3~g"),
            ],
        )
    )
    ridge = (
        alt.Chart(alt.NamedData("best"))
        .mark_line(color=ink, strokeWidth=2.5, strokeDash=[7, 4], clip=True)
        .encode(x, y, alt.Order("error:Q"))
    )
    here = (
        alt.Chart(alt.NamedData("here"))
        .mark_point(size=150, strokeWidth=2.5, color=ink, opacity=1)
        .encode(x, y)
    )
    return cells + ridge + here


def _swatches(values: list[float], title: str) -> alt.Legend:
    """A key of one colour in a few strengths: pale and dark change places with the theme."""
    return alt.Legend(
        title=title,
        values=values,
        orient="top",
        direction="horizontal",
        titleOrient="left",
        symbolType="square",
        symbolSize=180,
        symbolFillColor=COLOR["actor-critic"],
        symbolStrokeColor=QUIET,
        symbolStrokeWidth=0.5,
    )


def kernel(ink: str) -> alt.LayerChart:
    """The weights of rewards and of the critic's word. Tables: weights (what, ahead, weight), names."""
    x = alt.X("ahead:Q").title("steps ahead, k").scale(domain=[-0.6, 25.6], nice=False)
    y = alt.Y("weight:Q").title("weight in Â").scale(domain=[0, 1.1], nice=False)
    what = ["rewards", "the critic"]
    color = alt.Color("what:N", legend=None).scale(
        domain=what, range=[COLOR["reinforce"], COLOR["actor-critic"]]
    )
    shape = alt.Shape("what:N", legend=None).scale(domain=what, range=["circle", "triangle-up"])
    base = alt.Chart(alt.NamedData("weights"))
    stems = base.mark_rule(opacity=0.45, strokeWidth=1.5).encode(
        x, alt.Y("zero:Q"), alt.Y2("weight:Q"), color
    )
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(
        x,
        y,
        color,
        shape,
        tooltip=["what:N", "ahead:Q", alt.Tooltip("weight:Q", format=".4f")],
    )
    names = (
        alt.Chart(alt.NamedData("names"))
        .mark_text(align="left", fontSize=FONT + 1, fontWeight="bold")
        .encode(x, y, color, text="text:N")
    )
    return stems + dots + names


def sweep_curves(method: str, budget: float) -> alt.LayerChart:
    """One λ of a sweep: every seed faint, their IQM strong. Tables: seeds, middle."""
    x = alt.X("env_steps:Q").title("steps of each seed").scale(domain=[0, budget], nice=False)
    x = x.axis(tickCount=3, labelExpr=SHORT)
    y = alt.Y("trailing_return:Q").title("return").scale(domain=[0, 500])
    y = y.axis(values=[0, 250, 475])
    seeds = (
        alt.Chart(alt.NamedData("seeds"))
        .mark_line(opacity=0.25, strokeWidth=1, color=COLOR[method], clip=True)
        .encode(x, y, alt.Detail("seed:N"))
    )
    middle = (
        alt.Chart(alt.NamedData("middle"))
        .mark_line(strokeWidth=2.5, color=COLOR[method], clip=True)
        .encode(x, y)
    )
    return seeds + middle


def sweep_summary(budget: float, low: float) -> alt.LayerChart:
    """Steps until solved against λ: seeds faint, IQM and its interval; ✗ not solved in the budget.

    Tables: seeds (label, steps, solved), summary (label, steps, low, high).
    """
    x = alt.X("label:O", sort=None).title("λ").axis(labelAngle=0, ticks=False, labelFontSize=13)
    y = alt.Y("steps:Q").title("environment steps until solved")
    y = y.scale(domain=[low, budget * 1.02], nice=False).axis(labelExpr=SHORT)
    seeds = alt.Chart(alt.NamedData("seeds"))
    dots = (
        seeds.transform_filter("datum.solved")
        .mark_point(filled=True, size=26, opacity=0.35, color=COLOR["gae"])
        .encode(x, y, tooltip=["label:O", "seed:Q", alt.Tooltip("steps:Q", format=",.0f")])
    )
    unsolved = (
        seeds.transform_filter("!datum.solved")
        .mark_point(shape="M-1,-1L1,1M-1,1L1,-1", size=60, strokeWidth=2, color=BROKEN, opacity=0.9)
        .encode(x, y)
    )
    base = alt.Chart(alt.NamedData("summary"))
    bars = base.mark_rule(strokeWidth=3, color=COLOR["gae"]).encode(
        x, alt.Y("low:Q").title("environment steps until solved"), alt.Y2("high:Q")
    )
    middle = base.mark_point(filled=True, size=110, opacity=1, color=COLOR["gae"]).encode(
        x,
        y,
        tooltip=[
            "label:O",
            alt.Tooltip("steps:Q", title="IQM", format=",.0f"),
            alt.Tooltip("low:Q", format=",.0f"),
            alt.Tooltip("high:Q", format=",.0f"),
        ],
    )
    return dots + unsolved + bars + middle


def _method(names: list[str]) -> alt.Color:
    scale = alt.Scale(domain=names, range=[COLOR[name] for name in names])
    return alt.Color("name:N", legend=None, scale=scale)


def _method_dash(names: list[str]) -> alt.StrokeDash:
    scale = alt.Scale(domain=names, range=[DASH[name] for name in names])
    return alt.StrokeDash("name:N", legend=None, scale=scale)


def two_uses(field: str, title: str, top: float) -> alt.LayerChart:
    """One number of both uses against the critic's error. Tables: uses (name, error, …), here, ends."""
    names = ["baseline", "actor-critic"]
    x = alt.X("error:Q").title("error of the critic, ε").scale(domain=[0, 1], nice=False)
    y = alt.Y(f"{field}:Q").title(title).scale(domain=[0, top], nice=False)
    lines = (
        alt.Chart(alt.NamedData("uses"))
        .mark_line(strokeWidth=3)
        .encode(
            x,
            y,
            _method(names),
            _method_dash(names),
            tooltip=[alt.Tooltip("error:Q", title="ε"), alt.Tooltip(f"{field}:Q", format=".4~g")],
        )
    )
    here = alt.Chart(alt.NamedData("here"))
    rule = here.mark_rule(color=QUIET, strokeWidth=1, opacity=0.7).encode(x)
    dots = here.mark_point(filled=True, size=130, opacity=1).encode(x, y, _method(names))
    text = (
        alt.Chart(alt.NamedData("ends"))
        .mark_text(align="right", dx=-6, dy=-12, fontSize=FONT + 1, fontWeight="bold")
        .encode(x, y, _method(names), text="text:N")
    )
    return rule + lines + dots + text


def ascents(ink: str, num_steps: int) -> alt.LayerChart:
    """P(right) along two ascents. Tables: paths (name, step, probability), ends, optimum."""
    names = ["baseline", "actor-critic"]
    x = alt.X("step:Q").title("step of the ascent").scale(domain=[0, num_steps], nice=False)
    y = alt.Y("probability:Q").title("p = π(right)").scale(domain=[0, 1.05], nice=False)
    y = y.axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    lines = (
        alt.Chart(alt.NamedData("paths"))
        .mark_line(strokeWidth=3)
        .encode(
            x,
            y,
            _method(names),
            _method_dash(names),
            tooltip=[
                "step:Q",
                alt.Tooltip("probability:Q", format=".3f"),
                alt.Tooltip("objective:Q", title="J", format=".2f"),
            ],
        )
    )
    optimum = alt.Chart(alt.NamedData("optimum"))
    rule = optimum.mark_rule(color=ink, strokeDash=[7, 4], strokeWidth=1.5).encode(y)
    name = optimum.mark_text(
        align="right", dx=-4, dy=12, fontSize=FONT, color=ink, text="optimum, 2 − √2"
    ).encode(y, x=alt.value("width"))
    ends = alt.Chart(alt.NamedData("ends"))
    dots = ends.mark_point(filled=True, size=110, opacity=1).encode(x, y, _method(names))
    text = ends.mark_text(align="left", dx=9, dy=12, fontSize=FONT + 1, fontWeight="bold").encode(
        x, y, _method(names), text="text:N"
    )
    return rule + name + lines + dots + text


def critic_map(field: str, low: float, top: float) -> alt.Chart:
    """A mean per cell of pole angle × its rate. Table: cells (angle, rate, said, came, states)."""
    return (
        alt.Chart(alt.NamedData("cells"))
        .transform_calculate(
            left="datum.angle - 0.0233",
            right="datum.angle + 0.0233",
            low="datum.rate - 0.222",
            high="datum.rate + 0.222",
        )
        .mark_rect(color=COLOR["actor-critic"], stroke=QUIET, strokeWidth=0.3)
        .encode(
            alt.X("left:Q")
            .title("pole angle [rad]")
            .scale(domain=[-0.21, 0.21], nice=False)
            .axis(values=[-0.2, -0.1, 0, 0.1, 0.2]),
            alt.X2("right:Q"),
            alt.Y("low:Q")
            .title("its rate [rad/s]")
            .scale(domain=[-2, 2], nice=False)
            .axis(values=[-2, -1, 0, 1, 2]),
            alt.Y2("high:Q"),
            alt.Opacity(f"{field}:Q", legend=_swatches([low, top], "reward")).scale(
                domain=[low, top], range=[0.06, 1], clamp=True
            ),
            tooltip=[
                alt.Tooltip("angle:Q", format=".3f"),
                alt.Tooltip("rate:Q", format=".2f"),
                alt.Tooltip("said:Q", title="V̂", format=".1f"),
                alt.Tooltip("came:Q", title="what came", format=".1f"),
                alt.Tooltip("states:Q", title="states"),
            ],
        )
    )


def instrument(field: str, title: str, num_updates: int, low: float, top: float) -> alt.LayerChart:
    """What a critic is worth along training. Tables: fresh, own (update and the field)."""
    x = alt.X("update:Q").title("update").scale(domain=[0, num_updates], nice=False)
    y = alt.Y(f"{field}:Q").title(title).scale(domain=[low, top], nice=False).axis(tickCount=5)
    tooltip = ["update:Q", alt.Tooltip(f"{field}:Q", format=".3~g")]
    own = (
        alt.Chart(alt.NamedData("own"))
        .mark_line(strokeWidth=1.2, color=COLOR["actor-critic"], opacity=0.6, clip=True)
        .encode(x, y)
    )
    fresh = (
        alt.Chart(alt.NamedData("fresh"))
        .mark_line(
            strokeWidth=2.8,
            color=COLOR["actor-critic"],
            point={"size": 60, "filled": True, "color": COLOR["actor-critic"]},
        )
        .encode(x, y, tooltip=tooltip)
    )
    return own + fresh


def race(budget: int) -> alt.LayerChart:
    """Learning curves of many methods against environment steps. Tables: curves, key, solved."""
    names = list(COLOR)
    x = alt.X("env_steps:Q").title("environment steps of each seed")
    x = x.scale(domain=[0, budget], nice=False).axis(labelExpr=SHORT)
    y = alt.Y("trailing_return:Q").title("mean return of the last 100 episodes")
    y = y.scale(domain=[0, 520], nice=False).axis(values=[0, 100, 200, 300, 400, 475])
    chosen = alt.Opacity("chosen:Q", legend=None).scale(domain=[0, 1], range=[0.45, 1])
    width = alt.StrokeWidth("chosen:Q", legend=None).scale(domain=[0, 1], range=[2, 4])
    lines = (
        alt.Chart(alt.NamedData("curves"))
        .mark_line(clip=True)
        .encode(x, y, _method(names), _method_dash(names), chosen, width)
    )
    key = alt.Chart(alt.NamedData("key"))
    sample = key.mark_rule(strokeWidth=2.5).encode(
        alt.X("left:Q"), alt.X2("right:Q"), alt.Y("shown:Q"), _method(names), _method_dash(names)
    )
    text = key.mark_text(align="left", dx=7, fontSize=FONT + 1, fontWeight="bold").encode(
        alt.X("right:Q"), alt.Y("shown:Q"), _method(names), text="label:N"
    )
    solved = (
        alt.Chart(alt.NamedData("solved"))
        .mark_rule(color=QUIET, strokeDash=[2, 3])
        .encode(alt.Y("trailing_return:Q"))
    )
    return solved + lines + sample + text


def switched(budget: int, broken: bool) -> alt.LayerChart:
    """Every seed of one run, faint under their middle. Tables: seeds, middle, solved."""
    color = BROKEN if broken else COLOR["actor-critic"]
    x = alt.X("env_steps:Q").title("environment steps of each seed")
    x = x.scale(domain=[0, budget], nice=False).axis(labelExpr=SHORT, tickCount=5)
    y = alt.Y("trailing_return:Q").title("return, last 100 episodes")
    y = y.scale(domain=[0, 510], nice=False).axis(values=[0, 250, 475])
    seeds = (
        alt.Chart(alt.NamedData("seeds"))
        .mark_line(opacity=0.4, strokeWidth=1.2, color=color, clip=True)
        .encode(x, y, alt.Detail("seed:N"), tooltip=["seed:N"])
    )
    middle = (
        alt.Chart(alt.NamedData("middle"))
        .mark_line(strokeWidth=3, color=color, strokeDash=BROKEN_DASH if broken else [1, 0])
        .encode(x, y)
    )
    solved = (
        alt.Chart(alt.NamedData("solved"))
        .mark_rule(color=QUIET, strokeDash=[2, 3])
        .encode(alt.Y("trailing_return:Q"))
    )
    return solved + seeds + middle
