"""The training loop: a generator of immutable updates. It draws nothing and knows no page.

Axes: S seeds, P parameters of one seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from pgviz.exact.many import objectives
from pgviz.networks import Array32
from pgviz.training import critic
from pgviz.training.agent import VALUE_COEF, Agent
from pgviz.training.config import Config
from pgviz.training.gradient import of_each_seed
from pgviz.training.methods import methods
from pgviz.training.optimizer import optimizers
from pgviz.training.rollout import Rollout, Stage, collect_episodes, collect_windows
from pgviz.training.updates import updates
from pgviz.worlds.world import find

SOLVED_EPISODES = 100  # a world is solved when their mean return reaches its threshold

# One spelling in code, columns, axes and glossary. Each is an array [S] of an Update.
METRICS = (
    "episode_return",  # mean undiscounted return of the episodes that ended in this update, or of
    # the last update in which one did; NaN before the first
    "env_steps",  # environment steps of this seed so far
    "num_episodes",  # finished episodes of this seed so far
    "trailing_return",  # mean return of the last 100 training episodes (of all, before 100)
    "pseudo_loss",  # −(1/N) Σ Ψ log π: its gradient is used, its value means nothing
    "grad_norm",  # ‖ĝ‖ before clipping; of a shared network the length of the joint gradient
    "advantage_mean",  # mean of Ψ as it multiplies ∇ log π, over the steps of the batch
    "advantage_std",  # its standard deviation
    "value_loss",  # mean ½ (V̂ − y)² before the critic learned from y; NaN without a critic
    "explained_variance",  # 1 − Var(y − V̂)/Var(y) of the same V̂ and y; NaN without a critic
    "approx_kl",  # mean (ρ − 1) − log ρ over PPO's last epoch; this and the next two NaN elsewhere
    "clip_fraction",  # share of its steps with |ρ − 1| > clip_coef
    "zero_gradient_fraction",  # share of its steps whose gradient is exactly 0
    "entropy",  # mean entropy of π(·|s) over the visited states, nats
    "objective",  # J of the θ that played, exact in a finite world; NaN elsewhere
    "solved",  # 1 once trailing_return over 100 episodes has reached the world's threshold
    "active",  # 1 if the seed took part in this update, 0 if it had stopped and its row stands still
)
COUNTS = (
    "env_steps",
    "num_episodes",
    "solved",
    "active",
)  # begin at 0; there is no other first value


@dataclass(frozen=True)
class Update:
    """One update of every seed: a gradient step, or PPO's several. Arrays are read-only.

    index       0, 1, 2, …
    played      [S, P] the parameters whose policy played this update's episodes, and whose critic
                judged them
    theta       [S, P] the parameters after the step
    metrics     name → [S], see METRICS
    """

    index: int
    played: Array32
    theta: Array32
    metrics: Mapping[str, NDArray[np.float64]]


def train(config: Config, seeds: Sequence[int] | None = None) -> Iterator[Update]:
    """Train an ensemble and yield after every update.

    θ ← θ + Adam(clip(ĝ)),   ĝ = (1/N) Σ_episodes Σ_t Ψ_t ∇θ log π(a_t|s_t);   for PPO see `updates`

    N counts whole episodes, or windows of num_steps where the configuration asks for windows.
    A critic learns last: its part in Ψ is what it knew from earlier updates.
    `seeds` names the seeds to train, 0 … num_seeds − 1 unless given: seed k alone is, bit for
    bit, seed k in any ensemble.
    """
    torch.set_num_threads(1)
    learners = Learners(config, list(range(config.num_seeds)) if seeds is None else list(seeds))
    update = updates["step_by_step" if config.every_step else methods[config.method].update]
    for index in range(config.num_updates):
        played = learners.all_theta.copy()
        rollout = learners.collect(index)
        learners.record(rollout, **update(learners, rollout, config))
        yield Update(index, frozen(played), frozen(learners.all_theta), learners.snapshot())
        if not learners.keep_going():
            return


class Learners:
    """The seeds of an ensemble that still learn. Those that have stopped keep their last row."""

    def __init__(self, config: Config, seeds: list[int]) -> None:
        self.config = config
        self.seeds = seeds
        self.agent = Agent.of(config)
        self.world = find(config.world)
        births = [stream(config, seed, "theta") for seed in seeds]
        self.all_theta = self.agent.initial_theta(births)
        self.metrics = {
            name: np.full(len(seeds), 0.0 if name in COUNTS else np.nan) for name in METRICS
        }
        self.last_returns = np.full((len(seeds), SOLVED_EPISODES), np.nan)
        optimizer = optimizers[config.optimizer]
        self.optimizer = optimizer(
            self.agent.policy_part(self.all_theta).shape,
            self.agent.learning_rates(config) if self.agent.shared else config.learning_rate,
        )
        self.critic_optimizer = optimizer(
            self.agent.critic_part(self.all_theta).shape, config.critic_learning_rate
        )
        # Whole episodes need no next one.
        mode = AutoresetMode.DISABLED if config.whole_episodes else AutoresetMode.SAME_STEP
        self.env = self.world.make(len(seeds) * config.num_envs, len(seeds), mode)
        self.critic_streams = [stream(config, seed, "critic") for seed in seeds]
        self._go_on_with(np.arange(len(seeds)))
        # Windows go on where the last ones ended; whole episodes begin anew with every update.
        self.stage = None if config.whole_episodes else Stage(self.env, self.agent, self.streams(0))

    def _go_on_with(self, rows: NDArray[np.intp]) -> None:
        self.rows = rows
        self.theta = self.all_theta[rows]
        self.policy = self.agent.policy_part(self.theta)  # views of theta
        self.critic = self.agent.critic_part(self.theta)

    def collect(self, index: int) -> Rollout:
        """What update `index` learns from, judged by the critic as it is now.

        The episodes of an update are each seed's from the stream of that seed and update. Windows
        have no beginning: they are cut, one update after the other, from the stream of update 0.
        """
        self.played = self.policy.copy()
        if self.stage is None:
            rollout = collect_episodes(self.env, self.agent, self.policy, self.streams(index))
        else:
            rollout = collect_windows(self.stage, self.policy, self.config.num_steps)
        if not self.config.bootstrap_truncated:
            rollout = replace(rollout, terminated=rollout.episode_over)
        if self.agent.critic is None:
            return rollout
        return critic.with_values(self.agent.critic, self.critic, rollout)

    def streams(self, index: int) -> list[np.random.Generator]:
        """The streams from which the learning seeds play update `index`."""
        return [stream(self.config, self.seeds[row], "update", index) for row in self.rows]

    def with_critic(
        self, gradient: Array32, rollout: Rollout, psi: NDArray[np.floating]
    ) -> Array32:
        """The gradient of what is ascended: J, or J − ½ loss_V where both are heads of one network."""
        if not self.agent.shared or self.agent.critic is None:
            return gradient
        targets = psi + rollout.values
        batch = next(critic.minibatches(rollout, targets, self.critic_streams, self.config))
        down = critic.value_gradient(self.agent.critic, self.critic, batch)
        return gradient - np.float32(VALUE_COEF) * down

    def ascend(self, gradient: Array32) -> None:
        """One step UP the gradient of the policy, of both heads where they share a network."""
        self.optimizer.ascend(self.policy, gradient)
        self.keep_theta()

    def keep_theta(self) -> None:
        """Write what the learning seeds have learned into the rows of all."""
        self.all_theta[self.rows] = self.theta

    def fit_critic(
        self, rollout: Rollout, psi: NDArray[np.floating]
    ) -> dict[str, NDArray[np.float64]]:
        """Let the critic learn what Ψ was made of, and say how wrong it was."""
        if self.agent.critic is None:
            return {}
        targets = psi + rollout.values
        if not self.config.detach:
            down = critic.td_gradient(
                self.agent, self.critic, rollout, self.config.gamma, detach=False
            )
            self.critic_optimizer.ascend(self.critic, -down)
        elif not self.agent.shared:
            critic.fit(
                self.agent.critic,
                self.critic,
                self.critic_optimizer,
                rollout,
                targets,
                self.critic_streams,
                self.config,
            )
        self.keep_theta()
        return {
            "value_loss": critic.value_loss(rollout, targets),
            "explained_variance": critic.explained_variance(rollout, targets),
        }

    def record(self, rollout: Rollout, **measured: NDArray[np.float64]) -> None:
        """Write this update's metrics of the learning seeds; the others' stand still."""
        finished = rollout.finished_returns
        for row, returns in zip(self.rows, finished, strict=True):
            last = np.concatenate([self.last_returns[row], returns])
            self.last_returns[row] = last[-SOLVED_EPISODES:]
            if len(returns):
                self.metrics["episode_return"][row] = returns.mean()
                self.metrics["trailing_return"][row] = last[~np.isnan(last)][
                    -SOLVED_EPISODES:
                ].mean()
        trailing = self.metrics["trailing_return"][self.rows]
        enough = ~np.isnan(self.last_returns[self.rows, 0])
        now = {
            "env_steps": self.metrics["env_steps"][self.rows] + rollout.num_steps,
            "num_episodes": self.metrics["num_episodes"][self.rows] + [*map(len, finished)],
            "entropy": of_each_seed(np.mean, rollout.mask, rollout.entropy),
            "solved": np.maximum(
                self.metrics["solved"][self.rows], enough & (trailing >= self.solved_at)
            ),
            **self.exactly(),
            **measured,
        }
        self.metrics["active"][:] = 0
        self.metrics["active"][self.rows] = 1
        for name, values in now.items():
            self.metrics[name][self.rows] = values

    @property
    def solved_at(self) -> float:
        """The mean return that counts as solved; out of reach in a world without a threshold."""
        return np.inf if self.world.solved_at is None else self.world.solved_at

    def exactly(self) -> dict[str, NDArray[np.float64]]:
        """J of the policies that played, where the world is finite."""
        table = self.world.table
        if table is None:
            return {}
        thetas = self.played.reshape(-1, *table.theta.shape)
        return {"objective": objectives(table, thetas, self.config.gamma)}

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
            self.critic_optimizer.keep(stay)
            self.critic_streams = [self.critic_streams[k] for k in np.flatnonzero(stay)]
            (self.stage or self.env).keep(stay)
            self._go_on_with(self.rows[stay])
        return bool(stay.any())


def stream(config: Config, seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The random stream of one seed for one purpose: the same in every ensemble, at any time.

    Because every update has a stream of its own, its whole episodes can be played again from theta
    alone.
    """
    key = (seed, {"theta": 0, "update": 1, "critic": 2}[purpose], index)
    return np.random.default_rng(np.random.SeedSequence(config.rng_seed, spawn_key=key))


def frozen(x: NDArray) -> NDArray:
    """A copy that nobody can change."""
    copy = x.copy()
    copy.flags.writeable = False
    return copy
