"""Sutton & Barto's corridor and Acrobot: what the steps show is what was trained."""

import json
from itertools import islice

import numpy as np
import pytest

from pgviz.exact.values import objective
from pgviz.lessons.baselines import textbook as step
from pgviz.lessons.reinforce import acrobot
from pgviz.measure import textbook
from pgviz.runs.recording import Recorder, Recording
from pgviz.runs.replay import replay, trajectory
from pgviz.training import METRICS, train
from pgviz.worlds.named import short_corridor


def recorded(path, config, num_updates=None):
    updates = list(islice(train(config), num_updates))
    recorder = Recorder(path, config, METRICS, birth=updates[0].played)
    for update in updates:
        recorder.append(update.theta, update.metrics, elapsed_s=0.0)
    recorder.close()
    return Recording(path)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A tenth of figure 13.2: ten seeds, one hundred episodes."""
    folder = tmp_path_factory.mktemp("textbook")
    return [
        recorded(folder / f"{power}.run", textbook.config(power, num_seeds=10, num_episodes=100))
        for power in (-13, -9)
    ]


def test_the_best_is_the_closed_form_and_no_policy_is_better():
    assert textbook.best() == pytest.approx(-(6 + 4 * np.sqrt(2)), rel=1e-9)
    on_a_grid = [objective(short_corridor(p)) for p in np.linspace(0.02, 0.98, 400)]
    assert max(on_a_grid) <= textbook.best() + 1e-9


def test_the_runs_begin_where_the_books_do(both):
    for recording in both:
        start = recording.metrics()["objective"][0]
        np.testing.assert_allclose(start, objective(short_corridor(0.05022)), rtol=2e-3)
        config = recording.config
        assert (config.num_envs, config.optimizer, config.every_step) == (1, "sgd", True)
    assert textbook.config(-9).critic_learning_rate == 2**-6
    assert [textbook.config(k).learning_rate for k in (-12, -13, -14)] == [2**-12, 2**-13, 2**-14]


def test_a_curve_is_the_mean_over_the_seeds_of_ten_episodes(both):
    table = textbook.curves(both)
    returns = both[0].metrics()["episode_return"]
    assert table["mean_return"].iloc[0] == pytest.approx(returns[:10].mean())
    assert len(table) == 20
    assert not len(textbook.curves([]))


def test_the_title_claims_only_what_the_curves_show(both):
    table = textbook.curves(both)
    assert step.title(table, step.WITH) == "With V̂ subtracted it learns sooner"
    swapped = table.assign(mean_return=-table["mean_return"])
    assert step.title(swapped, step.WITH) == "With V̂ and without"


def test_the_sentence_counts_the_seeds_that_are_cut(both):
    assert "cut" not in step.sentence(both, step.WITH)

    class Stuck:
        config, num_seeds = both[0].config, 10

        def metrics(self):
            return {"episode_return": np.tile(np.array([-1000.0] * 2 + [-12.0] * 8), (100, 1))}

    said = step.sentence([Stuck()], step.SIZES)
    assert "2 of 10 seeds go right for ever" in said
    assert "−209.6 at α = 2⁻¹³" in said


def test_the_command_gives_the_figure(run, monkeypatch):
    monkeypatch.setattr(
        textbook, "configs", lambda figure: [textbook.config(-9, num_seeds=2, num_episodes=200)]
    )
    status, out, _ = run("figure", "13.2", "--json")
    document = json.loads(out)
    assert status == 0
    assert document["best"] == textbook.best()
    assert document["runs"]["episodes"] == ["1–100", "101–200"]
    early, late = document["runs"]["with V̂ (2⁻⁶), α = 2⁻⁹"]
    assert -90 < early < late < -10
    assert "No policy does better than -11.66" in run("figure", "13.2")[1]
    assert run("figure", "13.3")[0] == 2


def test_an_episode_of_acrobot_is_played_again_with_its_three_probabilities(tmp_path):
    config = acrobot.ACROBOT.replace(num_seeds=2, num_envs=2)
    recording = recorded(tmp_path / "a.run", config, 2)
    theta = recording.theta(1)[0]
    rollout = replay(config, theta, 0, 1)
    table = trajectory(config, theta, rollout, 0)
    assert table[["p_0", "p_1", "p_2"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-6)
    chosen = table[["p_0", "p_1", "p_2"]].to_numpy()[np.arange(len(table)), table["action"]]
    np.testing.assert_allclose(np.log(chosen), table["log_prob"], atol=1e-5)
    recorded_return = recording.metrics()["episode_return"][1, 0]
    assert rollout.episode_returns.mean() == pytest.approx(recorded_return)
    np.testing.assert_allclose(table["cos_1"] ** 2 + table["sin_1"] ** 2, 1, atol=1e-5)


def test_acrobot_in_words_counts_who_never_saw_the_goal(tmp_path):
    config = acrobot.ACROBOT.replace(num_seeds=2, num_envs=2)
    recording = recorded(tmp_path / "b.run", config, 1)
    said = acrobot.in_words(recording, 0, 0, 0)
    assert "0 of 2 seeds solve Acrobot (−100)" in said
    stuck = int((recording.metrics()["trailing_return"][-1] <= -500).sum())
    assert ("never saw an episode" in said) == (stuck > 0)
