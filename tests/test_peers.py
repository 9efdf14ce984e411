"""The benchmark beside other libraries counts right. It needs none of them here."""

import json
import re
import subprocess
import sys

import pytest

from pgviz import presets, train
from tests.benchmarks import peers
from tests.benchmarks.peers import Amount, LastReturns, Learned, Run, spread
from tests.real import REPO


def run(contender="pgviz", solved=(True,), steps=(90_000,), seconds=2.0, seed=0):
    return Run(
        contender,
        seed,
        Learned(list(solved), list(steps)),
        training_wall_s=seconds,
        training_cpu_s=seconds / 2,
        process_wall_s=seconds + 1,
        process_cpu_s=seconds,
        import_s=0.8,
        peak_mb=300.0,
    )


# ── Solved ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("returns", "solved"),
    [
        ([500] * 99, False),
        ([500] * 100, True),
        ([475] * 100, True),
        ([475] * 99 + [474], False),
        ([450, 500] * 50, True),
        ([9] * 1000 + [475] * 100, True),
        ([500] * 100 + [9] * 6, False),
        ([], False),
    ],
)
def test_solved_is_a_mean_of_475_over_the_last_100_episodes(returns, solved):
    last = LastReturns()
    for each in returns:
        last.add(each)
    assert last.solved == solved


def test_what_pgviz_calls_solved_is_what_the_others_are_measured_by():
    config = presets["gae"].replace(num_seeds=2, stop_when_solved=True)
    for update in train(config):
        told = update.metrics
        full = told["num_episodes"] >= peers.SOLVED_EPISODES
        assert (told["solved"] == (full & (told["trailing_return"] >= peers.SOLVED_RETURN))).all()
    assert told["solved"].all()


OURS_AND_THE_TEXTBOOKS = [name for name in peers.CONTENDERS if not name.startswith("Stable")]


@pytest.mark.parametrize("contender", OURS_AND_THE_TEXTBOOKS)
def test_who_has_not_solved_it_is_stopped_after_the_steps_it_may_take(contender):
    learned = peers.CONTENDERS[contender]()(0, 600)
    assert not any(learned.solved)
    assert len(learned.solved) == (16 if "16" in contender else 1)
    assert all(600 <= steps <= 600 + 16 * 500 for steps in learned.env_steps)


# ── Median and range ─────────────────────────────────────────────────────────────────────────


def amounts(*values, at_least=()):
    return [*map(Amount, values), *(Amount(x, at_least=True) for x in at_least)]


def test_a_spread_is_the_median_and_the_range():
    assert spread(amounts(3, 1, 9, 2, 4)).written(0) == "3 (1 – 9)"
    assert spread(amounts(4, 1, 2, 9)).written(1) == "3.0 (1.0 – 9.0)"
    assert spread(amounts(1234.5)).written(0) == "1,234"


def test_a_run_that_was_stopped_stands_behind_those_that_were_solved():
    assert spread(amounts(30, 20, at_least=[10])).written(0) == "30 (20 – > 10)"
    assert spread(amounts(30, at_least=[10, 12])).written(0) == "> 10 (30 – > 12)"
    assert spread(amounts(30, at_least=[10])).written(0) == "> 20 (30 – > 10)"
    assert spread(amounts(at_least=[10])).written(0) == "> 10"


# ── The table ────────────────────────────────────────────────────────────────────────────────


RUNS = [
    run("one", seconds=1.0),
    run("sixteen", solved=[True] * 16, steps=[1000] * 8 + [3000] * 8),
    run("one", solved=[False], steps=[1_000_000], seconds=70.0, seed=1),
    run("sixteen", solved=[True] * 15 + [False], steps=[2000] * 16, seed=1),
    run("one", seconds=3.0, seed=2),
]


def test_a_row_tells_all_runs_of_a_contender():
    head, one, sixteen = peers.rows(RUNS)
    told = dict(zip(head, one, strict=True))
    assert told == {
        "": "one",
        "seeds solved": "NOT in 1 of 3",
        "env steps of a seed": "90,000 (90,000 – > 1,000,000)",
        "training, wall s": "3.00 (1.00 – > 70.00)",
        "training, CPU s": "1.50 (0.50 – > 35.00)",
        "process, wall s": "4.00 (2.00 – > 71.00)",
        "process, CPU s": "3.00 (1.00 – > 70.00)",
        "imports, s": "0.80",
        "peak memory, MB": "300",
    }
    assert sixteen[:3] == ["sixteen", "NOT in 1 of 32", "> 2,000 (2,000 – > 2,000)"]
    assert peers.rows(RUNS[1:2])[1][1] == "16 of 16"


def test_both_tables_have_the_same_cells():
    table = peers.rows(RUNS)
    lines = peers.plain(table).splitlines()
    assert len({*map(len, lines)}) == 1
    assert [re.split(r" {3,}", line.strip()) for line in lines[1:]] == table[1:]
    head, rule, *body = peers.markdown(table).splitlines()
    assert [[x.strip() for x in line.split("|")[1:-1]] for line in (head, *body)] == table
    assert rule.count("|") == head.count("|")


def test_the_document_holds_every_run_and_says_which_numbers_are_bounds(monkeypatch):
    monkeypatch.setattr(peers, "version", lambda package: "1.0")
    document = json.loads(json.dumps(peers.document(RUNS, 1_000_000), allow_nan=False))
    assert [each["seed"] for each in document["runs"]] == [0, 0, 1, 1, 2]
    one = document["summary"]["one"]
    assert (one["seeds_solved"], one["seeds"]) == (2, 3)
    assert one["training_wall_s"]["median"] == {"value": 3.0, "at_least": False}
    assert one["training_wall_s"]["high"] == {"value": 70.0, "at_least": True}
    assert document["summary"]["sixteen"]["seeds_solved"] == 31
    assert document["machine"]["versions"]["torch"] == "1.0"


# ── Processes ────────────────────────────────────────────────────────────────────────────────


def test_a_process_is_charged_for_all_that_it_did():
    measured = peers.measure("textbook REINFORCE", 0, 300)
    assert not measured.solved
    assert 0 < measured.training_cpu_s < measured.process_cpu_s
    assert measured.training_wall_s + measured.import_s < measured.process_wall_s
    assert 50 < measured.peak_mb < 5000


def test_who_starts_the_processes_is_small_and_adds_nothing_to_their_peak():
    code = "import sys, tests.benchmarks.peers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPO).returncode == 0


# ── Installing ───────────────────────────────────────────────────────────────────────────────


def test_without_the_extra_one_sentence_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        peers.main(["--quick"])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    command = ".venv/bin/pip install -r tests/benchmarks/peers.txt"
    assert command in printed.err
    assert command in peers.__doc__


def test_the_extra_pins_what_it_adds_and_keeps_the_apps_own_versions():
    lines = (REPO / "tests" / "benchmarks" / "peers.txt").read_text().splitlines()
    first, *pins = [line for line in lines if not line.startswith("#")]
    assert first == "-r ../../requirements.txt"
    assert all(re.fullmatch(r"[a-z0-9-]+==[\d.]+", pin) for pin in pins)
