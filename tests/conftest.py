"""Fixtures: `run` for the command line; `chromium`, `serve`, `ready`, `visit` for a real browser.

@pytest.mark.browser
def test_something(chromium, serve, ready):
    with serve("streamlit_app.py") as url:
        page = chromium.new_page()
        page.goto(url)
        ready(page)
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pgviz.__main__ import main

# Tests ask for the runs they need; a server would record all that its pages show.
os.environ.setdefault("PGVIZ_AHEAD", "0")
# A machine that is busy fails no test.
hypothesis.settings.register_profile("no clock", deadline=None)
hypothesis.settings.load_profile("no clock")

REPO = Path(__file__).parent.parent
PATIENCE = 60_000  # ms; a test waits for a sign, not for a time
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        reason = f"none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """`with serve(script, NAME=value) as url:` is a Streamlit server of its own.

    It has the project's config, and the named environment variables; `log` is a file for what it
    says.
    """
    return _serve


@pytest.fixture(scope="session")
def ready() -> Callable[[Page], None]:
    """`ready(page)` returns once the page is connected, its script has run and nothing is stale.

    After an interaction wait for the expected text first: the script may not have started yet.
    """
    return _ready


@pytest.fixture
def visit(
    url: str, chromium: Browser, ready: Callable[[Page], None]
) -> Iterator[Callable[..., Page]]:
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


@contextmanager
def _serve(script: str | Path, log: Path | None = None, **environment: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = {"port": port, "address": "127.0.0.1", "fileWatcherType": "none"}
    flags = [f"--server.{name}={value}" for name, value in options.items()]
    with log.open("w+b") if log else TemporaryFile() as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *flags],
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO), **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _answers(f"{url}/_stcore/health", server):
                said.seek(0)
                raise RuntimeError(f"the server did not start:\n{said.read().decode()}")
            yield url
        finally:
            server.terminate()
            server.wait()


def _answers(url: str, server: subprocess.Popen[bytes], patience: float = 60) -> bool:
    give_up = time.monotonic() + patience
    while server.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(url):
                return True
        except urllib.error.HTTPError:  # it is there, in a folder of its host
            return True
        except urllib.error.URLError:
            time.sleep(0.1)
    return False


def _ready(page: Page) -> None:
    page.wait_for_selector(
        "[data-testid=stApp][data-test-connection-state=CONNECTED]"
        "[data-test-script-state=notRunning]",
        state="attached",
        timeout=60_000,
    )
    # Before a script has run for the first time the page says "notRunning", too, and is empty.
    page.wait_for_selector(
        "[data-testid=stMain] [data-testid=stElementContainer]", state="attached", timeout=60_000
    )
    page.wait_for_function(
        "!document.querySelector('[data-stale=true], [data-testid=stSkeleton]')", timeout=60_000
    )
