"""`python -m pgviz train`: what was asked for is trained, and the summary says when it was learned."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from pgviz.training import METRICS, Update, command, presets

CONFIG = presets["reinforce"].replace(num_seeds=3)


# ── The summary ──────────────────────────────────────────────────────────────────────────────


def told(index, **metrics):
    """An update of three seeds of which nothing but these metrics is told."""
    nothing = np.zeros((3, 1), np.float32)
    unsaid = dict.fromkeys(METRICS, np.zeros(3))
    return Update(index, nothing, nothing, unsaid | {k: np.array(x) for k, x in metrics.items()})


@pytest.fixture
def summary_of(monkeypatch):
    """The summary of updates that were solved so, by a clock on which each takes ten seconds."""

    def summary(*solved):
        clock = SimpleNamespace(perf_counter=iter(range(100, 1000, 10)).__next__)
        monkeypatch.setattr(command, "time", clock)
        summary = command.Summary(CONFIG)
        updates = [
            told(u, solved=row, env_steps=[u, 2 * u, 30], trailing_return=[475, np.nan, 9])
            for u, row in enumerate(solved)
        ]
        assert list(summary.watch(iter(updates))) == updates
        return summary.as_dict()

    return summary


def test_the_time_until_all_seeds_solved_it_is_the_first_at_which_they_had(summary_of):
    summary = summary_of([0, 0, 0], [0, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1])
    assert summary["wall_to_all_solved_s"] == 30
    assert summary["wall_s"] == 50
    assert summary["solved_seeds"] == 3


def test_without_the_last_seed_there_is_no_such_time(summary_of):
    summary = summary_of([0, 0, 0], [1, 1, 0], [1, 1, 0])
    assert summary["wall_to_all_solved_s"] is None
    assert summary["solved_seeds"] == 2


def test_the_summary_is_of_the_last_update_and_counts_the_steps_of_all_seeds(summary_of):
    summary = summary_of([0, 0, 0], [0, 0, 0], [0, 0, 0])
    assert summary["num_updates"] == 3
    assert summary["env_steps_per_seed"] == [2, 4, 30]
    assert summary["env_steps"] == 36
    assert summary["final_return"] == [475, None, 9]


# ── What is asked for, and what is asked for twice ───────────────────────────────────────────


def test_options_and_settings_together_are_the_configuration(run):
    status, out, err = run(
        "train", "gae", "--json", "--num-seeds", 1, "--num-updates", 2, "--rng-seed", 7,
        "--set", "num_envs=2", "--set", " gamma = 0.9 ", "--set", "stop_when_solved=true",
    )  # fmt: skip
    assert (status, err) == (0, "")
    *updates, summary = map(json.loads, out.splitlines())
    assert [update["update"] for update in updates] == [0, 1]
    asked = {"num_seeds": 1, "num_updates": 2, "rng_seed": 7, "num_envs": 2, "gamma": 0.9}
    expected = presets["gae"].replace(stop_when_solved=True, **asked)
    assert summary["config"] == vars(expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "method=full-return"], "method is named first, not with --set"),
        (["--set", " method =reinforce"], "method is named first, not with --set"),
        (["--set", "num_seeds=3", "--num-seeds", "2"], "num_seeds is given twice"),
        (["--rng-seed", "0", "--set", "rng_seed=0"], "rng_seed is given twice"),
        (["--world", "CartPole-v1", "--set", "world=CartPole-v1"], "world is given twice"),
        (
            ["--stop-when-solved", "--set", "stop_when_solved=false"],
            "stop_when_solved is given twice",
        ),
        (["--set", "gamma=0.5", "--set", "gamma=0.9"], "gamma is given twice"),
        (["--set", "gamma"], "--set takes NAME=VALUE, got 'gamma'"),
        (["--set", "gama=1"], "there is no setting 'gama'; there are method, world"),
    ],
    ids=str,
)
def test_what_would_train_something_else_than_asked_is_refused_in_one_sentence(
    run, monkeypatch, arguments, sentence
):
    monkeypatch.setattr(command, "run", lambda *_: pytest.fail("it trained"))
    status, out, err = run("train", "reinforce", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"pgviz: {sentence}")
    assert err.count("\n") == 1
