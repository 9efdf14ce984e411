"""One gradient estimator, described: which Ψ, with which critic, which baseline, γ^t or not."""

from dataclasses import dataclass

import numpy as np

from pgviz.exact.values import state_values
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError, quoted

estimator_names = ("full-return", "reward-to-go", "td", "gae")

# Its square is still far from the end of float64, and no world of ours has values this large.
MAX_CRITIC = 1e15


@dataclass(frozen=True, eq=False)
class GradientEstimator:
    """ĝ = Σ_t γ^t (Ψ_t − b) ∇log π(a_t|s_t), summed over ONE episode.

    full-return    Ψ_t = R(τ), and no factor γ^t: ĝ = ∇log P(τ) · (R(τ) − b)
    reward-to-go   Ψ_t = G_t − V̂(s_t); the critic is only subtracted
    td             Ψ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t); the critic is believed
    gae            Ψ_t = Σ_k (γλ)^k δ_{t+k}

    `values` is V̂, [S] or, with a horizon, [H, S]; None is V̂ = 0.  `drop_gamma_t` leaves γ^t
    out; full-return has none to leave out, so there it changes nothing.
    """

    name: str
    baseline: float = 0.0
    values: Floats | None = None
    gae_lambda: float | None = None
    drop_gamma_t: bool = False

    def __post_init__(self) -> None:
        if self.name not in estimator_names:
            raise WorldError(
                f"there is no estimator {quoted(self.name)}: {', '.join(estimator_names)}"
            )
        if self.name == "full-return" and self.values is not None:
            raise WorldError(
                "full-return weighs every step with the same number, so it takes a constant "
                "baseline but no values"
            )
        if (self.name == "gae") != (self.gae_lambda is not None):
            raise WorldError(
                "gae needs a gae_lambda, and no other estimator has one (td is λ = 0, "
                "reward-to-go is λ = 1)"
            )
        if self.gae_lambda is not None and not 0 <= self.gae_lambda <= 1:
            raise WorldError(f"gae_lambda must lie in [0, 1], got {self.gae_lambda:g}")
        if not abs(self.baseline) <= MAX_CRITIC:
            raise WorldError(f"baseline must lie between ±{MAX_CRITIC:g}, got {self.baseline:g}")

    @property
    def weight_lambda(self) -> float:
        """λ of the advantage: 0 for td, 1 for reward-to-go, which believes no critic."""
        return {"td": 0.0, "gae": self.gae_lambda or 0.0}.get(self.name, 1.0)

    def step_discount(self, gamma: float) -> float:
        """What a step further along is multiplied with: γ, or 1 where there is no γ^t."""
        return 1.0 if self.drop_gamma_t or self.name == "full-return" else gamma

    def values_in(self, world: TabularMDP) -> Floats:
        """V̂ with the end of the episode as last column, [S+1], or [H+1, S+1] with a horizon."""
        values = np.zeros(world.num_states) if self.values is None else np.asarray(self.values)
        wanted = (
            {(world.num_states,)}
            if world.horizon is None
            else {(world.num_states,), (world.horizon, world.num_states)}
        )
        if values.shape not in wanted:
            raise WorldError(
                f"values must hold one number per state, {world.num_states} in this world, "
                f"got {' × '.join(map(str, values.shape)) or 'a single number'}"
            )
        if not (np.abs(values) <= MAX_CRITIC).all():
            raise WorldError(f"values must be numbers between ±{MAX_CRITIC:g}")
        if world.horizon is None:
            return np.append(values, 0.0)
        table = np.zeros((world.horizon + 1, world.num_states + 1))
        table[:-1, :-1] = values
        return table


def true_values(world: TabularMDP, scale: float = 1.0) -> Floats:
    """The critic V̂ = scale · V: scale 1 is the truth, anything else a critic with a known error."""
    return scale * state_values(world)
