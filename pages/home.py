"""Home: the one equation, and what works today."""

import streamlit as st

from pgviz.ui import page
from pgviz.ui.frame import PAGES, open_page, pages_by_slug

this = open_page("home")
page.question(this)
st.latex(
    r"\hat g = \frac1N \sum_{\text{episodes}} \sum_t \Psi_t \nabla_\theta \log \pi_\theta(a_t|s_t)"
)
for other in PAGES[1:]:
    st.page_link(pages_by_slug()[other.slug], label=f"{other.title}: {other.question}")
