"""The one-step actor-critic: the TD error, a critic that learns from it, an actor that follows it."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

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
from pgviz.exercises.solutions import actor_critic as solution
from pgviz.exercises.solutions.actor_critic import (
    actor_gradient,
    critic_step,
    probabilities,
    td_errors,
)
from pgviz.exercises.solutions.baseline import returns_to_go
from pgviz.worlds.tabular import Bools, Floats, TabularMDP

HINTS = {
    "following = ": "V̂ of what follows; nothing follows termination",
    "return rewards + gamma": "the TD error",
    "errors = td_errors(": "from V̂ = obs @ weights, here and one step on",
    "return weights + ": "towards the target, a mean over the steps",
    "push = ": "∇ log π(a|s) in the logits, [T, A]",
    "return obs.T @ ": "Σ_t δ_t ∇θ log π(a_t|s_t)",
}

STREAM = np.random.default_rng(3)
Steps = tuple[Floats, Floats, Floats, Bools]
Actions = NDArray[np.integer]


def ended(*flags: int) -> Bools:
    return np.array(flags, bool)


ENDS = (ended(0), ended(1), ended(0, 1), ended(1, 0), ended(0, 1, 0, 0, 1))
STEPS: list[Steps] = [(*halves(STREAM, 3, len(ends)), ends) for ends in ENDS]
GAMMAS = (0.5, 1.0)
WHOLE = [(halves(STREAM, n), halves(STREAM, n)) for n in (1, 2, 3, 5)]
FITS = [
    (
        halves(STREAM, num_features),
        halves(STREAM, len(ends), num_features),
        halves(STREAM, len(ends), num_features),
        halves(STREAM, len(ends)),
        ends,
        0.5,
        rate,
    )
    for ends, num_features in zip(ENDS, (1, 1, 2, 2, 3), strict=True)
    for rate in (0.5, 0.1)
]
PUSHES = [
    (
        halves(STREAM, num_features, num_actions) / 2,
        halves(STREAM, num_steps, num_features),
        STREAM.integers(num_actions, size=num_steps),
        halves(STREAM, num_steps),
    )
    for num_steps, num_features, num_actions in ((1, 1, 2), (1, 2, 3), (2, 3, 2), (5, 2, 4))
]


def no_critic(yours: Yours) -> None:
    """Where V̂ = 0 everywhere the TD errors are the rewards."""
    for rewards, values, _, terminated in STEPS:
        must_be(
            yours.td_errors(rewards, 0 * values, 0 * values, terminated, 0.5),
            rewards,
            "Where V̂ is 0 everywhere the TD errors must be the rewards",
            "the reward",
            rewards=rewards,
            terminated=terminated,
        )


def one_more_here(yours: Yours) -> None:
    """1 more for V̂(s_t) lowers δ_t by 1."""
    for rewards, values, next_values, terminated in STEPS:
        more = yours.td_errors(rewards, values + 1, next_values, terminated, 0.5)
        must_be(
            more - yours.td_errors(rewards, values, next_values, terminated, 0.5),
            -np.ones(len(rewards)),
            "1 more for V̂(s_t) must lower δ by 1: the difference",
            "the right one",
            rewards=rewards,
            values=values,
            next_values=next_values,
            terminated=terminated,
        )


def one_more_next(yours: Yours) -> None:
    """1 more for V̂(s_{t+1}) raises δ_t by γ, and by nothing after termination."""
    for rewards, values, next_values, terminated in STEPS:
        for gamma in GAMMAS:
            more = yours.td_errors(rewards, values, next_values + 1, terminated, gamma)
            must_be(
                more - yours.td_errors(rewards, values, next_values, terminated, gamma),
                np.where(terminated, 0.0, gamma),
                "1 more for V̂(s_{t+1}) must raise δ by γ, and by 0 where the episode terminated: the"
                " difference",
                "the right one",
                terminated=terminated,
                gamma=gamma,
            )


def after_termination(yours: Yours) -> None:
    """Where the episode terminated δ = r − V̂(s)."""
    for rewards, values, next_values, terminated in STEPS:
        found = yours.td_errors(rewards, values, next_values, terminated, 0.5)
        must_be(
            np.where(terminated, found, 0.0),
            np.where(terminated, rewards - values, 0.0),
            "Where the episode terminated δ must be r − V̂(s)",
            "r − V̂",
            rewards=rewards,
            values=values,
            next_values=next_values,
            terminated=terminated,
        )


def telescope(yours: Yours) -> None:
    """Along an episode that terminates Σ_t γ^t δ_t = G_0 − V̂(s_0)."""
    for rewards, values in WHOLE:
        terminated = np.arange(len(rewards)) == len(rewards) - 1
        for gamma in GAMMAS:
            errors = yours.td_errors(rewards, values, np.append(values[1:], 3.0), terminated, gamma)
            must_be(
                gamma ** np.arange(len(rewards)) @ errors,
                returns_to_go(rewards, gamma)[0] - values[0],
                "Along an episode that terminates Σ_t γ^t δ_t must be G_0 − V̂(s_0)",
                "G_0 − V̂(s_0)",
                rewards=rewards,
                values=values,
                gamma=gamma,
            )


def nothing_to_correct(yours: Yours) -> None:
    """A critic whose TD errors are 0 stays as it is."""
    for weights, obs, next_obs, _, terminated, gamma, rate in FITS:
        rewards = obs @ weights - gamma * np.where(terminated, 0.0, next_obs @ weights)
        must_be(
            yours.critic_step(weights, obs, next_obs, rewards, terminated, gamma, rate),
            weights,
            "Where every TD error is 0 the weights must stay",
            "the old one",
            axis="weight",
            weights=weights,
            obs=obs,
            next_obs=next_obs,
        )


def towards_the_targets(yours: Yours) -> None:
    """A step goes down the slope of ½ mean (V̂(s) − y)², in which the targets y are fixed."""
    for weights, obs, next_obs, rewards, terminated, gamma, rate in FITS:
        moved = yours.critic_step(weights, obs, next_obs, rewards, terminated, gamma, rate)
        targets = rewards + gamma * np.where(terminated, 0.0, next_obs @ weights)
        must_be(
            (moved - weights) / rate,
            -slopes(partial(value_loss, obs, targets), weights),
            "The step, divided by the learning rate, must be the slope of ½ mean (V̂(s) − y)²"
            " downhill, in which y is a fixed number",
            "the measured slope",
            axis="weight",
            weights=weights,
            obs=obs,
            next_obs=next_obs,
        )


def a_batch_twice(yours: Yours) -> None:
    """For the critic the same steps twice make the same step: a mean, not a sum."""
    for weights, *steps, gamma, rate in FITS:
        twice = [np.concatenate([one, one]) for one in steps]
        must_be(
            yours.critic_step(weights, *twice, gamma, rate),
            yours.critic_step(weights, *steps, gamma, rate),
            "A batch that holds every step twice must move the weights as the batch itself does",
            "once",
            axis="weight",
            weights=weights,
        )


def nothing_to_learn(yours: Yours) -> None:
    """Where every δ is 0 the actor stays."""
    for theta, obs, actions, errors in PUSHES:
        must_be(
            yours.actor_gradient(theta, obs, actions, 0 * errors),
            np.zeros(theta.shape),
            "Where every δ is 0, ĝ must be 0",
            "the right one",
        )


def the_actor_climbs(yours: Yours) -> None:
    """ĝ is the slope of Σ_t δ_t log π(a_t|s_t) in θ, with the δ's fixed."""
    for theta, obs, actions, errors in PUSHES:
        must_be(
            yours.actor_gradient(theta, obs, actions, errors),
            slopes(partial(weighted_log_probs, obs, actions, errors), theta),
            "ĝ must be the slope of Σ_t δ_t log π(a_t|s_t) in each number of theta",
            "the measured slope",
            theta=theta,
            obs=obs,
            actions=actions,
            td_errors=errors,
        )


def weighted_log_probs(obs: Floats, actions: Actions, errors: Floats, theta: Floats) -> float:
    chosen = probabilities(theta, obs)[np.arange(len(actions)), actions]
    return float(errors @ np.log(chosen))


def steps_add_up(yours: Yours) -> None:
    """ĝ of a stretch is the sum of what its steps give alone."""
    for theta, obs, actions, errors in PUSHES:
        alone = [
            yours.actor_gradient(theta, obs[t : t + 1], actions[t : t + 1], errors[t : t + 1])
            for t in range(len(actions))
        ]
        must_be(
            yours.actor_gradient(theta, obs, actions, errors),
            np.sum(alone, axis=0),
            f"ĝ of {len(actions)} steps must be the sum of ĝ of each of them",
            "the sum",
        )


def the_exact_gradient(yours: Yours) -> None:
    """With the exact V the mean of ĝ over all episodes of the ladder is ∇J."""
    for world in finite.ladders():
        must_be(
            finite.mean(world, partial(estimate, yours, world)),
            finite.exact(world),
            f"{finite.described(world)} the mean of ĝ with the exact V must be the exact gradient",
            "the exact one",
        )


def estimate(yours: Yours, world: TabularMDP, tau: Trajectory) -> Floats:
    """ĝ of one episode."""
    errors = yours.td_errors(np.array(tau.rewards), *finite.values_along(world, tau), world.gamma)
    obs, actions = world.features[list(tau.states)], np.array(tau.actions)
    return yours.actor_gradient(world.theta, obs, actions, errors)


def learns(yours: Yours) -> str:
    """CartPole is learned"""
    stream = np.random.default_rng(0)
    theta: Floats = np.zeros((4, 2))
    weights: Floats = np.zeros(7)
    gamma = 0.98
    for update in range(cartpole.NUM_UPDATES):
        one = cartpole.joined(cartpole.play(theta, 8, stream))
        seen, next_seen = cartpole.features(one.obs), cartpole.features(one.next_obs)
        paid = one.rewards, one.terminated
        for _ in range(10):
            weights = yours.critic_step(weights, seen, next_seen, *paid, gamma, 1.0)
        values, next_values = seen @ weights, next_seen @ weights
        errors = yours.td_errors(one.rewards, values, next_values, one.terminated, gamma)
        gradient = yours.actor_gradient(theta, one.obs, one.actions, errors)
        theta = cartpole.uphill(theta, gradient, update)
    return cartpole.verdict(theta, stream)


# Wrong on purpose.


def stepped(weights: Floats, slope_obs: Floats, errors: Floats, learning_rate: float) -> Floats:
    """w + α mean_t δ_t x_t, with another δ or another x."""
    return weights + learning_rate * slope_obs.T @ errors / len(errors)


def pushed(obs: Floats, push: Floats, errors: Floats) -> Floats:
    return obs.T @ (errors[:, None] * push)


def one_hot(theta: Floats, actions: Actions) -> Floats:
    chosen: Floats = np.eye(theta.shape[1])[actions]
    return chosen


def of_chosen(theta: Floats, obs: Floats, actions: Actions) -> Floats:
    chosen: Floats = probabilities(theta, obs)[np.arange(len(actions)), actions]
    return chosen


MISTAKES = (
    Mistake(
        "termination ignored",
        "td_errors",
        "Your TD errors believe V̂ even after termination: nothing follows it, so V̂(s') counts as 0"
        " there.",
        lambda r, v, n, end, g: r + g * n - v,
    ),
    Mistake(
        "flag inverted",
        "td_errors",
        "Your TD errors have the flag the wrong way round: V̂(s') counts as 0 where terminated is"
        " True.",
        lambda r, v, n, end, g: r + g * np.where(end, n, 0.0) - v,
    ),
    Mistake(
        "wrong sign",
        "td_errors",
        "Your TD errors have the wrong sign: what went better than V̂ expected must be positive.",
        lambda r, v, n, end, g: -td_errors(r, v, n, end, g),
    ),
    Mistake(
        "no γ",
        "td_errors",
        "Your TD errors leave out γ: δ = r + γ V̂(s') − V̂(s).",
        lambda r, v, n, end, g: td_errors(r, v, n, end, 1.0),
    ),
    Mistake(
        "nothing subtracted",
        "td_errors",
        "Your TD errors are the targets r + γ V̂(s'): V̂(s) is not subtracted.",
        lambda r, v, n, end, g: td_errors(r, 0 * v, n, end, g),
    ),
    Mistake(
        "nothing at the end",
        "td_errors",
        "Your TD errors are 0 where the episode terminated: only V̂(s') is 0 there, the reward and"
        " V̂(s) still count.",
        lambda r, v, n, end, g: np.where(end, 0.0, td_errors(r, v, n, end, g)),
    ),
    Mistake(
        "no reward at the end",
        "td_errors",
        "Your TD errors leave out the last reward: termination removes V̂(s'), not the reward.",
        lambda r, v, n, end, g: np.where(end, 0.0, r + g * n) - v,
    ),
    Mistake(
        "values swapped",
        "td_errors",
        "Your TD errors have V̂(s) and V̂(s') the wrong way round.",
        lambda r, v, n, end, g: td_errors(r, n, v, end, g),
    ),
    Mistake(
        "rewards discounted",
        "td_errors",
        "Your TD errors multiply the reward by γ as well: γ belongs to V̂(s') only.",
        lambda r, v, n, end, g: td_errors(g * r, v, n, end, g),
    ),
    Mistake(
        "the target has a slope",
        "critic_step",
        "Your critic also differentiates its target: y = r + γ V̂(s') is a fixed number (detach), so"
        " only V̂(s) has a slope.",
        lambda w, x, n, r, end, g, lr: stepped(
            w, x - g * np.where(end, 0.0, 1.0)[:, None] * n, td_errors(r, x @ w, n @ w, end, g), lr
        ),
    ),
    Mistake(
        "away from the target",
        "critic_step",
        "Your critic moves away from its target: with δ = y − V̂(s) the weights move by + α δ x.",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, end, g, -lr),
    ),
    Mistake(
        "sum",
        "critic_step",
        "Your critic's step is a sum over the steps, so a longer batch moves it further: divide by"
        " the number of steps.",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, end, g, lr * len(r)),
    ),
    Mistake(
        "without ½",
        "critic_step",
        "Your critic's step is twice as long: the loss has a ½ in front, which takes away the 2 of"
        " the square's slope.",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, end, g, 2 * lr),
    ),
    Mistake(
        "termination ignored by the critic",
        "critic_step",
        "Your critic believes itself even after termination: hand `terminated` on to the TD"
        " errors.",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, 0 * end, g, lr),
    ),
    Mistake(
        "rewards as targets",
        "critic_step",
        "Your critic learns the reward of one step: its target is r + γ V̂(s').",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, 0 * end + 1, g, lr),
    ),
    Mistake(
        "no learning rate",
        "critic_step",
        "Your critic's step leaves out the learning rate.",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, end, g, 1.0),
    ),
    Mistake(
        "the change itself",
        "critic_step",
        "Your critic returns by how much its weights change: it must return the new weights.",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, end, g, lr) - w,
    ),
    Mistake(
        "no γ in the critic",
        "critic_step",
        "Your critic's target leaves out γ: it is r + γ V̂(s').",
        lambda w, x, n, r, end, g, lr: critic_step(w, x, n, r, end, 1.0, lr),
    ),
    Mistake(
        "descent",
        "actor_gradient",
        "Your actor goes downhill: that is the gradient of a loss, but ĝ must be that of J.",
        lambda theta, obs, actions, errors: -actor_gradient(theta, obs, actions, errors),
    ),
    Mistake(
        "mean over steps",
        "actor_gradient",
        "Your actor takes the mean over the steps: ĝ of an episode is a sum over its steps.",
        lambda theta, obs, actions, errors: (
            actor_gradient(theta, obs, actions, errors) / len(errors)
        ),
    ),
    Mistake(
        "no log",
        "actor_gradient",
        "Your actor follows the slope of π itself: the logarithm is missing, which divides it by"
        " π(a|s).",
        lambda theta, obs, actions, errors: actor_gradient(
            theta, obs, actions, errors * of_chosen(theta, obs, actions)
        ),
    ),
    Mistake(
        "only the chosen",
        "actor_gradient",
        "Your actor pushes the chosen actions only: the slope of the sum in the softmax, −π for"
        " every action, is missing.",
        lambda theta, obs, actions, errors: pushed(obs, one_hot(theta, actions), errors),
    ),
    Mistake(
        "δ forgotten",
        "actor_gradient",
        "Your actor does not weigh its steps: each ∇log π is multiplied by its δ.",
        lambda theta, obs, actions, errors: actor_gradient(theta, obs, actions, 0 * errors + 1),
    ),
    Mistake(
        "one δ for all",
        "actor_gradient",
        "Your actor multiplies every step by the sum of all δ's: each ∇log π has its own.",
        lambda theta, obs, actions, errors: actor_gradient(
            theta, obs, actions, 0 * errors + errors.sum()
        ),
    ),
    Mistake(
        "squared",
        "actor_gradient",
        "Your actor weighs its steps by δ²: that is the critic's loss, and has lost the sign.",
        lambda theta, obs, actions, errors: actor_gradient(theta, obs, actions, errors**2),
    ),
)

EXERCISE = Exercise(
    name="actor-critic",
    summary="TD errors, the critic's semi-gradient and the actor's gradient",
    solution=solution,
    hints=HINTS,
    probes={
        "td_errors": [(*steps, gamma) for steps in STEPS for gamma in GAMMAS],
        "critic_step": FITS,
        "actor_gradient": PUSHES,
    },
    checks=(
        answers,
        no_critic,
        one_more_here,
        one_more_next,
        after_termination,
        telescope,
        nothing_to_correct,
        towards_the_targets,
        a_batch_twice,
        nothing_to_learn,
        the_actor_climbs,
        steps_add_up,
        the_exact_gradient,
        repeatable,
        learns,
    ),
    mistakes=MISTAKES,
)
