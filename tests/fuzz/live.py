"""Whether a visitor's word is more than a word where it stands: HTML, a link, a picture, a formula.

As Streamlit's browser side reads it: GitHub's Markdown with links made of bare addresses, KaTeX, and
Streamlit's own directives.
"""

import re
from html.parser import HTMLParser

from google.protobuf.message import Message
from markdown_it import MarkdownIt
from streamlit.proto.Element_pb2 import Element

from tests.fuzz.hostile import MARK

# GitHub's Markdown makes links of these in the finished text, so no backslash keeps them out.
BARE = re.compile(
    rf"(?i)(https?://|www\.)[^\s<]*{MARK}|[\w.+-]*{MARK}[\w.+-]*@[\w-]+\.\w|[\w.+-]+@[\w.-]*{MARK}"
)
FORMULA = re.compile(rf"(?<!\\)\$[^$]*{MARK}[^$]*(?<!\\)\$", re.S)
DIRECTIVE = re.compile(rf"(?<!\\):([a-z]+\[[^\]]*{MARK}|material/{MARK}|{MARK}:)")
# Fields of elements in which the browser reads Markdown.
MARKDOWN = {"body", "label", "help", "caption", "captions", "options"}


class _Tags(HTMLParser):
    """The tags in which a visitor's word stands, and the words that stand in no code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.words = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if any(MARK in f"{name}{value}" for name, value in attrs):
            self.found.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if MARK in data and {"script", "style"} & {*self._open}:
            self.found.append(self._open[-1])
        if not {"code", "a"} & {*self._open}:
            self.words += data

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.found.append("comment")


def live(body: str, html: bool = False) -> str:
    """What a text makes of a visitor's word, or nothing."""
    if MARK not in body:
        return ""
    written = MarkdownIt("commonmark", {"html": html}).enable("table").render(body)
    tags = _Tags()
    tags.feed(written)
    if tags.found:
        return f"<{tags.found[0]}>"
    if BARE.search(tags.words):
        return "a link of a bare address"
    without_code = re.sub(r"`[^`]*`", "", body)
    if FORMULA.search(without_code) or DIRECTIVE.search(without_code):
        return "a formula or a directive"
    return ""


def live_in(element: Element) -> str:
    """What an element of a page makes of a visitor's word, or nothing."""
    html = element.markdown.allow_html
    if MARK in element.html.body and (found := live(element.html.body, True)):
        return found
    return next((found for text in _texts(element) if (found := live(text, html))), "")


def _texts(message: Message) -> list[str]:
    texts: list[str] = []
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else [value]:
                texts += _texts(each) if isinstance(each, Message) else []
        elif field.name in MARKDOWN and field.cpp_type == field.CPPTYPE_STRING:
            texts += [*value] if field.is_repeated else [value]
    return texts
