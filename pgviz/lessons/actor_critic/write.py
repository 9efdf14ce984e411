"""Write an actor-critic: the file of pgviz.from_scratch at λ = 0, with four gaps."""

import re

from pgviz.figures import plural
from pgviz.from_scratch import actor_critic
from pgviz.ui.exercise import exercise
from pgviz.ui.listing import source_of
from pgviz.ui.screen import Screen

# What a line of the solution holds, and the hint in its place.
HINTS = {
    "next_values = critic(seen_next)": "V̂(s′); and after a fall?",
    "td_errors = ": "δ, a fixed number",
    "loss = -(": "the actor's loss",
    "critic_loss = ": "the critic's loss",
}


def draw(screen: Screen) -> None:
    screen.words(
        "An actor-critic in one file, with Gymnasium and torch. Fill in the four gaps and run"
        " it: within a minute the return should reach 475. If it stays near 9, look at the sign of"
        " the actor's loss. If torch refuses to go backward a second time, δ is not detached: then"
        " the first backward goes through the critic, too."
    )
    source = solution()
    exercise(screen, "actor_critic", source, HINTS, start="# [T, N]")
    screen.says(f"{plural(len(HINTS), 'gap')} in {plural(len(source.splitlines()), 'line')}.")


def solution() -> str:
    """The file at λ = 0, where Â is δ: what only GAE needs is left out."""
    source = source_of(actor_critic)
    body = source.split('"""\n\n', 1)[1]
    body = re.sub(r"def gae\(.*?\n\n\n", "", body, flags=re.DOTALL)
    for old, new in CHANGES:
        if body.count(old) != 1:
            raise ValueError(f"{old!r} stands {body.count(old)} times in the file from scratch")
        body = body.replace(old, new)
    return f"{HEAD}{body}"


HEAD = '''"""The actor-critic solves CartPole-v1. Run it: python actor_critic.py

δ_t = r_t + γ V̂(s_{t+1}) − V̂(s_t),   ĝ = (1/N) Σ_windows Σ_t δ_t ∇θ log π(a_t|s_t)

A window is T steps of one environment.
"""

'''
CHANGES = (
    ("    gae_lambda: float = 0.0,\n    gamma", "    gamma"),
    ("        advantages = gae(td_errors, ended, gamma * gae_lambda)\n", ""),
    (
        "targets = advantages + values.detach()  # what the critic should have said",
        "targets = td_errors + values.detach()  # y",
    ),
    (
        "        seen, acted, paid_now, seen_next, fell, ended, real = window\n",
        "        # [T, N]: T steps of N environments; real is False at a reset\n"
        "        seen, acted, paid_now, seen_next, fell, _, real = window\n",
    ),
    (
        "  # a fall is worth 0; a time limit is no fall, so V̂ counts there",
        "  # a time limit is no fall: V̂ counts there",
    ),
    ("-(advantages * log_probs)", "-(td_errors * log_probs)"),
    ("def main(seed: int = 0, gae_lambda: float = 0.0, max", "def main(seed: int = 0, max"),
    (
        "actor_critic(envs, policy, critic, gae_lambda, seed=seed)",
        "actor_critic(envs, policy, critic, seed=seed)",
    ),
    ('    parser.add_argument("--gae-lambda", type=float, default=0.0)\n', ""),
    (
        '    if not 0 <= options.gae_lambda <= 1:\n        parser.error("--gae-lambda must lie in [0, 1]")\n',
        "",
    ),
    ("main(options.seed, options.gae_lambda)", "main(options.seed)"),
    ("from torch import Tensor\n", ""),
)
