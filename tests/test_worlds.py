"""Worlds as tables: what is accepted, what is refused, and in which words."""

import copy
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_worlds import random_world

from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.moments import moments
from pgviz.exact.values import gradient, objective, state_values
from pgviz.measure.report import moments_report
from pgviz.worlds.files import find_world, load_world, parse_world
from pgviz.worlds.named import bandit_a, named_worlds, short_corridor, survival
from pgviz.worlds.tabular import TabularMDP, WorldError


def as_json(world):
    """The world file of the contract."""
    fields = ("transitions", "rewards", "start", "features", "theta")
    arrays = {field: getattr(world, field).tolist() for field in fields}
    return {"name": world.name, "gamma": world.gamma, "horizon": world.horizon, **arrays}


def corridor_file(**changes):
    return {**as_json(short_corridor()), **changes}


def refusal(document):
    """The sentence with which a document is refused."""
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(WorldError) as caught:
        load_world(text)
    return str(caught.value)


# --- what a world is ---


@pytest.mark.parametrize("name", named_worlds)
def test_a_named_world_survives_a_trip_through_a_file(name, tmp_path):
    world = named_worlds[name]()
    path = tmp_path / "world.json"
    path.write_text(json.dumps(as_json(world)))
    for back in (load_world(path), load_world(str(path)), find_world(str(path))):
        assert objective(back) == pytest.approx(objective(world), abs=1e-12)
        assert (back.name, back.gamma, back.horizon) == (name, world.gamma, world.horizon)


def test_rewards_of_a_step_may_leave_out_where_it_leads():
    short = corridor_file(rewards=[[-1, -1]] * 3)
    np.testing.assert_array_equal(load_world(json.dumps(short)).rewards, short_corridor().rewards)


def test_features_and_horizon_may_be_left_out():
    document = corridor_file(theta=[[0, 0]] * 3)
    del document["features"], document["horizon"]
    world = load_world(json.dumps(document))
    np.testing.assert_array_equal(world.features, np.eye(3))
    assert world.horizon is None


def test_probabilities_of_every_state_sum_to_one_exactly_enough():
    world = load_world(json.dumps(corridor_file(start=[0.3333333, 0.3333333, 0.3333333])))
    assert world.start.sum() == pytest.approx(1, abs=1e-15)


def test_the_policy_is_the_softmax_of_features_times_theta():
    world = random_world(1, num_states=3, num_actions=2, num_features=2)
    weights = np.exp(world.features @ world.theta)
    np.testing.assert_allclose(world.policy, weights / weights.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(world.flow.sum(axis=(1, 2)), 1)


def test_a_world_cannot_be_changed_behind_its_back():
    world = survival()
    with pytest.raises(ValueError, match="read-only"):
        world.rewards[0, 0, 0] = 7
    other = world.at([[5.0, 0.0]])
    assert objective(other) > objective(world) == pytest.approx(1)


@pytest.mark.parametrize("p", [0.0, 1.0, -1.0, float("nan")])
def test_a_softmax_never_reaches_certainty(p):
    with pytest.raises(WorldError, match="neither 0 nor 1"):
        survival(p)


def test_a_visitor_s_text_is_never_taken_for_a_path(tmp_path):
    path = tmp_path / "world.json"
    path.write_text(json.dumps(as_json(survival())))
    assert load_world(str(path)).name == "survival"
    with pytest.raises(WorldError, match="is not JSON"):
        parse_world(str(path))


# --- Gymnasium's tables ---


def test_frozen_lake_at_the_uniform_policy():
    world = find_world("FrozenLake-v1")
    assert (world.num_states, world.num_actions, world.gamma, world.horizon) == (16, 4, 1, None)
    np.testing.assert_allclose(world.policy, 0.25)
    assert objective(world) == pytest.approx(0.0139397, abs=5e-7)


def test_a_table_and_its_environment_agree_transition_by_transition():
    import gymnasium

    for env_id in ("FrozenLake-v1", "CliffWalking-v1"):
        world = find_world(env_id)
        env = gymnasium.make(env_id).unwrapped
        state, _ = env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(300):
            action = env.action_space.sample()
            next_state, reward, terminated, _, _ = env.step(action)
            column = world.num_states if terminated else next_state
            assert world.transitions[state, action, column] > 0
            assert world.rewards[state, action, column] == reward
            state = env.reset()[0] if terminated else next_state


def test_a_step_that_can_end_in_a_hole_or_at_the_goal_keeps_both_rewards():
    """FrozenLake8x8 against value iteration on Gymnasium's own table."""
    import gymnasium

    world = find_world("FrozenLake8x8-v1")
    table = gymnasium.make("FrozenLake8x8-v1").unwrapped.P
    values = np.zeros(64)
    for _ in range(5000):
        values = np.array(
            [
                np.mean(
                    [
                        sum(p * (r + (not end) * values[k]) for p, k, r, end in table[s][a])
                        for a in range(4)
                    ]
                )
                for s in range(64)
            ]
        )
        if values[0] > 0 and np.abs(values - state_values(world)[:64]).max() < 1e-12:
            break
    np.testing.assert_allclose(state_values(world), [*values, 0], atol=1e-12)
    assert world.theta.shape == (64, 4)
    # Close to the goal the return is 0 or 1, so its second moment is its mean.
    near = replace(world, start=np.eye(65)[62])
    to_go, full = (
        moments(near, GradientEstimator(name)) for name in ("reward-to-go", "full-return")
    )
    assert to_go.covariance_trace == pytest.approx(full.covariance_trace, rel=1e-9)
    np.testing.assert_allclose(to_go.mean, gradient(near), atol=1e-12)


def test_the_largest_table_of_gymnasium_fits():
    assert find_world("Taxi-v4").num_states == 500


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("os:Anything-v0", "would import a module"),
        ("json.tool:X-v1", "would import a module"),
        ("NoSuchLake-v1", "Gymnasium knows no environment 'NoSuchLake-v1'"),
        ("CartPole-v1", "has no table of transitions"),
        ("bandit-b", "there is no world 'bandit-b': give one of bandit-a"),
        ("nowhere.json", "there is no world file"),
        ("", "there is no world ''"),
        ("\0", "there is no world"),
        ("a" * 5000, "there is no world"),
    ],
)
def test_a_name_that_is_no_world_is_refused_in_one_sentence(name, sentence):
    with pytest.raises(WorldError, match=sentence) as caught:
        find_world(name)
    assert "\n" not in str(caught.value)


# --- faults, each named with its place ---


def changed(path, value):
    """The corridor's file with one entry replaced."""
    document = copy.deepcopy(corridor_file())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (
            changed(["transitions", 2, 1], [0, 0.9, 0, 0]),
            "transitions[2][1] sums to 0.9, but probabilities must sum to 1",
        ),
        (
            changed(["transitions", 0, 1, 0], -0.5),
            "transitions[0][1][0] is -0.5, but a probability lies in [0, 1]",
        ),
        (
            changed(["transitions", 0, 1], [1, 0, 0]),
            "transitions[0][1] must be a list of 4 numbers, got 3",
        ),
        (
            changed(["transitions", 1], [[0, 0, 0, 1]]),
            "transitions[1] must be a list of 2 rows, got 1",
        ),
        (changed(["transitions"], []), "transitions must be a list with one table per state"),
        (changed(["transitions"], 3), "transitions must be a list with one table per state, got 3"),
        (changed(["transitions", 0], []), "transitions[0] must be a list with one row per action"),
        (
            changed(["rewards", 0, 0, 3], "a lot"),
            "rewards[0][0][3] must be a number, got the text 'a lot'",
        ),
        (changed(["rewards", 0, 0, 3], True), "rewards[0][0][3] must be a number, got true"),
        (changed(["rewards", 0, 0, 3], None), "rewards[0][0][3] must be a number, got null"),
        (changed(["rewards", 0, 0, 3], {}), "rewards[0][0][3] must be a number, got an object"),
        (changed(["rewards", 0, 0, 3], 1e7), "rewards[0][0][3] is 1e+07, but numbers must lie"),
        (changed(["rewards", 2, 1, 0], 10**400), "rewards[2][1][0] is too large a number"),
        (
            changed(["start"], [0.5, 0.4, 0]),
            "start sums to 0.9, but start probabilities must sum to 1",
        ),
        (changed(["start"], [1, 0]), "start must be a list of 3 numbers, got 2"),
        (changed(["gamma"], 1.5), "gamma is a discount and must lie in [0, 1], got 1.5"),
        (changed(["gamma"], True), "gamma is a discount and must lie in [0, 1], got true"),
        (changed(["gamma"], "0.9"), "gamma is a discount"),
        (changed(["horizon"], 0), "horizon is a number of steps and must be a whole number"),
        (changed(["horizon"], 2.5), "horizon is a number of steps"),
        (changed(["horizon"], 10**9), "horizon is a number of steps"),
        (changed(["horizon"], False), "horizon is a number of steps"),
        (changed(["theta"], [[0, 0, 0]]), "theta[0] must be a list of 2 numbers, got 3"),
        (changed(["theta"], [[0, 0]] * 3), "theta must be a list of 1 rows, got 3"),
        (changed(["features"], [[1], [1]]), "features must be a list of 3 rows, got 2"),
        (changed(["name"], ""), "name must be a line of 1 to 80 printable characters"),
        (changed(["name"], "a\nb"), "name must be a line"),
        (changed(["name"], 7), "name must be a line"),
        (corridor_file(colour="red"), "the world file has an unknown key 'colour'"),
        ({"name": "x"}, "the world file lacks 'transitions'"),
        ("{", "the world file is not JSON"),
        ('{"name": NaN}', "the world file holds NaN, but every number must be finite"),
        ('{"name": -Infinity}', "the world file holds -Infinity"),
        ('{"name": 1, "name": 2}', "the world file gives 'name' twice"),
        ('{"name": ' + "[" * 100_000, "the world file is nested too deeply"),
        ('{"name": ' + "9" * 5000 + "}", "the world file holds a number with too many digits"),
        (json.dumps(corridor_file()).replace("-1.0", "-1e999", 1), "rewards[0][0][0] is -inf"),
    ],
)
def test_a_fault_is_one_sentence_that_names_its_place(document, sentence):
    found = refusal(document)
    assert sentence in found
    assert "\n" not in found
    assert len(found) < 250


def test_an_episode_that_may_never_end_needs_a_horizon_or_a_discount():
    """Action 1 of state 1 leads to state 2, from which nothing leads out."""
    trap = np.zeros((3, 2, 4))
    trap[0, :, 1] = trap[1, 0, 3] = trap[1, 1, 2] = trap[2, :, 2] = 1
    document = corridor_file(transitions=trap.tolist())
    assert "an episode in state 0 may never end" in refusal(document)
    assert np.isfinite(objective(load_world(json.dumps({**document, "gamma": 0.9}))))
    assert objective(load_world(json.dumps({**document, "horizon": 7}))) < 0


def test_a_trap_that_no_episode_visits_does_no_harm():
    """State 2 goes round for ever, but nothing leads there."""
    lonely = np.zeros((3, 2, 4))
    lonely[0, :, 1] = lonely[1, :, 3] = lonely[2, :, 2] = 1
    world = load_world(json.dumps(corridor_file(transitions=lonely.tolist())))
    np.testing.assert_allclose(state_values(world), [-2, -1, 0])


def test_episodes_that_last_for_ages_are_refused():
    assert "1e8 steps on average" in refusal(corridor_file(theta=[[50, 0]]))


def test_limits_hold_before_memory_is_used():
    assert "501 entries, more than the 500" in refusal(corridor_file(transitions=[[[1.0]]] * 501))
    wide = [[[1.0]] * 50] * 250
    assert "250 × 50 × 251 numbers" in refusal(corridor_file(transitions=wide))
    assert "at most 16 MB" in refusal("{" + " " * 16_000_001)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"\x00" * 100, b"[1, 2]", b"null"])
def test_a_file_that_is_no_world_is_refused(content, tmp_path):
    path = tmp_path / "world.json"
    path.write_bytes(content)
    with pytest.raises(WorldError):
        load_world(path)


def test_a_folder_is_no_world(tmp_path):
    with pytest.raises(WorldError, match="there is no world file"):
        load_world(tmp_path)


# --- thousands of broken files ---

ODDITIES = [
    None, True, False, 0, 1, -1, 2, 0.5, 1e-320, 1e308, -1e308, 10**30, 10**400, "", "x", "NaN",
    [], [[]], [0], [1], [[[]]], {}, {"a": 1}, 1e-9, 0.9999999, [None], [[1, "x"]], -0.0,
]  # fmt: skip


def mutate(rng: random.Random, document):
    """Replace, delete or repeat one entry somewhere in the document."""
    place, key = document, rng.choice(sorted(document))
    while isinstance(place[key], list) and place[key] and rng.random() < 0.8:
        place, key = place[key], rng.randrange(len(place[key]))
    action = rng.random()
    if action < 0.15:
        del place[key]
    elif action < 0.3 and isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    elif action < 0.5 and isinstance(place[key], float):
        place[key] = place[key] * rng.choice([-1, 0, 0.5, 2, 1e300, 1e-300])
    else:
        place[key] = copy.deepcopy(rng.choice(ODDITIES))


def corrupt(rng: random.Random, text):
    """Cut, repeat or overwrite some characters of the text."""
    for _ in range(rng.randint(1, 3)):
        i = rng.randrange(len(text))
        j = min(i + rng.randint(0, 5), len(text))
        text = text[:i] + rng.choice(["", text[i:j] * 2, *'[]{},:"-.e0\\\u2603']) + text[j:]
        text = text or "{"
    return "{" + text


def world_or_sentence(text, read=load_world):
    """The world, or None if it is refused as it should be; anything else raised is a failure."""
    try:
        return read(text)
    except WorldError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert len(sentence) < 300
    return None


def test_a_thousand_broken_files_give_a_world_or_a_sentence():
    rng = random.Random(0)
    originals = [as_json(make()) for make in named_worlds.values()]
    accepted = 0
    for _ in range(1000):
        document = copy.deepcopy(rng.choice(originals))
        for _ in range(rng.randint(1, 3)):
            if document:
                mutate(rng, document)
        text = json.dumps(document)
        if rng.random() < 0.3:
            text = corrupt(rng, text[1:])
        world = world_or_sentence(text)
        if world is None:
            continue
        accepted += 1
        try:
            report = moments_report(world, GradientEstimator("reward-to-go", drop_gamma_t=True))
        except WorldError:
            continue
        json.dumps(report, allow_nan=False)
    assert accepted > 50


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(
    st.sampled_from(
        ["transitions", "rewards", "start", "gamma", "horizon", "theta", "features", "name"]
    ),
    json_values,
)
@settings(max_examples=300, deadline=None)
@example("rewards", [[[]]])
@example("features", [[], [], []])
def test_any_json_value_in_any_place_gives_a_world_or_a_sentence(key, value):
    world_or_sentence(json.dumps(corridor_file(**{key: value})))


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_a_world_or_a_sentence(text):
    world_or_sentence(text)
    world_or_sentence(text, find_world)


def test_arrays_of_the_wrong_shape_are_refused_like_lists():
    with pytest.raises(WorldError, match="theta must have shape"):
        bandit_a().at(np.zeros((3, 1)))
    with pytest.raises(WorldError, match="must lie between"):
        bandit_a().at(np.full((1, 3), np.nan))
    with pytest.raises(WorldError, match="gamma"):
        replace(bandit_a(), gamma=float("nan"))
    with pytest.raises(WorldError, match="transitions"):
        TabularMDP("x", np.array(3.0), 0, 0, 1.0, None, None, 0)  # type: ignore[arg-type]
