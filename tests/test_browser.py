"""The app in a real browser: what a reader sees, and what happens when they leave."""

import os
import re
import shutil
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pgviz.runs import Recording, RecordingError
from pgviz.ui.frame import PAGES

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # ms; a test waits for a sign, not for a time
QUIET = 1500  # ms in which a page that polls would have asked three times
SMALL = {"num_seeds": 2, "num_updates": 20, "num_envs": 4}
ENDLESS = {"num_seeds": 32, "num_updates": 300, "num_envs": 64, "stop_when_solved": "false"}

# What axe finds in Streamlit's own elements; none of it is ours to change.
STREAMLITS_OWN = {
    "svg-img-alt": ".stMetric, [data-testid=stVegaLiteChart]",  # a sparkline; empty mark groups of Vega
    "list": "[data-testid=stSidebarNav]",
    "listitem": "[data-testid=stSidebarNav]",
    "scrollable-region-focusable": ".katex-display, .stCode",  # st.latex and st.code
}


@pytest.fixture(scope="module")
def app(tmp_path_factory, serve, chromium, ready):
    """One server for most tests. Its very first visitor goes straight to a page, with values."""
    folder = tmp_path_factory.mktemp("recordings")
    with serve("streamlit_app.py", PGVIZ_RUNS=str(folder), PGVIZ_GRACE_S="0.5") as url:
        page = chromium.new_page()
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{url}/reinforce?num_seeds=4&rng_seed=7")
        ready(page)
        expect(page.get_by_text("Finished after")).to_be_visible(timeout=PATIENCE)
        ready(page)
        yield SimpleNamespace(url=url, folder=folder, first_page=page)
        page.close()


@pytest.fixture
def visit(app, chromium, ready):
    """`with visit(slug, settings) as page:` and at the end it must not have complained."""

    @contextmanager
    def visiting(slug, settings=None, *, width=1280, scheme="light", query=None):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        complaints, page.asked, page.sent = [], [], []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: is_ours(message) and complaints.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.on(
            "websocket",
            lambda socket: (
                page.asked.append(socket.url),
                socket.on("framesent", lambda frame: page.sent.append(frame)),
            ),
        )
        path = "" if slug == PAGES[0].slug else slug
        page.goto(f"{app.url}/{path}?{query or urlencode(settings or {})}")
        ready(page)
        yield page
        context.close()
        assert complaints == []

    return visiting


def is_ours(message):
    """Whether a message on the console is an error of this app.

    Opened on a page other than the first, Streamlit looks for its server beside the page's address
    (404) before it finds it at the root.
    """
    return message.type == "error" and "/_stcore/" not in message.location["url"]


def says(page, text):
    expect(page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def recordings_of(app, rng_seed):
    """The files of the runs with this random seed."""
    found = []
    for path in app.folder.glob("*.run"):
        try:
            if Recording(path).config.rng_seed == rng_seed:
                found.append(path)
        except RecordingError:
            continue
    return found


def writers_of(path):
    """The processes that have this file open."""
    found = []
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if fd.readlink() == path:
                found.append(int(fd.parts[2]))
        except OSError:
            continue
    return found


def until(condition, page=None):
    """Wait for something that no page shows."""
    give_up = time.monotonic() + PATIENCE / 1000
    while not (result := condition()):
        assert time.monotonic() < give_up
        if page is None:
            time.sleep(0.05)
        else:
            page.wait_for_timeout(50)
    return result


def writer(app, rng_seed, page):
    """The recording that a worker is writing now, and the worker."""

    def writing():
        return [(path, pid) for path in recordings_of(app, rng_seed) for pid in writers_of(path)]

    return until(writing, page)[0]


def title_of_the_player(page):
    return page.locator(".player .title")


# ── links ───────────────────────────────────────────────────────────────────────────────────────


def test_the_first_visitor_of_a_fresh_server_gets_the_frame_and_the_links_values(app):
    page = app.first_page
    menu = page.get_by_test_id("stSidebarNav")
    for record in PAGES:
        expect(menu.get_by_role("link", name=record.title)).to_be_visible()
    expect(page.get_by_role("heading", name="How do samples become a gradient?")).to_be_visible()
    expect(page).to_have_title("pgviz")
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("4")
    press(page, "More settings")
    expect(page.get_by_label("Random seed", exact=True)).to_have_value("7")
    page.keyboard.press("Escape")
    assert parse_qs(urlsplit(page.url).query) == {"num_seeds": ["4"], "rng_seed": ["7"]}
    assert {urlsplit(url).hostname for url in page.asked} <= {"127.0.0.1", None, ""}


def test_a_torn_and_hostile_address_is_one_sentence(visit):
    junk = "num_seeds=inf&gamma=%00%ff%zz&&=x&method=%3Cscript%3Ealert(1)%3C/script%3E&rng_seed=3"
    with visit("reinforce", query=f"{junk}&num_updates=20") as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
        expect(page.get_by_text("Not everything in this link could be used")).to_have_count(1)
        says(page, "Finished after")
        expect(page.get_by_label("Seeds", exact=True)).to_have_value("16")
        page.wait_for_function(
            "location.search == '?rng_seed=3&num_updates=20'"
            " || location.search == '?num_updates=20&rng_seed=3'"
        )


def test_every_page_keeps_its_own_settings(visit, ready):
    """Pages share names such as gamma and rng_seed; none may hand its value to another."""

    def go_to(title, slug):
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        page.wait_for_url(f"**/{slug}*")
        page.locator("[data-settled]").or_(page.get_by_text("Finished after")).first.wait_for(
            state="attached"
        )
        ready(page)
        return parse_qs(urlsplit(page.url).query)

    with visit("theorem", {"rng_seed": 2, "gamma": 0.9}) as page:
        ready(page)
        assert go_to("REINFORCE", "reinforce") == {}
        assert go_to("Baselines", "baselines") == {}
        assert go_to("The theorem", "theorem") == {"rng_seed": ["2"], "gamma": ["0.9"]}
        expect(page.get_by_label("Random seed", exact=True)).to_have_value("2")
        assert go_to("REINFORCE", "reinforce") == {}
        page.go_back()
        page.wait_for_url("**/theorem?*rng_seed=2*")
        expect(page.get_by_label("Random seed", exact=True)).to_have_value("2")
        assert "gamma=0.9" in page.url


def test_going_back_to_a_faulty_address_is_harmless(visit, ready):
    with visit("reinforce", SMALL | {"seed": "inf", "num_envs": "inf"}) as page:
        says(page, "Finished after")
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
        says(page, "What will I be able to do?")
        page.go_back()
        says(page, "How do samples become a gradient?")
        says(page, "Finished after")
        expect(page.get_by_text("Something on this page went wrong")).to_have_count(0)


def test_a_link_keeps_its_place_through_the_run_it_starts(visit):
    with visit("reinforce", SMALL | {"rng_seed": 40, "update": 7, "seed": 1, "episode": 2}) as page:
        says(page, "Finished after")
        expect(title_of_the_player(page)).to_have_text("Seed 1 at update 7, episode 2")
        assert {"update", "seed", "episode"} <= parse_qs(urlsplit(page.url).query).keys()


# ── a run ───────────────────────────────────────────────────────────────────────────────────────

# Every frame: is it still the same picture, how high is its column, what does the status say?
WATCH_THE_CHART = """() => {
  const chart = document.querySelector('[data-testid=stVegaLiteChart]');
  const svg = chart.querySelector('svg');
  const column = chart.closest('[data-testid=stColumn]');
  svg.tagged = true;
  window.seen = { heights: new Set(), texts: new Set(), replaced: 0, paths: new Set() };
  const look = () => {
    seen.heights.add(Math.round(column.getBoundingClientRect().height));
    seen.texts.add(document.querySelector('[data-testid=stProgress]').innerText);
    const now = document.querySelector('[data-testid=stVegaLiteChart] svg');
    if (!now || !now.tagged) seen.replaced += 1;
    else seen.paths.add(now.innerHTML.length);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_run_streams_into_the_same_picture_until_it_is_solved(visit):
    with visit("reinforce", {"num_seeds": 4, "rng_seed": 7}) as page:
        says(page, "Finished after")
        page.wait_for_selector("[data-testid=stVegaLiteChart] svg")
        seeds = page.get_by_label("Seeds", exact=True)
        seeds.fill("3")
        seeds.press("Enter")
        says(page, "Press Run to see what they do.")
        page.evaluate(WATCH_THE_CHART)
        press(page, "Run")
        expect(page.get_by_test_id("stMetricValue").first).to_have_text("3 of 3", timeout=PATIENCE)
        says(page, "Finished after")
        says(page, "3 of 3 seeds solved CartPole")
        seen = page.evaluate(
            "Object.fromEntries(Object.entries(seen).map(([k, v]) => [k, v.size === undefined ? v : [...v]]))"
        )
        updates = [text for text in seen["texts"] if re.match(r"Update [1-9]", text)]
        assert len(updates) >= 2, seen["texts"]
        assert len(seen["paths"]) >= 3
        assert seen["replaced"] == 0
        assert len(seen["heights"]) == 1, seen["heights"]


def test_a_page_asks_while_its_run_lives_and_then_no_more(visit, ready):
    with visit("reinforce", ENDLESS | {"rng_seed": 50}) as page:
        says(page, re.compile("Update [0-9]+ of 300"))
        before = len(page.sent)
        until(lambda: len(page.sent) >= before + 3, page)
        press(page, "Stop")
        says(page, "Stopped after")
        ready(page)
        before = len(page.sent)
        page.wait_for_timeout(QUIET)
        assert len(page.sent) == before
    with visit("reinforce", SMALL) as page:
        says(page, "Finished after")
        ready(page)
        before = len(page.sent)
        page.wait_for_timeout(QUIET)
        assert len(page.sent) == before


def test_stop_stops_the_worker_and_leaves_the_page_usable(app, visit):
    with visit("reinforce", ENDLESS | {"rng_seed": 51}) as page:
        path, _ = writer(app, 51, page)
        says(page, re.compile("Update [1-9][0-9]* of 300"))
        press(page, "Stop")
        says(page, "Stopped after")
        until(lambda: not writers_of(path), page)
        assert not path.with_suffix(".done").exists()
        seed = page.get_by_label("Seed", exact=True)
        seed.fill("3")
        seed.press("Enter")
        expect(title_of_the_player(page)).to_contain_text("Seed 3 at update")


def test_the_keyboard_alone_starts_a_run(visit):
    with visit("reinforce", SMALL) as page:
        says(page, "Finished after")

        def tab_to(script):
            for _ in range(60):
                page.keyboard.press("Tab")
                if page.evaluate(
                    f"(() => {{ const a = document.activeElement; return {script} }})()"
                ):
                    return
            raise AssertionError(f"Tab never came to {script}")

        tab_to("a.getAttribute('aria-label') === 'Seeds'")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        says(page, "Press Run to see what they do.")
        tab_to("a.tagName === 'BUTTON' && a.innerText.trim() === 'Run'")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("stMetricValue").first).to_have_text(
            re.compile("of 3"), timeout=PATIENCE
        )
        says(page, "Finished after")


def test_a_closed_tab_stops_its_run(app, visit):
    with visit("reinforce", ENDLESS | {"rng_seed": 52}) as page:
        path, _ = writer(app, 52, page)
    until(lambda: not writers_of(path))
    assert not path.with_suffix(".done").exists()


def test_a_killed_worker_is_a_sentence_and_run_works_again(app, visit):
    with visit("reinforce", ENDLESS | {"rng_seed": 53}) as page:
        path, worker = writer(app, 53, page)
        os.kill(worker, signal.SIGKILL)
        says(page, re.compile("worker process of this run died"))
        press(page, "Try again")
        again, _ = writer(app, 53, page)
        assert again != path
        says(page, re.compile("Update [1-9][0-9]* of 300"))


def reach(page, update):
    """Wait until the run on the page has come to this update."""
    page.wait_for_function(
        "(least) => Number(document.querySelector('[data-testid=stProgress]')?.innerText"
        ".match(/Update ([0-9]+) of/)?.[1]) >= least",
        arg=update,
    )


def is_well(page):
    """Neither Streamlit's red box nor a sentence about a fault."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_shorter_run_after_a_longer_one_takes_the_time_machine_with_it(visit, ready):
    with visit("reinforce", ENDLESS | {"num_seeds": 16, "rng_seed": 77}) as page:
        reach(page, 14)
        press(page, "Stop")
        says(page, "Stopped after")
        expect(title_of_the_player(page)).to_contain_text(re.compile("update [1-9][0-9],"))
        press(page, "Run")
        reach(page, 1)
        press(page, "Stop")
        says(page, "Stopped after")
        ready(page)
        expect(title_of_the_player(page)).to_contain_text(re.compile("update [1-9][0-9]*,"))
        is_well(page)


def test_all_workers_killed_at_once_are_one_sentence_and_run_works_again(app, visit, ready):
    with visit("reinforce", ENDLESS | {"num_seeds": 16, "rng_seed": 78}) as page:
        _, worker = writer(app, 78, page)
        reach(page, 5)
        for process in psutil.Process(worker).parent().children():
            process.kill()
        says(page, re.compile("worker process of this run died|worker processes .* died"))
        ready(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stAlert")).to_have_count(1)
        press(page, "Try again")
        reach(page, 1)
        press(page, "Stop")
        says(page, "Stopped after")
        ready(page)
        is_well(page)


def test_a_folder_of_recordings_that_is_deleted_during_a_run_is_one_sentence(
    tmp_path, serve, chromium, ready
):
    folder = tmp_path / "recordings"
    with serve("streamlit_app.py", PGVIZ_RUNS=str(folder)) as url:
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}/reinforce?{urlencode(ENDLESS | {'num_seeds': 16})}")
        reach(page, 3)
        shutil.rmtree(folder)
        says(page, "its recording was deleted")
        ready(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stAlert")).to_have_count(1)
        press(page, "Try again")
        reach(page, 1)
        is_well(page)
        page.close()


def test_under_a_base_path_every_printed_link_leads_to_its_page(serve, chromium, ready):
    with serve("streamlit_app.py", STREAMLIT_SERVER_BASE_URL_PATH="pg") as url:
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        for record in PAGES[1:]:
            page.goto(f"{url}/pg/{record.slug}")
            ready(page)
            link = page.get_by_test_id("stCode").filter(has_text=f"{url}/pg/{record.slug}?").first
            link.wait_for()
            answer = page.goto(link.inner_text().strip())
            assert answer.ok
            says(page, record.question)
            expect(page.get_by_role("dialog")).to_have_count(0)
        page.close()


def test_a_lost_connection_that_comes_back_stops_no_section(serve, chromium, ready):
    with serve("streamlit_app.py", PGVIZ_GRACE_S="2") as url:
        page, ends = chromium.new_page(), []
        page.set_default_timeout(PATIENCE)
        page.route_web_socket(
            re.compile("_stcore/stream"), lambda end: ends.extend([end, end.connect_to_server()])
        )
        page.goto(f"{url}/gae")
        ready(page)
        press(page, "Run the sweep")
        says(page, re.compile("[01] of 7 runs have ended, the others are under way"))
        for end in [*ends]:
            end.close(code=1001)
        says(page, "7 of 7 runs have ended.")
        assert len(ends) > 2  # it was another connection
        page.close()


def test_home_can_be_asked_for_by_its_name(app, chromium, ready):
    page = chromium.new_page()
    page.goto(f"{app.url}/home?psi=gae")
    ready(page)
    says(page, "the critic is believed the less")
    assert page.url == f"{app.url}/?psi=gae"
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.close()


def test_two_readers_with_the_same_settings_share_one_run(app, visit):
    settings = ENDLESS | {"rng_seed": 54}
    with visit("reinforce", settings) as one, visit("reinforce", settings) as other:
        for page in (one, other):
            says(page, re.compile("Update [1-9][0-9]* of 300"))
        press(other, "Run")
        assert len(recordings_of(app, 54)) == 1
        press(one, "Stop")
        says(one, "You stopped watching; the run goes on for others.")
        (path,) = recordings_of(app, 54)
        size = path.stat().st_size
        until(lambda: path.stat().st_size > size, other)
        says(other, re.compile("Update [1-9][0-9]* of 300"))


# ── the time machine ────────────────────────────────────────────────────────────────────────────


def test_the_time_machine_answers_the_keyboard_and_is_a_link(app, visit, chromium):
    with visit("reinforce", SMALL) as page:
        says(page, "Finished after 20 updates")
        player = page.locator(".player")
        title = title_of_the_player(page)
        expect(title).to_have_text("Seed 0 at update 20, episode 0")
        lengths = set()
        page.locator(".st-key-update [role=slider], .st-key-update input").first.focus()
        for update in (19, 18, 17):
            page.keyboard.press("ArrowLeft")
            expect(title).to_have_text(f"Seed 0 at update {update}, episode 0")
            lengths.add(player.get_attribute("data-num-steps"))
        page.keyboard.press("Home")
        expect(title).to_have_text("Seed 0 at update 0, episode 0")
        lengths.add(player.get_attribute("data-num-steps"))
        assert len(lengths) > 1
        page.keyboard.press("ArrowRight")
        expect(title).to_have_text("Seed 0 at update 1, episode 0")
        page.wait_for_function("location.search.includes('update=1')")
        page.reload()
        expect(title).to_have_text("Seed 0 at update 1, episode 0", timeout=PATIENCE)


def test_the_episode_plays_and_pauses_on_the_page(visit):
    with visit("reinforce", SMALL) as page:
        says(page, "Finished after 20 updates")
        player = page.locator(".player")
        expect(player).to_have_attribute("data-state", "paused")
        player.get_by_role("button", name="Quarter speed").click()
        player.get_by_role("button", name="Play", exact=True).click()
        expect(player).to_have_attribute("data-state", "playing")
        expect(player).not_to_have_attribute("data-step", "0")
        player.get_by_role("button", name="Pause", exact=True).click()
        expect(player).to_have_attribute("data-state", "paused")


# ── for everybody, everywhere ───────────────────────────────────────────────────────────────────


def test_the_time_machine_opens_while_the_run_goes_on(visit):
    with visit("reinforce", ENDLESS | {"rng_seed": 12}) as page:
        says(page, "of 300")
        expect(page.locator(".player")).to_be_visible(timeout=PATIENCE)
        says(page, "Recorded so far")
        press(page, "Stop")


def test_the_race_streams_into_one_picture_until_a_verdict(visit):
    with visit("home") as page:
        press(page, "Start the race")
        says(page, "methods have ended")
        chart = page.locator("[data-testid=stVegaLiteChart] svg").filter(has_text="with a baseline")
        chart.wait_for()
        chart.evaluate("node => node.marked = true")
        says(page, "Fewest steps")
        assert chart.evaluate("node => node.marked")
        says(page, "Along this training")
        names = ("full return", "REINFORCE", "with a baseline", "actor-critic", "GAE")
        for name in names:
            assert chart.get_by_text(name, exact=True).count() == 1


def test_a_switch_of_the_actor_critic_is_run_and_judged(visit):
    with visit("actor-critic", {"switch": "share the network"}) as page:
        says(page, "Fewest steps")
        press(page, "Run with and without")
        says(page, "Share the network: 0 of 16 seeds were solved, 16 without.")


CUT = """() => [...document.querySelectorAll('.st-key-equation .katex-display')]
  .filter((shown) => shown.scrollWidth > shown.clientWidth).length"""
SETTLED = """() => {
  const status = document.querySelector('[data-testid=stProgress]');
  const ended = /Finished after|(\\d+) of \\1 methods have ended/;
  if (status && !ended.test(status.innerText)) return false;
  const unfinished = '.player[data-num-steps="0"], [data-testid=stSkeleton], [data-stale=true]';
  const charts = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')];
  const drawn = (chart) => !chart.checkVisibility() || chart.querySelector('svg, canvas');
  const grids = [...document.querySelectorAll('[data-testid=stDataFrame]')];
  const readable = (grid) => !grid.checkVisibility() || grid.querySelector('canvas th');
  return charts.length > 0 && charts.every(drawn) && grids.every(readable)
    && !document.querySelector(unfinished);
}"""


def settled(page):
    """The page with everything on it: its runs have ended, charts are drawn, tables can be read aloud."""
    page.wait_for_function(SETTLED)


@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_nobody_else_is_asked(visit, slug):
    with visit(slug) as page:
        settled(page)
        hosts = {
            urlsplit(url).hostname for url in page.asked if not url.startswith(("blob:", "data:"))
        }
        assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_axe_finds_nothing_of_ours(visit, ready, slug, scheme):
    with visit(slug, scheme=scheme) as page:
        settled(page)
        ready(page)
        assert page.evaluate(CUT) == 0  # the equation at the head of a page is seen whole
        found = Axe().run(page).response
        assert found["passes"]
        ours = [
            (violation["id"], node["target"], node["failureSummary"])
            for violation in found["violations"]
            for node in violation["nodes"]
            if not page.evaluate(
                "([selector, own]) => !!own && !!document.querySelector(selector)?.closest(own)",
                [node["target"][-1], STREAMLITS_OWN.get(violation["id"], "")],
            )
        ]
        assert ours == []


@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_a_telephone_needs_no_sideways_scrolling(visit, slug):
    with visit(slug, width=390) as page:
        settled(page)
        wide = page.evaluate(
            "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
            ".map((element) => element.scrollWidth)"
        )
        assert max(wide) <= 390
        assert page.evaluate(CUT) == 0
        boxes = [page.get_by_test_id("stVegaLiteChart").first]
        if slug == "reinforce":
            boxes.append(page.locator(".player"))
            boxes += [page.get_by_role("button", name=name, exact=True) for name in ("Run", "Stop")]
            boxes.append(page.get_by_label("Seeds", exact=True))
        for locator in boxes:
            box = locator.bounding_box()
            assert box["width"] > 20
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
