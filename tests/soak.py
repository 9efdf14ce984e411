"""Comings and goings on one server, and what that leaves in memory: python -m tests.soak --minutes 60

\b
Visitors come, open steps of all pages with settings of their own, pass a question, start a run now
and then, leave, and come again. Each minute is a row. The end holds the last ten minutes against
the first ten: the mean of the memory, looked at every five seconds, of the server alone, without
files that it has mapped, and the PSS of the server with its workers. Either of them grown by more
than 5 % is a failure.

The server is one of its own, on this machine, with an empty folder of recordings, or with the one
that --runs names. First one visitor opens every step once and stays until the workers have recorded
the runs of the steps: what a server loads once, and keeps, is no growth. PSS is memory of which every page that processes share is
counted once.
"""

import asyncio
import random
import re
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import astuple, dataclass, field
from pathlib import Path
from statistics import mean, quantiles

import click

from pgviz.lessons import PAGES
from pgviz.lessons.step import Page, Step
from pgviz.runs.registry import run_key
from pgviz.ui.controls import Control, Number, address
from pgviz.ui.training import all_recorded
from tests.load.meter import Meter, Weight
from tests.load.tab import LoadError, Tab
from tests.real import served

LOOK_S = 5.0  # between two looks at the memory
MINUTE_S = 60.0
WARM_S = 1800.0  # until the runs of the steps are recorded, or not
WINDOW = 10  # minutes that are held against each other, at each end
MOST_GROWTH = 0.05
STEPS = [(page, step) for page in PAGES for step in page.steps]
COLUMNS = (
    "minute",
    "visits",
    "PSS server / all, MB",
    "server's own, MB",
    "sessions",
    "threads",
    "open files",
    "view p50 / p95, s",
    "recordings",
    "of MB",
    "errors",
)


@dataclass
class Log:
    """What all visitors have seen so far."""

    visits: int = 0
    views_s: list[float] = field(default_factory=list)  # of this minute
    errors: Counter[str] = field(default_factory=Counter)

    def note(self, page: Page, step: Step, settings: str, errors: Sequence[str]) -> None:
        """What a tab was told at a step."""
        self.errors.update(f"{page.slug}/{step.slug}?{settings}: {error}" for error in errors)


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", type=click.IntRange(2, 24 * 60), default=60, show_default=True)
@click.option("--visitors", type=click.IntRange(1, 50), default=8, show_default=True)
@click.option("--pause", default=4.0, show_default=True, help="Seconds at a step, on average.")
@click.option("--seed", default=0, show_default=True, help="Of what the visitors do.")
@click.option("--runs", help="A folder of recordings, kept.")
@click.option("--warm/--cold", default=True, show_default=True, help="Every step is opened first.")
def main(
    minutes: int, visitors: int, pause: float, seed: int, runs: str | None, warm: bool
) -> None:
    with (
        tempfile.TemporaryDirectory() if runs is None else nullcontext(runs) as folder,
        served(PGVIZ_RUNS=folder, PGVIZ_AHEAD="1") as url,
    ):
        try:
            weights = asyncio.run(soak(url, Path(folder), minutes, visitors, pause, seed, warm))
        except LoadError as error:
            raise click.ClickException(str(error)) from error
    window = min(WINDOW, minutes // 2)
    click.echo()
    grown = (
        _growth("server", [weight.own for weight in weights], window),
        _growth("server and workers", [weight.all for weight in weights], window),
    )
    sys.exit(int(max(grown) > MOST_GROWTH))


async def soak(
    url: str, folder: Path, minutes: int, visitors: int, pause_s: float, seed: int, warm: bool
) -> list[Weight]:
    """The mean memory of every minute. Each minute is written as a row, and last what went wrong."""
    log = Log()
    async with Meter(url) as meter:
        if warm:
            click.echo(await open_all(url, folder, log))
        click.echo(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
        each = [
            asyncio.create_task(_come_and_go(url, random.Random(f"{seed} {k}"), pause_s, log))
            for k in range(visitors)
        ]
        weights = []
        try:
            for minute in range(1, minutes + 1):
                weights.append(await _minute(meter, each))
                click.echo(
                    await asyncio.to_thread(_row, minute, url, folder, meter, weights[-1], log)
                )
        finally:
            for task in each:
                task.cancel()
            await asyncio.gather(*each, return_exceptions=True)
    for sentence, number in log.errors.most_common():
        click.echo(f"{number} × {sentence}", err=True)
    return weights


async def open_all(url: str, folder: Path, log: Log) -> str:
    """Open every step, and wait until what they show is recorded."""
    begun = time.monotonic()
    async with Tab(url) as tab:
        for page, step in STEPS:
            await tab.visit(page.slug, step.slug)
        log.note(*STEPS[-1], "", tab.errors)
    keys = {run_key(config) for config in all_recorded()}
    while missing := [k for k in keys if not any(folder.glob(f"{k}.*.done"))]:
        if time.monotonic() - begun > WARM_S:
            break
        await asyncio.sleep(LOOK_S)
    return (
        f"{len(STEPS)} steps were opened once, and {len(keys) - len(missing)} of {len(keys)} runs"
        f" recorded, in {time.monotonic() - begun:.0f} s.\n"
    )


async def _come_and_go(url: str, rng: random.Random, pause_s: float, log: Log) -> None:
    while True:
        await asyncio.sleep(rng.expovariate(1 / pause_s))
        async with Tab(url) as tab:
            for _ in range(rng.randint(1, 30)):
                page, step = rng.choice(STEPS)
                settings = _settings(page, step, rng)
                told = len(tab.errors)
                try:
                    log.views_s.append(await tab.visit(page.slug, step.slug, settings))
                    await _act(tab, page, step, rng)
                    await asyncio.sleep(rng.expovariate(1 / pause_s))
                except LoadError as error:
                    tab.errors.append(str(error))
                log.note(page, step, settings, tab.errors[told:])


async def _act(tab: Tab, page: Page, step: Step, rng: random.Random) -> None:
    """Pass the question, and press the button of a run, now and then."""
    show_me, run = f"pass-{page.slug}-{step.slug}", f"again.{page.slug}-{step.slug}.run"
    if tab.has(show_me) and rng.random() < 0.5:
        await tab.press(show_me)
        await tab.until(lambda: not tab.has(show_me))
    if tab.has(run) and rng.random() < 0.1:
        await tab.press(run)


def _settings(page: Page, step: Step, rng: random.Random) -> str:
    """The end of an address that sets about half of the controls."""
    chosen = [c for c in page.controls(step) if rng.random() < 0.5]
    return address({control.name: _value(control, rng) for control in chosen})


def _value(control: Control, rng: random.Random) -> object:
    if isinstance(control, Number):
        return rng.randint(control.low, control.high)
    return rng.choice(control.options)


async def _minute(meter: Meter, visitors: Sequence["asyncio.Task[None]"]) -> Weight:
    """The mean memory of a minute. A visitor that fails ends everything."""
    found, ends = [], time.monotonic() + MINUTE_S
    while time.monotonic() < ends:
        failed, _ = await asyncio.wait(
            visitors, timeout=LOOK_S, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in failed:
            task.result()
        found.append(await asyncio.to_thread(meter.weigh))
    columns = zip(*map(astuple, found), strict=True)
    return Weight(*map(mean, columns))


def _row(minute: int, url: str, folder: Path, meter: Meter, weight: Weight, log: Log) -> str:
    views, log.views_s = log.views_s, []
    log.visits += len(views)
    middle, most = quantiles(views, n=20)[9::9] if len(views) > 1 else (0.0, 0.0)
    files = [path.stat().st_size for path in folder.rglob("*.run")]
    cells = (
        f"{minute}",
        f"{log.visits}",
        f"{weight.server / 1e6:.0f} / {weight.all / 1e6:.0f}",
        f"{weight.own / 1e6:.0f}",
        f"{_sessions(url)}",
        f"{meter.servers[0].num_threads()}",
        f"{meter.servers[0].num_fds()}",
        f"{middle:.2f} / {most:.2f}",
        f"{len(files)}",
        f"{sum(files) / 1e6:.0f}",
        f"{log.errors.total()}",
    )
    return f"| {' | '.join(cells)} |"


def _sessions(url: str) -> int:
    """How many the server says it has."""
    with urllib.request.urlopen(f"{url}/_stcore/metrics", timeout=30) as answer:
        said = answer.read().decode()
    return int(re.findall(r"^active_sessions (\d+)", said, re.MULTILINE)[0])


def _growth(name: str, bytes_: Sequence[float], window: int) -> float:
    first, last = mean(bytes_[:window]), mean(bytes_[-window:])
    growth = last / first - 1
    click.echo(
        f"{name}: {first / 1e6:.0f} MB in minutes 1 to {window}, {last / 1e6:.0f} MB in the last "
        f"{window}: {100 * growth:+.1f} %"
    )
    return growth


if __name__ == "__main__":
    main()
