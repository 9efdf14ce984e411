"""Hostile input, a little of it: `python -m tests.fuzz` sends thousands.

What a page makes of it is asked of a real server, with --browser.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from pgviz.lessons import PAGES
from pgviz.ui.plain import plain
from tests.fuzz import commands, hostile, links, pages
from tests.fuzz.files import read_all
from tests.fuzz.live import live
from tests.fuzz.stranger import Stranger
from tests.real import served
from tests.walks import opened

SEED = 11


def test_what_strangers_send_is_the_same_every_time():
    assert [links.link(SEED, k) for k in (0, 7)] == [links.link(SEED, k) for k in (0, 7)]
    first, again = (
        hostile.document(hostile.source(SEED, "a", 3), hostile.WORLDS) for _ in range(2)
    )
    assert first == again != hostile.document(hostile.source(SEED, "a", 4), hostile.WORLDS)


def test_worlds_progress_and_sheets_are_read_or_refused_with_a_sentence():
    for found in read_all(160, SEED):
        assert found.faults == []
        assert 0 < found.refused < found.number


def test_a_command_line_ends_with_an_answer_or_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [])
    monkeypatch.setattr("sys.stdin", None)
    commands.prepare(tmp_path)
    for k in range(1, 25):  # number 0 would run a solution in a sandbox
        arguments = commands.line(SEED, k, tmp_path)
        ended = commands.in_this_process(arguments, str(tmp_path))
        assert commands.faults_of(ended) == ([], []), arguments


def test_a_name_that_a_terminal_would_obey_is_shown_and_not_obeyed(run, tmp_path):
    status, out, _ = run("check", "gae", "--write", tmp_path / "\x1b[31m\udc9b.py")
    assert (status, out.count("\n")) == (0, 1)
    assert out.strip().isprintable()
    status, out, err = run("train", "ppo", "\u202ezq7\x9b31m")
    assert (status, out) == (2, "")
    assert err.strip().isprintable()


@pytest.mark.parametrize("text", hostile.MARKUP)
def test_a_strangers_word_is_a_word(text):
    assert live(plain(text)) == live(f"<b>{plain(text)}</b>", html=True) == ""


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<b id=zq7>", True),
        ("<script>zq7</script>", True),
        ("[a](http://zq7.example)", False),
        ("![zq7](/a.png)", False),
        ("“www.zq7.example” is", False),
        ("\\https\\://zq7.example", False),
        ("zq7@zq7.example", False),
        ("$zq7$", False),
        (":red[zq7]", False),
    ],
)
def test_what_is_more_than_a_word_is_found(text, html):
    assert live(text, html)


def test_who_left_off_where_one_begins_finds_home_as_a_whole(monkeypatch):
    """Two buttons led to one place and had one name."""
    app = opened("theorem", "guess")
    app.switch_page("pages/home.py")
    for query in ({"step": "start"}, {"all": "1"}):
        app.query_params.clear()
        app.query_params.update(query)
        app.run()
        assert [element.value for element in (*app.exception, *app.error)] == []


@pytest.mark.parametrize("guess", ["![zq7](http://zq7.example)", 7])
def test_a_guess_that_is_no_answer_counts_as_passed(guess):
    app = opened("theorem", "no-log")
    app.session_state["progress"] = {"theorem/no-log": {"guess": guess}}
    app.run()
    assert [element.value for element in (*app.exception, *app.error)] == []
    assert not any("You said" in element.value for element in app.markdown)
    assert app.title[0].value == next(
        step.title for page in PAGES for step in page.steps if step.slug == "no-log"
    )


# --- a real server: in a thread of its own, for Playwright may keep a loop in this one ---


def _on_a_server(act, number):
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(act, number, SEED, 2).result()
    assert found.faults == []
    return found


@pytest.mark.browser  # for its length, not for a browser
@pytest.mark.parametrize(
    ("act", "number"),
    [(pages.links, 100), (pages.worlds, 20), (pages.progress, 25), (pages.states, 25)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_nothing_that_strangers_do_to_a_page_breaks_it(act, number):
    found = _on_a_server(act, number)
    assert len(found.latencies_s) > 5


@pytest.mark.browser
def test_every_page_opens_as_a_whole_and_an_open_page_takes_any_link():
    async def visit(url):
        async with Stranger(url) as tab:
            for page in PAGES:
                await tab.open(page.slug, "all=1")
            # A number that a widget on the screen is bound to, and a name that is none.
            await tab.open("workbook", "step=best&drawn=3")
            await tab.open("workbook", "step=mean&drawn=Infinity&zq7=1")
            return tab.broken, tab.is_refused

    with served() as url, ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, visit(url)).result() == ([], True)
