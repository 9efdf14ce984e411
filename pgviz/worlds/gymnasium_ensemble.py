"""Any environment of Gymnasium's, S seeds × N copies of it, through Gymnasium's own SyncVectorEnv."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from pgviz.worlds.ensemble import SeededEnvs
from pgviz.worlds.gymnasium_tables import GYMNASIUM_ID, from_gymnasium, made
from pgviz.worlds.tabular import WorldError, quoted
from pgviz.worlds.world import MAX_EPISODE_STEPS, World, known_worlds, numbered, of_table

MAX_INPUTS = 1000  # numbers of an observation; more is a picture


class GymnasiumEnsemble(SeededEnvs):
    """The interface of `Ensemble`, slower: every copy is a Python object that is stepped alone.

    An episode ends and the next begins in the same step; `infos["final_obs"]` [E, O] holds the last
    observations. Copy n of seed k draws from its own generator, which stream k has seeded.
    Discrete observations are one-hot; boxes are laid flat. What has no time limit of its own is cut
    after MAX_EPISODE_STEPS.
    """

    def __init__(self, name: str, num_envs: int, num_seeds: int) -> None:
        self.name = name
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}
        limit = gymnasium.spec(name).max_episode_steps or MAX_EPISODE_STEPS
        make = partial(gymnasium.make, name, max_episode_steps=limit)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is a newer version of it
            self._adopt([make] * num_envs, num_seeds)

    def _adopt(self, makers: Sequence[Any], num_seeds: int) -> None:
        self.envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
        self.num_envs, self.num_seeds = len(makers), num_seeds
        self.single_action_space = self.envs.single_action_space
        self.single_observation_space = seen_space(self.envs.single_observation_space)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def keep(self, seeds: NDArray[np.bool_]) -> None:
        """Go on with these seeds only, each from where it stands."""
        kept = np.repeat(seeds, self.num_envs // self.num_seeds)
        staying = []
        for env, stays in zip(self.envs.envs, kept, strict=True):
            if stays:
                staying.append(env)
            else:
                env.close()
        self._adopt([partial(lambda env: env, env) for env in staying], int(seeds.sum()))

    def reset(
        self,
        *,
        seed: int | Sequence[np.random.Generator] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start S·N episodes. `seed`: one number, or the S streams themselves."""
        numbers: int | list[int] | None
        if isinstance(seed, Sequence):
            copies = self.num_envs // self.num_seeds
            numbers = [int(n) for stream in seed for n in stream.integers(2**31, size=copies)]
        else:
            numbers = seed
        with self._faults_told("reset"):
            return self._seen(self.envs.reset(seed=numbers, options=options)[0]), {}  # type: ignore[arg-type]

    def step(
        self, actions: NDArray
    ) -> tuple[
        NDArray[np.float32],
        NDArray[np.float64],
        NDArray[np.bool_],
        NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Apply actions [S·N, …]; what is counted counts from 0."""
        with self._faults_told("step"):
            obs, rewards, terminated, truncated, infos = self.envs.step(self._given(actions))
        seen, told = self._seen(obs), {}
        over = terminated | truncated
        if over.any():
            final = seen.copy()
            final[over] = self._seen(np.stack(list(infos["final_obs"][over])))
            told = {"final_obs": final, "_final_obs": over}
        return seen, rewards, terminated, truncated, told

    @contextmanager
    def _faults_told(self, where: str) -> Iterator[None]:
        """An environment may be anybody's and raise anything: one sentence of it."""
        try:
            yield
        except Exception as fault:
            said = " ".join(str(fault).split())[:200].rstrip(". ")
            raise WorldError(
                f"{self.name} failed in its {where}: {type(fault).__name__}: {said}"
            ) from fault

    def _given(self, actions: NDArray) -> NDArray:
        """Actions as members of the environments' own space, of its kind of number and its shape."""
        space = self.single_action_space
        if isinstance(space, Discrete):
            return space.start + actions.astype(space.dtype)
        return actions.astype(space.dtype).reshape(len(actions), *space.shape)  # type: ignore[misc]

    def _seen(self, obs: NDArray) -> NDArray[np.float32]:
        space = self.envs.single_observation_space
        if isinstance(space, Discrete):
            return np.eye(int(space.n), dtype=np.float32)[np.asarray(obs) - int(space.start)]
        return np.asarray(obs, np.float32).reshape(len(obs), -1)

    def close_extras(self, **_: Any) -> None:
        """Let the environments close what they have opened."""
        self.envs.close()


def of_gymnasium(name: str) -> World:
    """The record of an environment that Gymnasium registers, by its spaces and its specification."""
    if not GYMNASIUM_ID.fullmatch(name):
        raise WorldError(
            f"there is no world {quoted(name)} to train in: give one of"
            f" {', '.join(known_worlds())}, or a Gymnasium id such as FrozenLake-v1"
        )
    env = made(name, {})
    try:
        spec, seen, acts = env.spec, env.observation_space, env.action_space
        # A P by itself may be anything, the gain of a controller for example.
        has_table = all(hasattr(env.unwrapped, x) for x in ("P", "initial_state_distrib"))
    finally:
        env.close()
    limit = spec.max_episode_steps
    if has_table:
        # With the limit as the horizon, J is that of what is played. Rewards are rare: it takes time.
        table = from_gymnasium(name, horizon=limit)
        return of_table(table, num_updates=800, solved_at=spec.reward_threshold)
    sizes = seen_space(seen, name)
    if not isinstance(acts, (Discrete, Box)):
        raise WorldError(
            f"{name} takes actions of the kind {type(acts).__name__}: only Discrete and Box ones"
            " can be trained here"
        )
    if isinstance(acts, Box) and not (np.isfinite(acts.low) & np.isfinite(acts.high)).all():
        raise WorldError(f"the actions of {name} have no limits, and a Gaussian needs some here")
    bound = np.maximum(np.abs(sizes.low), np.abs(sizes.high)).astype(float)
    known = np.isfinite(bound) & (bound > 0) & (bound < 1e6)
    return World(
        name,
        make=lambda num_envs, num_seeds, _mode: GymnasiumEnsemble(name, num_envs, num_seeds),
        action_space=acts,
        obs_names=numbered(sizes.shape[0]),
        obs_scale=tuple(np.where(known, 1 / np.where(known, bound, 1), 1.0).tolist()),
        max_episode_steps=limit or MAX_EPISODE_STEPS,
        solved_at=None if spec.reward_threshold is None else float(spec.reward_threshold),
        linear=isinstance(seen, Discrete),
    )


def seen_space(space: Space, name: str = "this environment") -> Box:
    """What an agent sees, as a flat box of numbers."""
    if isinstance(space, Discrete):
        return Box(0, 1, (int(space.n),), np.float32)
    if not isinstance(space, Box):
        raise WorldError(
            f"{name} is seen as a {type(space).__name__}: only Box and Discrete observations can be"
            " trained on here"
        )
    size = int(np.prod(space.shape))
    if size > MAX_INPUTS:
        raise WorldError(
            f"an observation of {name} has {size} numbers, more than the {MAX_INPUTS} that a small"
            " network learns from"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of limits that float32 cannot hold
        return Box(space.low.ravel(), space.high.ravel(), (size,), np.float32)
