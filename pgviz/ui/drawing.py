"""Drawings in SVG, made by the app itself: st.html takes SVG away, an image knows no theme."""

import streamlit as st

_drawing = st.components.v2.component(
    "pgviz.drawing",
    html='<div class="drawing"></div>',
    css="""
.drawing { display: grid; place-items: center; color: var(--st-text-color); font-family: var(--st-font); }
.drawing svg { width: 100%; height: 100%; max-height: var(--height); }
""",
    js="""
export default function ({ parentElement, data }) {
  const host = parentElement.querySelector(".drawing");
  host.style.setProperty("--height", `${data.height}px`);
  if (host.dataset.svg === data.svg) return;
  host.dataset.svg = data.svg;
  host.innerHTML = data.svg;
}
""",
)


def drawing(svg: str, *, key: str, height: int) -> None:
    """Show a drawing of this height, in the page's colours. Never with a visitor's text in it."""
    _drawing(key=key, data={"svg": svg, "height": height})
