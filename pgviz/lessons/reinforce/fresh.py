"""Why no replay buffer: the mean of ĝ from episodes that an old policy has played, exactly."""

import pandas as pd

from pgviz.charts import reinforce as charts
from pgviz.exact import reuse
from pgviz.figures import fixed, signed
from pgviz.in_memory import in_memory
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

OLD = Choice("old", "Policy that played, π(climb)", tuple(round(0.05 * k, 2) for k in range(2, 19)))
NOW = Choice("now", "Present policy, π(climb)", tuple(round(0.05 * k, 2) for k in range(1, 20)))
CONTROLS = (OLD, NOW)
BEATS = ({"old": 0.5, "now": 0.5}, {"old": 0.5, "now": 0.7}, {"old": 0.7, "now": 0.7})
START_OLD, START_NOW = 0.5, 0.7


def draw(screen: Screen) -> None:
    screen.words(
        "Q-learning uses old episodes again. ĝ must not: its mean is ∇J only if the present policy"
        " played (**on-policy**). In the red line $G_t$ and actions come from old episodes; only"
        " the scores, 1 − π(climb) or −π(climb), are of the present policy. So it is straight. The"
        " mean of an estimate minus the exact number: its **bias**."
    )
    fields = screen.live(OLD, START_OLD), screen.live(NOW, START_NOW)
    old: float = screen.control(OLD, START_OLD)
    now: float = screen.control(NOW, START_NOW)
    tables = _tables()
    screen.chart(
        charts.old_and_new,
        fields,
        (OLD.options.index(START_OLD), NOW.options.index(START_NOW)),
        ink(),
        tables=tables,
        title="The two agree at one point: where the episodes were played",
        note="exact, ladder of six steps, one θ for all rungs; drag both sliders",
        says="Slope of J, and mean of ĝ from old episodes, against the present policy.",
    )
    screen.says(in_words(old, now))
    screen.numbers(tables["gap"].query(f"old == {old}")[["old", "climb", "truth", "slope"]])
    screen.code(reuse.mean_with_old_episodes)


@in_memory
def _tables() -> dict[str, pd.DataFrame]:
    """Every position of both sliders."""
    steps = [k / 40 for k in range(1, 40)]
    truth = pd.DataFrame({"climb": steps, "slope": [reuse.slope(p) for p in steps]})
    exact = {now: reuse.slope(now) for now in NOW.options}
    lines, gaps = [], []
    names = [  # in the corner that no line reaches
        (0.02, 0.09, -2.0, "slope of J", True),
        (0.02, 0.09, -2.55, "mean of ĝ from the old episodes", False),
    ]
    for at_old, old in enumerate(OLD.options):
        left, right = (reuse.slope_with_old_episodes(old, p) for p in (1e-9, 1 - 1e-9))
        ends = (
            (0.0, left, False),
            (old, (1 - old) * left + old * right, True),
            (1.0, right, False),
        )
        lines += [(at_old, *end) for end in ends]
        for at_now, now in enumerate(NOW.options):
            slope = (1 - now) * left + now * right
            inside = max(min((slope + exact[now]) / 2, 4.8), -2.8)
            label = f"bias {signed(slope - exact[now])}" if abs(slope - exact[now]) > 5e-3 else ""
            gaps.append((at_old, at_now, old, now, exact[now], slope, inside, label))
    gap_columns = ["at_old", "at_now", "old", "climb", "truth", "slope", "middle", "label"]
    return {
        "truth": truth,
        "old": pd.DataFrame(lines, columns=["at_old", "climb", "slope", "here"]),
        "gap": pd.DataFrame(gaps, columns=gap_columns),
        "names": pd.DataFrame(names, columns=["climb", "to", "slope", "label", "exact"]),
        "zero": pd.DataFrame({"slope": [0.0]}),
    }


def in_words(old: float, now: float) -> str:
    """The slope, the mean of ĝ, and whether ĝ points the right way on average."""
    truth, mean = reuse.slope(now), reuse.slope_with_old_episodes(old, now)
    if abs(mean - truth) < 5e-3:
        return (
            f"At π(climb) = {fixed(now)} the episodes are fresh: the mean of ĝ is"
            f" {signed(mean)}, the slope of J, and the bias is 0."
        )
    way = (
        "It points downhill, so the update makes the policy worse."
        if mean * truth < 0
        else "The direction is still right; the size is not."
    )
    return (
        f"At π(climb) = {fixed(now)} the slope of J is {signed(truth)}. Episodes played at"
        f" {fixed(old)} give {signed(mean)} on average: a bias of {signed(mean - truth)}. {way}"
    )
