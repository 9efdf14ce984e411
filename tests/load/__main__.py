"""How many tabs one server holds: python -m tests.load [shared|own|open|greedy …] --sessions 5,10,20

\b
shared   all watch one run: one presses the button, then all others; once the last of them has
         joined it is measured how they are kept up
own      each presses the button with settings of its own
open     all walk through the steps of a page
greedy   all are tabs of one visitor, each with settings of its own; then a newcomer comes

The server is one of its own, on this machine and with an empty folder of recordings, in which the
runs of the steps are recorded first. Nothing but this machine is ever put to load. A view is
there when its script has finished and the title of the step stands on it; a poll has been answered
when the fragment has finished. Client, server and workers share the machine: the client's own part
is the last column. PSS is memory of which every page that processes share is counted once.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import product
from pathlib import Path
from statistics import mean, median, quantiles

import click

from tests.load.hosting import NGINX, WHY_NOT, behind_nginx
from tests.load.scenarios import (
    MOST_S,
    MOST_SESSIONS,
    SCENARIOS,
    Measured,
    measure,
    record,
    steps_of,
    wake,
)
from tests.load.tab import LoadError, loopback, step_of
from tests.real import served

WINDOW_S = 12
LONG, SHORT = "ppo/run", "reinforce/run"
# The first values make the longest run of the step.
VARY = ("num_envs=64,32,16,8,4,2,1", "learning_rate=0.002,0.005,0.01,0.02,0.05,0.1")
COLUMNS: dict[str, Callable[[Measured], str]] = {
    "scenario": lambda m: m.scenario,
    "N": lambda m: f"{len(m.sessions)}",
    "first view p50 / max, s": lambda m: _both(_views(m), lambda x: f"{x:.2f}", 0.5, 1),
    "poll p50 / p95, ms": lambda m: _both(_latencies(m), lambda x: f"{1e3 * x:.0f}", 0.5, 0.95),
    f"polls per tab in {WINDOW_S} s": lambda m: _number(_rates(m), ".1f"),
    "bytes per poll": lambda m: _number(_sizes(m), ",.0f"),
    "longest silence, s": lambda m: _both(_silences(m), lambda x: f"{x:.1f}", 1),
    "last run begun after, s": lambda m: _number(_begun(m)[-1:], ".1f"),
    "runs ended after, s": lambda m: _both(_ends(m), lambda x: f"{x:.1f}", 0.5, 1),
    "server CPU, %": lambda m: f"{100 * m.after.server_s / m.after.wall_s:.0f}",
    "server CPU per poll, ms": lambda m: _number(_cpu_of_a_poll(m), ".1f"),
    "workers CPU, %": lambda m: f"{100 * m.after.workers_s / m.after.wall_s:.0f}",
    "server CPU per opening, ms": lambda m: f"{1e3 * m.opening.server_s / len(m.sessions):.0f}",
    "PSS server / all, MB": lambda m: f"{m.server_bytes / 1e6:.0f} / {m.all_bytes / 1e6:.0f}",
    "errors": lambda m: f"{sum(len(s.errors) for s in m.sessions)}",
    "client CPU, %": lambda m: f"{100 * m.after.client_s / m.after.wall_s:.0f}",
}


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("scenarios", nargs=-1, type=click.Choice(SCENARIOS))
@click.option("--sessions", default="5,10,20", show_default=True, help="One row for each number.")
@click.option(
    "--place",
    metavar="PAGE/STEP",
    help=f"{LONG} for shared: its runs go on for a while; else {SHORT}.",
)
@click.option(
    "--vary",
    multiple=True,
    default=VARY,
    show_default=True,
    metavar="NAME=VALUE,…",
    help="Settings: own and greedy take all combinations in turn.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, MOST_S),
    default=120,
    show_default=True,
    help="A scenario is given up after so long.",
)
@click.option("--pause", default=1.0, show_default=True, help="Seconds at a step, when walking.")
@click.option(
    "--servers", type=click.IntRange(1, 8), default=1, show_default=True, help="Behind nginx."
)
@click.option("--url", help="Of a running server on this machine, instead of one of its own.")
@click.option("--json", "as_json", is_flag=True, help="One line a row, with every session.")
def main(
    scenarios: tuple[str, ...],
    sessions: str,
    place: str | None,
    vary: tuple[str, ...],
    seconds: float,
    pause: float,
    servers: int,
    url: str | None,
    as_json: bool,
) -> None:
    try:
        settings = _combinations(vary)
        if url is not None:
            loopback(url)
        chosen = [*product(scenarios or ("shared", "own"), _numbers(sessions))]
        if not as_json:
            print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
        for scenario, number in chosen:
            page, _, step = (place or (LONG if scenario == "shared" else SHORT)).partition("/")
            step_of(page, step)
            ends = settings if scenario in ("own", "greedy") else [""]
            steps = steps_of(page) if scenario == "open" else [step]
            with _server(url, page, steps, servers) as (at, ports):
                measured = asyncio.run(
                    measure(scenario, at, number, page, step, ends, seconds, pause, ports)
                )
            print(json.dumps(asdict(measured)) if as_json else _row(measured), flush=True)
            for sentence in {e: None for s in measured.sessions for e in s.errors}:
                click.echo(f"{scenario}, {number}: {sentence}", err=True)
    except LoadError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _server(
    url: str | None, page: str, steps: Sequence[str], number: int
) -> Iterator[tuple[str, Sequence[int]]]:
    """The server that was named; else new ones that find the runs of these steps recorded."""
    if url is not None:
        yield url, ()
        return
    if number > 1 and NGINX is None:
        raise LoadError(f"{WHY_NOT}.")
    with tempfile.TemporaryDirectory() as folder:
        runs = str(Path(folder, "runs"))
        with served(PGVIZ_RUNS=runs, PGVIZ_AHEAD="1") as recording:
            asyncio.run(record(recording, page, steps))
        if number == 1:
            with served(PGVIZ_RUNS=runs, PGVIZ_AHEAD="0") as fresh:
                asyncio.run(wake(fresh, page, steps[0]))
                yield fresh, ()
            return
        with behind_nginx(Path(folder), number) as (front, servers):
            for port in servers:
                asyncio.run(wake(f"http://127.0.0.1:{port}", page, steps[0]))
            yield front, [*servers]


def _numbers(text: str) -> list[int]:
    numbers = text.split(",")
    if not all(n.isdecimal() and 1 <= int(n) <= MOST_SESSIONS for n in numbers):
        raise LoadError(f"--sessions takes numbers from 1 to {MOST_SESSIONS}, not {text!r}.")
    return [int(n) for n in numbers]


def _combinations(vary: Sequence[str]) -> list[str]:
    """All ends of an address that these settings make."""
    named = [entry.partition("=") for entry in vary]
    each = [[f"{name}={value}" for value in values.split(",")] for name, _, values in named]
    return ["&".join(settings) for settings in product(*each)]


def _row(measured: Measured) -> str:
    return f"| {' | '.join(write(measured) for write in COLUMNS.values())} |"


def _views(m: Measured) -> list[float]:
    return [view for session in m.sessions for view in session.views_s]


def _latencies(m: Measured) -> list[float]:
    return [poll.latency_s for session in m.sessions for poll in session.watch.polls]


def _sizes(m: Measured) -> list[int]:
    return [poll.num_bytes for session in m.sessions for poll in session.watch.polls]


def _rates(m: Measured) -> list[float]:
    watches = [session.watch for session in m.sessions if session.watch.watched_s]
    return [WINDOW_S * len(watch.polls) / watch.watched_s for watch in watches]


def _cpu_of_a_poll(m: Measured) -> list[float]:
    """With all else that the server did while it was polled."""
    number = len(_latencies(m))
    return [1e3 * m.after.server_s / number] if number else []


def _silences(m: Measured) -> list[float]:
    return [session.watch.silence_s for session in m.sessions if session.watch.polls]


def _ends(m: Measured) -> list[float]:
    return [session.run_s for session in m.sessions if session.run_s is not None]


def _begun(m: Measured) -> list[float]:
    return [session.begun_s for session in m.sessions if session.begun_s is not None]


def _number(values: Sequence[float], spec: str) -> str:
    return format(mean(values), spec) if values else "–"


def _both(values: Sequence[float], write: Callable[[float], str], *shares: float) -> str:
    return " / ".join(write(_quantile(values, share)) for share in shares) if values else "–"


def _quantile(values: Sequence[float], share: float) -> float:
    if share == 1 or len(values) == 1:
        return max(values)
    if share == 0.5:
        return median(values)
    return quantiles(values, n=100, method="inclusive")[round(100 * share) - 1]


if __name__ == "__main__":
    main()
