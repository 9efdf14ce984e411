"""Tables of Gymnasium's tabular worlds, `env.unwrapped.P`: P[s][a] is a list of
(probability, next state, reward, terminated).

The table knows no time limit (FrozenLake's 100 steps are a wrapper around it), so the world has
no horizon unless one is given: FrozenLake ends in a hole or at the goal, CliffWalking at the goal,
after 6,453 steps on average under the uniform policy.

A step may pay differently each time, although it leads to the same place: next to a hole AND the
goal on FrozenLake8x8, next to the start AND the cliff on CliffWalkingSlippery. A table holds one
reward per column, so the second reward leads to a twin of that place, which looks, pays and goes
on like it: neither the mean nor the variance of any return or gradient estimate is changed by
that. The twin of the end is a state without features, hence without a score, that pays 0 and ends.
"""

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from pgviz.worlds.tabular import MAX_ACTIONS, MAX_STATES, Floats, TabularMDP, WorldError, quoted

GYMNASIUM_ID = re.compile(r"(?:[\w.-]+/)?[\w.-]+-v\d+")
END = -1  # where a step that terminates leads to

# The rewards of one step and their probabilities, by where it leads to: {next state: {reward: p}}.
Step = dict[int, dict[float, float]]


def from_gymnasium(
    env: Any,
    gamma: float = 1.0,
    horizon: int | None = None,
    start: Floats | None = None,
    make: Mapping[str, Any] | None = None,
) -> TabularMDP:
    """The table of a Gymnasium environment under the uniform policy, one logit per (s, a).

    `env` is an environment with a table P, the P itself, or the id of one that Gymnasium registers;
    `make` holds the arguments with which an id is made, {"is_slippery": False}. `start` is by
    default the environment's `initial_state_distrib`, and uniform for a bare P.
    Raises WorldError where there is no table or where it is none.
    """
    name, table = "", env
    if isinstance(env, str):
        called, env = env, made(env, make or {})
        env.close()
        arguments = ", ".join(f"{key}={value}" for key, value in (make or {}).items())
        name = f"{called} ({arguments})"[:80] if arguments else called
    elif make:
        raise WorldError("make holds arguments for an id, but this environment is already made")
    if isinstance(env, (Mapping, list, tuple)):
        name = "world"
    else:
        spec, inner = getattr(env, "spec", None), getattr(env, "unwrapped", env)
        name = name or getattr(spec, "id", None) or type(inner).__name__
        table = getattr(inner, "P", None)
        if start is None:
            start = getattr(inner, "initial_state_distrib", None)
        if table is None:
            raise WorldError(f"{name} has no table of transitions, so nothing about it is exact")
        if start is None:
            raise WorldError(f"{name} has no initial_state_distrib: give start, one number a state")
    return _world(name, _steps(table, name), gamma, horizon, start)


def _world(
    name: str, steps: list[list[Step]], gamma: float, horizon: int | None, start: Floats | None
) -> TabularMDP:
    num_states, num_actions = len(steps), len(steps[0])
    places = [step for row in steps for step in row]
    twins: Counter[int] = Counter()  # of each place, how many it needs
    for step in places:
        for place, paid in step.items():
            twins[place] = max(twins[place], len(paid) - 1)
    # Behind the states stand the twins of states, then those of the end, then the end.
    origin = list(range(num_states))
    columns: dict[int, list[int]] = {place: [place] for place in range(num_states)}
    columns[END] = []
    for place in sorted(twins, key=lambda place: (place == END, place)):
        for _ in range(twins[place]):
            columns[place].append(len(origin))
            origin.append(place)
    columns[END].insert(0, len(origin))
    size = len(origin)
    if size > MAX_STATES:
        raise WorldError(
            f"{name} pays different rewards on the same step so often that {size} states were "
            f"needed, more than the {MAX_STATES} that fit: give each step its mean reward, which "
            "changes no mean, only variances"
        )
    transitions = np.zeros((size, num_actions, size + 1))
    rewards, features = np.zeros_like(transitions), np.zeros((size, num_states))
    for s, place in enumerate(origin):
        if place == END:
            transitions[s, :, size] = 1
            continue
        features[s, place] = 1
        for a, step in enumerate(steps[place]):
            for target, paid in step.items():
                here = columns[target][: len(paid)]
                transitions[s, a, here], rewards[s, a, here] = list(paid.values()), list(paid)
    return TabularMDP(
        name=name,
        transitions=transitions,
        rewards=rewards,
        start=[*_start(start, num_states), *[0] * (size - num_states)],  # type: ignore[arg-type]
        gamma=gamma,
        horizon=horizon,
        features=features,
        theta=np.zeros((num_states, num_actions)),
    )


def _start(start: Any, num_states: int) -> list[float]:
    if start is None:
        return [1 / num_states] * num_states
    if np.shape(start) != (num_states,):
        raise WorldError(
            f"start must hold one number per state, {num_states} here, got the shape "
            f"{list(np.shape(start))}"
        )
    return list(start)


def _steps(table: Any, name: str) -> list[list[Step]]:
    """P in a form that can be relied on."""
    num_states = len(table)
    num_actions = len(_at(table, 0, f"{name}.P")) if num_states else 0
    if not 0 < num_states <= MAX_STATES or not 0 < num_actions <= MAX_ACTIONS:
        raise WorldError(
            f"{name} has {num_states} states and {num_actions} actions; 1 to {MAX_STATES} states "
            f"and 1 to {MAX_ACTIONS} actions fit"
        )
    steps = []
    for s in range(num_states):
        row = _at(table, s, f"{name}.P")
        if len(row) != num_actions:
            raise WorldError(
                f"{name}.P[{s}] has {len(row)} actions and P[0] has {num_actions}: every state needs "
                "the same"
            )
        steps.append(
            [
                _step(_at(row, a, f"{name}.P[{s}]"), num_states, f"{name}.P[{s}][{a}]")
                for a in range(num_actions)
            ]
        )
    return steps


def _step(outcomes: Any, num_states: int, where: str) -> Step:
    step: Step = {}
    try:
        for probability, next_state, reward, terminated in outcomes:
            if probability == 0:
                continue
            place = END if terminated else int(next_state)
            if place != END and not 0 <= place < num_states:
                raise WorldError(
                    f"{where} leads to state {place}, but there are the states 0 to {num_states - 1}"
                )
            paid = step.setdefault(place, {})
            paid[float(reward)] = paid.get(float(reward), 0.0) + float(probability)
    except (TypeError, ValueError) as fault:
        if isinstance(fault, WorldError):
            raise
        raise WorldError(
            f"{where} must be a list of (probability, next state, reward, terminated)"
        ) from None
    return step


def _at(table: Any, index: int, where: str) -> Any:
    try:
        return table[index]
    except (LookupError, TypeError):
        raise WorldError(
            f"{where} has no entry {index}: it is P[state][action], both from 0"
        ) from None


def made(env_id: str, arguments: Mapping[str, Any]) -> Any:
    import gymnasium

    if ":" in env_id:
        raise WorldError(
            f"{quoted(env_id)} would import a module of that name: only environments that "
            "Gymnasium itself registers are accepted"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return gymnasium.make(env_id, **arguments)
        except (gymnasium.error.UnregisteredEnv, gymnasium.error.DeprecatedEnv) as fault:
            raise WorldError(
                f"Gymnasium knows no environment {quoted(env_id)}: {_hint(fault)}"
            ) from None
        except Exception as fault:  # an environment may need anything: a package, a screen, a file
            with_what = f" with {', '.join(arguments)}" if arguments else ""
            raise WorldError(
                f"Gymnasium cannot make {quoted(env_id)}{with_what} here: {_hint(fault)}"
            ) from None


def _hint(fault: Exception) -> str:
    """What Gymnasium says, as the end of a sentence."""
    said = " ".join(str(fault).split())
    if isinstance(fault, KeyError) or not said:  # says no more than the key
        said = f"{type(fault).__name__} {said}".strip()
    return said[:200].rstrip(". ")
