"""Lectures: lists of steps with the minutes of each and the sentence a lecturer says.

`?track=NAME` keeps Next within a track; the lecture page shows it in a second window.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """One step of a lecture."""

    page: str
    step: str
    minutes: float
    say: str


@dataclass(frozen=True)
class Track:
    """A lecture: what it is about, how long it takes, and its steps."""

    title: str
    minutes: int
    stops: tuple[Stop, ...]


def _stops(*rows: tuple[str, float, str]) -> tuple[Stop, ...]:
    """Rows of "page/step", minutes, sentence."""
    stops = []
    for place, minutes, say in rows:
        page, step = place.split("/")
        stops.append(Stop(page, step, minutes, say))
    return tuple(stops)


TRACKS: dict[str, Track] = {
    "log-5": Track(
        "Why the log?",
        5,
        _stops(
            (
                "theorem/policy",
                1,
                "One number θ sets the probabilities; that is all we can change.",
            ),
            ("theorem/no-log", 1.5, "Hands up: which arm wins if we add R ∇P over samples?"),
            ("theorem/divide", 1, "Sampling counts each arm P times already: divide by P."),
            ("theorem/average", 1.5, "Now the average of samples is the slope. Watch it close in."),
        ),
    ),
    "theorem-15": Track(
        "The policy gradient theorem",
        15,
        _stops(
            ("theorem/guess", 1.5, "Take a vote first. No fixed choice ever finishes."),
            ("theorem/policy", 1, "The policy is a set of probabilities; θ sets them."),
            ("theorem/objective", 1.5, "One return jumps. The average return is a smooth curve."),
            ("theorem/product", 1.5, "Only P depends on θ, so the derivative falls on P."),
            ("theorem/no-log", 1.5, "Which arm wins? Vote, then reveal."),
            ("theorem/divide", 1, "Sampling counted P once; dividing takes that away again."),
            ("theorem/average", 1.5, "An average of samples finds the slope, like 1/√N."),
            (
                "theorem/score",
                1,
                "The chosen action's θ goes up, the others' go down; zero on average.",
            ),
            ("theorem/episode", 1, "An episode multiplies: policy, world, policy, world."),
            ("theorem/no-model", 1, "The log turns products into sums; the world drops out."),
            ("theorem/causality", 1.5, "Earlier rewards add zero on average, and noise."),
            ("theorem/theorem", 1, "All pieces in one line. This is the theorem."),
        ),
    ),
    "methods-50": Track(
        "From the theorem to GAE",
        50,
        _stops(
            ("theorem/no-log", 2, "Which arm wins? Vote, then reveal."),
            ("theorem/average", 2, "The log makes an average of samples a gradient."),
            ("theorem/theorem", 3, "The one line that the rest of the hour changes in one place."),
            ("reinforce/run", 3, "Sixteen learners, one method. Look at how far apart they are."),
            ("reinforce/watch", 2, "Go back to any update and watch that policy play."),
            ("reinforce/episode", 2, "One episode: which actions are pushed, and how far."),
            ("reinforce/minus", 2, "Where the minus sign in everybody's code comes from."),
            ("reinforce/loss", 2, "The loss: vote before you reveal."),
            ("baselines/centre", 2, "Estimates scatter around the gradient."),
            ("baselines/ten", 2, "Ten more for everybody: vote."),
            ("baselines/subtract", 2, "Drag b. The centre stays, the noise changes."),
            ("baselines/value", 2, "The natural number to subtract: the value."),
            ("baselines/critic", 2, "Learn it, and subtract it."),
            ("actor-critic/wait", 2, "All later randomness is in the return."),
            ("actor-critic/bootstrap", 2, "One reward, then the value of the next state."),
            ("actor-critic/td-error", 2, "The TD error estimates the advantage."),
            ("actor-critic/two-uses", 3, "Same wrong critic, two uses: vote."),
            ("actor-critic/closer", 2, "Biased, and still closer with few episodes."),
            ("gae/n-steps", 2, "How many real rewards before the critic?"),
            ("gae/bars", 2, "Bias on the left, variance on the right."),
            ("gae/mix", 2, "λ averages all of them."),
            ("gae/more", 2, "Three times as much data: vote."),
            ("gae/ledger", 3, "Backwards, row by row: this is the code."),
        ),
    ),
    "pitfalls-15": Track(
        "It runs but does not learn",
        15,
        _stops(
            ("pitfalls/instruments", 2, "Five instruments. The return is only the first."),
            (
                "pitfalls/case-1",
                2.5,
                "Two arms. Which line makes the worse one win? Let them name it.",
            ),
            ("pitfalls/case-2", 2, "A baseline, they say, and nothing moves. Look at the weights."),
            ("pitfalls/case-3", 2, "Look at the entropy before you look at the code."),
            ("pitfalls/case-4", 2, "The critic is right and the return falls: vote."),
            ("pitfalls/case-8", 2, "A shape. The most common one of all."),
            ("pitfalls/still", 2.5, "How many still learn? Write down a number."),
        ),
    ),
    "bridges-20": Track(
        "From GAE to PPO and RLHF",
        20,
        _stops(
            ("ppo/reuse", 2, "A batch costs episodes. What happens if we use it twenty times?"),
            ("ppo/ratio", 2, "Weigh the old actions. The old states stay the old states."),
            ("ppo/far", 3, "The old batch promises −8.8. Write down what you believe."),
            ("ppo/clip", 2, "The clip ends the promise; it does not hold the policy."),
            ("ppo/run", 2, "Ten passes, one number changed."),
            ("rlhf/language", 1.5, "Text is a sequence of actions: here we can list all of it."),
            ("rlhf/optimum", 2, "The best policy is known: tilt the reference by the reward."),
            ("rlhf/baselines", 2, "Three baselines; watch K = 2."),
            ("rlhf/kl", 2, "The log-ratio as a loss: vote."),
            ("rlhf/proxy", 1.5, "What was meant rises first, then falls to nothing."),
        ),
    ),
}
