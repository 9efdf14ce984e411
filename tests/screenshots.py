"""Pictures of the app, to judge a page by: python -m tests.screenshots FOLDER [SLUG …]

Each page light and dark, 1280 and 390 px wide. `python -m tests.screenshots --readme` makes the
picture of the README.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from pgviz.ui.frame import PAGES
from tests.conftest import BROWSER_FLAGS, BROWSERS, REPO, _ready, _serve

README_PICTURE = REPO / ".github" / "pgviz.png"


def opened(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    """A page whose first run has ended and whose pictures have settled."""
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(url)
    _ready(page)
    page.get_by_text("Finished after").or_(page.locator("[data-settled]")).first.wait_for(
        state="attached", timeout=120_000
    )
    _ready(page)
    page.wait_for_timeout(2000)
    return page


def make_whole(page: Page, width: int) -> None:
    """Make the window as tall as the page."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(1000)


def main(arguments: list[str]) -> None:
    """Take the pictures."""
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with _serve("streamlit_app.py") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        if arguments == ["--readme"]:
            page = opened(browser, f"{url}/reinforce", 1280, 1130, "light")
            page.screenshot(path=README_PICTURE)
            return
        folder, slugs = Path(arguments[0]), arguments[1:] or [page.slug for page in PAGES]
        folder.mkdir(parents=True, exist_ok=True)
        for slug in slugs:
            for scheme in ("light", "dark"):
                for width in (1280, 390):
                    page = opened(browser, f"{url}/{slug}", width, 900, scheme)
                    make_whole(page, width)
                    page.screenshot(path=folder / f"{slug}-{scheme}-{width}.png")
                    page.close()


if __name__ == "__main__":
    main(sys.argv[1:])
