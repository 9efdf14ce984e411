"""The two proofs of the theorem as puzzles: true lines in one order, false ones among them.

Every line says "∇J = …". Its right side is computed in a small world by summing over all that can
happen, along the θ whose slope is largest, so that a false line shows itself by its number.

Axes: T trajectories, H horizon, S states, A actions, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from pgviz.estimators import reward_to_go
from pgviz.exact.trajectories import Trajectory, trajectories
from pgviz.exact.values import action_values, state_distributions
from pgviz.proofs.derivation import (
    Complexes,
    derivative,
    objective_at,
    policy_at,
    probabilities_of,
    values_at,
)
from pgviz.worlds.tabular import Floats, TabularMDP, once_per_world

SCORE = r"\nabla\log\pi(a_t|s_t)"


@dataclass(frozen=True)
class Line:
    """A right side of ∇J = …, how it is computed, and the reason that leads to it."""

    formula: str
    value: Callable[[TabularMDP], Floats]
    reason: str = ""
    wrong_reasons: tuple[str, ...] = ()
    why_false: str = ""


@dataclass(frozen=True, eq=False)
class Proof:
    """A proof to be put in order: what is given, the right lines, and false ones."""

    given: tuple[str, str]  # formula and reason
    right: tuple[Line, ...]
    false: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The right ones first, in their order."""
        return self.right + self.false

    def exact(self, world: TabularMDP) -> float:
        """The largest slope of J, by differentiating J itself."""
        return float(_slopes(world)[largest(world)])

    def number_of(self, world: TabularMDP, at: int) -> float:
        """The right side of a line, along the same θ."""
        return float(_value(world, self.lines[at].value)[largest(world)])

    def offered(self, placed: int) -> list[int]:
        """The lines to choose from when so many are placed: the next, a later one, false ones."""
        later = [placed + 1] if placed + 1 < len(self.right) else []
        false = [len(self.right) + k for k in ((0, 1) if placed < 2 else (1, 2))]
        lines = [*later, false[placed % 2], placed, false[1 - placed % 2]]
        return lines if placed % 2 else lines[::-1]

    def reasons(self, placed: int) -> tuple[tuple[str, ...], int]:
        """The reasons offered for the line placed last, and which one is right."""
        line = self.right[placed]
        at = (1, 0, 2, 1, 2)[placed]
        options = list(line.wrong_reasons)
        options.insert(at, line.reason)
        return tuple(options), at


def largest(world: TabularMDP) -> tuple[int, ...]:
    """The θ whose slope is largest."""
    slopes = _slopes(world)
    return tuple(int(i) for i in np.unravel_index(int(slopes.argmax()), slopes.shape))


@once_per_world
def _slopes(world: TabularMDP) -> Floats:
    return np.asarray(derivative(partial(objective_at, world), np.asarray(world.theta)))


@once_per_world
def _value(world: TabularMDP, value: Callable[[TabularMDP], Floats]) -> Floats:
    return value(world)


# ── By trajectories: ∇J = ∇ Σ_τ P(τ) R(τ) ────────────────────────────────────────────────────


def _summed(term: Callable[[TabularMDP, Trajectory], Floats]) -> Callable[[TabularMDP], Floats]:
    return lambda world: np.sum([term(world, tau) for tau in trajectories(world)], axis=0)


def _return(tau: Trajectory) -> float:
    return float(sum(tau.rewards))


def _slope(world: TabularMDP, tau: Trajectory) -> Floats:
    return derivative(lambda z: probabilities_of(world, [tau])(z)[0], np.asarray(world.theta))


def _slope_of_log(world: TabularMDP, tau: Trajectory) -> Floats:
    log = lambda z: np.log(probabilities_of(world, [tau])(z)[0])  # noqa: E731
    return derivative(log, np.asarray(world.theta))


_of_the_sum = _summed(lambda world, tau: _slope(world, tau) * _return(tau))
_of_the_log = _summed(lambda world, tau: tau.probability * _slope_of_log(world, tau) * _return(tau))
_of_the_scores = _summed(lambda world, tau: tau.probability * tau.score(world) * _return(tau))
_to_go = _summed(
    lambda world, tau: tau.probability * tau.score(world, reward_to_go(np.array(tau.rewards), 1.0))
)
_reward_slope = _summed(lambda world, tau: 0 * np.asarray(world.theta))
_without_log = _summed(lambda world, tau: tau.probability * _slope(world, tau) * _return(tau))
_earlier = _summed(
    lambda world, tau: (
        tau.probability * tau.score(world, np.cumsum(tau.rewards) - np.array(tau.rewards))
    )
)

TRAJECTORIES = Proof(
    (r"\nabla J = \nabla\sum_\tau P(\tau)\,R(\tau)", "J is the average return."),
    (
        Line(
            r"\sum_\tau \nabla P(\tau)\,R(\tau)",
            _of_the_sum,
            "Only the probabilities depend on θ.",
            ("Rewards are always positive.", "The world is known."),
        ),
        Line(
            r"\sum_\tau P(\tau)\,\nabla\log P(\tau)\,R(\tau)",
            _of_the_log,
            "The slope of log x is 1/x.",
            ("The log rises, so it keeps the maximum.", "The log makes numbers smaller."),
        ),
        Line(
            r"\mathbb{E}\big[\nabla\log P(\tau)\,R(\tau)\big]",
            _of_the_log,
            "A sum with P in front is an average over episodes.",
            ("Many samples were drawn.", "The score averages to zero."),
        ),
        Line(
            rf"\mathbb{{E}}\big[\textstyle\sum_t {SCORE}\,R(\tau)\big]",
            _of_the_scores,
            "The world's factors have slope zero.",
            ("The world's moves are equally likely.", "Earlier rewards are settled."),
        ),
        Line(
            rf"\mathbb{{E}}\big[\textstyle\sum_t {SCORE}\,G_t\big]",
            _to_go,
            "Given the past, scores average to zero.",
            ("Earlier rewards are small.", "The past has slope zero."),
        ),
    ),
    (
        Line(
            r"\sum_\tau P(\tau)\,\nabla R(\tau)",
            _reward_slope,
            why_false="R is a fixed number: its slope is 0",
        ),
        Line(
            r"\mathbb{E}\big[\nabla P(\tau)\,R(\tau)\big]",
            _without_log,
            why_false="E counts P already, and ∇P counts it again",
        ),
        Line(
            rf"\mathbb{{E}}\big[\textstyle\sum_t {SCORE}\,(R - G_t)\big]",
            _earlier,
            why_false="these are the earlier rewards, which average to zero",
        ),
    ),
)


# ── By values: ∇J = E ∇V(s₀), unrolled ───────────────────────────────────────────────────────


def _first_values(world: TabularMDP, z: Complexes) -> tuple[Complexes, Complexes]:
    """π [S, A] and Q at the first step [S, A], at a complex θ. γ = 1, with a horizon."""
    after = np.append(values_at(world, z)[1], 0)
    return policy_at(world, z), (world.transitions * (world.rewards + after)).sum(axis=-1)


def _product(world: TabularMDP, policy_moves: bool, values_move: bool) -> Floats:
    """Σ_s d₀(s) of the slope of Σ_a π Q, where either may stand still."""
    theta = np.asarray(world.theta)
    still = _first_values(world, theta.astype(complex))

    def both(z: Complexes) -> Complexes:
        moving = _first_values(world, z)
        policy = (moving if policy_moves else still)[0]
        values = (moving if values_move else still)[1]
        return np.asarray(world.start @ (policy * values).sum(axis=1))

    return derivative(both, theta)


def _one_state_later(world: TabularMDP) -> Floats:
    """Σ_s d₀ (Σ_a ∇π Q + Σ_s′ P(s′|s) ∇V(s′))."""
    later = derivative(lambda z: values_at(world, z)[1], np.asarray(world.theta))
    moves = np.einsum("sa,sat->st", world.policy, world.transitions[:, :, :-1])
    return _product(world, True, False) + np.einsum("s,st,tfa->fa", world.start, moves, later)


def _policy_slopes(world: TabularMDP) -> Floats:
    """∂π(a|s)/∂θ, [S, A, F, A]."""
    return derivative(partial(policy_at, world), np.asarray(world.theta))


def _unrolled(world: TabularMDP) -> Floats:
    """Σ_t Σ_s Pr(s_t = s) Σ_a ∇π(a|s) Q_t(s, a)."""
    visits, values = state_distributions(world), action_values(world)
    return np.einsum("hs,hsa,safb->fb", visits, values, _policy_slopes(world))


def _scores(world: TabularMDP) -> Floats:
    """Σ_t Σ_s Pr(s_t = s) Σ_a π(a|s) ∇log π(a|s) Q_t(s, a)."""
    logs = derivative(lambda z: np.log(policy_at(world, z)), np.asarray(world.theta))
    visits, values = state_distributions(world), action_values(world)
    return np.einsum("hs,sa,hsa,safb->fb", visits, world.policy, values, logs)


def _twice(world: TabularMDP) -> Floats:
    """Σ_t Σ_s Pr(s_t = s) Σ_a π(a|s) ∇π(a|s) Q_t(s, a)."""
    visits, values = state_distributions(world), action_values(world)
    return np.einsum("hs,sa,hsa,safb->fb", visits, world.policy, values, _policy_slopes(world))


VALUES = Proof(
    (r"\nabla J = \mathbb{E}\,\nabla V(s_0)", "J is the average value of the first state."),
    (
        Line(
            r"\mathbb{E}\,\textstyle\sum_a \nabla\big(\pi(a|s_0)\,Q(s_0,a)\big)",
            lambda world: _product(world, True, True),
            "V averages Q over the actions.",
            ("Q is the largest V.", "The first state does not depend on θ."),
        ),
        Line(
            r"\mathbb{E}\,\textstyle\sum_a \big(\nabla\pi\;Q + \pi\,\nabla Q\big)",
            lambda world: _product(world, True, False) + _product(world, False, True),
            "The product rule.",
            ("The log turns products into sums.", "The probabilities sum to one."),
        ),
        Line(
            r"\mathbb{E}\,\big[\textstyle\sum_a \nabla\pi(a|s_0)\,Q(s_0,a) + \nabla V(s_1)\big]",
            _one_state_later,
            "In Q only the next state's value depends on θ.",
            ("The reward is known after one step.", "Q and V have the same slope."),
        ),
        Line(
            r"\mathbb{E}\,\textstyle\sum_t\sum_a \nabla\pi(a|s_t)\,Q(s_t,a)",
            _unrolled,
            "The same holds for the next state, and the next.",
            ("All states are equally likely.", "Later states matter less."),
        ),
        Line(
            rf"\mathbb{{E}}\,\textstyle\sum_t {SCORE}\,Q(s_t,a_t)",
            _scores,
            "Multiply and divide by π: now the action is sampled.",
            ("The log rises, so it keeps the maximum.", "Given the past, scores average to zero."),
        ),
    ),
    (
        Line(
            r"\mathbb{E}\,\textstyle\sum_a \pi(a|s_0)\,\nabla Q(s_0,a)",
            lambda world: _product(world, False, True),
            why_false="π changes with θ, too",
        ),
        Line(
            r"\mathbb{E}\,\textstyle\sum_a \nabla\pi(a|s_0)\,Q(s_0,a)",
            lambda world: _product(world, True, False),
            why_false="later actions change with θ, too",
        ),
        Line(
            r"\mathbb{E}\,\textstyle\sum_t \nabla\pi(a_t|s_t)\,Q(s_t,a_t)",
            _twice,
            why_false="E counts π already, and ∇π counts it again",
        ),
    ),
)
