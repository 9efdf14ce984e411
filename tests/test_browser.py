"""The app in a real browser: the walk, its keys and its history; live runs; links."""

import json
import os
import re
import signal
import time
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import expect

from pgviz.lessons import PAGES, page_of
from pgviz.lessons.tracks import TRACKS
from pgviz.lessons.workbook import best, mean, share
from pgviz.proofs.puzzles import TRAJECTORIES
from tests.conftest import PATIENCE
from tests.real import ready, served
from tests.screenshots import overflow

pytestmark = pytest.mark.browser

QUIET = 1500  # ms in which a page that polls would have asked three times
ROOM = (1920, 1080)


@pytest.fixture(scope="module")
def url():
    with served(PGVIZ_GRACE_S="0.5") as url:
        yield url


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


def test_a_clickers_key_leads_through_all_core_steps_of_all_pages(visit):
    path = [(p, s) for p in PAGES for s in p.steps if not s.deeper and p.section != "Teach"]
    page = visit(f"?step={path[0][1].slug}")
    for _, step in path[1:]:
        page.keyboard.press("PageDown")
        heading(page, step.question or step.title)
    for _, step in path[-2:-4:-1]:
        page.keyboard.press("PageUp")
        heading(page, step.question or step.title)


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
    ready(page)
    page.go_back()
    heading(page, steps("theorem")[1].title)
    ready(page)
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
    page = visit(address(slug, steps(slug)[0].slug))
    tall = {}
    for number, step in enumerate(steps(slug)):
        if number:
            page.locator(".walk a").nth(number).click()
        heading(page, titles(step))
        if step.question:
            tall[f"{step.slug} before its answer"] = too_tall(page)
            page.get_by_role("button", name="Show me", exact=True).click()
            heading(page, step.title)
        tall[step.slug] = too_tall(page)
    assert not {name for name, over in tall.items() if over > 0}, tall


def too_tall(page):
    """Pixels too many, once the step before has left and the picture has grown."""
    ready(page)
    for _ in range(8):
        page.wait_for_timeout(400)
        if (over := overflow(page)) <= 0:
            break
    return over


# ── live runs ───────────────────────────────────────────────────────────────────────────────────


def until(condition, page=None):
    """Wait for something that no page shows."""
    give_up = time.monotonic() + PATIENCE / 1000
    while not (result := condition()):
        assert time.monotonic() < give_up
        page.wait_for_timeout(50) if page else time.sleep(0.05)
    return result


def writers():
    """The processes below this one that write a recording."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            for file in process.open_files():
                if file.path.endswith(".run"):
                    found[file.path] = process.pid
        except psutil.Error:
            continue
    return found


def begin_runs(visit, address):
    """A step with a visitor's own runs under way: several, so that they last. Once per step."""
    page = visit(address)
    page.get_by_role("button", name="Run again", exact=True).click()
    expect(page.get_by_text("Your run, live.")).to_be_visible(timeout=PATIENCE)
    return page


def test_a_run_streams_into_the_same_picture_and_asks_no_more_after_stop(visit):
    page = begin_runs(visit, "home?step=race")
    marks = "[class*=st-key-picture-] svg.marks"
    page.locator(marks).first.wait_for()
    page.evaluate("marks => { document.querySelector(marks).tagged = true; }", marks)
    before = len(page.sent)
    until(lambda: len(page.sent) >= before + 4, page)
    assert page.evaluate("marks => document.querySelector(marks).tagged", marks)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Your run, stopped.")).to_be_visible(timeout=PATIENCE)
    until(lambda: not writers(), page)
    ready(page)
    page.wait_for_timeout(500)
    before = len(page.sent)
    page.wait_for_timeout(QUIET)
    assert len(page.sent) == before


SLOWER = """
import streamlit as st
from pgviz.ui import live

@st.fragment(run_every=0.2)
def panel():
    looks = st.session_state["looks"] = st.session_state.get("looks", 0) + 1
    st.write(f"look {looks}")
    if looks == 5:
        live.look_every(600)

panel()
"""


def test_a_picture_can_be_looked_at_less_often_without_a_new_page(chromium, tmp_path):
    script = tmp_path / "slower.py"
    script.write_text(SLOWER)
    with served(script) as url:
        page = chromium.new_page()
        page.goto(url)
        expect(page.get_by_text("look 5")).to_be_visible(timeout=PATIENCE)
        page.wait_for_timeout(QUIET)
        expect(page.get_by_text("look 5")).to_be_visible()
        page.close()


def test_a_closed_tab_stops_its_runs(visit):
    page = begin_runs(visit, "actor-critic?step=switches")
    path = until(lambda: next(iter(writers()), None), page)
    page.close()
    until(lambda: not writers())
    assert not os.path.exists(path.replace(".run", ".done"))


def test_a_killed_worker_is_a_sentence_and_the_run_can_be_tried_again(visit):
    page = begin_runs(visit, "gae?step=sweep")
    os.kill(until(lambda: next(iter(writers().values()), None), page), signal.SIGKILL)
    told = page.get_by_text(re.compile("process that trained this run died"))
    expect(told).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Try again").click()
    expect(told).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_text("7 of 7 runs are complete")).to_be_visible(timeout=PATIENCE)


# ── links and strangers ─────────────────────────────────────────────────────────────────────────


def test_the_first_visitor_of_a_fresh_server_gets_the_frame_and_the_links_values(chromium):
    with served() as url:
        page, asked = chromium.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url}/theorem?step=policy&theta=1.0")
        heading(page, steps("theorem")[1].title)
        menu = page.get_by_test_id("stSidebarNav")
        for record in PAGES:
            expect(menu.get_by_role("link", name=record.title, exact=True)).to_be_visible()
        expect(page.locator(".st-key-says-theorem-policy")).to_contain_text("θ = 1")
        hosts = {urlsplit(u).hostname for u in asked if not u.startswith(("blob:", "data:"))}
        assert hosts == {"127.0.0.1"}
        page.close()


def test_a_torn_and_hostile_address_is_one_sentence(visit):
    page = visit("theorem?step=policy&theta=%3Cscript%3E&&=x&%00%ff%zz=1&present=yes")
    expect(page.get_by_text("Not everything in this link could be used")).to_have_count(1)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_under_a_base_path_every_code_for_telephones_leads_to_its_step(chromium):
    with served(STREAMLIT_SERVER_BASE_URL_PATH="pg") as url:
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}/pg/theorem?step=policy")
        ready(page)
        page.get_by_role("button", name="Share and present").click()
        link = page.get_by_test_id("stCode").filter(has_text=f"{url}/pg/theorem?").first
        link.wait_for()
        assert page.goto(link.inner_text().strip()).ok
        heading(page, steps("theorem")[1].title)
        page.close()


def test_home_can_be_asked_for_by_its_name(visit, url):
    page = visit("home?step=path")
    heading(page, steps("home")[1].title)
    assert urlsplit(page.url).path == "/"
    expect(page.get_by_role("dialog")).to_have_count(0)


def address(slug, step):
    return f"{'' if slug == PAGES[0].slug else slug}?step={step}"


def titles(step):
    return re.compile(f"^({re.escape(step.title)}|{re.escape(step.question or step.title)})$")


# ── the workbook, from the first line to a full sheet ───────────────────────────────────────────


def test_a_new_learner_fills_a_sheet_and_a_lecturer_counts_it(visit, tmp_path, run):
    page = visit("workbook?step=derive&drawn=4")
    said = page.locator(".st-key-says-workbook-derive")
    for at, line in enumerate(TRAJECTORIES.right):
        for answer, reasons in (line.formula, at), (line.reason, at + 1):
            labels = page.locator(".st-key-controls-workbook-derive label:has(input[type=radio])")
            answered(labels, answer).click()
            page.get_by_role("button", name="Place it").click()
            done = f"{at + 1} of 5 lines and {reasons} of 5"
            expect(said).to_contain_text(done if reasons < 5 else "The proof stands")
    for step, make in (("mean", mean.question), ("best", best.question), ("share", share.question)):
        go_to(page, f"workbook?step={step}&drawn=4")
        field = page.locator(f".st-key-gate-workbook-{step} input")
        field.fill(f"{make(4).answer:.3f}")
        field.press("Enter")
        page.get_by_role("button", name="Check it").click()
        expect(page.locator(f".st-key-gate-workbook-{step}")).to_contain_text("✓")
    go_to(page, "workbook?step=implement")
    with page.expect_download() as download:
        page.get_by_role("button", name="The file").click()
    assert download.value.suggested_filename == "reinforce.py"
    field = page.get_by_label("What the command said at the end, for your sheet")
    field.fill("reinforce: all 16 checks pass")
    field.press("Enter")
    expect(page.locator(".st-key-says-workbook-implement")).to_contain_text("1 of 5")
    go_to(page, "workbook?step=words")
    page.locator("textarea").fill("Scores average to zero, so " * 5)
    page.locator("textarea").press("Control+Enter")
    page.get_by_text("scores average to zero", exact=True).click()
    expect(page.locator(".st-key-says-workbook-words")).to_contain_text("1 of 3 points")
    go_to(page, "workbook?step=tune&drawn=4")
    page.get_by_role("button", name="Score it").click()
    expect(page.locator(".st-key-says-workbook-tune")).to_contain_text("times the least error")
    go_to(page, "workbook?step=sheet")
    picture = page.locator(".st-key-picture-workbook-sheet")
    for text in ("5 of 5 right", "Scores average to zero", "all 16 checks pass"):
        expect(picture).to_contain_text(text)
    for name in ("Save my sheet", "A page to print"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
    status, out, err = run("sheets", tmp_path)
    assert (status, err) == (0, "")
    assert "reinforce: all 16 checks pass" in out


def go_to(page, path):
    """By a link, as a reader who comes back: what the browser has kept comes along."""
    page.goto(f"{page.url.split('/workbook')[0]}/{path}")
    heading(page, page_of("workbook").step(path.split("step=")[1].split("&")[0]).title)


def answered(labels, answer):
    """The radio whose label holds this answer: a reason as text, a formula by its source."""
    expect(labels.first).to_be_visible()
    for at in range(labels.count()):
        source = labels.nth(at).locator("annotation")
        texts = source.all_text_contents() if source.count() else [labels.nth(at).inner_text()]
        if any(answer.replace(" ", "") in text.replace(" ", "") for text in texts):
            return labels.nth(at)
    raise AssertionError(answer)
