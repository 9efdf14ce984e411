"""The theorem page in a real browser."""

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

# Streamlit's own: the sections of the menu, and blocks of code that scroll.
ALLOWED = {"list", "listitem", "scrollable-region-focusable"}

RED_BOX = "[data-testid=stException]"  # Streamlit's own


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The file that the server of these tests writes to."""
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def server(serve, log):
    with serve("streamlit_app.py", log) as url:
        yield url


@pytest.fixture
def visit(chromium, server, ready):
    """Opens the page and closes it again; collects requests that leave the server."""
    opened = []

    def go(query="", width=1280, scheme="light"):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.outside = []
        page.on(
            "request",
            lambda request: (
                page.outside.append(request.url)
                if urlsplit(request.url).hostname not in ("127.0.0.1", None, "")
                else None
            ),
        )
        opened.append(page)
        page.goto(f"{server}/theorem?{query}")
        ready(page)
        page.locator("[data-settled]").wait_for(state="attached", timeout=60_000)
        return page

    yield go
    for page in opened:
        page.close()


def test_breaking_a_step_turns_its_lines_red_and_the_address_says_so(visit):
    page = visit("world=two-arms")
    assert page.get_by_label("broken", exact=True).count() == 0
    box = page.get_by_role("combobox", name="Break this step").first
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a list that opens while the page still scrolls closes at once
    box.click()
    page.get_by_role("option", name="drop the log").click()
    page.get_by_label("broken", exact=True).first.wait_for()
    assert page.get_by_label("broken", exact=True).count() == 2
    assert re.search(r"log=drop", page.url)
    assert page.outside == []


def test_a_world_file_is_taken_in_and_a_bad_one_gets_its_sentence(visit, tmp_path):
    from pgviz.worlds.files import world_document
    from pgviz.worlds.named import ladder

    page = visit()
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(world_document(ladder()))
    bad.write_text('{"name": "<img src=x onerror=alert(1)>"}')
    page.get_by_role("button", name="Bring your own world").click()
    upload = page.locator("input[type=file]")
    upload.set_input_files(bad)
    page.get_by_text("The world file lacks").wait_for()
    upload.set_input_files(good)
    page.get_by_text("3 states, 2 actions, horizon 6").wait_for()
    assert page.locator("img[src=x]").count() == 0


def test_one_file_after_the_other_leaves_the_page_standing_and_the_log_clean(visit, log, tmp_path):
    from random_worlds import random_world

    from pgviz.worlds.files import world_document
    from pgviz.worlds.named import ladder

    files = {
        "good": (world_document(ladder()), "3 states, 2 actions, horizon 6"),
        "other": (
            world_document(random_world(0, 4, 3, horizon=3)),
            "4 states, 3 actions, horizon 3",
        ),
        "bad": ("{}", "The world file lacks"),
    }
    page = visit()
    page.get_by_role("button", name="Bring your own world").click()
    upload = page.locator("input[type=file]")
    for name in ("good", "other", "good", "bad", "good", "good", "bad", "bad"):
        document, said = files[name]
        path = tmp_path / f"{name}.json"
        path.write_text(document)
        upload.set_input_files(path)
        page.get_by_text(said).first.wait_for()
        page.locator("[data-settled]").wait_for(state="attached")
        assert page.locator(RED_BOX).count() == 0
    assert "Traceback" not in log.read_text()
    assert "Stack (" not in log.read_text()


def test_a_file_that_never_arrives_is_one_sentence(visit, log, tmp_path):
    """The browser names it; the server has no file of this name (`DeletedFile`)."""
    page = visit()
    page.route("**/_stcore/upload_file/**", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Bring your own world").click()
    path = tmp_path / "lost.json"
    path.write_text("{}")
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("The file did not arrive").wait_for()
    assert page.locator(RED_BOX).count() == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_of_ours(visit, scheme):
    page = visit("world=bandit-a&log=drop+the+log", scheme=scheme)
    page.wait_for_timeout(1500)
    found = Axe().run(page)
    ours = {v["id"]: v["nodes"][0]["html"] for v in found.response["violations"]}
    assert {name: html for name, html in ours.items() if name not in ALLOWED} == {}, (
        found.generate_report()
    )


def test_a_narrow_screen_never_scrolls_sideways_and_a_wide_one_keeps_the_bench(visit):
    page = visit("unroll=forget+γᵗ&gamma=0.9", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.right > 391 && box.width > 0 && !e.closest('pre, .katex, [role=radiogroup],'
              + '[data-testid=stTabs], table, [data-testid=stExpander], svg');
        }).length"""
    )
    assert wide == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("heading", name="Three climbers, one hill").scroll_into_view_if_needed()
    slider = page.get_by_role("slider", name=re.compile("in %")).first
    slider.wait_for()
    box = slider.bounding_box()
    assert 0 <= box["y"] <= 800
