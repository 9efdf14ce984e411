"""One browser tab without a browser: Streamlit's websocket and messages, and what a tab does.

It answers as the browser does: it keeps large messages and names them by their hashes, polls a
fragment at the interval that the server has set, and tells the walk that nothing is stored. Unlike
a browser it never asks again before it was answered; the server would merge such polls anyway. It
knows no values of widgets but those of the address: sliders stay where the address puts them.
"""

import asyncio
import ipaddress
import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from pgviz.lessons import PAGES
from pgviz.lessons.step import Step

MAX_AGE = 2  # script runs for which a large message is kept: Streamlit's maxCachedMessageAge
PATIENCE_S = 60.0
CONTEXT = {"timezone": "UTC", "locale": "en", "color_scheme": "light"}


class LoadError(Exception):
    """What cannot be done, in one sentence."""


def loopback(url: str) -> str:
    """The address of a server on this machine; any other is refused."""
    parts = urlsplit(url)
    try:
        here = (
            parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        )
    except ValueError:
        here = False
    if parts.scheme != "http" or not here:
        raise LoadError(f"{url} is not on this machine: only http://127.0.0.1:PORT is put to load.")
    return url.rstrip("/")


def step_of(page: str, step: str) -> Step:
    """A step by its place in the address."""
    steps = next((each.steps for each in PAGES if each.slug == page), ())
    found = next((each for each in steps if each.slug == step), None)
    if found is None:
        raise LoadError(f"There is no step {page}/{step}.")
    return found


@dataclass(frozen=True)
class Poll:
    """A fragment that was asked for again: the seconds and the bytes until it was there."""

    latency_s: float
    num_bytes: int


@dataclass
class Watch:
    """What a tab saw while a picture of it was polled."""

    polls: list[Poll] = field(default_factory=list)
    watched_s: float = 0.0  # while there was something to poll
    silence_s: float = 0.0  # the longest time without an answer


@dataclass
class _Shown:
    element: Element
    fragment: str
    run: str


@dataclass
class _Kept:
    message: ForwardMsg
    fragment: str
    run: int


@dataclass
class _Asked:
    at: float
    num_bytes: int = 0


class _Line(ClientConnection):
    """A connection that counts what travels: compressed, as browsers ask for it."""

    num_bytes = 0

    def data_received(self, data: bytes) -> None:
        self.num_bytes += len(data)
        super().data_received(data)


class Tab:
    """`async with Tab(url) as tab:` is a session of its own, and a visitor's, if none is named."""

    def __init__(self, url: str, visitor: str = "") -> None:
        self.url = loopback(url)
        self.visitor = visitor or uuid.uuid4().hex
        self.watch = Watch()
        self.errors: list[str] = []
        self.num_bytes = 0
        self._expected: set[str] = set()  # titles of the step: its question, or what it claims
        self._viewed_at: float | None = None  # when the step was there as a whole
        self._query = ""
        self._page_hash = ""
        self._page_name = ""
        self._elements: dict[tuple[int, ...], _Shown] = {}
        self._kept: dict[str, _Kept] = {}
        self._widgets: dict[str, WidgetState] = {}
        self._pages: dict[str, str] = {}
        self._run = ""
        self._num_runs = 0
        self._asked_whole = False  # a run of the whole script was asked for and has not begun
        self._whole = False  # the whole script has run to its end since it last began
        self._asked: dict[str, _Asked] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._intervals: dict[str, float] = {}
        self._heard: float | None = None  # the last answer, or since when there is one to wait for
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        at = f"ws{self.url.removeprefix('http')}/_stcore/stream"
        try:
            self._socket = await connect(
                at,
                create_connection=_Line,
                subprotocols=["streamlit"],
                max_size=None,
                proxy=None,
                additional_headers={"Cookie": f"pgviz={self.visitor}"},
                open_timeout=PATIENCE_S,
            )
        except (OSError, WebSocketException) as error:
            raise LoadError(f"{self.url} does not answer: {error}.") from error
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_timers()
        self._listener.cancel()
        with suppress(asyncio.CancelledError):
            await self._listener
        await self._socket.close()

    # --- what a visitor does ---

    async def visit(self, page: str, step: str, settings: str = "") -> float:
        """Open a step, as a link does, later as the browser's own back and forward do.

        Returns the seconds until the whole of it could be seen first, once nothing changes any more.
        """
        self._expected = {step_of(page, step).heading(revealed) for revealed in (False, True)}
        self._query = f"step={step}" + (settings and f"&{settings}")
        self._page_name = "" if page == PAGES[0].slug else page
        self._page_hash = self._pages.get(page, "")
        self._viewed_at = None
        begun = time.monotonic()
        await self._ask(is_history_navigation=bool(self._page_hash))
        await self.until(lambda: self._settled)
        if self._viewed_at is None:
            raise LoadError(f"The title is {self.title!r} where {page}/{step} was asked for.")
        return self._viewed_at - begun

    async def press(self, key: str) -> None:
        """Press the button of this key."""
        await self.until(lambda: self._settled)
        button = self._buttons().get(key)
        if button is None:
            keys = ", ".join(sorted(self._buttons()))
            raise LoadError(f"There is no button {key!r} here, only {keys or 'none at all'}.")
        if button.element.button.disabled:
            raise LoadError(f"The button {key!r} cannot be pressed now.")
        trigger = WidgetState(id=button.element.button.id, trigger_value=True)
        await self._ask(button.fragment, trigger)

    def has(self, key: str) -> bool:
        """Whether there is a button of this key."""
        return key in self._buttons()

    @property
    def buttons(self) -> list[str]:
        """The keys of the buttons."""
        return [*self._buttons()]

    @property
    def title(self) -> str:
        """The title of the step."""
        titles = [s.element.heading for s in self._elements.values() if s.element.heading.body]
        return next((heading.body for heading in titles if heading.tag == "h1"), "")

    @property
    def texts(self) -> list[str]:
        """What is written on the page."""
        return [s.element.markdown.body for s in self._elements.values() if s.element.markdown.body]

    @property
    def waits(self) -> bool:
        """Whether a picture is still to come."""
        return any(shown.element.HasField("skeleton") for shown in self._elements.values())

    @property
    def polls(self) -> bool:
        """Whether a part of the page is asked for again and again."""
        return bool(self._timers)

    def watch_anew(self) -> None:
        """Forget what was measured of the polls so far."""
        self.watch = Watch()
        if self._heard is not None:
            self._heard = time.monotonic()

    async def until(self, holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until it holds."""
        try:
            async with asyncio.timeout(patience_s):
                while not holds():
                    if self._listener.done():
                        raise LoadError("The server has closed the connection.")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise LoadError(f"The page did not get there within {patience_s:g} s.") from None

    @property
    def _settled(self) -> bool:
        return self._whole and not self._asked_whole

    def _buttons(self) -> dict[str, _Shown]:
        shown = [s for s in self._elements.values() if s.element.HasField("button")]
        return {_key(s.element.button.id): s for s in shown}

    # --- to the server ---

    async def _ask(
        self,
        fragment: str = "",
        trigger: WidgetState | None = None,
        is_auto_rerun: bool = False,
        is_history_navigation: bool = False,
    ) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.page_script_hash = self._page_hash
        state.page_name = "" if self._page_hash else self._page_name
        state.fragment_id = fragment
        state.is_auto_rerun = is_auto_rerun
        state.is_history_navigation = is_history_navigation
        state.cached_message_hashes.extend(self._kept)
        state.widget_states.widgets.extend(self._widgets.values())
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        for name, value in CONTEXT.items():
            setattr(state.context_info, name, value)
        state.context_info.url = f"{self.url}/{self._page_name}"
        if not fragment:
            self._asked_whole = True
        with suppress(WebSocketException):  # the listener knows it, too
            await self._socket.send(message.SerializeToString())

    async def _poll(self, fragment: str, interval_s: float) -> None:
        due = time.monotonic()
        while True:
            due = max(due + interval_s, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            if fragment not in self._asked:
                self._asked[fragment] = _Asked(time.monotonic())
                await self._ask(fragment, is_auto_rerun=True)

    # --- from the server ---

    async def _listen(self) -> None:
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                arrived = self._socket.num_bytes - self.num_bytes
                self.num_bytes += arrived
                for asked in self._asked.values():
                    asked.num_bytes += arrived
                await self._take(ForwardMsg.FromString(data))
            self.errors.append("The server has closed the connection.")
        except WebSocketException as error:
            self.errors.append(f"The connection broke: {error}.")
        finally:
            self._stop_timers()
            self._news.set()

    async def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            kept = self._kept.get(message.ref_hash)
            if kept is None:
                self.errors.append("The server named a message that this tab does not have.")
                return
            kept.run = self._num_runs
            await self._draw(kept.message.delta, message)
        elif kind == "delta":
            if message.metadata.cacheable:
                fragment = message.delta.fragment_id
                self._kept[message.hash] = _Kept(message, fragment, self._num_runs)
            await self._draw(message.delta, message)
        elif kind == "new_session":
            self._begin(message)
        elif kind == "script_finished":
            self._finish(message)
        elif kind == "auto_rerun":
            self._set_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timers(fragment)
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
            self._pages = {
                page.url_pathname or PAGES[0].slug: page.page_script_hash
                for page in message.navigation.app_pages
            }
        elif kind == "page_not_found":
            self.errors.append("The server knows no such page.")

    async def _draw(self, delta: Delta, message: ForwardMsg) -> None:
        if not delta.HasField("new_element"):
            return
        element = delta.new_element
        place = tuple(message.metadata.delta_path)
        self._elements[place] = _Shown(element, delta.fragment_id, self._run)
        if element.HasField("exception"):
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif element.alert.format in (Alert.ERROR, Alert.WARNING):
            self.errors.append(element.alert.body)
        elif element.bidi_component.component_name == "pgviz.walk":
            await self._tell_what_is_stored(element.bidi_component.id)

    async def _tell_what_is_stored(self, component: str) -> None:
        """The walk asks the browser once for the visitor's progress: here there is none."""
        if component not in self._widgets:
            stored = json.dumps({"stored": ""})
            self._widgets[component] = WidgetState(id=component, json_value=stored)
            await self._ask()

    def _begin(self, message: ForwardMsg) -> None:
        run = message.metadata.run
        self._run = run.script_run_id
        if not run.fragment_ids:
            self._page_hash = message.new_session.page_script_hash
            self._asked_whole = self._whole = False
            self._asked.clear()
            self._stop_timers()
        elif not self._whole:
            # A poll that comes while the script ends makes Streamlit forget to say that it has.
            self._ended(time.monotonic())

    def _finish(self, message: ForwardMsg) -> None:
        run = message.metadata.run.script_run_id
        fragments = frozenset(message.metadata.run.fragment_ids)
        now = time.monotonic()
        if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._drop_what_is_stale(run, fragments)
        for fragment in fragments & self._asked.keys():
            asked = self._asked.pop(fragment)
            self.watch.polls.append(Poll(now - asked.at, asked.num_bytes))
        if fragments:
            self._listen_on(now)
        elif message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._ended(now)
            self._listen_on(now)  # the picture is part of it
            if not self._timers:
                self._heard = None
        self._news.set()

    def _ended(self, now: float) -> None:
        self._whole = True
        if self._viewed_at is None and self.title in self._expected:
            self._viewed_at = now

    def _drop_what_is_stale(self, run: str, fragments: frozenset[str]) -> None:
        self._elements = {
            place: shown
            for place, shown in self._elements.items()
            if shown.run == run or (fragments and shown.fragment not in fragments)
        }
        self._num_runs += 1
        self._kept = {
            key: kept
            for key, kept in self._kept.items()
            if self._num_runs - kept.run <= MAX_AGE
            or (fragments and kept.fragment not in fragments)
        }

    # --- timers ---

    def _set_timer(self, fragment: str, interval_s: float) -> None:
        if self._intervals.get(fragment) != interval_s:
            self._stop_timers(fragment)
            self._intervals[fragment] = interval_s
            self._timers[fragment] = asyncio.create_task(self._poll(fragment, interval_s))
            if self._heard is None:
                self._heard = time.monotonic()

    def _stop_timers(self, *fragments: str) -> None:
        for fragment in fragments or [*self._timers]:
            self._intervals.pop(fragment, None)
            if timer := self._timers.pop(fragment, None):
                timer.cancel()

    def _listen_on(self, now: float) -> None:
        """The tab has heard of its picture: how long that took."""
        if self._heard is not None:
            self.watch.silence_s = max(self.watch.silence_s, now - self._heard)
            self.watch.watched_s += now - self._heard
            self._heard = now


def _key(widget_id: str) -> str:
    """The key that the page gave to a widget: it stands at the end of its name."""
    return widget_id.split("-", 2)[-1]
