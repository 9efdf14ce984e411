"""PPO's clipped objective: what it is worth, and where it has no slope."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from pgviz.exercises import cartpole
from pgviz.exercises.checking import (
    ABSOLUTE,
    RELATIVE,
    Exercise,
    Mistake,
    Refused,
    Yours,
    answers,
    halves,
    must_be,
    repeatable,
    slopes,
)
from pgviz.exercises.solutions import ppo as solution
from pgviz.exercises.solutions.actor_critic import actor_gradient, probabilities
from pgviz.exercises.solutions.baseline import returns_to_go
from pgviz.exercises.solutions.ppo import clipped_surrogate, ratios, surrogate_slopes
from pgviz.worlds.tabular import Floats

HINTS = {
    "return np.exp(": "ρ = π / π_old from their logarithms",
    "clipped = ": "ρ, held between 1 − ε and 1 + ε",
    "return np.minimum(": "the smaller of two products, then the mean",
    "too_high = ": "where is a rise no longer paid for?",
    "too_low = ": "and where a fall?",
    "return np.where(": "no slope where the clip holds",
}

STREAM = np.random.default_rng(4)
CLIPS = (0.2, 0.5)
Batch = tuple[Floats, Floats, Floats]


def batch(ratios: list[float], advantages: list[float]) -> Batch:
    """Logarithms whose ratios these are."""
    old = -(halves(STREAM, len(ratios)) ** 2) / 8
    return old + np.log(ratios), old, np.array(advantages)


INSIDE = [batch([r], [a]) for r in (0.9, 1.1) for a in (1.0, -2.0)]
TOO_FAR = [batch([1.75], [2.0]), batch([0.25], [-2.0])]  # where Â pushes further out
WAY_BACK = [batch([0.25], [2.0]), batch([1.75], [-2.0])]  # where Â pushes back in
MIXED = [
    batch([1.75, 0.25], [1.0, 1.0]),
    batch([1.1, 0.25, 1.75], [-1.0, -2.0, -0.5]),
    batch([0.25, 0.25, 1.75], [0.5, -0.5, 0.5]),
    batch([0.25, 1.75, 0.9, 1.05, 1.75], [2.0, 1.5, -1.0, 0.5, -2.0]),
]
ALL = [*INSIDE, *TOO_FAR, *WAY_BACK, *MIXED]


def shown(one: Batch, clip_coef: float) -> dict:
    """A case as its ratios: they are easier to read than logarithms."""
    return {"ratios": ratios(*one[:2]), "advantages": one[2], "clip_coef": clip_coef}


def the_ratio(yours: Yours) -> None:
    """log ρ is the difference of both logarithms."""
    for log_probs, old, _ in ALL:
        found = yours.ratios(log_probs, old)
        if (found <= 0).any():
            raise Refused("A ratio of two probabilities is above 0, but one of yours is not.")
        must_be(
            np.log(found),
            log_probs - old,
            "The logarithm of the ratio must be log π − log π_old",
            "the difference",
            log_probs=log_probs,
            old_log_probs=old,
        )


def the_first_pass(yours: Yours) -> None:
    """In the first pass π = π_old: L is the mean advantage."""
    for _, old, advantages in ALL:
        must_be(
            yours.clipped_surrogate(old, old, advantages, 0.2),
            advantages.mean(),
            "Where π is still π_old, L must be the mean advantage",
            "the mean",
            advantages=advantages,
        )


def inside(yours: Yours) -> None:
    """Inside 1 ± ε the clip does nothing: L is the mean of ρÂ."""
    for one in ALL:
        must_be(
            yours.clipped_surrogate(*one, 10.0),
            np.mean(ratios(*one[:2]) * one[2]),
            "Where every ratio lies inside 1 ± ε, L must be the mean of ρ Â",
            "the mean",
            **shown(one, 10.0),
        )


def no_more_to_gain(yours: Yours) -> None:
    """Beyond the clip nothing more is gained: L is (1 ± ε) Â."""
    for one in TOO_FAR:
        for clip_coef in CLIPS:
            side = 1 + clip_coef if one[2][0] > 0 else 1 - clip_coef
            must_be(
                yours.clipped_surrogate(*one, clip_coef),
                side * one[2][0],
                "Where the ratio has left 1 ± ε on the side to which Â pushes, L must stay at its"
                " value on the border",
                "there",
                **shown(one, clip_coef),
            )


def losses_count(yours: Yours) -> None:
    """Beyond the clip on the other side losses count in full: L is ρÂ."""
    for one in WAY_BACK:
        for clip_coef in CLIPS:
            must_be(
                yours.clipped_surrogate(*one, clip_coef),
                ratios(*one[:2])[0] * one[2][0],
                "Where the ratio has moved against Â, the loss must count in full, ρ Â, however far",
                "ρ Â",
                **shown(one, clip_coef),
            )


def never_more(yours: Yours) -> None:
    """L is never more than it is without the clip."""
    for one in ALL:
        for clip_coef in CLIPS:
            found = float(yours.clipped_surrogate(*one, clip_coef))
            without = float(np.mean(ratios(*one[:2]) * one[2]))
            if found > without and not np.isclose(found, without, RELATIVE, ABSOLUTE):
                raise Refused(
                    f"The clip must never add to L, but yours is {found:.3g} and the mean of ρ Â is"
                    f" {without:.3g}: of both products the smaller one counts."
                )


def steps_are_averaged(yours: Yours) -> None:
    """L of a batch is the mean of L of its steps."""
    for one in MIXED:
        alone = [
            yours.clipped_surrogate(*(part[t : t + 1] for part in one), 0.2)
            for t in range(len(one[0]))
        ]
        must_be(
            yours.clipped_surrogate(*one, 0.2),
            np.mean(alone),
            "L of a batch must be the mean of L of each of its steps",
            "the mean",
            **shown(one, 0.2),
        )


def slopes_of_the_first_pass(yours: Yours) -> None:
    """In the first pass the slopes are Â/T, those of the actor-critic."""
    for _, old, advantages in ALL:
        must_be(
            yours.surrogate_slopes(old, old, advantages, 0.2),
            advantages / len(advantages),
            "Where π is still π_old, the slopes must be Â / T, as if there were no PPO",
            "Â / T",
            advantages=advantages,
        )


def held(yours: Yours) -> None:
    """Where the clip holds the ratio there is no slope."""
    for one in TOO_FAR:
        for clip_coef in CLIPS:
            must_be(
                yours.surrogate_slopes(*one, clip_coef),
                np.zeros(1),
                "Where the ratio has left 1 ± ε on the side to which Â pushes, the slope must be 0",
                "the right one",
                **shown(one, clip_coef),
            )


def the_way_back(yours: Yours) -> None:
    """Where the ratio has moved against Â the slope leads back."""
    for one in WAY_BACK:
        for clip_coef in CLIPS:
            must_be(
                yours.surrogate_slopes(*one, clip_coef),
                ratios(*one[:2]) * one[2],
                "Where the ratio has left 1 ± ε against Â, the slope must still lead back, ρ Â",
                "ρ Â",
                **shown(one, clip_coef),
            )


def measured(yours: Yours) -> None:
    """The slopes are those of L, measured."""
    for one in ALL:
        for clip_coef in CLIPS:
            log_probs, old, advantages = one
            must_be(
                yours.surrogate_slopes(*one, clip_coef),
                slopes(partial(objective, old, advantages, clip_coef), log_probs),
                "The slopes must be those of L in each log π(a|s)",
                "the measured slope",
                **shown(one, clip_coef),
            )


def objective(old: Floats, advantages: Floats, clip_coef: float, log_probs: Floats) -> float:
    return float(clipped_surrogate(log_probs, old, advantages, clip_coef))


def learns(yours: Yours) -> str:
    """CartPole is learned"""
    stream = np.random.default_rng(0)
    theta: Floats = np.zeros((4, 2))
    rises = []
    for _ in range(cartpole.NUM_UPDATES):
        episodes = cartpole.play(theta, 8, stream)
        one = cartpole.joined(episodes)
        returns = np.concatenate([returns_to_go(each.rewards, 0.98) for each in episodes])
        advantages = (returns - returns.mean()) / (returns.std() + 1e-8)
        old = log_probs_of(theta, one.obs, one.actions)
        before = yours.clipped_surrogate(old, old, advantages, 0.2)
        for _ in range(10):
            now = log_probs_of(theta, one.obs, one.actions)
            push = yours.surrogate_slopes(now, old, advantages, 0.2)
            theta = theta + 4.0 * actor_gradient(theta, one.obs, one.actions, push)
        now = log_probs_of(theta, one.obs, one.actions)
        rises.append(yours.clipped_surrogate(now, old, advantages, 0.2) - before)
    if np.mean(rises) <= 0:
        raise Refused("Ten passes along your slopes do not raise your L, batch by batch.")
    return cartpole.verdict(theta, stream)


def log_probs_of(theta: Floats, obs: Floats, actions: NDArray[np.integer]) -> Floats:
    found: Floats = np.log(probabilities(theta, obs)[np.arange(len(actions)), actions])
    return found


# Wrong on purpose.


def parts(now: Floats, old: Floats, advantages: Floats, clip_coef: float) -> tuple[Floats, Floats]:
    """ρÂ, and the same with ρ clipped."""
    ratios = np.exp(now - old)
    return ratios * advantages, np.clip(ratios, 1 - clip_coef, 1 + clip_coef) * advantages


def held_outside(now: Floats, old: Floats, advantages: Floats, clip_coef: float) -> Floats:
    ratios = np.exp(now - old)
    slope = ratios * advantages / len(advantages)
    return np.where(np.abs(ratios - 1) > clip_coef, 0.0, slope)


def one_sided(now: Floats, old: Floats, advantages: Floats, clip_coef: float) -> Floats:
    ratios = np.exp(now - old)
    return np.where(ratios > 1 + clip_coef, 0.0, ratios * advantages / len(advantages))


def clipped_slope(now: Floats, old: Floats, advantages: Floats, clip_coef: float) -> Floats:
    """The slope of min(ρ, clip ρ) Â, with the value at the border where there is none."""
    return parts(now, old, advantages, clip_coef)[1] / len(advantages)


MISTAKES = (
    Mistake(
        "ratio upside down",
        "ratios",
        "Your ratio is upside down: ρ = π / π_old, and π is the policy that is being trained.",
        lambda now, old: np.exp(old - now),
    ),
    Mistake(
        "no exp",
        "ratios",
        "Your ratio is the difference of the logarithms: np.exp is missing.",
        lambda now, old: now - old,
    ),
    Mistake(
        "ratio of logarithms",
        "ratios",
        "Your ratio divides logarithms: ρ = π / π_old is the exponential of their difference.",
        lambda now, old: now / old,
    ),
    Mistake(
        "one probability",
        "ratios",
        "Your ratio is π alone: it has to be divided by π_old.",
        lambda now, old: np.exp(now),
    ),
    Mistake(
        "always clipped",
        "clipped_surrogate",
        "Your L always takes the clipped product: the smaller of both counts, so that losses are"
        " never cut off.",
        lambda *one: parts(*one)[1].mean(),
    ),
    Mistake(
        "never clipped",
        "clipped_surrogate",
        "Your L never clips: it pays for every further move of π away from π_old.",
        lambda *one: parts(*one)[0].mean(),
    ),
    Mistake(
        "the larger",
        "clipped_surrogate",
        "Your L takes the larger of both products: the smaller one makes it a cautious estimate.",
        lambda *one: np.maximum(*parts(*one)).mean(),
    ),
    Mistake(
        "smaller ratio first",
        "clipped_surrogate",
        "Your L takes the smaller ratio and then multiplies by Â: for Â < 0 that picks the wrong"
        " one; compare the products.",
        lambda now, old, advantages, clip_coef: np.mean(
            np.minimum(np.exp(now - old), np.clip(np.exp(now - old), 1 - clip_coef, 1 + clip_coef))
            * advantages
        ),
    ),
    Mistake(
        "upside down in L",
        "clipped_surrogate",
        "Your L has the ratio upside down: ρ = π / π_old = exp(log_probs − old_log_probs).",
        lambda now, old, advantages, clip_coef: clipped_surrogate(old, now, advantages, clip_coef),
    ),
    Mistake(
        "a loss",
        "clipped_surrogate",
        "Your L has the wrong sign: that is a loss to be made small, but L is to be made large.",
        lambda *one: -clipped_surrogate(*one),
    ),
    Mistake(
        "sum",
        "clipped_surrogate",
        "Your L is a sum over the steps: it is their mean.",
        lambda *one: clipped_surrogate(*one) * len(one[0]),
    ),
    Mistake(
        "clipped around 0",
        "clipped_surrogate",
        "Your ratio is clipped to ± ε: a ratio that changes nothing is 1, so it is clipped to"
        " 1 ± ε.",
        lambda now, old, advantages, clip_coef: np.minimum(
            np.exp(now - old) * advantages,
            np.clip(np.exp(now - old), -clip_coef, clip_coef) * advantages,
        ).mean(),
    ),
    Mistake(
        "clipped above only",
        "clipped_surrogate",
        "Your ratio is clipped above only: for Â < 0 it is the lower border, 1 − ε, that holds.",
        lambda now, old, advantages, clip_coef: np.minimum(
            np.exp(now - old) * advantages,
            np.minimum(np.exp(now - old), 1 + clip_coef) * advantages,
        ).mean(),
    ),
    Mistake(
        "held on both sides",
        "surrogate_slopes",
        "Your slopes are 0 wherever the ratio is outside 1 ± ε: where it has moved against Â the"
        " slope still leads back.",
        held_outside,
    ),
    Mistake(
        "held above only",
        "surrogate_slopes",
        "Your slopes are 0 above 1 + ε only, whatever Â is: for Â < 0 it is the lower border that"
        " holds, and the upper one does not.",
        one_sided,
    ),
    Mistake(
        "slope at the border",
        "surrogate_slopes",
        "Your slopes clip the ratio in place of the slope: where the clip holds, L is constant, and"
        " its slope is 0.",
        clipped_slope,
    ),
    Mistake(
        "slopes never clipped",
        "surrogate_slopes",
        "Your slopes are never 0: where the clip holds the ratio, L is constant.",
        lambda now, old, advantages, clip_coef: np.exp(now - old) * advantages / len(advantages),
    ),
    Mistake(
        "slope without the ratio",
        "surrogate_slopes",
        "Your slopes leave out the ratio: the slope of ρ Â in log π is ρ Â, as ρ is an exponential.",
        lambda now, old, advantages, clip_coef: (
            surrogate_slopes(now, old, advantages, clip_coef) / np.exp(now - old)
        ),
    ),
    Mistake(
        "slopes of a sum",
        "surrogate_slopes",
        "Your slopes are those of a sum: L is a mean, so each is divided by the number of steps.",
        lambda *one: surrogate_slopes(*one) * len(one[0]),
    ),
    Mistake(
        "slopes of a loss",
        "surrogate_slopes",
        "Your slopes have the wrong sign: they must lead uphill on L.",
        lambda *one: -surrogate_slopes(*one),
    ),
    Mistake(
        "held where it should not be",
        "surrogate_slopes",
        "Your slopes are 0 on the wrong side: the clip holds where Â > 0 and ρ > 1 + ε, and where"
        " Â < 0 and ρ < 1 − ε.",
        lambda now, old, advantages, clip_coef: -surrogate_slopes(now, old, -advantages, clip_coef),
    ),
    Mistake(
        "slopes upside down",
        "surrogate_slopes",
        "Your ratio is upside down in the slopes: ρ = exp(log_probs − old_log_probs).",
        lambda now, old, advantages, clip_coef: surrogate_slopes(old, now, advantages, clip_coef),
    ),
)

EXERCISE = Exercise(
    name="ppo",
    summary="the clipped objective, and where its slope is 0",
    solution=solution,
    hints=HINTS,
    probes={
        "ratios": [(log_probs, old) for log_probs, old, _ in ALL],
        "clipped_surrogate": [(*one, clip_coef) for one in ALL for clip_coef in CLIPS],
        "surrogate_slopes": [(*one, clip_coef) for one in ALL for clip_coef in CLIPS],
    },
    checks=(
        answers,
        the_ratio,
        the_first_pass,
        inside,
        no_more_to_gain,
        losses_count,
        never_more,
        steps_are_averaged,
        slopes_of_the_first_pass,
        held,
        the_way_back,
        measured,
        repeatable,
        learns,
    ),
    mistakes=MISTAKES,
)
