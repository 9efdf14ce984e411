"""One update under the microscope: what each action, each episode and the whole batch did.

Axes: N episodes, T time, P parameters; everything is of one seed.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pgviz.networks import Array32
from pgviz.policies import probability
from pgviz.training.agent import Agent
from pgviz.training.config import Config
from pgviz.training.gradient import policy_gradient
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout

Floats = NDArray[np.float64]

ANGLES = np.linspace(-0.2, 0.2, 17)  # rad; the episode ends at ±.2095
RATES = np.linspace(-1.6, 1.6, 17)  # rad/s
LARGEST_STEP = 1.0  # of a log-odds, in `pushes`


def pushes(table: pd.DataFrame) -> pd.DataFrame:
    """How far each step's own term G ∇log π pushes the probability of its action.

    `table` is an episode as pgviz.runs.replay.trajectory lists it. A step η along G ∇log π moves
    the log-odds of the action by η G (1 − π) ‖∇f‖², with ‖∇log π‖ = (1 − π) ‖∇f‖, to first order
    in η. One η for all: the largest move is LARGEST_STEP.

    t, action, reward, return_to_go, before = π(a|s), after, push = after − before.
    """
    right = table["action"].to_numpy() == 1
    p_right = table["p_right"].to_numpy()
    before = np.where(right, p_right, 1 - p_right)
    weight = table["weight"].to_numpy()
    norms = table["pull"].to_numpy() / np.maximum(np.abs(weight), 1e-12)
    moves = weight * norms**2 / np.maximum(1 - before, 1e-12)
    moves *= LARGEST_STEP / max(float(np.abs(moves).max()), 1e-12)
    after = probability(np.log(before) - np.log1p(-before) + moves)
    return pd.DataFrame(
        {
            "t": table["t"],
            "action": np.where(right, "right", "left"),
            "reward": table["reward"],
            "return_to_go": table["return_to_go"],
            "before": before,
            "after": after,
            "push": after - before,
        }
    )


def policy_map(config: Config, theta: Array32) -> Floats:
    """π(right|s) for cart and its velocity at 0, [RATES, ANGLES]; theta [P] of one seed."""
    policy = Agent.of(config).policy
    angle, rate = np.meshgrid(ANGLES, RATES)
    obs = np.zeros((1, angle.size, 4), np.float32)
    obs[0, :, 2], obs[0, :, 3] = angle.ravel(), rate.ravel()
    layers = policy.layers(Agent.of(config).policy_part(theta[None]))
    logits, _ = policy.forward(layers, policy.features(obs))
    return np.asarray(probability(logits[0].astype(np.float64)).reshape(angle.shape), np.float64)


def map_table(before: Floats, after: Floats) -> pd.DataFrame:
    """One row per square: angle, rate, before, after, change."""
    angle, rate = np.meshgrid(ANGLES, RATES)
    return pd.DataFrame(
        {
            "angle": np.degrees(angle).ravel(),
            "rate": rate.ravel(),
            "before": before.ravel(),
            "after": after.ravel(),
            "change": (after - before).ravel(),
        }
    )


def visited(obs: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which squares of the map hold one of these observations [rows, 4]; [RATES, ANGLES]."""
    place = [
        np.rint((x - grid[0]) / (grid[1] - grid[0])).astype(int)
        for x, grid in ((obs[:, 3], RATES), (obs[:, 2], ANGLES))
    ]
    inside = (place[0] >= 0) & (place[0] < len(RATES)) & (place[1] >= 0) & (place[1] < len(ANGLES))
    found = np.zeros((len(RATES), len(ANGLES)), np.bool_)
    found[place[0][inside], place[1][inside]] = True
    return found


def border(probabilities: Floats) -> pd.DataFrame:
    """Where the policy changes sides, π(right) = ½: rate, and the first such angle in degrees."""
    rows = []
    for rate, row in zip(RATES, probabilities - 0.5, strict=True):
        crossings = np.flatnonzero((row[:-1] <= 0) != (row[1:] <= 0))
        if len(crossings):
            k = crossings[0]
            share = row[k] / (row[k] - row[k + 1])
            angle = ANGLES[k] + share * (ANGLES[k + 1] - ANGLES[k])
            rows.append((rate, float(np.degrees(angle))))
    return pd.DataFrame(rows, columns=["rate", "angle"], dtype=float)


def episode_gradients(config: Config, theta: Array32, rollout: Rollout) -> Floats:
    """Σ_t Ψ_t ∇log π(a_t|s_t) of each episode of one seed [N, P]: their mean is ĝ.

    The engine differentiates many seeds at once; here each episode is a seed of its own.
    """
    num_episodes = rollout.mask.shape[1]
    policy = Agent.of(config).policy_part(theta[None])
    psi = weights(rollout, config)

    def apart(x: NDArray) -> NDArray:
        return x.swapaxes(0, 1)

    arrays: dict[str, Any] = {name: apart(x) for name, x in rollout.arrays.items()}
    alone = replace(rollout, **arrays)
    repeated = np.repeat(policy, num_episodes, axis=0)
    gradient, _ = policy_gradient(Agent.of(config), repeated, alone, apart(psi))
    return gradient.astype(np.float64)


def shares(gradients: Floats) -> Floats:
    """Which share of ĝ, along ĝ, is each episode's, [N]: they sum to 1."""
    total = gradients.sum(axis=0)
    return gradients @ total / max(float(total @ total), 1e-300)
