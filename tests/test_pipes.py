"""The command line among other programs: what comes through a pipe, and what nobody can take."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_worlds import as_json

from pgviz.worlds.files import MAX_BYTES
from pgviz.worlds.named import short_corridor

MOMENTS = ("moments", "short-corridor", "--json")


def program(*arguments, **how):
    """The command line in a second process: (exit status, stdout, stderr)."""
    command = [sys.executable, "-m", "pgviz", *arguments]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=100, **how)
    return ended.returncode, ended.stdout, ended.stderr


# ── In ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_world_may_come_through_a_pipe(run, name):
    document = json.dumps(as_json(short_corridor()))
    piped = program("moments", name, "--json", input=document, stdout=subprocess.PIPE)
    assert piped == run(*MOMENTS)


class Endless(io.RawIOBase):
    """Never empty, and never asked for more than a world may hold."""

    def read(self, size=-1):
        assert 0 < size <= MAX_BYTES + 1
        return b" " * size


@pytest.mark.parametrize(
    ("standard_input", "sentence"),
    [
        (None, "the standard input is closed"),
        (io.BytesIO(b""), "the world file is not JSON"),
        (io.BytesIO(b"\xff\xfe"), "the standard input is not UTF-8 text"),
        (Endless(), "a world file may hold at most 16 MB"),
    ],
    ids=["closed", "empty", "binary", "endless"],
)
def test_what_comes_through_a_pipe_and_is_no_world_is_refused_in_one_sentence(
    run, monkeypatch, standard_input, sentence
):
    stdin = standard_input and SimpleNamespace(buffer=standard_input)
    monkeypatch.setattr(sys, "stdin", stdin)
    status, out, err = run("moments", "-")
    assert (status, out) == (2, "")
    assert err.startswith(f"pgviz: {sentence}")
    assert err.count("\n") == 1


def test_a_device_is_no_world(run):
    status, _, err = run("moments", "/dev/null")
    assert status == 2
    assert err.startswith("pgviz: there is no world '/dev/null'")


# ── Out ──────────────────────────────────────────────────────────────────────────────────────

TRAIN = ("train", "reinforce", "--num-seeds", "1", "--set", "num_envs=1", "--num-updates")
COMMANDS = {
    "moments": MOMENTS,
    "train": (*TRAIN, "1"),
    "train --json": (*TRAIN, "1", "--json"),
    "help": ("--help",),
    "nothing": (),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("name", COMMANDS)
def test_output_for_which_there_is_no_room_is_one_sentence(name):
    with open("/dev/full", "w") as full:
        status, _, err = program(*COMMANDS[name], stdout=full)
    assert status == 1
    assert err == "pgviz: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("name", ["moments", "train"])
def test_a_closed_output_is_one_sentence_before_anything_is_computed(name):
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "pgviz", *COMMANDS[name]]
    ended = subprocess.run(closed, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert ended.stderr == ("pgviz: the output cannot be written: the standard output is closed\n")


@pytest.mark.parametrize("name", ["moments", "help", "nothing"])
def test_when_nobody_reads_any_more_there_is_nothing_to_say(name):
    nobody, out = os.pipe()
    os.close(nobody)
    with os.fdopen(out, "w") as pipe:
        _, _, err = program(*COMMANDS[name], stdout=pipe)
    assert err == ""


def test_training_ends_in_silence_when_its_reader_has_seen_enough():
    """As in `… --json | head -1`."""
    command = [sys.executable, "-m", "pgviz", *TRAIN, "1000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as training:
        try:
            assert json.loads(training.stdout.readline())["update"] == 0
            training.stdout.close()
            assert training.stderr.read() == b""
        finally:
            training.kill()
