"""The answer of `python -m pgviz moments`: what is exact, and the same measured by sampling."""

import math
import textwrap
from dataclasses import replace
from typing import Any

import numpy as np

from pgviz.estimators import discount_factors, reward_to_go
from pgviz.exact.baselines import best_constant_baseline
from pgviz.exact.direction import cosine, episodes_for_cosine, signal_to_noise
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import moments
from pgviz.exact.trust import weight_on_last_value
from pgviz.exact.values import gradient, objective, settled
from pgviz.figures import with_minus
from pgviz.sampled.episodes import (
    Choices,
    gradient_estimates,
    require_an_end_for,
    sample_in_parts,
    weights,
)
from pgviz.sampled.statistics import (
    Estimate,
    gradient_statistics,
    mean_estimate,
    ratio_of_means,
    too_few_choices,
)
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError, quoted

# Three gradients per episode are held at once; this is about half a gigabyte.
MAX_GRADIENT_NUMBERS = 20_000_000

NUMBERS = ("objective", "bias_squared", "covariance_trace", "best_constant_baseline")
MEASURED_KEYS = (
    "objective",
    "gradient",
    "mean",
    "bias_squared",
    "covariance_trace",
    "best_constant_baseline",
    "cosine",
    "signal_to_noise",
    "wrong_sign",
)


def estimator_from_flags(
    world: TabularMDP,
    name: str,
    baseline: float,
    values: str | None,
    values_scale: float | None,
    gae_lambda: float | None,
    drop_gamma_t: bool,
    window: int | None = None,
    time_limit: int | None = None,
) -> GradientEstimator:
    """The estimator that the flags describe; td and gae believe the true V unless told otherwise."""
    if name == "gae" and gae_lambda is None:
        gae_lambda = 0.95
    believes = name in ("td", "gae")
    if values is None and believes:
        values = "true"
    if values is None and values_scale is not None:
        raise WorldError("--values-scale scales the critic, so it needs --values")
    critic = None
    if values is not None:
        critic = true_values(world) if values.strip() == "true" else _listed(values)
        with np.errstate(over="ignore", invalid="ignore"):  # what is too large has its sentence
            critic = critic * (1.0 if values_scale is None else values_scale)
    estimator = GradientEstimator(
        name, baseline, critic, gae_lambda, drop_gamma_t, window, time_limit
    )
    estimator.values_in(world)
    return estimator


def moments_report(
    world: TabularMDP,
    estimator: GradientEstimator,
    num_episodes: int | None = None,
    rng_seed: int = 0,
) -> dict[str, Any]:
    """Everything about one estimator in one world, as numbers, lists and None (never NaN).

    `notes` says why a number is missing and what a setting did not do.
    """
    require_an_end_for(world, estimator)
    true_gradient = gradient(world)
    exact = moments(world, estimator)
    report: dict[str, Any] = {
        "world": world.name,
        "estimator": estimator.name,
        "gamma": world.gamma,
        "horizon": world.horizon,
        "settings": {
            "baseline": estimator.baseline,
            "values": None if estimator.values is None else estimator.values,
            "gae_lambda": estimator.gae_lambda,
            "drop_gamma_t": estimator.drop_gamma_t,
            "window": estimator.window,
            "time_limit": estimator.time_limit,
        },
        "objective": objective(world),
        "gradient": true_gradient,
        "mean": exact.mean,
        "bias_squared": exact.bias_squared(true_gradient),
        "covariance_trace": exact.covariance_trace,
        "best_constant_baseline": best_constant_baseline(world, estimator),
        "cosine": cosine(exact.mean, true_gradient),
        "signal_to_noise": signal_to_noise(exact.mean, exact.covariance_trace),
        "episodes_for_cosine": episodes_for_cosine(
            exact.mean, exact.covariance_trace, true_gradient
        ),
    }
    notes = _notes(world, estimator, report)
    if num_episodes is not None:
        report["measured"], doubts = _measured(
            world, estimator, true_gradient, num_episodes, rng_seed
        )
        if report["measured"]["num_cut"]:
            notes.append(
                f"{report['measured']['num_cut']} sampled episodes were cut by the step cap, "
                "so what came later is missing in what was measured"
            )
        for doubt in dict.fromkeys(doubts.values()):
            keys = ", ".join(key for key in doubts if doubts[key] == doubt)
            notes.append(f"no interval for {keys}: {doubt}")
    plain: dict[str, Any] = _plain(report)
    too_large = "is null: too large for double precision"
    explained = " ".join(notes)
    notes += [f"{k} {too_large}" for k in NUMBERS if plain[k] is None and k not in explained]
    return plain | {"notes": notes}


def _measured(
    world: TabularMDP,
    estimator: GradientEstimator,
    true_gradient: Floats,
    num_episodes: int,
    rng_seed: int,
) -> tuple[dict[str, Any], dict[str, str]]:
    """The same numbers from sampled episodes, all from the same ones; why intervals are missing.

    The gradient is estimated by reward-to-go with its γ^t, which has no bias.
    """
    if num_episodes * true_gradient.size > MAX_GRADIENT_NUMBERS:
        raise WorldError(
            f"{num_episodes} gradients of {true_gradient.size} numbers do not fit in memory: ask "
            f"for at most {MAX_GRADIENT_NUMBERS // true_gradient.size} episodes"
        )
    shape = (num_episodes, *true_gradient.shape)
    estimates, scores = np.empty(shape), np.empty(shape)
    returns = np.empty(num_episodes)
    plain = GradientEstimator("reward-to-go")
    choices = Choices(world, estimator.step_discount(world.gamma))
    is_plain = estimator.name == plain.name and estimator.values is None
    is_plain = is_plain and estimator.baseline == 0 and not estimator.drop_gamma_t
    unbiased = estimates if is_plain else np.empty(shape)
    begin = num_cut = 0
    for episodes in sample_in_parts(world, num_episodes, rng_seed):
        part = slice(begin, begin + len(episodes.mask))
        factors = discount_factors(estimator.step_discount(world.gamma), episodes.mask.shape[1])
        estimates[part] = gradient_estimates(episodes, weights(episodes, estimator))
        if not is_plain:
            unbiased[part] = gradient_estimates(episodes, weights(episodes, plain))
        seen = episodes.mask
        if estimator.time_limit is not None:
            seen = seen & (np.arange(len(factors)) < estimator.time_limit)
        scores[part] = gradient_estimates(episodes, np.where(seen, factors, 0.0))
        returns[part] = reward_to_go(episodes.rewards, world.gamma)[:, 0]
        choices.add(episodes)
        begin, num_cut = part.stop, num_cut + episodes.num_cut

    doubt = too_few_choices(choices.num_choices, num_episodes)
    statistics = gradient_statistics(estimates, true_gradient, choices.num_choices)
    subtracted = estimator.baseline * scores
    without_baseline = settled(estimates + subtracted, np.abs(estimates) + np.abs(subtracted))
    found = {
        "objective": mean_estimate(returns).doubted(doubt if np.ptp(returns) == 0 else ""),
        "gradient": gradient_statistics(unbiased, true_gradient, choices.num_choices).mean,
        "mean": statistics.mean,
        "bias_squared": statistics.bias_squared,
        "covariance_trace": statistics.covariance_trace,
        "best_constant_baseline": ratio_of_means(
            (scores * without_baseline).sum(axis=(1, 2)), (scores**2).sum(axis=(1, 2))
        ).doubted(doubt),
        "cosine": statistics.cosine,
        "signal_to_noise": statistics.signal_to_noise,
        "wrong_sign": statistics.wrong_sign,
    }
    return {
        "num_episodes": num_episodes,
        "rng_seed": rng_seed,
        **{key: found[key].value for key in MEASURED_KEYS},
        "episodes_for_cosine": statistics.episodes_for_cosine,
        "intervals": {key: _interval(found[key]) for key in MEASURED_KEYS},
        "confidence": 0.95,
        "num_cut": num_cut,
    }, {key: found[key].doubt for key in MEASURED_KEYS if found[key].doubt}


def _interval(estimate: Estimate) -> list[Any] | None:
    return None if estimate.low is None else [estimate.low, estimate.high]


def _notes(world: TabularMDP, estimator: GradientEstimator, report: dict[str, Any]) -> list[str]:
    notes = []
    if estimator.drop_gamma_t and estimator.name == "full-return":
        notes.append(
            "full-return has no γ^t in front of ∇log π (its discount is inside R), so "
            "--drop-gamma-t changes nothing"
        )
    elif estimator.drop_gamma_t and world.gamma == 1:
        notes.append("γ^t is 1 at gamma = 1, so --drop-gamma-t changes nothing")
    notes += _cuts(world, estimator)
    if math.isnan(report["best_constant_baseline"]):
        notes.append(
            "best_constant_baseline is null: the policy leaves nothing to chance, so a baseline "
            "changes nothing"
        )
    if report["cosine"] is None:
        notes.append("cosine is null: the gradient or the mean of the estimate is zero")
    if report["signal_to_noise"] is None:
        notes.append("signal_to_noise is null: the estimate has no noise")
    if report["episodes_for_cosine"] is None:
        notes.append("episodes_for_cosine is null: no number of episodes makes the cosine .9 here")
    return notes


def _cuts(world: TabularMDP, estimator: GradientEstimator) -> list[str]:
    """What a window and a time limit do to the bias, computed."""
    limited = estimator.seen_of(world)
    notes = []
    if estimator.time_limit is not None and limited is world:
        notes.append("the horizon comes before --time-limit, which changes nothing")
    elif estimator.time_limit is not None:
        exactly = replace(estimator, values=true_values(world))
        left = moments(world, exactly).bias_squared(gradient(world))
        notes.append(
            f"with the true V bias² would be {_number(left)}: no step after the time limit is seen,"
            " and ∇J is that of the world without it"
        )
    if estimator.window is None:
        return notes
    if estimator.weight_lambda == 0:
        notes.append("td is cut after one step anyway (λ = 0), so --window changes nothing")
    elif limited.horizon is not None and limited.horizon <= estimator.window:
        notes.append("no episode is longer than the window, so --window changes nothing")
    else:
        weight = weight_on_last_value(world.gamma, estimator.weight_lambda, estimator.window)
        notes.append(
            f"in the first row of a window V̂ of the state behind it has the weight {weight:.3g}"
        )
    return notes


def _listed(values: str) -> Floats:
    try:
        return np.array([float(value) for value in values.split(",")])
    except ValueError:
        raise WorldError(
            "--values must be 'true' or numbers with commas between them, such as -12,-10,-6, "
            f"got {quoted(values)}"
        ) from None


def _plain(value: Any) -> Any:
    """Numbers, lists and None: what is not finite has no place in JSON."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


# --- for people ---

ROWS = (
    ("objective", "objective J"),
    ("bias_squared", "bias²"),
    ("covariance_trace", "covariance trace"),
    ("best_constant_baseline", "best constant baseline"),
    ("cosine", "cosine with the gradient"),
    ("signal_to_noise", "signal to noise, one episode"),
    ("episodes_for_cosine", "episodes that suffice for cosine .9"),
    ("wrong_sign", "P(wrong sign)"),
)
MAX_ROWS_SHOWN = 8


def table(report: dict[str, Any]) -> str:
    """The report as a table: what is exact, and beside it what was measured."""
    measured = report.get("measured")
    horizon = "" if report["horizon"] is None else f", horizon {report['horizon']}"
    settings = report["settings"]
    cuts = "".join(
        f", {name} {settings[key]}"
        for key, name in (("window", "windows of"), ("time_limit", "time limit"))
        if settings[key] is not None
    )
    lines = [
        f"{report['world']}, {report['estimator']}, gamma {report['gamma']:g}{horizon}{cuts}",
        "",
    ]
    heading = f"{'':<28}{'exact':>14}"
    if measured:
        heading += f"   measured from {measured['num_episodes']} episodes [95 % interval]"
    lines.append(heading.rstrip())
    for key, label in ROWS:
        if key not in report and not measured:
            continue
        row = f"{label:<28}{_number(report.get(key)):>14}"
        if measured:
            row += f"   {_number(measured[key])}{_bracket(measured['intervals'].get(key))}"
        lines.append(row.rstrip())
    for key, label in (("gradient", "gradient ∇J"), ("mean", "mean of the estimate")):
        lines += ["", f"{label} (one row per feature, one column per action)"]
        rows = report[key]
        size = max(abs(x) for row in rows for x in row)
        for row in rows[:MAX_ROWS_SHOWN]:
            shown = (_number(x if abs(x) > 1e-12 * size else 0) for x in row)
            lines.append("  " + "".join(f"{x:>14}" for x in shown))
        if len(rows) > MAX_ROWS_SHOWN:
            lines.append(f"  … and {len(rows) - MAX_ROWS_SHOWN} rows more; --json has them all")
    if report["notes"]:
        lines += ["", *(line for note in report["notes"] for line in textwrap.wrap(note, 96))]
    return "\n".join(lines)


def _number(value: Any) -> str:
    if value is None:
        return "—"
    return with_minus(f"{value:.6g}") if value else "0"


def _bracket(interval: Any) -> str:
    if interval is None:
        return ""
    return f" [{_number(interval[0])}, {_number(interval[1])}]"
