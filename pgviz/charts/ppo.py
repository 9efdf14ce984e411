"""Charts of the PPO page, each a constant specification over named tables."""

from typing import Any

import altair as alt
import pandas as pd

from pgviz.charts.theme import BROKEN, COLOR, DASH, QUIET, TRUTH_DASH
from pgviz.measure import proximal
from pgviz.worlds.world import CARTPOLE_V1

LETTERS = 13
PPO = COLOR["ppo"]
LABEL: dict[str, Any] = {"align": "left", "dx": 9, "fontSize": LETTERS, "fontWeight": 600}
PASSES = ("ten, ε = 0.2", "ten, no clip", "one pass")
KINDS = [proximal.FRESH, proximal.STALE, proximal.RATIO]


def _table(name: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(name))


def climbing(num_steps: int, ink: str) -> alt.LayerChart:
    """J along gradient steps. Tables: path (kind, step, objective), ends (the same and label)."""
    x = alt.X("step:Q").title("gradient steps").scale(domain=[0, num_steps * 1.25], nice=False)
    x = x.axis(values=list(range(0, num_steps + 1, 5)), grid=False)
    y = alt.Y("objective:Q").title("J").scale(domain=[-22, -11], nice=False)
    y = y.axis(values=[-22, -20, -18, -16, -14, -12])
    color = alt.Color("kind:N", legend=None).scale(domain=KINDS[:2], range=[ink, BROKEN])
    dash = alt.StrokeDash("kind:N", legend=None).scale(domain=KINDS[:2], range=[TRUTH_DASH, [1, 0]])
    shape = alt.Shape("kind:N", legend=None).scale(domain=KINDS[:2], range=["circle", "cross"])
    best = _table("path").transform_aggregate(rows="count()")
    best = best.transform_calculate(objective=str(proximal.truth(2 - 2**0.5)))
    return (
        best.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(y)
        + _table("path").mark_line(strokeWidth=2.4).encode(x, y, color, dash)
        + _table("path").mark_point(filled=True, size=46, opacity=1).encode(x, y, color, shape)
        + _table("ends").mark_text(**LABEL).encode(x, y, color, text="label:N")
    )


def points(here: dict[str, float], climb: float) -> pd.DataFrame:
    """The slopes at the present policy as rows for `slopes`."""
    return pd.DataFrame(
        [{"climb": climb, "kind": kind, "slope": slope} for kind, slope in here.items()]
    )


def slopes(ink: str, old: float) -> alt.LayerChart:
    """Slopes along policies. Tables: slopes and here (climb, kind, slope)."""
    x = alt.X("climb:Q").title("present policy, π(climb)").scale(domain=[0, 1], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    y = alt.Y("slope:Q").title("slope along θ").scale(domain=[0, 1.7], nice=False).axis(tickCount=6)
    color = alt.Color("kind:N").scale(domain=KINDS, range=[ink, BROKEN, PPO])
    columns = alt.ExprRef("containerSize()[0] < 480 ? 1 : 3")
    color = color.legend(title=None, orient="top", columns=columns, labelLimit=260)
    dash = alt.StrokeDash("kind:N", legend=None).scale(
        domain=KINDS, range=[TRUTH_DASH, [3, 3], [1, 0]]
    )
    shape = alt.Shape("kind:N", legend=None).scale(
        domain=KINDS, range=["circle", "cross", "square"]
    )
    played = _table("here").transform_aggregate(rows="count()").transform_calculate(climb=str(old))
    return (
        played.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + played.mark_text(color=QUIET, fontSize=12, align="left", dx=6, baseline="top", dy=4)
        .encode(x, y=alt.value(0), text=alt.value("played here"))
        + _table("slopes").mark_line(strokeWidth=2.6, clip=True).encode(x, y, color, dash)
        + _table("here").mark_point(filled=True, size=110, opacity=1, clip=True)
        .encode(x, y, color, shape, tooltip=["kind:N", alt.Tooltip("slope:Q", format=".3f")])
    )  # fmt: skip


def promises(ink: str, old: float, clip_coef: float = 0.0) -> alt.LayerChart:
    """The promise and the true J; shaded, where the ratio of "right" is within 1 ± clip_coef.

    Tables: curves (p, kind, value), marks (the same and label).
    """
    kinds = ["promise", "true J"]
    x = alt.X("p:Q").title("new policy, P(right)").scale(domain=[0, 1], nice=False)
    x = x.axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1])
    y = alt.Y("value:Q").title("J").scale(domain=[-40, 0], nice=False).axis(tickCount=5)
    color = alt.Color("kind:N", legend=None).scale(domain=kinds, range=[PPO, ink])
    dash = alt.StrokeDash("kind:N", legend=None).scale(domain=kinds, range=[[1, 0], TRUTH_DASH])
    shape = alt.Shape("kind:N", legend=None).scale(domain=kinds, range=["square", "circle"])
    played = _table("curves").transform_aggregate(rows="count()").transform_calculate(p=str(old))
    low, high = max(0.0, old * (1 - clip_coef)), min(1.0, old * (1 + clip_coef))
    within = played.transform_calculate(low=str(low), high=str(high))
    return (
        within.mark_rect(color=PPO, opacity=0.1).encode(
            alt.X("low:Q").scale(domain=[0, 1], nice=False), alt.X2("high:Q"))
        + played.mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x)
        + played.mark_text(color=QUIET, fontSize=12, align="right", dx=-6, baseline="bottom", dy=-6)
        .encode(x, y=alt.value("height"), text=alt.value("played here"))
        + _table("curves").mark_line(strokeWidth=2.6, clip=True).encode(x, y, color, dash)
        + _table("marks").mark_point(filled=True, size=120, opacity=1, clip=True)
        .encode(x, y, color, shape)
        + _table("marks").transform_filter("datum.kind == 'promise'")
        .mark_text(align="right", dx=-10, dy=-12, fontSize=LETTERS, fontWeight=600)
        .encode(x, y, color, text="label:N")
        + _table("marks").transform_filter("datum.kind == 'true J'")
        .mark_text(align="right", dx=-10, dy=14, fontSize=LETTERS, fontWeight=600)
        .encode(x, y, color, text="label:N")
    )  # fmt: skip


def sides(epsilon: float, ink: str) -> alt.LayerChart:
    """One term of the clipped surrogate over ρ, for A = 1 and A = −1.

    Tables: terms (sign, ratio, clipped, unclipped), here (sign, ratio, clipped), labels (sign, ratio,
    clipped, label).
    """
    signs = ["A = 1", "A = −1"]
    x = alt.X("ratio:Q").title("ratio ρ").scale(domain=[0, 2], nice=False)
    x = x.axis(values=[0, 1 - epsilon, 1, 1 + epsilon, 2], format="~g", grid=False)
    y = alt.Y("clipped:Q").title("ρA, clipped").scale(domain=[-2, 2], nice=False).axis(tickCount=5)
    color = alt.Color("sign:N", legend=None).scale(domain=signs, range=[PPO, BROKEN])
    ends = _table("terms").transform_aggregate(rows="count()")
    low = ends.transform_calculate(ratio=str(1 - epsilon), high=str(1 + epsilon))
    return (
        low.mark_rect(color=PPO, opacity=0.1)
        .encode(alt.X("ratio:Q").scale(domain=[0, 2], nice=False), alt.X2("high:Q"))
        + _table("terms").mark_line(strokeWidth=1.6, strokeDash=TRUTH_DASH, color=QUIET)
        .encode(x, alt.Y("unclipped:Q").scale(domain=[-2, 2], nice=False), alt.Detail("sign:N"))
        + _table("terms").mark_line(strokeWidth=3.2).encode(x, y, color)
        + _table("here").mark_point(filled=True, size=150, opacity=1, color=ink).encode(x, y)
        + _table("labels").mark_text(align="left", dx=8, fontSize=LETTERS, fontWeight=600)
        .encode(x, y, color, text="label:N")
    )  # fmt: skip


def shares(num_updates: int) -> alt.LayerChart:
    """Two shares of the steps along a run. Tables: shares and names (update, name, share)."""
    names = ["|ρ − 1| > ε", "no gradient"]
    x = alt.X("update:Q").title("update").scale(domain=[0, 1.25 * num_updates], nice=False)
    x = x.axis(values=[k * num_updates // 6 for k in range(7)], grid=False)
    y = alt.Y("share:Q").title("share of the steps").axis(format="%", tickCount=5)
    color = alt.Color("name:N", legend=None).scale(domain=names, range=[PPO, COLOR["reinforce"]])
    dash = alt.StrokeDash("name:N", legend=None).scale(domain=names, range=[[1, 0], [6, 3]])
    return (
        _table("shares").mark_line(strokeWidth=2.4).encode(x, y, color, dash)
        + _table("names").mark_text(**LABEL).encode(x, y, color, text="name:N")
    )  # fmt: skip


def with_and_without_clip(num_updates: int, field: str) -> alt.LayerChart:
    """One quantity along updates: ten passes with the clip and without, and one pass.

    Tables: middle and names (name, update, value), seeds (name, seed, update, value).
    """
    x = alt.X("update:Q").title("update").scale(domain=[0, 1.25 * num_updates], nice=False)
    x = x.axis(values=[k * num_updates // 6 for k in range(7)], grid=False)
    if field == "approx_kl":
        y = alt.Y("value:Q").title("KL from the old policy, nats")
        y = y.scale(type="log", domain=[1e-4, 10], nice=False, clamp=True)
        y = y.axis(values=[1e-4, 1e-3, 1e-2, 0.1, 1, 10], format="~g")
    else:
        low, high = CARTPOLE_V1.returns or (0, 1)
        y = alt.Y("value:Q").title("return, mean of the last 100 episodes")
        y = y.scale(domain=[low, high + 20], nice=False).axis(tickCount=6)
    color = alt.Color("name:N", legend=None).scale(domain=PASSES, range=[PPO, BROKEN, COLOR["gae"]])
    dashes = [[1, 0], [6, 4], DASH["gae"]]
    dash = alt.StrokeDash("name:N", legend=None).scale(domain=PASSES, range=dashes)
    return (
        _table("seeds").mark_line(strokeWidth=1, opacity=0.28, clip=True)
        .encode(x, y, color, alt.Detail("seed:N"))
        + _table("middle").mark_line(strokeWidth=3, clip=True).encode(x, y, color, dash)
        + _table("names").mark_text(**LABEL).encode(x, y, color, text="name:N")
    )  # fmt: skip
