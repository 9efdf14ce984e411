"""The mean of ĝ when its episodes were played by an old policy: why there is no replay buffer.

    E_old[Σ_t G_t ∇log π_θ(a_t|s_t)] = Σ_t Σ_s d_t(s) Σ_a π_old(a|s) Q_old(s, a) ∇log π_θ(a|s)

Visits, actions and returns are those of the old policy; only the scores are of the present one.
At θ = θ_old this is ∇J; elsewhere it is the gradient of nothing that is wanted.
"""

from dataclasses import replace

import numpy as np

from pgviz.exact.values import action_values, gradient, state_distributions, weighted_scores
from pgviz.worlds.named import ladder, logit
from pgviz.worlds.tabular import Floats, TabularMDP

CLIMB = 1  # the ladder's actions: rest, climb


def mean_with_old_episodes(old: TabularMDP, new: TabularMDP) -> Floats:
    """E_old[Σ_t G_t ∇log π_new(a_t|s_t)] of one episode, γ = 1, shape [F, A]; needs a horizon."""
    played = np.einsum("ts,tsa->sa", state_distributions(old), action_values(old)) * old.policy
    return weighted_scores(new, played)


def one_knob_ladder(climb: float) -> TabularMDP:
    """The ladder whose policy climbs with the same probability on every rung: θ is its log-odds."""
    return replace(ladder(), features=np.ones((3, 1)), theta=np.array([[0.0, logit(climb)]]))


def slope(climb: float) -> float:
    """dJ/dθ where the policy climbs with this probability."""
    return float(gradient(one_knob_ladder(climb))[0, CLIMB])


def slope_with_old_episodes(old: float, climb: float) -> float:
    """What the mean of ĝ says instead, if the policy that climbs with probability `old` played.

    Linear in `climb`: up (1 − climb) for each climb taken, down climb for each rest taken.
    """
    mean = mean_with_old_episodes(one_knob_ladder(old), one_knob_ladder(climb))
    return float(mean[0, CLIMB])


def where_it_stops(old: float) -> float:
    """The probability of climbing at which ĝ from these old episodes is 0 on average."""
    at_0, at_1 = (slope_with_old_episodes(old, climb) for climb in (1e-9, 1 - 1e-9))
    return at_0 / (at_0 - at_1)
