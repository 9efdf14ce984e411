"""The command line: `python -m pgviz --help`. Bad input ends with one sentence and status 2."""

import sys

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Policy gradients you can run, rewind and measure."""


def main() -> None:
    """Run the command line; every fault of the input is one sentence on stderr, status 2."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"pgviz: {error.format_message()}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
