"""What a receipt says: the derivations of `derivation.py` read out in one world, line by line.

A side of a line may hold hundreds of numbers. What is read out is the worst of them, where the
two sides differ most, and if they do not differ, the largest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import numpy as np

from pgviz.exact.trajectories import num_trajectories, numbers_of_trajectories
from pgviz.proofs.ascent import capped
from pgviz.proofs.derivation import TOLERANCE, Line, Receipt, derivations, gradient_is_a_mean
from pgviz.worlds.tabular import Floats, TabularMDP, WorldError

# Episodes that a derivation lists in full: more would take longer than a knob should.
MAX_LISTED = 160
MAX_LISTED_STEPS = 50
# Steps of all episodes behind one line of samples.
MAX_SAMPLED_STEPS = 500_000
# Numbers in the tables (s, a) of all these episodes.
MAX_SAMPLED_ENTRIES = 2_000_000
SAMPLED = "a mean of samples"

NEEDS_A_LIST = {
    line.title for name in ("log trick", "trajectory form") for line in derivations[name]
} - {"score of a softmax", "probabilities sum to one", "mean score", SAMPLED}


@dataclass(frozen=True)
class Reading:
    """One line, read out. `mark` is "holds", "fails", "open" (an interval that misses) or "none"."""

    title: str
    equation: str
    reason: str
    where: str
    left: str
    right: str
    difference: str
    mark: str
    is_broken: bool
    size: float = 0.0  # the difference as a number
    unit: float = 1.0  # differences this far below it are rounding
    agreeing: int = 0  # how many characters of left and right agree
    note: str = ""  # what the difference does not say


def is_cut(world: TabularMDP, few: TabularMDP) -> bool:
    """Whether some episodes of the world are longer than those of `few`."""
    most = few.horizon or 0
    return few.horizon != world.horizon and num_trajectories(world, most + 1) != num_trajectories(
        world, most
    )


def listed(world: TabularMDP, most: int = MAX_LISTED) -> TabularMDP | None:
    """The world cut so early that all of its episodes, at most `most`, can be listed; None if even
    one step is too many."""
    longest = min(world.horizon or MAX_LISTED_STEPS, MAX_LISTED_STEPS)
    counts = islice(numbers_of_trajectories(world), 1, longest + 1)
    num_steps = sum(1 for _ in takewhile(lambda count: count <= most, counts))
    if num_steps == 0:
        return None
    return world if world.horizon == num_steps else capped(world, num_steps)


def read_out(
    world: TabularMDP,
    derivation: str,
    broken: str | None = None,
    num_episodes: int = 1000,
    rng_seed: int = 0,
    actions: Sequence[str] = (),
) -> list[Reading]:
    """Every line of a derivation in this world, with one step of it broken or none."""
    few = listed(world)
    readings = []
    for line in derivations[derivation]:
        breaking = broken if broken in line.breaks else None
        try:
            if line.title == SAMPLED:
                receipt = sampled(world, num_episodes, rng_seed)
            elif line.title in NEEDS_A_LIST:
                if few is None:
                    raise WorldError(
                        f"this world has more than {MAX_LISTED} different first steps, too many"
                        " to list here"
                    )
                receipt = line(few, breaking)
            else:
                receipt = line(world, breaking)
        except WorldError as fault:
            readings.append(_unread(line, str(fault), breaking is not None))
            continue
        readings.append(read(line, receipt, world, actions))
    return readings


def sampled(world: TabularMDP, num_episodes: int, rng_seed: int) -> Receipt:
    """The line of samples, in the world as it is sampled: cut after some steps."""
    cut = capped(world)
    most = MAX_SAMPLED_STEPS // (cut.horizon or 1)
    if num_episodes > most and world.horizon is None:
        from pgviz.sampled.episodes import mean_length

        most = int(MAX_SAMPLED_STEPS / max(mean_length(cut), 1))
    most = min(most, MAX_SAMPLED_ENTRIES // (world.num_states * world.num_actions))
    if num_episodes > most:
        raise WorldError(
            f"{num_episodes:,} episodes are too long to sample here: choose fewer of them"
        )
    return gradient_is_a_mean(cut, num_episodes=num_episodes, rng_seed=rng_seed)


def read(line: Line, receipt: Receipt, world: TabularMDP, actions: Sequence[str] = ()) -> Reading:
    """One receipt as it stands on a page."""
    left, right = np.atleast_1d(receipt.left), np.atleast_1d(receipt.right)
    gap = np.abs(left - right)
    worth = gap if not receipt.holds else np.maximum(np.abs(left), np.abs(right))
    index = _first_largest(np.where(worth <= receipt.rounding, 0, worth))
    left_text, right_text, agreeing = agreeing_digits(
        float(left[index]), float(right[index]), rounding=receipt.rounding
    )
    if receipt.kind == "estimate" and receipt.low is not None and receipt.high is not None:
        index = _first_largest(receipt.high - receipt.low)
        reach = float((receipt.high - receipt.low)[index]) / 2
        left_text = f"{left[index]:.4g}"
        right_text, agreeing = f"{right[index]:.4g} ± {reach:.2g}", 0
    mark, note = "holds" if receipt.holds else "fails", ""
    if receipt.kind == "estimate":
        mark = "holds" if _inside(receipt) else "open"
        note = "too few to tell the sign" if _hides_the_sign(receipt, index) else ""
    return Reading(
        line.title,
        receipt.equation,
        receipt.reason,
        in_words(line, receipt, index, world, actions),
        left_text,
        right_text,
        difference_in_words(float(gap[index]), receipt.rounding),
        mark,
        receipt.broken is not None,
        float(gap[index]),
        receipt.rounding / TOLERANCE,
        agreeing,
        note,
    )


def _hides_the_sign(receipt: Receipt, index: tuple[int, ...]) -> bool:
    """Whether an interval contains 0 although the truth is not 0."""
    if receipt.low is None or receipt.high is None or abs(receipt.left[index]) <= receipt.rounding:
        return False
    return bool(receipt.low[index] < 0 < receipt.high[index])


def _inside(receipt: Receipt) -> bool:
    """Whether the truth lies in the 95 % interval of the component that is shown."""
    if receipt.low is None or receipt.high is None:
        return False
    low, high = receipt.low - receipt.rounding, receipt.high + receipt.rounding
    inside = (low <= receipt.left) & (receipt.left <= high)
    return bool(inside.flat[_flat_largest(receipt.high - receipt.low)])


def _flat_largest(values: Floats) -> int:
    return int(np.ravel_multi_index(_first_largest(values), values.shape))


def _first_largest(values: Floats) -> tuple[int, ...]:
    """Where the largest value stands; of several that differ by rounding only, the first."""
    top = values.max()
    index = int((values >= top - 1e-9 * abs(top)).argmax())
    return tuple(int(i) for i in np.unravel_index(index, values.shape))


def _unread(line: Line, fault: str, is_broken: bool) -> Reading:
    return Reading(line.title, "", fault, "", "", "", "", "none", is_broken)


def in_words(
    line: Line,
    receipt: Receipt,
    index: Sequence[int],
    world: TabularMDP,
    actions: Sequence[str] = (),
) -> str:
    """Which number of how many: "episode 3, logit of right · 1 of 56"."""
    if np.ndim(receipt.left) == 0:
        return ""
    axes = line.axes.split()
    if np.ndim(receipt.left) == len(axes) + 1:
        axes = ["step", *axes]
    one_hot = np.array_equal(world.features, np.eye(world.num_states))
    words = []
    for axis, place in zip(axes, index, strict=True):
        if axis in ("action", "choice"):
            name = actions[place] if len(actions) else f"action {place}"
            words.append(f"logit of {name}" if axis == "action" else f"{name} taken")
        elif axis == "term":
            words.append(f"k = {place}")
        elif axis == "episode":
            words.append(f"episode {place + 1}")
        elif axis != "feature":
            words.append(f"{axis} {place}")
        elif world.num_features > 1:
            words.append(f"{'state' if one_hot else 'feature'} {place}")
    if axes[-1:] == ["action"] and len(words) > 1 and world.num_features > 1:
        words[-2:] = [f"{words[-1]} in {words[-2]}"]
    total = np.size(receipt.left)
    return ", ".join(words) + (f" · 1 of {total}" if total > 1 else "")


def agreeing_digits(
    left: float, right: float, most: int = 8, rounding: float = TOLERANCE
) -> tuple[str, str, int]:
    """Both numbers with the digits that agree and one that does not; how many characters agree.

    What agrees further than `most` significant digits is cut there; what is no larger than
    `rounding` is 0.
    """
    size = max(abs(left), abs(right))
    if not np.isfinite(size):
        return f"{left:g}", f"{right:g}", 0
    if size <= rounding:
        return "0", "0", 1
    before = int(np.floor(np.log10(size))) + 1  # digits before the point
    if before > 7 or before < -3:
        texts = f"{left:.4e}", f"{right:.4e}"
        if texts[0] == texts[1]:
            texts = f"{left:.7e}", f"{right:.7e}"
        return *texts, _common(*texts)
    full = max(most - before, 0)
    a, b = f"{left:.{full}f}", f"{right:.{full}f}"
    if a == b:
        a = a.rstrip("0").rstrip(".") if "." in a else a
        return a, a, len(a)
    common = _common(a, b)
    agreed = common - a.find(".") if len(a) == len(b) else 0  # decimals, and then one that differs
    decimals = min(max(agreed, 3 - before, 1), full)
    a, b = f"{left:.{decimals}f}", f"{right:.{decimals}f}"
    while a == b:  # 0.13498 and 0.13501 are both 0.1350: what differs is hidden by rounding
        decimals += 1
        a, b = f"{left:.{decimals}f}", f"{right:.{decimals}f}"
    return a, b, _common(a, b)


def _common(a: str, b: str) -> int:
    """How many characters two numbers share from the left; none if their lengths differ."""
    if len(a) != len(b):
        return 0
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))


def difference_in_words(gap: float, rounding: float = TOLERANCE) -> str:
    """0, a power of ten when it is little more than rounding, three digits when it is not."""
    if gap == 0:
        return "0"
    if gap < 1000 * rounding:
        return f"{gap:.0e}".replace("e-0", "e-")
    return f"{gap:.3g}"
