"""The load client sees what a browser would see, and asks no more often than a browser would."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from click.testing import CliRunner
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websocket_server

from pgviz.runs.shares import HOSTED
from tests.load.__main__ import VARY, _combinations, main
from tests.load.scenarios import measure
from tests.load.tab import LoadError, Tab, loopback
from tests.real import served

QUICK = "num_envs=8&learning_rate=0.05"


def test_two_tabs_watch_one_run_to_its_end():
    with served() as url:
        measured = asyncio.run(measure("shared", url, 2, "reinforce", "run", [QUICK]))
        unknown = asyncio.run(_press(url, "no-such-button"))
    assert [session.errors for session in measured.sessions] == [[], []]
    for session in measured.sessions:
        assert len(session.views_s) == 1
        assert session.run_s is not None
        assert session.watch.polls
        assert 0 < session.watch.silence_s <= session.watch.watched_s
        assert all(poll.num_bytes for poll in session.watch.polls)
    assert measured.opening.server_s > 0
    assert 0 < measured.server_bytes < measured.all_bytes
    assert unknown.startswith("There is no button 'no-such-button' here, only again.reinforce-run")
    assert unknown.endswith("walk-reset.")


@pytest.mark.browser  # for its length, not for a browser
def test_thirty_tabs_of_one_visitor_keep_no_newcomer_waiting():
    """Their runs would hold all workers for minutes; ten of the tabs are more than may be open."""
    long = _combinations(VARY)[:30]
    with served(PGVIZ_HOSTED="1") as url, ThreadPoolExecutor(1) as thread:
        greedy = measure("greedy", url, 30, "reinforce", "run", long)
        *others, newcomer = thread.submit(asyncio.run, greedy).result().sessions
    errors = [session.errors for session in others if session.errors]
    assert len(errors) == 30 - HOSTED.tabs, errors
    assert newcomer.errors == []
    assert newcomer.run_s is not None
    assert all(session.run_s is None for session in others)  # nobody waited for their ends


@pytest.mark.browser  # for its length, not for a browser
def test_no_strangers_message_stops_a_run():
    """`clear_cache` empties Streamlit's caches for everybody; any client may send it."""
    # In a thread of its own: Playwright, if a test before has opened it, keeps a loop in this one.
    with served(PGVIZ_GRACE_S="0.2") as url, ThreadPoolExecutor(1) as thread:
        texts, errors = thread.submit(lambda: asyncio.run(_beside_a_stranger(url))).result()
    assert errors == []
    assert "Your run." in texts
    assert "Your run, stopped." not in texts


async def _beside_a_stranger(url: str) -> tuple[list[str], list[str]]:
    async with Tab(url) as tab, Tab(url) as stranger:
        await tab.visit("reinforce", "run", "num_envs=64&learning_rate=0.005")
        await stranger.visit("theorem", "policy")
        await tab.press("again.reinforce-run.run")
        await tab.until(lambda: tab.polls)
        for _ in range(5):
            message = BackMsg()
            message.clear_cache = True
            await stranger._socket.send(message.SerializeToString())
            await asyncio.sleep(0.3)
        await tab.until(lambda: tab.has("again.reinforce-run.back"))
        return tab.texts, tab.errors


async def _press(url: str, key: str) -> str:
    async with Tab(url) as tab:
        await tab.visit("reinforce", "run", QUICK)
        await tab.press("again.reinforce-run.run")  # which has been run, by the others
        await tab.until(lambda: tab.has("again.reinforce-run.back"))
        assert any("N = 8, learning rate 0.05" in text for text in tab.texts), "from the address"
        assert (await tab.visit("reinforce", "update")) > 0
        await tab.visit("theorem", "causality")
        await tab.visit("reinforce", "run", QUICK)
        with pytest.raises(LoadError) as said:
            await tab.press(key)
        assert tab.errors == []
    return str(said.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://192.168.0.1:8501",
        "http://127.0.0.1.example.com:8501",
        "http://127.0.0.1@example.com",
        "https://127.0.0.1:8501",
        "127.0.0.1:8501",
        "",
    ],
)
def test_nothing_but_this_machine_is_put_to_load(url):
    with pytest.raises(LoadError, match="is not on this machine"):
        Tab(url)
    said = CliRunner().invoke(main, ["shared", "--url", url])
    assert said.exit_code == 1
    assert "is not on this machine" in said.output
    assert "Traceback" not in said.output


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8501/", "http://[::1]:8501", "http://localhost:1"]
)
def test_this_machine_has_several_names(url):
    assert loopback(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sessions", "301"], "--sessions takes numbers from 1 to 300, not '301'."),
        (["--sessions", "0"], "--sessions takes numbers from 1 to 300, not '0'."),
        (["--sessions", "5,-1"], "--sessions takes numbers from 1 to 300, not '5,-1'."),
        (["--place", "reinforce/nowhere"], "There is no step reinforce/nowhere."),
        (["--seconds", "601"], "601.0 is not in the range 1<=x<=600.0"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(arguments, sentence):
    said = CliRunner().invoke(main, arguments)
    assert said.exit_code != 0
    assert sentence in said.output


def test_own_runs_differ_in_settings_that_the_step_has():
    from pgviz.lessons.reinforce.run import EPISODES, RATE

    assert len(set(_combinations(VARY))) == len(EPISODES.options) * len(RATE.options)
    for entry, control in zip(VARY, (EPISODES, RATE), strict=True):
        name, _, values = entry.partition("=")
        assert name == control.name
        assert all(control.holds(value) for value in values.split(","))


# ── A server that answers as slowly as the test wants, and tells what it was asked ───────────


def _run(*fragments: str) -> ForwardMsg:
    message = ForwardMsg()
    message.new_session.page_script_hash = "page"
    message.metadata.run.script_run_id = "run"
    message.metadata.run.fragment_ids.extend(fragments)
    return message


def _end(*fragments: str) -> ForwardMsg:
    message = _run(*fragments)
    message.script_finished = (
        ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        if fragments
        else ForwardMsg.FINISHED_SUCCESSFULLY
    )
    return message


def _title(text: str) -> ForwardMsg:
    message = ForwardMsg(hash="large")
    message.metadata.delta_path.extend([0, 0])
    message.metadata.cacheable = True
    message.delta.new_element.heading.tag = "h1"
    message.delta.new_element.heading.body = text
    return message


def _same(message: ForwardMsg) -> ForwardMsg:
    reference = ForwardMsg(ref_hash=message.hash)
    reference.metadata.CopyFrom(message.metadata)
    return reference


@asynccontextmanager
async def _slow_server(
    answer_s: float, num_polled: int
) -> AsyncIterator[tuple[str, list[BackMsg]]]:
    """The whole script first, then a fragment that is polled so often."""
    asked: list[BackMsg] = []
    title = _title("REINFORCE: play, weigh each action, update, repeat")

    async def answer(socket: ServerConnection) -> None:
        async for data in socket:
            asked.append(BackMsg.FromString(data))
            state = asked[-1].rerun_script
            if state.fragment_id:
                await asyncio.sleep(answer_s)
                messages = [_run("part"), _end("part")]
                if sum(bool(each.rerun_script.fragment_id) for each in asked) == num_polled:
                    messages += [_run(), _same(title), _end()]  # the whole page once more
            else:
                timer = ForwardMsg()
                timer.auto_rerun.fragment_id, timer.auto_rerun.interval = "part", 0.01
                messages = [_run(), title, timer, _end()]
            for message in messages:
                await socket.send(message.SerializeToString())

    async with websocket_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def test_a_tab_waits_for_an_answer_before_it_asks_again():
    async def look() -> tuple[Tab, list[BackMsg]]:
        async with _slow_server(answer_s=0.1, num_polled=3) as (url, asked), Tab(url) as tab:
            await tab.visit("reinforce", "run")
            await tab.until(lambda: not tab.polls)
            return tab, asked

    tab, asked = asyncio.run(look())
    whole, *polls = [message.rerun_script for message in asked]
    assert (whole.page_name, whole.query_string) == ("reinforce", "step=run")
    assert [poll.fragment_id for poll in polls] == ["part"] * 3, "ten times as many are due"
    assert all(poll.is_auto_rerun and poll.page_script_hash == "page" for poll in polls)
    assert [[*poll.cached_message_hashes] for poll in polls] == [["large"]] * 3
    assert tab.title == "REINFORCE: play, weigh each action, update, repeat", "named by its hash"
    assert tab.errors == []
    assert len(tab.watch.polls) == 3
    assert all(poll.latency_s >= 0.1 for poll in tab.watch.polls)
    assert tab.watch.silence_s >= 0.1


def test_what_the_page_says_went_wrong_is_an_error():
    told = [ForwardMsg() for _ in range(4)]
    for index, message in enumerate(told):
        message.metadata.delta_path.extend([0, index])
    told[0].delta.new_element.exception.type = "ValueError"
    told[0].delta.new_element.exception.message = "no"
    for message, kind in zip(told[1:], (Alert.ERROR, Alert.WARNING, Alert.INFO), strict=True):
        message.delta.new_element.alert.format = kind
        message.delta.new_element.alert.body = Alert.Format.Name(kind)
    tab = Tab("http://127.0.0.1")
    for message in told:
        asyncio.run(tab._take(message))
    assert tab.errors == ["ValueError: no", "ERROR", "WARNING"]


def test_a_server_that_goes_away_is_an_error():
    async def look() -> Tab:
        async with _slow_server(answer_s=60, num_polled=0) as (url, _), Tab(url) as tab:
            await tab.visit("reinforce", "run")
            await tab._socket.close()
            with pytest.raises(LoadError, match="closed the connection"):
                await tab.until(lambda: False)
            return tab

    assert len(asyncio.run(look()).errors) == 1
