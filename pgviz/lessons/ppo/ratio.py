"""The slope of J along policies, and what an old batch says of it, with the ratio and without."""

from pgviz.charts import ppo as charts
from pgviz.exact.surrogate import surrogate_gradient
from pgviz.figures import fixed, signed
from pgviz.measure import proximal
from pgviz.ui.controls import Choice
from pgviz.ui.look import ink
from pgviz.ui.screen import Screen

OLD = Choice("played-by", "Policy that played, π(climb)", (0.2, 0.35, 0.5, 0.65, 0.8))
NOW = Choice("present", "Present policy, π(climb)", tuple(round(0.05 * k, 2) for k in range(1, 20)))
CONTROLS = (OLD, NOW)
BEATS = (
    {"played-by": 0.5, "present": 0.5},
    {"played-by": 0.5, "present": 0.8},
    {"played-by": 0.2, "present": 0.8},
)


def draw(screen: Screen) -> None:
    screen.words(
        "Weigh each old action by the **probability ratio** $\\rho = \\pi_\\theta(a|s) / \\pi_{old}(a|s)$: how"
        " much more often the present policy takes it. That corrects the actions, not the states:"
        " they are those that the old policy visited. Where the policies are equal, ρ = 1, and the"
        " slope of $\\rho A$ is the slope of J."
    )
    old: float = screen.control(OLD, 0.5)
    now: float = screen.control(NOW, 0.8)
    table = proximal.along_policies(old)
    here = proximal.slopes(old, now)
    screen.chart(
        charts.slopes, ink(), old,
        tables={"slopes": table, "here": charts.points(here, now)},
        title="Far from the old policy, ρ comes closer",
        note="exact, ladder of six steps, one θ for all rungs",
    )  # fmt: skip
    screen.says(sentence(here, old, now))
    screen.numbers(
        table.pivot(index="climb", columns="kind", values="slope").reset_index().round(4)
    )
    screen.code(surrogate_gradient)


def sentence(here: dict[str, float], old: float, now: float) -> str:
    """The three slopes at the present policy."""
    true, stale, weighed = (here[k] for k in (proximal.FRESH, proximal.STALE, proximal.RATIO))
    if old == now:
        return (
            f"Here ρ = 1 for every action, and all three slopes are {signed(true)}: a ratio of 1"
            " has a gradient."
        )
    off = [abs(x - true) for x in (stale, weighed)]
    verdict = "closer with ρ" if off[1] < off[0] else "closer without ρ"
    return (
        f"Played at {fixed(old)}, asked at {fixed(now)}: the slope of J is {signed(true)}; the old"
        f" batch says {signed(stale)} without ρ and {signed(weighed)} with it: {verdict}."
    )
