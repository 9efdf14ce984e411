"""The race: every method on common seeds, and what Ψ is in each of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pgviz.measure.solving import interval, paired_difference, steps_to_solved, within
from pgviz.runs.recording import Recording
from pgviz.training.config import Config, preset
from pgviz.training.methods import irrelevant, methods

BUDGET = 300_000  # environment steps of a seed on CartPole
BUDGETS = {"CartPole-v1": BUDGET, "Acrobot-v1": 600_000}
RACERS = tuple(name for name, m in methods.items() if m.update == "gradient_step")


def configs(names: Sequence[str] = RACERS, world: str = "CartPole-v1") -> list[Config]:
    """Every method at its preset, on the same sixteen seeds, until solved or out of steps."""
    usual = [preset(method, world) for method in names]
    return [
        config.replace(
            stop_when_solved=True,
            max_env_steps=BUDGETS[world],
            num_updates=config.num_updates if config.num_steps else max(config.num_updates, 200),
        )
        for config in usual
    ]


SETTINGS = {
    "gamma": "γ",
    "learning_rate": "learning rate",
    "num_envs": "environments",
    "num_steps": "steps of a window",
    "hidden": "hidden units",
    "critic_learning_rate": "critic's learning rate",
    "critic_steps": "critic's steps",
    "minibatch_size": "critic's minibatch",
    "gae_lambda": "λ",
}


def settings(names: Sequence[str], world: str = "CartPole-v1") -> pd.DataFrame:
    """One row per method: the settings in which the presets of these methods differ."""
    rows = [{"method": label(method)} | _settings(preset(method, world)) for method in names]
    table = pd.DataFrame(rows)
    return table[[name for name in table if table[name].nunique() > 1]]


def _settings(config: Config) -> dict[str, str]:
    """Every setting in words; a dash where it means nothing."""
    said = {name: f"{getattr(config, name):g}" for name in SETTINGS}
    if not config.num_steps:
        said["num_steps"] = "whole episodes"
    if not config.minibatch_size:
        said["minibatch_size"] = "all"
    said |= {name: "–" for name in irrelevant(config.method) if name in SETTINGS}
    return {SETTINGS[name]: value for name, value in said.items()}


def beyond_psi(method: str, world: str = "CartPole-v1") -> str:
    """What else is different from REINFORCE where this method runs; nothing if nothing is."""
    config, plain = preset(method, world), preset("reinforce", world)
    mine, its = _settings(config), _settings(plain)
    others = [name for name in mine if its[name] not in ("–", mine[name])]
    if not others:
        return ""
    text = (
        "Where it runs here, more is different from REINFORCE than Ψ: "
        + ", ".join(f"{name} {mine[name]} (not {its[name]})" for name in others)
        + "."
    )
    if config.num_steps:
        text += " N counts windows, not episodes."
    if config.gamma < 1 and config.drop_gamma_t:
        text += " And γᵗ, which the theorem asks for when γ < 1, is left out, as most code does."
    return text


def label(method: str) -> str:
    """The name of a method on a chart."""
    return methods[method].label


def results(found: dict[str, Recording], unfinished: Sequence[str] = ()) -> pd.DataFrame:
    """One row per method: seeds solved, seconds of training, steps until solved and their interval."""
    rows = []
    for method, recording in found.items():
        steps = steps_to_solved(recording)
        solved = ~np.isnan(steps)
        middle, low, high = interval(within(steps, BUDGETS[recording.config.world]))
        ended = method not in unfinished
        rows.append(
            {
                "method": label(method),
                "solved": f"{int(solved.sum())} of {len(steps)}",
                "steps until solved": f"{middle:,.0f}" if ended else "…",
                "95 % interval": f"{low:,.0f} – {high:,.0f}" if ended else "…",
                "last seed": (f"{steps.max():,.0f}" if solved.all() else "not all")
                if ended
                else "…",
                "seconds": f"{recording.elapsed_s():.1f}",
            }
        )
    return pd.DataFrame(rows)


def in_words(found: dict[str, Recording]) -> str:
    """Who was first, in steps and in seconds, who cannot be told apart from it, who never arrived."""
    steps = {method: steps_to_solved(recording) for method, recording in found.items()}
    spent = {method: within(x, BUDGET) for method, x in steps.items()}
    middle = {method: interval(x)[0] for method, x in spent.items()}
    first, *others = sorted(middle, key=lambda method: middle[method])
    text = (
        f"Fewest steps: {label(first)}, {middle[first]:,.0f} per learner (mean of the middle half)."
    )
    same = [label(m) for m in others if paired_difference(spent[m], spent[first])[1] <= 0]
    if same:
        text += f" Learner by learner it cannot be told apart from: {', '.join(same)}."
    whole = {m: found[m].elapsed_s() for m, x in steps.items() if not np.isnan(x).any()}
    if whole:
        fastest = min(whole, key=lambda method: whole[method])
        text += (
            f" Of the methods whose learners all solved it, first on the clock: {label(fastest)},"
            f" {whole[fastest]:.1f} s of training."
        )
    failed = [label(m) for m, x in steps.items() if np.isnan(x).any()]
    return text + (f" Not every learner solved it: {', '.join(failed)}." if failed else "")
