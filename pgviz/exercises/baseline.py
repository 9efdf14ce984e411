"""A learned baseline: what is subtracted from the returns, and how it is fitted."""

from functools import partial

import numpy as np

from pgviz.exact.trajectories import Trajectory
from pgviz.exercises import cartpole, finite
from pgviz.exercises.checking import (
    Exercise,
    Mistake,
    Yours,
    answers,
    halves,
    must_be,
    repeatable,
    slopes,
    value_loss,
)
from pgviz.exercises.solutions import baseline as solution
from pgviz.exercises.solutions.actor_critic import actor_gradient
from pgviz.exercises.solutions.baseline import advantages, returns_to_go, value_step
from pgviz.worlds.tabular import Floats, TabularMDP

HINTS = {
    "return returns_to_go(rewards, gamma) - values": "better or worse than expected?",
    "errors = ": "how far V̂ is off, with its sign",
    "gradient = ": "the slope of ½ mean (V̂ − G)² in weights",
    "return weights - ": "a step downhill",
}

STREAM = np.random.default_rng(1)
EPISODES = [(halves(STREAM, n), halves(STREAM, n)) for n in (1, 2, 3, 5)]
GAMMAS = (0.5, 1.0)
FITS = [
    (halves(STREAM, num_features), halves(STREAM, n, num_features), halves(STREAM, n), rate)
    for n, num_features in ((1, 1), (1, 2), (2, 2), (5, 3))
    for rate in (0.5, 0.1)
]


def without_a_critic(yours: Yours) -> None:
    """Where V̂ = 0 the advantages are the returns."""
    for rewards, values in EPISODES:
        for gamma in GAMMAS:
            must_be(
                yours.advantages(rewards, 0 * values, gamma),
                returns_to_go(rewards, gamma),
                "Where V̂ is 0 the advantages must be the returns",
                "G",
                rewards=rewards,
                gamma=gamma,
            )


def a_critic_that_is_right(yours: Yours) -> None:
    """Where V̂ is the return nothing is left."""
    for rewards, _ in EPISODES:
        must_be(
            yours.advantages(rewards, returns_to_go(rewards, 0.5), 0.5),
            np.zeros(len(rewards)),
            "Where V̂ is exactly the return, the advantage must be 0",
            "the right one",
            rewards=rewards,
            gamma=0.5,
        )


def one_more_expected(yours: Yours) -> None:
    """Expecting 1 more at a step lowers its advantage by 1, and no other."""
    for rewards, values in EPISODES:
        for step in range(len(values)):
            more = values.copy()
            more[step] += 1
            must_be(
                yours.advantages(rewards, more, 0.5) - yours.advantages(rewards, values, 0.5),
                more * 0 - (np.arange(len(values)) == step),
                f"1 more for V̂ at step {step} must lower the advantage of that step by 1 and change"
                " no other: the difference",
                "the right one",
                rewards=rewards,
                values=values,
                gamma=0.5,
            )


def the_exact_gradient(yours: Yours) -> None:
    """Whatever V̂ says, the mean of ĝ over all episodes of the ladder is ∇J."""
    for world in finite.ladders():
        must_be(
            finite.mean(world, partial(estimate, yours, world, 0.0)),
            finite.exact(world),
            f"{finite.described(world)} the mean of ĝ must be the exact gradient whatever V̂ says",
            "the exact one",
        )


def a_constant_more(yours: Yours) -> None:
    """A constant added to all rewards leaves the mean of ĝ where it is."""
    for world in finite.ladders():
        must_be(
            finite.mean(world, partial(estimate, yours, world, 5.0)),
            finite.exact(world),
            f"{finite.described(world)} 5 more for every reward must not move the mean of ĝ",
            "the exact one",
        )


CRITIC = np.array([2.0, -1.0, 0.5])  # for each rung, right or wrong


def estimate(yours: Yours, world: TabularMDP, more: float, tau: Trajectory) -> Floats:
    """ĝ of one episode."""
    rewards = np.array(tau.rewards) + more
    return tau.score(world, yours.advantages(rewards, CRITIC[list(tau.states)], world.gamma))


def nothing_to_correct(yours: Yours) -> None:
    """A critic that is right already stays as it is."""
    for weights, obs, _, rate in FITS:
        must_be(
            yours.value_step(weights, obs, obs @ weights, rate),
            weights,
            "Where V̂ is the return already, the weights must stay",
            "the old one",
            axis="weight",
            weights=weights,
            obs=obs,
        )


def towards_the_returns(yours: Yours) -> None:
    """A step goes down the slope of ½ mean (V̂ − G)²."""
    for weights, obs, returns, rate in FITS:
        moved = yours.value_step(weights, obs, returns, rate) - weights
        must_be(
            moved / rate,
            -slopes(partial(value_loss, obs, returns), weights),
            "The step, divided by the learning rate, must be the slope of ½ mean (V̂ − G)² downhill",
            "the measured slope",
            axis="weight",
            weights=weights,
            obs=obs,
            returns=returns,
        )


def a_batch_twice(yours: Yours) -> None:
    """The same steps twice make the same step: a mean, not a sum."""
    for weights, obs, returns, rate in FITS:
        must_be(
            yours.value_step(weights, np.vstack([obs, obs]), np.append(returns, returns), rate),
            yours.value_step(weights, obs, returns, rate),
            "A batch that holds every step twice must move the weights as the batch itself does",
            "once",
            axis="weight",
            weights=weights,
            obs=obs,
            returns=returns,
        )


def learns(yours: Yours) -> str:
    """CartPole is learned"""
    stream = np.random.default_rng(0)
    theta: Floats = np.zeros((4, 2))
    weights: Floats = np.zeros(7)
    for update in range(cartpole.NUM_UPDATES):
        episodes = cartpole.play(theta, 8, stream)
        gradient = np.zeros((4, 2))
        for one in episodes:
            psi = yours.advantages(one.rewards, cartpole.features(one.obs) @ weights, 0.99)
            gradient += actor_gradient(theta, one.obs, one.actions, psi)
        seen = cartpole.features(cartpole.joined(episodes).obs)
        returns = np.concatenate([returns_to_go(one.rewards, 0.99) for one in episodes])
        for _ in range(10):
            weights = yours.value_step(weights, seen, returns, 0.2)
        theta = cartpole.uphill(theta, gradient, update)
    return cartpole.verdict(theta, stream)


# Wrong on purpose.


def whitened(rewards: Floats, values: Floats, gamma: float) -> Floats:
    found = advantages(rewards, values, gamma)
    return (found - found.mean()) / (found.std() + 1e-8)


def believed(rewards: Floats, values: Floats, gamma: float) -> Floats:
    return rewards + gamma * np.append(values[1:], 0.0) - values


MISTAKES = (
    Mistake(
        "expected minus got",
        "advantages",
        "Your advantages have the wrong sign: what went better than expected must be positive,"
        " G − V̂.",
        lambda rewards, values, gamma: -advantages(rewards, values, gamma),
    ),
    Mistake(
        "no baseline",
        "advantages",
        "Your advantages are the returns: V̂ is not subtracted.",
        lambda rewards, values, gamma: returns_to_go(rewards, gamma),
    ),
    Mistake(
        "added",
        "advantages",
        "Your advantages add V̂ to the returns: a baseline is subtracted.",
        lambda rewards, values, gamma: returns_to_go(rewards, gamma) + values,
    ),
    Mistake(
        "rewards for returns",
        "advantages",
        "Your advantages subtract V̂ from the reward of one step: V̂ expects the whole return, so it"
        " is subtracted from G.",
        lambda rewards, values, gamma: rewards - values,
    ),
    Mistake(
        "believed",
        "advantages",
        "Your advantages are TD errors: they believe V̂ about what follows, while a baseline is"
        " subtracted from the return and never believed.",
        believed,
    ),
    Mistake(
        "discount forgotten",
        "advantages",
        "Your advantages do not discount: hand γ on to the returns.",
        lambda rewards, values, gamma: returns_to_go(rewards, 1.0) - values,
    ),
    Mistake(
        "own mean",
        "advantages",
        "Your advantages subtract the mean of the episode's own returns in place of V̂: that mean"
        " contains what the actions caused, which biases ĝ.",
        lambda rewards, values, gamma: (
            returns_to_go(rewards, gamma) - returns_to_go(rewards, gamma).mean()
        ),
    ),
    Mistake(
        "centred",
        "advantages",
        "Your advantages subtract their own mean as well: it contains what the actions caused, and"
        " in an episode of one step nothing is left.",
        lambda rewards, values, gamma: (
            advantages(rewards, values, gamma) - advantages(rewards, values, gamma).mean()
        ),
    ),
    Mistake(
        "whitened",
        "advantages",
        "Your advantages are normalised, with the mean and the spread of this one episode: that is"
        " another step, and it changes what is estimated.",
        whitened,
    ),
    Mistake(
        "whole return",
        "advantages",
        "Your advantages subtract V̂ from the return of the whole episode: use the return from each"
        " step on.",
        lambda rewards, values, gamma: returns_to_go(rewards, gamma)[0] - values,
    ),
    Mistake(
        "away from the returns",
        "value_step",
        "Your critic's step goes uphill on its own error: subtract the slope of the loss.",
        lambda weights, obs, returns, learning_rate: value_step(
            weights, obs, returns, -learning_rate
        ),
    ),
    Mistake(
        "sum",
        "value_step",
        "Your critic's step is a sum over the steps, so a longer batch moves it further: divide by"
        " the number of steps.",
        lambda weights, obs, returns, learning_rate: value_step(
            weights, obs, returns, learning_rate * len(returns)
        ),
    ),
    Mistake(
        "without ½",
        "value_step",
        "Your critic's step is twice as long: the loss has a ½ in front, which takes away the 2 of"
        " the square's slope.",
        lambda weights, obs, returns, learning_rate: value_step(
            weights, obs, returns, 2 * learning_rate
        ),
    ),
    Mistake(
        "no learning rate",
        "value_step",
        "Your critic's step leaves out the learning rate.",
        lambda weights, obs, returns, learning_rate: value_step(weights, obs, returns, 1.0),
    ),
    Mistake(
        "the gradient itself",
        "value_step",
        "Your critic returns the slope of its loss: it must return the weights after the step.",
        lambda weights, obs, returns, learning_rate: (
            obs.T @ (obs @ weights - returns) / len(returns)
        ),
    ),
    Mistake(
        "the change itself",
        "value_step",
        "Your critic returns by how much its weights change: it must return the new weights.",
        lambda weights, obs, returns, learning_rate: (
            value_step(weights, obs, returns, learning_rate) - weights
        ),
    ),
)

EXERCISE = Exercise(
    name="baseline",
    summary="what a critic is subtracted from, and one step of its fit",
    solution=solution,
    hints=HINTS,
    probes={
        "advantages": [(*episode, gamma) for episode in EPISODES for gamma in GAMMAS],
        "value_step": FITS,
    },
    checks=(
        answers,
        without_a_critic,
        a_critic_that_is_right,
        one_more_expected,
        the_exact_gradient,
        a_constant_more,
        nothing_to_correct,
        towards_the_returns,
        a_batch_twice,
        repeatable,
        learns,
    ),
    mistakes=MISTAKES,
)
