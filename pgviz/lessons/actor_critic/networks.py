"""Two networks, and one target that is held still: where gradients go, with the numbers of a step."""

import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact.one_update import Updated, updated
from pgviz.figures import fixed, signed
from pgviz.training import critic
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

VALUES = tuple(k / charts.HALVES for k in range(13))
DETACH = Choice("detach", "Detach δ and the target", (True, False))
VALUE = Choice("value", "V̂(s)", VALUES)
NEXT = Choice("next_value", "V̂(s′)", VALUES)
CONTROLS = (DETACH, VALUE, NEXT)
BEATS = ({"value": 2.0, "next_value": 3.0}, {"value": 6.0}, {"value": 2.0, "detach": False})
START, NEXT_START = 2.0, 3.0
RATE = 0.2


def draw(screen: Screen) -> None:
    screen.words(
        "The **actor** is the network of the policy; its loss is −δ log π(a|s). The critic's loss is"
        " $\\tfrac12 (y - \\hat V(s))^2$, with the **target** y = r + V̂(s′). In the first loss"
        " $\\delta = y - \\hat V(s)$ is **detached**, in the second y: they count as constants, and no"
        " gradient passes through them. Otherwise the actor's loss would move V̂, and the critic's"
        " the target."
    )
    detached: bool = screen.control(DETACH, True)
    fields = screen.live(VALUE, START), screen.live(NEXT, NEXT_START)
    value: float = screen.control(VALUE, START)
    following: float = screen.control(NEXT, NEXT_START)
    screen.chart(
        charts.networks, fields,
        (VALUES.index(START), VALUES.index(NEXT_START)), detached, RATE, ink(),
        tables=tables(detached),
        title="No gradient passes δ or the target"
        if detached
        else "Nothing detached: the target moves, too",
        note=f"one update, r = 1, learning rate {RATE:g} · thin: values · thick: gradients",
    )  # fmt: skip
    screen.says(sentence(value, following, detached))
    screen.numbers(numbers(value, following))
    screen.code(critic.td_gradient)


def tables(detached: bool) -> dict[str, pd.DataFrame]:
    """Boxes, arrows and notes of the picture."""
    boxes = [
        (0.1, 0.9, 5.6, "forward", "s"),  # tall: both networks see it
        (0.1, 0.9, 1.6, "forward", "s′"),
        (1.7, 3.6, 6.9, "actor", "actor"),
        (1.7, 3.6, 4.3, "critic", "critic"),
        (1.7, 3.6, 1.6, "critic", "same critic"),
        (4.6, 7.4, 6.9, "actor", "π(a|s)"),
        (4.6, 7.4, 4.3, "critic", "V̂(s)"),
        (4.6, 7.4, 1.6, "critic", "V̂(s′)"),
        (8.6, 12.1, 6.9, "actor", "−δ log π(a|s)"),
        (8.6, 12.1, 4.3, "critic", "½ (y − V̂(s))²"),
        (8.6, 12.1, 1.6, "forward", "y = r + V̂(s′)"),
    ]
    high, low = 0.3, -0.35  # an arrow forward stands above the middle, a gradient below it
    forward = [
        (0.9, 6.9, 1.7, 6.9), (0.9, 4.3, 1.7, 4.3), (0.9, 1.6, 1.7, 1.6),
        (3.6, 6.9 + high, 4.6, 6.9 + high), (3.6, 4.3 + high, 4.6, 4.3 + high),
        (3.6, 1.6 + high, 4.6, 1.6 + high), (7.4, 4.3 + high, 8.6, 4.3 + high),
        (7.4, 1.6 + high, 8.6, 1.6 + high), (9.1, 2.35, 9.1, 3.55), (9.1, 5.05, 9.1, 6.15),
    ]  # fmt: skip
    edges = [(*edge, "forward") for edge in forward]
    back = [(8.6, 6.9 + low, 7.4, "actor"), (4.6, 6.9 + low, 3.6, "actor")]
    back += [(8.6, 4.3 + low, 7.4, "critic"), (4.6, 4.3 + low, 3.6, "critic")]
    if not detached:
        back += [(8.6, 1.6 + low, 7.4, "cut"), (4.6, 1.6 + low, 3.6, "cut")]
    edges += [(x, y, x2, y, kind) for x, y, x2, kind in back]
    tips = [(x2, y2, "forward", 90 if y == y2 else 0) for _, y, x2, y2 in forward]
    tips = [(x - 0.08 * (way == 90), y - 0.1 * (way == 0), kind, way) for x, y, kind, way in tips]
    tips += [(x2 + 0.12, y, kind, 270) for _, y, x2, kind in back]
    if detached:
        # the gradient that would go back through δ, and through y, ends at a bar
        edges += [(11.7, 6.15, 11.7, 5.62, "actor"), (11.7, 3.55, 11.7, 3.02, "critic")]
        edges += [(11.4, 5.6, 12.0, 5.6, "cut"), (11.4, 3.0, 12.0, 3.0, "cut")]
        notes = [(10.3, 5.6, "δ, detached", "cut"), (10.3, 2.95, "y, detached", "cut")]
    else:
        edges += [(11.7, 6.15, 11.7, 5.05, "cut"), (11.7, 3.55, 11.7, 2.35, "cut")]
        tips += [(11.7, 5.2, "cut", 180), (11.7, 2.5, "cut", 180)]
        notes = [(10.4, 5.6, "✗ through δ", "cut"), (10.4, 2.95, "✗ through y", "cut")]
    return {
        "boxes": pd.DataFrame(boxes, columns=["left", "right", "y", "kind", "head"]).assign(
            alone=lambda table: table["right"] < 4,
            half=lambda table: charts.BOX / 2 + (table["head"] == "s") * (6.9 - 4.3) / 2,
        ),
        "edges": pd.DataFrame(edges, columns=["x", "y", "x2", "y2", "kind"]),
        "tips": pd.DataFrame(tips, columns=["x", "y", "kind", "way"]),
        "notes": pd.DataFrame(notes, columns=["x", "y", "text", "kind"]),
        "one": pd.DataFrame([{"row": 0}]),
    }


def sentence(value: float, following: float, detached: bool) -> str:
    """δ, and where the step leaves both predictions and the policy."""
    now = updated(value, following, detached, rate=RATE)
    way = "up" if now.error > 0 else "down" if now.error < 0 else "nowhere"
    start = f"δ = 1 + {fixed(following, 1)} − {fixed(value, 1)} = {signed(now.error, 1)}"
    logit = f"θ moves by {RATE:g} · δ · (1 − 0.5) = {signed(RATE * now.error * 0.5)}"
    policy = (
        f"π(a|s) stays at {fixed(now.probability)}"
        if way == "nowhere"
        else f"{logit}, and π(a|s) = 1/(1 + e⁻ᶿ) goes {way} to {fixed(now.probability)}"
    )
    if detached:
        return (
            f"{start}. {policy}. V̂(s) moves by {RATE:g} · δ to {fixed(now.value)}, towards the"
            f" target {fixed(now.target)}, which stays."
        )
    return (
        f"{start}. {policy}. V̂(s) moves to {fixed(now.value)}, but V̂(s′) moves to"
        f" {fixed(now.next_value)}: the target is now {fixed(now.target)}. The critic also follows"
        " the actor's loss."
    )


def numbers(value: float, following: float) -> pd.DataFrame:
    """The step both ways."""
    both: dict[str, Updated] = {
        name: updated(value, following, detached, rate=RATE)
        for name, detached in (("detached", True), ("nothing detached", False))
    }
    return pd.DataFrame(
        [
            {
                "": name,
                "δ": now.error,
                "V̂(s)": now.value,
                "V̂(s′)": now.next_value,
                "target y": now.target,
                "π(a|s)": now.probability,
            }
            for name, now in both.items()
        ]
    ).round(4)
