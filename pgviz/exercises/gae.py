"""GAE over a stretch that holds several episodes: where the sum runs, and where it stops."""

from functools import partial

import numpy as np

from pgviz.exact.trajectories import Trajectory
from pgviz.exercises import cartpole, finite
from pgviz.exercises.checking import (
    Exercise,
    Mistake,
    Refused,
    Yours,
    answers,
    halves,
    must_be,
    repeatable,
)
from pgviz.exercises.solutions import gae as solution
from pgviz.exercises.solutions.actor_critic import actor_gradient
from pgviz.exercises.solutions.baseline import returns_to_go, value_step
from pgviz.exercises.solutions.gae import gae, td_errors
from pgviz.figures import number
from pgviz.worlds.tabular import Bools, Floats, TabularMDP

HINTS = {
    "deltas = ": "the TD errors",
    "episode_over = ": "after which steps does an episode end?",
    "following = deltas[t]": "δ, and what follows it",
    "return advantages + values": "returns = Â + V̂",
}
NAMES = ("rewards", "values", "next_values", "terminated", "truncated", "gamma", "gae_lambda")
GOES_ON, TERMINATED, TRUNCATED = "…", "|", "/"

STREAM = np.random.default_rng(2)
Stretch = tuple[Floats, Floats, Floats, Bools, Bools]


def stretch(ends: str) -> Stretch:
    """Random numbers for as many steps as there are letters; a letter says how its step ends.

    Where an episode goes on, the next value is the value of the next step.
    """
    num_steps = len(ends)
    values, next_values = halves(STREAM, num_steps), halves(STREAM, num_steps)
    terminated, truncated = (
        np.array([letter == end for letter in ends]) for end in (TERMINATED, TRUNCATED)
    )
    goes_on = ~(terminated | truncated)[:-1]
    next_values[:-1] = np.where(goes_on, values[1:], next_values[:-1])
    return halves(STREAM, num_steps), values, next_values, terminated, truncated


# Stretches by how their steps end: … goes on, | terminates, / is truncated.
STRETCHES = [
    stretch(ends)
    for ends in ("|", "/", "…", "…|", "…/", "……", "||", "/|", "/…", "|…", "…|…", "…/…|", "…|…/……|")
]
WHOLE = [stretch("…" * (num_steps - 1) + TERMINATED) for num_steps in (1, 2, 3, 5)]
DISCOUNTS = ((0.5, 0.5), (1.0, 0.5), (0.5, 1.0), (0.9, 0.0))


def named(one: Stretch, *discounts: float) -> dict:
    return dict(zip(NAMES, (*one, *discounts), strict=False))


def at_lambda_0(yours: Yours) -> None:
    """λ = 0: the advantages are the TD errors."""
    for one in STRETCHES:
        must_be(
            yours.gae(*one, 0.5, 0.0),
            td_errors(*one[:4], 0.5),
            "At λ = 0 the advantages must be the TD errors",
            "δ",
            **named(one, 0.5),
        )


def at_lambda_1(yours: Yours) -> None:
    """λ = 1, in an episode that terminates: the advantages are G − V̂."""
    for one in WHOLE:
        rewards, values, *_ = one
        must_be(
            yours.gae(*one, 0.5, 1.0),
            returns_to_go(rewards, 0.5) - values,
            "At λ = 1, in an episode that terminates, the advantages must be G − V̂",
            "G − V̂",
            rewards=rewards,
            values=values,
            gamma=0.5,
        )


def neighbours(yours: Yours) -> None:
    """Within an episode Â_t = δ_t + γλ Â_{t+1}."""
    for one in STRETCHES:
        for gamma, gae_lambda in DISCOUNTS:
            found = yours.gae(*one, gamma, gae_lambda)
            deltas = td_errors(*one[:4], gamma)
            *_, terminated, truncated = one
            goes_on = ~(terminated | truncated)[:-1]
            must_be(
                np.where(goes_on, found[:-1], 0.0),
                np.where(goes_on, deltas[:-1] + gamma * gae_lambda * found[1:], 0.0),
                "Within an episode each advantage must be δ plus γλ times the next one",
                "δ + γλ Â of the next step",
                **named(one, gamma, gae_lambda),
            )


def the_last_step(yours: Yours) -> None:
    """At the last step of an episode, however it ends, and of the stretch, Â is δ."""
    for one in STRETCHES:
        *_, terminated, truncated = one
        last = terminated | truncated
        last[-1] = True
        must_be(
            np.where(last, yours.gae(*one, 0.5, 0.5), 0.0),
            np.where(last, td_errors(*one[:4], 0.5), 0.0),
            "At the last step of an episode the advantage must be δ, however it ends",
            "δ",
            **named(one, 0.5, 0.5),
        )


def side_by_side(yours: Yours) -> None:
    """Two episodes one after the other are each of them alone."""
    for first in STRETCHES:
        if not (first[3][-1] or first[4][-1]):
            continue
        for second in STRETCHES[:6]:
            both = [np.concatenate(pair) for pair in zip(first, second, strict=True)]
            must_be(
                yours.gae(*both, 0.5, 0.5),
                np.append(yours.gae(*first, 0.5, 0.5), yours.gae(*second, 0.5, 0.5)),
                "An episode must have the advantages that it has alone, whatever follows it",
                "alone",
                **named(tuple(both), 0.5, 0.5),  # type: ignore[arg-type]
            )


def at_a_truncation(yours: Yours) -> None:
    """Where an episode is truncated V̂ of its last observation counts."""
    for one in STRETCHES:
        rewards, values, next_values, terminated, truncated = one
        more = next_values + truncated
        change = yours.gae(rewards, values, more, terminated, truncated, 0.5, 0.0) - yours.gae(
            *one, 0.5, 0.0
        )
        must_be(
            change,
            0.5 * truncated,
            "1 more for V̂ of the observation at which an episode is truncated must make the"
            " advantage there greater by γ = 0.5: the difference",
            "the right one",
            **named(one),
        )


def at_a_termination(yours: Yours) -> None:
    """Where an episode terminates V̂ of what follows does not count."""
    for one in STRETCHES:
        rewards, values, next_values, terminated, truncated = one
        more = next_values + terminated
        must_be(
            yours.gae(rewards, values, more, terminated, truncated, 0.5, 0.5),
            yours.gae(*one, 0.5, 0.5),
            "Nothing follows termination, so V̂ after it must not count: with 1 more for it",
            "before",
            **named(one, 0.5, 0.5),
        )


def a_critic_that_is_right(yours: Yours) -> None:
    """With the exact V the mean of ĝ over all episodes of the ladder is ∇J, for any λ."""
    for world in finite.ladders():
        for gae_lambda in (0.0, 0.5, 1.0):
            must_be(
                finite.mean(world, partial(estimate, yours, world, gae_lambda)),
                finite.exact(world),
                f"{finite.described(world)} λ = {gae_lambda:g}, the mean of ĝ with the exact V must"
                " be the exact gradient",
                "the exact one",
            )


def estimate(yours: Yours, world: TabularMDP, gae_lambda: float, tau: Trajectory) -> Floats:
    """ĝ of one episode."""
    values, next_values, terminated = finite.values_along(world, tau)
    psi = yours.gae(
        np.array(tau.rewards),
        values,
        next_values,
        terminated,
        np.zeros(len(values), bool),
        world.gamma,
        gae_lambda,
    )
    return tau.score(world, psi)


def targets_at_lambda_1(yours: Yours) -> None:
    """At λ = 1, in an episode that terminates, the targets of V̂ are the returns."""
    for one in WHOLE:
        rewards, values, *_ = one
        must_be(
            yours.value_targets(gae(*one, 0.5, 1.0), values),
            returns_to_go(rewards, 0.5),
            "At λ = 1, in an episode that terminates, the targets must be the returns",
            "G",
        )


def learns(yours: Yours) -> str:
    """CartPole is learned"""
    stream = np.random.default_rng(0)
    theta: Floats = np.zeros((4, 2))
    weights: Floats = np.zeros(7)
    for update in range(cartpole.NUM_UPDATES):
        one = cartpole.joined(cartpole.play(theta, 8, stream))
        seen = cartpole.features(one.obs)
        values, next_values = seen @ weights, cartpole.features(one.next_obs) @ weights
        advantages = yours.gae(
            one.rewards, values, next_values, one.terminated, one.truncated, 0.99, 0.95
        )
        targets = yours.value_targets(advantages, values)
        for _ in range(10):
            weights = value_step(weights, seen, targets, 0.2)
        gradient = actor_gradient(theta, one.obs, one.actions, advantages)
        theta = cartpole.uphill(theta, gradient, update)
    one = cartpole.joined(cartpole.play(theta, 8, stream))
    expected = float(np.mean(cartpole.features(one.obs) @ weights))
    if not 20 < expected < 120:
        raise Refused(
            f"V̂ was not learned: it expects {number(expected)} on average, where a policy that"
            " balances gets up to 1/(1 − γ) = 100."
        )
    return cartpole.verdict(theta, stream)


# Wrong on purpose.


def summed(deltas: Floats, discount: float, stops: Bools) -> Floats:
    """The recursion with other δ's, another discount, and stops elsewhere."""
    found, following = np.zeros(len(deltas)), 0.0
    for t in reversed(range(len(deltas))):
        following = deltas[t] + discount * (0.0 if stops[t] else following)
        found[t] = following
    return found


def forwards(*one: Floats) -> Floats:
    rewards, values, next_values, terminated, truncated, gamma, gae_lambda = one
    deltas = td_errors(rewards, values, next_values, terminated, gamma)
    found, before = np.zeros(len(deltas)), 0.0
    for t in range(len(deltas)):
        if terminated[t] or truncated[t]:
            before = 0.0
        before = deltas[t] + gamma * gae_lambda * before
        found[t] = before
    return found


def one_step_late(ends: Bools) -> Bools:
    """The flags of the step before: where the next episode has begun."""
    return np.append(False, ends[:-1])


MISTAKES = (
    Mistake(
        "truncation leaks",
        "gae",
        "Your advantages ignore that an episode was truncated: the sum of δ ran on into the next"
        " episode.",
        lambda r, v, n, end, cut, g, lam: summed(td_errors(r, v, n, end, g), g * lam, end),
    ),
    Mistake(
        "everything leaks",
        "gae",
        "Your advantages run on across the ends of episodes: the sum of δ stops where one is"
        " terminated or truncated.",
        lambda r, v, n, end, cut, g, lam: summed(td_errors(r, v, n, end, g), g * lam, 0 * end),
    ),
    Mistake(
        "termination leaks",
        "gae",
        "Your advantages stop at truncations only: after termination the sum of δ ran on into the"
        " next episode.",
        lambda r, v, n, end, cut, g, lam: summed(td_errors(r, v, n, end, g), g * lam, cut),
    ),
    Mistake(
        "truncation as termination",
        "gae",
        "Your advantages take a truncated episode for one that terminated: it would have gone on,"
        " so V̂ of its last observation counts.",
        lambda r, v, n, end, cut, g, lam: gae(r, v, n, end | cut, cut, g, lam),
    ),
    Mistake(
        "termination bootstraps",
        "gae",
        "Your advantages believe V̂ even after termination: nothing follows it, so V̂ counts as 0"
        " there.",
        lambda r, v, n, end, cut, g, lam: summed(
            td_errors(r, v, n, 0 * end, g), g * lam, end | cut
        ),
    ),
    Mistake(
        "flags swapped",
        "gae",
        "Your advantages have terminated and truncated the wrong way round: V̂ counts after a"
        " truncation, not after termination.",
        lambda r, v, n, end, cut, g, lam: gae(r, v, n, cut, end, g, lam),
    ),
    Mistake(
        "stops one step late",
        "gae",
        "Your advantages stop one step too late: terminated[t] says that the episode ended after"
        " step t, so step t itself takes nothing from t + 1.",
        lambda r, v, n, end, cut, g, lam: summed(
            td_errors(r, v, n, end, g), g * lam, one_step_late(end | cut)
        ),
    ),
    Mistake(
        "λ without γ",
        "gae",
        "Your advantages discount what follows by λ alone: it is γλ.",
        lambda r, v, n, end, cut, g, lam: summed(td_errors(r, v, n, end, g), lam, end | cut),
    ),
    Mistake(
        "γ without λ",
        "gae",
        "Your advantages discount what follows by γ alone: it is γλ.",
        lambda r, v, n, end, cut, g, lam: summed(td_errors(r, v, n, end, g), g, end | cut),
    ),
    Mistake(
        "no γ in δ",
        "gae",
        "Your TD errors leave out γ: δ = r + γ V̂(s') − V̂(s).",
        lambda r, v, n, end, cut, g, lam: summed(td_errors(r, v, n, end, 1.0), g * lam, end | cut),
    ),
    Mistake(
        "TD errors only",
        "gae",
        "Your advantages are the TD errors whatever λ is: what follows, γλ Â of the next step, is"
        " missing.",
        lambda r, v, n, end, cut, g, lam: td_errors(r, v, n, end, g),
    ),
    Mistake(
        "backwards",
        "gae",
        "Your advantages stand in reverse order: computed from the end, they must be turned round"
        " before they are returned.",
        lambda *one: gae(*one)[::-1],
    ),
    Mistake(
        "forwards",
        "gae",
        "Your recursion runs forwards: Â of a step needs Â of the step after it, so it starts at"
        " the end.",
        forwards,
    ),
    Mistake(
        "targets for advantages",
        "gae",
        "Your advantages have V̂ added again: Â + V̂ is the critic's target, not the advantage.",
        lambda r, v, n, end, cut, g, lam: gae(r, v, n, end, cut, g, lam) + v,
    ),
    Mistake(
        "wrong sign",
        "gae",
        "Your advantages have the wrong sign: what went better than V̂ expected is positive.",
        lambda *one: -gae(*one),
    ),
    Mistake(
        "weighted average",
        "gae",
        "Your advantages carry a factor 1 − λ: that belongs to the average of n-step advantages;"
        " written with δ it has cancelled.",
        lambda *one: (1 - one[6]) * gae(*one),
    ),
    Mistake(
        "returns from δ",
        "gae",
        "Your δ leaves out − V̂(s): it compares nothing with what was expected.",
        lambda r, v, n, end, cut, g, lam: summed(
            td_errors(r, 0 * v, n, end, g), g * lam, end | cut
        ),
    ),
    Mistake(
        "γλ in δ",
        "gae",
        "Your δ has γλ where it must have γ: λ belongs to the sum of the δ's only.",
        lambda r, v, n, end, cut, g, lam: summed(
            td_errors(r, v, n, end, g * lam), g * lam, end | cut
        ),
    ),
    Mistake(
        "advantages for targets",
        "value_targets",
        "Your targets are the advantages: V̂ learns what it should have said, Â + V̂.",
        lambda advantages, values: advantages,
    ),
    Mistake(
        "subtracted twice",
        "value_targets",
        "Your targets subtract V̂ from the advantages, which it was subtracted from already: add it.",
        lambda advantages, values: advantages - values,
    ),
    Mistake(
        "values for targets",
        "value_targets",
        "Your targets are what V̂ says already, so it would learn nothing: add the advantages.",
        lambda advantages, values: values,
    ),
    Mistake(
        "targets with the wrong sign",
        "value_targets",
        "Your targets lie on the wrong side of V̂: what went better than expected raises them,"
        " Â + V̂.",
        lambda advantages, values: values - advantages,
    ),
)

EXERCISE = Exercise(
    name="gae",
    summary="advantages with λ over several episodes, terminated and truncated",
    solution=solution,
    hints=HINTS,
    probes={
        "gae": [(*one, *discounts) for one in STRETCHES for discounts in DISCOUNTS],
        "value_targets": [(halves(STREAM, n), halves(STREAM, n)) for n in (1, 2, 5)],
    },
    checks=(
        answers,
        at_lambda_0,
        at_lambda_1,
        neighbours,
        the_last_step,
        side_by_side,
        at_a_truncation,
        at_a_termination,
        a_critic_that_is_right,
        targets_at_lambda_1,
        repeatable,
        learns,
    ),
    mistakes=MISTAKES,
)
