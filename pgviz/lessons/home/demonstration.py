"""The run that Home opens with: recorded beforehand and shipped, so that nobody waits for it.

`python -m pgviz.lessons.home.demonstration` trains it anew and writes the file.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("demonstration.json")
METHOD = "reinforce"


@dataclass(frozen=True)
class Demonstration:
    """Sixteen seeds of one method, and an episode of one seed at three moments of its training."""

    num_seeds: int
    solved_seeds: int
    num_updates: int
    env_steps: int
    moments: tuple[dict[str, Any], ...]  # before training, halfway, at the end

    def at(self, moment: int) -> dict[str, Any]:
        """The update, the mean return of the batch, and one episode of it, for the player."""
        return self.moments[moment]


@lru_cache(1)
def demonstration() -> Demonstration:
    """What was recorded."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return Demonstration(**document | {"moments": tuple(document["moments"])})


def record() -> dict[str, Any]:
    """Train it, and take three episodes of seed 0."""
    import numpy as np

    from pgviz.runs.replay import replay, trajectory
    from pgviz.training import train
    from pgviz.training.config import presets

    config = presets[METHOD].replace(num_updates=60, stop_when_solved=True)
    thetas, last = [], None
    for update in train(config):
        thetas.append(np.array(update.played))
        last = update
    assert last is not None
    moments = []
    for at in (0, len(thetas) // 2, len(thetas) - 1):
        rollout = replay(config, thetas[at][0], 0, at)
        returns = rollout.episode_returns[0]
        episode = int(np.argsort(returns)[len(returns) // 2])  # the one in the middle
        table = trajectory(config, thetas[at][0], rollout, episode)
        final = rollout.final_obs[0, episode]
        moments.append(
            {
                "update": at,
                "mean_return": round(float(returns.mean()), 2),
                "episode": {
                    "x": [round(float(x), 4) for x in (*table["x"], final[0])],
                    "angle": [round(float(x), 4) for x in (*table["angle"], final[2])],
                    "actions": table["action"].tolist(),
                    "p_right": [round(float(p), 3) for p in table["p_right"]],
                    "rewards": [float(r) for r in table["reward"]],
                    "terminated": bool(rollout.terminated[0, episode].any()),
                    "truncated": bool(rollout.truncated[0, episode].any()),
                },
            }
        )
    return {
        "num_seeds": config.num_seeds,
        "solved_seeds": int(last.metrics["solved"].sum()),
        "num_updates": len(thetas),
        "env_steps": int(last.metrics["env_steps"].sum()),
        "moments": moments,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record()), encoding="utf-8")
