"""How far to trust a critic: bias², variance and error of GAE, over λ, the critic's error and N.

V̂ = V + ε d, a critic with an error of known shape d and size ε. E[ĝ] is affine in V̂, so

    bias²(ε) = ε² bias²(1),        tr Cov(ε) = c₀ + c₁ ε + c₂ ε²,

and three exact evaluations for each λ give every ε; MSE(N) = bias² + tr Cov / N.

All of this is for episodes that nothing cuts; `window_bias` is for windows.

Axes: L values of λ, W lengths of a window.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import Moments, moments
from pgviz.exact.values import gradient, objective, settled, size_of_returns, state_values
from pgviz.worlds.tabular import Floats, TabularMDP

LAMBDAS = np.linspace(0, 1, 101)

# d: what is added to V when the error is 1, [S] or [H, S].
SHAPES: dict[str, Callable[[TabularMDP], Floats]] = {
    "too small": lambda world: -state_values(world),  # V̂ = (1 − ε) V
    "shifted": lambda world: np.full_like(state_values(world), objective(world)),  # V̂ = V + ε J
    # V̂ = V + ε (J − V): with ε = 1 it says J everywhere, as a critic that cannot tell states apart
    "one number": lambda world: objective(world) - state_values(world),
}


def is_void(world: TabularMDP, shape: str) -> bool:
    """Whether d is 0 everywhere: then V̂ = V whatever ε."""
    return not settled(SHAPES[shape](world), size_of_returns(world)).any()


def wrong_critic(world: TabularMDP, shape: str, error: float) -> Floats:
    """V̂ = V + ε d."""
    return state_values(world) + error * SHAPES[shape](world)


def believed(
    world: TabularMDP,
    values: Floats,
    gae_lambda: float,
    window: int | None = None,
    time_limit: int | None = None,
) -> Moments:
    """Mean and variance of one episode's ĝ with Ψ = GAE of the critic V̂ = values."""
    estimator = GradientEstimator(
        "gae", values=values, gae_lambda=gae_lambda, window=window, time_limit=time_limit
    )
    return moments(world, estimator)


def window_bias(
    world: TabularMDP,
    values: Floats,
    lambdas: Sequence[float],
    windows: Sequence[int | None],
) -> Floats:
    """bias² [W, L] of GAE when episodes are cut into windows of T steps; None is not at all.

    Windows of one step are λ = 0 whatever λ; windows of the whole episode leave λ = 1 unbiased.
    """
    true = gradient(world)
    return np.array(
        [
            [
                believed(world, values, float(gae_lambda), window).bias_squared(true)
                for gae_lambda in lambdas
            ]
            for window in windows
        ]
    )


@dataclass(frozen=True, eq=False)
class Tradeoff:
    """Exact bias² and covariance trace of GAE for every λ, as functions of the critic's error.

    lambdas [L]; bias [L] is bias² at ε = 1; trace [L, 3] are c₀, c₁, c₂.
    """

    lambdas: Floats
    bias: Floats
    trace: Floats
    squared_length: float  # ‖∇J‖²

    def bias_squared(self, error: float) -> Floats:
        """‖E ĝ − ∇J‖² [L]."""
        return error**2 * self.bias

    def covariance_trace(self, error: float) -> Floats:
        """tr Cov ĝ of one episode [L]."""
        return self.trace @ np.array([1.0, error, error**2])

    def mean_squared_error(self, error: float, num_episodes: float) -> Floats:
        """E‖ĝ_N − ∇J‖² [L] of the mean of N episodes."""
        return self.bias_squared(error) + self.covariance_trace(error) / num_episodes

    def best_lambda(self, error: float, num_episodes: float) -> float:
        """The λ of least error; where several share it, the largest: it leans least on V̂."""
        found = self.mean_squared_error(error, num_episodes)
        return float(self.lambdas[found <= found.min() * (1 + 1e-9)][-1])


def tradeoff(
    world: TabularMDP, shape: str, lambdas: Sequence[float] | Floats = LAMBDAS
) -> Tradeoff:
    """Bias and variance of every λ for critics whose error has this shape."""
    true = gradient(world)
    bias, trace = [], []
    for gae_lambda in lambdas:
        at = {
            error: believed(world, wrong_critic(world, shape, error), float(gae_lambda))
            for error in (-1.0, 0.0, 1.0)
        }
        low, middle, high = (found.covariance_trace for found in at.values())
        bias.append(at[1.0].bias_squared(true))
        trace.append((middle, (high - low) / 2, (high + low) / 2 - middle))
    return Tradeoff(np.asarray(lambdas), np.array(bias), np.array(trace), float((true**2).sum()))


def weights_on_rewards(gamma: float, gae_lambda: float, num_steps: int) -> Floats:
    """How much Â_t listens to r_{t+k}, k = 0 … n−1: (γλ)^k."""
    return (gamma * gae_lambda) ** np.arange(num_steps)


def weight_on_last_value(gamma: float, gae_lambda: float, num_steps: int) -> float:
    """How much Â_t listens to V̂(s_{t+n}) where the sum is cut after n steps: γ (γλ)^{n−1}.

    At λ = 1 that is γⁿ: what is left of the critic. It is 0 only if the episode has terminated.
    """
    return float(gamma * (gamma * gae_lambda) ** (num_steps - 1))


def weights_on_values(gamma: float, gae_lambda: float, num_steps: int) -> Floats:
    """How much Â_t listens to V̂(s_{t+k}), k = 1 … n: γ (γλ)^{k−1} − (γλ)^k = (1 − λ) λ^{k−1} γ^k.

    Where the sum goes on after s_{t+k}; where it is cut there, see `weight_on_last_value`.
    """
    k = np.arange(1, num_steps + 1)
    return (1 - gae_lambda) * gae_lambda ** (k - 1.0) * gamma**k


def follow_one_number(world: TabularMDP, theta: Floats) -> Floats:
    """E ĝ of the TD error when the critic says V(s₀) of the current policy in every state.

    It is right on average about the start and cannot tell states apart: the natural critic where
    all states look alike.
    """
    here = world.at(theta)
    return believed(here, np.full(world.num_states, objective(here)), 0.0).mean
