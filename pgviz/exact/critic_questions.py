"""Questions about believing a critic whose answers are computed, wrong ones with a counterexample."""

import numpy as np

from pgviz import broken, estimators
from pgviz.exact.estimator import GradientEstimator, true_values
from pgviz.exact.moments import moments
from pgviz.exact.questions import Question
from pgviz.exact.trust import believed, wrong_critic
from pgviz.exact.values import gradient
from pgviz.proofs.believing import mixture
from pgviz.worlds.named import ladder, short_corridor


def by_hand() -> Question:
    """Two steps, a termination, three λ."""
    rewards, values, after = np.array([1.0, 1.0]), np.array([3.0, 2.0]), np.array([2.0, 9.0])
    ends = np.array([False, True])
    half, one, zero = (
        float(estimators.gae(rewards, values, after, ends, 1.0, lam)[0]) for lam in (0.5, 1.0, 0.0)
    )
    return Question(
        "gae-by-hand",
        "Rewards 1, 1; the critic says 3, then 2; the episode terminates. With γ = 1 and λ = ½,"
        r" what is $\hat A_0$?",
        (
            f"{zero:g}".replace("-", "−"),
            f"{one:g}".replace("-", "−"),
            f"{half:g}".replace("-", "−"),
        ),
        2,
        (
            f"{zero:g} is λ = 0: δ₀ = 1 + 2 − 3. The second step's surprise is carried back, too.",
            f"{one:g} is λ = 1: G − V̂ = 2 − 3.".replace("-", "−"),
            "δ₁ = 1 − 2 = −1, for nothing comes after a termination, and δ₀ = 1 + 2 − 3 = 0; so"
            f" 0 + ½ · (−1) = {half:g}.".replace("-", "−"),
        ),
    )


def the_misprint() -> Question:
    """Σ λ^{n−1} Â^{(n)} without the factor 1 − λ."""
    steps = 200
    rewards, values = np.ones(steps), np.zeros(steps)
    right, wrong = (
        float(mixture(rewards, values, values, 0.9, 0.9, factor)[0]) for factor in (None, 1.0)
    )
    return Question(
        "gae-misprint",
        r"Someone writes $\hat A = \sum_{n\ge1}\lambda^{n-1}\hat A^{(n)}$ as the meaning of GAE."
        " How far is that from the recursion, with λ = 0.9 in long episodes?",
        ("It is the same", "About 10 times too large", "About 0.9 of it"),
        1,
        (
            f"With rewards of 1 and a critic that says 0 it is {wrong:.3g}, the recursion"
            f" {right:.3g}.",
            f"The weights λⁿ⁻¹ add up to 1/(1 − λ) = 10: {wrong:.3g} against {right:.3g} with"
            " rewards of 1. A mean needs weights that add up to 1.",
            f"The factor that is missing is 1 − λ, not λ: {wrong:.3g} against {right:.3g}.",
        ),
    )


def the_leak() -> Question:
    """Two episodes in one window, not cut."""
    rewards, values = np.ones(6), np.array([2.5, 2.1, 0.8, 6, 6.2, 6.1])
    after = np.array([2.1, 0.8, 0.0, 6.2, 6.1, 6.3])
    terminated = np.arange(6) == 2
    right = estimators.gae(rewards, values, after, terminated, 0.99, 0.95)
    wrong = broken.leak_across_the_end(rewards, values, after, terminated, 0.99, 0.95)
    rows = np.flatnonzero(np.abs(wrong - right) > 1e-9)
    gap = wrong[2] - right[2]
    return Question(
        "gae-leak",
        "A window of 6 steps holds two episodes, the first ends at step 2. The recursion forgets"
        " to stop there. Which rows are wrong?",
        ("Steps 0, 1 and 2", "Step 2 only", "Steps 3, 4 and 5"),
        0,
        (
            f"Rows {', '.join(map(str, rows))}: the sum runs backwards, so what leaks at step 2"
            f" ({gap:+.2f} in this ledger) goes on to every earlier row.",
            f"Step 2 is off by {gap:+.2f} in this ledger, and hands γλ of it on to step 1:"
            f" {wrong[1] - right[1]:+.2f}.",
            "The sum runs backwards: later rows never see earlier ones. They differ by"
            f" {np.abs(wrong[3:] - right[3:]).max():.0g}.",
        ),
    )


def which_lambda_is_biased() -> Question:
    """With the true V none is."""
    world, true = ladder(), gradient(ladder())
    exact, half = (
        [
            believed(world, wrong_critic(world, "too small", e), lam).bias_squared(true)
            for lam in (0, 0.5, 1)
        ]
        for e in (0.0, 0.5)
    )
    cut = believed(world, wrong_critic(world, "too small", 0.5), 1.0, window=2).bias_squared(true)
    return Question(
        "gae-true-v",
        "The critic is exactly right. Which λ bias the gradient?",
        ("All but λ = 1", "None", "All but λ = 0"),
        1,
        (
            f"On the ladder with the true V, bias² is {exact[0]:.0e} at λ = 0. It takes a wrong critic:"
            f" with V / 2 it is {half[0]:.3f}.",
            f"On the ladder bias² is {exact[0]:.0e}, {exact[1]:.0e} and {exact[2]:.0e} at λ = 0, ½ and"
            f" 1. With V / 2 it is {half[0]:.3f}, {half[1]:.3f} and {half[2]:.0e}.",
            f"In whole episodes λ = 1 has no bias whatever the critic: {half[2]:.0e} even with V / 2."
            f" Cut into windows of 2 steps, the same critic costs it {cut:.3f}. With V: none at any λ.",
        ),
    )


def is_subtracting_believing() -> Question:
    """The same wrong critic, two uses."""
    world = short_corridor()
    true, values = gradient(world), np.full(3, -12.0)
    used = {
        name: moments(world, GradientEstimator(name, values=values))
        for name in ("reward-to-go", "td")
    }
    bias = {name: found.bias_squared(true) for name, found in used.items()}
    return Question(
        "ac-two-uses",
        "In the corridor a critic says −12 in every room. You use it once as a baseline and once as a"
        " bootstrap. What happens to E ĝ?",
        ("Both are biased", "Only the baseline is biased", "Only the bootstrap is biased"),
        2,
        (
            f"As a baseline the bias² is {bias['reward-to-go']:.0e}: −12 does not know the action.",
            f"It is the other way round: {bias['reward-to-go']:.0e} as a baseline,"
            f" {bias['td']:.4g} as a bootstrap.",
            f"Bias² {bias['reward-to-go']:.0e} as a baseline, {bias['td']:.4g} as a bootstrap: the mean"
            f" is ({used['td'].mean[0, 0]:.3g}, {used['td'].mean[0, 1]:.3g}) where ∇J is"
            f" ({true[0, 0]:.3g}, {true[0, 1]:.3g}).",
        ),
    )


def what_the_noise_does() -> Question:
    """The true V, subtracted or believed."""
    world = short_corridor()
    values = true_values(world)
    to_go, td = (
        moments(world, GradientEstimator(name, values=values)).covariance_trace
        for name in ("reward-to-go", "td")
    )
    return Question(
        "ac-noise",
        "Now the critic is the true V of the corridor. By how much does believing it, instead of"
        " subtracting it, reduce the spread of ĝ?",
        ("Not at all", "About by half", f"About {to_go / td:.0f}-fold"),
        2,
        (
            f"From {to_go:.4g} to {td:.4g}: all the noise of later steps is gone.",
            f"Much more: from {to_go:.4g} to {td:.4g}.",
            f"From {to_go:.4g} to {td:.4g}, and both have the mean ∇J. That is what a critic is for.",
        ),
    )


def where_truncation_counts() -> Question:
    """500 ones, cut by the limit."""
    ones, values = np.ones(500), np.full(500, 100.0)
    never, last = np.zeros(500, bool), np.arange(500) == 499
    right = estimators.td_errors(ones, values, values, never, 0.99)[-1]
    wrong = estimators.td_errors(ones, values, values, last, 0.99)[-1]
    return Question(
        "ac-truncation",
        "A pole stands for 500 steps and the time limit ends the episode. V̂ = 100 everywhere, γ ="
        " 0.99. What is δ at the last step?",
        ("0", "−99", "1"),
        0,
        (
            f"1 + 0.99 · 100 − 100 = {abs(right):.0f}: the pole would have gone on, so V̂ of the final"
            " observation counts.",
            f"{wrong:.0f} comes from taking the limit for a fall: the best episodes would be"
            " punished most.".replace("-", "−"),
            "1 is the reward; what follows and what was expected are missing.",
        ),
    )


GAE = (by_hand, the_misprint, the_leak, which_lambda_is_biased)
ACTOR_CRITIC = (is_subtracting_believing, what_the_noise_does, where_truncation_counts)
