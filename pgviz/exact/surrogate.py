"""PPO's surrogate objective in a finite world: what old episodes promise about a new policy.

    L(θ) = J_old + E_old[Σ_t γ^t ρ_t A_old(s_t, a_t)],   ρ = π_θ(a|s) / π_old(a|s)

Visits and advantages are those of the old policy; only ρ knows the new one. At θ = θ_old L is J and
has its gradient. Elsewhere L is not J: another policy visits other states.

Shapes: advantages and ratios [S, A]; with a horizon advantages are [H, S, A] and visits [H, S].
Source: Kakade & Langford, 2002; Schulman et al., 2017, arXiv:1707.06347, equations 6 and 7.
"""

import numpy as np

from pgviz.exact.values import (
    action_values,
    objective,
    occupancy,
    state_distributions,
    state_values,
    weighted_scores,
)
from pgviz.worlds.tabular import Floats, TabularMDP


def advantages(world: TabularMDP) -> Floats:
    """A(s, a) = Q(s, a) − V(s), [S, A], or [H, S, A] with a horizon."""
    return action_values(world) - state_values(world)[..., None]


def visits(world: TabularMDP) -> Floats:
    """γ^t P(s_t = s), [H, S]; summed over time, [S], without a horizon."""
    if world.horizon is None:
        return occupancy(world, world.gamma)
    return (world.gamma ** np.arange(world.horizon))[:, None] * state_distributions(world)


def ratios(old: TabularMDP, new: TabularMDP) -> Floats:
    """ρ(s, a) = π_new(a|s) / π_old(a|s), [S, A]."""
    return new.policy / old.policy


def surrogate(old: TabularMDP, new: TabularMDP, clip_coef: float = np.inf) -> float:
    """L of the new policy, exactly; with clip_coef min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) for ρ A."""
    gain, rho = advantages(old), ratios(old, new)
    weight = np.minimum(rho * gain, np.clip(rho, 1 - clip_coef, 1 + clip_coef) * gain)
    return objective(old) + float((visits(old)[..., None] * old.policy * weight).sum())


def surrogate_gradient(old: TabularMDP, new: TabularMDP, clip_coef: float = np.inf) -> Floats:
    """∇θ L at the new policy, [F, A]: Σ visits π_old ρ A ∇log π_new, without what is clipped.

    A term is clipped, and has no gradient, where ρ has passed 1 ± ε in the direction of A.
    """
    gain, rho = advantages(old), ratios(old, new)
    clipped = ((rho > 1 + clip_coef) & (gain > 0)) | ((rho < 1 - clip_coef) & (gain < 0))
    weight = visits(old)[..., None] * old.policy * np.where(clipped, 0, rho * gain)
    return weighted_scores(new, weight.sum(axis=0) if old.horizon else weight)


def without_ratio(old: TabularMDP, new: TabularMDP) -> Floats:
    """E_old[Σ_t γ^t A_old ∇log π_new], [F, A]: the old batch used again as if it were fresh."""
    weight = visits(old)[..., None] * old.policy * advantages(old)
    return weighted_scores(new, weight.sum(axis=0) if old.horizon else weight)
