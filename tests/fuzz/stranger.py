"""A tab that says what no browser would say."""

import asyncio
import json

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pgviz.lessons import PAGES
from pgviz.ui import guard
from tests.fuzz.hostile import MARK
from tests.fuzz.live import live_in
from tests.load.tab import Tab

PATIENCE_S = 30.0
APOLOGIES = {guard.PAGE, guard.PART, guard.CALLBACK}


class Stranger(Tab):
    """`async with Stranger(url, stored="…") as tab:` has this stored in its browser."""

    def __init__(self, url: str, stored: object = "") -> None:
        super().__init__(url)
        self.broken: list[str] = []  # exceptions and apologies for them
        self.alive: list[str] = []  # a stranger's words that are more than words
        self._stored = stored
        self._file_urls: FileURLs | None = None

    async def open(self, page: str, query: str) -> None:
        """Follow a link, whatever its query says; in an open tab as its back and forward do."""
        self._query = query
        self._page_name = "" if page == PAGES[0].slug else page
        self._page_hash = self._pages.get(page, "")
        await self._ask(is_history_navigation=bool(self._page_hash))
        await self.until(lambda: self._settled, PATIENCE_S)

    async def say(self, *states: WidgetState) -> None:
        """Send states of widgets, at once."""
        for state in states:
            self._widgets[state.id] = state
        await self._ask()
        await self.until(lambda: self._settled, PATIENCE_S)
        for state in states:
            if state.WhichOneof("value") in ("trigger_value", "json_trigger_value"):
                del self._widgets[state.id]

    async def upload(self, widget: str, content: bytes) -> None:
        """Put a file into an uploader, as the browser does: ask where to, send it, say so."""
        self._file_urls = None
        asked = BackMsg()
        asked.file_urls_request.request_id = "1"
        asked.file_urls_request.file_names.append("stranger.json")
        await self._socket.send(asked.SerializeToString())
        await self.until(lambda: self._file_urls is not None, PATIENCE_S)
        urls = self._file_urls
        assert urls is not None
        await asyncio.to_thread(self._put, urls.upload_url, content)
        state = WidgetState(id=widget)
        info = UploadedFileInfo(
            file_id=urls.file_id, name="stranger.json", size=len(content), file_urls=urls
        )
        state.file_uploader_state_value.uploaded_file_info.append(info)
        await self.say(state)

    def _put(self, path: str, content: bytes) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"{self.url}/_stcore/health", timeout=PATIENCE_S)
            token = session.cookies.get("_streamlit_xsrf", "")
            headers = {"X-Xsrftoken": token}
            files = {"file": ("stranger.json", content)}
            answer = session.put(
                f"{self.url}{path}", files=files, headers=headers, timeout=PATIENCE_S
            )
            answer.raise_for_status()

    @property
    def elements(self) -> list[Element]:
        """What stands on the page."""
        return [shown.element for shown in self._elements.values()]

    @property
    def is_refused(self) -> bool:
        """Whether the page says in a sentence what it could not use."""
        said = (e.alert.body or e.markdown.body for e in self.elements)
        parts = ("could be used", "has no step", "This file", "This record")
        alerts = any(e.alert.body for e in self.elements)
        return alerts or any(part in text for text in said for part in parts)

    async def _take(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "file_urls_response":
            self._file_urls = message.file_urls_response.file_urls[0]
            self._news.set()
        await super()._take(message)

    async def _draw(self, delta: Delta, message: ForwardMsg) -> None:
        element = delta.new_element
        if element.HasField("exception"):
            self.broken.append(f"{element.exception.type}: {element.exception.message}"[:300])
        if element.alert.body in APOLOGIES:
            self.broken.append(f"on the page: {element.alert.body}")
        if MARK.encode() in element.SerializeToString() and (found := live_in(element)):
            self.alive.append(f"{found} in {str(element)[:300]!r}")
        await super()._draw(delta, message)

    async def _tell_what_is_stored(self, component: str) -> None:
        if component not in self._widgets:
            stored = json.dumps({"stored": self._stored})
            self._widgets[component] = WidgetState(id=component, json_value=stored)
            await self._ask()
