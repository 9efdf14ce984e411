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
        "The **actor** is the network of the policy. The critic is trained towards the **target**"
        " $y = r + \\hat V(s')$; δ is their distance, y − V̂(s). Both y and δ contain V̂, but code"
        " treats them as fixed numbers: they are **detached**, and no gradient goes through. Else"
        " each loss would also move numbers that are not its own."
    )
    detached: bool = screen.control(DETACH, True)
    fields = screen.live(VALUE, START), screen.live(NEXT, NEXT_START)
    value: float = screen.control(VALUE, START)
    following: float = screen.control(NEXT, NEXT_START)
    screen.chart(
        charts.networks, fields,
        (VALUES.index(START), VALUES.index(NEXT_START)), detached, RATE, ink(),
        tables=tables(detached),
        title="Gradients stop at δ and at the target"
        if detached
        else "Nothing detached: the target moves, too",
        note=f"one step, r = 1, learning rate {RATE:g} · thin: values · thick: gradients",
        says=sentence(value, following, detached),
    )  # fmt: skip
    screen.says(sentence(value, following, detached))
    screen.numbers(numbers(value, following))
    screen.code(critic.value_gradient, critic.undetached_gradient)


def tables(detached: bool) -> dict[str, pd.DataFrame]:
    """Boxes, arrows and notes of the picture."""
    boxes = [
        (0.1, 0.9, 5.6, "forward", "s"),
        (0.1, 0.9, 1.6, "forward", "s′"),
        (1.7, 3.6, 6.9, "actor", "actor"),
        (1.7, 3.6, 4.3, "critic", "critic"),
        (1.7, 3.6, 1.6, "critic", "critic"),
        (4.6, 7.4, 6.9, "actor", "π(a|s)"),
        (4.6, 7.4, 4.3, "critic", "V̂(s)"),
        (4.6, 7.4, 1.6, "critic", "V̂(s′)"),
        (8.8, 12.1, 6.9, "actor", "actor's step"),
        (8.8, 12.1, 4.3, "forward", "δ = y − V̂(s)"),
        (8.8, 12.1, 1.6, "forward", "target y"),
    ]
    high, low = 0.3, -0.35  # an arrow forward stands above the middle, a gradient below it
    forward = [
        (0.9, 5.9, 1.7, 6.9 + high), (0.9, 5.3, 1.7, 4.3 + high), (0.9, 1.6, 1.7, 1.6),
        (3.6, 6.9 + high, 4.6, 6.9 + high), (3.6, 4.3 + high, 4.6, 4.3 + high),
        (3.6, 1.6 + high, 4.6, 1.6 + high), (7.4, 4.3 + high, 8.8, 4.3 + high),
        (7.4, 1.6 + high, 8.8, 1.6 + high), (9.5, 2.35, 9.5, 3.55), (9.5, 5.05, 9.5, 6.15),
    ]  # fmt: skip
    edges = [(*edge, "forward") for edge in forward]
    back = [(8.8, 6.9 + low, 7.4, "actor"), (4.6, 6.9 + low, 3.6, "actor")]
    back += [(8.8, 4.3 + low, 7.4, "critic"), (4.6, 4.3 + low, 3.6, "critic")]
    if not detached:
        back += [(8.8, 1.6 + low, 7.4, "cut"), (4.6, 1.6 + low, 3.6, "cut")]
    edges += [(x, y, x2, y, kind) for x, y, x2, kind in back]
    tips = [(x2, y2, "forward", 90 if y == y2 else 0) for _, y, x2, y2 in forward[2:]]
    tips = [(x - 0.08 * (way == 90), y - 0.1 * (way == 0), kind, way) for x, y, kind, way in tips]
    tips += [(x2 + 0.12, y, kind, 270) for _, y, x2, kind in back]
    if detached:
        # a bar across the way back from δ to the target, and from the actor's step to δ
        edges += [(11.0, 2.95, 11.9, 2.95, "cut"), (11.0, 5.6, 11.9, 5.6, "cut")]
        notes = [(10.35, 2.95, "detach", "cut"), (10.35, 5.6, "detach", "cut")]
    else:
        edges += [(11.4, 6.15, 11.4, 5.05, "cut"), (11.4, 3.55, 11.4, 2.35, "cut")]
        tips += [(11.4, 5.2, "cut", 180), (11.4, 2.5, "cut", 180)]
        notes = [(10.55, 5.6, "✗", "cut"), (10.55, 2.95, "✗", "cut")]
    return {
        "boxes": pd.DataFrame(boxes, columns=["left", "right", "y", "kind", "head"]).assign(
            alone=lambda table: table["right"] < 4
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
    policy = (
        f"π(a|s) stays at {fixed(now.probability)}"
        if way == "nowhere"
        else f"π(a|s) goes {way} to {fixed(now.probability)}"
    )
    if detached:
        return (
            f"{start}. {policy}. V̂(s) moves to {fixed(now.value)}, towards the target"
            f" {fixed(now.target)}, which stays."
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
