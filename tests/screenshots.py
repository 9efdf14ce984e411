"""Pictures of the steps, to judge them by: python -m tests.screenshots FOLDER [PAGE[/STEP[?SETTINGS]] …]

Options: --dark, --phone (390 px), --room (presenter mode, 1920 × 1080), --reveal (pass the questions),
--deuteranopia, --protanopia, --tritanopia, --achromatopsia (as seen without these colours).
Beside the pictures a contact sheet of each page, and a line for each step that does not fit.
`python -m tests.screenshots --readme` makes the picture of the README.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from pgviz.lessons import PAGES
from tests.real import REPO, Server, chromium_options, ready

README_PICTURE = REPO / ".github" / "pgviz.png"
VISION = ("deuteranopia", "protanopia", "tritanopia", "achromatopsia")
SIZES = {"desk": (1280, 720), "phone": (390, 844), "room": (1920, 1080)}


def wanted(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """The steps to show, as (page, step, settings of its address)."""
    every = [(page.slug, step.slug) for page in PAGES for step in page.steps]
    chosen = []
    for name in names or dict.fromkeys(slug for slug, _ in every):
        place, _, settings = name.partition("?")
        chosen += [(*each, settings) for each in every if place in (each[0], "/".join(each))]
    return chosen


def opened(browser: Browser, url: str, size: tuple[int, int], scheme: str) -> Page:
    """A page whose picture has settled."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(url)
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until nothing is loading."""
    page.locator("h1").first.wait_for(timeout=60_000)
    ready(page)
    page.wait_for_timeout(1200)


def wait_until_idle(pid: int) -> None:
    """Until the server and its workers have nothing to do: the runs of the steps are recorded."""
    quiet = 0
    while quiet < 5:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        before = sum(cpu(each) for each in family)
        time.sleep(1)
        quiet = quiet + 1 if sum(cpu(each) for each in family) - before < 0.1 else 0


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU so far."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.Error:
        return 0.0


def overflow(page: Page) -> int:
    """By how many pixels the step is taller than the window."""
    return int(
        page.evaluate(
            "(m => m.scrollHeight - m.clientHeight)(document.querySelector('[data-testid=stMain]'))"
        )
    )


def sheet(browser: Browser, pictures: Sequence[Path], target: Path, width: int) -> None:
    """All pictures of a page on one."""
    page = browser.new_page(viewport={"width": 3 * width // 2 + 40, "height": 400})
    cells = "".join(
        f'<figure><img src="file://{p.resolve()}" width="{width // 2}"><figcaption>{p.stem}'
        "</figcaption></figure>"
        for p in pictures
    )
    index = target.with_suffix(".html")
    index.write_text(
        "<style>body{display:flex;flex-wrap:wrap;gap:8px;font:12px sans-serif;margin:8px}"
        f"figure{{margin:0}}img{{border:1px solid #aaa}}</style>{cells}",
        encoding="utf-8",
    )
    page.goto(f"file://{index.resolve()}")
    page.wait_for_timeout(300)
    page.screenshot(path=target, full_page=True)
    index.unlink()
    page.close()


def main(arguments: list[str]) -> None:
    """Take the pictures."""
    flags = {a for a in arguments if a.startswith("--")}
    names = [a for a in arguments if not a.startswith("--")]
    kind = "phone" if "--phone" in flags else "room" if "--room" in flags else "desk"
    scheme = "dark" if "--dark" in flags else "light"
    vision = next((name for name in VISION if f"--{name}" in flags), "none")
    with Server(PGVIZ_AHEAD="1") as server, sync_playwright() as playwright:
        url = server.url
        browser = playwright.chromium.launch(**chromium_options())
        opened(browser, url, (1280, 720), "light").close()  # the first visitor wakes the workers
        wait_until_idle(server.process.pid)  # what the steps show is recorded
        if "--readme" in flags:
            page = opened(browser, f"{url}/reinforce?step=run", (1280, 720), "light")
            page.screenshot(path=README_PICTURE)
            return
        folder = Path(names[0])
        folder.mkdir(parents=True, exist_ok=True)
        pictures: dict[str, list[Path]] = {}
        for slug, step, settings in wanted(names[1:]):
            path = "" if slug == PAGES[0].slug else slug
            mode = ("&present=1" if kind == "room" else "") + (settings and f"&{settings}")
            page = opened(browser, f"{url}/{path}?step={step}{mode}", SIZES[kind], scheme)
            show = page.get_by_role("button", name="Show me", exact=True)
            if "--reveal" in flags and show.count():
                show.click()
                page.wait_for_timeout(500)
                settle(page)
            seen = page.context.new_cdp_session(page)
            seen.send("Emulation.setEmulatedVisionDeficiency", {"type": vision})
            target = folder / f"{slug}-{len(pictures.get(slug, [])):02d}-{step}.png"
            page.screenshot(path=target, full_page=False)
            pictures.setdefault(slug, []).append(target)
            if (over := overflow(page)) > 0:
                print(f"{slug}/{step}: {over} px too tall")
            page.close()
        for slug, paths in pictures.items():
            sheet(browser, paths, folder / f"{slug}-sheet.png", SIZES[kind][0])


if __name__ == "__main__":
    main(sys.argv[1:])
