"""Recordings: what is written is what is read, and nothing else is."""

import hashlib
import json
import os
import socket
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from pgviz.networks import MLP
from pgviz.runs import Recording, RecordingError, recording
from pgviz.runs.recording import FORMAT, HEADER_BYTES, Recorder, checked
from pgviz.training import METRICS, Config, train
from pgviz.worlds.cartpole import OBS_SCALE

CONFIG = Config(num_seeds=3, num_updates=4, num_envs=2, hidden=2)
NUM_PARAMETERS = MLP(OBS_SCALE, hidden=2).num_parameters
RECORD_BYTES = 8 + 3 * (8 * len(METRICS) + 4 * NUM_PARAMETERS)


@pytest.fixture(scope="module")
def updates():
    return list(train(CONFIG))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.run"


def write(path, updates, config=CONFIG):
    recorder = Recorder(path, config, METRICS, birth=updates[0].played)
    for update in updates:
        recorder.append(update.theta, update.metrics, elapsed_s=1.5 * (update.index + 1))
    recorder.seal()
    recorder.close()
    return Recording(path)


def seal(path):
    """What would stand beside this file if it had been finished as it is."""
    data = path.read_bytes()
    path.with_suffix(".done").write_text(f"{len(data)} {hashlib.blake2b(data).hexdigest()}")


def poison(path, record, name, value):
    """Put a number into a recording: into the parameters of the last seed, or into a metric."""
    kind = recording.record_type(len(METRICS), CONFIG.num_seeds, NUM_PARAMETERS)
    records = np.memmap(path, kind, "r+", offset=HEADER_BYTES)
    if name == "theta":
        records[record]["theta"][-1, -1] = value
    else:
        records[record]["metrics"][METRICS.index(name), -1] = value
    records.flush()


def in_time(function):
    """What a function returns, which must not wait for anything."""
    got = []
    thread = threading.Thread(target=lambda: got.append(function()), daemon=True)
    thread.start()
    thread.join(30)
    assert got, "it hangs, or it failed"
    return got[0]


def refusal(path, config=CONFIG):
    """The sentence with which a finished recording is refused."""
    with pytest.raises(RecordingError, match=r"^some\.(run|done) ") as error:
        checked(path, config)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def made_up(num_updates, theta=0.0, metric=0.0):
    """A recorder's input by hand: birth, parameters, metrics."""
    shape = (CONFIG.num_seeds, NUM_PARAMETERS)
    metrics = {name: np.full(CONFIG.num_seeds, metric) for name in METRICS}
    return np.zeros(shape, np.float32), [(np.full(shape, theta, np.float32), metrics)] * num_updates


def with_header(path, **changes):
    """A recording of one update whose header has been tampered with."""
    header = {
        "format": FORMAT,
        "kind": "Config",
        "config": vars(CONFIG),
        "metrics": METRICS,
        "num_seeds": CONFIG.num_seeds,
        "num_parameters": NUM_PARAMETERS,
    } | changes
    header = {name: value for name, value in header.items() if value is not ...}
    path.write_bytes(json.dumps(header).encode().ljust(HEADER_BYTES) + bytes(2 * RECORD_BYTES))
    return path


def test_what_is_written_is_read_back_to_the_bit(path, updates):
    read = write(path, updates)
    assert read.config == CONFIG
    assert read.metric_names == METRICS
    assert read.num_updates == len(updates) == 4
    assert read.num_seeds == 3
    assert read.elapsed_s() == 6.0
    metrics = read.metrics()
    for u, update in enumerate(updates):
        assert read.theta(u + 1).tobytes() == update.theta.tobytes()
        for name in METRICS:
            assert metrics[name][u].tobytes() == update.metrics[name].tobytes()


def test_theta_u_is_the_policy_that_plays_update_u(path, updates):
    read = write(path, updates)
    for update in updates:
        assert read.theta(update.index).tobytes() == update.played.tobytes()
    assert read.theta(0).tobytes() != read.theta(1).tobytes()
    for outside in (-1, 5):
        with pytest.raises(IndexError, match="updates 0 to 4"):
            read.theta(outside)


@pytest.mark.parametrize("small_record", [0, 2**14])
def test_metrics_can_be_read_from_an_update_on(path, updates, monkeypatch, small_record):
    monkeypatch.setattr(recording, "SMALL_RECORD", small_record)
    read = write(path, updates)
    whole = read.metrics()["episode_return"]
    assert whole[2].tobytes() == updates[2].metrics["episode_return"].tobytes()
    for start in range(5):
        np.testing.assert_array_equal(read.metrics(start)["episode_return"], whole[start:])


def test_a_recording_is_readable_from_its_birth_on_and_while_it_grows(path, updates):
    recorder = Recorder(path, CONFIG, METRICS, birth=updates[0].played)
    read = Recording(path)
    assert read.num_updates == 0
    assert read.theta(0).tobytes() == updates[0].played.tobytes()
    assert len(read.table()) == 0
    assert read.as_dict()["metrics"]["episode_return"] == []
    for u, update in enumerate(updates, 1):
        recorder.append(update.theta, update.metrics, elapsed_s=u)
        assert read.num_updates == u
        assert read.theta(u).tobytes() == update.theta.tobytes()
        assert read.elapsed_s() == u
    recorder.close()


def test_whoever_finds_a_recording_can_read_it_at_any_moment(tmp_path):
    birth, rest = made_up(20)
    failures, done = [], threading.Event()

    def read_all():
        while not done.is_set():
            for path in tmp_path.glob("*.run"):
                try:
                    found = Recording(path).as_dict()
                    assert len(found["metrics"]["entropy"]) == found["num_updates"]
                except Exception as error:
                    failures.append(error)

    reader = threading.Thread(target=read_all)
    reader.start()
    for k in range(40):
        recorder = Recorder(tmp_path / f"{k}.run", CONFIG, METRICS, birth)
        for theta, metrics in rest:
            recorder.append(theta, metrics, 0.0)
        recorder.close()
    done.set()
    reader.join()
    assert failures == []


def test_a_file_gets_its_name_when_its_birth_is_complete(path, monkeypatch):
    seen = []
    write_record = Recorder._write

    def watched(recorder, theta, elapsed_s):
        seen.append(path.exists())
        write_record(recorder, theta, elapsed_s)

    monkeypatch.setattr(Recorder, "_write", watched)
    birth, ((theta, metrics),) = made_up(1)
    recorder = Recorder(path, CONFIG, METRICS, birth)
    recorder.append(theta, metrics, 0.0)
    recorder.close()
    assert seen == [False, True]
    assert os.listdir(path.parent) == [path.name]


def test_a_torn_last_record_is_ignored_wherever_it_was_torn(path, updates):
    write(path, updates)
    whole = path.stat().st_size
    assert whole == HEADER_BYTES + 5 * RECORD_BYTES
    for size in range(whole - 1, whole - RECORD_BYTES - 1, -1):
        os.truncate(path, size)
        read = Recording(path)
        assert read.num_updates == 3
        assert read.theta(3).tobytes() == updates[2].theta.tobytes()
        assert len(read.metrics()["entropy"]) == 3
    os.truncate(path, whole - RECORD_BYTES - 1)
    assert Recording(path).num_updates == 2


def test_a_torn_birth_or_header_is_no_recording(path, updates):
    write(path, updates)
    for size in [HEADER_BYTES + RECORD_BYTES - 1, HEADER_BYTES + 1, HEADER_BYTES, 4000, 100, 1, 0]:
        os.truncate(path, size)
        with pytest.raises(RecordingError):
            Recording(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\x80\x04\x95" + bytes(9000),  # how a pickle begins
        bytes(9000),
        np.random.default_rng(0).bytes(9000),
        b"[" * 9000,
        b"null".ljust(9000),
        b"[1, 2]".ljust(9000),
        b"NaN".ljust(9000),
        b"{}".ljust(9000),
        b'{"format": 1}'.ljust(9000),
        (b'{"format": ' + b"9" * 4000 + b"}").ljust(9000),
    ],
    ids=lambda content: repr(content[:12]),
)
def test_garbage_is_refused_in_one_sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"^some\.run .*") as error:
        Recording(path)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"format": FORMAT + 1},
        {"format": "1\n2"},
        {"config": vars(CONFIG) | {"unheard\nof": 1}},
        {"config": {name: value for name, value in vars(CONFIG).items() if name != "gamma"}},
        {"config": vars(CONFIG) | {"gamma": float("nan")}},
        {"config": vars(CONFIG) | {"learning_rate": float("inf")}},
        {"config": vars(CONFIG) | {"method": "os.system"}},
        {"config": vars(CONFIG) | {"num_seeds": 10**300}},
        {"config": [1]},
        *({"kind": kind} for kind in ("Unheard", "os.system", None, ["Config"], ...)),
        {"metrics": "entropy"},
        {"metrics": [1, 2]},
        {"metrics": None},
        {"metrics": ...},
        *(
            {name: size}
            for name in ("num_seeds", "num_parameters")
            for size in (-1, 0, 1e3, True, "3", None, float("nan"), 2**31 - 1, 2**63, 10**999, ...)
        ),
        {"num_seeds": 2**31 - 1, "num_parameters": 2**31 - 1},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_header_that_makes_no_sense_is_refused_in_one_sentence(path, changes):
    assert Recording(with_header(path)).num_updates == 1
    with pytest.raises(RecordingError, match=r"^some\.run ") as error:
        Recording(with_header(path, **changes))
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_missing_is_refused_in_one_sentence(path):
    with pytest.raises(RecordingError, match="not a recording"):
        Recording(path)


def test_a_table_has_one_row_per_update_and_seed(path, updates):
    table = write(path, updates).table()
    assert list(table.columns) == ["update", "seed", *METRICS]
    assert len(table) == 4 * 3
    for row in table.itertuples():
        assert row.entropy == updates[row.update].metrics["entropy"][row.seed]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_dict_is_valid_json_whatever_the_file_holds(path, updates, number):
    write(path, updates)
    poison(path, 4, "theta", number)
    poison(path, 4, "entropy", number)
    read = json.loads(json.dumps(Recording(path).as_dict(), allow_nan=False))
    assert read["theta"][2][-1] is None
    assert read["metrics"]["entropy"][3][2] is None


def test_a_dict_holds_the_numbers_of_the_run(path, updates):
    read = json.loads(json.dumps(write(path, updates).as_dict(), allow_nan=False))
    assert Config(**read["config"]) == CONFIG
    assert read["num_updates"] == 4
    np.testing.assert_array_equal(np.float32(read["theta"]), updates[-1].theta)
    for u, update in enumerate(updates):
        assert read["metrics"]["grad_norm"][u] == update.metrics["grad_norm"].tolist()


def test_a_recording_does_not_grow_beyond_its_limit(path, monkeypatch):
    monkeypatch.setattr(recording, "MAX_BYTES", HEADER_BYTES + 3 * RECORD_BYTES)
    birth, rest = made_up(2)
    recorder = Recorder(path, CONFIG, METRICS, birth)
    for theta, metrics in rest:
        recorder.append(theta, metrics, 0.0)
    with pytest.raises(RecordingError, match="the most allowed"):
        recorder.append(theta, metrics, 0.0)
    recorder.close()
    assert Recording(path).num_updates == 2


def test_reading_leaves_no_file_open(path, updates):
    read = write(path, updates)
    for _ in range(50):
        read.as_dict(), read.theta(2), read.metrics(), read.table()
    assert str(path) not in [file.path for file in psutil.Process().open_files()]


# What lies on a disk is not believed


def lay_down(kind, path, whole):
    """Something in the place of a recording that is none."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(whole)
    elif kind == "link to nothing":
        path.symlink_to(path.with_suffix(".nothing"))
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))


KINDS = ["pipe", "directory", "link", "link to nothing", "link to a device", "socket"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".run", ".done"])
def test_only_a_regular_file_is_a_recording_and_nothing_else_is_waited_for(
    tmp_path, updates, monkeypatch, kind, suffix
):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = Path("some.run")
    write(path, updates)
    place = path.with_suffix(suffix)
    place.rename("whole")
    lay_down(kind, place, "whole")
    assert "is not a recording" in in_time(lambda: refusal(path))
    if suffix == ".run":
        with pytest.raises(RecordingError, match="is not a recording"):
            Recording(path)


def test_a_device_is_never_opened():
    with pytest.raises(RecordingError, match="no regular file"):
        recording.opened(Path("/dev/zero"))


def test_a_finished_recording_is_refused_if_a_bit_of_it_has_changed(path, updates):
    write(path, updates)
    read, _ = checked(path, CONFIG)
    assert read.theta(4).tobytes() == updates[3].theta.tobytes()
    whole = path.read_bytes()
    chance = np.random.default_rng(0)
    places = [
        0,
        HEADER_BYTES - 2,
        HEADER_BYTES,
        len(whole) - 1,
        *chance.integers(len(whole), size=60),
    ]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.integers(8)
        path.write_bytes(changed)
        refusal(path)
    path.write_bytes(whole)
    checked(path, CONFIG)
    refusal(path, CONFIG.replace(rng_seed=1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{size}",
        "{size} ",
        "{size} {sum}0",
        "1 {sum}",
        "-1 {sum}",
        "\0" * 999,
        "9" * 5000,
        "² x",
    ],
)
def test_a_finished_recording_is_refused_without_its_size_and_checksum(path, updates, text):
    write(path, updates)
    size, checksum = path.with_suffix(".done").read_text().split()
    assert (int(size), checksum) == (
        path.stat().st_size,
        hashlib.blake2b(path.read_bytes()).hexdigest(),
    )
    path.with_suffix(".done").write_text(text.format(size=size, sum=checksum))
    refusal(path)


@pytest.mark.parametrize("name", ["theta", "entropy", "env_steps", "episode_return", "value_loss"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_even_with_a_checksum_that_fits(
    path, updates, monkeypatch, name, number
):
    monkeypatch.setattr(recording, "BLOCK_BYTES", 2 * RECORD_BYTES)
    write(path, updates)
    for record in (0, 1, 4) if name == "theta" else (1, 4):
        whole = path.read_bytes()
        poison(path, record, name, number)
        seal(path)
        if name == "value_loss" and np.isnan(number):
            checked(path, CONFIG)  # there is no critic
        else:
            assert "not finite" in refusal(path)
        path.write_bytes(whole)


def test_what_has_no_value_yet_may_be_nan():
    config = CONFIG.replace(method="gae", num_steps=1, num_updates=1)
    (update,) = train(config)
    assert np.isnan(update.metrics["episode_return"]).all()
    assert recording.sane(update.theta, update.metrics, config)
    late = {**update.metrics, "num_episodes": np.ones(3)}
    assert not recording.sane(update.theta, late, config)


@pytest.mark.parametrize(
    ("place", "number"), [("theta", np.nan), ("theta", np.inf), ("entropy", np.nan)]
)
def test_a_run_that_diverges_is_not_recorded(path, updates, place, number):
    recorder = Recorder(path, CONFIG, METRICS, birth=updates[0].played)
    theta, metrics = updates[0].theta, updates[0].metrics
    if place == "theta":
        theta = np.full_like(theta, number)
    else:
        metrics = {**metrics, place: np.full(3, number)}
    with pytest.raises(RecordingError, match="diverged"):
        recorder.append(theta, metrics, 0.0)
    recorder.close()
    assert Recording(path).num_updates == 0


def test_a_recording_cut_short_or_made_longer_is_refused_even_with_a_checksum_that_fits(
    path, updates
):
    write(path, updates)
    whole = path.read_bytes()
    for num_records in (0, 1, 2, 4, 6):
        path.write_bytes((whole + bytes(RECORD_BYTES))[: HEADER_BYTES + num_records * RECORD_BYTES])
        seal(path)
        refusal(path)
    path.write_bytes(whole[:-1])
    seal(path)
    refusal(path)


def test_a_run_may_finish_before_its_last_update_if_all_its_seeds_have_stopped(path):
    config = CONFIG.replace(num_updates=50, max_env_steps=60)
    updates = list(train(config))
    assert 1 < len(updates) < 50
    write(path, updates, config)
    assert checked(path, config)[0].num_updates == len(updates)
    os.truncate(path, HEADER_BYTES + len(updates) * RECORD_BYTES)  # without the last update
    seal(path)
    assert "before its run had finished" in refusal(path, config)


@pytest.mark.parametrize("small_record", [0, 2**14])
def test_a_recording_cut_short_while_it_is_read_is_refused(
    path, updates, monkeypatch, small_record
):
    monkeypatch.setattr(recording, "SMALL_RECORD", small_record)
    read = write(path, updates)
    seen = Recording._num_records
    monkeypatch.setattr(Recording, "_num_records", lambda *args: seen(*args) + 1)
    for look in (read.metrics, read.table, read.as_dict, read.elapsed_s, lambda: read.theta(5)):
        with pytest.raises(RecordingError, match="cut short"):
            look()


def test_a_run_is_never_half_finished(path, updates, monkeypatch):
    def fail(*_):
        raise OSError("the file gets no name")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="gets no name"):
        write(path, updates)
    assert not path.with_suffix(".done").exists()
