"""Runs: shared, queued, watched, stopped, killed; in real worker processes unless said otherwise."""

import errno
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pgviz.runs import Busy, Recording, Runs, names, registry, shelf, worker
from pgviz.runs.shares import HOME
from pgviz.training import Config, train

REPO = Path(__file__).parent.parent
SHORT = Config(num_seeds=2, num_updates=3, num_envs=2, hidden=4)
LONGER = SHORT.replace(num_updates=60)
ENDLESS = Config(num_seeds=1, num_updates=100_000, num_envs=1, hidden=1, learning_rate=0)
PATIENCE = 60.0  # seconds; a test that needs them has failed


def eventually(condition):
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.005)


def ended(run):
    eventually(lambda: not run.active)
    return run.status


def recorded(run):
    """Wait until the first update is recorded."""
    eventually(lambda: run.recording() is not None and run.recording().num_updates)


@pytest.fixture
def open_runs(tmp_path):
    """`open_runs()` is a registry on a directory of this test, closed at its end."""
    opened = []

    def open_them(directory=tmp_path / "runs", num_workers=1, grace_s=1e6, **more):
        opened.append(Runs(directory, num_workers, grace_s, **more))
        return opened[-1]

    yield open_them
    for runs in opened:
        runs.close()


def trainer(run):
    """The process that trains this run: the one that has its recording open."""
    recorded(run)
    for process in workers():
        if str(run.path) in [file.path for file in process.open_files()]:
            return process
    raise AssertionError("no worker has it open")


def workers():
    found = []
    for child in multiprocessing.active_children():
        with suppress(psutil.NoSuchProcess):  # it ended between the two looks
            found.append(psutil.Process(child.pid))
    return found


def workers_of(runs):
    """The living workers of one registry: other tests in this process may have theirs."""
    mine = runs._pool._pool_manager.worker_manager.workers
    return {process for process in workers() if process.pid in set(mine)}


class FakePool:
    """A pool whose workers obey the test; it fakes pebble's ProcessPool."""

    active = True

    def __init__(self, _num_workers=1):
        self.waiting, self.busy = [], []

    def schedule(self, function, args):
        future = Future()
        self.waiting.append((future, *args))
        return future

    def begin(self):
        self.busy.append(self.waiting.pop(0))
        self.busy[-1][0].set_running_or_notify_cancel()

    def end(self, which=0):
        """What worker.record does: stop if told so, else finish."""
        future, _, path = self.busy.pop(which)
        if path.with_suffix(".stop").exists():
            future.set_result(("stopped", ""))
        else:
            path.write_bytes(bytes(10_000))
            path.with_suffix(".done").write_text("10000")
            future.set_result(("finished", ""))

    def die(self, which=0):
        self.busy.pop(which)[0].set_exception(registry.ProcessExpired("", -9))

    def stop(self):
        self.active = False

    def join(self):
        pass


class FakeTimer:
    """A timer that fires when the test says so, even if it was cancelled too late."""

    def __init__(self, _seconds, function):
        self.fire = function
        self.cancelled = False

    def start(self):
        pass

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def fake(monkeypatch, open_runs):
    """A registry without processes, and without time."""
    monkeypatch.setattr(registry, "worker_pool", FakePool)
    monkeypatch.setattr(registry, "Timer", FakeTimer)
    runs = open_runs(num_workers=64)  # nothing waits but for the test
    runs._opening.result()
    return runs


@pytest.fixture
def one_worker(monkeypatch, open_runs):
    """`one_worker(waiting=3)` is a registry with one fake worker, and such limits for a visitor."""
    monkeypatch.setattr(registry, "worker_pool", FakePool)

    def open_it(**limits):
        runs = open_runs(num_workers=1, limits=replace(HOME, **limits))
        runs._opening.result()
        return runs

    return open_it


def finish(runs):
    runs._pool.begin()
    runs._pool.end()


def last_seen(run, when):
    """A finished run was seen at this time, in seconds; the file beside it remembers."""
    os.utime(run.path.with_suffix(".done"), (when, when))


def finished_before(directory, name="0.1", config=SHORT):
    """A finished run, as an earlier server left it; its recording."""
    path = directory / f"{registry.run_key(config)}.{name}.run"
    assert worker.record(asdict(config), path) == ("finished", "")
    return path


def in_time(function):
    """What a function returns, which must not wait for anything on the disk."""
    got = []
    thread = threading.Thread(target=lambda: got.append(function()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert got, "it hangs, or it failed"
    return got[0]


# What a run is


def test_a_run_records_the_very_numbers_of_train_in_this_process(open_runs):
    run = open_runs().watch(SHORT, "ann")
    assert ended(run) == "finished"
    recording = run.recording()
    updates = list(train(SHORT))
    assert recording.num_updates == len(updates)
    for update in updates:
        assert recording.theta(update.index).tobytes() == update.played.tobytes()
        assert recording.theta(update.index + 1).tobytes() == update.theta.tobytes()
        for name, values in update.metrics.items():
            assert recording.metrics(update.index)[name][0].tobytes() == values.tobytes()


def test_the_same_configuration_is_one_run_and_another_one_is_another(fake):
    run = fake.watch(SHORT, "ann")
    assert fake.watch(SHORT.replace(), "bob") is run
    assert fake.watch(SHORT.replace(rng_seed=1), "eve") is not run
    assert run.viewers == {"ann", "bob"}
    assert len(fake._pool.waiting) == 2


def test_a_finished_run_is_returned_at_once_here_and_by_the_next_server(open_runs, monkeypatch):
    run = open_runs().watch(SHORT, "ann")
    assert ended(run) == "finished"
    monkeypatch.setattr(registry, "worker_pool", FakePool)  # the next one's workers do nothing
    runs = open_runs()
    again = runs.watch(SHORT, "bob")
    assert (again.status, again.path) == ("finished", run.path)
    assert again.recording().theta(3).tobytes() == run.recording().theta(3).tobytes()
    assert runs._pool.waiting == []
    monkeypatch.setattr(names, "code_version", lambda: "another")
    assert runs.watch(SHORT, "bob").status == "queued"


def test_the_code_version_covers_every_module_that_training_imports():
    script = """
import sys, pgviz.training.loop
print(*(module.__file__ for name, module in sys.modules.items() if name.startswith("pgviz")))
"""
    imported = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, text=True, capture_output=True, check=True
    )
    hashed = [names.PACKAGE / entry for entry in names.ENGINE]
    files = [Path(name) for name in imported.stdout.split()]
    assert len(files) > 5
    for file in files:
        assert any(file.is_relative_to(entry) for entry in hashed), f"{file} is not in the key"


HARMS = ["truncate", "garbage", "NaN", "remove", "undone", "other", "pipe", "directory", "link"]


def harm(path, how):
    """Do something to a finished recording, or to the file beside it."""
    whole = path.read_bytes() if path.suffix == ".run" else b""
    if how == "truncate":
        os.truncate(path, path.stat().st_size - 1)
    elif how == "garbage":
        path.write_bytes(bytes(path.stat().st_size))
    elif how == "NaN":
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    elif how == "undone":
        path.with_suffix(".done").unlink()
    elif how == "other":
        path.write_bytes(whole.replace(b'"gamma": 1.0', b'"gamma": 0.5'))
    else:
        path.rename(path.with_suffix(".old"))
        if how == "pipe":
            os.mkfifo(path)
        elif how == "directory":
            path.mkdir()
        elif how == "link":
            path.symlink_to(path.with_suffix(".old"))


@pytest.mark.parametrize(
    ("suffix", "how"),
    [(".run", how) for how in HARMS] + [(".done", how) for how in HARMS if how.islower()],
)
def test_a_recording_that_is_not_whole_is_computed_again(fake, suffix, how):
    path = finished_before(fake.directory)
    if (suffix, how) == (".done", "other"):
        path.with_suffix(".done").write_text(str(path.stat().st_size))
    else:
        harm(path.with_suffix(suffix), how)
    assert in_time(lambda: fake.find(SHORT) or "none") == "none"
    run = in_time(lambda: fake.watch(SHORT, "ann"))
    assert run.status == "queued"
    assert run.path != path
    finish(fake)
    assert fake.find(SHORT) is run


def test_what_was_refused_is_not_read_again_and_a_whole_one_beside_it_is_found(fake, monkeypatch):
    harm(finished_before(fake.directory, "0.1"), "NaN")
    harm(finished_before(fake.directory, "0.2"), "truncate")
    whole = finished_before(fake.directory, "0.3")
    assert fake.find(SHORT).path == whole
    refused = {"0.1", "0.2"} & {path.name[17:20] for path in fake.directory.glob("*.done")}
    whole.unlink()
    assert fake.find(SHORT) is None
    monkeypatch.setattr(shelf, "checked", lambda *_: pytest.fail(f"read again: {refused}"))
    assert fake.find(SHORT) is None


def test_a_recording_that_changes_while_the_server_runs_is_computed_again(fake):
    path = finished_before(fake.directory)
    run = fake.watch(SHORT, "ann")
    assert (run.status, run.path) == ("finished", path)
    whole = path.read_bytes()
    os.utime(path)  # as a backup may do: the content is the same, and so is the run
    assert fake.find(SHORT) is run
    path.write_bytes(bytes(len(whole)))
    assert fake.watch(SHORT, "ann").status == "queued"


def test_while_a_recording_is_read_nobody_else_waits(fake, monkeypatch):
    finished_before(fake.directory)
    reading, go_on = threading.Event(), threading.Event()
    read = shelf.checked

    def slowly(path, config):
        reading.set()
        assert go_on.wait(PATIENCE)
        return read(path, config)

    monkeypatch.setattr(shelf, "checked", slowly)
    got = []
    threads = [
        threading.Thread(target=lambda: got.append(fake.watch(SHORT, "ann"))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert reading.wait(PATIENCE)
    assert in_time(lambda: fake.watch(ENDLESS, "bob")).status == "queued"
    assert in_time(lambda: fake.detach("bob")) is False
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert [run.status for run in got] == ["finished"] * 2
    assert got[0] is got[1]


def test_a_finished_run_whose_file_is_gone_is_trained_again(fake):
    run = fake.watch(SHORT, "ann")
    finish(fake)
    assert fake.watch(SHORT, "ann") is run
    run.path.unlink()
    assert run.recording() is None
    assert fake.watch(SHORT, "ann").status == "queued"


def test_there_is_one_worker_more_than_cores_that_the_server_was_given(monkeypatch, open_runs):
    monkeypatch.setattr(registry, "worker_pool", FakePool)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert open_runs(num_workers=None)._num_workers == 2


# Who watches it


def test_a_run_stops_when_its_last_viewer_detaches_and_not_before(open_runs):
    runs = open_runs()
    run = runs.watch(ENDLESS, "ann")
    runs.watch(ENDLESS, "bob")
    recorded(run)
    assert runs.detach("ann") is True
    assert run.status == "running"
    seen = run.recording().num_updates
    eventually(lambda: run.recording().num_updates > seen)
    assert runs.detach("bob") is False
    assert run.status == "stopped"
    eventually(lambda: run.task is None)  # the worker has let it go …
    length = run.recording().num_updates
    assert ended(runs.watch(SHORT, "ann")) == "finished"  # … and trains others
    assert run.recording().num_updates == length
    assert runs.watched_by("bob") is None
    assert runs.detach("bob") is False


def test_a_new_run_replaces_the_old_one_of_its_viewer(fake):
    old = fake.watch(ENDLESS, "ann")
    new = fake.watch(SHORT, "ann")
    assert old.status == "stopped"
    assert old.viewers == set()
    assert fake.watched_by("ann") is new
    assert fake.watch(SHORT, "ann") is new
    assert new.active


# A group of runs, to be compared

GROUP = [SHORT.replace(rng_seed=k) for k in range(4)]


def test_a_group_is_watched_in_its_order_and_one_by_one_is_the_same_runs(fake):
    runs = fake.watch_all(GROUP, "ann")
    assert [run.config for run in runs] == GROUP
    assert fake.watched_by("ann") is runs[0]
    assert fake.watch_all(GROUP[::-1], "bob") == runs[::-1]
    assert [fake.watch(config, "eve") for config in GROUP] == runs
    assert fake.watch_all([GROUP[0], GROUP[0]], "tom") == [runs[0], runs[0]]
    assert len(fake._pool.waiting) == len(GROUP)


def test_a_group_leaves_only_what_it_no_longer_holds(fake):
    runs = fake.watch_all(GROUP[:3], "ann")
    fake.watch(GROUP[1], "bob")
    again = fake.watch_all(GROUP[2:], "ann")
    assert again[0] is runs[2]
    assert [run.status for run in runs] == ["stopped", "queued", "queued"]
    assert [run.viewers for run in runs] == [set(), {"bob"}, {"ann"}]
    assert fake.detach("ann") is False
    assert [run.active for run in (*runs, again[1])] == [False, True, False, False]
    assert fake.detach("ann") is False


def test_a_group_goes_with_its_closed_tab_and_comes_back_with_it(fake):
    runs = fake.watch_all(GROUP, "ann")
    fake.leave("ann")
    fake.watch_all(GROUP, "ann")
    assert all(run.active for run in runs)
    fake.leave("ann")
    fake._leaving["ann"].fire()
    assert {run.status for run in runs} == {"stopped"}


def test_a_group_starts_as_a_whole_or_not_at_all(one_worker):
    runs = one_worker(waiting=3)
    before = runs.watch_all(GROUP[:3], "ann")  # one of them trains
    others = [SHORT.replace(rng_seed=100 + k) for k in range(4)]
    with pytest.raises(Busy):
        runs.watch_all(others, "bob")
    assert runs.watched_by("bob") is None
    assert len(runs._line.order()) == 2
    assert len(runs.watch_all([*others[:2], GROUP[0]], "bob")) == 3  # one of them is there already
    assert all(run.active for run in before)
    assert len(runs.watch_all(others[1:], "bob")) == 3  # what it waited for makes room


def test_making_room_for_a_group_spares_what_the_group_has_already(fake):
    fake._shelf.max_bytes = 0
    done = fake.watch(GROUP[0], "ann")
    finish(fake)
    runs = fake.watch_all(GROUP, "bob")
    fake.detach("ann")
    assert runs[0] is done
    assert done.path.exists()


def test_a_stopped_run_can_be_started_again(fake):
    old = fake.watch(SHORT, "ann")
    fake.detach("ann")
    new = fake.watch(SHORT, "ann")
    assert new is not old
    finish(fake)
    finish(fake)
    assert (old.status, new.status) == ("stopped", "finished")


def test_a_run_that_finished_while_it_was_being_stopped_is_finished(fake):
    run = fake.watch(SHORT, "ann")
    fake._pool.begin()
    fake.detach("ann")
    assert run.status == "stopped"
    run.path.with_suffix(".stop").unlink()  # the worker did not look any more
    fake._pool.end()
    assert run.status == "finished"


def test_a_stopped_run_stays_stopped_whatever_becomes_of_its_worker(fake):
    run = fake.watch(SHORT, "ann")
    fake._pool.begin()
    fake.detach("ann")
    fake._pool.die()
    assert (run.status, run.message) == ("stopped", "")
    assert list(fake.directory.glob("*.stop")) == []


def test_a_closed_tab_keeps_its_run_for_the_grace_period_only(open_runs):
    runs = open_runs(grace_s=0.05)
    run = runs.watch(ENDLESS, "ann")
    runs.leave("ann")
    assert ended(run) == "stopped"
    runs.leave("ann")
    assert runs._leaving == {}


def test_a_viewer_that_comes_back_within_the_grace_period_keeps_its_run(fake):
    run = fake.watch(SHORT, "ann")
    for come_back in (fake.stay, lambda viewer: fake.watch(SHORT, viewer)):
        fake.leave("ann")
        timer = fake._leaving["ann"]
        come_back("ann")
        assert timer.cancelled
        timer.fire()  # it was just about to
        assert run.active
        assert fake.watched_by("ann") is run
    fake.leave("ann")
    fake._leaving["ann"].fire()
    assert run.status == "stopped"


# The queue


def test_a_queued_run_knows_its_place_and_moves_up(fake):
    runs = [fake.watch(SHORT.replace(rng_seed=k), str(k)) for k in range(4)]
    assert [fake.position(run) for run in runs] == [0, 1, 2, 3]
    fake._pool.begin()
    assert [run.status for run in runs] == ["running", *["queued"] * 3]
    assert [fake.position(run) for run in runs] == [0, 0, 1, 2]
    fake.detach("1")
    assert [fake.position(run) for run in runs] == [0, 0, 0, 1]
    fake._pool.end()
    assert runs[0].status == "finished"
    assert fake.position(runs[0]) == 0


def test_a_queued_run_that_is_stopped_never_trains(open_runs):
    runs = open_runs()
    first = runs.watch(ENDLESS, "ann")
    recorded(first)
    second = runs.watch(ENDLESS.replace(rng_seed=1), "bob")
    third = runs.watch(SHORT, "eve")
    assert [run.status for run in (first, second, third)] == ["running", "queued", "queued"]
    assert [runs.position(run) for run in (first, second, third)] == [0, 1, 0]  # a short one passes
    assert runs.why_it_waits(second).startswith("It waits")
    runs.detach("bob")
    runs.detach("ann")
    assert ended(third) == "finished"
    assert second.status == "stopped"
    assert second.recording() is None
    assert list(runs.directory.glob("*.stop")) == []


def test_a_full_queue_says_so_in_one_sentence_but_lets_a_viewer_change_its_mind(
    one_worker, monkeypatch
):
    monkeypatch.setattr(registry, "MAX_WAITING", 3)
    runs = one_worker()
    for k in range(4):  # the first of them trains
        runs.watch(SHORT.replace(rng_seed=k), str(k))
    with pytest.raises(Busy, match=r"^[^\n]+\.$"):
        runs.watch(ENDLESS, "late")
    assert runs.watched_by("late") is None
    assert runs.watch(SHORT, "late").viewers == {"0", "late"}  # joining costs nothing
    assert runs.watch(ENDLESS, "2").active
    finish(runs)
    assert runs.watch(ENDLESS.replace(rng_seed=9), "later").active


def test_a_visitor_with_too_many_runs_waiting_is_told_so_and_others_are_not(one_worker):
    runs = one_worker(waiting=2)
    for k in range(3):  # the first of them trains
        runs.watch(SHORT.replace(rng_seed=k), f"tab {k}", "ann")
    with pytest.raises(Busy, match=r"^[^\n]+\.$"):
        runs.watch(ENDLESS, "another tab", "ann")
    assert runs.watch(ENDLESS, "tab", "bob").active


# Failures


def test_a_killed_worker_fails_its_run_only_and_is_replaced(open_runs):
    runs = open_runs(num_workers=3)  # long runs leave one of them to others
    mine = runs.watch(ENDLESS, "ann")
    other = runs.watch(ENDLESS.replace(rng_seed=1), "bob")
    victim = trainer(mine)
    assert victim != trainer(other)
    victim.kill()
    assert ended(mine) == "failed"
    assert mine.message == registry.DIED
    seen = other.recording().num_updates
    eventually(lambda: other.recording().num_updates > seen)
    assert other.status == "running"
    assert mine.recording().num_updates > 0  # what there is stays readable
    assert ended(runs.watch(SHORT, "ann")) == "finished"
    eventually(lambda: len(workers_of(runs)) == 3)
    assert runs.watch(ENDLESS, "eve").active  # and it can be tried again


def test_workers_killed_while_idle_are_replaced(open_runs):
    runs = open_runs(num_workers=2)
    assert ended(runs.watch(SHORT, "ann")) == "finished"
    eventually(lambda: len(workers_of(runs)) == 2)
    killed = workers_of(runs)
    for process in killed:
        process.kill()
    # pebble replaces workers that died over a task, and gives up where there was none
    eventually(lambda: not runs._pool.active or not killed & workers_of(runs))
    again = SHORT.replace(rng_seed=1)
    eventually(lambda: ended(runs.watch(again, "ann")) == "finished")
    eventually(lambda: len(workers_of(runs)) == 2)


def test_a_worker_that_dies_with_the_lock_of_the_channel_holds_up_nobody_for_long(open_runs):
    """Killed in the moment in which it hands over a result; found by a test that once waited."""
    runs = open_runs()
    assert ended(runs.watch(SHORT, "ann")) == "finished"
    channel = runs._pool._pool_manager.worker_manager.workers_channel
    channel.mutex.writer_mutex.acquire()  # nobody gives it back
    run = runs.watch(SHORT.replace(rng_seed=1), "ann")
    assert ended(run) == "failed"
    assert run.message == registry.POOL_DIED
    assert ended(runs.watch(run.config, "ann")) == "finished"


def test_what_waits_for_a_broken_pool_is_told_so_although_nobody_starts_another(fake):
    run = fake.watch(SHORT, "ann")
    fake._pool.active = False
    eventually(lambda: run.status == "failed")
    assert run.message == registry.POOL_DIED
    eventually(lambda: fake._pool.active)


def test_what_waited_for_a_broken_pool_fails_in_one_sentence(fake):
    run = fake.watch(SHORT, "ann")
    fake._pool.active = False
    assert fake.watch(ENDLESS, "bob").active
    assert (run.status, run.message) == ("failed", registry.POOL_DIED)


def test_a_run_that_cannot_be_recorded_fails_in_one_sentence(open_runs):
    runs = open_runs()
    runs.directory.rmdir()
    runs.directory.touch()
    run = runs.watch(SHORT, "ann")
    assert ended(run) == "failed"
    assert run.message == "The run failed: Not a directory"
    runs.directory.unlink()
    assert ended(runs.watch(SHORT, "ann")) == "finished"


@pytest.mark.parametrize("again", ["while it is watched", "after it was left"])
def test_a_run_whose_folder_is_deleted_fails_in_one_sentence(open_runs, again):
    runs = open_runs()
    run = runs.watch(ENDLESS, "ann")
    recorded(run)
    shutil.rmtree(runs.directory)
    if again == "after it was left":
        runs.detach("ann")
        task = run.task
        eventually(lambda: task is None or task.done())
        assert run.recording() is None
    else:
        assert ended(run) == "failed"
        assert "was deleted" in run.message
    assert ended(runs.watch(SHORT, "ann")) == "finished"


def test_a_recording_that_gets_its_name_in_the_very_moment_is_one_that_is_not_there_yet(
    tmp_path, monkeypatch
):
    run = registry.Run("key", SHORT, tmp_path / "a.run")

    def opened(path):
        try:
            return Recording(path)
        finally:
            path.touch()  # the worker names it just after this reader missed it

    monkeypatch.setattr(registry, "Recording", opened)
    assert run.recording() is None


def test_a_run_on_a_full_disk_leaves_its_room_to_the_next_one(tmp_path, monkeypatch):
    path = tmp_path / "a.run"

    class Full(worker.Recorder):
        def append(self, *_):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(worker, "Recorder", Full)
    assert worker.record(asdict(SHORT), path) == ("failed", "The disk of this server is full.")
    assert not [*tmp_path.iterdir()]


def test_recordings_that_nobody_watches_leave_the_disk_some_room(open_runs, monkeypatch):
    runs = open_runs()
    one, two, three = (SHORT.replace(rng_seed=k) for k in range(3))
    assert ended(runs.watch(one, "ann")) == "finished"
    assert ended(runs.watch(two, "ann")) == "finished"  # nobody watches the first any more
    size = runs.find(one).path.stat().st_size
    monkeypatch.setattr(shelf, "SPARE_BYTES", 1000)
    monkeypatch.setattr(shelf.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert ended(runs.watch(three, "ann")) == "finished"
    assert runs.find(one) is not None
    monkeypatch.setattr(shelf.shutil, "disk_usage", lambda _: SimpleNamespace(free=999 - size))
    assert ended(runs.watch(three.replace(rng_seed=3), "ann")) == "finished"
    assert runs.find(one) is None


def test_a_recording_that_is_not_of_its_configuration_is_not_recalled(open_runs):
    before = open_runs()
    run = before.watch(SHORT, "ann")
    assert ended(run) == "finished"
    before.close()
    header, rest = run.path.read_bytes()[:4096], run.path.read_bytes()[4096:]
    forged = header.replace(
        b'"num_seeds": 2, "num_parameters"', b'"num_seeds": 1, "num_parameters"'
    )
    assert forged != header
    run.path.write_bytes(forged + rest)
    assert open_runs().find(SHORT) is None


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "This run needs more memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "This run needs more memory"),
        (PermissionError(errno.EACCES, "Permission denied"), "This server may not write"),
        (RuntimeError("too bad\nat line 3"), "The run failed: too bad"),
        (UnicodeDecodeError("utf8", b"", 0, 1, "odd"), "The run failed: 'utf8' codec can't"),
    ],
)
def test_whatever_training_raises_becomes_one_sentence(monkeypatch, tmp_path, error, message):
    def broken(config):
        raise error

    monkeypatch.setattr(Config, "train", broken)
    ending, said = worker.record(vars(SHORT), tmp_path / "a.run")
    assert ending == "failed"
    assert said.startswith(message)
    assert len(said.splitlines()) == 1


def test_a_run_that_takes_too_long_fails_in_one_sentence(open_runs):
    runs = open_runs(limits=replace(HOME, run_s=1))
    run = runs.watch(ENDLESS, "ann")
    assert ended(run) == "failed"
    assert "took longer" in run.message
    assert ended(runs.watch(SHORT, "ann")) == "finished"


def test_halves_of_runs_that_were_begun_anew_do_not_stay(open_runs):
    runs = open_runs()
    failed = runs.watch(ENDLESS, "ann")
    trainer(failed).kill()
    assert ended(failed) == "failed"
    again = runs.watch(ENDLESS, "ann")
    recorded(again)
    assert not failed.path.exists()
    runs.detach("ann")
    third = runs.watch(ENDLESS, "ann")
    recorded(third)
    eventually(lambda: [*runs.directory.glob("*.run")] == [third.path])


def test_all_workers_killed_at_once_fail_their_runs_in_a_sentence_and_are_replaced(open_runs):
    runs = open_runs(num_workers=3)
    trained = [runs.watch(ENDLESS.replace(rng_seed=k), f"viewer {k}") for k in range(2)]
    for run in trained:
        recorded(run)
    waiting = runs.watch(SHORT, "eve")
    for process in workers_of(runs):
        process.kill()
    sentences = {registry.DIED, registry.POOL_DIED}
    for run in trained:
        assert ended(run) == "failed"
        assert run.message in sentences
        assert 0 < run.recording().num_updates < run.config.num_updates
        assert run.task is None
    # What had not begun is trained by the next workers, or says why it was not.
    assert ended(waiting) == "finished" or waiting.message in sentences
    eventually(lambda: ended(runs.watch(SHORT, "eve")) == "finished")
    assert not runs._tasks


@pytest.mark.parametrize("how", ["delete", "move"])
def test_a_run_whose_folder_is_deleted_fails_in_a_sentence_and_can_be_tried_again(open_runs, how):
    runs = open_runs()
    run = runs.watch(ENDLESS, "ann")
    recorded(run)
    if how == "move":
        runs.directory.rename(runs.directory.with_name("elsewhere"))
    else:
        shutil.rmtree(runs.directory)
    assert ended(run) == "failed"
    assert run.message == "The run failed: its recording was deleted while it was being written"
    assert run.recording() is None
    assert ended(runs.watch(SHORT, "ann")) == "finished"
    assert runs.find(SHORT).recording().num_updates == 3


def test_a_viewer_can_stop_a_run_whose_folder_is_deleted(fake):
    waiting, begun = fake.watch(SHORT, "ann"), fake.watch(ENDLESS, "bob")
    fake._pool.waiting.reverse()
    fake._pool.begin()
    shutil.rmtree(fake.directory)
    assert fake.detach("ann") is False
    assert fake.detach("bob") is False
    assert (waiting.status, begun.status) == ("stopped", "stopped")
    assert waiting not in fake._tasks  # nobody will tell it to stop when it begins
    fake.close()


def test_a_run_that_begins_after_its_folder_was_deleted_makes_it_again(tmp_path):
    path = tmp_path / "runs" / "a.run"
    assert worker.record(asdict(SHORT), path) == ("finished", "")
    assert Recording(path).num_updates == 3


# Room


def test_what_is_no_recording_takes_no_room_and_stands_in_no_way(fake):
    fake._shelf.max_bytes = 0
    fake.directory.joinpath("a.run").mkdir()
    os.mkfifo(fake.directory / "b.run")
    fake.directory.joinpath("c.run").symlink_to("/dev/zero")
    fake.directory.joinpath("d.run").write_bytes(b"x")
    fake.directory.joinpath("d.done").mkdir()
    os.utime(fake.directory / "d.run", (0, 0))
    assert in_time(lambda: fake.watch(SHORT, "ann")).active
    left = {path.name for path in fake.directory.iterdir() if path.suffix != ".claim"}
    assert left == {"a.run", "b.run", "c.run", "d.done"}


# Two servers in one folder


def test_a_server_leaves_alone_what_another_one_writes_or_watches(open_runs, monkeypatch):
    monkeypatch.setattr(registry, "worker_pool", FakePool)
    monkeypatch.setattr(registry, "LOOK_S", 0.01)
    monkeypatch.setattr(registry, "TOUCH_S", 0)
    other, mine = open_runs(), open_runs(max_bytes=0)
    watched = other.watch(SHORT, "ann")
    finish(other)
    growing = other.watch(ENDLESS, "bob")
    growing.path.write_bytes(bytes(1000))
    last_seen(watched, 0)
    os.utime(watched.path, (0, 0))
    eventually(lambda: watched.path.with_suffix(".done").stat().st_mtime > 0)
    mine.watch(SHORT.replace(rng_seed=1), "eve")
    assert watched.path.exists()
    assert growing.path.exists()
    other.close()
    last_seen(watched, 0)
    mine.watch(SHORT.replace(rng_seed=2), "eve")
    assert not watched.path.exists()


def test_what_two_servers_are_asked_for_is_trained_once_for_both(open_runs):
    one, other = servers = [open_runs(), open_runs()]
    runs = [server.watch(LONGER, "ann") for server in servers]
    eventually(lambda: runs[1].recording() is not None or not runs[0].active)
    assert [ended(run) for run in runs] == ["finished"] * 2
    assert runs[0].path == runs[1].path
    assert len([*one.directory.glob("*.run")]) == 1
    assert other.find(LONGER) is runs[1]
    eventually(lambda: {path.suffix for path in one.directory.iterdir()} == {".run", ".done"})


def test_a_run_goes_on_while_only_visitors_of_another_server_look(open_runs, monkeypatch):
    monkeypatch.setattr(registry, "LOOK_S", 0.01)
    mine, other = open_runs(), open_runs()
    run = mine.watch(ENDLESS, "ann")
    recorded(run)
    theirs = other.watch(ENDLESS, "bob")
    eventually(lambda: (theirs.status, theirs.path) == ("running", run.path))
    assert mine.detach("ann") is True
    assert run.status == "running"
    assert other.detach("bob") is False
    assert ended(run) == "stopped"


def test_a_run_whose_server_is_gone_is_trained_by_the_one_that_looked_on(open_runs, monkeypatch):
    monkeypatch.setattr(registry, "LOOK_S", 0.01)
    mine, other = open_runs(), open_runs()
    recorded(mine.watch(ENDLESS, "ann"))
    theirs = other.watch(ENDLESS, "bob")
    eventually(lambda: theirs.follower is not None)
    mine.close()
    eventually(lambda: theirs.follower is None)
    recorded(theirs)
    assert theirs.status == "running"


def test_a_server_that_closes_keeps_its_hands_off_what_it_only_looked_at(open_runs):
    mine, other = open_runs(), open_runs()
    run = mine.watch(ENDLESS, "ann")
    recorded(run)
    theirs = other.watch(ENDLESS, "bob")
    eventually(lambda: theirs.follower is not None)
    other.close()
    assert run.path.exists()
    assert run.status == "running"


def test_what_killed_servers_have_left_goes_and_what_is_in_use_stays(open_runs, tmp_path):
    stale = [tmp_path / f"0.1{suffix}" for suffix in (".new", ".stop", ".claim", ".looks")]
    for path in stale:
        path.touch()
        os.utime(path, (0, 0))
    half = tmp_path / "0.3.run"
    finished = finished_before(tmp_path)
    fresh, other = tmp_path / "0.2.new", tmp_path / "notes.txt"
    for path in (fresh, other, half):
        path.touch()
    for path in (other, half, finished):
        os.utime(path, (0, 0))
    open_runs(tmp_path)
    eventually(lambda: not any(path.exists() for path in (*stale, half)))
    assert all(path.exists() for path in (fresh, other, finished))


def test_room_is_made_by_what_was_unseen_longest_and_never_by_what_is_needed(fake):
    fake._shelf.max_bytes = 20_000  # two recordings of the fake workers
    done = []
    for k in range(5):
        done.append(fake.watch(SHORT.replace(rng_seed=k), f"viewer {k}"))
        finish(fake)
    active = fake.watch(ENDLESS, "ann")
    active.path.write_bytes(bytes(100_000))
    assert all(run.path.exists() for run in done)  # five are too many, but all are watched
    for order, k in enumerate([3, 0, 4, 1]):
        fake.detach(f"viewer {k}")
        last_seen(done[k], order)
    fake.watch(SHORT.replace(rng_seed=99), "bob")
    assert [run.path.exists() for run in done] == [False, True, True, False, True]
    assert [run.path.with_suffix(".done").exists() for run in done] == [0, 1, 1, 0, 1]
    assert active.path.exists()
    assert fake.find(done[3].config) is None
    assert fake.find(done[4].config) is done[4]


def test_a_recording_too_big_to_keep_does_not_push_out_the_others(fake):
    fake._shelf.max_bytes = 20_000
    small, big = (fake.watch(SHORT.replace(rng_seed=k), str(k)) for k in range(2))
    finish(fake)
    finish(fake)
    big.path.write_bytes(bytes(30_000))
    fake.detach("0")
    fake.detach("1")
    last_seen(small, 0)
    fake.watch(ENDLESS, "ann")
    assert (small.path.exists(), big.path.exists()) == (True, False)


def test_detaching_counts_as_having_seen_it(fake):
    run = fake.watch(SHORT, "ann")
    finish(fake)
    whole = run.path.stat()
    last_seen(run, 0)
    fake.detach("ann")
    assert run.path.with_suffix(".done").stat().st_mtime > 1e9
    assert run.path.stat() == whole
    assert fake.find(SHORT) is run


def test_recordings_of_earlier_servers_are_bounded_too(fake):
    fake._shelf.max_bytes = 20_000
    for k in range(4):
        fake.directory.joinpath(f"{k:016x}.12345678.run").write_bytes(bytes(10_000))
        os.utime(fake.directory / f"{k:016x}.12345678.run", (k, k))
    fake.watch(SHORT, "ann")
    left = sorted(path.name[:16] for path in fake.directory.glob("*.run"))
    assert left == [f"{k:016x}" for k in (2, 3)]


def test_thousands_of_runs_leave_nothing_behind_but_what_is_kept(fake, monkeypatch):
    monkeypatch.setattr(shelf, "MAX_IDLE", 20)
    for k in range(1000):
        fake.watch(SHORT.replace(rng_seed=k), "ann")
        fake._pool.begin()
        fake._pool.die() if k % 3 == 0 else fake._pool.end()
    fake.detach("ann")
    fake.watch(ENDLESS, "ann")
    assert len(fake._runs) <= 20 + 2
    assert len(fake._tasks) == 1
    assert len(list(fake.directory.iterdir())) <= 2 * 21


# Processes


def test_close_leaves_no_worker_and_no_temporary_file():
    runs = Runs(num_workers=2)
    run = runs.watch(ENDLESS, "ann")
    recorded(run)
    alive = workers_of(runs)
    assert len(alive) == 2
    runs.close()
    runs.close()
    assert run.status == "stopped"
    assert not any(process.is_running() for process in alive)
    assert not runs.directory.exists()
    with pytest.raises(Busy, match="shutting down"):
        runs.watch(SHORT, "ann")


def test_close_keeps_what_is_finished_and_nothing_else(open_runs):
    runs = open_runs()
    run = runs.watch(SHORT, "ann")
    assert ended(run) == "finished"
    recorded(runs.watch(ENDLESS, "bob"))
    runs.close()
    kept = {run.path.name, run.path.with_suffix(".done").name}
    assert set(os.listdir(runs.directory)) == kept


APP = """
import sys
if __name__ == "__main__":
    import streamlit, time
    from multiprocessing import get_context
    from pathlib import Path
    sys.path.insert(0, REPO)
    from pgviz.runs import Runs
    from pgviz.training import Config
    runs = Runs(Path("recordings"), num_workers=2)
    look = "__import__('sys').modules"
    modules = [runs._pool.schedule(eval, args=[f"[*{look}]"]) for _ in range(4)]
    assert not any("streamlit" in task.result() for task in modules), "streamlit in a worker"
    # A bare child of the fork server has imported nothing by itself: what it holds was preloaded.
    is_loaded = "print('pgviz.runs.worker' in __import__('sys').modules, flush=True)"
    child = get_context("forkserver").Process(target=eval, args=[is_loaded])
    child.start()
    child.join()
    run = runs.watch(Config(num_seeds=1, num_updates=3, num_envs=1), "ann")
    while run.active:
        time.sleep(0.01)
    print(run.status, flush=True)
    endless = Config(num_seeds=1, num_updates=100_000, num_envs=1, hidden=1, learning_rate=0)
    run = runs.watch(endless, "ann")
    while not run.recording():
        time.sleep(0.01)
    print("training", flush=True)
    if len(sys.argv) > 1:
        time.sleep(1000)
"""


@contextmanager
def app(directory, *arguments):
    """A script like Streamlit's, in a process and a directory of its own.

    It checks that no worker imports streamlit and that the engine is found and preloaded from here.
    """
    script = directory / "app.py"
    script.write_text(APP.replace("REPO", repr(str(REPO))))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "True\n"  # the fork server holds the engine
        assert process.stdout.readline() == "finished\n"
        assert process.stdout.readline() == "training\n"
        yield process, psutil.Process(process.pid).children(recursive=True)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def gone(processes):
    eventually(lambda: not any(process.is_running() for process in processes))


def test_a_killed_app_takes_its_workers_along_even_while_they_train(tmp_path):
    with app(tmp_path, "wait") as (process, family):
        assert len(family) >= 4  # two workers, their fork server, a tracker
        process.send_signal(signal.SIGKILL)
        gone(family)


def test_an_app_that_just_ends_leaves_no_process_and_only_what_is_finished(tmp_path):
    with app(tmp_path) as (process, family):
        assert process.wait(PATIENCE) == 0
        gone(family)
    assert sorted(path.suffix for path in (tmp_path / "recordings").iterdir()) == [".done", ".run"]


# Many at once


def test_threads_that_ask_for_the_same_configuration_get_one_run(open_runs, monkeypatch):
    runs = open_runs()
    # Between looking for a run and starting one there is time for everybody.
    monkeypatch.setattr(runs, "_make_room", lambda: time.sleep(0.05))
    together = threading.Barrier(8)
    got = []

    def ask(k):
        together.wait()
        got.append(runs.watch(SHORT, f"viewer {k}"))

    threads = [threading.Thread(target=ask, args=[k]) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(got) == 8
    assert len(set(map(id, got))) == 1
    assert len(got[0].viewers) == 8
    assert ended(got[0]) == "finished"
    assert len(list(runs.directory.glob("*.run"))) == 1


def test_a_crowd_that_clicks_at_random_deadlocks_nothing(open_runs):
    runs = open_runs(num_workers=2, grace_s=0.01, max_bytes=50_000)
    failures = []

    def click(seed):
        chance = random.Random(seed)
        try:
            for _ in range(40):
                viewer = f"viewer {chance.randrange(4)}"
                config = SHORT.replace(rng_seed=chance.randrange(6))
                act = chance.choice(["watch", "watch", "detach", "leave", "stay", "look"])
                if act == "watch":
                    runs.watch(config, viewer)
                elif act == "look":
                    run = runs.watched_by(viewer)
                    recording = run and (run.status, runs.position(run), run.recording())[-1]
                    assert recording is None or len(recording.as_dict()["theta"]) == 2
                else:
                    getattr(runs, act)(viewer)
                time.sleep(chance.random() * 0.01)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=click, args=[k], daemon=True) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []
    for k in range(4):
        runs.detach(f"viewer {k}")
    eventually(lambda: not runs._tasks)
    assert ended(runs.watch(SHORT.replace(rng_seed=77), "ann")) == "finished"


VIEWERS = st.sampled_from(["ann", "bob", "eve"])
CONFIGS = st.sampled_from([SHORT.replace(rng_seed=k) for k in range(3)])


class Classroom(RuleBasedStateMachine):
    """Viewers come and go while fake workers train, finish, die; a room for two recordings."""

    def __init__(self):
        super().__init__()
        registry.worker_pool, registry.Timer = FakePool, FakeTimer
        self.runs = Runs(None, max_bytes=20_000)
        self.chosen = {}  # viewer → the configuration it asked for last, and has not left
        self.timers = []
        self.seen = []

    @rule(viewer=VIEWERS, config=CONFIGS)
    def watch(self, viewer, config):
        run = self.runs.watch(config, viewer)
        assert run.config == config
        assert run.status in ("queued", "running", "finished")
        self.chosen[viewer] = run
        self.seen.append(run)

    @rule(viewer=VIEWERS)
    def detach(self, viewer):
        others = {name for name, run in self.chosen.items() if run is self.chosen.get(viewer)}
        run = self.chosen.pop(viewer, None)
        goes_on = run is not None and run.active and others != {viewer}
        assert self.runs.detach(viewer) is goes_on

    @rule(viewer=VIEWERS)
    def leave(self, viewer):
        self.runs.leave(viewer)
        if viewer in self.chosen:
            self.timers.append((viewer, self.runs._leaving[viewer]))

    @rule(viewer=VIEWERS)
    def stay(self, viewer):
        self.runs.stay(viewer)

    @precondition(lambda self: self.timers)
    @rule(data=st.data())
    def fire(self, data):
        viewer, timer = self.timers.pop(data.draw(st.integers(0, len(self.timers) - 1)))
        if not timer.cancelled:
            self.chosen.pop(viewer, None)
        timer.fire()

    @precondition(lambda self: self.runs._pool.waiting)
    @rule()
    def begin(self):
        self.runs._pool.begin()

    @precondition(lambda self: self.runs._pool.busy)
    @rule(dies=st.booleans())
    def end(self, dies):
        self.runs._pool.die() if dies else self.runs._pool.end()

    @invariant()
    def every_viewer_watches_the_one_run_it_chose(self):
        for viewer in ("ann", "bob", "eve"):
            watched = [run for run in self.seen if viewer in run.viewers]
            assert set(watched) == ({self.chosen[viewer]} if viewer in self.chosen else set())
            assert self.runs.watched_by(viewer) is self.chosen.get(viewer)

    @invariant()
    def nothing_trains_that_nobody_watches(self):
        for run in self.seen:
            assert run.viewers or not run.active
            stop = run.path.with_suffix(".stop").exists()
            assert stop == (run.task is not None and run.status == "stopped")

    @invariant()
    def what_is_watched_and_finished_can_be_read(self):
        for run in self.chosen.values():
            assert run.status != "finished" or run.path.exists()

    @invariant()
    def places_in_the_queue_are_counted_from_zero(self):
        queued = [run for run in self.seen if run.status == "queued"]
        places = {self.runs.position(run) for run in queued}
        assert places == set(range(len(set(queued))))

    def teardown(self):
        self.runs.close()
        assert not self.runs.directory.exists()


@pytest.fixture
def real_registry(monkeypatch):
    """What the state machine replaces is put back."""
    monkeypatch.setattr(registry, "worker_pool", registry.worker_pool)
    monkeypatch.setattr(registry, "Timer", registry.Timer)


def test_a_classroom_never_loses_a_viewer_or_a_run(real_registry):
    run_state_machine_as_test(
        Classroom, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )


def test_a_viewer_who_turns_out_to_be_here_is_not_left_alone(open_runs):
    """Its caches were cleared, not its tab closed."""
    runs = open_runs()
    runs.grace_s = 0.05
    run = runs.watch(ENDLESS, "ann")
    here = [True]
    asked = []
    runs.leave("ann", lambda: bool(asked.append(1)) or here[0])
    eventually(lambda: len(asked) > 2)
    assert run.active
    here[0] = False
    assert ended(run) == "stopped"
