"""CartPole-v1 for ensembles: S seeds × N copies stepped at once, each seed with a stream of its own.

Same physics as Gymnasium's CartPole-v1, in the same order and in float64, so that transitions are
equal to the last bit. What Gymnasium's own vector environment does not offer, and training needs:

* an episode ends and the next begins in the SAME step (no spurious transition that ignores its
  action and pays nothing), and the true final observation is kept;
* seed k draws from stream k alone, so its run does not depend on its neighbours.

Axes: S seeds, N parallel environments per seed; vectors over environments are [S·N], seed first.
"""

import math
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

ENV_ID = "pgviz/CartPole-v1"
MAX_EPISODE_STEPS = 500

GRAVITY = 9.8
MASS_POLE = 0.1
TOTAL_MASS = MASS_POLE + 1.0
HALF_LENGTH = 0.5  # metres: the distance from the joint to the pole's centre of mass
POLE_MASS_LENGTH = MASS_POLE * HALF_LENGTH
FORCE = 10.0  # newtons
SECONDS_PER_STEP = 0.02
X_LIMIT = 2.4  # metres
ANGLE_LIMIT = 12 * 2 * math.pi / 360  # radians
RESET_LIMIT = 0.05
LIMITS = np.array([[X_LIMIT], [ANGLE_LIMIT]])
POSITIONS, VELOCITIES = np.s_[0::2], np.s_[1::2]  # rows of a state: x, ẋ, angle, its rate

_OBS_HIGH = np.array([2 * X_LIMIT, np.inf, 2 * ANGLE_LIMIT, np.inf], np.float32)


class CartPoleEnsemble(VectorEnv):
    """S·N copies of CartPole-v1 as one `gymnasium.vector.VectorEnv`.

    With AutoresetMode.SAME_STEP (the default) `step` returns the first observation of the next
    episode where one ended, and `infos["final_obs"]` [S·N, 4] holds the last observation of the
    ended one in the rows where `infos["_final_obs"]` is True. With AutoresetMode.DISABLED ended
    environments go on falling and their transitions mean nothing: the caller masks them.
    """

    def __init__(
        self,
        num_envs: int = 1,
        num_seeds: int = 1,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        if num_seeds < 1 or num_envs % num_seeds:
            raise ValueError(
                f"num_envs must be a multiple of num_seeds, got {num_envs}, {num_seeds}"
            )
        if autoreset_mode is AutoresetMode.NEXT_STEP:
            raise ValueError("next-step autoreset adds transitions that never happened")
        self.metadata = {"render_modes": [], "autoreset_mode": autoreset_mode}
        self.max_episode_steps = max_episode_steps
        self.single_action_space = Discrete(2)
        self.single_observation_space = Box(-_OBS_HIGH, _OBS_HIGH, dtype=np.float32)
        self._resize(num_envs, num_seeds)
        self.state = np.zeros((4, num_envs))
        self.steps = np.zeros(num_envs, np.int64)
        self.streams: list[np.random.Generator] = []
        self._starts = _StartStates([], 0)
        self._autoreset = autoreset_mode is AutoresetMode.SAME_STEP

    def _resize(self, num_envs: int, num_seeds: int) -> None:
        self.num_envs = num_envs
        self.num_seeds = num_seeds
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only, each from where it stands: seeds [S] becomes the new S."""
        num_copies = self.num_envs // self.num_seeds
        envs = np.repeat(seeds, num_copies)
        self.state = np.ascontiguousarray(self.state[:, envs])
        self.steps = self.steps[envs]
        self.streams = [self.streams[k] for k in np.flatnonzero(seeds)] if self.streams else []
        self._starts.keep(seeds, self.streams)
        self._resize(int(envs.sum()), int(seeds.sum()))

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
        self._starts = _StartStates(self.streams, num_copies)
        first = [initial_states(stream, num_copies) for stream in self.streams]
        self.state = np.ascontiguousarray(np.concatenate(first).T)
        self.steps[:] = 0
        return self._observations(), {}

    def step(
        self, actions: NDArray[np.integer] | NDArray[np.bool_]
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float64],
        NDArray[np.bool_],
        NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Apply actions [S·N], 0 pushes left and 1 pushes right."""
        next_state(self.state, actions, out=self.state)
        self.steps += 1
        terminated = out_of_bounds(self.state)
        truncated = self.steps >= self.max_episode_steps
        obs = self._observations()
        infos: dict[str, Any] = {}
        if self._autoreset:
            over = terminated | truncated
            ended = np.flatnonzero(over)
            if len(ended):
                infos = {"final_obs": obs.copy(), "_final_obs": over}
                first = self._starts.take(ended)
                obs[ended], self.state[:, ended], self.steps[ended] = first, first.T, 0
        return obs, np.ones(self.num_envs), terminated, truncated, infos

    def _observations(self) -> NDArray[np.float32]:
        return self.state.T.astype(np.float32)


class _StartStates:
    """Start states waiting for episodes to end: drawn many at a time, handed out one by one.

    Each seed's come from its own stream, in the order in which they are needed. When more are drawn
    depends on that seed's own episodes alone, so no seed notices how often the others start anew.
    """

    def __init__(self, streams: Sequence[np.random.Generator], num_copies: int) -> None:
        self.streams = streams
        self.num_copies = num_copies
        self.size = 16 * num_copies  # of one seed; at least num_copies, as all may end together
        self.waiting = np.zeros((len(streams), self.size, 4))
        self.taken = np.full(len(streams), self.size)  # drawn when first needed, not before

    def take(self, ended: NDArray[np.intp]) -> NDArray[np.float64]:
        """A start state for each of these environments, which ascend: [len(ended), 4]."""
        seed = ended // self.num_copies
        needed = np.bincount(seed, minlength=len(self.streams))
        for k in np.flatnonzero(self.taken + needed > self.size).tolist():
            fresh = initial_states(self.streams[k], self.taken[k])
            self.waiting[k] = np.concatenate([self.waiting[k, self.taken[k] :], fresh])
            self.taken[k] = 0
        rank = np.arange(len(ended)) - (np.cumsum(needed) - needed)[seed]  # within its seed
        states = self.waiting[seed, self.taken[seed] + rank]
        self.taken += needed
        return states

    def keep(self, seeds: NDArray[np.bool_], streams: Sequence[np.random.Generator]) -> None:
        """Go on with these seeds and their streams; what was drawn for them is still theirs."""
        self.streams = streams
        if len(self.taken):
            self.waiting, self.taken = self.waiting[seeds], self.taken[seeds]


def initial_states(stream: np.random.Generator, num_envs: int) -> NDArray[np.float64]:
    """Uniform in [−.05, .05]⁴, shape [num_envs, 4], drawn as Gymnasium draws them."""
    return stream.uniform(-RESET_LIMIT, RESET_LIMIT, (num_envs, 4))


def next_state(
    state: NDArray[np.float64],
    actions: NDArray[np.integer] | NDArray[np.bool_],
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """One Euler step of .02 s; state rows are x, ẋ, angle, angular velocity, shape [4, …].

    Source: Barto, Sutton & Anderson, 1983; operation by operation Gymnasium's CartPole-v1.
    """
    angle, angle_dot = state[2], state[3]
    force = np.where(actions, FORCE, -FORCE)
    cos, sin = np.cos(angle), np.sin(angle)
    push = (force + POLE_MASS_LENGTH * np.square(angle_dot) * sin) / TOTAL_MASS
    change = np.empty_like(state)  # per second
    change[POSITIONS] = state[VELOCITIES]
    angle_acc = np.divide(
        GRAVITY * sin - cos * push,
        HALF_LENGTH * (4.0 / 3.0 - MASS_POLE * np.square(cos) / TOTAL_MASS),
        out=change[3],
    )
    np.subtract(push, POLE_MASS_LENGTH * angle_acc * cos / TOTAL_MASS, out=change[1])
    return np.add(state, SECONDS_PER_STEP * change, out=out)


def out_of_bounds(state: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The pole fell (12°) or the cart left the track (2.4 m)."""
    off_track, fallen = np.abs(state[POSITIONS]) > LIMITS
    return off_track | fallen


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, vector_entry_point=f"{__name__}:{CartPoleEnsemble.__name__}")
