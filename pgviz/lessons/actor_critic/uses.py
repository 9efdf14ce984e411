"""Both uses of a wrong critic in three worlds: bias² and variance against its error."""

import numpy as np
import pandas as pd

from pgviz.charts import actor_critic as charts
from pgviz.exact.trust import Tradeoff, is_void
from pgviz.figures import number, percent
from pgviz.measure import trust
from pgviz.proofs.two_uses import uses
from pgviz.ui import world as worlds
from pgviz.ui.controls import Choice
from pgviz.ui.screen import Screen
from pgviz.worlds.named import named_worlds

ERROR = Choice("error", "Error ε of the critic", trust.ERRORS, "0 is the exact V.")
WORLD = Choice("world", "World", trust.WORLDS)
SHAPE = Choice("shape", "How the critic is wrong", tuple(trust.FORMULAS))
CONTROLS = (ERROR, WORLD, SHAPE)
BEATS = ({"error": 0.0}, {"error": 0.5}, {"error": 1.0}, {"world": "ladder"})
START = 0.5
USES = ("baseline", "actor-critic")
NAMES = {"baseline": "subtracted", "actor-critic": "bootstrapped"}


def draw(screen: Screen) -> None:
    screen.words(
        "A critic in three worlds (short-corridor is the corridor; World shows each), wrong in"
        " three ways, by ε. Subtracted, it never biases ĝ, however wrong it is: it only changes the"
        " variance. Bootstrapped, it can bias ĝ. In exchange ĝ has less variance. J is the value of"
        " the start."
    )
    field = screen.live(ERROR, START)
    error: float = screen.control(ERROR, START)
    world: str = screen.control(WORLD, "short-corridor", horizontal=True)
    shape: str = screen.control(SHAPE, "one number", horizontal=True)
    table = both(world, shape)
    for quantity, title, heading, note in (
        ("bias", "bias² / ‖∇J‖²", bias_title(table), f"exact · {trust.FORMULAS[shape]} · drag ε"),
        ("variance", "variance of ĝ", "Bootstrapped, ĝ has less variance", ""),
    ):
        top = 1.3 * float(table[quantity].max()) or 1.0
        screen.chart(
            charts.of_error, quantity, title, field, ERROR.options.index(START), ERROR.options, top,
            tables={"uses": table, "names": names(table, quantity)},
            title=heading,
            note=note,
            height=round(screen.height / 2) - (58 if quantity == "bias" else 14)
            - 30 * screen.present,
        )  # fmt: skip
    screen.says(sentence(world, shape, error))
    screen.numbers(table.round(5))
    screen.code(Tradeoff)
    worlds.fold(screen, worlds.Shown(world))


def both(world: str, shape: str) -> pd.DataFrame:
    """name, error, bias (in parts of ‖∇J‖²), variance."""
    found = uses(world, shape)
    errors = np.array(trust.ERRORS)
    tables = []
    for at, name in ((1, "baseline"), (0, "actor-critic")):
        bias = errors**2 * found.bias[at] / found.squared_length
        variance = [found.covariance_trace(e)[at] for e in errors]
        tables.append(
            pd.DataFrame(
                {"name": name, "error": errors, "bias": np.where(bias < 1e-20, 0, bias),
                 "variance": variance}
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def bias_title(table: pd.DataFrame) -> str:
    """Whether the error biases anything here."""
    if table["bias"].max() > 1e-12:
        return "Bootstrapped, the critic's error is a bias"
    return "This error biases neither use"


def names(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Both names at the right ends; one for both where the lines lie on each other."""
    last = table[table["error"] == 1.0].assign(label=lambda t: t["name"].map(NAMES))
    if np.ptp(last[quantity]) <= 0.05 * max(float(table[quantity].max()), 1e-12):
        return last.iloc[:1].assign(label="both")
    return last


def sentence(world: str, shape: str, error: float) -> str:
    """Bias² and variance of both uses at this error."""
    if error and is_void(named_worlds[world](), shape):
        return f"In this world {trust.FORMULAS[shape]} is V for every ε: this critic is not wrong."
    table = both(world, shape)
    here = table[np.isclose(table["error"], error)].set_index("name")
    kept, lost = ({c: float(here[c][name]) for c in ("bias", "variance")} for name in USES)
    ratio = percent(lost["variance"] / kept["variance"], 1)
    bias = (
        "0 for both uses"
        if lost["bias"] < 1e-12
        else f"0 when the critic is subtracted, {number(lost['bias'])} times ‖∇J‖² when bootstrapped"
    )
    return (
        f"At ε = {error:g} bias² is {bias}. The variance is {number(kept['variance'])} subtracted"
        f" and {number(lost['variance'])} bootstrapped: {ratio} of it."
    )
