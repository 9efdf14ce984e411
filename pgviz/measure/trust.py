"""Tables and sentences behind the pages on believing a critic. Pages compute nothing."""

from functools import lru_cache

import numpy as np
import pandas as pd

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.trust import (
    LAMBDAS,
    Tradeoff,
    follow_one_number,
    is_void,
    tradeoff,
    weights_on_rewards,
    weights_on_values,
    window_bias,
    wrong_critic,
)
from pgviz.exact.values import gradient, state_values
from pgviz.proofs.ascent import ascent, exact_update
from pgviz.worlds.named import named_worlds, short_corridor
from pgviz.worlds.tabular import Floats

FORMULAS = {  # of exact.trust.SHAPES
    "too small": "V̂ = (1 − ε) V",
    "shifted": "V̂ = V + ε J",
    "one number": "V̂ = V + ε (J − V)",
}
WORLDS = ("ladder", "short-corridor", "survival")
ERRORS = tuple(float(x) for x in np.round(np.arange(0, 1.01, 0.05), 2))
EPISODES = (1, 3, 10, 30, 100, 300, 1000)
MANY = np.unique(np.round(np.logspace(0, 4, 41)))


@lru_cache(16)
def of_world(world: str, shape: str) -> Tradeoff:
    """The exact trade-off in a named world."""
    return tradeoff(named_worlds[world](), shape)


def curves(world: str, shape: str, error: float, num_episodes: int) -> pd.DataFrame:
    """bias², tr Cov / N and MSE against λ, all divided by ‖∇J‖²: part, name, gae_lambda, size."""
    found = of_world(world, shape)
    parts = {
        "bias²": found.bias_squared(error),
        "variance / N": found.covariance_trace(error) / num_episodes,
        "MSE": found.mean_squared_error(error, num_episodes),
    }
    rows = [
        pd.DataFrame(
            {
                "part": name,
                "gae_lambda": found.lambdas,
                "size": np.maximum(values / found.squared_length, 0),
            }
        )
        for name, values in parts.items()
    ]
    return pd.concat(rows, ignore_index=True)


def best_by_episodes(world: str, shape: str, error: float) -> pd.DataFrame:
    """The best λ against N, for this critic and for the true one."""
    found = of_world(world, shape)
    rows = []
    for name, size in (("your critic", error), ("the true V", 0.0)):
        best = [found.best_lambda(size, n) for n in MANY]
        rows.append(pd.DataFrame({"critic": name, "num_episodes": MANY, "gae_lambda": best}))
    return pd.concat(rows, ignore_index=True)


def error_map(world: str, shape: str, num_episodes: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """MSE over λ × error, in multiples of the least MSE at that error, and the best λ of each."""
    found = of_world(world, shape)
    step = LAMBDAS[::4]
    cells, best = [], []
    for error in ERRORS:
        mse = found.mean_squared_error(error, num_episodes)
        least = float(mse.min())
        best.append({"error": error, "gae_lambda": found.best_lambda(error, num_episodes)})
        cells.append(pd.DataFrame({"error": error, "gae_lambda": step, "times": mse[::4] / least}))
    table = pd.concat(cells, ignore_index=True)
    return table.assign(times=table["times"].clip(upper=1e6)), pd.DataFrame(best)


def kernel(gamma: float, gae_lambda: float, num_steps: int = 25) -> pd.DataFrame:
    """The weights of rewards and of the critic's word, k steps ahead."""
    ahead = np.arange(num_steps)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "what": "rewards",
                    "ahead": ahead,
                    "weight": weights_on_rewards(gamma, gae_lambda, num_steps),
                }
            ),
            pd.DataFrame(
                {
                    "what": "the critic",
                    "ahead": ahead + 1,
                    "weight": weights_on_values(gamma, gae_lambda, num_steps),
                }
            ),
        ],
        ignore_index=True,
    )


def kernel_in_words(gamma: float, gae_lambda: float) -> str:
    """How far ahead Â looks."""
    if gamma * gae_lambda == 1:
        return (
            "In an episode that terminates every reward counts in full and the critic is only"
            f" subtracted: Â = G − V̂(s). {_WHERE_IT_IS_CUT} in full, too."
        )
    if gae_lambda == 0:
        return f"Â listens to one reward; what the critic says has the weight {gamma:.3g}."
    steps = 1 / (1 - gamma * gae_lambda)
    believed = gamma * (1 - gae_lambda) / (1 - gamma * gae_lambda)
    told = (
        f"Â listens to {steps:.3g} rewards in all, the first in full and each next one"
        f" {gamma * gae_lambda:.3g} times as much; what the critic says has the weight"
        f" {believed:.3g}."
    )
    return f"{told} {_WHERE_IT_IS_CUT} γⁿ times." if gae_lambda == 1 else told


_WHERE_IT_IS_CUT = (
    "Where a window or a time limit cuts it after n steps, V̂ of the next state counts"
)


WINDOWS = (1, 2, 3, 4, 5, 6, None)
WINDOW_LAMBDAS = (0.0, 0.5, 0.95, 1.0)


@lru_cache(16)
def _all_wrong_in_windows(world: str, shape: str) -> tuple[list[int | None], Floats]:
    """The windows that cut an episode, and bias² / ‖∇J‖² [W, L] at ε = 1."""
    mdp = named_worlds[world]()
    kept = [w for w in WINDOWS if w is None or mdp.horizon is None or w < mdp.horizon]
    bias = window_bias(mdp, wrong_critic(mdp, shape, 1.0), WINDOW_LAMBDAS, kept)
    return kept, bias / of_world(world, shape).squared_length


def in_windows(world: str, shape: str, error: float) -> pd.DataFrame:
    """bias² / ‖∇J‖² of GAE when episodes are cut into windows: steps, and a column for each λ.

    E ĝ is affine in V̂ here, too, so bias²(ε) = ε² bias²(1).
    """
    kept, at_one = _all_wrong_in_windows(world, shape)
    shares = error**2 * at_one
    columns = {
        f"λ = {shown(lam)}": np.where(share < 1e-12, 0, share)
        for lam, share in zip(WINDOW_LAMBDAS, shares.T, strict=True)
    }
    steps = ["whole episodes" if w is None else str(w) for w in kept]
    return pd.DataFrame({"steps in a window": steps} | columns)


def windows_in_words(world: str, shape: str, error: float) -> str:
    """What windows do to λ = 1."""
    table = in_windows(world, shape, error).set_index("steps in a window")["λ = 1"]
    one, two, whole = table["1"], table["2"], table["whole episodes"]
    if table.max() == 0:
        return "With this critic windows cost λ = 1 no bias."
    return (
        "Windows cut the sum after so many steps and believe the critic there. At λ = 1 bias² is"
        f" {one:.3g} of ‖∇J‖² in windows of 1 step, {two:.3g} in windows of 2, and"
        f" {whole:.3g} in whole episodes."
    )


def what_lambda_listens_to(gamma: float) -> str:
    """What a larger λ does to the weights in Â; at γ = 1 the critic's add up to 1 for every λ < 1."""
    if gamma < 1:
        return "The larger λ, the more rewards and the less critic"
    return "The larger λ, the more rewards, and the later the critic is heard"


def best(world: str, shape: str, error: float, num_episodes: int) -> float:
    """The λ of least error."""
    return of_world(world, shape).best_lambda(error, num_episodes)


def share_of_error(world: str, shape: str, error: float, num_episodes: int, lam: float) -> tuple:
    """bias², variance / N and MSE at one λ, in parts of ‖∇J‖²."""
    found = of_world(world, shape)
    at = int(np.abs(found.lambdas - lam).argmin())
    parts = (
        found.bias_squared(error)[at],
        found.covariance_trace(error)[at] / num_episodes,
        found.mean_squared_error(error, num_episodes)[at],
    )
    return tuple(float(x / found.squared_length) for x in parts)


def costs_bias(world: str, shape: str) -> bool:
    """Whether an error of this shape biases any λ in this world."""
    found = of_world(world, shape)
    return float(found.bias.max()) > 1e-12 * found.squared_length


def void_in_words(world: str, shape: str, error: float) -> str:
    """One sentence if this error makes no critic of this world wrong, else ""."""
    if not error or not is_void(named_worlds[world](), shape):
        return ""
    return f"In {world} {FORMULAS[shape]} is V for every ε: here this critic is not wrong."


def moves(world: str, shape: str, error: float) -> str:
    """How the best λ moves with N, and where it stands with the true V."""
    at = {n: best(world, shape, error, n) for n in (10, 30, 1000)}
    true = best(world, shape, 0.0, 10)
    if not error or not costs_bias(world, shape):
        return f"No λ is biased here, so only the noise counts: it is least at λ = {shown(at[10])} whatever N."
    if len(set(at.values())) == 1:
        few, some, many = (f"{n:,}" for n in at)
        here = f"{shown(at[10])} with {few}, {some} and {many} episodes alike"
        why = "the bias stays, the variance shrinks as 1/N, and that does not move it"
    else:
        here = ", ".join(f"{shown(x)} with {n:,}" for n, x in at.items()) + " episodes"
        why = "the bias stays, the variance shrinks as 1/N"
    return (
        f"The best λ is {here}: {why}. With the true"
        f" V no λ is biased, and the least variance is at λ = {shown(true)} whatever N."
    )


def course(values: Floats) -> str:
    """Which way numbers go: "stays", "rises", "falls", "falls, then rises", or "goes up and down"."""
    steps = np.diff(values)
    signs = np.sign(np.where(np.abs(steps) <= 1e-9 * np.abs(values).max(), 0, steps))
    signs = signs[signs != 0]
    if not len(signs):
        return "stays"
    if (signs == signs[0]).all():
        return "rises" if signs[0] > 0 else "falls"
    return "falls, then rises" if (np.diff(signs) >= 0).all() else "goes up and down"


def trade_in_words(world: str, shape: str, error: float) -> str:
    """Whether waiting longer trades bias for noise: everywhere, from some λ on, or not at all."""
    if not error or not costs_bias(world, shape):
        return "No bias at any λ: only the noise differs"
    trace = of_world(world, shape).covariance_trace(error)
    quietest = shown(float(LAMBDAS[trace.argmin()]))
    return {
        "rises": "Waiting longer trades bias for noise",
        "falls, then rises": f"Beyond λ = {quietest}, waiting longer trades bias for noise",
    }.get(course(trace), "Waiting longer lowers the bias")


def parts_in_words(world: str, shape: str, error: float) -> str:
    """How bias² and variance go with λ, without a word on their sum."""
    found = of_world(world, shape)
    biased = error and costs_bias(world, shape)
    bias = f"Bias² {course(found.bias_squared(error))} as λ grows" if biased else "Bias² is 0"
    return f"{bias}; the variance {course(found.covariance_trace(error))} as λ grows."


def more_episodes(world: str, shape: str, error: float) -> str:
    """How the best λ goes with N."""
    found = of_world(world, shape)
    at = np.array([found.best_lambda(error, n) for n in MANY])
    return {
        "stays": "The best λ stays where it is",
        "rises": "More episodes, less need of the critic",
    }.get(course(at), f"The best λ {_goes(at)} with more episodes")


def worse_critic(world: str, shape: str, num_episodes: int) -> str:
    """How the best λ goes with the size of the error."""
    found = of_world(world, shape)
    at = np.array([found.best_lambda(error, num_episodes) for error in ERRORS])
    stays = course(at) == "stays"
    how = f"is {shown(at[0])} for every error" if stays else f"{_goes(at)} as the critic gets worse"
    if costs_bias(world, shape):
        return f"The best λ {how}"
    return f"This error costs no bias: the best λ {how}"


def _goes(values: Floats) -> str:
    """What numbers that do not stay do: "rises from .14 to .72", "falls from .14 to .11, then …"."""
    first, last, least, most = map(shown, (values[0], values[-1], values.min(), values.max()))
    words = {
        "rises": f"rises from {first} to {last}",
        "falls": f"falls from {first} to {last}",
        "falls, then rises": f"falls from {first} to {least}, then rises to {last}",
    }
    return words.get(course(values), f"goes up and down between {least} and {most}")


def shown(x: float) -> str:
    """.61, 0, 1."""
    return f"{x:.2f}".rstrip("0").rstrip(".") or "0"


def verdict(world: str, shape: str, error: float, num_episodes: int, guess: float) -> str:
    """What a guess at the best λ costs."""
    lam = best(world, shape, error, num_episodes)
    least = share_of_error(world, shape, error, num_episodes, lam)[2]
    theirs = share_of_error(world, shape, error, num_episodes, guess)[2]
    if abs(guess - lam) <= 0.05:
        return f"You said {shown(guess)}. The minimum is at **{shown(lam)}**: right beside it."
    return (
        f"You said {shown(guess)}. The minimum is at **{shown(lam)}**; your λ has"
        f" {theirs / least:.3g} times its error."
    )


# --- the same critic, two uses ---


def two_uses(world: str, shape: str) -> pd.DataFrame:
    """bias² and covariance trace of both uses, against the critic's error: name, error, bias, spread."""
    found = of_world(world, shape)
    errors = np.linspace(0, 1, 41)
    rows = []
    for name, at in (("baseline", -1), ("actor-critic", 0)):
        for error in errors:
            bias = float(found.bias_squared(error)[at]) / found.squared_length
            rows.append(
                {
                    "name": name,
                    "error": error,
                    "bias": 0.0 if bias < 1e-20 else bias,
                    "spread": float(found.covariance_trace(error)[at]),
                }
            )
    return pd.DataFrame(rows)


def uses_at(table: pd.DataFrame, error: float) -> pd.DataFrame:
    """The rows of `two_uses` at one error."""
    at = table["error"].iloc[(table["error"] - error).abs().argmin()]
    return table[table["error"] == at]


def numbers_at(table: pd.DataFrame, error: float) -> dict[str, tuple[float, float]]:
    """bias² and spread of each use at one error."""
    rows = uses_at(table, error)
    return {
        str(name): (float(bias), float(spread))
        for name, bias, spread in zip(rows["name"], rows["bias"], rows["spread"], strict=True)
    }


def uses_in_words(world: str, shape: str, error: float) -> str:
    """Both uses in one sentence."""
    here = numbers_at(two_uses(world, shape), error)
    (bias, spread), (followed_bias, followed_spread) = here["baseline"], here["actor-critic"]
    return (
        f"With ε = {error:g} the bias² is {_zero(bias)} of ‖∇J‖² when the critic is subtracted and"
        f" {_zero(followed_bias)} when it is believed; the spread is {spread:.4g} against"
        f" {followed_spread:.4g}."
    )


def _zero(x: float) -> str:
    return "0" if x < 1e-12 else f"{x:.3g}"


# --- where a biased gradient leads ---

ASCENT_STEPS = 120
ASCENT_RATE = 0.02


@lru_cache(8)
def corridor_ascents(start: float = 0.5) -> pd.DataFrame:
    """P(right) and J along the exact ascent and along what the critic of one number says.

    name, step, probability, objective.
    """
    world = short_corridor(start)
    rows = []
    for name, update in (("baseline", exact_update), ("actor-critic", follow_one_number)):
        path = ascent(world, update, ASCENT_STEPS, ASCENT_RATE)
        rows.append(
            pd.DataFrame(
                {
                    "name": name,
                    "step": np.arange(len(path.objective)),
                    "probability": path.policy[:, 0, 0],
                    "objective": path.objective,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


@lru_cache(1)
def aliased_in_words() -> str:
    """What the corridor's natural critic says at p = ½, and where its ĝ points on average."""
    world = short_corridor()
    value = state_values(world)[0]
    critic = GradientEstimator("td", values=np.full(world.num_states, value))
    believed, true = (
        "({:.3g}, {:.3g})".format(*x.ravel())
        for x in (moments(world, critic).mean, gradient(world))
    )
    return (
        f"V̂ = V(s₀), which is {value:.3g} at p = ½. Its mean ĝ is {believed} where ∇J is {true}."
    ).replace("-", "−")


def ascent_in_words(start: float = 0.5) -> str:
    """Where both arrive."""
    table = corridor_ascents(start)
    right, wrong = (table[table["name"] == name].iloc[-1] for name in ("baseline", "actor-critic"))
    return (
        f"Subtracted, the critic does no harm: p = {right['probability']:.3f}, J ="
        f" {right['objective']:.2f}; the optimum is {2 - 2**0.5:.3f}. Believed, it leads to p ="
        f" {wrong['probability']:.3f} and J = {wrong['objective']:.1f} by step {wrong['step']:.0f},"
        " towards the worst policy there is."
    ).replace("-", "−")
