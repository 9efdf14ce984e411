"""Two servers behind nginx, as .hosting/nginx.conf has them: who stays where, and what a kill does."""

import asyncio
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress

import psutil
import pytest
from playwright.sync_api import expect

from pgviz.lessons import page_of
from tests.load.hosting import CONF, NGINX, WHY_NOT, behind_nginx, wait_for
from tests.load.tab import LoadError, Tab
from tests.real import REPO

pytestmark = pytest.mark.browser
needs_nginx = pytest.mark.skipif(NGINX is None, reason=WHY_NOT)
STEPS = page_of("theorem").steps


@pytest.fixture
def hosted(tmp_path, request):
    """(url, servers by port): nginx in front of two servers, or more, with one folder of recordings."""
    with behind_nginx(tmp_path, getattr(request, "param", 2)) as found:
        yield found


@needs_nginx
def test_the_file_is_one_that_nginx_takes(tmp_path):
    done = subprocess.run([NGINX, "-t", "-c", CONF, "-p", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs_nginx
def test_a_visitor_keeps_a_server_and_goes_on_when_it_is_killed(hosted, chromium):
    url, servers = hosted
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{url}/theorem?step=policy")
    settled(page)
    cookie = next(c for c in context.cookies() if c["name"] == "pgviz")
    assert re.fullmatch("[0-9a-f]{32}", cookie["value"])
    assert cookie["httpOnly"]
    answer = wait_for(f"{url}/")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    for origin, status in ((url, 200), ("https://elsewhere.example", 403)):
        assert status_of(f"{url}/_stcore/health", origin) == status
    page.keyboard.press("PageDown")
    expect(page.locator("h1")).to_have_text(STEPS[2].title, timeout=60_000)
    assert not any("Content Security Policy" in text for text in complaints), complaints
    (port,) = (p for p in servers if websockets(servers[p].pid, p))
    servers[port].send_signal(signal.SIGKILL)
    servers[port].wait()
    (other,) = servers.keys() - {port}
    give_up = time.monotonic() + 60
    while not websockets(servers[other].pid, other):
        assert time.monotonic() < give_up, "the page did not come back"
        time.sleep(0.1)
    give_up = time.monotonic() + 60
    while page.locator("h1").inner_text() == STEPS[2].title:  # a key pressed meanwhile is lost
        assert time.monotonic() < give_up, "the page does not go on"
        settled(page)
        page.keyboard.press("PageDown")
        page.wait_for_timeout(4000)
    expect(page.locator("h1")).to_have_text(re.compile(f"{STEPS[3].title}|{STEPS[4].title}"))
    context.close()


@needs_nginx
@pytest.mark.parametrize("hosted", [4], indirect=True)
def test_four_servers_train_a_run_once_and_go_on_when_its_trainer_is_killed(hosted, tmp_path):
    url, servers = hosted
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, watch_together(url, servers, tmp_path / "runs")).result()


async def watch_together(url, servers, folder):
    """Twelve visitors press Run on the same link; the server that trains for all is killed."""
    async with AsyncExitStack() as stack:
        tabs = [Tab(url, f"visitor {k}") for k in range(12)]
        for tab in tabs:
            await stack.enter_async_context(tab)
            await tab.visit("reinforce", "run", "num_envs=64&learning_rate=0.005")
        homes = {port: websockets(process.pid, port) for port, process in servers.items()}
        assert sum(map(len, homes.values())) == 12
        assert sum(map(bool, homes.values())) > 1
        before = {*folder.glob("*.run")}
        for tab in tabs:
            await tab.press("again.reinforce-run.run")
        for tab in tabs:
            await tab.until(lambda tab=tab: tab.has("again.reinforce-run.stop") and not tab.waits)
        (claim,) = folder.glob("*.claim")
        growing = {*folder.glob("*.run")} - before
        assert [path.name for path in growing] == [claim.read_text()]
        (path,) = growing
        trainer = next(port for port, process in servers.items() if has_open(process.pid, path))
        servers[trainer].kill()
        servers[trainer].wait()
        left = [tab for tab in tabs if not await gone(tab)]
        assert len(left) == 12 - len(homes[trainer])
        for tab in left:
            await tab.until(lambda tab=tab: tab.has("again.reinforce-run.back"))
            assert tab.errors == []
        assert len([*folder.glob(f"{path.name.partition('.')[0]}.*.done")]) == 1


async def gone(tab):
    """Whether the connection of a tab has broken."""
    with suppress(LoadError):
        await tab.until(lambda: bool(tab.errors), patience_s=1)
    return any("connection" in error for error in tab.errors)


def has_open(pid, path):
    """Whether a worker of this server writes the recording."""
    workers = psutil.Process(pid).children(recursive=True)
    return any(str(path) == file.path for worker in workers for file in worker.open_files())


def status_of(url, origin):
    """What a page of this origin gets."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"Origin": origin})
        ) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def settled(page):
    """As the fixture `ready`, by selectors alone: the headers forbid a page to evaluate strings."""
    state = "[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
    page.wait_for_selector(f"[data-testid=stApp]{state}", state="attached", timeout=60_000)
    page.wait_for_selector(".walk ol", timeout=60_000)


def websockets(pid, port):
    """Connections that a server holds on its port; nginx keeps none of its own open."""
    found = psutil.Process(pid).net_connections("tcp")
    return [c for c in found if c.status == "ESTABLISHED" and c.laddr.port == port]


def test_the_container_file_names_what_the_readme_names():
    text = (REPO / ".hosting" / "Containerfile").read_text()
    assert "requirements.txt" in text
    assert "streamlit_app.py" in text
    assert "USER" in text
