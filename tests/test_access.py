"""For those who come without a mouse, without sight or colours, with a small window, or with paper."""

import io
import re

import altair as alt
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from pgviz.charts.told import told
from pgviz.lessons import PAGES, page_of
from pgviz.lessons.pitfalls import case_1
from tests.access import CUT, DESK, PHONE, ZOOMED, badly_read, tabbed
from tests.conftest import PATIENCE
from tests.real import ready, served

browser = pytest.mark.browser
EVERY_PAGE = pytest.mark.parametrize("slug", [page.slug for page in PAGES])

# What axe finds in Streamlit's own elements; none of it is ours to change.
STREAMLITS_OWN = {
    "svg-img-alt": ".stMetric, [data-testid=stVegaLiteChart]",  # empty mark groups of Vega
    "list": "[data-testid=stSidebarNav]",
    "listitem": "[data-testid=stSidebarNav]",
    "scrollable-region-focusable": ".katex-display, .stCode",  # st.latex and st.code
}


@pytest.fixture(scope="module")
def url():
    with served(PGVIZ_GRACE_S="0.5") as url:
        yield url


def address(slug, step):
    return f"{'' if slug == PAGES[0].slug else slug}?step={step}"


def every_step(page, slug, reveal=True):
    """The steps of a page one after the other, each with its question passed."""
    for number, step in enumerate(page_of(slug).steps):
        if number:
            page.locator(".walk a").nth(number).click()
        titles = {step.title, step.question or step.title}
        expect(page.locator("h1")).to_have_text(
            re.compile(f"^({'|'.join(map(re.escape, titles))})$"), timeout=PATIENCE
        )
        if (
            reveal
            and step.question
            and (show := page.get_by_role("button", name="Show me")).count()
        ):
            show.click()
            expect(page.locator("h1")).to_have_text(step.title, timeout=PATIENCE)
        ready(page)
        yield step


# ── by keyboard ─────────────────────────────────────────────────────────────────────────────────

# A step for each kind of control; `python -m tests.access` takes all steps.
KINDS = ["theorem/guess", "theorem/theorem", "theorem/derive", "gae/ledger", "workbook/words",
         "lecture/tracks"]  # fmt: skip
PLACES = [(kind, DESK) for kind in KINDS] + [("theorem/climb", ZOOMED), ("workbook/mean", ZOOMED)]


@browser
@pytest.mark.parametrize(("place", "size"), PLACES, ids=[place for place, _ in PLACES])
def test_tab_reaches_every_control_and_shows_where_it_is(visit, place, size):
    assert tabbed(visit(address(*place.split("/")), size=size)) == {}


@browser
def test_after_next_and_after_an_answer_reading_goes_on_at_the_new_title(visit):
    page = visit("theorem?step=guess")
    for button in "Show me", "Next":
        page.get_by_role("button", name=button, exact=True).focus()
        page.keyboard.press("Enter")
        title = page_of("theorem").steps[button == "Next"].title
        expect(page.locator("h1:focus")).to_have_text(title)
        ready(page)
    page.keyboard.press("Tab")
    expect(page.locator(".term").first).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement, '::after').content") != "none"


def reach(page, control):
    """Press Tab until the control has the focus: nothing else is done to get there."""
    for _ in range(90):
        if control.evaluate("e => e.matches(':focus') || !!e.querySelector(':focus')"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab does not reach it")


def pressed(page, control, *keys):
    """Reach it, and press these keys; a text is typed."""
    control.first.wait_for(timeout=PATIENCE)
    reach(page, control.first)
    for key in keys:
        if " " in key:
            page.keyboard.type(key)
        else:
            page.keyboard.press(key)
        page.wait_for_timeout(100)


@browser
def test_choices_are_made_by_keys(visit):
    page = visit("theorem?step=policy")
    slider = page.get_by_role("slider", name="θ")
    pressed(page, slider, "ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "-0.3")

    page = visit("theorem?step=causality&show=mean")
    show = page.get_by_role("button", name="Show me", exact=True)
    if show.count():
        pressed(page, show, "Enter")
    toggle = page.get_by_role("switch", name="Keep earlier rewards")
    was = toggle.is_checked()
    pressed(page, toggle, "Space")
    expect(toggle).to_be_checked(checked=not was)
    other = page.get_by_role("radio", name="spread")
    pressed(page, page.get_by_role("radio", name="mean"), "ArrowDown")
    expect(other).to_be_checked()
    ready(page)

    page = visit("theorem?step=theorem")
    listed = page.get_by_role("combobox", name="Break a step")
    before = listed.input_value()
    pressed(page, listed, "ArrowDown", "ArrowDown", "Enter")
    expect(listed).not_to_have_value(before)


@browser
def test_a_fault_is_named_and_its_line_found_by_keys(visit):
    step = next(step for step in page_of("pitfalls").steps if step.slug == "case-1")
    page = visit("pitfalls?step=case-1")
    names = [*case_1.CASE.names]
    first = page.get_by_role("radio", name=names[0], exact=True)
    pressed(page, first, "Space", *["ArrowDown"] * names.index(case_1.CASE.title))
    pressed(page, page.get_by_role("button", name="Name it"), "Enter")
    lines = page.get_by_role("radiogroup", name="Which line?").get_by_role("radio")
    lines.first.wait_for(timeout=PATIENCE)
    before = lines.all_inner_texts().index(str(case_1.CASE.listing("wrong")[1]))
    pressed(page, lines.first, *["ArrowRight"] * before, "Space")
    pressed(page, page.get_by_role("button", name="This line"), "Enter")
    expect(page.locator("h1")).to_have_text(step.title, timeout=PATIENCE)


@browser
def test_runs_are_started_and_looked_behind_by_keys(visit):
    page = visit("reinforce?step=run")
    pressed(page, page.get_by_role("button", name="Run", exact=True), "Enter")
    expect(page.get_by_text("Your run, live.")).to_be_visible(timeout=PATIENCE)
    pressed(page, page.get_by_role("button", name="Besides the equation"), "Enter")
    expect(page.get_by_role("dialog").or_(page.get_by_test_id("stPopoverBody"))).to_be_visible()
    page.keyboard.press("Escape")
    pressed(page, page.get_by_role("button", name="Stop", exact=True), "Enter")
    expect(page.get_by_text("Your run, stopped.")).to_be_visible(timeout=PATIENCE)


@browser
def test_words_and_numbers_are_given_by_keys(visit):
    page = visit("workbook?step=mean")
    check = page.get_by_role("button", name="Check it")
    expect(check).to_be_disabled()
    pressed(page, page.get_by_role("spinbutton"), "0", ".", "5", "Enter")
    expect(check).to_be_enabled(timeout=PATIENCE)
    pressed(page, check, "Enter")
    expect(page.get_by_text(re.compile("^[✓✗]"))).to_be_visible(timeout=PATIENCE)

    page = visit("workbook?step=words")
    text = (
        "a policy gradient weighs the score of every action by the return that came after it " * 3
    )
    pressed(page, page.get_by_role("textbox").first, text, "Control+Enter")
    point = page.get_by_role("checkbox").first
    expect(point).not_to_be_checked(timeout=PATIENCE)
    pressed(page, point, "Space")
    expect(point).to_be_checked()

    page = visit("gae?step=ledger")
    says = page.locator(".st-key-says-gae-ledger")
    before = says.inner_text()
    pressed(page, page.get_by_role("button", name="Edit"), "Enter")
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
    pressed(page, page.get_by_test_id("stDataFrame").first, "ArrowDown", "ArrowRight", "7", "Enter")
    expect(says).not_to_have_text(before, timeout=PATIENCE)


@browser
def test_folds_and_files_are_opened_by_keys(visit, tmp_path):
    page = visit("gae?step=ledger")
    pressed(page, page.get_by_role("button", name="Code"), "Enter")
    expect(page.get_by_test_id("stCode").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stCode")).to_have_count(0)
    pressed(page, page.locator(".walk a").nth(2), "Enter")
    heading = page.locator("h1")
    expect(heading).to_have_text(page_of("gae").steps[2].heading(False), timeout=PATIENCE)

    page = visit("home?step=path")
    with page.expect_download() as saved:
        pressed(page, page.get_by_role("button", name="Save my progress"), "Enter")
    file = tmp_path / "progress.json"
    saved.value.save_as(file)
    pressed(page, page.get_by_role("button", name="Restore progress"), "Enter")
    with page.expect_file_chooser() as chooser:
        pressed(page, page.get_by_test_id("stFileUploader").locator("button:visible"), "Enter")
    chooser.value.set_files(file)
    expect(page.get_by_text(re.compile("estored"))).to_be_visible(timeout=PATIENCE)


# ── by ear ──────────────────────────────────────────────────────────────────────────────────────


@browser
def test_a_result_is_said_once_it_stands_still_and_a_slider_says_its_value(visit):
    page = visit("theorem?step=policy")
    slider, said = page.locator(".stSlider input"), page.locator(".told")
    before = page.locator(".st-key-says-theorem-policy").inner_text()
    expect(slider).to_have_accessible_name("θ")
    expect(slider).to_have_attribute("aria-valuetext", "-0.4")
    page.wait_for_timeout(3000)  # in which nothing is said, for nothing has changed
    assert said.inner_text() == ""
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "-0.1")
    expect(said).to_contain_text("At θ = −0.1", timeout=PATIENCE)
    assert said.inner_text() == page.locator(".st-key-says-theorem-policy").inner_text() != before


def test_a_chart_is_told_by_its_axes_its_lines_and_its_bars():
    x, y = alt.X("step:Q").title("update"), alt.Y("J:Q").title("average return")
    lines = alt.Chart(alt.NamedData("curves")).mark_line().encode(x, y, alt.Color("method:N"))
    curves = pd.DataFrame({"step": [0, 1, 2] * 2, "J": [1.0, 5, 4, 2, 2, 2], "method": [*"aaabbb"]})
    assert told(lines.to_dict(), {"curves": curves}) == (
        "Left to right: update; upwards: average return."
        " a: from 1 at 0 to 4 at 2, between 1 and 5. b: from 2 at 0 to 2 at 2."
    )
    bars = alt.Chart(alt.NamedData("bars")).mark_bar().encode(x="arm:N", y="P:Q")
    table = pd.DataFrame({"arm": ["left", "right"], "P": [0.25, 0.75]})
    assert told(bars.to_dict(), {"bars": table}) == "left: 0.25 and right: 0.75."
    live = bars.transform_calculate(P="datum.P * 2")  # what the browser computes is not known here
    assert told(live.to_dict(), {"bars": table}) == ""


@browser
@EVERY_PAGE
def test_axe_and_a_screen_reader_find_nothing_of_ours_on_any_step(visit, slug):
    page = visit(address(slug, page_of(slug).steps[0].slug), color_scheme="light")
    ours = {}
    for step in every_step(page, slug):
        bad = found_by_axe(page) + badly_read(page)
        in_colours(page, "dark")
        bad += found_by_axe(page, "color-contrast")
        in_colours(page, "light")
        if bad:
            ours[step.slug] = bad
    assert ours == {}


def in_colours(page, scheme):
    """The page follows the system's scheme, without being loaded again."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        f"getComputedStyle(document.querySelector('.stApp')).colorScheme == '{scheme}'"
    )
    page.wait_for_timeout(300)
    ready(page)


def found_by_axe(page, *rules):
    """What axe finds that is not Streamlit's own, by these rules or by all."""
    options = {"runOnly": [*rules]} if rules else {}
    return [
        (violation["id"], node["html"][:160])
        for violation in Axe().run(page, options=options).response["violations"]
        for node in violation["nodes"]
        if not page.evaluate(
            "([selector, own]) => !!own && !!document.querySelector(selector)?.closest(own)",
            [node["target"][-1], STREAMLITS_OWN.get(violation["id"], "")],
        )
    ]


# ── small windows, still pictures, paper ────────────────────────────────────────────────────────


@browser
@EVERY_PAGE
def test_a_telephone_shows_every_step_whole(visit, slug):
    page = visit(address(slug, page_of(slug).steps[0].slug), size=PHONE)
    found = {}
    for step in every_step(page, slug):
        page.wait_for_timeout(300)
        found[step.slug] = page.evaluate(CUT)
    assert {step: cut for step, cut in found.items() if cut} == {}


@browser
def test_nothing_moves_by_itself_for_those_who_asked_for_less_motion(visit):
    page = visit("theorem?step=climb")
    page.wait_for_timeout(1000)
    moving = page.evaluate("document.getAnimations().map(each => each.effect.target.className)")
    assert moving == []
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => getComputedStyle(e).scrollBehavior") == "auto"


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_step_prints_dark_on_white_with_nothing_to_press(visit, scheme):
    page = visit("theorem?step=objective", color_scheme=scheme)
    page.locator("svg.marks").wait_for()
    page.emulate_media(media="print", color_scheme=scheme)
    for chrome in (".stSidebar", "[data-testid=stBottom]", "[class*=st-key-folds-]", ".stButton"):
        for part in page.locator(chrome).all():
            expect(part).to_be_hidden()
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    assert picture.histogram()[255] > 0.6 * picture.width * picture.height  # paper
    title = Image.open(io.BytesIO(page.locator("h1").screenshot())).convert("L")
    assert title.getextrema()[0] < 60  # ink
    assert page.pdf().count(b"/Type /Page\n") == 1
