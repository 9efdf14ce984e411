"""J and its gradient at many θ at once: what a picture of the objective is made of.

The slow twin is `values.objective` and `values.gradient`, which check the world at every θ; here
the world is taken as checked, and only θ changes.

Axes: B points θ, S states, A actions, F features, H horizon.
"""

from dataclasses import dataclass

import numpy as np

from pgviz.exact.values import logit_push, settled, the_others
from pgviz.worlds.tabular import (
    Floats,
    TabularMDP,
    WorldError,
    never_ending_states,
    once_per_world,
    reachable_states,
    require_an_end,
)

# What an update can be wrong in: the same words as in the derivations.
BREAKS = ("drop the log", "forget γᵗ", "sample from the wrong policy", "differentiate R")


@dataclass(frozen=True, eq=False)
class Landscape:
    """What is known at each of B points."""

    policy: Floats  # [B, S, A]
    objective: Floats  # [B]
    field: Floats  # [B, F, A]: ∇J, or the expected update with one line of its derivation broken
    num_steps: Floats  # [B]: Σ_s η(s), the (discounted) length of an episode


def landscape(world: TabularMDP, thetas: Floats, broken: str | None = None) -> Landscape:
    """J(θ) and Σ_s η(s) Σ_a π(a|s) ∇log π(a|s) Q(s, a) at every θ of `thetas` [B, F, A].

    Broken, the sum is what that mistake follows on average: π instead of ∇log π ("drop the log"),
    η_1 instead of η_γ, actions of another policy, or the derivative of R, which is 0.
    """
    if broken is not None and broken not in BREAKS:
        raise WorldError(f"an update cannot be broken by {broken!r}")
    logits = world.features @ thetas
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    policy = weights / weights.sum(axis=-1, keepdims=True)
    by_state = policy.transpose(1, 0, 2) @ world.transitions[:, :, :-1]  # [S, B, S']
    moves = by_state.transpose(1, 0, 2)
    rewards = (world.transitions * world.rewards).sum(axis=-1)
    discount = 1.0 if broken == "forget γᵗ" else world.gamma
    solve = _endless if world.horizon is None else _up_to_the_horizon
    objective, credit, num_steps = solve(world, policy, moves, rewards, discount)

    # credit[b, s, a] = Σ_t x^t P(s_t = s) Q_t(s, a)
    acting = policy
    if broken == "sample from the wrong policy":
        acting = policy * np.exp(np.arange(world.num_actions) == 0)
        acting = acting / acting.sum(axis=-1, keepdims=True)
    weighted = acting * credit * (policy if broken == "drop the log" else 1.0)
    large = np.abs(weighted)
    size = np.abs(world.features).T @ (large * the_others(policy) + policy * the_others(large))
    field = settled(world.features.T @ logit_push(policy, weighted), size)
    if broken == "differentiate R":
        field = np.zeros_like(field)
    return Landscape(policy, objective, field, num_steps)


def _endless(
    world: TabularMDP, policy: Floats, moves: Floats, rewards: Floats, discount: float
) -> tuple[Floats, Floats, Floats]:
    """Without a horizon: V = (I − γP)⁻¹ r and η_x = (I − xPᵀ)⁻¹ d_0."""
    if discount == 1 and world.gamma < 1:
        require_an_end(world)
    never = never_ending_states(world)  # the same at every θ: a softmax never says never
    if discount == 1:
        moves = np.where(never[:, None], 0, moves)
    one = np.eye(world.num_states)
    earned = (policy * rewards).sum(axis=-1)
    if world.gamma == 1:
        earned = np.where(never, 0, earned)
    with np.errstate(all="ignore"):
        try:
            values = np.linalg.solve(one - world.gamma * moves, earned[..., None])[..., 0]
            visits = np.linalg.solve(
                one - discount * moves.transpose(0, 2, 1),
                np.broadcast_to(world.start[:, None], (len(moves), world.num_states, 1)),
            )[..., 0]
        except np.linalg.LinAlgError:
            raise WorldError("the sums over this world's episodes are too large here") from None
    q = rewards + world.gamma * _onward(world, values)
    return values @ world.start, visits[..., None] * q, visits.sum(axis=-1)


def _up_to_the_horizon(
    world: TabularMDP, policy: Floats, moves: Floats, rewards: Floats, discount: float
) -> tuple[Floats, Floats, Floats]:
    """The same with time: d_t forwards, V_t and Q_t backwards."""
    horizon = world.horizon or 0
    values = np.zeros((len(policy), world.num_states))
    visits = np.empty((horizon, *values.shape))  # x^t d_t(s): Q_t would take A times the memory
    here = np.broadcast_to(world.start, values.shape)
    for t in range(horizon):
        visits[t] = discount**t * here
        here = (here[:, None] @ moves)[:, 0]
    credit = np.zeros(policy.shape)
    for t in reversed(range(horizon)):
        q = rewards + world.gamma * _onward(world, values)
        credit += visits[t][..., None] * q
        values = (policy * q).sum(axis=-1)
    return values @ world.start, credit, visits.sum(axis=(0, 2))


def _onward(world: TabularMDP, values: Floats) -> Floats:
    """Σ_s' p(s'|s, a) V(s') for values [B, S], shape [B, S, A]."""
    states, actions = world.num_states, world.num_actions
    table = world.transitions[:, :, :-1].reshape(states * actions, states)
    return (values @ table.T).reshape(-1, states, actions)


# --- one knob for θ ---


@dataclass(frozen=True, eq=False)
class Knob:
    """One line through θ: the logits of one action move together, by the same amount everywhere.

    The knob shows p, the probability of that action in one state; where all states share their
    logits that is the whole policy.
    """

    world: TabularMDP  # with the knob at rest
    action: int
    state: int
    direction: Floats  # [F, A]; features @ direction is 1 for the action, 0 for the others
    rest: float  # p of the world's own θ
    others: float  # 1 − p, summed from the other actions

    def tilt(self, p: Floats | float) -> Floats:
        """How far θ must move along `direction`: x = logit(p) − logit(rest)."""
        p = np.asarray(p, float)
        push = float((self.world.features @ self.direction)[self.state, self.action])
        return (np.log(p) - np.log1p(-p) - np.log(self.rest) + np.log(self.others)) / push

    def thetas(self, p: Floats | float) -> Floats:
        """θ with the knob at p, shape [..., F, A]."""
        return self.world.theta + self.tilt(p)[..., None, None] * self.direction

    def per_p(self, p: Floats, field: Floats) -> Floats:
        """The slope along the knob in units of p: ∂J/∂p = ⟨∇J, direction⟩ / (push · p(1−p))."""
        push = float((self.world.features @ self.direction)[self.state, self.action])
        along = (field * self.direction).sum(axis=(-2, -1))
        p = np.asarray(p, float)
        return along / (push * p * np.where(p == self.rest, self.others, 1 - p))


def knob(world: TabularMDP, action: int = 0) -> Knob | None:
    """The knob of this world, or None if its features let no policy move in one piece."""
    if world.num_actions < 2:
        return None
    weights = np.linalg.lstsq(world.features, np.ones(world.num_states), rcond=None)[0]
    seen = np.where(reachable_states(world), world.start + 1e-9, 0)
    pushes = np.abs(world.features @ weights)
    state = int(np.argmax(seen * (pushes > 1e-6)))
    if pushes[state] <= 1e-6:
        return None
    direction = np.zeros_like(world.theta)
    direction[:, action] = weights
    rest = float(world.policy[state, action])
    if not 1e-12 < rest < 1 - 1e-12:
        return None
    others = float(the_others(world.policy)[state, action])
    return Knob(world, action, state, direction, rest, others)


# --- is it a gradient? ---


@once_per_world
def jacobian(world: TabularMDP, broken: str | None = None, step: float = 1e-5) -> Floats:
    """∂(update)_i/∂θ_j by central differences, [F·A, F·A]. Of a gradient it is symmetric."""
    size = world.theta.size
    moves = step * np.eye(size).reshape(size, *world.theta.shape)
    ahead = landscape(world, world.theta + moves, broken).field
    behind = landscape(world, world.theta - moves, broken).field
    return ((ahead - behind) / (2 * step)).reshape(size, size).T


def asymmetry(world: TabularMDP, broken: str | None = None) -> float:
    """max |∂_j u_i − ∂_i u_j|: not zero, and the update is the gradient of nothing."""
    table = jacobian(world, broken)
    return float(np.abs(table - table.T).max())


def curls(world: TabularMDP, broken: str | None = None) -> bool:
    """Whether the derivatives differ by more than the error of finite differences."""
    table = jacobian(world, broken)
    return bool(np.abs(table - table.T).max() > 1e-6 * np.abs(table).max())


def most_curled_plane(world: TabularMDP, broken: str | None = None) -> tuple[Floats, Floats]:
    """Two directions of θ, each one logit, between which the update curls most: [F, A] twice."""
    table = jacobian(world, broken)
    curl = np.abs(table - table.T)
    i, j = sorted(int(k) for k in np.unravel_index(curl.argmax(), curl.shape))
    if i == j:
        j = min(i + world.num_actions, world.theta.size - 1)
    units = np.eye(world.theta.size).reshape(-1, *world.theta.shape)
    return units[i], units[j]


def loop_integral(
    world: TabularMDP,
    plane: tuple[Floats, Floats],
    reach: float,
    broken: str | None = None,
    nodes: int = 24,
) -> float:
    """∮ u·dθ once around the square of half-width `reach` at θ: 0 for every gradient.

    Gauss–Legendre along each side, counter-clockwise from the lower left corner.
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    edge = np.full(nodes, reach)
    along, total = reach * points, 0.0
    for side, (x, y) in enumerate(((along, -edge), (edge, along), (-along, edge), (-edge, -along))):
        theta = world.theta + x[:, None, None] * plane[0] + y[:, None, None] * plane[1]
        sign = 1 if side < 2 else -1
        field = landscape(world, theta, broken).field
        total += sign * reach * float(weights @ (field * plane[side % 2]).sum(axis=(1, 2)))
    return total
