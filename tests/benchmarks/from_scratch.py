"""Every file written from scratch, copied into an empty folder and run there, one after the other.

python -m tests.benchmarks.from_scratch [number of seeds]

Prints a line per method and seed: wall seconds and processor seconds (Python's start included),
environment steps and the mean return of the last 100 episodes. Solved is a mean of 475.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pgviz import from_scratch

METHODS = {
    "REINFORCE": ["reinforce.py"],
    "with a value baseline": ["baseline.py"],
    "actor-critic, λ = 0": ["actor_critic.py", "--gae-lambda", "0"],
    "GAE, λ = .95": ["actor_critic.py", "--gae-lambda", "0.95"],
    "PPO": ["ppo.py"],
}
TOLD = re.compile(r"([\d,]+) steps: last 100 episodes returned ([\d.]+)")


def measure(arguments: list[str], seed: int) -> tuple[float, float, str, str, bool]:
    """Wall seconds, processor seconds, steps, return, and whether it says that it has solved."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(from_scratch.__file__).parent / arguments[0], folder)
        before, started = os.times(), time.perf_counter()
        printed = subprocess.run(
            [sys.executable, *arguments, "--seed", str(seed)],
            cwd=folder,
            env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        wall, after = time.perf_counter() - started, os.times()
    *_, (steps, mean) = TOLD.findall(printed)
    spent = after.children_user - before.children_user
    spent += after.children_system - before.children_system
    return wall, spent, steps, mean, f"seed {seed}: solved" in printed


def main(num_seeds: int = 5) -> None:
    """The table, a row as soon as it is known."""
    print("| file | method | seed | wall s | processor s | env steps | return | solved |")
    print("|---|---|---|---|---|---|---|---|")
    for method, arguments in METHODS.items():
        for seed in range(num_seeds):
            wall, spent, steps, mean, solved = measure(arguments, seed)
            row = (arguments[0], method, seed, f"{wall:.1f}", f"{spent:.1f}", steps, mean, solved)
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
