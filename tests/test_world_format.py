"""World files by example, tables of Gymnasium, and the forms that are easily taken for ours."""

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_worlds import random_world

from pgviz.estimators import reward_to_go
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.values import gradient, objective
from pgviz.worlds import TabularMDP, WorldError, from_gymnasium, load_world
from pgviz.worlds.files import find_world, parse_world
from pgviz.worlds.format import EXAMPLE, IN_WORDS
from pgviz.worlds.named import survival

README = (Path(__file__).parents[1] / "README.md").read_text()


def refusal(**fields):
    with pytest.raises(WorldError) as caught:
        parse_world(json.dumps({"name": "w", "gamma": 0.9} | fields))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- the format ---


def test_the_example_is_a_world_and_stands_in_the_readme():
    assert objective(parse_world(EXAMPLE)) < 0
    assert EXAMPLE in README
    assert IN_WORDS in README


def test_the_six_lines_of_the_readme_give_the_world_that_from_gymnasium_gives(capsys):
    block = next(b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "ndindex" in b)
    there: dict = {}
    exec(block, there)
    written = parse_world(capsys.readouterr().out)
    read = from_gymnasium(there["P"], gamma=0.9)
    assert objective(written) == pytest.approx(objective(read), rel=1e-12)
    for field in ("transitions", "rewards", "start", "theta"):
        np.testing.assert_array_equal(getattr(read, field), getattr(written, field))


def test_without_start_and_theta_both_are_uniform():
    world = parse_world(
        json.dumps({"name": "w", "gamma": 0.9, "transitions": [[[0.5, 0, 0.5]] * 3] * 2,
                    "rewards": [[1, 2, 3]] * 2})
    )  # fmt: skip
    np.testing.assert_array_equal(world.start, [0.5, 0.5])
    np.testing.assert_allclose(world.policy, 1 / 3)


# --- matrices without an end ---


@st.composite
def shapes(draw):
    return draw(st.integers(2, 6)), draw(st.integers(2, 6))


def stochastic(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


@given(shapes(), st.booleans())
def test_states_actions_states_is_recognised_at_every_size(shape, as_lists):
    states, actions = shape
    cube = stochastic(np.random.default_rng(0), states, actions, states)
    rewards = np.zeros((states, actions))
    if as_lists:
        cube, rewards = cube.tolist(), rewards.tolist()
    with pytest.raises(WorldError, match="last column, the probability that the episode ends"):
        TabularMDP("w", cube, rewards, gamma=0.9)


@given(shapes(), st.sampled_from(["by state", "by action", "by step", "of states"]))
def test_one_matrix_per_action_is_never_read_as_a_world(shape, paid):
    """A × S × S with A + 1 = S has the shape of a world of A states with S actions."""
    states, actions = shape
    cube = stochastic(np.random.default_rng(0), actions, states, states)
    rewards = {
        "by state": np.zeros((states, actions)),
        "by action": np.zeros((actions, states)),
        "by step": np.zeros((actions, states, states)),
        "of states": np.zeros(states),
    }[paid]
    start = None if paid != "by action" else np.full(states, 1 / states)
    with pytest.raises(WorldError, match=r"last column, the prob|give start"):
        TabularMDP("w", cube, rewards, start, gamma=0.9)


@pytest.mark.parametrize("states", [1, 2, 5])
def test_a_world_of_that_very_shape_is_read_once_it_says_what_it_is(states):
    world = random_world(0, states, states + 1)
    fields = {"transitions": world.transitions.tolist(), "rewards": world.rewards.tolist()}
    given_start = {"start": world.start.tolist()}
    told = parse_world(json.dumps({"name": "w", "gamma": 0.9} | fields | given_start))
    np.testing.assert_allclose(told.transitions, world.transitions)
    short = fields | {"rewards": [[0] * (states + 1)] * states}
    parse_world(json.dumps({"name": "w", "gamma": 0.9} | short))
    if states > 1:
        assert "give start" in refusal(**fields)


# --- tables of Gymnasium ---


def random_table(seed, states=2, actions=2):
    """Every step may pay one of two rewards on the way to the same place, the end included."""
    rng = np.random.default_rng(seed)
    places = [(s, False) for s in range(states)] + [(0, True)]
    table = {}
    for s, a in product(range(states), range(actions)):
        chances = rng.dirichlet(np.ones(2 * len(places)))
        outcomes = [
            (p, place, float(rng.integers(-2, 3)), over)
            for p, (place, over) in zip(chances, places * 2, strict=True)
        ]
        table.setdefault(s, {})[a] = outcomes
    return table


def by_hand(table, start, theta, gamma, horizon):
    """Mean and covariance trace of the reward-to-go estimate, over all episodes of the table."""
    policy = np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)
    episodes = [(p, s, [], [], False) for s, p in enumerate(start)]
    for _ in range(horizon):
        longer = []
        for p, s, steps, rewards, over in episodes:
            if over:
                longer.append((p, s, steps, rewards, over))
                continue
            for a in table[s]:
                for q, after, reward, ends in table[s][a]:
                    chance = p * policy[s, a] * q
                    longer.append((chance, after, [*steps, (s, a)], [*rewards, reward], ends))
        episodes = longer
    mean, square = np.zeros_like(theta), 0.0
    for p, _, steps, rewards, _ in episodes:
        estimate = np.zeros_like(theta)
        to_go = reward_to_go(np.array(rewards), gamma)
        for t, (s, a) in enumerate(steps):
            estimate[s] += gamma**t * to_go[t] * ((np.arange(len(table[s])) == a) - policy[s])
        mean, square = mean + p * estimate, square + p * (estimate**2).sum()
    return mean, square - (mean**2).sum()


@pytest.mark.parametrize("seed", range(3))
def test_rewards_that_differ_on_the_same_step_count_in_the_variance(seed):
    table, start, gamma = random_table(seed), [0.3, 0.7], 0.9
    world = from_gymnasium(table, gamma, horizon=3, start=start)
    theta = np.random.default_rng(seed).normal(size=(2, 2))
    found = moments(world.at(theta), GradientEstimator("reward-to-go"))
    mean, trace = by_hand(table, start, theta, gamma, 3)
    np.testing.assert_allclose(found.mean, mean, atol=1e-12)
    assert found.covariance_trace == pytest.approx(trace, rel=1e-10)


def test_the_cliff_that_lies_beside_the_start_keeps_both_of_its_rewards():
    """CliffWalkingSlippery pays −1 or −100 on the way back to the start."""
    world = find_world("CliffWalkingSlippery-v1", gamma=0.9)
    table = gymnasium.make("CliffWalkingSlippery-v1").unwrapped.P
    to_start = [[p, r] for p, after, r, _ in table[36][1] if after == 36]
    assert {r for _, r in to_start} == {-1, -100}
    assert (world.transitions[36, 1] > 0).sum() == 3  # two of them lead to the start
    for s, a in product(table, range(4)):
        paid = sum(p * r for p, _, r, _ in table[s][a])
        assert (world.transitions[s, a] @ world.rewards[s, a]) == pytest.approx(paid)
        left = [sum(p for p, after, _, _ in table[s][a] if after == k) for k in (36, 35)]
        assert world.transitions[s, a, [36, 48]].sum() == pytest.approx(left[0])
        assert world.transitions[s, a, 35] == pytest.approx(left[1])
    np.testing.assert_array_equal(world.transitions[48], world.transitions[36])


def test_an_environment_its_table_and_its_id_are_one_world():
    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    first, second = (
        from_gymnasium(env, 0.9),
        find_world("FrozenLake-v1", 0.9, make={"is_slippery": False}),
    )
    third = from_gymnasium(env.unwrapped.P, 0.9, start=env.unwrapped.initial_state_distrib)
    assert objective(first) == objective(second) == objective(third)
    slippery = find_world("FrozenLake-v1", 0.9)
    assert not np.allclose(gradient(slippery), gradient(first))
    limited = find_world("FrozenLake-v1", horizon=7)
    assert (limited.horizon, limited.gamma) == (7, 1)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "0 states and 0 actions"),
        ({1: {0: []}}, "has no entry 0"),
        ({0: {0: [(1.0, 0)]}}, "must be a list of (probability"),
        ({0: {0: [(1.0, 5, 0.0, False)]}}, "leads to state 5"),
        ({0: {0: [(0.5, 0, 0.0, True)]}}, "must sum to 1"),
        ({0: {0: [(1.0, 0, float("nan"), True)]}}, "numbers must lie"),
        ({0: {0: [(1.0, 0, 0.0, True)]}, 1: {}}, "has 0 actions"),
        ([[[(1.0, 0, 0.0, True)]]] * 501, "501 states"),
        (
            {s: {0: [(1 / 3, 0, float(r), True) for r in range(3)]} for s in range(499)},
            "mean reward",
        ),
    ],
)
def test_a_table_that_is_none_is_refused_in_one_sentence(table, sentence):
    with pytest.raises(WorldError, match=re.escape(sentence)) as caught:
        from_gymnasium(table)
    assert "\n" not in str(caught.value)


# --- the command ---


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Taxi-v3"], "Taxi-v4"),
        (["FrozenLake-v7"], "`v1`"),
        (["FrozenLakes-v1"], "Did you mean: `FrozenLake`"),
        (["FrozenLake-v1", "--make", "size=3"], "size"),
        (["FrozenLake-v1", "--make", "size"], "--make takes NAME=VALUE"),
        (["ladder", "--make", "size=3"], "'ladder' is none"),
        (["ladder", "--horizon", "0"], "horizon"),
    ],
)
def test_a_wrong_world_is_answered_with_what_would_do(run, arguments, sentence):
    status, out, err = run("moments", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert sentence in err


def test_arguments_of_the_environment_and_a_horizon_reach_the_world(run):
    def found(*arguments):
        return json.loads(run("moments", "FrozenLake-v1", *arguments, "--json")[1])

    certain = found("--make", "is_slippery=False", "--make", "map_name=4x4", "--horizon", "100")
    assert certain["horizon"] == 100
    assert certain["gradient"] != found("--horizon", "100")["gradient"]


def test_help_names_every_world(run):
    from pgviz.worlds.named import named_worlds

    out = re.sub(r"-\n *", "-", run("moments", "--help")[1])
    assert all(name in out for name in named_worlds)


def test_a_horizon_makes_an_endless_file_a_world(tmp_path):
    path = tmp_path / "endless.json"
    path.write_text(
        json.dumps(
            {"name": "w", "gamma": 1, "transitions": [[[1, 0], [1, 0]]], "rewards": [[1, 0]]}
        )
    )
    with pytest.raises(WorldError, match="may never end"):
        load_world(path)
    assert objective(find_world(str(path), horizon=4)) == pytest.approx(2)
    assert objective(find_world(str(path), gamma=0.5)) == pytest.approx(1)


# --- what a question costs ---


def test_one_report_factors_a_chain_once_for_every_discount(monkeypatch):
    """Taxi's 500 states took half a minute: every sum over episodes solved it all anew."""
    from pgviz.exact import values
    from pgviz.measure.report import moments_report

    factored = []
    plain = values.scipy.linalg.lu_factor
    monkeypatch.setattr(
        values.scipy.linalg, "lu_factor", lambda *a, **k: factored.append(1) or plain(*a, **k)
    )
    moments_report(replace(survival(), gamma=0.9), GradientEstimator("reward-to-go"))
    assert 0 < len(factored) <= 4  # γ, γ², 1 and nothing twice
