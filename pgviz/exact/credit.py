"""Who is credited with what: E[∇log π(a_t|s_t) · r_u] for every pair of steps.

The full return multiplies every score with every reward. The pairs with u < t credit an action
with a reward that was paid before it: their mean is 0, their spread is not. Leaving them out IS
reward-to-go.

Axes: H horizon, S states, F features, A actions.
"""

from dataclasses import dataclass

import numpy as np

from pgviz.exact.moments import Scores
from pgviz.exact.values import settled, state_distributions, state_transitions
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError


@dataclass(frozen=True, eq=False)
class Credit:
    """Of every pair (t, u): the mean of ∇log π(a_t|s_t) γ^u r_u, and its spread √tr Cov.

    Shapes: mean [H, H, F, A], spread [H, H].
    """

    mean: Floats
    spread: Floats

    def along(self, direction: Floats) -> Floats:
        """The component of each mean along a direction [F, A], shape [H, H]."""
        return np.tensordot(self.mean, direction / np.linalg.norm(direction), 2)

    def past(self) -> Floats:
        """Σ of the means below the diagonal, where the reward came first: 0, shape [F, A]."""
        return self.mean[np.tril_indices(len(self.mean), -1)].sum(axis=0)

    def future(self) -> Floats:
        """Σ of the means on and above the diagonal: ∇J, shape [F, A]."""
        return self.mean[np.triu_indices(len(self.mean))].sum(axis=0)


def credit(world: TabularMDP) -> Credit:
    """Every pair's mean and spread, exactly, by carrying rewards forward and backward in time."""
    if world.horizon is None:
        raise WorldError("the matrix has a row for every time step, so the world needs a horizon")
    horizon, scores, moves = world.horizon, Scores(world), state_transitions(world)
    visits, flow = state_distributions(world), world.flow
    ones = np.ones_like(flow)
    mean = np.zeros((horizon, horizon, world.num_features, world.num_actions))
    squared = np.zeros((horizon, horizon))
    for power in (1, 2):  # E[s r] and E[‖s‖² r²]
        paid = world.rewards**power
        expected = (flow * paid).sum(axis=(1, 2))
        arriving = (flow * paid)[:, :, :-1].sum(axis=1)  # E[r; s'] from each state
        for u in range(horizon):
            discount = world.gamma ** (power * u)
            pairs = []
            later = expected
            for t in reversed(range(u + 1)):  # the reward came with the action, or after it
                worth = paid if t == u else np.broadcast_to(np.append(later, 0), flow.shape)
                pairs.append((t, visits[t], worth))
                if t < u:
                    later = moves @ later
            earlier = visits[u] @ arriving  # E[r_u; s_{u+1}]
            for t in range(u + 1, horizon):
                pairs.append((t, earlier, ones))
                earlier = earlier @ moves
            for t, here, worth in pairs:
                if power == 1:
                    mean[t, u] = discount * np.tensordot(here, scores.expected(worth), 1)
                else:
                    squared[t, u] = discount * (here @ scores.norm(worth))
    means = settled(mean, np.sqrt(squared)[:, :, None, None])
    variance = settled(squared - (means**2).sum(axis=(2, 3)), squared)
    return Credit(means, np.sqrt(np.maximum(variance, 0)))
