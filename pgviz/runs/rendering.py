"""An episode of a trained policy as Gymnasium itself draws it: an animated GIF, for a terminal.

The pages draw CartPole and Acrobot by themselves; other worlds are drawn by Gymnasium, which may
need packages of its own (pygame for most).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray
from PIL import Image

from pgviz.policies import Gaussian
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.worlds.tabular import WorldError
from pgviz.worlds.world import World, find

MOST_FRAMES = 1001


def save(config: Config, theta: NDArray[np.float32], path: Path, seed: int = 0) -> float:
    """Play one episode with the parameters theta [P] and write it to `path`; its return.

    WorldError, one sentence, where Gymnasium knows no such world or cannot draw it here.
    """
    try:
        env = gymnasium.make(config.world, render_mode="rgb_array")
        frames, total = [], 0.0
        for frame, reward in played(config, theta, env, seed):
            frames.append(Image.fromarray(np.asarray(frame, np.uint8)))
            total += reward
        env.close()
    except WorldError:
        raise
    except Exception as fault:  # a drawing may need any package, or a screen
        said = " ".join(str(fault).split())[:200].rstrip(". ")
        raise WorldError(f"Gymnasium cannot draw {config.world} here: {said}") from fault
    rate = float(env.metadata.get("render_fps") or 20)
    try:
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 / rate, loop=0)
    except (OSError, ValueError) as fault:
        raise WorldError(f"the drawing cannot be written to {path}: {fault}") from fault
    return total


def played(
    config: Config, theta: NDArray[np.float32], env: Any, seed: int
) -> Iterator[tuple[NDArray, float]]:
    """The frames of one episode, and what each step was paid; the first frame is paid 0."""
    world, agent = find(config.world), Agent.of(config)
    layers = agent.policy.layers(agent.policy_part(theta[None]))
    stream = np.random.default_rng(seed)
    noise = agent.distribution.noise([stream], 1)
    obs, _ = env.reset(seed=seed)
    yield env.render(), 0.0
    for _ in range(min(world.max_episode_steps, MOST_FRAMES - 1)):
        seen = as_seen(world, env, obs)[None, None]
        outputs, _ = agent.policy.forward(layers, agent.policy.features(seen))
        action = agent.distribution.act(outputs, next(noise))[0, 0]
        obs, reward, terminated, truncated, _ = env.step(given(agent, env, action))
        yield env.render(), float(reward)
        if terminated or truncated:
            return


def as_seen(world: World, env: Any, obs: Any) -> NDArray[np.float32]:
    """What the policy was trained to see: features of a finite world, one-hot numbers, a flat box."""
    if world.table is not None:
        return np.asarray(world.table.features[int(obs)], np.float32)
    space = env.observation_space
    if isinstance(space, Discrete):
        return np.eye(int(space.n), dtype=np.float32)[int(obs) - int(space.start)]
    return np.asarray(obs, np.float32).ravel()


def given(agent: Agent, env: Any, action: Any) -> Any:
    """An action as the environment wants it."""
    space = env.action_space
    if isinstance(agent.distribution, Gaussian):
        return np.asarray(agent.distribution.in_the_box(action), space.dtype).reshape(space.shape)
    return int(action) + int(space.start)
