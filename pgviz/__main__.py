"""The command line: `python -m pgviz --help`. Bad input ends with one sentence and status 2."""

import json
import os
import sys
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Policy gradients you can run, rewind and measure."""


@cli.command()
@click.argument("method")
@click.option(
    "--world",
    help="CartPole-v1 unless given; a Gymnasium id, a named finite world, a world file or '-', or"
    " module:Id, which imports the module that registers it.",
)
@click.option("--num-seeds", type=int, help="Independent runs, side by side. [default: 16]")
@click.option("--rng-seed", type=int, help="Names the random streams. [default: 0]")
@click.option("--num-updates", type=int, help="Gradient steps. [default: the method's preset]")
@click.option("--max-env-steps", type=int, help="Environment steps of one seed. [default: any]")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any other setting.")
@click.option("--stop-when-solved", is_flag=True, help="Each seed stops when it has solved it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line an update, then the summary.")
@click.option(
    "--watch", type=click.Path(), help="Write an episode of seed 0 to this GIF at the end."
)
def train(
    method: str,
    settings: tuple[str, ...],
    stop_when_solved: bool,
    as_json: bool,
    watch: str | None,
    **options: str | int | None,
) -> None:
    """Train an ensemble with METHOD, for example: train reinforce --stop-when-solved"""
    from pgviz.training.command import run
    from pgviz.training.config import ConfigError, preset, typed
    from pgviz.worlds.files import world_to_train_in
    from pgviz.worlds.tabular import WorldError

    try:
        given = {name: value for name, value in options.items() if value is not None}
        if stop_when_solved:
            given["stop_when_solved"] = True
        changes = names_and_values(settings, given)
        world = str(given.pop("world", None) or changes.pop("world", "CartPole-v1"))
        config = preset(method, world_to_train_in(world), **given, **typed(changes))
        last = run(config, as_json)
        if watch is not None:
            from pgviz.runs.rendering import save

            paid = save(config, last.theta[0], Path(watch))
            click.echo(printable(f"{watch}: an episode of seed 0, return {paid:g}"), err=True)
    except (ConfigError, WorldError) as error:
        raise click.ClickException(str(error)) from error


def names_and_values(
    texts: Iterable[str], given: Container[str], option: str = "--set"
) -> dict[str, str]:
    """The two sides of every NAME=VALUE; a name that is given already is refused."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals:
            raise click.ClickException(f"{option} takes NAME=VALUE, got {text!r}")
        if name == "method" and option == "--set":
            raise click.ClickException("method is named first, not with --set")
        if name in given or name in settings:
            raise click.ClickException(f"{name} is given twice")
        settings[name] = value.strip()
    return settings


def python_value(text: str) -> Any:
    """What was typed for an argument of an environment: JSON, or True and False, or a text."""
    try:
        return json.loads({"True": "true", "False": "false", "None": "null"}.get(text, text))
    except ValueError:
        return text


class NamesWorlds(click.Command):
    """A command whose help lists the named worlds; they are imported when it is asked for."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from pgviz.worlds.named import named_worlds

        assert self.help is not None
        self.help = self.help.replace("{worlds}", ", ".join(named_worlds))
        super().format_help_text(ctx, formatter)


@cli.command(cls=NamesWorlds)
@click.argument("world")
@click.option(
    "--estimator",
    type=click.Choice(["full-return", "reward-to-go", "td", "gae"]),
    default="reward-to-go",
    show_default=True,
    help="Which Ψ multiplies ∇log π.",
)
@click.option("--gamma", type=float, help="Discount; the world's own unless given.")
@click.option("--horizon", type=int, help="Episodes end after so many steps. [default: its own]")
@click.option(
    "--make",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of a Gymnasium environment, for example is_slippery=false.",
)
@click.option("--gae-lambda", type=float, help="λ of gae, 0.95 unless given.")
@click.option("--baseline", type=float, default=0.0, help="A constant subtracted from Ψ.")
@click.option(
    "--values",
    help="The critic V̂: 'true' or one number per state, 'v0,v1,…'. td and gae believe it ('true' "
    "unless given), reward-to-go only subtracts it.",
)
@click.option("--values-scale", type=float, help="Multiply the critic: 0.5 makes it half wrong.")
@click.option("--drop-gamma-t", is_flag=True, help="Leave out the γ^t in front of ∇log π.")
@click.option(
    "--window",
    type=int,
    help="Cut the sums of gae after every so many steps; there V̂ of the next state counts.",
)
@click.option(
    "--time-limit",
    type=int,
    help="Truncate episodes after so many steps; V̂ of the last state counts (td and gae).",
)
@click.option(
    "--num-episodes",
    type=click.IntRange(2, 1_000_000),
    help="Also measure by sampling so many episodes.",
)
@click.option("--rng-seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def moments(
    world: str,
    estimator: str,
    gamma: float | None,
    horizon: int | None,
    arguments: tuple[str, ...],
    gae_lambda: float | None,
    baseline: float,
    values: str | None,
    values_scale: float | None,
    drop_gamma_t: bool,
    window: int | None,
    time_limit: int | None,
    num_episodes: int | None,
    rng_seed: int,
    as_json: bool,
) -> None:
    """Exact bias and variance of an estimator in a finite WORLD.

    WORLD is {worlds}, a Gymnasium id with a transition table such as FrozenLake-v1 or Taxi-v4, a
    JSON file (the README shows one), or '-' for one on the standard input.
    """
    from pgviz.measure.report import estimator_from_flags, moments_report, table
    from pgviz.worlds.files import find_world
    from pgviz.worlds.tabular import WorldError

    try:
        make = {
            name: python_value(value)
            for name, value in names_and_values(arguments, {}, "--make").items()
        }
        mdp = find_world(world, gamma, horizon, make)
        described = estimator_from_flags(
            mdp,
            estimator,
            baseline,
            values,
            values_scale,
            gae_lambda,
            drop_gamma_t,
            window,
            time_limit,
        )
        report = moments_report(mdp, described, num_episodes, rng_seed)
    except WorldError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(report, allow_nan=False) if as_json else table(report))


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON line a sheet instead of a table.")
def sheets(folder: Path, as_json: bool) -> None:
    """Count what the sheets in FOLDER say: files that learners saved from the workbook or Home."""
    from dataclasses import asdict

    from pgviz.sheets import PROVES_NOTHING, SheetError, of_folder

    row = "{:32} {:>6} {:>10} {:>9} {:>6} {:>6}  {}"
    try:
        rows = list(of_folder(folder))
    except SheetError as error:
        raise click.UsageError(str(error)) from None
    if not as_json:
        click.echo(
            row.format("file", "steps", "predicted", "answered", "found", "words", "checked")
        )
    for name, found in rows:
        if as_json:
            facts = {"fault": found} if isinstance(found, str) else asdict(found)
            click.echo(json.dumps({"file": name, **facts}))
        elif isinstance(found, str):
            click.echo(f"{name}: {found}")
        else:
            counts = (found.steps, found.predicted, found.answered, found.found, found.words)
            click.echo(row.format(name, *counts, "; ".join(found.checked)))
    if not as_json:
        click.echo(PROVES_NOTHING)


@cli.command()
@click.argument("number", type=click.Choice(["13.1", "13.2"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def figure(number: str, as_json: bool) -> None:
    """Train what a figure of Sutton & Barto's book shows: REINFORCE in the short corridor.

    13.1 compares three step sizes, 13.2 learns with and without a baseline; 100 seeds, 1,000 episodes.
    """
    from pgviz.measure import textbook

    table = textbook.table_of(number)
    if as_json:
        document = {"figure": number, "best": textbook.best(), "runs": table.to_dict("list")}
        click.echo(json.dumps(document))
        return
    click.echo(table.round(1).to_string(index=False))
    click.echo(f"Mean return of 100 seeds. No policy does better than {textbook.best():.2f}.")


@cli.command()
@click.argument("exercise", required=False)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--list", "as_list", is_flag=True, help="Which exercises there are.")
@click.option("--skeleton", is_flag=True, help="Print the file to fill in.")
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    help="Write the file to fill in, or a notebook of it (.ipynb); it must be new.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="How long the file may run.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def check(
    exercise: str | None,
    file: Path | None,
    as_list: bool,
    skeleton: bool,
    write: Path | None,
    seconds: float,
    as_json: bool,
) -> int:
    """Check FILE, your solution of EXERCISE, on this computer: check gae gae.py

    FILE runs in a process of its own, without network, with limits of time, memory and output.
    Status 0 if all checks pass, 1 if one fails.
    """
    from pgviz import exercises

    if as_list:
        for name in exercises.NAMES:
            click.echo(f"{name:13} {exercises.exercise(name).summary}")
        return 0
    known = ", ".join(exercises.NAMES)
    if exercise is None:
        raise click.ClickException(f"name an exercise: {known}")
    if exercise not in exercises.NAMES:
        raise click.ClickException(f"there is no exercise {exercise!r}, only {known}")
    found = exercises.exercise(exercise)
    if skeleton:
        click.echo(found.skeleton(), nl=False)
        return 0
    if write is not None:
        text, then = found.skeleton(), f"then python -m pgviz check {exercise} {write}"
        if write.suffix == ".ipynb":
            from pgviz.exercises.notebook import notebook

            text, then = notebook(found), "and run the cells in Jupyter"
        try:
            with write.open("x", encoding="utf-8") as new:
                new.write(text)
        except OSError as error:
            raise click.ClickException(
                f"{write} cannot be written: {error.strerror or error}"
            ) from None
        click.echo(printable(f"{write}: fill in the gaps, {then}"))
        return 0
    if file is None:
        raise click.ClickException(
            f"name the file with your solution, or get one to fill in: check {exercise} --write"
            f" {exercise}.py"
        )
    from pgviz.exercises import command
    from pgviz.exercises.checking import Unusable
    from pgviz.exercises.sandbox import NOT_LIMITED, Limits

    try:
        if sys.platform == "win32":
            click.echo(NOT_LIMITED, err=True)
        report = command.check_file(found, file, Limits(seconds=seconds))
    except Unusable as error:
        raise click.ClickException(str(error)) from None
    click.echo(command.as_json(report, file) if as_json else command.as_text(report))
    return 0 if report.passed else 1


def printable(text: str) -> str:
    """What a terminal shows and does not obey, whatever was typed."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def main() -> None:
    """Run the command line; every fault of the input is one sentence on stderr, status 2.

    Output that cannot be written is one sentence too, status 1.
    """
    if sys.stdout is None:  # closed, with >&-
        sys.exit("pgviz: the output cannot be written: the standard output is closed")
    try:
        sys.exit(status())
    except OSError as error:
        # What is left in the buffer must not fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # there whoever reads it has seen enough
            sys.exit(f"pgviz: the output cannot be written: {error.strerror or error}")


def status() -> int:
    """Run the command line and say how it ended."""
    try:
        ended = cli(standalone_mode=False)
        sys.stdout.flush()
        return ended or 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        sentence = " ".join(error.format_message().split())
        click.echo(f"pgviz: {printable(sentence)}", err=True)
        return 2


if __name__ == "__main__":
    main()
