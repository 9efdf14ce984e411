"""REINFORCE: the return from each step on, the softmax policy, its score, and ĝ."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

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
    slopes,
)
from pgviz.exercises.solutions import reinforce as solution
from pgviz.exercises.solutions.reinforce import (
    policy_gradient,
    probabilities,
    returns_to_go,
    score,
)
from pgviz.worlds.tabular import Floats, TabularMDP

HINTS = {
    "following = rewards[t] + gamma * following": "the reward, and what follows it",
    "weights = np.exp(": "positive weights that cannot overflow",
    "return weights / ": "they sum to 1",
    "return np.outer(": "∇θ log π(a|s), the shape of theta",
    "gradient += ": "what this step adds to ĝ",
    "return gradient / ": "the mean over what?",
}

STREAM = np.random.default_rng(0)
REWARDS = [halves(STREAM, num_steps) for num_steps in (1, 2, 3, 5)]
GAMMAS = (0.5, 1.0)
THETAS = [halves(STREAM, *shape) for shape in ((1, 2), (2, 3), (4, 2))]


def an_episode(theta: Floats, num_steps: int) -> tuple[NDArray, ...]:
    """Observations, actions and rewards."""
    num_features, num_actions = theta.shape
    return (
        halves(STREAM, num_steps, num_features),
        STREAM.integers(num_actions, size=num_steps),
        halves(STREAM, num_steps),
    )


BATCHES = [
    [an_episode(theta, num_steps) for num_steps in lengths]
    for theta in THETAS
    for lengths in ((1,), (2,), (1, 3), (4, 2, 3))
]
CHOICES = [
    (theta, halves(STREAM, theta.shape[0]), action)
    for theta in THETAS
    for action in range(theta.shape[1])
]
LARGE = [(np.array([[1000.0, 1000.0 - less]]), np.ones(1)) for less in (1, 2000)]


def the_last_return(yours: Yours) -> None:
    """The last return is the last reward."""
    for rewards in REWARDS:
        must_be(
            yours.returns_to_go(rewards, 0.5)[-1],
            rewards[-1],
            "Nothing follows the last step, so its return must be its reward",
            "the reward",
            rewards=rewards,
        )


def the_returns_of_neighbours(yours: Yours) -> None:
    """G_t = r_t + γ G_{t+1}."""
    for rewards in REWARDS:
        for gamma in GAMMAS:
            returns = yours.returns_to_go(rewards, gamma)
            must_be(
                returns[:-1],
                rewards[:-1] + gamma * returns[1:],
                "Each return must be its reward plus γ times the next return",
                "r + γ G of the next step",
                rewards=rewards,
                gamma=gamma,
            )


def the_past_does_not_count(yours: Yours) -> None:
    """An earlier reward changes no later return."""
    for rewards in REWARDS:
        earlier = rewards.copy()
        earlier[0] += 10
        must_be(
            yours.returns_to_go(earlier, 0.5)[1:],
            yours.returns_to_go(rewards, 0.5)[1:],
            "An action cannot cause the rewards before it, so 10 more for step 0 must leave the"
            " returns of the later steps: after it",
            "what it was",
        )


def probabilities_sum_to_one(yours: Yours) -> None:
    """Probabilities are positive and sum to 1."""
    for theta, obs, _ in CHOICES:
        found = yours.probabilities(theta, obs)
        must_be(found.sum(), 1, "The probabilities must sum to 1", "the sum", theta=theta, obs=obs)
        if (found < 0).any():
            raise Refused(f"Probabilities must not be negative, but one of yours is {found.min()}.")


def probabilities_are_a_softmax(yours: Yours) -> None:
    """log π(a|s) − log π(b|s) is the difference of their logits."""
    for theta, obs, action in CHOICES:
        found = yours.probabilities(theta, obs)
        if (found <= 0).any():
            raise Refused("A softmax gives every action a probability above 0, but yours has a 0.")
        logits = obs @ theta
        must_be(
            np.log(found) - np.log(found[action]),
            logits - logits[action],
            "The logarithms of two probabilities must differ by as much as their logits",
            "the difference of the logits",
            axis="action",
            theta=theta,
            obs=obs,
        )


def large_logits(yours: Yours) -> None:
    """Logits of 1000 do not overflow."""
    for theta, obs in LARGE:
        less = theta[0, 0] - theta[0, 1]
        must_be(
            yours.probabilities(theta, obs),
            np.array([1.0, np.exp(-less)]) / (1 + np.exp(-less)),
            "Only the differences of logits count, however large they are",
            "the right probability",
            axis="action",
            theta=theta,
            obs=obs,
        )


def the_score_is_a_slope(yours: Yours) -> None:
    """The score is the slope of log π(a|s) in θ."""
    for theta, obs, action in CHOICES:
        must_be(
            yours.score(theta, obs, action),
            slopes(partial(log_prob, obs=obs, action=action), theta),
            "The score must be the slope of log π(a|s) in each number of theta",
            "the measured slope",
            theta=theta,
            obs=obs,
            action=action,
        )


def log_prob(theta: Floats, obs: Floats, action: int) -> float:
    return float(np.log(probabilities(theta, obs)[action]))


def the_mean_score_is_zero(yours: Yours) -> None:
    """The score has mean 0: Σ_a π(a|s) ∇log π(a|s) = 0."""
    for theta, obs, _ in CHOICES:
        pi = probabilities(theta, obs)
        mean = sum(p * yours.score(theta, obs, action) for action, p in enumerate(pi))
        must_be(
            np.asarray(mean),
            np.zeros(theta.shape),
            "Under π the score must have mean 0",
            "the right mean",
            theta=theta,
            obs=obs,
        )


def rewards_of_zero(yours: Yours) -> None:
    """Without rewards there is nothing to climb."""
    for batch in BATCHES[:4]:
        unpaid = [(obs, actions, 0 * rewards) for obs, actions, rewards in batch]
        theta = THETAS[0]
        must_be(
            yours.policy_gradient(theta, unpaid, 1.0),
            np.zeros(theta.shape),
            "Without rewards ĝ must be 0",
            "the right one",
        )


def one_step(yours: Yours) -> None:
    """After one step that pays 1, ĝ is the score of its action."""
    for theta, obs, action in CHOICES:
        episode = (obs[None], np.array([action]), np.ones(1))
        must_be(
            yours.policy_gradient(theta, [episode], 0.5),
            score(theta, obs, action),
            "After one step that pays 1, ĝ must be the score of its action",
            "the score",
            theta=theta,
            obs=obs,
            action=action,
        )


def episodes_are_averaged(yours: Yours) -> None:
    """ĝ of a batch is the mean of ĝ of each episode, short ones and long ones alike."""
    for i, batch in enumerate(BATCHES):
        theta = THETAS[i // 4]
        alone = [yours.policy_gradient(theta, [episode], 0.5) for episode in batch]
        must_be(
            yours.policy_gradient(theta, batch, 0.5),
            np.mean(alone, axis=0),
            f"ĝ of {len(batch)} episodes must be the mean of ĝ of each of them",
            "the mean",
        )


def the_exact_gradient(yours: Yours) -> None:
    """Over all episodes of the ladder the mean of ĝ is ∇J."""
    for world in finite.ladders():
        must_be(
            finite.mean(
                world,
                lambda tau, w=world: yours.policy_gradient(w.theta, [episode(w, tau)], w.gamma),  # type: ignore[misc]
            ),
            finite.exact(world),
            f"{finite.described(world)} the mean of ĝ must be the exact gradient",
            "the exact one",
        )


def episode(world: TabularMDP, tau: Trajectory) -> tuple[NDArray, ...]:
    """Observations, actions and rewards."""
    return world.features[list(tau.states)], np.array(tau.actions), np.array(tau.rewards)


def learns(yours: Yours) -> str:
    """CartPole is learned"""
    stream = np.random.default_rng(0)
    theta: Floats = np.zeros((4, 2))
    for update in range(cartpole.NUM_UPDATES):
        episodes = cartpole.play(theta, 8, stream)
        batch = [(episode.obs, episode.actions, episode.rewards) for episode in episodes]
        theta = cartpole.uphill(theta, yours.policy_gradient(theta, batch, 0.99), update)
    return cartpole.verdict(theta, stream)


# Wrong on purpose.


def forwards(rewards: Floats, gamma: float) -> Floats:
    return np.array([sum(rewards[: t + 1]) for t in range(len(rewards))])


def whole(rewards: Floats, gamma: float) -> Floats:
    return np.full(len(rewards), returns_to_go(rewards, gamma)[0])


def from_the_start(rewards: Floats, gamma: float) -> Floats:
    return gamma ** np.arange(len(rewards)) * returns_to_go(rewards, gamma)


def ascended(theta: Floats, episodes: list, weigh: object) -> Floats:
    """(1/N) Σ_episodes Σ_t Ψ_t ∇log π with other Ψ's."""
    total = np.zeros(theta.shape)
    for obs, actions, rewards in episodes:
        psi = weigh(rewards)  # type: ignore[operator]
        total += sum(psi[t] * score(theta, obs[t], a) for t, a in enumerate(actions))
    return total / len(episodes)


MISTAKES = (
    Mistake(
        "returns backwards",
        "returns_to_go",
        "Your returns stand in reverse order: computed from the end, they must be turned round"
        " before they are returned.",
        lambda rewards, gamma: returns_to_go(rewards, gamma)[::-1],
    ),
    Mistake(
        "rewards so far",
        "returns_to_go",
        "Your returns add up the rewards up to each step, but an action is credited with the"
        " rewards from its step on.",
        forwards,
    ),
    Mistake(
        "whole return",
        "returns_to_go",
        "Your returns are the return of the whole episode at every step, so each action is also"
        " credited with rewards that came before it.",
        whole,
    ),
    Mistake(
        "discount from the start",
        "returns_to_go",
        "Your returns discount from the start of the episode: in G_t the reward of step t itself"
        " has the factor γ^0 = 1.",
        from_the_start,
    ),
    Mistake(
        "no discount",
        "returns_to_go",
        "Your returns do not discount: γ must multiply what follows each reward.",
        lambda rewards, gamma: returns_to_go(rewards, 1.0),
    ),
    Mistake(
        "own reward left out",
        "returns_to_go",
        "Your returns leave out the reward of their own step: rewards[t] follows actions[t], so it"
        " belongs to G_t.",
        lambda rewards, gamma: np.append(returns_to_go(rewards, gamma)[1:], 0.0),
    ),
    Mistake(
        "rewards for returns",
        "returns_to_go",
        "Your returns are the rewards: the rewards that follow later are missing.",
        lambda rewards, gamma: rewards,
    ),
    Mistake(
        "discounted once too often",
        "returns_to_go",
        "Your returns multiply their own reward by γ, too: γ belongs to what follows only.",
        lambda rewards, gamma: gamma * returns_to_go(rewards, gamma),
    ),
    Mistake(
        "overflow",
        "probabilities",
        "Your softmax overflows for large logits: subtract the largest logit from all of them"
        " before np.exp, which changes no probability.",
        lambda theta, obs: np.exp(obs @ theta) / np.exp(obs @ theta).sum(),
    ),
    Mistake(
        "not divided",
        "probabilities",
        "Your probabilities are not divided by their sum, so they do not sum to 1.",
        lambda theta, obs: np.exp(obs @ theta - (obs @ theta).max()),
    ),
    Mistake(
        "log probabilities",
        "probabilities",
        "Your probabilities are their logarithms: a softmax returns exp(z) divided by its sum.",
        lambda theta, obs: np.log(probabilities(theta, obs)),
    ),
    Mistake(
        "logits",
        "probabilities",
        "Your probabilities are the logits: np.exp is missing.",
        lambda theta, obs: obs @ theta,
    ),
    Mistake(
        "softmax of the negative",
        "probabilities",
        "Your softmax has the wrong sign in the exponent: a larger logit must make its action more"
        " likely.",
        lambda theta, obs: probabilities(-theta, obs),
    ),
    Mistake(
        "no log",
        "score",
        "Your score is the slope of π itself: the logarithm is missing, which divides it by"
        " π(a|s).",
        lambda theta, obs, action: probabilities(theta, obs)[action] * score(theta, obs, action),
    ),
    Mistake(
        "only the chosen",
        "score",
        "Your score pushes the chosen action only: the slope of the sum in the softmax, −π for"
        " every action, is missing.",
        lambda theta, obs, action: np.outer(obs, np.eye(theta.shape[1])[action]),
    ),
    Mistake(
        "downhill score",
        "score",
        "Your score has the wrong sign: ∇log π makes the chosen action more likely, e_a − π and not"
        " π − e_a.",
        lambda theta, obs, action: -score(theta, obs, action),
    ),
    Mistake(
        "mean over steps",
        "policy_gradient",
        "Your ĝ divides by the number of steps: it is a sum over the steps of an episode, and a"
        " mean over episodes.",
        lambda theta, episodes, gamma: (
            policy_gradient(theta, episodes, gamma)
            * len(episodes)
            / sum(len(rewards) for *_, rewards in episodes)
        ),
    ),
    Mistake(
        "mean within episodes",
        "policy_gradient",
        "Your ĝ takes the mean over the steps of each episode, so long episodes lose weight: within"
        " an episode the steps are summed.",
        lambda theta, episodes, gamma: ascended(
            theta, episodes, lambda rewards: returns_to_go(rewards, gamma) / len(rewards)
        ),
    ),
    Mistake(
        "sum over episodes",
        "policy_gradient",
        "Your ĝ is the sum over the episodes: divide it by their number.",
        lambda theta, episodes, gamma: policy_gradient(theta, episodes, gamma) * len(episodes),
    ),
    Mistake(
        "with γ^t",
        "policy_gradient",
        "Your ĝ has the theorem's γ^t in front of G_t: that is the gradient of J for γ < 1, but"
        " this exercise leaves it out, as training does.",
        lambda theta, episodes, gamma: ascended(
            theta, episodes, lambda rewards: from_the_start(rewards, gamma)
        ),
    ),
    Mistake(
        "descent",
        "policy_gradient",
        "Your ĝ points downhill: it is the gradient of a loss, −J, but ĝ must be that of J.",
        lambda theta, episodes, gamma: -policy_gradient(theta, episodes, gamma),
    ),
    Mistake(
        "whole return in ĝ",
        "policy_gradient",
        "Your ĝ credits every action with the return of the whole episode: use the return from its"
        " own step on.",
        lambda theta, episodes, gamma: ascended(
            theta, episodes, lambda rewards: whole(rewards, gamma)
        ),
    ),
    Mistake(
        "rewards in ĝ",
        "policy_gradient",
        "Your ĝ multiplies each score by the reward of its own step only: use the return from that"
        " step on.",
        lambda theta, episodes, gamma: ascended(theta, episodes, lambda rewards: rewards),
    ),
    Mistake(
        "no discount in ĝ",
        "policy_gradient",
        "Your ĝ does not hand γ on to the returns.",
        lambda theta, episodes, gamma: policy_gradient(theta, episodes, 1.0),
    ),
    Mistake(
        "last episode only",
        "policy_gradient",
        "Your ĝ knows the last episode only: set the sum to 0 once, before the first episode.",
        lambda theta, episodes, gamma: policy_gradient(theta, episodes[-1:], gamma) / len(episodes),
    ),
)

EXERCISE = Exercise(
    name="reinforce",
    summary="returns, the softmax and its score, and the gradient from whole episodes",
    solution=solution,
    hints=HINTS,
    probes={
        "returns_to_go": [(rewards, gamma) for rewards in REWARDS for gamma in GAMMAS],
        "probabilities": [*((theta, obs) for theta, obs, _ in CHOICES), *LARGE],
        "score": CHOICES,
        "policy_gradient": [(THETAS[i // 4], batch, 0.5) for i, batch in enumerate(BATCHES)],
    },
    checks=(
        answers,
        the_last_return,
        the_returns_of_neighbours,
        the_past_does_not_count,
        probabilities_sum_to_one,
        probabilities_are_a_softmax,
        large_logits,
        the_score_is_a_slope,
        the_mean_score_is_zero,
        rewards_of_zero,
        one_step,
        episodes_are_averaged,
        the_exact_gradient,
        repeatable,
        learns,
    ),
    mistakes=MISTAKES,
)
