"""What Gymnasium draws of a trained policy is an episode of that policy, written as a GIF."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from PIL import Image

from pgviz.policies import probability
from pgviz.runs.rendering import save
from pgviz.training.config import preset
from pgviz.worlds.tabular import WorldError


class Counter(gymnasium.Env):
    """Seven steps; each pays what was pushed, and the picture says which step it is."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = Box(-1, 1, (2,), np.float32)
        self.action_space = Discrete(2, start=3)
        self.step_number = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.step_number = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        assert action in (3, 4)
        self.step_number += 1
        over = self.step_number == 7
        return np.zeros(2, np.float32), float(action == 4), over, False, {}

    def render(self):
        return np.full((8, 8, 3), 10 * self.step_number, np.uint8)


@pytest.fixture(scope="module", autouse=True)
def counter():
    gymnasium.register("Counter-v0", Counter)
    yield
    del gymnasium.registry["Counter-v0"]


def config_and_theta(logit):
    """A policy that pushes with probability σ(logit), whatever it sees."""
    config = preset("reinforce", "Counter-v0").replace(hidden=1)
    theta = np.zeros(3 + 1 + 1, np.float32)
    theta[-1] = logit
    return config, theta


@pytest.mark.parametrize("logit", [-40.0, 40.0])
def test_the_episode_is_the_policys_own_and_every_step_has_its_frame(logit, tmp_path):
    config, theta = config_and_theta(logit)
    paid = save(config, theta, tmp_path / "a.gif")
    assert paid == 7 * round(float(probability(np.array(logit))))
    picture = Image.open(tmp_path / "a.gif")
    assert picture.n_frames == 8
    assert picture.info["duration"] == 100


def test_what_cannot_be_drawn_or_written_is_one_sentence(tmp_path, monkeypatch, run):
    config, theta = config_and_theta(0.0)
    with pytest.raises(WorldError, match="cannot be written"):
        save(config, theta, tmp_path / "no" / "a.gif")

    def broken(self):
        raise RuntimeError("no screen\nhere")

    monkeypatch.setattr(Counter, "render", broken)
    with pytest.raises(WorldError, match="cannot draw Counter-v0 here: no screen here"):
        save(config, theta, tmp_path / "a.gif")
    arguments = "train gae --world ladder --num-updates 1 --num-seeds 1 --watch"
    status, _, err = run(*arguments.split(), tmp_path / "a.gif")
    assert status == 2
    assert "cannot draw ladder" in err.splitlines()[-1]
