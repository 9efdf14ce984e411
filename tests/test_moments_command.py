"""`python -m pgviz moments`: the contract that others build on."""

import json
import subprocess
import sys

import numpy as np
import pytest
from test_worlds import as_json

from pgviz.worlds.named import named_worlds, short_corridor

KEYS = (
    "objective",
    "gradient",
    "mean",
    "bias_squared",
    "covariance_trace",
    "best_constant_baseline",
)


@pytest.fixture
def answer(run):
    def answer(*arguments):
        status, out, err = run("moments", *arguments, "--json")
        assert (status, err) == (0, "")
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))

    return answer


def refused(run, *arguments):
    status, out, err = run("moments", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("pgviz: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("baseline", [["--baseline", "-12"], ["--baseline=-12"]])
def test_a_negative_baseline_may_be_one_word_or_two(answer, baseline):
    found = answer("short-corridor", "--estimator", "reward-to-go", *baseline)
    assert found["covariance_trace"] == pytest.approx(554)
    assert found["bias_squared"] == pytest.approx(0, abs=1e-20)
    assert found["best_constant_baseline"] == pytest.approx(-37 / 3)
    np.testing.assert_allclose(found["gradient"], [[2, -2]])


@pytest.mark.parametrize("values", [["--values", "-12,-12,-12"], ["--values=-12,-12,-12"]])
def test_a_believed_constant_critic(answer, values):
    found = answer("short-corridor", "--estimator", "td", *values)
    np.testing.assert_allclose(found["mean"], [[6, -6]])
    assert found["covariance_trace"] == pytest.approx(6)
    assert found["bias_squared"] == pytest.approx(32)


@pytest.mark.parametrize("world", [*named_worlds, "FrozenLake-v1"])
@pytest.mark.parametrize("estimator", ["full-return", "reward-to-go", "td", "gae"])
def test_every_world_answers_for_every_estimator(answer, world, estimator):
    found = answer(world, "--estimator", estimator, "--num-episodes", 300, "--rng-seed", 4)
    assert found["world"] == world
    assert found["estimator"] == estimator
    for part in (found, found["measured"]):
        assert set(KEYS) <= set(part)
        assert np.shape(part["mean"]) == np.shape(part["gradient"]) == np.shape(found["mean"])
    for key in KEYS:
        if found["measured"]["intervals"][key] is None:  # then there is a reason
            assert any("no interval" in note and key in note for note in found["notes"])
            continue
        low, high = found["measured"]["intervals"][key]
        assert (np.array(low) <= found["measured"][key]).all()
        assert (np.array(high) >= found["measured"][key]).all()
        # Not a coverage test: three times the interval must reach the exact number.
        reach = 2 * (np.array(high) - low) + 1e-9
        assert (np.abs(np.array(found["measured"][key]) - found[key]) <= reach).all()


def within(interval, number):
    low, high = (np.array(end) for end in interval)
    return bool((low <= number).all() and (number <= high).all())


def test_the_measured_gradient_has_no_bias_even_where_the_estimator_has_one(answer):
    ask = ("short-corridor", "--estimator", "td", "--values=-12,-12,-12")
    intervals = answer(*ask, "--num-episodes", 3000)["measured"]["intervals"]
    assert within(intervals["gradient"], [[2, -2]])
    assert within(intervals["mean"], [[6, -6]])
    assert within(intervals["bias_squared"], 32)
    assert not within(intervals["gradient"], [[6, -6]])


def test_the_best_constant_baseline_does_not_depend_on_the_baseline_in_use(answer):
    for baseline in (0, -12, 40):
        found = answer(
            "short-corridor", "--estimator", "reward-to-go", f"--baseline={baseline}",
            "--num-episodes", 3000,
        )  # fmt: skip
        assert found["best_constant_baseline"] == pytest.approx(-37 / 3)
        assert within(found["measured"]["intervals"]["best_constant_baseline"], -37 / 3)


def test_the_same_seed_gives_the_same_answer(answer):
    ask = ("ladder", "--estimator", "gae", "--num-episodes", 100, "--rng-seed")
    assert answer(*ask, 3) == answer(*ask, 3) != answer(*ask, 4)


def test_half_the_true_critic_on_the_ladder(answer):
    ask = ("ladder", "--estimator", "gae", "--gae-lambda", 0.61)
    true, half = (answer(*ask, "--values", "true", "--values-scale", k) for k in (1, 0.5))
    assert true["bias_squared"] < 1e-20 < 1e-4 < half["bias_squared"]
    assert np.shape(half["settings"]["values"]) == (6, 3)
    assert answer(*ask) == true


def test_a_window_and_a_time_limit_bias_lambda_one_and_are_measured_alike(answer):
    ask = ("ladder", "--estimator", "gae", "--gae-lambda", 1, "--values-scale", 0.5)
    whole, cut = answer(*ask), answer(*ask, "--window", 2, "--num-episodes", 3000)
    assert whole["bias_squared"] < 1e-20
    assert cut["bias_squared"] == pytest.approx(0.087, abs=5e-4)
    assert cut["settings"]["window"] == 2
    assert within(cut["measured"]["intervals"]["bias_squared"], cut["bias_squared"])
    limited = answer("survival", *ask[1:], "--time-limit", 3, "--num-episodes", 3000)
    assert limited["settings"]["time_limit"] == 3
    for key in ("bias_squared", "covariance_trace", "best_constant_baseline"):
        assert within(limited["measured"]["intervals"][key], limited[key])


def test_a_cut_that_changes_nothing_says_so(answer):
    for cut, estimator in (("--window", "td"), ("--window", "gae"), ("--time-limit", "gae")):
        ask = ("ladder", "--estimator", estimator)
        cut_late = answer(*ask, cut, 6)
        assert cut_late["mean"] == answer(*ask)["mean"]
        assert "changes nothing" in cut_late["notes"][0]


def test_dropping_gamma_t_shows_as_bias(answer):
    ask = ("shared-logit-chain", "--estimator", "reward-to-go")
    kept, dropped = answer(*ask), answer(*ask, "--drop-gamma-t")
    np.testing.assert_allclose(kept["mean"], [[-1 / 16, 1 / 16]])
    np.testing.assert_allclose(dropped["mean"], [[1 / 16, -1 / 16]])
    assert dropped["gradient"] == kept["gradient"]
    assert dropped["cosine"] == pytest.approx(-1)


def test_full_return_says_that_it_has_no_gamma_t_to_drop(answer):
    ask = ("shared-logit-chain", "--estimator", "full-return")
    dropped = answer(*ask, "--drop-gamma-t")
    assert dropped["mean"] == answer(*ask)["mean"]
    assert "changes nothing" in dropped["notes"][0]


def test_gamma_may_be_given(answer):
    found = answer("shared-logit-chain", "--estimator", "reward-to-go", "--gamma", 1)
    np.testing.assert_allclose(found["gradient"], [[-1 / 8, 1 / 8]])
    assert found["gamma"] == 1


def test_a_world_file_is_a_world(answer, tmp_path):
    path = tmp_path / "mine"
    path.write_text(json.dumps(as_json(short_corridor()) | {"name": "mine"}))
    found = answer(path, "--estimator", "full-return")
    assert found["world"] == "mine"
    assert found["covariance_trace"] == pytest.approx(3918)


def test_what_is_undefined_is_null_with_a_reason(answer, tmp_path):
    path = tmp_path / "certain.json"
    document = as_json(named_worlds["bandit-a"]()) | {"theta": [[1000, 0, 0]]}
    path.write_text(json.dumps(document))
    found = answer(path, "--estimator", "reward-to-go", "--num-episodes", 10)
    for key in ("best_constant_baseline", "cosine", "signal_to_noise", "episodes_for_cosine"):
        assert found[key] is None
        assert any(key in note for note in found["notes"])
    assert found["measured"]["best_constant_baseline"] is None
    assert found["covariance_trace"] == 0


def test_episodes_that_all_look_alike_give_no_interval(answer):
    found = answer("FrozenLake-v1", "--estimator", "full-return", "--num-episodes", 5)
    assert found["measured"]["objective"] == 0 < found["objective"]
    assert found["measured"]["intervals"]["objective"] is None
    assert any("objective" in note for note in found["notes"])


def test_the_table_for_people(run):
    status, out, _ = run("moments", "short-corridor", "--estimator", "td", "--num-episodes", 50)
    assert status == 0
    assert "covariance trace" in out
    assert "measured from 50 episodes [95 % interval]" in out
    assert "nan" not in out.lower()
    assert max(map(len, out.splitlines())) <= 100
    status, out, _ = run("moments", "FrozenLake-v1", "--estimator", "td")
    assert "8 rows more" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bandit-b", "--estimator", "td"], "there is no world 'bandit-b'"),
        (["os:X-v1", "--estimator", "td"], "would import a module"),
        (["CartPole-v1", "--estimator", "td"], "has no table of transitions"),
        (["ladder", "--estimator", "ppo"], "'ppo' is not one of"),
        (["ladder", "--estimator", "td", "--gamma", "1.5"], "gamma is a discount"),
        (["ladder", "--estimator", "td", "--gamma", "nan"], "gamma is a discount"),
        (["ladder", "--estimator", "td", "--gamma", "x"], "'x' is not a valid float"),
        (["ladder", "--estimator", "gae", "--gae-lambda", "-1"], "gae_lambda must lie in [0, 1]"),
        (["ladder", "--estimator", "gae", "--gae-lambda", "nan"], "gae_lambda must lie in [0, 1]"),
        (["ladder", "--estimator", "td", "--gae-lambda", "1"], "no other estimator has one"),
        (["ladder", "--estimator", "td", "--baseline", "inf"], "baseline must lie"),
        (["ladder", "--estimator", "td", "--values", "1,2"], "3 in this world, got 2"),
        (["ladder", "--estimator", "td", "--values", "1,2,inf"], "values must be numbers between"),
        (["ladder", "--estimator", "td", "--values", "1,2,"], "--values must be 'true' or"),
        (["ladder", "--estimator", "td", "--values-scale", "nan"], "values must be numbers"),
        (["ladder", "--estimator", "full-return", "--values", "true"], "but no values"),
        (["ladder", "--estimator", "reward-to-go", "--window", "2"], "takes no window"),
        (["ladder", "--estimator", "gae", "--window", "0"], "whole number of steps from 1"),
        (["ladder", "--estimator", "td", "--time-limit", "-1"], "whole number of steps from 1"),
        (["ladder", "--estimator", "reward-to-go", "--values-scale", "2"], "needs --values"),
        (["ladder", "--estimator", "td", "--num-episodes", "1"], "1 is not in the range"),
        (["CliffWalking-v1", "--estimator", "td", "--num-episodes", "99999"], "too many to sample"),
        (["FrozenLake-v1", "--estimator", "td", "--num-episodes", "999999"], "fit in memory"),
    ],
)
def test_bad_input_is_one_sentence_and_status_two(run, arguments, sentence):
    assert sentence in refused(run, *arguments)


def test_help_does_not_wait_for_the_heavy_libraries():
    code = (
        "import sys; sys.argv = ['pgviz', '--help']\n"
        "from pgviz.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'torch', 'gymnasium', 'streamlit'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_moments_needs_neither_torch_nor_streamlit():
    code = (
        "import sys, pgviz.measure.report, pgviz.worlds.files\n"
        "heavy = {'torch', 'gymnasium', 'streamlit'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_as_a_program(tmp_path):
    command = [sys.executable, "-m", "pgviz", "moments", str(tmp_path), "--estimator", "td"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_without_an_estimator_it_is_the_reward_to_go(answer):
    assert answer("FrozenLake-v1") == answer("FrozenLake-v1", "--estimator", "reward-to-go")


def test_a_scale_beyond_double_precision_is_refused_without_a_warning_before_its_sentence():
    arguments = ["short-corridor", "--values-scale", "1e308", "--values", "true"]
    ended = subprocess.run(
        [sys.executable, "-m", "pgviz", "moments", *arguments, "--estimator", "td"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "pgviz: values must be numbers between ±1e+15\n"
