"""The steps on baselines: what they compute, against an independent truth, and what they say."""

import ast
import inspect
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact import arms
from pgviz.exact.baselines import best_constant_baseline
from pgviz.exact.best import best_values
from pgviz.exact.by_hand import subtracted
from pgviz.exact.estimator import GradientEstimator
from pgviz.exact.futures import return_distribution
from pgviz.exact.moments import moments
from pgviz.exact.reuse import one_knob_ladder
from pgviz.exact.trajectories import trajectories
from pgviz.exact.uphill import four_weights, uphill_shares
from pgviz.exact.values import gradient, state_values
from pgviz.lessons import page_of
from pgviz.lessons.baselines import (
    along,
    bench,
    best,
    centre,
    check,
    corridor,
    critic,
    faster,
    normalise,
    not_free,
    parabolas,
    spread,
    states,
    subtract,
    ten,
    value,
    why_free,
    worlds,
    write,
)
from pgviz.measure import committal, four_estimators, noise, scatter
from pgviz.sampled.episodes import paired_estimates
from pgviz.ui import screen
from pgviz.ui.exercise import gaps_of
from pgviz.ui.quiz import asked
from pgviz.worlds.named import ladder, named_worlds, short_corridor, two_arms
from tests.walks import opened, revealed, words

PAGE = page_of("baselines")
SUBTRACTED_WORLDS = subtract.WORLD.options


def numbers(text):
    """The numbers of a sentence, with their signs."""
    found = re.findall(r"[+−-]?\d[\d,]*\.?\d*", text)
    return [float(x.replace("−", "-").replace(",", "").rstrip(".")) for x in found]


# --- the cloud ---


def test_dots_of_fewer_episodes_are_made_of_the_first_ones_of_the_others():
    found = scatter.dots("ladder")["reward-to-go"]
    four, sixteen = found[1], found[2]
    described = [GradientEstimator("reward-to-go")]
    most = scatter.SIZES[-1]
    (every,) = paired_estimates(ladder(), described, len(four) * most, 0)
    first = every.reshape(len(four), most, -1)
    assert four == pytest.approx(first[:, :4].mean(axis=1))
    assert sixteen == pytest.approx(first[:, :16].mean(axis=1))


@pytest.mark.parametrize("weight", scatter.WEIGHTS)
@pytest.mark.parametrize("num", scatter.SIZES)
def test_the_dots_scatter_as_far_as_the_exact_trace_says_around_the_gradient(weight, num):
    row = scatter.distances("ladder", weight).set_index("num_episodes").loc[num]
    exact = np.sqrt(scatter.trace("ladder", weight) / num)
    assert row["one"] == pytest.approx(exact, rel=0.15)
    assert row["mean"] < 4 * exact / np.sqrt(noise.NUM_DOTS)
    said = numbers(centre.sentence(weight, num))
    assert said[1] == pytest.approx(row["one"], rel=0.06)
    assert said[-1] == pytest.approx(exact / np.sqrt(noise.NUM_DOTS), rel=0.06)


def test_the_picture_of_the_cloud_has_a_place_for_every_n_and_most_dots():
    dots = scatter.cloud("ladder", "full return")
    assert sorted(dots["at"].unique()) == list(range(len(scatter.SIZES)))
    assert len(dots) <= 3000
    inside = (dots["along"] - centre.length()).abs() < centre.REACH[0]
    inside &= dots["across"].abs() < centre.REACH[1]
    assert inside[dots["at"] >= centre.SAMPLES.options.index(centre.START)].mean() > 0.95


def test_the_distance_falls_by_half_for_four_times_the_episodes():
    table = spread.numbers().set_index("N")
    for weight in spread.NAMES:
        assert table[weight][4] == pytest.approx(2 * table[weight][16], abs=1e-3)
    said = numbers(spread.sentence(16))
    assert said[:2] == [13.71, 7.08]
    assert said[-1] == pytest.approx(13.714357862400004 / 7.080373862400004, abs=0.01)
    here = spread.tables()["here"]
    row = here[(here["num"] == 16) & (here["name"] == "reinforce")]
    assert float(row["label"].item()) == said[-2] == pytest.approx(np.sqrt(7.08037 / 16), abs=0.01)


# --- two arms ---


@pytest.mark.parametrize(("added", "b"), [(0.0, 0.0), (10.0, 0.0), (3.5, 2.0), (0.0, 0.92)])
def test_two_estimates_have_the_moments_of_the_two_arms(added, b):
    here = arms.paying_more(added)
    exact = moments(here, GradientEstimator("reward-to-go", baseline=b))
    assert arms.noise(here, b) == pytest.approx(exact.covariance_trace, abs=1e-12)
    mean = here.policy[0] @ arms.vectors(here, b)
    assert mean == pytest.approx(gradient(here)[0])
    assert arms.slope(here) == pytest.approx(gradient(two_arms())[0, 0])


def test_ten_more_for_everybody_changes_the_noise_alone():
    right, why = ten.verdict(ten.ANSWERS[1])
    assert right
    assert numbers(why)[:2] == [0.406, 57.2]
    assert not any(ten.verdict(other)[0] for other in (*ten.ANSWERS[:1], *ten.ANSWERS[2:], None))
    table = ten.numbers()
    assert table["mean"].to_numpy() == pytest.approx(0.048, abs=1e-9)
    assert table["noise"].is_monotonic_increasing
    assert "in place of" not in ten.sentence(0.0)
    for added in (0.5, 10.0):
        at = ten.ADDED.options.index(added)
        shown = ten.tables()["estimates"]
        shown = shown[shown["at"] == at]
        said = numbers(ten.sentence(added))
        assert [said[1], said[3]] == pytest.approx(shown["x"].to_list(), abs=6e-3)
        rows = ten.tables()["rows"]
        assert numbers(rows[rows["at"] == at]["noise"].item())[0] == said[5]


def test_nothing_on_the_screen_gives_the_prediction_away():
    app = opened("baselines", "ten")
    step = PAGE.step("ten")
    before = " ".join(
        [app.title[0].value, *words(app, "words", PAGE, step), *words(app, "says", PAGE, step)]
    )
    assert app.title[0].value == step.question
    for leak in ("noise", "scatter", "centre", "stays", "57", "0.406"):
        assert leak not in before, leak


# --- subtracting ---


@pytest.mark.parametrize("name", SUBTRACTED_WORLDS)
@pytest.mark.parametrize("b", [-2.0, 0.0, 0.7, 3.0, 6.0])
def test_the_browsers_parabola_is_the_exact_noise_to_the_digits_shown(name, b):
    here = named_worlds[worlds.NAMES[name]]()
    exact = moments(here, GradientEstimator("reward-to-go", baseline=b)).covariance_trace
    assert subtract.noise_at(name, b) == pytest.approx(exact, rel=1e-9)
    assert f"{exact:.2f}" in subtract.sentence(name, b)
    assert "moved by 0." in subtract.sentence(name, b)


@pytest.mark.parametrize("name", SUBTRACTED_WORLDS)
def test_dots_that_the_browser_moves_are_those_of_the_estimator_with_b(name):
    here, b, num = named_worlds[worlds.NAMES[name]](), 1.3, subtract.NUM[name]
    described = [GradientEstimator("reward-to-go", baseline=b)]
    (every,) = paired_estimates(here, described, noise.NUM_DOTS * num, 0)
    means = every.reshape(noise.NUM_DOTS, num, -1).mean(axis=1)
    along, across, flat = noise.directions(here)
    cloud = subtract.cloud(name)
    assert (cloud["x"] - b * cloud["sx"]).to_numpy() == pytest.approx(means @ along, abs=3e-4)
    if not flat:
        moved = (cloud["y"] - b * cloud["sy"]).to_numpy()
        assert moved == pytest.approx(means @ across, abs=3e-4)


@pytest.mark.parametrize("name", SUBTRACTED_WORLDS)
def test_the_step_opens_where_subtracting_helps_and_so_does_its_button(name):
    none = subtract.parabola(name)["none"]
    mean = round(subtract.objective(named_worlds[worlds.NAMES[name]]()), 1)
    assert mean in subtract.B.options
    assert max(subtract.noise_at(name, b) for b in (subtract.START_B, mean)) < none
    said = numbers(subtract.sentence(name, subtract.START_B))
    assert said[1] < said[2]
    assert said[3] == pytest.approx(none / subtract.noise_at(name, subtract.START_B), rel=0.06)
    assert "more than" in subtract.sentence(name, -2.0)
    assert "nothing" in subtract.sentence(name, 0.0)


@pytest.mark.parametrize("name", SUBTRACTED_WORLDS)
def test_every_dot_stands_in_the_picture_when_the_step_opens(name):
    cloud, (wide, high) = subtract.cloud(name), subtract.reach(name)
    for b in (0.0, subtract.START_B):
        assert (cloud["x"] - b * cloud["sx"]).between(*wide).all()
        assert ((cloud["y"] - b * cloud["sy"]).abs() <= high).all()


def test_the_button_sets_b_to_the_average_return():
    app = opened("baselines", "subtract")
    app.button(key="subtract-j").click().run()
    assert app.session_state["b"] == 1.7
    assert numbers(words(app, "says", PAGE, PAGE.step("subtract"))[0])[0] == 1.7


# --- why it is free ---


@pytest.mark.parametrize("name", worlds.NAMES)
def test_every_line_holds_in_every_world_and_its_terms_cancel(name):
    world = worlds.NAMES[name]
    assert set(why_free.marks(world, None)[:-1]) == {"holds"}
    parts, sums = why_free.terms(world, None)
    assert sums["zero"].all()
    for state, terms in parts.groupby("state"):
        assert terms["size"].sum() == pytest.approx(0, abs=1e-12), state


@pytest.mark.parametrize("broken", why_free.BREAKS)
def test_every_break_fails_where_its_formula_is_altered_and_nowhere_else(broken):
    found = why_free.marks("ladder", broken)
    failing = {
        line.title for line, mark in zip(why_free.PROOF, found, strict=True) if mark == "fails"
    }
    assert failing == {line.title for line in why_free.PROOF if broken in line.altered}
    for number, line in enumerate(why_free.PROOF, 1):
        evaluated = why_free.evaluate("ladder", line.title, broken)
        said = why_free.sentence(number, evaluated, broken, found)
        assert (f"Line {number} fails" in said) == (line.title in failing)


def test_lines_are_broken_as_their_engine_breaks_them_and_know_no_discount():
    for line in why_free.PROOF:
        assert set(line.altered) == set(line.line.breaks)
        for formula in line.altered.values():
            assert r"\cancel" in formula
        assert "gamma" not in line.equation
    _, sums = why_free.terms("ladder", why_free.KNOWS_THE_ACTION)
    evaluated = why_free.evaluate("ladder", why_free.ONE_STATE, why_free.KNOWS_THE_ACTION)
    assert sums["size"].abs().max() == pytest.approx(evaluated.reading.size)


# --- the value ---


@pytest.mark.parametrize("seed", range(3))
def test_a_distribution_of_returns_is_what_listing_all_episodes_gives(seed):
    world = random_world(seed, num_states=3, num_actions=2, horizon=3)
    for state in range(3):
        start = np.eye(3)[state]
        listed: dict[float, float] = {}
        for tau in trajectories(replace(world, start=start)):
            total = round(sum(tau.rewards), 6)
            listed[total] = listed.get(total, 0.0) + tau.probability
        found: dict[float, float] = {}
        for total, share in return_distribution(world, state, 3).items():
            found[round(total, 6)] = found.get(round(total, 6), 0.0) + share
        assert sum(found.values()) == pytest.approx(1)
        mean = sum(total * share for total, share in found.items())
        assert mean == pytest.approx(sum(total * share for total, share in listed.items()))
        assert len(found) == pytest.approx(len(listed), abs=2)


def test_the_value_is_the_mean_of_the_returns_and_below_the_best():
    for percent, left in ((50, 6), (95, 3), (5, 1)):
        here = one_knob_ladder(percent / 100)
        for rung, v in enumerate(value.values(percent, left)):
            distribution = return_distribution(here, rung, left)
            assert sum(g * p for g, p in distribution.items()) == pytest.approx(v)
            assert v <= value.best(left)[rung] + 1e-12
    assert value.values(50, 6) == pytest.approx(state_values(ladder())[0])


def test_the_best_value_is_that_of_the_best_of_all_policies():
    always = one_knob_ladder(1 - 1e-12)
    assert best_values(ladder()) == pytest.approx(state_values(always), abs=1e-9)
    world = random_world(4, num_states=2, num_actions=2, horizon=2)
    best_of_all = np.full(2, -np.inf)
    rewards = (world.transitions * world.rewards).sum(axis=-1)
    for first in itertools.product(range(2), repeat=2):  # an action for every state and step
        for second in itertools.product(range(2), repeat=2):
            later = rewards[range(2), second]
            follows = world.transitions[range(2), first, :-1] @ later
            best_of_all = np.maximum(best_of_all, rewards[range(2), first] + world.gamma * follows)
    assert best_values(world)[0] == pytest.approx(best_of_all)


def test_table_and_sentence_of_the_value_agree():
    tables = value.tables()
    assert sum(map(len, tables.values())) <= 3000
    shown = tables["values"]
    mine = shown[
        (shown["at_p"] == value.CLIMB.options.index(50)) & (shown["at_n"] == value.MOST - 1)
    ]
    said = numbers(value.sentence(50, 6))
    assert said[2:5] == [numbers(label)[0] for label in mine["label"]]
    assert said[8:11] == [numbers(label)[0] for label in mine["best_label"]]
    assert said[11:] == [7.08, 2.92]
    assert "this is J" not in value.sentence(50, 5)


def test_subtracting_the_value_lowers_the_noise_at_every_policy_of_the_step():
    for percent in value.CLIMB.options:
        plain, with_v = value.noise_of(percent)
        assert with_v < plain, percent
        here = replace(ladder(), theta=np.tile([0.0, np.log(percent / (100 - percent))], (3, 1)))
        assert here.policy[:, 1] == pytest.approx(percent / 100)
    assert value.noise_of(50) == pytest.approx((7.08037, 2.91772), abs=1e-4)
    for percent in (5, 50, 95):
        assert value.values(percent, value.MOST)[0] == pytest.approx(
            float(one_knob_ladder(percent / 100).start @ value.values(percent, value.MOST))
        )


# --- the critic ---


class Told:
    """A recording with these metrics of four seeds."""

    num_seeds = 4

    def __init__(self, **columns):
        self.columns = {name: np.repeat(np.array([x]).T, 4, axis=1) for name, x in columns.items()}

    def metrics(self):
        return self.columns


def test_the_critic_says_what_the_runs_did():
    plain = Told(episode_return=[20.0, 300.0], solved=[0, 0], env_steps=[500, 20_000])
    own = Told(
        episode_return=[20.0, 500.0], solved=[0, 1], env_steps=[500, 15_000],
        value_loss=[100.0, 4000.0], explained_variance=[0.6, 0.25],
    )  # fmt: skip
    found = {"reinforce": plain, "baseline": own}
    assert numbers(critic.sentence(found, "return")) == [0, 4, 20, 4, 4, 15]
    assert numbers(critic.sentence(found, "critic's loss")) == [100, 4000, 4000, 20, 500]
    assert numbers(critic.sentence(found, "returns' variance explained")) == [0, 60, 25, 500]
    own.columns["episode_return"][-1] = 400
    assert numbers(critic.sentence(found, "returns' variance explained")) == [0, 60, 25]


def test_names_of_lines_stand_on_the_side_where_no_other_line_runs():
    import pandas as pd

    rows = [("reinforce", u, 10.0 * u) for u in range(30)] + [
        ("baseline", u, 20.0 * u) for u in range(15)
    ]
    middle = pd.DataFrame(rows, columns=["name", "update", "episode_return"])
    found = critic.names(middle, "episode_return").set_index("name")
    assert found["side"].to_dict() == {"baseline": "left", "reinforce": "right"}
    assert len(critic.names(middle.iloc[:0], "episode_return")) == 0


# --- the best number ---


def test_b_star_leaves_nothing_and_v_leaves_little():
    weights = two_arms().policy[0]
    squares = ((np.eye(2) - weights) ** 2).sum(axis=1)
    pays = np.array([1.0, 0.8])
    by_hand = (weights * squares) @ pays / (weights @ squares)
    assert (
        best_constant_baseline(two_arms(), GradientEstimator("reward-to-go"))
        == pytest.approx(by_hand)
        == pytest.approx(0.92)
    )
    assert best.value() == pytest.approx(0.88)
    assert best.settled(arms.noise(two_arms(), 0.92)) == 0
    assert arms.noise(two_arms(), 0.88) == pytest.approx(0.000768)
    assert numbers(best.sentence(0.92))[-2:] == [0.000768, 0.406]
    said = numbers(best.sentence(0.88))
    assert said[5] == said[-1] == 0.000768
    assert all(b in best.B.options for beat in best.BEATS for b in beat.values())


def test_the_value_is_not_the_best_baseline_in_any_world_of_the_fold():
    table = best.other_worlds().set_index("world")
    assert table["V"]["corridor"] == pytest.approx(590)
    assert table["best constant"]["corridor"] == pytest.approx(553.3333, abs=1e-3)
    for name, row in table.iterrows():
        assert row["best b(s)"] <= row["best constant"] + 1e-9 <= row["nothing"] + 1e-9, name
        if name != "ladder":
            assert row["best b(s)"] < row["V"] - 1e-6, name


def by_the_browser(pack, values):
    """The formula of the chart, worked out from its tables."""
    row = parabolas.tables(pack)["states"].iloc[0]
    return row["least"] + sum(
        row[f"steep{s}"] * (values[s] - row[f"best{s}"]) ** 2 for s in range(3)
    )


@pytest.mark.parametrize("step", [states, corridor], ids=["states", "corridor"])
def test_parabolas_of_the_states_are_the_exact_noise(step):
    numbers_of = np.random.default_rng(3)
    here = named_worlds[step.BENCH.world]()
    for _ in range(3):
        values = [float(numbers_of.choice(slider.options)) for slider in step.SLIDERS]
        exact = subtracted(here, np.array(values))
        assert by_the_browser(step.BENCH, values) == pytest.approx(exact.moments.covariance_trace)
        assert exact.bias_squared == pytest.approx(0, abs=1e-18)
    low, high, stride = step.BENCH.options
    assert len(step.SLIDERS[0].options) == round((high - low) / stride) + 1
    lowest = parabolas.tables(step.BENCH)["states"]
    assert lowest["best"].to_numpy() == pytest.approx(step.BENCH.exact.best)
    assert lowest["steep"].to_numpy() == pytest.approx(step.BENCH.exact.steepness)
    levels = parabolas.levels(step.BENCH)
    places = levels["shown"].to_numpy()
    assert (abs(places - parabolas.free(step.BENCH)) > 2 * parabolas.LINE * step.BENCH.top).all()
    assert (levels["shown"].diff().dropna() > 0.99 * parabolas.LINE * step.BENCH.top).all()
    assert levels["noise"].max() < step.BENCH.top


def test_v_of_the_first_step_does_harm_on_the_ladder_and_the_step_says_why():
    none = noise.by_hand("ladder").landmarks["none"].covariance_trace
    assert states.BENCH.exact.trace(np.array(states.BENCH.start)) < none
    said = states.sentence(states.BENCH.nearest(states.FIRST))
    assert numbers(said)[0] > numbers(said)[1] == 7.08
    assert numbers(said)[-1] == 2.92
    assert numbers(states.sentence((4.0, 4.0, 4.0)))[0] > 7.08
    always = subtracted(ladder(), np.array(states.FIRST)).moments.covariance_trace
    (level,) = parabolas.levels(states.BENCH).query("label.str.startswith('V of step 0')")["noise"]
    assert level == pytest.approx(always)
    assert level > none
    assert noise.by_hand("ladder").landmarks["value"].covariance_trace < states.BENCH.exact.lowest
    assert numbers(states.sentence(states.BENCH.start))[:2] == [3.79, 7.08]


def test_buttons_set_all_three_sliders():
    app = opened("baselines", "states")
    app.button(key="baselines-states-set-0").click().run()
    assert [app.session_state[s.name] for s in states.SLIDERS] == [1.7, 3.0, 4.1]
    assert "six steps left" in words(app, "says", PAGE, PAGE.step("states"))[0]
    app = opened("baselines", "corridor")
    app.button(key="baselines-corridor-set-1").click().run()
    assert [app.session_state[s.name] for s in corridor.SLIDERS] == [-12, -12, -12]
    assert numbers(words(app, "says", PAGE, PAGE.step("corridor"))[0])[0] == 554


def test_a_constant_beats_the_value_in_the_corridor():
    with_v, constant = (
        subtracted(short_corridor(), np.array(b)).moments.covariance_trace
        for b in (corridor.VALUES, corridor.CONSTANT)
    )
    assert (round(with_v), round(constant)) == (590, 554)
    assert corridor.BENCH.start == corridor.VALUES
    assert numbers(corridor.sentence(corridor.BENCH.start))[:4] == [590, 1466, 590, -12]
    assert "more than" in corridor.sentence((4, 4, 4))


# --- what is not free ---


@pytest.mark.parametrize("name", not_free.WORLD.options)
def test_what_knows_the_action_takes_a_part_of_the_gradient_and_lowers_the_noise(name):
    table = not_free.effects(name)
    assert table[table["free"]]["kept"].to_numpy() == pytest.approx(1)
    assert (table[~table["free"]]["kept"] < 0.95).all()
    none = table.set_index("title")["noise"]["nothing"]
    assert (table[~table["free"]]["noise"] < none).all()
    kept = dict(zip(table["title"], 100 * table["kept"], strict=True))
    said = numbers(not_free.sentence(name))
    assert said[0] == pytest.approx(kept["mean of this episode's G"], abs=0.5)
    assert said[1:3] == pytest.approx([0, 90])
    if name == "three arms":
        assert said[-1] == 75


# --- the bench ---


def test_single_episodes_point_uphill_as_often_as_samples_say():
    shares = uphill_shares(ladder(), four_weights(ladder()))
    described = four_estimators.described(ladder())
    sampled = paired_estimates(ladder(), list(described.values()), 20_000, 5)
    true = gradient(ladder()).ravel()
    for name, estimates in zip(described, sampled, strict=True):
        measured = (estimates.reshape(len(estimates), -1) @ true > 1e-12).mean()
        assert shares[name] == pytest.approx(measured, abs=0.015), name
    assert [round(100 * share) for share in shares.values()] == [45, 48, 74, 90]


@pytest.mark.parametrize("name", four_estimators.WORLDS)
def test_what_was_measured_lies_around_what_is_exact(name):
    rows = four_estimators.recorded()[name]["rows"]
    for key, exact in four_estimators.exact(name).items():
        assert rows[key]["low"] < exact.covariance_trace < rows[key]["high"], key
        assert exact.bias_squared(gradient(named_worlds[name]())) == pytest.approx(0, abs=1e-18)
    assert four_estimators.recorded()[name]["length"] == pytest.approx(
        float(np.linalg.norm(gradient(named_worlds[name]()))), rel=1e-5
    )


def test_the_file_of_measurements_is_what_measuring_gives():
    assert four_estimators.in_world("bandit-a") == four_estimators.recorded()["bandit-a"]
    policy = four_estimators.frozen_policies("reinforce", (0,))[0]
    again = four_estimators.on_cartpole(policy)
    known = four_estimators.recorded()["reinforce/0"]
    for name, row in known["rows"].items():
        assert again["rows"][name]["trace"] == pytest.approx(row["trace"], rel=1e-3), name


def test_the_staircase_of_the_ladder_and_the_exception_of_the_corridor():
    said = numbers(bench.sentence("ladder"))
    assert said[:4] == [13.7, 7.08, 5.82, 2.92]
    assert said[-2:] == [45, 90]
    assert bench.falls("ladder")
    assert not bench.falls("corridor")
    corridor_said = numbers(bench.sentence("corridor"))
    assert corridor_said[-1] < corridor_said[-2]
    assert bench.uphill("corridor") is None
    table = bench.rows("ladder").set_index("name")
    trace, length = 2.9177203589, float(np.linalg.norm(gradient(ladder())))
    needed = table["needed"]["baseline"]
    assert trace / needed <= bench.GOAL**2 * length**2 <= trace / (needed - 1)
    lines = bench.errors("ladder")["lines"]
    mine = lines[lines["name"] == "baseline"]
    assert mine["error"].iloc[0] == pytest.approx(np.sqrt(trace) / length, rel=1e-5)


def test_along_the_training_the_noise_grows_and_the_critic_takes_most_of_it():
    for run in along.RUN.options:
        wide = along.traces(run).pivot(index="update", columns="name", values="trace")
        assert (wide["baseline"] < wide["reinforce"]).all()
        assert (wide["reinforce"] < wide["full-return"]).all()
        assert wide["reinforce"].iloc[-1] > 100 * wide["reinforce"].iloc[0]
        left = wide["baseline"] / wide["reinforce"]
        assert left.iloc[-1] < 0.1 < left.iloc[0]
        said = numbers(along.sentence(run))
        assert said[1:4:2] == [0, 60]
        assert said[4:-1] == pytest.approx(100 * left.to_numpy(), rel=0.05)
        assert 1 - left.iloc[0] == pytest.approx(1 / 3, abs=0.02)
        assert (left.loc[24:] < 0.25).all()


# --- normalising, and committing ---


def test_normalising_shortens_and_turns_the_mean():
    said = numbers(normalise.sentence(4))
    assert said[:2] == [4, 75.0]
    rows = noise.normaliser_table()
    row = rows[(rows["num_episodes"] == 4) & (rows["name"] == "both")]
    assert said[2] == pytest.approx(float(row["degrees"].item()), abs=0.06)
    assert said[3] == pytest.approx(float(row["scale"].item()), abs=6e-3)
    for shown in normalise.SHOWN.options:
        tables = normalise.tables(shown)
        low, high = normalise.PICTURES[shown][2]
        assert tables["lines"]["value"].between(low, high).all()
        assert tables["ends"]["value"].between(low, high).all()


def exactly(offset, steps):
    """The mean J after so many steps, over every sequence of arms."""
    paths = [(1.0, committal.START)]
    for _ in range(steps):
        longer = []
        for chance, theta in paths:
            policy = committal.softmax(theta)
            b = float(committal.least_noisy(policy)) + offset
            for arm in range(3):
                step = committal.STEP_SIZE * (committal.PAYS[arm] - b)
                longer.append((chance * policy[arm], theta + step * (np.eye(3)[arm] - policy)))
        paths = longer
    return sum(chance * float(committal.softmax(theta) @ committal.PAYS) for chance, theta in paths)


@pytest.mark.parametrize("offset", [-0.3, 0.0, 0.3])
def test_the_runs_of_the_bandit_have_the_mean_of_every_sequence_of_arms(offset):
    found = committal.climb(offset, 4000, 4)
    error = found[4].std() / np.sqrt(4000)
    assert found[4].mean() == pytest.approx(exactly(offset, 4), abs=4 * error)


def test_the_noise_of_the_bandit_is_least_at_b_star_and_the_same_on_both_sides():
    begin = committal.softmax(committal.START)
    around = [committal.noise(begin, offset) for offset in committal.OFFSETS]
    assert around == pytest.approx(around[::-1])
    assert np.argmin(around) == committal.OFFSETS.index(0.0)


def test_more_noise_is_faster_at_the_default_and_the_file_is_what_running_gives():
    rows, d = committal.recorded(), faster.START
    below, least, above = (rows[offset]["found"] for offset in (-d, 0.0, d))
    error = np.sqrt(0.25 / committal.NUM_RUNS)
    assert above > least + 4 * error > below + 8 * error
    assert rows[d]["mean"][-1] > rows[0.0]["mean"][-1] > rows[-d]["mean"][-1]
    again = committal.summary(committal.climb(d))
    assert again["mean"] == pytest.approx(rows[d]["mean"], abs=2e-3)
    assert again["found"] == pytest.approx(rows[d]["found"], abs=2e-3)


def test_the_bandit_says_when_b_star_is_better():
    assert numbers(faster.sentence(0.3))[-2:] == [91, 58]
    assert "b* itself" not in faster.sentence(0.3)
    assert "b* itself" in faster.sentence(1.0)
    assert "Move b" in faster.sentence(0.0)
    rows = committal.recorded()
    assert faster.helps() == 0.6
    for d in faster.DISTANCE.options[1:]:
        most = rows[d]["found"] > max(rows[0.0]["found"], rows[-d]["found"])
        assert most == (d <= faster.helps()), d
        if d <= faster.helps():  # slower at first
            assert rows[d]["mean"][1] < min(rows[0.0]["mean"][1], rows[-d]["mean"][1]), d
    paths, ends = faster.tables()
    assert len(paths) <= 3000
    for _, names in ends.groupby("at"):
        assert (names["shown"].sort_values().diff().dropna() > 0.99 * faster.GAP).all()


# --- write, check, and the tables of the charts ---


def test_three_gaps_are_lines_of_a_file_that_runs():
    source = write.solution()
    ast.parse(source)
    gaps = gaps_of(source, write.HINTS)
    assert len(gaps) == 3
    lines = [line.strip() for line in source.splitlines()]
    assert all(lines.count(line) == 1 for line in gaps)


def test_questions_have_a_reply_to_every_answer_and_numbers_in_them():
    questions = asked(check.QUESTIONS)
    assert len({q.key for q in questions}) == len(questions) == 5
    for question in questions:
        assert len(question.answers) == len(question.replies) > question.right
    replies = {q.key: q.replies[q.right] for q in questions}
    assert numbers(replies["baselines-thousand"])[:2] == [0, 7.08]
    assert numbers(replies["baselines-moved-first"])[-1] == 90
    assert numbers(replies["baselines-group"])[-3:] == [75, 3, 100]
    assert numbers(replies["baselines-best"])[:2] == [590, 553]
    assert 0 <= check.without_own_reward() < 1


@pytest.mark.parametrize("step", PAGE.steps, ids=lambda step: step.slug)
def test_every_chart_gets_the_tables_it_names(step, monkeypatch):
    drawn = []
    plain = screen.chart

    def spy(key, build, *arguments, tables, **options):
        drawn.append((build, arguments, tables))
        return plain(key, build, *arguments, tables=tables, **options)

    monkeypatch.setattr(screen, "chart", spy)
    app = revealed(PAGE, step)
    assert not app.exception
    for build, arguments, tables in drawn:
        assert names_in(build(*arguments).to_dict()) == set(tables), build.__name__
        assert max(map(len, tables.values())) <= 3000


def names_in(spec):
    """The names of all data in a specification, at any depth."""
    if isinstance(spec, list):
        return set().union(*map(names_in, spec)) if spec else set()
    if not isinstance(spec, dict):
        return set()
    own = {spec["data"]["name"]} if "name" in spec.get("data", {}) else set()
    return own.union(*(names_in(part) for part in spec.values()))


def test_no_step_says_value_before_it_is_introduced():
    early = ("centre", "spread", "ten", "subtract", "why_free")
    for module in (centre, spread, ten, subtract, why_free):
        assert module.__name__.rsplit(".", 1)[-1] in early
        text = inspect.getsource(module.draw)
        assert not re.search(r"\bthe value\b", text), module.__name__
