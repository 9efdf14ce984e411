"""One episode taken apart: its probability is a product of the policy's and the world's factors.

P(τ) = d_0(s_0) Π_t π(a_t|s_t) p(s_{t+1}|s_t, a_t). The slope of each factor's logarithm along one
knob of the policy is what ∇ log P(τ) is made of; the world's factors contribute nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgviz.exact.landscape import Knob, knob
from pgviz.exact.trajectories import Trajectory
from pgviz.worlds.tabular import TabularMDP, WorldError

POLICY, WORLD = "policy", "world"


def trajectory(
    world: TabularMDP, states: Sequence[int], actions: Sequence[int], after: Sequence[int]
) -> Trajectory:
    """An episode with its probability under the world's policy."""
    s, a, n = list(states), list(actions), list(after)
    chosen = world.policy[s, a] * world.transitions[s, a, n]
    return Trajectory(
        float(world.start[s[0]] * chosen.prod()),
        tuple(s),
        tuple(a),
        tuple(n),
        tuple(float(r) for r in world.rewards[s, a, n]),
    )


@dataclass(frozen=True, eq=False)
class Factors:
    """The factors of one episode's probability, at one setting of the knob.

    table: step, part ("policy" or "world"), factor, log, slope (of the log, along θ).
    """

    table: pd.DataFrame

    @property
    def probability(self) -> float:
        """P(τ), from a certain start."""
        return float(self.table["factor"].to_numpy().prod())

    def slope(self, part: str) -> float:
        """The sum of one part's slopes."""
        return float(self.table.loc[self.table["part"] == part, "slope"].sum())


def factors(world: TabularMDP, tau: Trajectory, action: int, p: float | None = None) -> Factors:
    """Each factor of P(τ), its log and that log's slope, with the knob of `action` at p.

    The slope is along θ: the logit of that action, moved alike in all states.
    """
    turn = _knob(world, action)
    here = world if p is None else world.at(turn.thetas(p))
    rows = []
    for t, (s, a, n) in enumerate(zip(tau.states, tau.actions, tau.next_states, strict=True)):
        pushed = world.features[s] @ turn.direction  # how far each logit moves
        chosen = float(here.policy[s, a])
        slope = float(pushed[a] - here.policy[s] @ pushed)
        moved = float(world.transitions[s, a, n])
        rows.append((t, POLICY, chosen, np.log(chosen), slope))
        rows.append((t, WORLD, moved, np.log(moved), 0.0))
    return Factors(pd.DataFrame(rows, columns=["step", "part", "factor", "log", "slope"]))


def _knob(world: TabularMDP, action: int) -> Knob:
    turn = knob(world, action)
    if turn is None:
        raise WorldError("the features of this world leave no policy to turn")
    return turn
