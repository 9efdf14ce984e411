"""The README's commands are those that work, and say first what a computer lacks."""

import ast
import contextlib
import itertools
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import psutil
import pytest

import pgviz
from pgviz import sheets, supported
from pgviz.measure import textbook
from pgviz.training import command, train

REPO = Path(__file__).parent.parent
README = (REPO / "README.md").read_text()
BLOCKS = {
    kind: re.findall(rf"^```{kind}\n(.*?)^```", README, re.M | re.S) for kind in ("sh", "python")
}
START, TEST = (block.strip() for block in BLOCKS["sh"][:2])


# --- what is said before anything is downloaded ---


@pytest.mark.parametrize(
    ("computer", "lacks"),
    [
        (((3, 10), "Linux", "x86_64", "glibc", "2.36"), "Python 3.11 to 3.14"),
        (((3, 15), "Darwin", "arm64", "", "15.1"), "Python 3.11 to 3.14"),
        (((3, 12), "Darwin", "x86_64", "", "15.1"), "Apple silicon"),
        (((3, 12), "Darwin", "arm64", "", "13.6.9"), "macOS 14"),
        (((3, 12), "Linux", "x86_64", "", ""), "glibc 2.28"),
        (((3, 12), "Linux", "x86_64", "musl", "1.2.5"), "glibc 2.28"),
        (((3, 12), "Linux", "x86_64", "glibc", "2.17"), "glibc 2.28"),
        (((3, 12), "Linux", "armv7l", "glibc", "2.36"), "aarch64"),
        (((3, 12), "Windows", "ARM64", "", ""), "WSL"),
        (((3, 12), "Windows", "AMD64", "", ""), "WSL"),
        (((3, 12), "FreeBSD", "amd64", "", ""), "Linux and macOS"),
        (((3, 11), "Linux", "x86_64", "glibc", "2.28"), None),
        (((3, 14), "Linux", "aarch64", "glibc", "2.41"), None),
        (((3, 13), "Darwin", "arm64", "", "14.0"), None),
        (((3, 13), "Darwin", "arm64", "", "26.1"), None),
    ],
)
def test_what_a_computer_lacks_is_said_in_one_sentence(computer, lacks):
    said = supported.fault(*computer)
    assert (said == "") == (lacks is None)
    if lacks:
        assert lacks in said
        assert re.fullmatch(r"[^\n]+\.", said)


def test_an_old_python_can_read_the_check_and_ends_the_command_there():
    source = (REPO / "pgviz" / "supported.py").read_text()
    ast.parse(source, feature_version=(3, 6))
    assert supported.here() == ""
    old = "import runpy, sys; sys.version_info = (3, 10, 1)\n"
    ended = subprocess.run(
        [sys.executable, "-c", old + "runpy.run_path('pgviz/supported.py', run_name='__main__')"],
        cwd=REPO,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert (ended.stdout, ended.stderr.count("\n")) == ("", 1)
    assert ended.stderr.startswith("pgviz needs Python 3.11 to 3.14")


def test_every_place_that_names_the_versions_names_the_same():
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    (first, low), (last, high) = supported.FIRST, supported.LAST
    assert project["requires-python"] == f">={first}.{low},<{last}.{high + 1}"
    row = next(line for line in README.splitlines() if line.startswith("| Python |"))
    works, fails = row.split("|")[2:4]
    assert works.split(",") == [
        f" 3.{minor}{' ' * (minor == high)}" for minor in range(low, high + 1)
    ]
    assert f"3.{low - 1}" in fails
    assert f"3.{high + 1}" in fails


# --- the commands ---


@pytest.mark.parametrize("line", [START, TEST], ids=["start", "test"])
def test_nothing_is_downloaded_before_the_check(line):
    first, *others = line.split(" && ")
    assert first == "python3 pgviz/supported.py"
    assert any("pip install" in step for step in others)


def test_the_gate_runs_the_readmes_test_command():
    program = re.search(r"awk '([^']+)' README\.md", (REPO / ".ci" / "run").read_text())[1]
    found = subprocess.run(
        ["awk", program, "README.md"], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == TEST
    assert TEST.endswith("-m pytest")


def test_the_start_command_listens_to_this_computer_only():
    python, *arguments = shlex.split(START.split(" && ")[-1])
    assert python == ".venv/bin/python"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, *arguments, f"--server.port={port}"],
        cwd=REPO,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health").close()
                break
            assert server.poll() is None
            time.sleep(0.1)
        at = {
            link.laddr.ip
            for link in psutil.Process(server.pid).net_connections("inet")
            if link.status == psutil.CONN_LISTEN
        }
        assert at
        assert at <= {"127.0.0.1", "::1"}
    finally:
        server.terminate()
        server.wait()


def test_the_readmes_python_runs_as_it_stands(monkeypatch, capsys):
    whole = pgviz.train
    monkeypatch.setattr(pgviz, "train", lambda config: itertools.islice(whole(config), 2))
    exec(compile(BLOCKS["python"][0], "README.md", "exec"), {})
    assert "of 16 seeds solved" in capsys.readouterr().out


def test_the_readmes_other_commands_are_ones_that_exist(monkeypatch, run, tmp_path):
    example = next(iter(re.findall(r"^```json\n(.*?)^```", README, re.M | re.S)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "world.json").write_text(example)
    (tmp_path / "class-of-2026").mkdir()
    (tmp_path / "class-of-2026" / "ann.json").write_text(sheets.as_text({}, None))
    lines = [x for block in BLOCKS["sh"][2:] for x in block.splitlines()]
    lines += re.findall(r"`([^`\n]*python -m [^`\n]*)`", README)
    lines += [f".venv/bin/python -m {x}" for x in re.findall(r"^\| `(tests\.[^`]*)`", README, re.M)]
    parsed = []
    monkeypatch.setattr(command, "run", lambda config, as_json: parsed.append(config))
    monkeypatch.setattr(textbook, "train", lambda config: islice(train(config), 100))
    for line in lines:
        python, flag, module, *arguments = shlex.split(line)
        assert (python, flag) == (".venv/bin/python", "-m"), line
        assert find_spec(module) is not None
        if module == "pgviz":
            status, _, faults = run(*arguments)
            gaps = arguments[0] == "check" and not {"--list", "--write"} & {*arguments}
            assert (status, faults) == (int(gaps), ""), line
    assert len(parsed) == sum("pgviz train" in line for line in lines) > 1
