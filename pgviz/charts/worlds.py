"""Drawings of the worlds that carry the story: SVG whose colours follow the page's theme.

Each is drawn from the world itself: probabilities, rewards and successors are read from its tables.
"""

from collections.abc import Sequence
from html import escape

import numpy as np

from pgviz.worlds.tabular import TabularMDP

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
            to = centres[following]
            above = action == 0
            y = top - 6 if above else top + 86
            shift = 16 if to >= centres[s] else -16
            if following == s:
                parts.append(_text(centres[s], y + (-8 if above else 20), f"{name} ↺", 14))
                continue
            parts.append(
                _arrow(
                    centres[s] + shift, y, to - shift, y, 26 if (to > centres[s]) == above else -26
                )
            )
            middle = (centres[s] + to) / 2
            parts.append(_text(middle, y + (-22 if above else 34), name, 14))
    parts.append(_text(centres[0], top + 150, "start", 14, style=QUIET))
    costs = f"each step: {float(world.rewards[0, 0].max() if world.rewards.ndim == 2 else world.rewards[0, 0].max()):+g}"
    parts.append(_text(goal, top + 150, costs.replace("-", "−"), 14, style=QUIET))
    says = (
        f"{num_states} rooms that look alike in a row, then the goal. In the second room the two"
        " actions are swapped."
    )
    return _svg(2 * 30 + width * num_states + room, 230, says, parts)
