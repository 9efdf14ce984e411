"""Opening a step in a test, without a browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pgviz.lessons import PAGES, page_of
from pgviz.lessons.step import Page, Step
from tests.real import REPO

EVERY_STEP = [
    pytest.param(page, step, id=f"{page.slug}-{step.slug}") for page in PAGES for step in page.steps
]


def opened(slug: str, step: str, **settings: Any) -> AppTest:
    """The app, showing this step with these settings."""
    app = AppTest.from_file(str(REPO / "streamlit_app.py"), default_timeout=60)
    app.run()
    app.switch_page(page_of(slug).file)
    app.query_params["step"] = step
    for name, value in settings.items():
        app.query_params[name] = str(value)
    return app.run()


def revealed(page: Page, step: Step, **settings: Any) -> AppTest:
    """The step after its question was passed, if it has one."""
    app = opened(page.slug, step.slug, **settings)
    if step.question:
        app.button(key=f"pass-{page.slug}-{step.slug}").click().run()
    return app


def words(app: AppTest, part: str, page: Page, step: Step) -> list[str]:
    """The paragraphs of one part of the screen: words, gate, controls, picture, says."""
    block = app.get_by_key(f"{part}-{page.slug}-{step.slug}")
    return [element.value for element in _markdown(block)]


def _markdown(block: Any) -> Iterator[Any]:
    for child in getattr(block, "children", {}).values():
        if child.type == "markdown":
            yield child
        yield from _markdown(child)
