"""`python -m pgviz train`: the summary says when it was learned."""

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
