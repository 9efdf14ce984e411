"""What a run's training does besides following ĝ: one list, made from its configuration and the code.

The tests rebuild an update from these facts alone, in plain torch, and get the engine's parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgviz.policies import Softmax, TwoActions
from pgviz.runs.recording import Recording
from pgviz.training.agent import (
    CRITIC_LAST_SCALE,
    POLICY_LAST_SCALE,
    VALUE_COEF,
    Agent,
    value_scale,
)
from pgviz.training.config import Config
from pgviz.training.loop import SOLVED_EPISODES
from pgviz.training.methods import methods
from pgviz.training.optimizer import BETA_1, BETA_2, EPSILON
from pgviz.worlds.world import find


@dataclass(frozen=True)
class Fact:
    """One thing besides the equation: in words, and the numbers or switches that the words hold."""

    words: str
    value: Any


def besides(config: Config, recording: Recording | None = None) -> Mapping[str, Fact]:
    """Name → fact, in the order in which training does it; `recording` adds what was measured."""
    facts = {
        "Observations": _observations(config),
        "Networks": _networks(config),
        "At birth": _birth(config),
    }
    if config.has_critic:
        facts["Scale of V̂"] = _critic_scale(config)
    facts |= {
        "N": _batch(config),
        "Time limit": _time_limit(config),
        "Normalising": _normalising(config),
        "γᵗ": _gamma_t(config),
        "Clipping": _clipping(config, recording),
        "Adam": _adam(config),
    }
    if config.has_critic:
        facts["The critic learns"] = _critic_learns(config)
    return facts | {"The end": _end(config)}


def clipped_of(recording: Recording) -> tuple[int, int]:
    """How many gradients of learning seeds were longer than the limit, and of how many."""
    metrics = recording.metrics()
    norms = metrics["grad_norm"][metrics["active"] > 0]
    return int(np.count_nonzero(norms > recording.config.max_grad_norm)), len(norms)


def _observations(config: Config) -> Fact:
    world = find(config.world)
    if world.linear:
        return Fact("The policy sees the features of a state as they are.", world.obs_scale)
    sizes = ", ".join(f"{1 / factor:g}" for factor in world.obs_scale)
    return Fact(
        f"The {len(world.obs_scale)} numbers of an observation are divided by {sizes}, about their"
        " largest size. These are constants, not running statistics.",
        world.obs_scale,
    )


def _networks(config: Config) -> Fact:
    world, kind = find(config.world), Agent.of(config).distribution
    if world.linear:
        words = "π is a softmax of logits that are linear in the features"
        words += ", and V̂ is linear in them too." if config.has_critic else "."
        return Fact(words, (0, False))
    one = f"one hidden layer of {config.hidden} tanh units"
    if isinstance(kind, TwoActions):
        output = f"its one output is the log-odds of “{world.action_names[1]}”"
    elif isinstance(kind, Softmax):
        output = f"its {kind.num_actions} outputs are the logits of a softmax"
    else:
        output = "its outputs are the mean of a Gaussian, whose log σ is the same in all states"
    words = f"π has {one}; {output}."
    if config.share_network:
        words = f"π and V̂ share {one} and have outputs of their own. Of π, {output}."
    elif config.has_critic:
        words = f"π and V̂ are two networks, each with {one}. Of π, {output}."
    return Fact(words, (config.hidden, config.share_network))


def _birth(config: Config) -> Fact:
    if find(config.world).linear:
        return Fact("θ begins where the world says, or at initial_theta; V̂ at 0.", (1.0, 0.0))
    words = (
        "The hidden layer begins orthogonal, biases at 0. The last layer of π has length"
        f" {POLICY_LAST_SCALE:g}, so that π begins as almost a coin"
    )
    if config.has_critic:
        words += f"; that of V̂ has length {CRITIC_LAST_SCALE:g}"
    return Fact(f"{words}.", (POLICY_LAST_SCALE, CRITIC_LAST_SCALE))


def _critic_scale(config: Config) -> Fact:
    world = find(config.world)
    if world.linear:
        return Fact("V̂ is the output itself.", 1.0)
    scale = value_scale(world, config.gamma)
    return Fact(
        f"V̂ is the output of its network times {scale:.4g}: half of what the longest episode is paid,"
        " discounted.",
        scale,
    )


def _batch(config: Config) -> Fact:
    if config.reuses_batch:
        size, times = config.num_envs * config.num_steps, config.update_epochs
        words = (
            f"A batch is {config.num_envs} windows of {config.num_steps} steps, {size} in all. It is"
            f" used {times} times, in a new order each time, {config.num_minibatches} minibatches a"
            f" time. The gradient of each is a mean over its steps; min keeps the smaller of ρ Ψ and"
            f" the same with ρ cut to 1 ± {config.clip_coef:g}."
        )
        return Fact(words, (times, config.num_minibatches, config.clip_coef))
    if config.whole_episodes:
        words = (
            f"ĝ sums over the steps of {config.num_envs} whole episodes and divides by"
            f" {config.num_envs}, never by steps."
        )
    else:
        words = (
            f"ĝ sums over {config.num_envs} windows of {config.num_steps} steps, one of each"
            f" environment, and divides by {config.num_envs}. A window is a part of an episode, or"
            f" of several, so ĝ is about {config.num_steps} / (steps of an episode) as long as"
            " that of whole episodes."
        )
    return Fact(words, config.num_envs)


def _time_limit(config: Config) -> Fact:
    world = find(config.world)
    last = world.max_episode_steps
    if world.table is not None and world.table.horizon is not None:
        return Fact(f"Step {last} is the world's horizon: episodes end there by its rules.", False)
    if config.whole_episodes:
        words = f"Step {last} ends an episode as its rules do"
        counts = methods[config.method].windows and config.bootstrap_truncated
        words += ", but V̂ of the last observation counts there." if counts else "."
        return Fact(words, counts)
    if config.bootstrap_truncated:
        words = (
            f"Where step {last} or a window's end cuts an episode, V̂ of the last observation counts;"
            " after an end by the rules it is 0."
        )
    else:
        words = f"Step {last} is taken for an end by the rules: V̂ counts as 0 after it."
    return Fact(words, config.bootstrap_truncated)


def _normalising(config: Config) -> Fact:
    words = (
        "Each seed's Ψ has the batch's mean subtracted and is divided by the batch's spread."
        if config.normalize_advantages
        else "Ψ is not normalised."
    )
    return Fact(words, config.normalize_advantages)


def _gamma_t(config: Config) -> Fact:
    kept = not config.drop_gamma_t and config.method != "full-return"
    if config.gamma == 1:
        words = "γ = 1: there is no γᵗ to drop."
    elif config.method == "full-return":
        words = (
            "The full return is discounted from the start of the episode: γᵗ has its place in it."
        )
    elif kept:
        words = f"Step t is weighed by γᵗ, γ = {config.gamma:g}, as the theorem asks."
    else:
        words = (
            f"γ = {config.gamma:g}, and the factor γᵗ that the theorem puts in front of step t is"
            " left out: the mean of ĝ is not ∇J_γ."
        )
    return Fact(words, kept)


def _clipping(config: Config, recording: Recording | None) -> Fact:
    what = "joint gradient of π and V̂" if config.share_network else "ĝ"
    limit = f"{config.max_grad_norm:g}"
    words = f"Each seed's {what}, where it is longer than {limit}, is shortened to {limit}."
    if recording is not None and recording.num_updates:
        longer, total = clipped_of(recording)
        words += f" In this run {longer:,} of {total:,} were longer ({100 * longer / total:.3g} %)."
    return Fact(words, config.max_grad_norm)


def _adam(config: Config) -> Fact:
    if config.optimizer == "sgd":
        words = f"Then θ moves by {config.learning_rate:g} times that, at every update."
        if config.every_step:
            words = (
                f"θ moves by {config.learning_rate:g} times each term of ĝ, one after the other, V̂"
                " before it: an episode of T steps is T updates."
            )
        return Fact(words, (config.learning_rate,))
    return Fact(
        f"Adam then rescales every component: step size {config.learning_rate:g} from the first"
        f" update to the last, β = {BETA_1:g} and {BETA_2:g}, ε = {EPSILON:g}. No weight decay, no"
        " entropy bonus.",
        (config.learning_rate, BETA_1, BETA_2, EPSILON),
    )


def _critic_learns(config: Config) -> Fact:
    rate, size = config.critic_learning_rate, config.minibatch_size
    if config.every_step:
        words = f"Before θ, at every step: V̂ moves by {rate:g} δ ∇V̂, δ = G − V̂."
        return Fact(words, (rate, 1, 1))
    steps = (
        f"{size} steps drawn from the batch with replacement" if size else "all steps of the batch"
    )
    if config.share_network:
        words = (
            f"Along with π: the joint gradient is that of J − {VALUE_COEF:g} · mean ½ (V̂ − y)² over"
            f" {steps}. Adam's step size is {rate:g} for V̂'s own output layer."
        )
        return Fact(words, (rate, 1, size))
    if config.reuses_batch:
        words = (
            f"After π, by an Adam of its own with step size {rate:g}: once a minibatch, on the mean"
            " of ½ (V̂ − y)² over its steps. Its gradient is never clipped."
        )
        return Fact(words, (rate, 1, 0))
    each = "each on " if config.critic_steps != 1 else "on "
    loss = "½ (V̂ − y)²" if config.detach else "½ δ² − δ log π, nothing detached,"
    times = "once" if config.critic_steps == 1 else f"{config.critic_steps} times"
    words = (
        f"After π, by an Adam of its own with step size {rate:g}: {times} an update, {each}the mean"
        f" of {loss} over {steps}. Its gradient is never clipped."
    )
    return Fact(words, (rate, config.critic_steps, size))


def _end(config: Config) -> Fact:
    threshold = find(config.world).solved_at
    if threshold is None:
        return Fact("This world has no threshold: every seed goes on learning.", False)
    solved = f"{threshold:g} on average over its last {SOLVED_EPISODES} training episodes"
    if config.stop_when_solved:
        words = f"A seed that returns {solved} stops there: what it might lose later is not seen."
    else:
        words = f"A seed that returns {solved} has solved it, and goes on learning."
    if config.max_env_steps:
        words += f" Every seed stops after {config.max_env_steps:,} steps."
    return Fact(words, config.stop_when_solved)
