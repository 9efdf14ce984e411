"""Drawings of the worlds that carry the story: SVG whose colours follow the page's theme.

Each is drawn from the world itself: probabilities, rewards and successors are read from its tables.
"""

from collections.abc import Sequence
from html import escape

import numpy as np

from pgviz.figures import fixed, number
from pgviz.worlds.tabular import Floats, TabularMDP

LETTERS = "font-family:inherit;fill:currentColor"
QUIET = "opacity:.65"


def _svg(width: int, height: int, says: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(says)}"'
        f' style="width:100%;max-height:100%;color:inherit">'
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 1 L9 5 L0 9 z" fill="currentColor"/></marker>'
        f"</defs>{''.join(parts)}</svg>"
    )


def _text(
    x: float, y: float, text: str, size: int = 15, weight: int = 400, anchor: str = "middle",
    style: str = "",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}" style="{LETTERS};{style}">{escape(text)}</text>'
    )


def _box(x: float, y: float, width: float, height: float, style: str = "") -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" fill="none"'
        f' stroke="currentColor" stroke-width="1.6" style="{style}"/>'
    )


def _arrow(x1: float, y1: float, x2: float, y2: float, bend: float = 0.0) -> str:
    """An arrow, bent by so many pixels to its left."""
    along = np.array([x2 - x1, y2 - y1])
    side = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-9)
    middle = np.array([x1 + x2, y1 + y2]) / 2 + bend * side
    return (
        f'<path d="M{x1:g} {y1:g} Q{middle[0]:g} {middle[1]:g} {x2:g} {y2:g}" fill="none"'
        ' stroke="currentColor" stroke-width="1.6" marker-end="url(#tip)"/>'
    )


def _pays(world: TabularMDP) -> Floats:
    """The mean reward of each action in each state, [S, A]."""
    return (world.transitions * world.rewards).sum(axis=-1)


def corridor(world: TabularMDP) -> str:
    """The rooms of the short corridor, where each action leads from each, and the goal.

    Arrows above a room are action 0 (right), below it action 1 (left).
    """
    num_states = world.transitions.shape[0]
    width, room, top = 150, 110, 60
    parts = []
    centres = [30 + width * s + room / 2 for s in range(num_states + 1)]
    for s in range(num_states):
        parts.append(_box(centres[s] - room / 2, top, room, 80))
        parts.append(_text(centres[s], top + 46, "?", 26, 600, style=QUIET))
    goal = centres[num_states]
    parts.append(_box(goal - room / 2, top, room, 80, "stroke-dasharray:5 4"))
    parts.append(_text(goal, top + 46, "goal", 18, 600))
    for s in range(num_states):
        for action, name in enumerate(("right", "left")):
            following = int(world.transitions[s, action].argmax())
            to, above = centres[following], action == 0
            y = top - 6 if above else top + 86
            shift = 16 if to >= centres[s] else -16
            if following == s:
                parts.append(_text(centres[s], y + (-8 if above else 20), f"{name} ↺", 14))
                continue
            bend = 26 if (to > centres[s]) == above else -26
            parts.append(_arrow(centres[s] + shift, y, to - shift, y, bend))
            parts.append(_text((centres[s] + to) / 2, y + (-22 if above else 34), name, 14))
    cost = fixed(float(_pays(world).min()), 0)
    parts.append(_text(centres[0], top + 150, "start", 14, style=QUIET))
    parts.append(_text(goal, top + 150, f"each step: {cost}", 14, style=QUIET))
    says = (
        f"{num_states} rooms that look alike in a row, then the goal. In the second room the two"
        " actions are swapped."
    )
    return _svg(2 * 30 + width * num_states + room, 230, says, parts)


def two_arms(world: TabularMDP, chosen: int | None = None) -> str:
    """One decision: its arms, the probability of each under the policy, and what each pays."""
    policy, pays = world.policy[0], _pays(world)[0]
    num_arms = len(policy)
    height = 70 * num_arms + 40
    middle = height / 2
    parts = [
        f'<circle cx="60" cy="{middle:g}" r="26" fill="none" stroke="currentColor"'
        ' stroke-width="1.6"/>',
        _text(60, middle + 5, "choose", 13),
    ]
    for arm in range(num_arms):
        y = 20 + 70 * arm + 35
        strong = chosen is None or arm == chosen
        style = "" if strong else "opacity:.3"
        parts.append(f'<g style="{style}">')
        parts.append(_arrow(88, middle + (y - middle) * 0.15, 226, y))
        parts.append(_text(150, (middle + y) / 2 - 12, f"π = {fixed(float(policy[arm]))}", 14, 600))
        parts.append(_box(230, y - 24, 130, 48))
        parts.append(_text(295, y + 5, f"arm {arm + 1}", 15, 600))
        parts.append(_text(376, y + 5, f"pays {number(float(pays[arm]))}", 15, anchor="start"))
        parts.append("</g>")
    says = "One decision between " + ", ".join(
        f"arm {arm + 1}, chosen with probability {fixed(float(policy[arm]))}, which pays"
        f" {number(float(pays[arm]))}"
        for arm in range(num_arms)
    )
    return _svg(480, height, says, parts)


def ladder(world: TabularMDP, path: Sequence[int] = (), actions: Sequence[int] = ()) -> str:
    """The rungs against time, one column per step, and one path through them.

    `path` holds the states s_0 … s_T of an episode, `actions` a_0 … a_{T−1}; without a path the
    rungs stand alone. A step that ends on the top rung pays.
    """
    num_states, horizon = world.transitions.shape[0], world.horizon or len(actions)
    left, step, rung, top = 70, 92, 62, 34
    width, height = left + step * horizon + 50, top + rung * (num_states - 1) + 70
    level = [top + rung * (num_states - 1 - s) for s in range(num_states)]
    parts = []
    for s in range(num_states):
        parts.append(
            f'<line x1="{left - 14}" x2="{left + step * horizon + 14}" y1="{level[s]}"'
            f' y2="{level[s]}" stroke="currentColor" style="opacity:.25"/>'
        )
        label = f"rung {s}" + (" (pays 1)" if s == num_states - 1 else "")
        parts.append(_text(6, level[s] - 6, label, 13, anchor="start", style=QUIET))
    for t in range(horizon + 1):
        parts.append(_text(left + step * t, height - 8, str(t), 13, style=QUIET))
    parts.append(
        _text(left + step * horizon + 14, height - 8, " step", 13, anchor="start", style=QUIET)
    )
    names = ("rest", "climb")
    for t, action in enumerate(actions):
        x1, y1 = left + step * t, level[path[t]]
        x2, y2 = left + step * (t + 1), level[path[t + 1]]
        parts.append(_arrow(x1 + 8, y1, x2 - 9, y2))
        parts.append(_text((x1 + x2) / 2, (y1 + y2) / 2 - 8, names[action], 12))
    for t, s in enumerate(path):
        paid = t > 0 and s == num_states - 1
        parts.append(
            f'<circle cx="{left + step * t}" cy="{level[s]}" r="7" stroke="currentColor"'
            f' fill="{"currentColor" if paid else "none"}" stroke-width="1.6"/>'
        )
    says = f"{num_states} rungs over {horizon} steps" + (
        "; the path goes through rungs " + ", ".join(map(str, path)) if len(path) else ""
    )
    return _svg(width, height, says, parts)
