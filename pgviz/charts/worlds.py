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
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="12"'
        ' markerHeight="12" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 1 L9 5 L0 9 z" fill="currentColor"/></marker>'
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


def _arrow(
    x1: float, y1: float, x2: float, y2: float, bend: float = 0.0, weight: float = 1.6
) -> str:
    """An arrow, bent by so many pixels to its left."""
    along = np.array([x2 - x1, y2 - y1])
    side = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-9)
    middle = np.array([x1 + x2, y1 + y2]) / 2 + bend * side
    return (
        f'<path d="M{x1:g} {y1:g} Q{middle[0]:g} {middle[1]:g} {x2:g} {y2:g}" fill="none"'
        f' stroke="currentColor" stroke-width="{weight:g}" marker-end="url(#tip)"/>'
    )


def _pays(world: TabularMDP) -> Floats:
    """The mean reward of each action in each state, [S, A]."""
    return (world.transitions * world.rewards).sum(axis=-1)


def corridor(world: TabularMDP) -> str:
    """The rooms of the short corridor, where each action leads from each, and the goal.

    Arrows above a room are action 0 (right), below it action 1 (left). An action that leads the
    other way in this room is drawn heavier and farther out, and says so.
    """
    num_states = world.transitions.shape[0]
    width, room, high, top = 178, 118, 96, 124
    centres = [26 + width * s + room / 2 for s in range(num_states + 1)]
    goal = centres[num_states]
    parts = []
    for s in range(num_states):
        parts.append(_box(centres[s] - room / 2, top, room, high))
        parts.append(_text(centres[s], top + high / 2 + 11, "?", 32, 600, style=QUIET))
    parts.append(_box(goal - room / 2, top, room, high, "stroke-dasharray:6 5"))
    parts.append(_text(goal, top + high / 2 + 7, "goal", 20, 600))
    for s in range(num_states):
        for action, name in enumerate(("right", "left")):
            following = int(world.transitions[s, action].argmax())
            parts += _leads(centres, s, following, name, action == 0, top, high)
    cost = fixed(float(_pays(world).min()), 0)
    low = top + high + 116
    parts.append(_text(centres[0], low, "start", 17, style=QUIET))
    parts.append(_text(goal, low, f"each step: {cost}", 17, style=QUIET))
    says = f"{num_states} rooms that look alike in a row, then the goal." + "".join(
        f" In room {s + 1} right and left are swapped."
        for s in range(num_states)
        if _is_swapped(world, s)
    )
    return _svg(round(goal + room / 2 + 26), low + 18, says, parts)


def _is_swapped(world: TabularMDP, s: int) -> bool:
    """Whether action 0, right, leads to the left of this room."""
    return int(world.transitions[s, 0].argmax()) < s


def _leads(
    centres: Sequence[float], s: int, following: int, name: str, above: bool, top: int, high: int
) -> list[str]:
    """One action of one room: an arrow with its name, above the rooms or below them."""
    here, there = centres[s], centres[following]
    y, out = (top - 7, -1) if above else (top + high + 7, 1)
    if following == s:
        loop = (
            f'<path d="M{here - 17:g} {y:g} C{here - 30:g} {y + out * 42:g} {here + 30:g}'
            f' {y + out * 42:g} {here + 17:g} {y:g}" fill="none" stroke="currentColor"'
            ' stroke-width="1.6" marker-end="url(#tip)"/>'
        )
        return [loop, _text(here, y + out * 44 + 6, name, 17)]
    rightwards = there > here
    swapped = rightwards != above
    reach, near = (138, -20) if swapped else (44, 16)
    side = 1 if rightwards else -1
    start, end = here + side * near, there - side * near
    bend = reach if rightwards == above else -reach
    label = f"{name} (swapped)" if swapped else name
    weight = 2.8 if swapped else 1.6
    middle = y + out * (reach / 2 + 10) + (0 if above else 10)
    return [
        _arrow(start, y, end, y, bend, weight),
        _text((start + end) / 2, middle, label, 17, 600 if swapped else 400),
    ]


def two_arms(world: TabularMDP, chosen: int | None = None) -> str:
    """One decision: its arms, the probability of each under the policy, and what each pays."""
    policy, pays = world.policy[0], _pays(world)[0]
    num_arms = len(policy)
    height = 76 * num_arms + 24
    middle = height / 2
    parts = [
        f'<circle cx="60" cy="{middle:g}" r="32" fill="none" stroke="currentColor"'
        ' stroke-width="1.6"/>',
        _text(60, middle + 5, "choose", 14),
    ]
    for arm in range(num_arms):
        y = 12 + 76 * arm + 38
        strong = chosen is None or arm == chosen
        style = "" if strong else "opacity:.3"
        parts.append(f'<g style="{style}">')
        parts.append(_arrow(95, middle + (y - middle) * 0.15, 196, y))
        parts.append(_box(200, y - 29, 150, 58))
        parts.append(_text(275, y - 5, f"arm {arm + 1}", 16, 600))
        parts.append(_text(275, y + 17, f"π = {fixed(float(policy[arm]))}", 15))
        parts.append(_text(366, y + 5, f"pays {number(float(pays[arm]))}", 16, anchor="start"))
        parts.append("</g>")
    says = "One decision between " + ", ".join(
        f"arm {arm + 1}, chosen with probability {fixed(float(policy[arm]))}, which pays"
        f" {number(float(pays[arm]))}"
        for arm in range(num_arms)
    )
    return _svg(450, height, says, parts)


def ladder(world: TabularMDP, path: Sequence[int] = (), actions: Sequence[int] = ()) -> str:
    """The rungs against time, one column per step, and one path through them.

    `path` holds the states s_0 … s_T of an episode, `actions` a_0 … a_{T−1}; without a path the
    moves of each action from the middle rung are shown. A step that ends on the top rung pays.
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
    names = ("rest", "climb")
    if not len(path):
        height -= 40
        parts += _moves(world, names, left, step, level)
    else:
        for t in range(horizon + 1):
            parts.append(_text(left + step * t, height - 8, str(t), 13, style=QUIET))
        parts.append(
            _text(left + step * horizon + 14, height - 8, " step", 13, anchor="start", style=QUIET)
        )
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


def _moves(
    world: TabularMDP, names: Sequence[str], left: int, step: int, level: Sequence[float]
) -> list[str]:
    """From the middle rung: where each action leads, and with which probability."""
    middle = world.num_states // 2
    parts = []
    for place, action in enumerate(reversed(range(world.num_actions))):
        x = left + step * (0.6 + 3 * place)
        parts.append(
            f'<circle cx="{x:g}" cy="{level[middle]:g}" r="7" fill="none" stroke="currentColor"'
            ' stroke-width="1.6"/>'
        )
        parts.append(_text(x - 12, level[middle] - 12, names[action], 14, 600, anchor="end"))
        for to in map(int, np.flatnonzero(world.transitions[middle, action, :-1])):
            p = float(world.transitions[middle, action, to])
            end = x + 1.4 * step
            parts.append(_arrow(x + 9, level[middle], end, level[to]))
            parts.append(_text(end + 4, level[to] - 7, fixed(p, 1), 14, anchor="start"))
    return parts
