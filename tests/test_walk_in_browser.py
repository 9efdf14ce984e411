"""The walk in Chromium: keys, history, sliders that move, progress in the browser, a lecture room."""

import json
import re

import pytest
from playwright.sync_api import expect

from pgviz.lessons import PAGES, page_of
from pgviz.lessons.tracks import TRACKS
from tests.screenshots import overflow

pytestmark = pytest.mark.browser

PATIENCE = 60_000
DESK, PHONE, ROOM = (1280, 720), (390, 844), (1920, 1080)


@pytest.fixture(scope="module")
def url(serve):
    with serve("streamlit_app.py", PGVIZ_AHEAD="0") as url:
        yield url


@pytest.fixture
def visit(url, chromium, ready):
    """`visit("theorem?step=policy")` opens it in a browser that has never been here."""
    contexts = []

    def visiting(path="", size=DESK, context=None, **options):
        if context is None:
            context = chromium.new_context(
                viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
            )
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}/{path}")
        ready(page)
        return page

    yield visiting
    for context in contexts:
        context.close()


def heading(page, text):
    expect(page.locator("h1")).to_have_text(text, timeout=PATIENCE)


def steps(slug):
    return page_of(slug).steps


def test_a_clicker_goes_on_and_back_even_while_a_slider_has_the_focus(visit):
    page = visit("theorem?step=policy")
    slider = page.locator(".st-key-theta input[type=range]")
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("PageUp")
    heading(page, steps("theorem")[0].question)
    page.keyboard.press("PageDown")
    heading(page, steps("theorem")[1].title)
    assert page.locator(".st-key-theta input[type=range]").input_value() == before


def test_browser_back_goes_one_step_back_whatever_was_set(visit):
    page = visit("theorem?step=guess")
    page.keyboard.press("PageDown")
    heading(page, steps("theorem")[1].title)
    slider = page.locator(".st-key-theta input[type=range]")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("theta="))
    page.keyboard.press("PageDown")
    heading(page, steps("theorem")[2].title)
    page.go_back()
    heading(page, steps("theorem")[1].title)
    page.go_back()
    heading(page, steps("theorem")[0].question)


def test_a_chart_follows_its_slider_while_the_thumb_moves_and_agrees_with_the_server(visit):
    page = visit("theorem?step=policy")
    labels = page.locator(".mark-text.role-mark text")
    expect(labels.first).to_be_visible()
    said = page.locator(".st-key-says-theorem-policy")
    before, sentence = labels.all_text_contents(), said.inner_text()
    thumb = page.locator("[data-testid=stSliderThumbValue]").bounding_box()
    x, y = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=6)
    page.wait_for_function(
        "before => [...document.querySelectorAll('.mark-text.role-mark text')].map(t => t.textContent)"
        ".join() !== before.join()",
        arg=before,
    )
    assert said.inner_text() == sentence  # the server has heard nothing yet
    page.mouse.up()
    expect(said).not_to_have_text(sentence)
    for label in labels.all_text_contents():
        assert label in said.inner_text()


def test_progress_and_predictions_outlive_a_reload_and_stay_in_the_browser(visit):
    page = visit("theorem?step=guess")
    page.get_by_role("button", name="Lock it in").click()
    heading(page, steps("theorem")[0].title)
    page.reload()
    heading(page, steps("theorem")[0].title)
    stored = json.loads(page.evaluate("localStorage.getItem('pgviz.progress')"))
    assert "guess" in stored["steps"]["theorem/guess"]
    stranger = visit("theorem?step=guess")
    heading(stranger, steps("theorem")[0].question)


def test_a_bare_address_opens_where_the_visitor_left_off_and_says_so(visit):
    page = visit("theorem?step=policy")
    page.wait_for_function("localStorage.getItem('pgviz.progress')?.includes('theorem/policy')")
    again = visit("theorem", context=page.context)
    heading(again, steps("theorem")[1].title)
    expect(again.get_by_text("You left off here")).to_be_visible()


def test_whatever_lies_in_the_browsers_store_is_met_with_a_fresh_start(visit, url):
    page = visit("theorem?step=guess")
    for poison in ('{"pgviz": 1, "steps": {"theorem/guess": {"guess": "<img src=x>"}}}', "}{", "0"):
        page.evaluate("text => localStorage.setItem('pgviz.progress', text)", poison)
        page.reload()
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".stException, [data-testid=stException]")).to_have_count(0)


def test_a_lecture_is_given_with_one_key_and_followed_in_a_second_window(visit):
    name = "theorem-15"
    stops = TRACKS[name].stops
    room = visit(f"theorem?step={stops[0].step}&present=1&track={name}", size=ROOM)
    heading(room, steps("theorem")[0].question)
    expect(room.locator("[data-testid=stSidebar]")).to_be_hidden()
    own = visit(f"lecture?step=follow&lecture={name}", context=room.context)
    room.keyboard.press("PageDown")  # passes the question
    heading(room, steps("theorem")[0].title)
    room.keyboard.press("PageDown")
    heading(room, steps("theorem")[1].title)
    expect(own.get_by_text(stops[1].say)).to_be_visible(timeout=PATIENCE)


def test_every_step_of_home_and_lecture_fits_the_screen(visit):
    fits(visit, "home")
    fits(visit, "lecture")


@pytest.mark.parametrize("slug", [page.slug for page in PAGES[1:] if page.section != "Teach"])
def test_every_step_fits_the_screen(visit, slug):
    fits(visit, slug)


def fits(visit, slug):
    """Title, words, picture, sentence and the way on at 1280 × 720, without scrolling."""
    page = visit(f"{'' if slug == PAGES[0].slug else slug}?step={steps(slug)[0].slug}")
    too_tall = {}
    for number, step in enumerate(steps(slug)):
        if number:
            page.locator(".walk a").nth(number).click()
        heading(
            page,
            re.compile(f"^({re.escape(step.title)}|{re.escape(step.question or step.title)})$"),
        )
        show = page.get_by_role("button", name="Show me", exact=True)
        if step.question:
            assert overflow(page) <= 0, f"{step.slug} before its answer"
            show.click()
            heading(page, step.title)
        page.wait_for_timeout(700)  # a picture may still grow
        if (over := overflow(page)) > 0:
            too_tall[step.slug] = over
    assert not too_tall


@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_a_telephone_is_never_scrolled_sideways(visit, slug):
    page = visit(f"{'' if slug == PAGES[0].slug else slug}?step={steps(slug)[0].slug}", size=PHONE)
    for number, step in enumerate(steps(slug)):
        if number:
            page.locator(".walk a").nth(number).click()
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], step.slug
