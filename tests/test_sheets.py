"""A folder of sheets: counted, never believed, and nothing in it does harm."""

import json
import os

import pytest

from pgviz import sheets

GOOD = {
    "pgviz": sheets.VERSION,
    "steps": {
        "theorem/guess": {"guess": 59},
        "theorem/check": {"answered": [True, True, False]},
        "pitfalls/case-3": {"answered": [True, True], "looked": ["return"], "tries": 1},
        "pitfalls/case-4": {"answered": [True, False]},
        "workbook/exercise-gae": {"checked": "gae: all 12 checks passed"},
        "workbook/words-1": {"words": "because"},
    },
}


def write(folder, name, content):
    """A file of this folder."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / name).write_bytes(data)


def test_a_sheet_is_counted():
    found = sheets.summary(sheets.parsed(json.dumps(GOOD))[0])
    assert found == sheets.Summary(6, 1, 2, 1, ("gae: all 12 checks passed",), 1)


def test_what_is_written_is_read_back():
    steps, last = sheets.parsed(sheets.as_text(GOOD["steps"], "theorem/guess"))
    assert steps == GOOD["steps"]
    assert last == "theorem/guess"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[]", b"{" * 5000, b"x" * 300_000, {"pgviz": 99}, {"pgviz": 1, "steps": 3}],
    ids=lambda content: repr(content)[:14],
)
def test_a_file_that_is_no_sheet_gets_one_sentence_and_the_others_are_read(tmp_path, run, content):
    write(tmp_path, "a.json", content)
    write(tmp_path, "b.json", GOOD)
    status, out, err = run("sheets", tmp_path)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].startswith("a.json: This")
    assert lines[1].endswith(".")
    assert lines[2].split()[:6] == ["b.json", "6", "1", "2", "1", "1"]
    assert lines[-1] == sheets.PROVES_NOTHING


@pytest.mark.parametrize("stored", [None, 1, 0.5, True, [1], {"pgviz": 1}], ids=repr)
def test_what_a_browser_stores_that_is_no_text_is_no_sheet(stored):
    with pytest.raises(sheets.SheetError):
        sheets.parsed(stored)


def test_half_a_letter_is_left_out():
    """JSON may hold a lone surrogate; the page that sent it on and the file ended in an error."""
    steps = {"gae/ends": {"words": "\ud800", "guess": "\udfff", "looked": ["\ud800"], "tries": 2}}
    found, last = sheets.parsed(json.dumps({"pgviz": sheets.VERSION, "steps": steps}))
    assert found == {"gae/ends": {"tries": 2}}
    sheets.as_text(found, last).encode()


def test_pipes_links_and_hostile_names_do_no_harm(tmp_path, run):
    os.mkfifo(tmp_path / "pipe.json")
    os.symlink("/etc/hostname", tmp_path / "link.json")
    (tmp_path / "folder.json").mkdir()
    write(tmp_path, "\x1b[31mred\n.json", GOOD)
    evil = {"pgviz": 1, "steps": {"workbook/exercise-gae": {"checked": "\x1b]0;owned\x07"}}}
    write(tmp_path, "evil.json", evil)
    status, out, err = run("sheets", tmp_path)
    assert (status, err) == (0, "")
    assert out.count("no regular file") == 3
    assert "\x1b" not in out
    status, out, _ = run("sheets", tmp_path, "--json")
    assert status == 0
    assert len([json.loads(line) for line in out.splitlines()]) == 5


def test_a_folder_that_cannot_be_read_is_one_sentence(tmp_path, run):
    for folder in (tmp_path / "none", tmp_path):
        status, out, err = run("sheets", folder)
        assert (status, out) == (2, "")
        assert err.startswith("pgviz: The folder")
        assert len(err.splitlines()) == 1
