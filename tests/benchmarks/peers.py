"""How soon pgviz and its peers solve CartPole-v1, and at what cost. All in one interleaved run:

    python -m tests.benchmarks.peers [--quick] [--markdown | --json]

Stable-Baselines3 is an extra. One command installs it, and leaves torch, Gymnasium and NumPy as
they are:

    .venv/bin/pip install -r tests/benchmarks/peers.txt

Solved is one rule for all: the last 100 finished TRAINING episodes, of the stochastic policy,
return 475 on average. A peer stops at the very step at which this holds, pgviz after the update in
which it does. Whoever has not solved it after 1,000,000 steps of a seed is stopped there.

pgviz trains 16 seeds side by side unless told otherwise. One seed is what its peers do, and stands
beside them; the 16 are trained until the last of them has solved it.

Every run is a process of its own with one thread. Training is from the finished imports to the last
solved seed, environments and networks included; the process is from its start to its end, Python
included. A median is over all runs: those not solved stand behind the others, with > before what
they had spent when they were stopped. Contenders take turns: quote numbers of one run of this
command.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# The system counts the memory of whoever starts a process as that process's own first peak: this
# one must stay small, so torch and the contenders are imported where they run.

SOLVED_RETURN, SOLVED_EPISODES = 475.0, 100
MISSING = (
    "Stable-Baselines3 is not installed; this installs it: "
    ".venv/bin/pip install -r tests/benchmarks/peers.txt"
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class LastReturns:
    """The returns of the last 100 finished episodes."""

    def __init__(self) -> None:
        self._returns: deque[float] = deque(maxlen=SOLVED_EPISODES)

    def add(self, returns: float) -> None:
        self._returns.append(returns)

    @property
    def solved(self) -> bool:
        enough = len(self._returns) == SOLVED_EPISODES
        return enough and statistics.fmean(self._returns) >= SOLVED_RETURN


@dataclass(frozen=True)
class Learned:
    """What became of each seed of a run."""

    solved: list[bool]
    env_steps: list[int]


Learn = Callable[[int, int], Learned]  # (seed, the steps after which to stop)


# ── The contenders: each imports what it needs, and returns how it learns ────────────────────


def import_the_rest_of_torch() -> None:
    """The first of torch's optimizers imports hundreds of modules: they are no part of training."""
    import torch

    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])


def preset(method: str, num_seeds: int) -> Learn:
    """A preset of pgviz as it is. Only how long it may train is set, the same for all."""
    from pgviz import presets, train

    def learn(seed: int, max_env_steps: int) -> Learned:
        config = presets[method].replace(
            num_seeds=num_seeds,
            rng_seed=seed,
            num_updates=100_000,
            max_env_steps=max_env_steps,
            stop_when_solved=True,
        )
        for update in train(config):
            last = update.metrics
        return Learned((last["solved"] == 1).tolist(), last["env_steps"].astype(int).tolist())

    return learn


def stable_baselines(name: str) -> Learn:
    """A2C or PPO of Stable-Baselines3 with the numbers of its zoo for CartPole-v1.

    Source: DLR-RM/rl-baselines3-zoo, hyperparams/a2c.yml and ppo.yml, version 2.9.0a2, commit
    22e3ff2; what they leave open is Stable-Baselines3's default, there as here.
    """
    from stable_baselines3 import A2C, PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.utils import LinearSchedule

    import_the_rest_of_torch()

    class StopWhenSolved(BaseCallback):
        def __init__(self) -> None:
            super().__init__()
            self.last = LastReturns()

        def _on_step(self) -> bool:
            if not self.locals["dones"].any():
                return True
            for info in self.locals["infos"]:
                if "episode" in info:
                    self.last.add(info["episode"]["r"])
            return not self.last.solved

    def learn(seed: int, max_env_steps: int) -> Learned:
        env = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
        common: dict[str, Any] = {"env": env, "ent_coef": 0.0, "seed": seed, "device": "cpu"}
        model: A2C | PPO
        if name == "A2C":
            model = A2C("MlpPolicy", **common)
        else:
            # lin_0.001 and lin_0.2: to 0 at the zoo's 100,000 steps. Whoever has not solved it by
            # then plays on as it is, and may still have 100 good episodes.
            end = 1e5 / max_env_steps
            model = PPO(
                "MlpPolicy",
                n_steps=32,
                batch_size=256,
                gae_lambda=0.8,
                gamma=0.98,
                n_epochs=20,
                learning_rate=LinearSchedule(0.001, 0.0, end),
                clip_range=LinearSchedule(0.2, 0.0, end),
                **common,
            )
        stop = StopWhenSolved()
        model.learn(max_env_steps, callback=stop)
        return Learned([stop.last.solved], [model.num_timesteps])

    return learn


def textbook() -> Learn:
    """REINFORCE as lessons have it: an update after every episode, its returns standardised.

    Its numbers (16 ReLU units, γ = 1, Adam with .01) are those for CartPole-v1 of the Deep RL
    Course, huggingface/deep-rl-class, units/en/unit4/hands-on.mdx.
    """
    import gymnasium
    import torch

    import_the_rest_of_torch()

    def learn(seed: int, max_env_steps: int) -> Learned:
        torch.manual_seed(seed)
        env = gymnasium.make("CartPole-v1")
        env.reset(seed=seed)
        policy = torch.nn.Sequential(
            torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2)
        )
        optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
        last, env_steps = LastReturns(), 0
        while env_steps < max_env_steps:
            obs, _ = env.reset()
            log_probs, rewards, over = [], [], False
            while not over:
                pi = torch.distributions.Categorical(logits=policy(torch.as_tensor(obs)))
                action = pi.sample()
                log_probs.append(pi.log_prob(action))
                obs, reward, terminated, truncated, _ = env.step(action.item())
                rewards.append(float(reward))
                over = terminated or truncated
            env_steps += len(rewards)
            last.add(sum(rewards))
            if last.solved:
                break
            to_go = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
            to_go = (to_go - to_go.mean()) / (to_go.std() + 1e-7)
            optimizer.zero_grad()
            (-(to_go * torch.stack(log_probs)).sum()).backward()
            optimizer.step()
        return Learned([last.solved], [env_steps])

    return learn


METHODS = ("reinforce", "actor-critic", "gae", "ppo")
CONTENDERS: dict[str, Callable[[], Learn]] = {
    **{f"pgviz {method}, one seed": partial(preset, method, 1) for method in METHODS},
    "Stable-Baselines3 A2C": partial(stable_baselines, "A2C"),
    "Stable-Baselines3 PPO": partial(stable_baselines, "PPO"),
    "textbook REINFORCE": textbook,
    **{f"pgviz {method}, 16 seeds": partial(preset, method, 16) for method in METHODS},
}


# ── One run, in a process of its own ─────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Run:
    """A contender with one random seed: what became of its seeds, and what it cost."""

    contender: str
    seed: int
    learned: Learned
    training_wall_s: float
    training_cpu_s: float
    process_wall_s: float
    process_cpu_s: float
    import_s: float
    peak_mb: float

    @property
    def solved(self) -> bool:
        """Whether all its seeds are solved."""
        return all(self.learned.solved)

    @property
    def env_steps_of_a_seed(self) -> float:
        return statistics.fmean(self.learned.env_steps)


def run_here(contender: str, seed: int, max_env_steps: int) -> dict[str, Any]:
    """What only the process itself can tell. No steps: it imports, no more."""
    started = time.perf_counter()
    learn = CONTENDERS[contender]()
    told: dict[str, Any] = {"import_s": time.perf_counter() - started}
    if max_env_steps:
        import torch

        torch.set_num_threads(1)
        wall, cpu = time.perf_counter(), time.process_time()
        learned = learn(seed, max_env_steps)
        told["training_wall_s"] = time.perf_counter() - wall
        told["training_cpu_s"] = time.process_time() - cpu
        told["learned"] = asdict(learned)
    return told


def in_a_process(contender: str, seed: int, max_env_steps: int) -> tuple[dict[str, Any], ...]:
    """What a new process tells of itself, and what the system tells of it when it has ended."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.benchmarks.peers"),
            *("--here", contender, str(seed), str(max_env_steps)),
        ],
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{contender}, seed {seed}, ended with status {process.returncode}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return json.loads(printed.splitlines()[-1]), {
        "process_wall_s": wall,
        "process_cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": kilobytes / 1024,
    }


def measure(contender: str, seed: int, max_env_steps: int) -> Run:
    told, seen = in_a_process(contender, seed, max_env_steps)
    learned = Learned(**told.pop("learned"))
    return Run(contender, seed, learned, **told, **seen)


def take_turns(num_seeds: int, max_env_steps: int) -> list[Run]:
    """All contenders with the first seed, then all with the next; said on stderr as they end."""
    for contender in CONTENDERS:  # libraries are read from disk on nobody's bill
        in_a_process(contender, 0, 0)
    runs = []
    for seed in range(num_seeds):
        for contender in CONTENDERS:
            run = measure(contender, seed, max_env_steps)
            said = "solved" if run.solved else "NOT solved"
            print(f"seed {seed}: {contender}: {said}, {run.process_wall_s:.1f} s", file=sys.stderr)
            runs.append(run)
    return runs


# ── Many runs ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Amount:
    """A number of a run, or of several; at_least where a run was stopped before it was solved."""

    value: float
    at_least: bool = False

    def written(self, digits: int) -> str:
        return f"{'> ' if self.at_least else ''}{self.value:,.{digits}f}"


@dataclass(frozen=True)
class Spread:
    """Median and range of several runs."""

    median: Amount
    low: Amount
    high: Amount

    def written(self, digits: int) -> str:
        middle, low, high = (x.written(digits) for x in (self.median, self.low, self.high))
        return middle if low == high else f"{middle} ({low} – {high})"


def spread(amounts: Iterable[Amount]) -> Spread:
    """A run that was stopped would have taken longer: it stands behind all that were solved."""
    ordered = sorted(amounts, key=lambda x: (x.at_least, x.value))
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    median = Amount((lower.value + upper.value) / 2, upper.at_least)
    return Spread(median, ordered[0], ordered[-1])


@dataclass(frozen=True)
class Column:
    name: str
    head: str
    digits: int
    until_solved: bool  # what a run that was stopped has spent is not what it needed


COLUMNS = (
    Column("env_steps_of_a_seed", "env steps of a seed", 0, True),
    Column("training_wall_s", "training, wall s", 2, True),
    Column("training_cpu_s", "training, CPU s", 2, True),
    Column("process_wall_s", "process, wall s", 2, True),
    Column("process_cpu_s", "process, CPU s", 2, True),
    Column("import_s", "imports, s", 2, False),
    Column("peak_mb", "peak memory, MB", 0, False),
)


def solved_seeds(runs: Sequence[Run]) -> str:
    solved = [seed for run in runs for seed in run.learned.solved]
    if all(solved):
        return f"{len(solved)} of {len(solved)}"
    return f"NOT in {len(solved) - sum(solved)} of {len(solved)}"


def spreads(runs: Sequence[Run]) -> dict[str, Spread]:
    """Every column over the runs of one contender."""
    return {
        column.name: spread(
            Amount(getattr(run, column.name), column.until_solved and not run.solved)
            for run in runs
        )
        for column in COLUMNS
    }


def by_contender(runs: Iterable[Run]) -> dict[str, list[Run]]:
    grouped: dict[str, list[Run]] = {}
    for run in runs:
        grouped.setdefault(run.contender, []).append(run)
    return grouped


def rows(runs: Iterable[Run]) -> list[list[str]]:
    """The head, and a row of each contender."""
    told = [["", "seeds solved", *(column.head for column in COLUMNS)]]
    for contender, its_runs in by_contender(runs).items():
        found = spreads(its_runs)
        cells = (found[column.name].written(column.digits) for column in COLUMNS)
        told.append([contender, solved_seeds(its_runs), *cells])
    return told


def plain(table: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}"
        + "".join(f"   {x:>{width}}" for x, width in zip(row[1:], widths[1:], strict=True))
        for row in table
    )


def markdown(table: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in table)
    return "\n".join([head, "|---|" + "---:|" * (len(table[0]) - 1), *body])


def machine() -> dict[str, Any]:
    """What the numbers were measured on: no paths, no names of hosts."""
    packages = ("torch", "numpy", "gymnasium", "stable-baselines3")
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"Python": platform.python_version()} | {x: version(x) for x in packages},
    }


def cpu_model() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or "CPU of an unknown model"


def sentences(num_seeds: int, max_env_steps: int) -> str:
    """How to read the table, and the line with the machine."""
    told = machine()
    what = "one run" if num_seeds == 1 else f"median (range) of {num_seeds} runs"
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    return (
        f"CartPole-v1, {what}, one thread each; solved: the last {SOLVED_EPISODES} training"
        f" episodes return {SOLVED_RETURN:.0f} on average; stopped after {max_env_steps:,} steps of"
        " a seed.\n"
        f"Machine: {told['cpu']}, {told['cores']} cores, {told['system']}; {versions}."
    )


def document(runs: Sequence[Run], max_env_steps: int) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "world": "CartPole-v1",
        "solved": {"mean_return": SOLVED_RETURN, "last_training_episodes": SOLVED_EPISODES},
        "max_env_steps": max_env_steps,
        "threads": 1,
        "machine": machine(),
        "summary": {
            contender: {
                "seeds": sum(len(run.learned.solved) for run in its_runs),
                "seeds_solved": sum(sum(run.learned.solved) for run in its_runs),
                **{name: asdict(found) for name, found in spreads(its_runs).items()},
            }
            for contender, its_runs in by_contender(runs).items()
        },
        "runs": [asdict(run) for run in runs],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one random seed each instead of five")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="the table for the README")
    form.add_argument("--json", action="store_true", help="everything, for machines")
    parser.add_argument("--max-env-steps", type=int, default=1_000_000, metavar="STEPS")
    parser.add_argument("--here", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.here:
        contender, seed, steps = options.here
        print(json.dumps(run_here(contender, int(seed), int(steps))))
        return
    if options.max_env_steps < 1:
        parser.error("--max-env-steps must be 1 or more")
    if find_spec("stable_baselines3") is None:
        print(MISSING, file=sys.stderr)
        raise SystemExit(2)
    num_seeds = 1 if options.quick else 5
    runs = take_turns(num_seeds, options.max_env_steps)
    if options.json:
        print(json.dumps(document(runs, options.max_env_steps), indent=2))
        return
    print((markdown if options.markdown else plain)(rows(runs)))
    print("\n" + sentences(num_seeds, options.max_env_steps))


if __name__ == "__main__":
    main()
