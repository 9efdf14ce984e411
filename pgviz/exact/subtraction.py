"""Why a baseline is free, line by line, each line with its receipt; see `derivation` for the form.

The baseline of these lines is b(s) = V(s), but any other number per state would do: the break of
each line lets it depend on something it must not know.
"""

from functools import partial

import numpy as np

from pgviz import broken as twins
from pgviz.estimators import discount_factors, reward_to_go
from pgviz.exact.by_hand import parabolas
from pgviz.exact.derivation import (
    Line,
    Receipt,
    derivative,
    estimated,
    objective_at,
    policy_at,
    probabilities_keep_their_sum,
)
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.trajectories import Trajectory, expectation, trajectories
from pgviz.exact.values import action_values, logit_push, logit_scores, state_values
from pgviz.worlds.tabular import Floats, TabularMDP

KNOWS_THE_ACTION = "let b know the action"
OWN_MEAN = "use the episode's own mean"
MOVED_FIRST = "move b before it is used"
RATE = 0.1


def baseline(world: TabularMDP) -> Floats:
    """b(s) [S]: V(s), at the first step where there is a horizon."""
    values = state_values(world)
    return values if world.horizon is None else values[0]


def _first_action_values(world: TabularMDP) -> Floats:
    values = action_values(world)
    return values if world.horizon is None else values[0]


def the_score_is_a_slope(world: TabularMDP, broken: str | None = None) -> Receipt:
    left = derivative(partial(policy_at, world), np.asarray(world.theta))
    scores = np.einsum("sf,sab->safb", world.features, logit_scores(world))
    right = world.policy[:, :, None, None] * scores
    return Receipt(
        r"\nabla\pi(a|s) = \pi(a|s)\,\nabla\log\pi(a|s)",
        "the log trick, for one action",
        left,
        right,
        "identity",
        broken,
    )


def one_state(world: TabularMDP, broken: str | None = None) -> Receipt:
    """E_a[b(s) ∇log π(a|s)] in every state."""
    subtract = np.broadcast_to(baseline(world)[:, None], world.policy.shape)
    if broken == KNOWS_THE_ACTION:
        subtract = _first_action_values(world)
    logits = logit_push(world.policy, world.policy * subtract)
    left = world.features[:, :, None] * logits[:, None, :]
    return Receipt(
        r"\mathbb{E}_{a\sim\pi}\big[b(s)\,\nabla\log\pi(a|s)\big]"
        r" = b(s)\sum_a \nabla\pi(a|s) = 0",
        "b(s) is the same for every action, so it comes out of the sum, and the sum is 0",
        left,
        np.zeros_like(left),
        "expectation",
        broken,
    )


def whole_episode(world: TabularMDP, broken: str | None = None) -> Receipt:
    """E[Σ_t γ^t b(s_t) ∇log π(a_t|s_t)] over all episodes."""
    values, q = baseline(world), _first_action_values(world)

    def subtracted(tau: Trajectory) -> Floats:
        s, a = list(tau.states), list(tau.actions)
        rewards = np.array(tau.rewards)
        b = q[s, a] if broken == KNOWS_THE_ACTION else values[s]
        if broken == OWN_MEAN:
            to_go = reward_to_go(rewards, world.gamma)
            b = to_go - twins.own_episode_mean(rewards, world.gamma, np.ones(len(s), bool))
        return tau.score(world, discount_factors(world.gamma, len(s)) * b)

    left = expectation(trajectories(world), subtracted)
    return Receipt(
        r"\mathbb{E}\Big[\sum_t \gamma^t\, b(s_t)\,\nabla\log\pi(a_t|s_t)\Big] = 0",
        "given sₜ each term has mean 0, whatever came before",
        left,
        np.zeros_like(left),
        "expectation",
        broken,
    )


def the_gradient_stays(world: TabularMDP, broken: str | None = None) -> Receipt:
    """E[Σ_t γ^t (G_t − b(s_t)) ∇log π(a_t|s_t)] against the derivative of J."""
    values = baseline(world)

    def estimate(tau: Trajectory) -> Floats:
        rewards, s = np.array(tau.rewards), list(tau.states)
        to_go = reward_to_go(rewards, world.gamma)
        psi: Floats = to_go - values[s]
        if broken == MOVED_FIRST:
            psi = to_go - (values[s] + RATE * (to_go - values[s]))
        if broken == OWN_MEAN:
            psi = twins.own_episode_mean(rewards, world.gamma, np.ones(len(s), bool))
        return tau.score(world, discount_factors(world.gamma, len(s)) * psi)

    return Receipt(
        r"\nabla J = \mathbb{E}\Big[\sum_t \gamma^t\,\big(G_t - b(s_t)\big)"
        r"\,\nabla\log\pi(a_t|s_t)\Big]",
        "what was subtracted has mean 0: the centre stays",
        derivative(partial(objective_at, world), np.asarray(world.theta)),
        expectation(trajectories(world), estimate),
        "expectation",
        broken,
    )


def the_spread_is_a_parabola(world: TabularMDP, broken: str | None = None) -> Receipt:
    found, values = parabolas(world), baseline(world)
    with_b = moments(world, GradientEstimator("reward-to-go", values=values))
    return Receipt(
        r"\operatorname{tr}\operatorname{Cov}\hat g_b = \operatorname{tr}\operatorname{Cov}"
        r"\hat g_{b^*} + \sum_s d(s)\,\big(b(s)-b^*(s)\big)^2",
        "scores of different steps are uncorrelated: each state has a parabola of its own; b is V"
        + (" at step 0" if world.horizon is not None else ""),
        np.array(with_b.covariance_trace),
        np.array(found.trace(values)),
        "identity",
        broken,
    )


def a_mean_of_samples(world: TabularMDP, broken: str | None = None) -> Receipt:
    return estimated(
        r"\nabla J \approx \frac1N\sum_n \sum_t \gamma^t\,\big(G_t - b(s_t)\big)"
        r"\,\nabla\log\pi(a_t|s_t)",
        "4,000 sampled episodes: the same centre, found by chance",
        world,
        GradientEstimator("reward-to-go", values=baseline(world)),
        4000,
        0,
        broken,
    )


baseline_is_free = (
    Line("the log trick", the_score_is_a_slope, axes="state choice feature action", unit=0),
    Line(
        "probabilities sum to one",
        probabilities_keep_their_sum,
        axes="state feature action",
        unit=0,
    ),
    Line("one state", one_state, (KNOWS_THE_ACTION,), axes="state feature action"),
    Line("a whole episode", whole_episode, (KNOWS_THE_ACTION, OWN_MEAN)),
    Line("the centre stays", the_gradient_stays, (MOVED_FIRST, OWN_MEAN)),
    Line("the spread", the_spread_is_a_parabola, unit=2),
    Line("a mean of samples", a_mean_of_samples),
)
