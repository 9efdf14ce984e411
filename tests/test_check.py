"""`python -m pgviz check`: what is right passes, what is wrong is told why, and nothing gets out."""

import ast
import contextlib
import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from mutants import EQUIVALENT, first_refusal, mutants, report_of, with_mistake

from pgviz.exercises import NAMES, exercise
from pgviz.exercises.checking import Refused, Unusable
from pgviz.exercises.child import decode, encode
from pgviz.exercises.command import as_text, check_file
from pgviz.exercises.gaps import gaps_of, with_gaps
from pgviz.exercises.notebook import notebook
from pgviz.exercises.sandbox import LARGEST_FILE, Limits, Sandbox, read
from pgviz.training.zoo import CASES

REPO = Path(__file__).parent.parent
LITTLE = Limits(memory=1024**3)
SOON = Limits(seconds=0.5, grace=60)  # the line is named, however busy the machine is
GAE = exercise("gae")


@pytest.fixture
def told(tmp_path):
    """What is said about a file with this text, as (sentence, what it printed)."""

    def told(text, limits=LITTLE):
        path = tmp_path / "mine.py"
        path.write_text(text)
        report = check_file(GAE, path, limits)
        assert not report.passed
        assert "\n" not in report.feedback
        assert "Traceback" not in as_text(report)
        assert report.feedback.endswith((".", "?"))
        return report.feedback, report.printed

    return told


# What is right passes.


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_passes_and_learns_cartpole(name):
    found = exercise(name)
    report = report_of(found, found.source())
    assert report.passed, report.feedback
    assert "on average" in report.results[-1].note


def test_another_way_to_write_the_same_passes():
    source = """
import numpy as np


def gae(rewards, values, next_values, terminated, truncated, gamma, gae_lambda):
    T = len(rewards)
    delta = [rewards[t] + (0 if terminated[t] else gamma * next_values[t]) - values[t] for t in range(T)]
    result = []
    for t in range(T):
        total, weight = 0.0, 1.0
        for k in range(t, T):
            total += weight * delta[k]
            weight *= gamma * gae_lambda
            if terminated[k] | truncated[k]:
                break
        result.append(total)
    return result


value_targets = np.add
"""
    assert report_of(GAE, source, GAE.checks[:-1]).passed


@pytest.mark.parametrize("name", NAMES)
def test_the_skeleton_has_gaps_and_is_the_solution_once_they_are_filled(name):
    found = exercise(name)
    source, skeleton = found.source(), found.skeleton()
    gaps = gaps_of(source, found.hints)
    ast.parse(skeleton)
    report = report_of(found, skeleton)
    lines = [i + 1 for i, line in enumerate(skeleton.splitlines()) if "# gap" in line]
    assert len(lines) == len(gaps) >= 4
    numbers = ", ".join(map(str, lines))
    assert report.feedback == f"There are still gaps to fill in: lines {numbers} of {name}.py."
    filled = skeleton.splitlines()
    for number, line in enumerate(gaps, 1):
        at = next(i for i, text in enumerate(filled) if f"# gap {number}:" in text)
        filled[at] = filled[at][: len(filled[at]) - len(filled[at].lstrip())] + line
    assert "\n".join(filled) + "\n" == source
    assert with_gaps(source, gaps) == skeleton


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_is_enough(name):
    found = exercise(name)
    single = "\n".join(
        f"def _single(f):\n    return lambda *x: np.float32(f(*x))\n\n{function} = _single({function})"
        for function in found.functions
    )
    report = report_of(found, found.source() + single, found.checks[:-1])
    assert report.passed, report.feedback


def test_a_file_may_hold_more_than_functions(told):
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "import ctypes, scipy.linalg, typing\n\n\n"
        "@dataclass\nclass Step:\n    reward: typing.ClassVar[float]\n\n\n"
        "if __name__ == '__main__':\n    raise SystemExit\n"
    )
    assert told(text) == ("The function gae is missing in mine.py.", "")


# What is wrong is refused, and told why.


@pytest.mark.parametrize("name", NAMES)
def test_every_known_mistake_is_named_in_its_own_sentence(name):
    found = exercise(name)
    sentences = [mistake.sentence for mistake in found.mistakes]
    assert len(set(sentences)) == len(sentences)
    for mistake in found.mistakes:
        report = report_of(found, with_mistake(found, mistake))
        assert (report.mistake, report.feedback) == (mistake.name, mistake.sentence)
        assert report.results[-1].passed is None, "CartPole is not asked when an identity fails"


@pytest.mark.parametrize("name", NAMES)
def test_every_solution_with_one_thing_changed_is_refused(name):
    found = exercise(name)
    passed, count = set(), 0
    for mutant in mutants(found):
        count += 1
        if not first_refusal(found, mutant.source):
            passed.add((name, mutant.name))
    assert count >= 20
    assert passed == {known for known in EQUIVALENT if known[0] == name}


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("reinforce", "policy_gradient"),
        ("baseline", "advantages"),
        ("actor-critic", "td_errors"),
        ("actor-critic", "actor_gradient"),
        ("gae", "gae"),
        ("gae", "value_targets"),
        ("ppo", "surrogate_slopes"),
    ],
)
def test_cartpole_is_not_learned_downhill(name, function):
    def nothing(_):
        """Nothing"""

    found = exercise(name)
    downhill = f"\n_right = {function}\n\n\ndef {function}(*x):\n    return -_right(*x)\n"
    report = report_of(found, found.source() + downhill, [nothing, found.checks[-1]])
    assert [result.passed for result in report.results] == [True, True, False]


def test_the_identity_that_fails_speaks_with_the_numbers_of_the_smallest_case():
    wrong = GAE.source().replace("following = deltas[t] +", "following = 2 * deltas[t] +")
    report = report_of(GAE, wrong)
    assert report.mistake == ""
    assert report.feedback == (
        "At λ = 0 the advantages must be the TD errors: yours is 9, δ is 4.5, for rewards = [1.5],"
        " values = [−3], next_values = [−0.5], terminated = [True], truncated = [False],"
        " gamma = 0.5."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1\n", "The function gae is missing in gae.py."),
        ("gae = 3\n", "gae in gae.py is no function, but an int."),
        ("def gae(*x):\n    pass\n", "gae returns None: its last line may lack a return."),
        ("def gae(*x):\n    return 'x'\n", "gae must return numbers, but returns a str."),
        ("def gae(*x):\n    return 1j\n", "gae must return numbers, but returns a complex."),
        (
            "def gae(*x):\n    return [[1], [1, 2]]\n",
            "gae must return numbers, but returns a list.",
        ),
        ("def gae(*x):\n    return x[0] * float('nan')\n", "gae returns NaN, for rewards = [1.5],"),
        (
            "def gae(rewards):\n    return rewards\n",
            "gae takes other arguments than its contract: too many positional arguments.",
        ),
        (
            "def gae(*x):\n    return x[0][:, None]\n",
            "gae must return an array of the shape [1], but yours returns an array of the shape"
            " [1, 1], for rewards = [1.5],",
        ),
        (
            "def gae(*x):\n    return 1 / 0\n",
            "Line 2 of gae.py raises ZeroDivisionError: division by zero, for rewards = [1.5],",
        ),
        ("def gae(*x):\n    return gae(*x)\n", "Line 2 of gae.py calls itself without an end,"),
        ("def gae(*x)\n", "Line 1 of gae.py is not Python: expected ':'."),
        ("def gae(*x):\n    ...\n", "There are still gaps to fill in: line 2 of gae.py."),
        ("raise ValueError('two\\nlines')\n", "Line 1 of gae.py raises ValueError: two lines."),
        (
            "class E(Exception):\n    def __str__(self):\n        raise E\n\nraise E\n",
            "Line 5 of gae.py raises E.",
        ),
        (
            "import random\n\n\ndef gae(*x):\n    return x[0] * 0 + random.random()\n\n\n"
            "def value_targets(a, v):\n    return a + v\n",
            "At λ = 0 the advantages must be the TD errors: ",
        ),
    ],
)
def test_what_is_no_answer_is_told_with_its_line(text, sentence):
    feedback = report_of(GAE, text).feedback
    assert feedback.startswith(sentence)
    assert "\n" not in feedback


def test_whoever_writes_into_an_argument_is_told_which():
    source = GAE.source().replace(
        "    return advantages + values", "    advantages += values\n    return advantages"
    )
    report = report_of(GAE, source)
    assert [result.passed for result in report.results[:-1]].count(False) == 1
    assert report.feedback == "value_targets writes into its argument advantages: work on a copy."


def test_whoever_answers_differently_the_second_time_is_told():
    source = GAE.source() + (
        "\n_right, _asked = value_targets, []\n\n\ndef value_targets(advantages, values):\n"
        "    _asked.append(1)\n    return _right(advantages, values) + 1e-12 * len(_asked)\n"
    )
    assert report_of(GAE, source).feedback == (
        "value_targets gives two answers to the same call: it must depend on nothing but its"
        " arguments."
    )


# Nothing gets out.

CONTAINED = {
    "a loop without an end": (
        "while True:\n    pass\n",
        "Line 1 of mine.py was still running when the time was up: is there a loop without an end?",
    ),
    "one in a function": (
        "def gae(*x):\n    while True:\n        pass\n",
        "Line 2 of mine.py was still running when the time was up: is there a loop without an end?",
    ),
    "a process": (
        "import os\nwhile True:\n    os.fork()\n",
        "Line 3 of mine.py starts another process, which an exercise may not.",
    ),
    "a process by the back door": (
        "import multiprocessing\nmultiprocessing.get_context('spawn').Process(target=print).start()\n",
        "Line 2 of mine.py starts another process, which an exercise may not.",
    ),
    "a program": (
        "import subprocess\nsubprocess.run(['true'])\n",
        "Line 2 of mine.py starts another program, which an exercise may not.",
    ),
    "a shell": (
        "import os\nos.system('true')\n",
        "Line 2 of mine.py starts another program, which an exercise may not.",
    ),
    "memory": (
        "x = []\nwhile True:\n    x.append(bytearray(10**8))\n",
        "Line 3 of mine.py needs more memory than an exercise may have.",
    ),
    "an array that is too large": (
        "import numpy as np\nx = np.ones(10**10)\n",
        "Line 2 of mine.py needs more memory than an exercise may have.",
    ),
    "prints without an end": (
        "while True:\n    print('x' * 1000)\n",
        "mine.py printed more than 64 kB: take out what prints in a loop.",
    ),
    "writes to the terminal without an end": (
        "import os\nwhile True:\n    os.write(1, b'x' * 1000)\n",
        "mine.py printed more than 64 kB: take out what prints in a loop.",
    ),
    "the network": (
        "import socket\nsocket.create_connection(('127.0.0.1', 9))\n",
        "Line 2 of mine.py uses the network, which an exercise may not.",
    ),
    "the network through a library": (
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')\n",
        "Line 2 of mine.py uses the network, which an exercise may not.",
    ),
    "exit": (
        "import sys\nsys.exit(0)\n",
        "Line 2 of mine.py ends Python with exit: a function of an exercise returns instead.",
    ),
    "exit at once": (
        "import os\nos._exit(0)\n",
        "mine.py ended Python with status 0: a function of an exercise returns instead.",
    ),
    "a recursion without an end": (
        "def f():\n    return f()\n\n\nf()\n",
        "Line 2 of mine.py calls itself without an end.",
    ),
    "C": (
        "import ctypes\nctypes.string_at(0)\n",
        "Line 2 of mine.py uses ctypes, as torch does, which an exercise may not.",
    ),
    "a question": (
        "input()\n",
        "Line 1 of mine.py raises EOFError: EOF when reading a line.",
    ),
    "a signal": (
        "import os\nos.kill(os.getppid(), 9)\n",
        "Line 2 of mine.py sends a signal to a process, which an exercise may not.",
    ),
    "a crash": (
        "import os\nos.abort()\n",
        "mine.py made Python itself crash: it may call itself too deeply.",
    ),
    "a file that grows": (
        "with open('mine.txt', 'wb') as f:\n    while True:\n        f.write(b'x' * 10**6)\n",
        f"Line 3 of mine.py raises OSError: [Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}.",
    ),
    "answers of its own": (
        "import os\nfor fd in range(3, 9):\n    try:\n        os.write(fd, b'{}\\n')\n"
        "    except OSError:\n        pass\n",
        "mine.py writes into the pipe that carries its answers.",
    ),
    "answers without an end": (
        "import os\nwhile True:\n    for fd in range(3, 9):\n        try:\n"
        "            os.write(fd, b'x' * 65536)\n        except OSError:\n            pass\n",
        "mine.py writes into the pipe that carries its answers.",
    ),
    "no way to answer": (
        "import os\nos.closerange(3, 20)\n",
        "mine.py breaks the Python that runs it, so that nothing can answer any more.",
    ),
    "another Python": (
        "import builtins\nbuiltins.len = None\n",
        "mine.py breaks the Python that runs it, so that nothing can answer any more.",
    ),
    "too many brackets": (
        f"x = {'-' * 100_000}1\n",
        "mine.py is not Python that can be read: it is nested too deeply.",
    ),
    "a thread without an end": (
        "import threading\nthreading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\n",
        "",  # where threads are counted as processes it cannot start, elsewhere it is ended
    ),
}


@pytest.mark.parametrize("deed", CONTAINED)
def test_what_does_harm_is_contained_and_told_in_one_sentence(told, deed):
    text, sentence = CONTAINED[deed]
    feedback, _ = told(text, SOON if "running when" in sentence else LITTLE)
    assert feedback == sentence or (not sentence and feedback)


@pytest.mark.parametrize(
    "line",
    [
        "os.remove(VICTIM)",
        "pathlib.Path(VICTIM).unlink()",
        "shutil.rmtree(os.path.dirname(VICTIM))",
        "os.rename(VICTIM, 'stolen')",
        "os.truncate(VICTIM, 0)",
        "os.chmod(VICTIM, 0)",
        "open(VICTIM, 'w')",
        "open(VICTIM, 'a')",
        "os.open(VICTIM, os.O_RDWR)",
        "os.chdir(os.path.dirname(VICTIM)); open('new', 'w')",
        "os.symlink(VICTIM, 'link'); open('link', 'w')",
        "os.mkdir(VICTIM + '.d')",
    ],
)
def test_other_files_stay_as_they_are(told, tmp_path, line):
    victim = tmp_path / "home" / "thesis.txt"
    victim.parent.mkdir()
    victim.write_text("years of work")
    feedback, _ = told(f"import os, pathlib, shutil\nVICTIM = {str(victim)!r}\n{line}\n")
    assert "a file outside its own folder, which an exercise may not." in feedback
    assert victim.read_text() == "years of work"
    assert os.listdir(victim.parent) == ["thesis.txt"]


def test_its_own_folder_is_its_own_and_gone_afterwards():
    text = "import os\nopen('mine.txt', 'w').write('x')\nos.mkdir('d')\nprint(os.getcwd())\n"
    with Sandbox(text, "mine.py", LITTLE) as sandbox:
        sandbox.load()
        assert sorted(os.listdir(sandbox.folder.name)) == ["d", "mine.txt"]
    assert sandbox.said().strip() == os.path.realpath(sandbox.folder.name)
    assert not os.path.exists(sandbox.folder.name)


def test_nothing_of_it_runs_on_afterwards():
    loop = "import threading\nthreading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\n"
    with Sandbox(loop, "mine.py", LITTLE) as sandbox, contextlib.suppress(Refused):
        sandbox.load()
    assert sandbox.process.poll() is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(sandbox.process.pid, 0)


def test_who_does_not_let_itself_be_interrupted_is_ended():
    stubborn = (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass\n"
    )
    with (
        Sandbox(stubborn, "mine.py", Limits(seconds=0.5, grace=0.5)) as sandbox,
        pytest.raises(Refused) as refusal,
    ):
        sandbox.load()
    assert str(refusal.value) == (
        "mine.py did not end within 0.5 s: is there a loop without an end?"
    )


def test_prints_are_shown_and_escapes_are_not(told):
    _, printed = told("print('hello')\nprint('\\x1b[31mred')\n")
    assert printed == "hello\n\x1b[31mred\n"
    report = report_of(GAE, "x = 1\n")
    shown = as_text(type(report)(report.exercise, report.results, printed=printed))
    assert "hello" in shown
    assert "\x1b" not in shown


def test_numbers_cross_the_pipe_bit_by_bit():
    stream = np.random.default_rng(0)
    odd = np.array([np.pi, -0.0, np.inf, np.nan, 5e-324])
    given = [odd, stream.integers(5, size=(2, 3)), np.array([True]), 0.1, 2, [(odd, 1)]]
    back = decode(json.loads(json.dumps(encode(given))))
    assert back[0].tobytes() == odd.tobytes()
    assert back[1].dtype == given[1].dtype
    assert np.array_equal(back[1], given[1])
    assert back[2].dtype == bool
    assert back[3:5] == [0.1, 2]
    with Sandbox("def f(x):\n    return x\n", "mine.py", LITTLE) as sandbox:
        sandbox.load()
        answer, changed = sandbox.call("f", (odd,))
    assert answer.tobytes() == odd.tobytes()
    assert changed == []


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.mkdir(), "is a folder, not a file."),
        (lambda path: os.mkfifo(path), "is not an ordinary file."),
        (lambda path: path.write_text(""), "is empty."),
        (lambda path: path.write_text(" \n\n"), "is empty."),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is not a text in UTF-8."),
        (lambda path: path.write_bytes(b"x = 1\0"), "is not a text."),
        (lambda path: (path.touch(), os.truncate(path, 10**8)), "is larger than 256 kB"),
        (lambda path: path.symlink_to(path), "cannot be read: "),
    ],
)
def test_what_is_no_file_to_run_is_told_so(run, tmp_path, make, sentence):
    path = tmp_path / "mine.py"
    make(path)
    with pytest.raises(Unusable):
        read(path)
    status, out, err = run("check", "gae", path)
    assert (status, out) == (2, "")
    assert err.startswith("pgviz: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_the_largest_file_may_be_read(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("x" * LARGEST_FILE)
    assert len(read(path)) == LARGEST_FILE


# The command line.


def test_the_command_line_checks_a_solution(tmp_path):
    path = tmp_path / "ppo.py"
    path.write_text(exercise("ppo").source())
    before = set(Path(tempfile.gettempdir()).glob("pgviz-check-*"))
    done = subprocess.run(
        [sys.executable, "-m", "pgviz", "check", "ppo", path],
        capture_output=True,
        text=True,
        cwd=REPO,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    *lines, blank, last = lines
    assert len(lines) == 1 + len(exercise("ppo").checks)
    assert (blank, last) == ("", f"ppo: all {len(lines)} checks pass")
    assert all(line.startswith("✓ ") for line in lines)
    assert lines[-1].startswith("✓ CartPole is learned: 32 episodes return ")
    assert set(Path(tempfile.gettempdir()).glob("pgviz-check-*")) <= before


def test_the_command_line_says_what_is_wrong_and_ends_with_1(run, tmp_path):
    mistake = next(one for one in GAE.mistakes if one.name == "truncation leaks")
    path = tmp_path / "mine.py"
    path.write_text(GAE.source().replace("= terminated | truncated", "= terminated"))
    status, out, err = run("check", "gae", path)
    assert (status, err) == (1, "")
    assert out.splitlines()[-2:] == ["", mistake.sentence]
    assert "✓ λ = 0: the advantages are the TD errors\n" in out
    assert "✗ Two episodes one after the other are each of them alone\n" in out
    assert "– CartPole is learned\n" in out
    status, out, err = run("check", "gae", path, "--json")
    assert (status, err) == (1, "")
    document = json.loads(out)
    assert document["exercise"] == "gae"
    assert document["passed"] is False
    assert document["mistake"] == "truncation leaks"
    assert document["feedback"] == mistake.sentence
    assert document["checks"][0] == {"title": "The file runs", "passed": True, "note": ""}
    assert document["checks"][-1]["passed"] is None


def test_the_command_line_lists_and_hands_out_skeletons(run, tmp_path):
    status, out, err = run("check", "--list")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(NAMES)
    assert run("check", "gae", "--skeleton") == (0, GAE.skeleton(), "")
    path = tmp_path / "gae.py"
    status, out, err = run("check", "gae", "--write", path)
    assert (status, err) == (0, "")
    assert path.read_text(encoding="utf-8") == GAE.skeleton()
    path.write_text("my work")
    status, out, err = run("check", "gae", "--write", path)
    assert (status, out) == (2, "")
    assert path.read_text() == "my work"
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("gea",), ("gae",), ("gae", "x", "--seconds", "0")])
def test_bad_usage_is_one_sentence(run, arguments):
    status, out, err = run("check", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("pgviz: ")
    assert err.count("\n") == 1


# The app never runs what a learner wrote.


def test_only_the_command_line_imports_the_sandbox():
    may = {"pgviz/__main__.py", "pgviz/exercises/command.py", "pgviz/exercises/sandbox.py"}
    files = [REPO / "streamlit_app.py", *(REPO / "pages").glob("*.py")]
    for path in [*files, *(REPO / "pgviz").rglob("*.py")]:
        place = path.relative_to(REPO).as_posix()
        imported = {
            f"{getattr(node, 'module', '')}.{alias.name}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        ends = ("exercises.sandbox", "exercises.command", "pgviz.__main__", "exercises.child")
        runs = [name for name in imported for end in ends if f"{end}." in name + "."]
        assert place in may or not runs, place


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_holds_the_file_and_the_command_and_is_the_same_every_time(tmp_path, run, name):
    path = tmp_path / "mine.ipynb"
    status, _, err = run("check", name, "--write", path)
    assert (status, err) == (0, "")
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert book.cells[1].source.endswith(exercise(name).skeleton())
    assert f"check {name}" in book.cells[2].source
    assert notebook(exercise(name)) == path.read_text(encoding="utf-8").rstrip("\n")


# The lines of the page on pitfalls, as a learner would write them: case, exercise, line, instead.
PITFALLS = [
    ("no-log", "reinforce", "chosen - probabilities(theta, obs)", "probabilities(theta, obs)[action] * (chosen - probabilities(theta, obs))"),
    ("own-mean", "baseline", "return returns_to_go(rewards, gamma) - values", "g = returns_to_go(rewards, gamma); return g - g.mean()"),
    ("one-episode", "reinforce", "return gradient / len(episodes)", "return gradient"),
    ("sign", "reinforce", "return gradient / len(episodes)", "return -gradient / len(episodes)"),
    ("action-baseline", "baseline", "return returns_to_go(rewards, gamma) - values", "return returns_to_go(rewards, gamma) - rewards - gamma * np.append(values[1:], 0)"),
    ("gamma-twice", "reinforce", "following = rewards[t] + gamma * following", "following = gamma**t * rewards[t] + gamma * following"),
    ("no-detach", "actor-critic", "return weights + learning_rate * obs.T @ errors / len(errors)", "return weights + learning_rate * (obs - gamma * np.where(terminated, 0, 1)[:, None] * next_obs).T @ errors / len(errors)"),
    ("broadcast-loss", "baseline", "gradient = obs.T @ errors / len(returns)", "errors = ((obs @ weights)[:, None] - returns).mean(1); gradient = obs.T @ errors / len(returns)"),
    ("broadcast-returns", "baseline", "return returns_to_go(rewards, gamma) - values", "return (returns_to_go(rewards, gamma)[:, None] - values).mean(0)"),
    ("broadcast-values", "baseline", "return returns_to_go(rewards, gamma) - values", "return (returns_to_go(rewards, gamma)[:, None] - values).mean(1)"),
    ("time-limit", "gae", "deltas = td_errors(rewards, values, next_values, terminated, gamma)", "deltas = td_errors(rewards, values, next_values, terminated | truncated, gamma)"),
    ("leak", "gae", "episode_over = terminated | truncated", "episode_over = np.zeros(len(rewards), bool)"),
    ("forwards", "gae", "for t in reversed(range(len(rewards))):", "for t in range(len(rewards)):"),
    ("softmax-twice", "reinforce", "logits = obs @ theta", "logits = np.exp(obs @ theta) / np.exp(obs @ theta).sum()"),
    ("softmax-in-the-loss", "actor-critic", "push = chosen - probabilities(theta, obs)", "push = chosen - probabilities(np.eye(theta.shape[1]), probabilities(theta, obs))"),
    ("stale", "ppo", "return np.minimum(rho * advantages, clipped * advantages).mean()", "return (log_probs * advantages).mean()"),
]  # fmt: skip


def test_every_pitfall_that_these_files_can_hold_is_among_them():
    """An entropy term stands in none of the five."""
    assert {case for case, *_ in PITFALLS} == CASES.keys() - {"entropy"}


@pytest.mark.parametrize(
    ("case", "name", "line", "instead"), PITFALLS, ids=[p[0] for p in PITFALLS]
)
def test_the_wrong_lines_of_the_pitfalls_page_are_refused_in_one_sentence(
    case, name, line, instead
):
    source = exercise(name).source()
    assert source.count(line) == 1
    said = first_refusal(exercise(name), source.replace(line, instead))
    assert said, case
    assert len(said.splitlines()) == 1
    assert said.endswith(".")
