"""The command line: `python -m pgviz --help`. Bad input ends with one sentence and status 2."""

import os
import sys

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Policy gradients you can run, rewind and measure."""


@cli.command()
@click.argument("method")
@click.option("--world", help="The world to learn. [default: CartPole-v1]")
@click.option("--num-seeds", type=int, help="Independent runs, side by side. [default: 16]")
@click.option("--rng-seed", type=int, help="Names the random streams. [default: 0]")
@click.option("--num-updates", type=int, help="Gradient steps. [default: the method's preset]")
@click.option("--max-env-steps", type=int, help="Environment steps of one seed. [default: any]")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any other setting.")
@click.option("--stop-when-solved", is_flag=True, help="Each seed stops when it has solved it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line an update, then the summary.")
def train(
    method: str,
    settings: tuple[str, ...],
    stop_when_solved: bool,
    as_json: bool,
    **options: str | int | None,
) -> None:
    """Train an ensemble with METHOD, for example: train reinforce --stop-when-solved"""
    from pgviz.training import ConfigError, presets, with_settings
    from pgviz.training.command import run

    try:
        if method not in presets:
            raise ConfigError(f"there is no method {method!r}; there are {', '.join(presets)}")
        given = {name: value for name, value in options.items() if value is not None}
        config = presets[method].replace(stop_when_solved=stop_when_solved, **given)
        config = with_settings(config, dict(name_and_value(text) for text in settings))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    run(config, as_json)


def name_and_value(text: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals:
        raise click.ClickException(f"--set takes NAME=VALUE, got {text!r}")
    return name.strip(), value.strip()


def main() -> None:
    """Run the command line; every fault of the input is one sentence on stderr, status 2."""
    try:
        status = cli(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"pgviz: {error.format_message()}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
