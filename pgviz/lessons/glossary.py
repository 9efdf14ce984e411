"""The terms of the field, each defined once, in one sentence.

A term is defined on the step that introduces it; on every later step its first mention shows the
definition on hover and on keyboard focus. The tests hold that no step uses a term before that.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgviz.lessons.step import Page, Step


@dataclass(frozen=True)
class Term:
    """A term: its name, the spellings it is found by in a text, and its definition."""

    name: str
    definition: str
    forms: tuple[str, ...] = ()  # beside the name; singular and plural need both
    unless: str = ""  # it means something else where this follows

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds the term as a whole word, outside formulas."""
        forms = "|".join(re.escape(form) for form in (self.name, *self.forms))
        unless = rf"(?!\s{self.unless})" if self.unless else ""
        return re.compile(rf"(?<![\w-])(?:{forms})(?![\w-]){unless}", re.IGNORECASE)


TERMS: dict[str, Term] = {
    term.name: term
    for term in (
        # theorem
        Term("state", "What the agent sees before it acts.", ("states",)),
        Term("action", "What the agent does in a state.", ("actions",)),
        Term("reward", "The number that follows an action.", ("rewards",)),
        Term("episode", "One play of a world, from its start to its end.", ("episodes",)),
        Term("return", "The sum of the rewards of an episode, or from one step on.", ("returns",)),
        Term("policy", "The probability of each action in each state.", ("policies",), "gradient"),
        Term("softmax", "Turns numbers into probabilities: eˣ, divided by the sum of all eˣ."),
        Term("objective", "What we climb: J(θ), the average return.", ("objectives",)),
        Term("expectation", "The average over all that can happen, weighted by probability."),
        Term("gradient", "The slopes of J along all parameters: the direction of steepest ascent."),
        Term("log-derivative", "∇ log P = ∇P / P: the slope of P, divided by P."),
        Term(
            "estimate", "A number computed from samples, in place of the exact one.", ("estimates",)
        ),
        Term(
            "confidence interval",
            "A range computed from samples that holds the exact number in 95 of 100 repetitions.",
            ("confidence intervals", "95 % interval", "95 % intervals"),
        ),
        Term(
            "score", "∇ log π(a|s): the change of θ that makes action a more likely.", ("scores",)
        ),
        Term(
            "trajectory",
            "All states, actions and rewards of one episode, in their order.",
            ("trajectories",),
        ),
        Term("reward-to-go", "The rewards from an action on, summed."),
        Term("variance", "The mean squared distance from the mean.", ("variances",)),
        Term("weight", "Ψ: the number that multiplies the score of an action.", ("weights",)),
        # reinforce
        Term("REINFORCE", "The method that uses the reward-to-go as the weight of each action."),
        Term(
            "CartPole",
            "A cart that is pushed left or right so that its pole stays up. A game ends when the pole"
            " leans by 12°, when the cart is 2.4 m from the middle, or after 500 steps.",
        ),
        Term(
            "Acrobot",
            "Two links that hang from a joint; a motor turns the joint between them. A game ends when"
            " the tip is one link above the upper joint, or after 500 steps.",
        ),
        Term("seed", "One independent repetition of a run, with its own luck.", ("seeds",)),
        Term("update", "One change of the parameters θ.", ("updates",)),
        Term("learning rate", "How far one update moves the parameters.", ("learning rates",)),
        Term("batch", "The episodes that one update averages over.", ("batches",)),
        Term("bias", "How far the mean of an estimate lies from the exact number.", ("biased",)),
        Term("on-policy", "Using only episodes that the present policy has played."),
        Term(
            "surrogate loss",
            "A function made so that its derivative is −ĝ. The number itself has no meaning.",
        ),
        Term("full return", "All rewards of the episode, as the weight of each of its actions."),
        # baselines
        Term("unbiased", "An estimate whose mean is the exact number."),
        Term(
            "covariance trace",
            "The mean squared distance of an estimate from its own mean, over all parameters.",
        ),
        Term("baseline", "A number b(s) that is subtracted from the return.", ("baselines",)),
        Term("value", "V(s): the average return from state s on, under the policy.", ("values",)),
        Term("critic", "A network that learns to predict the value.", ("critics",)),
        Term("cosine", "1 if two directions agree, 0 if they are at right angles.", ("cosines",)),
        # actor-critic
        Term(
            "action value",
            "Q(s, a): the average return after action a in state s, under the policy.",
            ("action values",),
        ),
        Term(
            "bootstrapping",
            "Using an estimate of the next state's value in place of later rewards.",
            ("bootstrap", "bootstraps"),
        ),
        Term(
            "TD error",
            "δ = r + V(s′) − V(s): one reward and the next value, minus the value now. With a"
            " discount it has γ V(s′).",
            ("TD errors",),
        ),
        Term(
            "advantage",
            "A(s, a) = Q(s, a) − V(s): how much better an action is than the policy's average.",
            ("advantages",),
        ),
        Term("actor", "The network of the policy.", ("actors",)),
        Term("target", "The number that a prediction is trained towards.", ("targets",)),
        Term("detach", "To treat a number as a constant when differentiating.", ("detached",)),
        Term("discount", "γ: a reward k steps later counts γᵏ.", ("discounted", "discounts")),
        Term(
            "mean squared error",
            "Bias² + variance: the mean squared distance from the exact number.",
        ),
        Term("terminated", "The episode has ended: nothing follows.", ("termination",)),
        Term("truncated", "The episode was cut: more would have followed.", ("truncation",)),
        # gae
        Term(
            "n-step advantage",
            "n rewards, then the critic's value, minus the value now.",
            ("n-step advantages",),
        ),
        Term("GAE", "Generalised advantage estimation: the average over all n, weighted by λ."),
        Term("window", "A stretch of a fixed number of steps that one update uses.", ("windows",)),
        # pitfalls
        Term("entropy", "How random the policy is: 0 if it is certain, .69 nats for a fair coin."),
        Term(
            "explained variance",
            "The share of the variance of its targets that V̂ predicts: 1 is all, 0 what a constant"
            " predicts.",
        ),
        # ppo
        Term(
            "probability ratio",
            "ρ: π(a|s) now, divided by π(a|s) of the policy that played.",
            ("probability ratios",),
        ),
        Term("surrogate objective", "What an old batch promises about J of a new policy."),
        Term("clip", "To hold a number between two limits.", ("clipped",)),
        Term("token", "A piece of text that a model writes at once.", ("tokens",)),
        Term("reference model", "The model from which training begins and to which it is held."),
        Term("RLHF", "Reinforcement learning from human feedback."),
        Term(
            "KL divergence", "The mean of log π/π_ref over samples of π; 0 only if both are equal."
        ),
        Term("leave one out", "The baseline of a sample is the mean reward of the others."),
        Term("proxy", "A reward that stands for what is meant."),
        Term("PPO", "Proximal policy optimisation: several passes over a batch, ratios clipped."),
    )
}
FORMULA = re.compile(r"(\$[^$]*\$|`[^`]*`|\*\*[^*]*\*\*|:\w+\[[^\]]*\])")


def introduced_before(page: Page, step: Step) -> frozenset[str]:
    """The terms that earlier steps have defined: core ones, and deeper ones of the same page.

    A reader of a core step need not have opened a deeper one.
    """
    from pgviz.lessons import PAGES

    known: set[str] = set()
    for other in PAGES:
        for earlier in other.steps:
            if other.slug == page.slug and earlier.slug == step.slug:
                return frozenset(known)
            if not earlier.deeper or (step.deeper and other.slug == page.slug):
                known.update(earlier.introduces)
    return frozenset(known)


def mentioned(text: str) -> Iterator[str]:
    """The names of the terms that a text mentions, in formulas or not."""
    return (name for name, term in TERMS.items() if term.pattern.search(text))


def with_hints(text: str, page: Page, step: Step) -> str:
    """The text with a hint at the first mention of each term that an earlier step has defined.

    A lecturer's pages need none; their windows are those of a browser.
    """
    if page.section == "Teach":
        return text
    parts = FORMULA.split(text)
    for name in sorted(introduced_before(page, step), key=len, reverse=True):
        term = TERMS[name]
        for at in range(0, len(parts), 2):  # the odd ones are formulas, code and emphasis
            found = term.pattern.search(parts[at])
            if found:
                hint = (
                    f'<span class="term" tabindex="0" title="{html.escape(term.definition)}">'
                    f"{found[0]}</span>"
                )
                before, after = parts[at][: found.start()], parts[at][found.end() :]
                parts[at : at + 1] = [before, hint, after]
                break
    return "".join(parts)
