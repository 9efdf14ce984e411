"""The addresses that are printed: as the reader's browser reaches this server."""

from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from pgviz.lessons import PAGES


def base_url(slug: str) -> str:
    """The address of a page, as the reader's browser reaches this server.

    The server may live in a folder of its host, by server.baseUrlPath or behind a proxy: what
    stands in the browser's address before the name of a page is kept.
    """
    if not st.context.url:
        folder = (st.get_option("server.baseUrlPath") or "").strip("/")
        return f"/{folder}/{slug}" if folder else f"/{slug}"
    parts = urlsplit(st.context.url)
    before, _, last = parts.path.rstrip("/").rpartition("/")
    folder = before if last in {page.slug for page in PAGES} else parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/{slug}", "", ""))
