"""The training loop: a generator of immutable updates. It draws nothing and knows no page.

Axes: S seeds, P parameters of one seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from pgviz.policies import MLP, Array32, entropy
from pgviz.training.config import Config
from pgviz.training.gradient import policy_gradient
from pgviz.training.methods import weights
from pgviz.training.optimizer import Adam, clipped
from pgviz.training.rollout import Rollout, collect_episodes
from pgviz.worlds.cartpole import CartPoleEnsemble

SOLVED_RETURN = 475.0  # Gymnasium's own threshold for CartPole-v1 …
SOLVED_EPISODES = 100  # … as the mean of the last 100 training episodes

# One spelling in code, columns, axes and glossary. Each is an array [S] of an Update.
METRICS = (
    "episode_return",  # mean undiscounted return of the episodes of this update
    "env_steps",  # environment steps of this seed so far
    "num_episodes",  # finished episodes of this seed so far
    "trailing_return",  # mean return of the last 100 training episodes (of all, before 100)
    "pseudo_loss",  # −(1/N) Σ Ψ log π: its gradient is used, its value means nothing
    "grad_norm",  # ‖ĝ‖ before clipping
    "entropy",  # mean entropy of π(·|s) over the visited states, nats
    "solved",  # 1 once trailing_return ≥ 475 over 100 episodes
    "active",  # 1 if the seed took part in this update, 0 if it had stopped and its row stands still
)


@dataclass(frozen=True)
class Update:
    """One gradient step of every seed. Arrays are read-only.

    index       0, 1, 2, …
    played      [S, P] the parameters whose policy played this update's episodes
    theta       [S, P] the parameters after the step
    metrics     name → [S], see METRICS
    """

    index: int
    played: Array32
    theta: Array32
    metrics: Mapping[str, NDArray[np.float64]]


def train(config: Config, seeds: Sequence[int] | None = None) -> Iterator[Update]:
    """Train an ensemble and yield after every update.

    θ ← θ + Adam(clip(ĝ)),   ĝ = (1/N) Σ_episodes Σ_t Ψ_t ∇θ log π(a_t|s_t)

    `seeds` names the seeds to train, 0 … num_seeds − 1 unless given: seed k alone is, bit for
    bit, seed k in any ensemble.
    """
    torch.set_num_threads(1)
    learners = Learners(config, list(range(config.num_seeds)) if seeds is None else list(seeds))
    for index in range(config.num_updates):
        played = learners.all_theta.copy()
        rollout = learners.collect(index)
        gradient, pseudo_loss = policy_gradient(
            learners.policy, learners.theta, rollout, weights(rollout, config)
        )
        gradient, grad_norm = clipped(gradient, config.max_grad_norm)
        learners.ascend(gradient)
        learners.record(rollout, pseudo_loss=pseudo_loss, grad_norm=grad_norm)
        yield Update(index, frozen(played), frozen(learners.all_theta), learners.snapshot())
        if not learners.keep_going():
            return


class Learners:
    """The seeds of an ensemble that still learn. Those that have stopped keep their last row."""

    def __init__(self, config: Config, seeds: list[int]) -> None:
        self.config = config
        self.seeds = seeds
        self.policy = MLP(hidden=config.hidden)
        births = [stream(config, seed, "theta") for seed in seeds]
        self.all_theta = self.policy.initial_theta(births, last_scale=0.01)
        self.metrics = {name: np.zeros(len(seeds)) for name in METRICS}
        self.last_returns = np.full((len(seeds), SOLVED_EPISODES), np.nan)
        self.optimizer = Adam(self.all_theta.shape, config.learning_rate)
        self._go_on_with(np.arange(len(seeds)))

    def _go_on_with(self, rows: NDArray[np.intp]) -> None:
        self.rows = rows
        self.theta = self.all_theta[rows]
        self.env = CartPoleEnsemble(
            num_envs=len(rows) * self.config.num_envs,
            num_seeds=len(rows),
            autoreset_mode=AutoresetMode.DISABLED,
        )

    def collect(self, index: int) -> Rollout:
        """The episodes of update `index`, each seed's from the stream of that seed and update."""
        streams = [stream(self.config, self.seeds[row], "update", index) for row in self.rows]
        return collect_episodes(self.env, self.policy, self.theta, streams)

    def ascend(self, gradient: Array32) -> None:
        """One step UP the gradient."""
        self.optimizer.ascend(self.theta, gradient)
        self.all_theta[self.rows] = self.theta

    def record(self, rollout: Rollout, **measured: NDArray[np.float64]) -> None:
        """Write this update's metrics of the learning seeds; the others' stand still."""
        returns = rollout.episode_returns
        num_new = min(returns.shape[1], SOLVED_EPISODES)
        last = self.last_returns[self.rows]
        last = np.concatenate([last[:, num_new:], returns[:, -num_new:]], axis=1)
        self.last_returns[self.rows] = last
        trailing = np.array([np.nanmean(row) for row in last])
        enough = ~np.isnan(last[:, 0])
        now = {
            "episode_return": returns.mean(axis=1),
            "env_steps": self.metrics["env_steps"][self.rows] + rollout.num_steps,
            "num_episodes": self.metrics["num_episodes"][self.rows] + returns.shape[1],
            "trailing_return": trailing,
            "entropy": masked_means(entropy(rollout.logits), rollout.mask),
            "solved": np.maximum(
                self.metrics["solved"][self.rows], enough & (trailing >= SOLVED_RETURN)
            ),
            **measured,
        }
        self.metrics["active"][:] = 0
        self.metrics["active"][self.rows] = 1
        for name, values in now.items():
            self.metrics[name][self.rows] = values

    def snapshot(self) -> dict[str, NDArray[np.float64]]:
        """A read-only copy of the metrics of all seeds."""
        return {name: frozen(values) for name, values in self.metrics.items()}

    def keep_going(self) -> bool:
        """Let the seeds go that are finished; False when none is left."""
        stay = np.ones(len(self.rows), np.bool_)
        if self.config.stop_when_solved:
            stay &= self.metrics["solved"][self.rows] == 0
        if self.config.max_env_steps:
            stay &= self.metrics["env_steps"][self.rows] < self.config.max_env_steps
        if stay.any() and not stay.all():
            self.optimizer.keep(stay)
            self._go_on_with(self.rows[stay])
        return bool(stay.any())


def stream(config: Config, seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The random stream of one seed for one purpose: the same in every ensemble, at any time.

    Because every update has a stream of its own, its episodes can be played again from theta alone.
    """
    key = (seed, {"theta": 0, "update": 1}[purpose], index)
    return np.random.default_rng(np.random.SeedSequence(config.rng_seed, spawn_key=key))


def masked_means(x: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean of x [S, N, T] over the steps that happened, seed by seed, [S]."""
    return np.array([x[k][mask[k]].mean(dtype=np.float64) for k in range(len(x))])


def frozen(x: NDArray) -> NDArray:
    """A copy that nobody can change."""
    copy = x.copy()
    copy.flags.writeable = False
    return copy
