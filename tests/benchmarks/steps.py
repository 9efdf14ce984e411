"""What opening the steps costs: python -m tests.benchmarks.steps [PAGE …]

Cold: seconds from starting a server to Home's first picture in Chromium; a step by its link; a poll
of four live runs of sixteen seeds. Then every step in one
browser: milliseconds from pressing Next until its picture stands, and of the server's CPU, the
first time (cold) and the second (warm).
"""

import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from pgviz.lessons import PAGES
from tests.real import Server, chromium_options
from tests.screenshots import cpu, wait_until_idle

PICTURE = "svg.marks, canvas, iframe, .stDataFrame, .stCode, .stMarkdown, .drawing svg"
LIMITS = {"cold": 500, "warm": 80, "picture": 300}  # ms


def main(slugs: Sequence[str]) -> None:
    """Print the table, and the steps above a limit."""
    with sync_playwright() as playwright, ExitStack() as stack:
        browser = playwright.chromium.launch(**chromium_options())
        began = time.perf_counter()
        server = stack.enter_context(Server(PGVIZ_AHEAD="1"))
        process = psutil.Process(server.process.pid)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(server.url)
        stands(page, "home", "start")
        print(f"cold server to Home's first picture: {time.perf_counter() - began:.1f} s")
        wait_until_idle(server.process.pid)
        began = time.perf_counter()
        again = browser.new_page(viewport={"width": 1280, "height": 720})
        again.goto(f"{server.url}/theorem?step=policy")
        stands(again, "theorem", "policy")
        print(f"a warm step by its link: {time.perf_counter() - began:.1f} s")
        again.close()
        print(f"a poll of a live run: {poll(browser, server.url, process):.0f} ms of CPU")
        walk(page, server.url, process, slugs)


def stands(page: Page, slug: str, step: str) -> None:
    """Wait for the step's own picture, or for its question."""
    own = [f"[class*=st-key-{part}-{slug}-{step}]" for part in ("picture", "gate")]
    page.locator(f"{own[0]} :is({PICTURE}), {own[1]} button").first.wait_for(timeout=60_000)


def poll(browser: Browser, url: str, server: psutil.Process) -> float:
    """Milliseconds of the server's CPU for one poll, while a visitor's own runs are under way."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    sent: list[str | bytes] = []
    page.on("websocket", lambda ws: ws.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{url}/actor-critic?step=switches")
    stands(page, "actor-critic", "switches")
    page.get_by_role("button", name="Run again", exact=True).click()
    page.get_by_text("Your run, live.").wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    before, polls = cpu(server), len(sent)
    page.wait_for_timeout(5000)
    spent, polls = cpu(server) - before, len(sent) - polls
    page.close()
    return 1e3 * spent / max(polls, 1)


def walk(page: Page, url: str, server: psutil.Process, slugs: Sequence[str]) -> None:
    """Every step twice, by its mark; questions are passed in between."""
    rows = []
    for each in PAGES:
        if slugs and each.slug not in slugs:
            continue
        path = "" if each is PAGES[0] else each.slug
        page.goto(f"{url}/{path}?step={each.steps[-1].slug}")
        stands(page, each.slug, each.steps[-1].slug)
        page.wait_for_timeout(1500)
        measured: dict[str, list[tuple[float, float]]] = {}
        for _ in range(2):
            for number, step in enumerate(each.steps):
                before, began = cpu(server), time.perf_counter()
                page.locator(".walk a").nth(number).click()
                stands(page, each.slug, step.slug)
                picture = time.perf_counter() - began
                page.wait_for_timeout(800)
                spent = cpu(server) - before
                measured.setdefault(step.slug, []).append((1e3 * spent, 1e3 * picture))
                if (show := page.get_by_role("button", name="Show me", exact=True)).count():
                    show.click()
                    page.wait_for_timeout(800)
        for slug, ((cold, first), (warm, second)) in measured.items():
            rows.append((f"{each.slug}/{slug}", cold, warm, first, second))
    print(f"{'step':28s} {'cold CPU':>9s} {'warm CPU':>9s} {'picture, cold':>14s} {'warm':>6s}  ms")
    for name, cold, warm, first, second in rows:
        over = cold > LIMITS["cold"] or warm > LIMITS["warm"] or second > LIMITS["picture"]
        print(f"{name:28s} {cold:9.0f} {warm:9.0f} {first:14.0f} {second:6.0f}{'  !' * over}")
    for at, what in ((2, "warm CPU"), (4, "warm picture")):
        print(f"median {what}: {statistics.median(row[at] for row in rows):.0f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
