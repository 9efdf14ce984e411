"""Links of strangers: every page and step, with a query that no button of the app would make."""

import random
from collections.abc import Sequence
from urllib.parse import quote, quote_plus

from pgviz.lessons import PAGES
from pgviz.lessons.step import Page, Step
from pgviz.ui.walk import MODES
from tests.fuzz import hostile
from tests.fuzz.stranger import Stranger

STEPS = [(page, step) for page in PAGES for step in page.steps]
ESCAPES = (
    "%",
    "%zz",
    "%e2%28",
    "%ff",
    "%00",
    "%ED%A0%80",
    "%u0041",
    "&&",
    "=",
    "+",
    "?",
    "#",
    ";",
    "%0d%0a",
)
FOREIGN = (
    "embed",
    "embed_options",
    "x",
    "名",
    "<b>",
    "__proto__",
    "theta[]",
    "step.x",
    " ",
    "",
    "zq7",
)


def link(seed: int, number: int) -> tuple[str, str]:
    """The page and the query of a link; in the order of the steps, again and again."""
    rng = hostile.source(seed, "link", number)
    page, step = STEPS[number % len(STEPS)]
    pairs = [("step", step.slug if rng.random() < 0.9 else hostile.text(rng))]
    if rng.random() < 0.1:
        pairs = rng.choice([[], [*pairs, ("step", hostile.text(rng))], pairs * 2])
    for control in page.controls(step):
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            pairs.append((control.name, _value(rng, control)))
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        pairs.append((_name(rng, page, step), hostile.text(rng)))
    for mode in MODES:
        if rng.random() < (0.02 if mode == "all" else 0.1):
            pairs.append((mode, rng.choice(["1", "1", "0", "theorem-15", hostile.text(rng, 1000)])))
    if rng.random() < 0.01:
        pairs += [(f"k{k}", "1") for k in range(rng.choice([100, 3000]))]
    rng.shuffle(pairs)
    return page.slug, _torn(rng, "&".join(f"{_coded(rng, k)}={_coded(rng, v)}" for k, v in pairs))


def _value(rng: random.Random, control: object) -> str:
    """Of a control: at its limits, just outside, or of another kind."""
    if rng.random() < 0.4:
        return hostile.text(rng)
    options = getattr(control, "options", None)
    if options is not None:
        value = rng.choice([*options])
        if isinstance(value, int | float) and not isinstance(value, bool):
            return rng.choice([str(value), str(value), f"{float(value):.9f}", str(value + 1e-9)])
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return rng.choice([text, text, text.upper(), f"{text} "])
    low, high = control.low, control.high  # type: ignore[attr-defined]
    return str(
        rng.choice([low, high, (low + high) // 2, low - 1, high + 1, f"{low}.0", f"0{high}"])
    )


def _name(rng: random.Random, page: Page, step: Step) -> str:
    """Of a setting: of another step, of nobody, or no name at all."""
    kind = rng.random()
    if kind < 0.3:
        others = [control.name for each in page.steps for control in page.controls(each)]
        return rng.choice(others or ["x"])
    return rng.choice(FOREIGN) if kind < 0.7 else hostile.text(rng, 20_000)


def _coded(rng: random.Random, text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    code = rng.random()
    if code < 0.7:
        return quote_plus(text)
    return quote(text, safe="") if code < 0.9 else text


def _torn(rng: random.Random, query: str) -> str:
    if rng.random() < 0.15:
        at = rng.randrange(len(query) + 1)
        return query[:at] + rng.choice(ESCAPES) + query[at:]
    return query


async def follow(tab: Stranger, links: Sequence[tuple[str, str]]) -> None:
    """One after the other in one tab."""
    for page, query in links:
        await tab.open(page, query)
