"""How fast the estimator bench is: python -m tests.benchmarks.bench

Gradients of six estimators for every episode of one frozen policy: one backward pass for each, as
one would write it first, against one matrix product per layer. CPU seconds, contenders in turns.
"""

import argparse
import time
from statistics import median

import numpy as np
import torch

from pgviz import presets, train
from pgviz.measure.frozen import ESTIMATORS, FrozenPolicy, episode_gradients, psi
from pgviz.policies import log_prob

TURNS = 5


def policies() -> list[FrozenPolicy]:
    """A policy that falls soon, one in the middle of its training, one that balances for long."""
    config = presets["reinforce"].replace(num_seeds=2, num_updates=19)
    updates = list(train(config))
    return [FrozenPolicy(config, updates[u].played[0], 0, u) for u in (4, 10, 18)]


def slow_gradients(policy: FrozenPolicy, episodes, weights: np.ndarray) -> np.ndarray:
    """One backward pass per episode and estimator."""
    network = policy.network
    scale = np.array(network.obs_scale, np.float32)
    gradient = np.empty((*weights.shape[:2], network.num_parameters), np.float32)
    for n, steps in enumerate(episodes.lengths):
        obs = torch.from_numpy(episodes.features[n : n + 1, :steps, :-1] / scale)
        actions = torch.from_numpy((episodes.surprise[n, :steps] > 0).astype(np.float32))
        for k in range(len(weights)):
            theta = torch.tensor(policy.policy_theta[None], requires_grad=True)
            scores = log_prob(network(theta, obs)[0], actions)
            loss = (scores * torch.from_numpy(weights[k, n, :steps])).sum()
            gradient[k, n] = torch.autograd.grad(loss, theta)[0][0].numpy()
    return gradient


def cpu(function) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=20_000)
    num = parser.parse_args().episodes
    torch.set_num_threads(1)
    print("six estimators × 256 episodes, gradients only, CPU ms (median of turns)\n")
    print(
        "| mean length | a backward each | sums by matmul | ratio | largest relative difference |"
    )
    print("|---|---|---|---|---|")
    for policy in policies():
        episodes = policy.play(256, part=99)
        weights = psi(episodes, *policy.critic(), ESTIMATORS)
        results: dict[str, np.ndarray] = {}

        def slow(policy=policy, episodes=episodes, weights=weights, results=results) -> None:
            results["slow"] = slow_gradients(policy, episodes, weights)

        def fast(policy=policy, episodes=episodes, weights=weights, results=results) -> None:
            results["fast"] = episode_gradients(
                policy.network, policy.policy_theta, episodes, weights
            )

        times = [(cpu(slow), median(cpu(fast) for _ in range(5))) for _ in range(TURNS)]
        a, b = (median(column) for column in zip(*times, strict=True))
        size = np.abs(results["slow"]).max(axis=2, keepdims=True)
        differ = float((np.abs(results["slow"] - results["fast"]) / size).max())
        length = episodes.lengths.mean()
        print(f"| {length:.0f} | {1e3 * a:.0f} | {1e3 * b:.1f} | {a / b:.0f}× | {differ:.0e} |")
    print(f"\nsix estimators × {num:,} episodes, everything: critic, episodes, Ψ, gradients\n")
    print("| mean length | CPU s |")
    print("|---|---|")
    for policy in policies():
        length = policy.play(256, part=99).lengths.mean()
        seconds = cpu(lambda policy=policy: [None for _ in policy.gradients(num)])
        print(f"| {length:.0f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
