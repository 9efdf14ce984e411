"""What strangers send: texts, numbers and documents, each named by a seed and a number.

Every visitor's word holds MARK, so that it is known again wherever the page shows it.
"""

import json
import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pgviz import sheets
from pgviz.lessons import PAGES
from pgviz.worlds.files import world_document
from pgviz.worlds.format import EXAMPLE
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import TabularMDP, WorldError

MARK = "zq7"
MARKUP = (
    "<script>alert('zq7')</script>", "<img src=x onerror=alert('zq7')>", "<b>zq7", "</style>zq7",
    "<svg/onload=zq7()>", "<!--zq7", "![zq7](http://zq7.example/a.png)", "[zq7](http://zq7.example)",
    "[zq7](javascript:zq7())", "[zq7]: http://zq7.example", "http://zq7.example", "www.zq7.example",
    "zq7@zq7.example", "mailto:zq7@zq7.example", "<http://zq7.example>", "$zq7$", "$$\\frac{zq7}{2}$$",
    ":material/zq7:", ":red[zq7]", ":color[zq7]{foreground=red}", ":zq7:", "`zq7`", "```zq7", "**zq7**",
    "# zq7", "| zq7 | b |\n|--|--|\n| 1 | 2 |", "> zq7", "- zq7", "&lt;zq7&gt;", "&#60;b&#62;zq7", "{{zq7}}",
    "${zq7}", "%(zq7)s", "'; DROP TABLE zq7; --", "../../etc/zq7", "\\zq7\\", "zq7\\",
)  # fmt: skip
LETTERS = (
    "\x00zq7", "zq7\x1b[31m", "zq7\x07\x08\x7f", "\u202ezq7", "\u2066zq7\u2069", "zq7\u200b\ufeff",
    "zq7\u2028\u2029", "zq7\nzq7\r\nzq7\t", "名前zq7", "zq7" + "\u0301" * 50, "zq7\U0001f600", "ｚzq7０", "ﷺzq7",
    "zq7\x85", "\ud7ffzq7\ue000", "zq7\uffff", "İzq7ı",
)  # fmt: skip
NUMBERS = (
    "NaN", "nan", "inf", "-inf", "Infinity", "-Infinity", "-0", "-0.0", "0", "1", "-1", "1.0", "3.7",
    "1e999", "-1e999", "1e-999", "1e308", "5e-324", "9" * 400, "9" * 5000, "0" * 5000, "007", "+5",
    "0x10", "1_000", "５", "½", "٣", "1,5", "1e5", "1.", ".5", "00.50", "2147483648", "9223372036854775808",
    "1e400", "0." + "3" * 400, "1j", "1/3",
)  # fmt: skip
WORDS = (
    "", " ", "true", "false", "True", "None", "null", "undefined", "[]", "{}", "[1,2]", '"zq7"',
    "all", "present", "__class__", "__proto__", "constructor",
)  # fmt: skip


def source(seed: int, what: str, number: int) -> random.Random:
    """The chance of one thing: the same whatever was made before it."""
    return random.Random(f"{seed} {what} {number}")


def text(rng: random.Random, long: int = 100_000) -> str:
    """A hostile word; one in fifty is as long as this."""
    kind = rng.random()
    if kind < 0.02:
        return (rng.choice([*MARKUP, *LETTERS]) * long)[: rng.choice([long // 100, long])]
    if kind < 0.4:
        return rng.choice(MARKUP)
    if kind < 0.6:
        return rng.choice(LETTERS)
    if kind < 0.8:
        return rng.choice(NUMBERS)
    if kind < 0.9:
        return rng.choice(WORDS)
    return "zq7" + "".join(chr(rng.randrange(0xD7FF)) for _ in range(rng.randrange(20)))


# --- documents ---


@dataclass(frozen=True)
class Raw:
    """A piece of a document that no writer of JSON would write."""

    text: str


LEAVES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, -0.0, 0.5, 1e308, -1e308, 5e-324, 2**31, 2**63, 10**400, 1e4, 1e6,
    Raw("NaN"), Raw("Infinity"), Raw("-Infinity"), Raw("1e400"), Raw("-1e400"), Raw("-0"), Raw("1e-400"),
    Raw("01"), Raw("+1"), Raw(".5"), Raw("1."), Raw("9" * 4000), Raw("9" * 100_000), Raw("-" + "9" * 100_000),
    Raw("0." + "1" * 100_000), Raw("1e999999999"), Raw("'zq7'"), Raw("zq7"), Raw(""), Raw("["), Raw("{"),
    Raw("[" * 100_000), Raw('{"a":' * 100_000), Raw("[" * 900 + "]" * 900), Raw("[" * 100_000 + "]" * 100_000),
    Raw('"\\ud800"'), Raw('"\\udfff zq7"'), Raw('"\\u0000"'), Raw('"\x01"'), Raw('"zq7'), [], [[]], [[[]]], {},
    [None], [0], [0, 1], [[0, 1]], [1, [1]], [[1], [1, 2]], {"a": 1}, [True], ["1"], "1", "", [0] * 1000,
    [[0] * 501] * 501, [1e-320] * 3, [0.3, 0.3, 0.4], [-0.0, 0, 1], "zq7" * 700, "zq7" * 30_000,
)  # fmt: skip


def written(value: Any) -> str:
    """As JSON, with what is no JSON in it; a list of pairs is an object that may say things twice."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Twice):
        return "{" + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in value.pairs) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**300:
        return "1" + "0" * 400  # more digits than Python likes to write
    return json.dumps(value)


@dataclass(frozen=True)
class Twice:
    """An object with some of its keys given twice."""

    pairs: tuple[tuple[str, Any], ...]


def leaf(rng: random.Random) -> Any:
    return text(rng) if rng.random() < 0.3 else rng.choice(LEAVES)


def changed(rng: random.Random, value: Any) -> Any:
    """The document with one thing wrong, somewhere in its tree."""
    if isinstance(value, dict) and value:
        if rng.random() < 0.75:
            key = rng.choice([*value])
            return {**value, key: changed(rng, value[key])}
        kind = rng.randrange(5)
        key = rng.choice([*value])
        if kind == 0:
            return {k: v for k, v in value.items() if k != key}
        if kind == 1:
            return {**value, text(rng, 5000): leaf(rng)}
        if kind == 2:
            return Twice((*value.items(), (key, leaf(rng))))
        if kind == 3:
            return {text(rng, 5000) if k == key else k: v for k, v in value.items()}
        return leaf(rng)
    if isinstance(value, list) and value:
        at = rng.randrange(len(value))
        if rng.random() < 0.75:
            return [*value[:at], changed(rng, value[at]), *value[at + 1 :]]
        kind = rng.randrange(6)
        if kind == 0:
            return [*value[:at], *value[at + 1 :]]
        if kind == 1:
            return [*value, value[at]]
        if kind == 2:
            return value * rng.choice([2, 50])
        if kind == 3:
            return [value]
        if kind == 4:
            return value[at]
        return leaf(rng)
    if isinstance(value, int | float) and abs(value) < 1e300 and rng.random() < 0.5:
        by: Callable[[Any], Any] = rng.choice(
            [lambda x: -x, lambda x: x + 1e-7, lambda x: x * 1e6, lambda x: 1 - x, str, lambda x: x + 1]
        )  # fmt: skip
        return by(value)
    return leaf(rng)


def spoilt(rng: random.Random, content: bytes) -> bytes:
    """The bytes of a file with one thing wrong."""
    kind, at = rng.randrange(13), rng.randrange(len(content) + 1)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
    if kind == 2:
        return b"\xef\xbb\xbf" + content
    if kind in (3, 4):
        try:
            return content.decode().encode("utf-16" if kind == 3 else "utf-32")
        except UnicodeDecodeError:
            return b"\xff\xfe" + content
    if kind == 5:
        return (
            content[:at] + rng.choice([b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\x80"]) + content[at:]
        )
    if kind == 6:
        return content + content
    if kind == 7:
        return rng.randbytes(rng.choice([0, 1, 100, 10_000]))
    if kind == 8:
        return b" " * rng.choice([10**5, 5 * 10**6]) + content
    if kind == 9:
        return b'"' + b"zq7 " * rng.choice([10**4, 10**6]) + b'"'
    if kind == 10:  # archives are read nowhere: this one would be 5 MB
        return zlib.compress(b"0" * 5_000_000)
    if kind == 11:
        return b"[" * rng.choice([10**3, 10**5, 5 * 10**6])
    return content[at:] + content[:at]


def document(rng: random.Random, honest: Iterable[Callable[[random.Random], Any]]) -> bytes:
    """A file with from none to four things wrong."""
    value = rng.choice([*honest])(rng)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 4])):
        value = changed(rng, value)
        if isinstance(value, Twice | Raw):
            break
    content = written(value).encode("utf-8", "surrogatepass")
    return spoilt(rng, content) if rng.random() < 0.2 else content


# --- worlds ---


@cache
def _named() -> tuple[str, ...]:
    return (EXAMPLE, *(world_document(make()) for make in named_worlds.values()))


def named_world(rng: random.Random) -> Any:
    return json.loads(rng.choice(_named()))


def extreme_world(rng: random.Random) -> Any:
    """A world at the edges of what is allowed: sizes, chances, rewards and logits."""
    states, actions = rng.choice([1, 1, 2, 3, 5, 40]), rng.choice([1, 2, 2, 3, 12])
    if rng.random() < 0.03:
        states, actions = rng.choice([(41, 2), (2, 13), (200, 3), (500, 8), (501, 1)])
    columns = states + 1
    edge = rng.choice([(0.0, 1.0), (1e-300, 1.0), (1e-9, 1.0), (0.3, 0.7), (1e-17, 1.0)])

    def row() -> list[float]:
        chances = [0.0] * columns
        first, second = rng.randrange(columns), rng.randrange(columns)
        chances[first] += edge[0]
        chances[second] += 1 - edge[0]
        if rng.random() < 0.05:
            chances = [1 / columns] * columns
        return chances

    size = rng.choice([0, 1e-300, 1e-9, 1, 100, 1e4, 1e4, 1e6])
    logit = rng.choice([0, 0, 1, 30, 400, 800, 1e4, 1e6])
    num_features = rng.choice([None, 1, 2, 10])
    world = {
        "name": rng.choice(["w", text(rng)[:80], "zq7" * 26]),
        "transitions": [[row() for _ in range(actions)] for _ in range(states)],
        "rewards": [[rng.choice([-1, 0, 1]) * size for _ in range(actions)] for _ in range(states)],
        "gamma": rng.choice([0, 0.0, 1e-300, 0.5, 0.9, 0.999999, 1 - 2**-53, 1, 1]),
        "horizon": rng.choice([None, None, 1, 2, 10, 50, 51, 10_000]),
    }
    if rng.random() < 0.5:
        start = [0.0] * states
        start[rng.randrange(states)] = 1.0
        world["start"] = start
    if num_features is not None:
        world["features"] = [
            [rng.choice([0, 1, -1, 1e-9, 1e3]) for _ in range(num_features)] for _ in range(states)
        ]
    if rng.random() < 0.7:
        world["theta"] = [
            [rng.choice([-1, 0, 1]) * logit for _ in range(actions)]
            for _ in range(num_features or states)
        ]
    return world


WORLDS = (named_world, extreme_world, extreme_world)


def may_be(world: Any) -> bool:
    """Whether the format takes a world."""
    try:
        TabularMDP(**{k: np.array(v) if isinstance(v, list) else v for k, v in world.items()})
    except WorldError:
        return False
    return True


# --- sheets and progress ---


def fact(rng: random.Random, name: str) -> Any:
    """A fact of a step: of the right kind or of any other, as the format lets it in."""
    odd = [0, 1, -1, 0.5, 1e8, -999_999_999, "", "zq7", "7", text(rng)[:200]]
    kinds: dict[str, Callable[[], Any]] = {
        "guess": lambda: rng.choice(odd),
        "passed": lambda: rng.random() < 0.7,
        "answered": lambda: [rng.random() < 0.5 for _ in range(rng.choice([0, 1, 2, 2, 5, 20]))],
        "looked": lambda: [text(rng)[:39] for _ in range(rng.choice([0, 1, 5, 20]))],
        "tries": lambda: rng.choice([0, 1, -5, 10**8]),
        "words": lambda: text(rng)[:2000],
        "checked": lambda: text(rng)[:200],
    }
    return kinds[name]()


def progress(rng: random.Random) -> Any:
    """A record of progress over all places, most facts well formed and none of them expected."""
    places = [f"{page.slug}/{step.slug}" for page in PAGES for step in page.steps]
    places += ["workbook/exercise-gae", "workbook/words-0", "a/b", "home/nowhere", "nowhere/start"]
    names = ["guess", "passed", "answered", "looked", "tries", "words", "checked"]
    steps = {
        place: {name: fact(rng, name) for name in rng.sample(names, rng.randrange(len(names)))}
        for place in rng.sample(places, rng.choice([1, 3, len(places)]))
    }
    return {
        "pgviz": sheets.VERSION,
        "last": rng.choice([*places, None, "zq7/", text(rng)[:60]]),
        "steps": steps,
    }
