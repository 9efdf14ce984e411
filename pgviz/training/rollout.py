"""Rollouts: what S seeds × N environments did under their policies.

Two kinds, cut from the same steps: whole episodes, one a row, or windows of T steps that may begin
and end in mid-episode and reach across its end.

Axes: S seeds, N parallel environments of a seed, T time, D observation features.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgviz.networks import Array32
from pgviz.policies import Gaussian, Policy, TwoActions
from pgviz.training.agent import Agent
from pgviz.worlds.ensemble import Ensemble, SeededEnvs


@dataclass(frozen=True)
class Rollout:
    """T steps of every environment, one environment a row.

    obs [S, N, T, O] is what the policy saw, actions [S, N, T] what it did (bool where there are two,
    [S, N, T, D] in a box), rewards [S, N, T] what followed (0 in the padding), next_obs [S, N, T, O]
    what it saw then: the episode's own last observation where it ended, never the first one of the
    next episode.
    outputs [S, N, T, …] are the policy's, of which `distribution` makes π(·|s); terminated and
    truncated [S, N, T] mark the last step of an episode, by the rules of the world or by a limit.
    mask [S, N, T] is True where a step happened: whole episodes are padded after their end.
    paid_before [S, N] is what a row's first episode was paid before the row begins.
    values and next_values [S, N, T] are the critic's V̂(s_t) and V̂(s_{t+1}); 0 without a critic.
    """

    obs: Array32
    actions: NDArray
    rewards: NDArray[np.float64]
    next_obs: Array32
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    outputs: Array32
    paid_before: NDArray[np.float64]
    values: Array32
    next_values: Array32
    distribution: Policy = field(default_factory=TwoActions)

    @property
    def arrays(self) -> dict[str, NDArray]:
        """Its arrays by their names."""
        return {name: x for name, x in vars(self).items() if isinstance(x, np.ndarray)}

    @property
    def episode_over(self) -> NDArray[np.bool_]:
        """True at the last step of every episode, [S, N, T]."""
        return self.terminated | self.truncated

    @property
    def log_probs(self) -> NDArray[np.floating]:
        """log π(a_t|s_t) of the policy that played, [S, N, T]; 0 in the padding."""
        return self._where_it_happened(self.distribution.log_probs, self.outputs, self.actions)

    @property
    def entropy(self) -> NDArray[np.floating]:
        """H(π(·|s_t)) in nats, [S, N, T]; 0 in the padding."""
        return self._where_it_happened(self.distribution.entropy, self.outputs)

    def _where_it_happened(
        self, measure: Callable[..., NDArray[np.floating]], *arrays: NDArray
    ) -> NDArray[np.floating]:
        """measure(*arrays) without the padding, which is most of it where episodes differ in length."""
        if self.mask.all():
            return measure(*arrays)
        told = measure(*(x[self.mask] for x in arrays))
        found = np.zeros(self.mask.shape, told.dtype)
        found[self.mask] = told
        return found

    @property
    def final_obs(self) -> Array32:
        """The observation after the last step of each row, [S, N, D]."""
        last = self.mask.sum(axis=-1)[..., None, None] - 1
        return np.take_along_axis(self.next_obs, last, axis=2)[:, :, 0]

    @property
    def episode_returns(self) -> NDArray[np.float64]:
        """Undiscounted return of each row, [S, N]: of each episode if they are whole."""
        return self.rewards.sum(axis=-1)

    @property
    def finished_returns(self) -> list[NDArray[np.float64]]:
        """Undiscounted returns of the episodes that ended here, for each of the S seeds.

        In the order of the environments: an order by time would put the short ones first.
        """
        paid = self.paid_before[..., None] + np.cumsum(self.rewards, axis=-1)
        finished = []
        for mine, over in zip(paid, self.episode_over, strict=True):
            env, step = np.nonzero(over)
            until_now = mine[env, step]
            until_last = np.zeros_like(until_now)
            until_last[1:] = np.where(env[1:] == env[:-1], until_now[:-1], 0)
            finished.append(until_now - until_last)
        return finished

    @property
    def num_steps(self) -> NDArray[np.int64]:
        """Environment steps of each seed, [S]."""
        return self.mask.sum(axis=(-2, -1))


class Step(NamedTuple):
    """One step of all environments, [S·N, …]."""

    obs: Array32
    actions: NDArray
    outputs: Array32
    rewards: NDArray[np.float64]
    next_obs: Array32
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Stage:
    """S × N environments and where they stand; seed k's starts and actions come from stream k alone."""

    def __init__(
        self, env: SeededEnvs, agent: Agent, streams: Sequence[np.random.Generator]
    ) -> None:
        self.env, self.agent = env, agent
        self.noise = agent.distribution.noise(streams, env.num_envs // len(streams))
        self.obs = env.reset(seed=streams)[0]
        self.paid = np.zeros(env.num_envs)  # to the running episodes, before the next window

    def play(self, theta: Array32) -> Iterator[Step]:
        """Step for ever with the policies theta [S, P]; whoever has seen enough stops asking."""
        policy, distribution = self.agent.policy, self.agent.distribution
        given = distribution.in_the_box if isinstance(distribution, Gaussian) else _as_they_are
        layers = policy.layers(theta)
        while True:
            obs = self.obs
            by_seed = obs.reshape(len(theta), -1, obs.shape[-1])
            outputs, _ = policy.forward(layers, policy.features(by_seed))
            actions = distribution.act(outputs, next(self.noise))
            actions = actions.reshape(-1, *actions.shape[2:])
            self.obs, rewards, terminated, truncated, infos = self.env.step(given(actions))
            next_obs = infos.get("final_obs", self.obs)
            outputs = outputs.reshape(-1, *outputs.shape[2:])
            yield Step(obs, actions, outputs, rewards, next_obs, terminated, truncated)

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only, each from where it stands."""
        envs = np.repeat(seeds, self.env.num_envs // len(seeds))
        self.obs, self.paid = self.obs[envs], self.paid[envs]
        self.noise.keep(seeds)
        self.env.keep(seeds)


def _as_they_are(actions: NDArray) -> NDArray:
    return actions


def collect_episodes(
    env: SeededEnvs, agent: Agent, theta: Array32, streams: Sequence[np.random.Generator]
) -> Rollout:
    """N whole episodes of every seed, from environments that do not reset themselves.

    Exactly one episode per environment is kept, so long and short ones are equally likely. Seeds
    whose episodes are all over stop playing as soon as half of them have: what is left is 0.
    """
    sizes = env.num_envs, env.num_seeds
    stage = Stage(env, agent, streams)
    first, num_copies = stage.obs, sizes[0] // sizes[1]
    rows = np.arange(sizes[0])  # the environments that are still played
    parts: list[tuple[NDArray[np.intp], list[Step]]] = [(rows, [])]
    alive = [np.ones(sizes[0], np.bool_)]
    going_on = True
    while going_on:
        for step in stage.play(theta):
            parts[-1][1].append(step)
            over = step.terminated | step.truncated
            if not np.count_nonzero(over):  # as in most steps; faster than over.any()
                alive.append(alive[-1])
                continue
            still = alive[-1].copy()
            still[rows] &= ~over
            alive.append(still)
            playing = np.logical_or.reduce(still[rows].reshape(-1, num_copies), axis=1)
            going_on = bool(playing.any())
            if not going_on:
                break
            if isinstance(env, Ensemble) and 2 * np.count_nonzero(playing) <= len(playing):
                stage.keep(playing)
                theta = theta[playing]
                rows = rows[np.repeat(playing, num_copies)]
                parts.append((rows, []))
                break
    if isinstance(env, Ensemble):
        env.all_again(*sizes)
    steps = one_after_the_other(parts, sizes[0])
    seen = in_rows([first, *steps["next_obs"]], sizes[1])
    happened = in_rows(alive[:-1], sizes[1])
    paid = np.zeros(sizes[0])
    rollout = rollout_of(agent, steps, seen[:, :, :-1], seen[:, :, 1:], paid, sizes[1])
    return replace(
        rollout,
        mask=happened,
        rewards=rollout.rewards * happened,
        terminated=rollout.terminated & happened,
        truncated=rollout.truncated & happened,
    )


def one_after_the_other(
    parts: Sequence[tuple[NDArray[np.intp], Sequence[Step]]], num_envs: int
) -> dict[str, Sequence[NDArray]]:
    """The arrays of all steps, [T][S·N, …] by their names; 0 in the rows that no longer played."""
    found: dict[str, Sequence[NDArray]] = {}
    for name in Step._fields:
        moments = [getattr(step, name) for _, steps in parts for step in steps]
        if len(parts) > 1:
            whole = np.zeros((len(moments), num_envs, *moments[0].shape[1:]), moments[0].dtype)
            start = 0
            for rows, steps in parts:
                if steps:
                    stop = start + len(steps)
                    whole[start:stop, rows] = np.stack(moments[start:stop])
                    start = stop
            moments = list(whole)
        found[name] = moments
    return found


def collect_windows(stage: Stage, theta: Array32, num_steps: int) -> Rollout:
    """The next T steps of every environment, across the ends of episodes.

    The stage remembers where it stands: consecutive windows are one long window, cut.
    """
    steps, paid = list(islice(stage.play(theta), num_steps)), stage.paid
    for step in steps:
        stage.paid = np.where(step.terminated | step.truncated, 0, stage.paid + step.rewards)
    arrays = one_after_the_other([(np.arange(stage.env.num_envs), steps)], stage.env.num_envs)
    obs, next_obs = (in_rows(arrays[name], len(theta)) for name in ("obs", "next_obs"))
    return rollout_of(stage.agent, arrays, obs, next_obs, paid, len(theta))


def rollout_of(
    agent: Agent,
    steps: Mapping[str, Sequence[NDArray]],
    obs: Array32,
    next_obs: Array32,
    paid: NDArray[np.float64],
    num_seeds: int,
) -> Rollout:
    """Steps in order as the arrays of a rollout, as if all of them had happened."""

    def rows(name: str) -> NDArray:
        return in_rows(steps[name], num_seeds)

    rewards = rows("rewards")
    nothing = np.broadcast_to(np.float32(0), rewards.shape)
    return Rollout(
        obs=obs,
        actions=rows("actions"),
        rewards=rewards,
        next_obs=next_obs,
        terminated=rows("terminated"),
        truncated=rows("truncated"),
        mask=np.broadcast_to(True, rewards.shape),
        outputs=rows("outputs"),
        paid_before=paid.reshape(num_seeds, -1),
        values=nothing,
        next_values=nothing,
        distribution=agent.distribution,
    )


def in_rows(moments: Sequence[NDArray], num_seeds: int) -> NDArray:
    """Moment by moment [T][S·N, …] to row by row [S, N, T, …]."""
    num_envs, *features = moments[0].shape
    size = len(moments), num_seeds, num_envs // num_seeds, *features
    return np.moveaxis(np.concatenate(moments).reshape(size), 0, 2)
