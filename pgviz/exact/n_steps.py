"""n-step advantages, one by one and mixed by λ: bias² and variance over all episodes of a world.

    Â^(n)_t = r_t + … + γ^{n−1} r_{t+n−1} + γ^n V̂(s_{t+n}) − V̂(s_t),   V̂ = V + ε d

An episode that terminates before n steps have passed leaves no V̂ to add: there Â^(n) = G − V̂(s).
ĝ^(n) = Σ_t γ^t Â^(n)_t ∇log π is affine in ε, and GAE is the mean of all n with the weights
w_n = (1−λ) λ^{n−1}, the last one taking the rest. So the means and the covariances of the N
estimators ĝ^(1) … ĝ^(N) give bias² and variance of every mixture and every ε.

Axes: K episodes, T steps, N = T values of n, P parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.trajectories import trajectories
from pgviz.exact.trust import LAMBDAS, SHAPES, Tradeoff
from pgviz.exact.values import gradient, state_values, weighted_scores
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError


def n_step_advantages(rewards: Floats, values: Floats, gamma: float) -> Floats:
    """Â^(n)_t for n = 1 … T of one episode that terminates, [..., N, T]: sums of n TD errors.

    rewards [..., T] and values [..., T+1], V̂ of s_0 … s_T; the last one is V̂ of the end, 0.
    """
    num_steps = rewards.shape[-1]
    errors = rewards + gamma * values[..., 1:] - values[..., :-1]
    discounted = errors * gamma ** np.arange(num_steps)
    sums = np.zeros((*errors.shape[:-1], num_steps + 1))
    sums[..., 1:] = np.cumsum(discounted, axis=-1)
    t = np.arange(num_steps)
    ends = np.minimum(t + np.arange(1, num_steps + 1)[:, None], num_steps)  # [N, T]
    return (sums[..., ends] - sums[..., None, t]) / gamma**t


def mixture_weights(gae_lambda: float, num: int) -> Floats:
    """w_n = (1−λ) λ^{n−1} for n = 1 … num; the last n has the rest, λ^{num−1}."""
    weights = (1 - gae_lambda) * gae_lambda ** np.arange(float(num))
    weights[-1] = gae_lambda ** (num - 1)
    return weights


@dataclass(frozen=True, eq=False)
class NSteps:
    """Exact means and covariances of ĝ^(1) … ĝ^(N) of one episode, as functions of ε.

    bias [N, P] is E[ĝ^(n)] − ∇J at ε = 1; covariance [3, N, N] holds c₀, c₁, c₂ of
    Σ_p Cov[ĝ^(m)_p, ĝ^(n)_p] = c₀ + c₁ ε + c₂ ε².
    """

    bias: Floats
    covariance: Floats
    squared_length: float  # ‖∇J‖²

    def bias_squared(self, error: float) -> Floats:
        """‖E ĝ^(n) − ∇J‖² [N]."""
        return error**2 * (self.bias**2).sum(axis=1)

    @cached_property
    def traces(self) -> Floats:
        """c₀, c₁, c₂ of tr Cov ĝ^(n), [N, 3]."""
        return np.diagonal(self.covariance, axis1=1, axis2=2).T.copy()

    def covariance_trace(self, error: float) -> Floats:
        """tr Cov ĝ^(n) of one episode [N]."""
        return self.traces @ np.array([1.0, error, error**2])

    def mean_squared_error(self, error: float, num_episodes: float) -> Floats:
        """bias² + variance / number of episodes [N]."""
        return self.bias_squared(error) + self.covariance_trace(error) / num_episodes

    def mixed(self, lambdas: Sequence[float] | Floats = LAMBDAS) -> Tradeoff:
        """The same of GAE for every λ: the mean of all n."""
        weights = np.array([mixture_weights(lam, len(self.bias)) for lam in lambdas])
        bias = ((weights @ self.bias) ** 2).sum(axis=1)
        trace = np.einsum("ln,cnm,lm->lc", weights, self.covariance, weights)
        return Tradeoff(np.asarray(lambdas), bias, trace, self.squared_length)


def n_steps(world: TabularMDP, shape: str) -> NSteps:
    """All n of a world with a horizon, for critics whose error has this shape."""
    if world.horizon is None:
        raise WorldError("without a horizon there are endlessly many n: use exact.trust.tradeoff")
    episodes = trajectories(world)
    probability = np.array([tau.probability for tau in episodes])
    num_steps = max(len(tau.states) for tau in episodes)
    scores = np.zeros((len(episodes), num_steps, world.theta.size))
    rewards = np.zeros((len(episodes), num_steps))
    true = GradientEstimator("td", values=state_values(world)).values_in(world)
    wrong = GradientEstimator("td", values=SHAPES[shape](world)).values_in(world)
    along = np.zeros((2, len(episodes), num_steps + 1))  # V and d of s_0 … s_T; 0 behind the end
    of = _scores(world)
    for k, tau in enumerate(episodes):
        length = len(tau.states)
        steps = np.arange(length)
        scores[k, :length] = of[tau.states, tau.actions]
        rewards[k, :length] = tau.rewards
        along[0, k, :length] = true[steps, tau.states]
        along[1, k, :length] = wrong[steps, tau.states]
    right = n_step_advantages(rewards, along[0], world.gamma)
    slope = n_step_advantages(np.zeros_like(rewards), along[1], world.gamma)
    factors = world.gamma ** np.arange(num_steps)
    g = np.einsum("xknt,t,ktp->xknp", np.stack([right, slope]), factors, scores)
    mean = np.einsum("k,xknp->xnp", probability, g)
    centred = g - mean[:, None]
    crossed = np.einsum("k,xknp,ykmp->xynm", probability, centred, centred, optimize=True)
    covariance = np.stack([crossed[0, 0], crossed[0, 1] + crossed[1, 0], crossed[1, 1]])
    exact = gradient(world)
    return NSteps(mean[1], covariance, float((exact**2).sum()))


def _scores(world: TabularMDP) -> Floats:
    """∇log π(a|s) as a row of parameters, [S, A, P]."""
    pairs = np.zeros((world.num_states, world.num_actions, world.num_states, world.num_actions))
    for s, a in np.ndindex(world.num_states, world.num_actions):
        pairs[s, a, s, a] = 1.0
    return np.array(
        [[weighted_scores(world, pairs[s, a]).ravel() for a in range(world.num_actions)]
         for s in range(world.num_states)]
    )  # fmt: skip
