"""Runs compared on common seeds: steps until solved, paired differences, curves."""

import numpy as np
import pandas as pd
import pytest

from pgviz.measure import critic_map, race, solving, sweep
from pgviz.measure.checkpoints import sentence
from pgviz.runs.recording import Recorder, Recording
from pgviz.runs.replay import replay
from pgviz.training import METRICS, Config, presets, train


@pytest.fixture
def recorded(tmp_path):
    """`recorded(config)` trains in this process and hands back the recording."""

    def make(config, name="a"):
        recorder = None
        path = tmp_path / f"{name}.run"
        for update in train(config):
            if recorder is None:
                recorder = Recorder(path, config, METRICS, birth=update.played)
            recorder.append(update.theta, update.metrics, 0.1 * (update.index + 1))
        recorder.close()
        return Recording(path)

    return make


class Told:
    """A recording of two seeds whose metrics are told."""

    num_seeds = 2

    def __init__(self, solved, steps, returns=None):
        self.told = {"solved": np.array(solved, float), "env_steps": np.array(steps, float)}
        self.told["trailing_return"] = np.array(solved if returns is None else returns, float)

    def metrics(self, start=0):
        return {name: x[start:] for name, x in self.told.items()}


def test_steps_to_solved_are_those_of_the_first_update_that_solved():
    told = Told([[0, 0], [1, 0], [1, 0]], [[10, 10], [20, 20], [20, 30]])
    found = solving.steps_to_solved(told)
    assert found[0] == 20
    assert np.isnan(found[1])
    assert solving.within(found, 25.0).tolist() == [20, 25]


def test_a_curve_reads_all_seeds_at_the_same_steps():
    told = Told([[0, 0]] * 3, [[10, 10], [20, 30], [40, 30]], [[0, 0], [10, 20], [30, 20]])
    curve = solving.curve(told, num_points=4)
    assert curve["env_steps"].iloc[0] == 10
    assert curve["env_steps"].iloc[-1] == 40
    assert curve["trailing_return"].iloc[-1] == pytest.approx((30 + 20) / 2)
    assert (np.diff(curve["trailing_return"]) >= 0).all()


def test_a_paired_difference_sees_what_common_luck_hides():
    luck = np.random.default_rng(0).normal(scale=100, size=16)
    mean, low, high = solving.paired_difference(luck + 5, luck)
    assert (mean, low, high) == pytest.approx((5, 5, 5))


def test_the_sweep_differs_in_lambda_only_and_the_race_in_its_presets():
    common = {config.replace(gae_lambda=0.0) for config in sweep.configs()}
    assert len(common) == 1
    assert len(sweep.configs()) >= 6
    assert all(config.num_seeds == 16 for config in (*sweep.configs(), *race.configs()))
    assert {config.rng_seed for config in race.configs()} == {0}
    assert sweep.within_budget(0.5, 80_000).max_env_steps == 80_000


def solved_within(budget, gae_lambda):
    """How many of the sixteen seeds are solved."""
    *_, last = train(sweep.within_budget(gae_lambda, budget))
    return int(last.metrics["solved"].sum())


def test_the_budget_task_can_be_solved_and_not_with_any_lambda():
    default = sweep.BUDGETS[1]
    assert solved_within(default, 0.95) > 12
    assert solved_within(default, 0.0) < 4
    assert solved_within(sweep.BUDGETS[0], 0.95) > 8  # at the tightest, too


def test_the_map_of_a_critic_compares_means_over_the_same_states(recorded):
    config = Config(
        method="actor-critic", num_seeds=2, num_updates=3, num_envs=8, num_steps=5, gamma=0.99
    )
    recording = recorded(config)
    cells = critic_map.critic_map(recording, 3, 1)
    assert len(cells)
    assert (cells["states"] >= critic_map.FEWEST).all()
    assert ((cells["came"] >= 1) & (cells["came"] <= 100)).all()  # rewards of 1, γ = .99
    assert "states the critic is" in critic_map.in_words(cells, 0.99)
    along = critic_map.along_training(recording)
    assert along["update"].tolist() == [0, 1, 2]


def test_what_a_critic_knows_is_measured_on_fresh_episodes_for_its_targets_contain_it(recorded):
    """An untrained critic explains much of r + γ V̂(s′), and nothing of what came."""
    config = presets["actor-critic"].replace(num_seeds=3, num_updates=4)
    recording = recorded(config)
    own = critic_map.along_training(recording)
    fresh = pd.concat(list(critic_map.knowledge(recording, [0, 4])), ignore_index=True)
    assert own["explained_variance"][0] > 0.5
    assert abs(fresh["explained_variance"][0]) < 0.05
    for row, update in enumerate((0, 4)):
        explained, error = [], []
        for seed in range(3):
            rollout = replay(config, recording.theta(update)[seed], seed, update)
            pairs = []
            for n in range(config.num_envs):
                follows = 0.0
                for t in reversed(range(int(rollout.mask[0, n].sum()))):
                    follows = rollout.rewards[0, n, t] + config.gamma * follows
                    pairs.append((rollout.values[0, n, t], follows))
            said, came = np.array(pairs, np.float64).T
            explained.append(1 - np.var(came - said) / np.var(came))
            error.append(np.sqrt(np.mean((came - said) ** 2)))
        assert fresh["explained_variance"][row] == pytest.approx(np.mean(explained), rel=1e-3)
        assert fresh["error"][row] == pytest.approx(np.mean(error), rel=1e-5)
    text = critic_map.knowledge_in_words(own, fresh)
    assert "for they contain V̂ itself" in text
    assert f"{own['explained_variance'][0]:.2f} of the variance of its targets" in text


def test_a_short_sweep_says_what_it_found(recorded):
    small = [
        config.replace(num_seeds=2, num_updates=2, num_envs=2)
        for config in sweep.configs((0.5, 0.95))
    ]
    found = {c.gae_lambda: recorded(c, str(c.gae_lambda)) for c in small}
    seeds, middle = sweep.tables(found)
    assert not seeds["solved"].any()
    assert (middle["steps"] == sweep.steps_in(sweep.configs()[0])).all()
    assert "no λ can be told apart" in sweep.in_words(found)
    alone = sweep.in_words({0.5: found[0.5]})
    assert "No other λ has finished" in alone
    assert "Least" not in alone
    assert sweep.spent(found[0.5])["solved"] == "0 of 2"
    assert "not all" in race.results({"gae": found[0.5]})["last seed"].iloc[0]


class Timed(Told):
    """The same, and how long it took."""

    def __init__(self, steps, seconds, solved=True):
        last = [float(solved)] * len(steps)
        super().__init__([[0.0] * len(steps), last], [[1.0] * len(steps), steps])
        self.seconds = seconds

    def elapsed_s(self):
        return self.seconds


def test_the_verdict_of_the_race_names_the_first_and_who_is_level_with_it():
    luck = np.random.default_rng(0).normal(scale=300, size=16)
    found = {
        "reinforce": Timed(9_000 + luck, 2.0),
        "gae": Timed(9_010 - luck, 1.0),
        "baseline": Timed(20_000 + luck, 3.0),
    }
    text = race.in_words(found)
    assert "told apart from: " in text
    level = text.split("told apart from: ")[1].split(".")[0]
    assert level in ("REINFORCE", "GAE")
    assert "first on the clock: GAE, 1.0 s" in text
    assert "Not every seed" not in text


def test_the_verdict_of_a_clear_race_has_no_one_level_and_names_who_never_arrived():
    luck = np.random.default_rng(0).normal(scale=300, size=16)
    found = {
        "baseline": Timed(9_000 + luck, 3.0),
        "full-return": Timed(90_000 + luck, 1.0, solved=False),
    }
    text = race.in_words(found)
    assert text.startswith("Fewest steps: with a baseline, ")
    assert "told apart" not in text
    assert "first on the clock: with a baseline, 3.0 s" in text
    assert text.endswith("Not every seed solved: full return.")


def test_the_sentence_on_noise_names_the_updates_at_which_the_td_error_is_the_noisier():
    table = pd.DataFrame(
        {"name": name, "update": update, "trace": trace}
        for name, traces in {
            "reinforce": (100.0, 1000.0, 1000.0, 1000.0),
            "baseline": (50.0, 100.0, 100.0, 100.0),
            "actor-critic": (10.0, 200.0, 90.0, 300.0),
        }.items()
        for update, trace in zip((0, 40, 80, 120), traces, strict=True)
    )
    assert "(more at updates 40 and 120)" in sentence(table)
    assert "(more at update 40)" in sentence(table[table["update"] < 120])
    assert "(less at every one of these updates)" in sentence(table[table["update"] == 0])
