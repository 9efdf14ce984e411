"""Fixtures: `run` for the command line; `chromium` and `visit` for a real browser.

@pytest.mark.browser
def test_something(chromium):
    with served() as url:
        page = chromium.new_page()
        page.goto(url)
        ready(page)
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pgviz.__main__ import main
from tests.real import Missing, chromium_options, ready

# Tests ask for the runs they need; a server would record all that its pages show.
os.environ.setdefault("PGVIZ_AHEAD", "0")
# A machine that is busy fails no test.
hypothesis.settings.register_profile("no clock", deadline=None)
hypothesis.settings.load_profile("no clock")

PATIENCE = 60_000  # ms; a test waits for a sign, not for a time


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--browser", action="store_true", help="run the tests in Chromium, and only them"
    )
    parser.addoption("--long", action="store_true", help="with them what takes minutes more")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Apart from all others: the open Playwright keeps an event loop, in which asyncio.run fails."""
    in_chromium = [item for item in items if item.get_closest_marker("browser")]
    if config.getoption("--browser"):
        config.hook.pytest_deselected(items=[item for item in items if item not in in_chromium])
        items[:] = in_chromium
        for item in [] if config.getoption("--long") else in_chromium:
            if item.get_closest_marker("long"):
                item.add_marker(
                    pytest.mark.skip(reason="by minutes longer: pytest --browser --long")
                )
    for item in [] if config.getoption("--browser") else in_chromium:
        item.add_marker(
            pytest.mark.skip(reason="in a browser, by minutes slower: pytest --browser")
        )


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["pgviz", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's own Chromium: nothing is downloaded."""
    try:
        options = chromium_options()
    except Missing as reason:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        yield browser
        browser.close()


@pytest.fixture
def visit(url: str, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`visit("theorem?step=policy")` opens it in a browser that has never been here.

    `url` is the server of the test's own module. Whatever the page's scripts complain of, fails.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def visiting(
        path: str = "",
        size: tuple[int, int] = (1280, 720),
        context: BrowserContext | None = None,
        **options: Any,
    ) -> Page:
        if context is None:
            viewport = {"width": size[0], "height": size[1]}
            options = {"viewport": viewport, "reduced_motion": "reduce", **options}
            context = chromium.new_context(**options)
            contexts.append(context)
        page: Any = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.asked, page.sent = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda ws: ws.on("framesent", lambda frame: page.sent.append(frame)))
        page.goto(f"{url}/{path}")
        ready(page)
        if "all=1" not in path:
            page.wait_for_selector(".walk ol", timeout=PATIENCE)  # from here on keys are heard
        return page

    yield visiting
    for context in contexts:
        context.close()
    assert complaints == []
