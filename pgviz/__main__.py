"""The command line: `python -m pgviz --help`. Bad input ends with one sentence and status 2."""

import json
import sys

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Policy gradients you can run, rewind and measure."""


@cli.command()
@click.argument("world")
@click.option(
    "--estimator",
    type=click.Choice(["full-return", "reward-to-go", "td", "gae"]),
    required=True,
    help="Which Ψ multiplies ∇log π.",
)
@click.option("--gamma", type=float, help="Discount; the world's own unless given.")
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
    gae_lambda: float | None,
    baseline: float,
    values: str | None,
    values_scale: float | None,
    drop_gamma_t: bool,
    num_episodes: int | None,
    rng_seed: int,
    as_json: bool,
) -> None:
    """Exact bias and variance of an estimator in a finite WORLD.

    WORLD is bandit-a, survival, short-corridor, ladder, shared-logit-chain, a Gymnasium id with a
    transition table such as FrozenLake-v1, or a JSON file.
    """
    from dataclasses import replace

    from pgviz.measure.report import estimator_from_flags, moments_report, table
    from pgviz.worlds.files import find_world
    from pgviz.worlds.tabular import WorldError

    try:
        mdp = find_world(world)
        if gamma is not None:
            mdp = replace(mdp, gamma=gamma)
        described = estimator_from_flags(
            mdp, estimator, baseline, values, values_scale, gae_lambda, drop_gamma_t
        )
        report = moments_report(mdp, described, num_episodes, rng_seed)
    except WorldError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(report, allow_nan=False) if as_json else table(report))


def main() -> None:
    """Run the command line; every fault of the input is one sentence on stderr, status 2."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        sentence = " ".join(error.format_message().split())
        click.echo(f"pgviz: {sentence}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
