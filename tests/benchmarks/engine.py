"""How fast the engine is, beside what a learner would otherwise run. All of it in one table:

    python -m tests.benchmarks.engine [--quick] [--race]

The machine's own speed drifts while this runs, so contenders take turns and ratios are of their
minima or medians in this one run. CPU seconds stand beside wall seconds: where they differ,
others used the machine.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from unittest.mock import patch

import gymnasium
import numpy as np
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.vector import AutoresetMode

from pgviz.networks import MLP
from pgviz.training import presets, train
from pgviz.training.agent import Agent
from pgviz.training.rollout import collect_episodes
from pgviz.worlds.cartpole import MAX_EPISODE_STEPS, OBS_SCALE, CartPoleEnsemble

SEEDS, ENVS = 16, 16
MICRO = 1e6
REINFORCE = presets["reinforce"]


@dataclass
class Stopwatch:
    """Wall and CPU seconds of every turn of one contender."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def __enter__(self) -> None:
        self._start = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._start
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)


def take_turns(turns: int, *contenders: Callable[[], object]) -> list[Stopwatch]:
    watches = [Stopwatch() for _ in contenders]
    for _ in range(turns):
        for contender, watch in zip(contenders, watches, strict=True):
            with watch:
                contender()
    return watches


def balancing_theta(policy: MLP, num_seeds: int) -> np.ndarray:
    """Policies that never drop the pole: σ of a stiff linear feedback, in every hidden unit."""
    theta = np.zeros((num_seeds, policy.num_parameters), np.float32)
    first, last, _ = policy.layers(theta)
    feedback = np.array([0.02, 0.05, 1, 0.4]) / policy.obs_scale
    first[:, :-1] = 15 * feedback[:, None]
    last[:] = 30 / policy.hidden
    return theta


# ── Rollouts ─────────────────────────────────────────────────────────────────────────────────


def our_rollout() -> Callable[[], None]:
    policy = MLP(OBS_SCALE)
    theta = balancing_theta(policy, SEEDS)
    env = CartPoleEnsemble(SEEDS * ENVS, SEEDS, autoreset_mode=AutoresetMode.DISABLED)
    streams = [np.random.default_rng(k) for k in range(SEEDS)]

    def run() -> None:
        rollout = collect_episodes(env, Agent(policy), theta, streams)
        assert rollout.mask.all(), "every pole stays up, or the steps are not comparable"

    return run


def usual_rollout() -> Callable[[], None]:
    """The same networks at the same size, of the parts in every tutorial."""
    policy = MLP(OBS_SCALE)
    layers = policy.layers(balancing_theta(policy, SEEDS))
    w_1, w_2, b_2 = (torch.from_numpy(layer) for layer in layers)
    scale = torch.tensor(policy.obs_scale)
    env = CartPoleVectorEnv(SEEDS * ENVS)

    @torch.no_grad()
    def run() -> None:
        obs, _ = env.reset(seed=0)
        for _ in range(MAX_EPISODE_STEPS):
            features = torch.from_numpy(obs).view(SEEDS, ENVS, 4) * scale
            hidden = torch.tanh(torch.baddbmm(w_1[:, -1:], features, w_1[:, :-1]))
            logits = torch.baddbmm(b_2, hidden, w_2)[..., 0]
            actions = torch.distributions.Bernoulli(logits=logits).sample()
            obs, _, _, _, _ = env.step(actions.numpy().ravel().astype(np.int64))

    return run


# ── Updates ──────────────────────────────────────────────────────────────────────────────────


def full_length_updates(num_seeds: int, num_updates: int = 2) -> Callable[[], None]:
    """Training that stays where every episode lasts 500 steps."""
    config = REINFORCE.replace(num_seeds=num_seeds, num_updates=num_updates, learning_rate=0.0)

    def balancing(policy: MLP, births: list, last_scale: float) -> np.ndarray:
        return balancing_theta(policy, len(births))

    def run() -> None:
        with patch.object(MLP, "initial_theta", balancing):
            last = list(train(config))[-1]
        assert (last.metrics["episode_return"] == MAX_EPISODE_STEPS).all()

    return run


# ── Until solved ─────────────────────────────────────────────────────────────────────────────


@dataclass
class Race:
    """Ensembles of 16 seeds of one method, each until its last seed is solved."""

    method: str
    watch: Stopwatch = field(default_factory=Stopwatch)
    solved: list[int] = field(default_factory=list)
    env_steps: list[float] = field(default_factory=list)  # of a seed, on average
    updates: list[int] = field(default_factory=list)

    def run(self, rng_seed: int) -> None:
        config = presets[self.method].replace(rng_seed=rng_seed, stop_when_solved=True)
        with self.watch:
            *_, last = train(config)
        self.solved.append(int(last.metrics["solved"].sum()))
        self.env_steps.append(float(last.metrics["env_steps"].mean()))
        self.updates.append(last.index + 1)

    def row(self, reference: "Race") -> str:
        wall, cpu = self.watch.wall, self.watch.cpu
        return (
            f"{self.method:<14}{sum(self.solved):>4}/{SEEDS * len(self.solved)}"
            f"{median(wall):>9.2f}{max(wall):>8.2f}{median(cpu):>9.2f}{max(cpu):>8.2f}"
            f"{median(cpu) / median(reference.watch.cpu):>9.2f}"
            f"{np.mean(self.env_steps) / 1e3:>9.0f}k"
            f"{min(self.updates):>8} – {max(self.updates)}"
        )


def race(num_ensembles: int, *methods: str) -> list[str]:
    """Every method until its last seed is solved; they take turns."""
    races = [Race(method) for method in methods]
    for k in range(num_ensembles):
        for contender in races:
            contender.run(rng_seed=1000 + k)
    head = "method         solved  wall s   worst    CPU s   worst  × first  steps a seed  updates"
    return [head, *(contender.row(races[0]) for contender in races)]


def textbook_reinforce(batch_steps: int = 5_000) -> Iterator[tuple[bool, int]]:
    """REINFORCE as first written from a lesson: one environment, torch's own modules.

    Yields (solved, env steps) after every episode.
    """
    torch.manual_seed(0)
    env = gymnasium.make("CartPole-v1")
    network = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    env_steps, last_returns = 0, []
    obs, _ = env.reset(seed=0)
    while True:
        observations, actions, weights = [], [], []
        while len(observations) < batch_steps:
            rewards, over = [], False
            while not over:
                logits = network(torch.as_tensor(obs, dtype=torch.float32))
                action = torch.distributions.Categorical(logits=logits).sample().item()
                observations.append(obs.copy())
                actions.append(action)
                obs, reward, terminated, truncated, _ = env.step(action)
                rewards.append(reward)
                over = terminated or truncated
            obs, _ = env.reset()
            to_go = 0.0
            returns = []
            for reward in reversed(rewards):
                to_go += reward
                returns.append(to_go)
            weights += reversed(returns)
            env_steps += len(rewards)
            last_returns = [*last_returns, sum(rewards)][-100:]
            yield len(last_returns) == 100 and np.mean(last_returns) >= 475, env_steps
        optimizer.zero_grad()
        distribution = torch.distributions.Categorical(
            logits=network(torch.as_tensor(np.array(observations), dtype=torch.float32))
        )
        log_probs = distribution.log_prob(torch.as_tensor(actions))
        (-(torch.as_tensor(weights, dtype=torch.float32) * log_probs).mean()).backward()
        optimizer.step()


def until_solved(num_ensembles: int, cap: float) -> list[tuple[str, str, str]]:
    """Ensembles and one textbook run take turns; each pays for its own seconds only."""
    ours, theirs = Race("reinforce"), Stopwatch()
    training = textbook_reinforce()
    solved, steps = next(training)  # its imports are not on its bill

    def textbook(seconds: float) -> None:
        nonlocal solved, steps
        stop = time.perf_counter() + seconds
        with theirs:
            while not solved and time.perf_counter() < stop:
                solved, steps = next(training)

    for k in range(num_ensembles):
        ours.run(rng_seed=1000 + k)
        textbook(cap / num_ensembles)
    watch, count, env_steps = ours.watch, sum(ours.solved), np.mean(ours.env_steps)
    typical, taken = median(watch.wall), sum(theirs.wall)
    return [
        (
            f"{num_ensembles} × 16 seeds until the last is solved, median (worst)",
            f"{typical:.2f} s ({max(watch.wall):.2f} s)",
            f"CPU {median(watch.cpu):.2f} s ({max(watch.cpu):.2f} s)",
        ),
        ("  seeds solved", f"{count}/{SEEDS * num_ensembles}", f"all {SEEDS * num_ensembles}"),
        ("  environment steps a seed", f"{env_steps:,.0f}", ""),
        (
            "  a textbook REINFORCE, ONE seed" + ("" if solved else ", NOT solved when stopped"),
            f"{taken:.1f} s",
            f"CPU {sum(theirs.cpu):.1f} s, {steps:,} steps",
        ),
        (
            "  textbook, one seed / ours, sixteen",
            ("" if solved else "> ") + f"{taken / typical:.1f}",
            f"at least 15; CPU {sum(theirs.cpu) / median(watch.cpu):.1f}",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="half a minute instead of two")
    parser.add_argument("--race", action="store_true", help="only the methods beside each other")
    arguments = parser.parse_args()
    quick = arguments.quick
    torch.set_num_threads(1)
    list(train(REINFORCE.replace(num_seeds=1, num_updates=1)))  # libraries load on nobody's bill

    methods = ("reinforce", "baseline", "actor-critic", "gae")
    print(*race(2 if quick else 8, *methods), sep="\n")
    if arguments.race:
        return
    rollout, usual = take_turns(10 if quick else 50, our_rollout(), usual_rollout())
    sixteen, one = take_turns(
        5 if quick else 20, full_length_updates(SEEDS), full_length_updates(1)
    )
    step, usual_step = (min(w.wall) / MAX_EPISODE_STEPS * MICRO for w in (rollout, usual))
    middle = median(rollout.wall) / MAX_EPISODE_STEPS * MICRO
    rows = [
        (
            "one step of 256 environments, all alive: fastest (median)",
            f"{step:.0f} µs ({middle:.0f})",
            "at most 60 µs",
        ),
        ("  Gymnasium's + torch + torch.distributions", f"{usual_step:.0f} µs", ""),
        ("  theirs / ours", f"{usual_step / step:.1f}", ""),
        ("an update of 16 seeds, 500-step episodes", f"{min(sixteen.wall) / 2 * 1e3:.0f} ms", ""),
        ("  an update of one seed", f"{min(one.wall) / 2 * 1e3:.0f} ms", ""),
        ("  16 seeds / one seed", f"{min(sixteen.wall) / min(one.wall):.2f}", "at most 3.5"),
        *until_solved(2 if quick else 8, cap=20 if quick else 90),
    ]
    for what, measured, limit in [("", "measured", "limit, or beside it"), *rows]:
        print(f"{what:<64}{measured:>18}   {limit}")


if __name__ == "__main__":
    main()
