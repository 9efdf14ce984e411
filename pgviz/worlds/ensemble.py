"""S seeds × N copies of a world, stepped at once, each seed with a random stream of its own.

What Gymnasium's own vector environments do not offer, and training needs:

* an episode ends and the next begins in the SAME step (no spurious transition that ignores its
  action and pays nothing), and the true final observation is kept;
* seed k draws from stream k alone, so its run does not depend on its neighbours.

How a world moves is a record of functions, `Dynamics`. Axes: S seeds, N parallel environments per
seed, E = S·N, D numbers of a state, O of an observation; vectors over environments are [E], seed
first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Transition = tuple[Floats, Floats, NDArray[np.bool_]]
NOISE_BLOCK = 50  # steps of noise drawn at once; each seed from its own stream


@dataclass(frozen=True)
class Dynamics:
    """How a world begins, moves and is seen, for many copies at once.

    start(stream, n)                  n first states [n, D], drawn from the stream
    step(state, actions, luck)        [D, E], [E, …], [E] → the next state [D, E], the rewards [E],
                                      and where the world ends the episode [E]
    observe(state)                    [D, E] → what the agent sees, [E, O] float32
    max_episode_steps                 after so many steps an episode is over
    limit_ends                        the last of them is an end by the world's rules, no cut
    needs_luck                        whether `step` asks for a uniform number for each environment
    """

    action_space: Space
    observation_space: Box
    start: Callable[[np.random.Generator, int], Floats]
    step: Callable[[Floats, NDArray, Floats | None], Transition]
    observe: Callable[[Floats], NDArray[np.float32]]
    max_episode_steps: int
    limit_ends: bool = False
    needs_luck: bool = False


class SeededEnvs(VectorEnv):
    """S seeds × N copies of a world: `reset` takes the S streams that the seeds draw from."""

    num_seeds: int

    def reset(
        self,
        *,
        seed: int | Sequence[np.random.Generator] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start S·N episodes. `seed`: one number, or the S streams themselves."""
        raise NotImplementedError

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only, each from where it stands: seeds [S] becomes the new S."""
        raise NotImplementedError


class Ensemble(SeededEnvs):
    """S·N copies of one world as one `gymnasium.vector.VectorEnv`.

    With AutoresetMode.SAME_STEP (the default) `step` returns the first observation of the next
    episode where one ended, and `infos["final_obs"]` [E, O] holds the last observation of the ended
    one in the rows where `infos["_final_obs"]` is True. With AutoresetMode.DISABLED ended
    environments go on and their transitions mean nothing: the caller masks them.
    """

    def __init__(
        self,
        dynamics: Dynamics,
        num_envs: int = 1,
        num_seeds: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        if num_seeds < 1 or num_envs % num_seeds:
            raise ValueError(
                f"num_envs must be a multiple of num_seeds, got {num_envs}, {num_seeds}"
            )
        if autoreset_mode is AutoresetMode.NEXT_STEP:
            raise ValueError("next-step autoreset adds transitions that never happened")
        self.metadata = {"render_modes": [], "autoreset_mode": autoreset_mode}
        self.dynamics = dynamics
        self.max_episode_steps = max_episode_steps or dynamics.max_episode_steps
        self.single_action_space = dynamics.action_space
        self.single_observation_space = dynamics.observation_space
        self._resize(num_envs, num_seeds)
        self.state = np.zeros((0, num_envs))
        self.steps = np.zeros(num_envs, np.int64)
        self.streams: list[np.random.Generator] = []
        self._starts: _StartStates | None = None
        self._luck: Noise | None = None
        self._autoreset = autoreset_mode is AutoresetMode.SAME_STEP

    def _resize(self, num_envs: int, num_seeds: int) -> None:
        self.num_envs = num_envs
        self.num_seeds = num_seeds
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only, each from where it stands: seeds [S] becomes the new S."""
        envs = np.repeat(seeds, self.num_envs // self.num_seeds)
        self.state = np.ascontiguousarray(self.state[:, envs])
        self.steps = self.steps[envs]
        self.streams = [self.streams[k] for k in np.flatnonzero(seeds)] if self.streams else []
        if self._starts is not None:
            self._starts.keep(seeds, self.streams)
        if self._luck is not None:
            self._luck.keep(seeds)
        self._resize(int(envs.sum()), int(seeds.sum()))

    def all_again(self, num_envs: int, num_seeds: int) -> None:
        """Take back the seeds that were let go since; `reset` comes next."""
        self._resize(num_envs, num_seeds)
        self.state, self.steps = np.zeros((len(self.state), num_envs)), np.zeros(num_envs, np.int64)
        self.streams, self._starts, self._luck = [], None, None

    def reset(
        self,
        *,
        seed: int | Sequence[np.random.Generator] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start S·N episodes. `seed`: one number, or the S streams themselves."""
        if isinstance(seed, Sequence):
            if len(seed) != self.num_seeds:
                raise ValueError(f"expected {self.num_seeds} streams, got {len(seed)}")
            self.streams = list(seed)
        elif seed is not None or not self.streams:
            children = np.random.SeedSequence(seed).spawn(self.num_seeds)
            self.streams = [np.random.default_rng(child) for child in children]
        num_copies = self.num_envs // self.num_seeds
        first = [self.dynamics.start(stream, num_copies) for stream in self.streams]
        self.state = np.ascontiguousarray(np.concatenate(first).T)
        self._starts = _StartStates(self.dynamics.start, self.streams, num_copies, len(self.state))
        if self.dynamics.needs_luck:
            self._luck = Noise(self.streams, (num_copies,), np.random.Generator.random)
        self.steps = np.zeros(self.num_envs, np.int64)
        return self.dynamics.observe(self.state), {}

    def step(
        self, actions: NDArray
    ) -> tuple[NDArray[np.float32], Floats, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Apply actions [S·N, …]."""
        luck = None if self._luck is None else next(self._luck).ravel()
        self.state, rewards, terminated = self.dynamics.step(self.state, actions, luck)
        self.steps += 1
        truncated = self.steps >= self.max_episode_steps
        if self.dynamics.limit_ends:
            terminated, truncated = terminated | truncated, np.zeros_like(truncated)
        obs = self.dynamics.observe(self.state)
        infos: dict[str, Any] = {}
        if self._autoreset:
            over = terminated | truncated
            ended = np.flatnonzero(over)
            if len(ended):
                assert self._starts is not None, "reset comes before step"
                infos = {"final_obs": obs.copy(), "_final_obs": over}
                self.state[:, ended], self.steps[ended] = self._starts.take(ended).T, 0
                obs[ended] = self.dynamics.observe(self.state[:, ended])
        return obs, rewards, terminated, truncated, infos


class _StartStates:
    """Start states waiting for episodes to end: drawn many at a time, handed out one by one.

    Each seed's come from its own stream, in the order in which they are needed. When more are drawn
    depends on that seed's own episodes alone, so no seed notices how often the others start anew.
    """

    def __init__(
        self,
        start: Callable[[np.random.Generator, int], Floats],
        streams: Sequence[np.random.Generator],
        num_copies: int,
        num_numbers: int,
    ) -> None:
        self.start = start
        self.streams = streams
        self.num_copies = num_copies
        self.size = 16 * num_copies  # of one seed; at least num_copies, as all may end together
        self.waiting = np.zeros((len(streams), self.size, num_numbers))
        self.taken = np.full(len(streams), self.size)  # drawn when first needed, not before

    def take(self, ended: NDArray[np.intp]) -> Floats:
        """A start state for each of these environments, which ascend: [len(ended), D]."""
        seed = ended // self.num_copies
        needed = np.bincount(seed, minlength=len(self.streams))
        for k in np.flatnonzero(self.taken + needed > self.size).tolist():
            fresh = self.start(self.streams[k], self.taken[k])
            self.waiting[k] = np.concatenate([self.waiting[k, self.taken[k] :], fresh])
            self.taken[k] = 0
        rank = np.arange(len(ended)) - (np.cumsum(needed) - needed)[seed]  # within its seed
        states = self.waiting[seed, self.taken[seed] + rank]
        self.taken += needed
        return states

    def keep(self, seeds: NDArray[np.bool_], streams: Sequence[np.random.Generator]) -> None:
        """Go on with these seeds and their streams; what was drawn for them is still theirs."""
        self.streams = streams
        self.waiting, self.taken = self.waiting[seeds], self.taken[seeds]


class Noise:
    """Random numbers [S, *shape] for every step, drawn many steps at once.

    Each seed's come from its own stream. `draw(stream, size)` draws them; `prepare` turns a whole
    block into what is used.
    """

    def __init__(
        self,
        streams: Sequence[np.random.Generator],
        shape: tuple[int, ...],
        draw: Callable[[np.random.Generator, tuple[int, ...]], NDArray],
        prepare: Callable[[NDArray], NDArray] | None = None,
    ) -> None:
        self.streams = list(streams)
        self.size = NOISE_BLOCK, *shape
        self.draw, self.prepare = draw, prepare
        self.block: NDArray = np.empty(0)
        self.used = NOISE_BLOCK  # drawn when first needed, not before

    def __iter__(self) -> Iterator[NDArray]:
        return self

    def __next__(self) -> NDArray:
        if self.used == NOISE_BLOCK:
            block = np.stack([self.draw(stream, self.size) for stream in self.streams], axis=1)
            self.block = self.prepare(block) if self.prepare else block
            self.used = 0
        self.used += 1
        return self.block[self.used - 1]

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only; what was drawn for them is still theirs."""
        self.streams = [self.streams[k] for k in np.flatnonzero(seeds)]
        if self.used < NOISE_BLOCK:
            self.block = self.block[:, seeds]
