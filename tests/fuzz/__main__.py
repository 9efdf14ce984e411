"""What strangers may send, in numbers: python -m tests.fuzz [links|files|commands] --number N

\b
links     addresses of all pages and steps, against a server of its own
files     worlds, progress, sheets; some of them through the pages of such a server
commands  command lines, `check` of hostile solutions among them

Each input is named by --seed and its number. What went wrong stands on stderr, one line each; then
the status is 1. Nothing but this machine is ever asked.
"""

from collections.abc import Callable, Iterable
from itertools import chain

import click

from tests.fuzz import report

TABS = click.option(
    "--tabs", type=click.IntRange(1, 50), default=4, show_default=True, help="At once."
)


def bounded(number: int) -> Callable[[Callable], Callable]:
    """How many, which, and for how long at most."""
    options = (
        click.option("--number", type=click.IntRange(4, 100_000), default=number, show_default=True),
        click.option("--seed", type=int, default=1, show_default=True),
        click.option(
            "--minutes", type=click.FloatRange(0, 600), default=60.0, show_default=True,
            help="After so many no more are sent; how many were stands in the table.",
        ),
    )  # fmt: skip

    def decorate(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    pass


@main.command()
@bounded(10_000)
@TABS
def links(number: int, seed: int, minutes: float, tabs: int) -> None:
    """Addresses of all pages and steps."""
    from tests.fuzz import pages

    _tell([pages.links(number, seed, tabs, minutes)])


@main.command()
@bounded(10_000)
@TABS
@click.option(
    "--pages",
    type=click.IntRange(0, 10_000),
    default=300,
    show_default=True,
    help="So many more worlds, progress and states of widgets through the pages of a server.",
)
def files(number: int, seed: int, minutes: float, tabs: int, pages: int) -> None:
    """World, progress and sheet files."""
    from tests.fuzz import pages as through
    from tests.fuzz.files import read_all

    served = (through.worlds, through.progress, through.states) if pages else ()
    through_pages = (act(pages, seed, tabs, minutes) for act in served)
    _tell(chain(read_all(number, seed, minutes), through_pages))


@main.command()
@bounded(2000)
def commands(number: int, seed: int, minutes: float) -> None:
    """Command lines."""
    from tests.fuzz.commands import run_all

    _tell([run_all(number, seed, minutes)])


@main.command(hidden=True)
@click.argument("url")
def innocent(url: str) -> None:
    """A tab that asks for a view each half second until something stands on stdin."""
    from tests.fuzz.server import look_on

    look_on(url)


def _tell(rows: Iterable[report.Found]) -> None:
    print(report.heading())
    faults = 0
    for found in rows:
        print(report.row(found), flush=True)
        report.tell(found)
        faults += len(found.faults)
    raise SystemExit(faults > 0)


if __name__ == "__main__":
    main()
