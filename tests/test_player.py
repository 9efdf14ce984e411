"""The CartPole player, played in a real browser."""

import json
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pgviz.ui import player

SCRIPT = """
import json
from pathlib import Path
import streamlit as st
from pgviz.ui.player import cartpole_player

episodes = json.loads(Path(__file__).with_name("episodes.json").read_text())
name = st.radio("Episode", [*episodes, "none"], key="episode", bind="query-params")
word = st.text_input("Elsewhere")
if name != "none":
    cartpole_player(episodes[name], key="player", title=f"The {name} episode {word}", gamma=0.9)
st.write(f"script ran for {name} {word}")
"""


def episode(num_steps, *, terminated=False, truncated=False):
    t = np.arange(num_steps + 1)
    p_right = 0.5 + 0.4 * np.sin(t[:-1] / 3)
    return {
        "x": (2 * np.sin(t / 40)).tolist(),
        "angle": (0.15 * np.sin(t / 7)).tolist(),
        "actions": (p_right > 0.5).astype(int).tolist(),
        "p_right": p_right.tolist(),
        "rewards": [1.0] * num_steps,
        "terminated": terminated,
        "truncated": truncated,
    }


EPISODES = {
    "long": episode(3000, truncated=True),
    "short": episode(12, terminated=True),
    "single": episode(1, terminated=True),
    "empty": episode(0),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory, serve):
    script = tmp_path_factory.mktemp("player") / "app.py"
    script.write_text(SCRIPT)
    script.with_name("episodes.json").write_text(json.dumps(EPISODES))
    with serve(script) as url:
        yield url


@pytest.fixture
def visit(app, chromium, ready):
    """`with visit(episode) as player:` opens the page, and asks at the end whether it complained."""

    @contextmanager
    def visiting(name, *, motion="reduce", scheme="light", width=1000):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, reduced_motion=motion, color_scheme=scheme
        )
        page = context.new_page()
        complaints, requests, sent = [], [], []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.on("request", lambda request: requests.append(request.url))
        page.on(
            "websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame))
        )
        page.goto(f"{app}/?episode={name}")
        ready(page)
        expect(page.get_by_text(f"script ran for {name}")).to_be_visible()
        root = page.locator(".player")
        yield SimpleNamespace(
            page=page,
            root=root,
            scrubber=page.get_by_label("Step of the episode"),
            button=lambda label: root.get_by_role("button", name=label, exact=True),
            at=lambda step: expect(root).to_have_attribute("data-step", str(step)),
            is_=lambda state: expect(root).to_have_attribute("data-state", state),
            step=lambda: int(root.get_attribute("data-step")),
            requests=requests,
            sent=sent,
        )
        context.close()
        assert complaints == []

    return visiting


def show(player, name):
    player.page.get_by_text(name, exact=True).click()
    expect(player.page.get_by_text(f"script ran for {name}")).to_be_visible()


def test_five_hundred_steps_are_a_small_message(monkeypatch):
    sent = {}
    monkeypatch.setattr(player, "_player", lambda *, key, data: sent.update(data))
    player.cartpole_player(EPISODES["short"] | episode(500), key="k", title="t")
    assert len(json.dumps(sent)) < 18_000


def test_lists_that_do_not_fit_together_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="an episode of 12 actions has 13 states"):
        player.cartpole_player(EPISODES["short"] | {"x": [0.0]}, key="k", title="t")


@pytest.mark.browser
def test_an_episode_plays_by_itself_to_its_end_and_stays_there(visit):
    with visit("short", motion="no-preference") as player:
        player.is_("ended")
        player.at(12)
        expect(player.root.get_by_role("status")).to_have_text("fell (terminated)")
        expect(player.root.locator(".return")).to_have_text("12")
        expect(player.root.locator(".discounted-return")).to_have_text("7.18")  # (1 − 0.9¹²) / 0.1


@pytest.mark.browser
def test_reduced_motion_shows_the_first_frame_and_waits(visit):
    with visit("short") as player:
        player.is_("paused")
        player.at(0)
        player.button("Step forward").click()
        player.at(1)
        player.button("Step back").click()
        player.at(0)


@pytest.mark.browser
def test_pause_stops_and_play_goes_on_from_there(visit):
    with visit("long", motion="no-preference") as player:
        player.is_("playing")
        player.button("Pause").click()
        player.is_("paused")
        stopped_at = player.step()
        player.page.evaluate("new Promise((go) => setTimeout(go, 200))")
        player.at(stopped_at)
        player.button("Play").click()
        player.page.wait_for_function(
            "([root, step]) => Number(root.dataset.step) > step",
            arg=[player.root.element_handle(), stopped_at],
        )
        player.is_("playing")


@pytest.mark.browser
def test_play_at_the_end_and_restart_begin_at_the_first_step(visit):
    with visit("short") as player:
        for button in ("Play", "Restart"):
            player.scrubber.fill("12")
            player.is_("ended")
            player.button("Quarter speed").click()
            player.button(button).click()
            player.is_("playing")
            player.is_("ended")
            player.at(12)


@pytest.mark.browser
def test_the_scrubber_goes_anywhere_and_says_where(visit):
    with visit("long") as player:
        player.scrubber.fill("37")
        player.at(37)
        expect(player.scrubber).to_have_attribute("aria-valuetext", "step 37 of 3000, return 37")
        expect(player.root.get_by_role("img")).to_have_attribute(
            "aria-label",
            "CartPole at step 37 of 3000: cart 1.60 m right of the centre, "
            "pole 7.2° left of the vertical, force to the left",
        )
        box = player.scrubber.bounding_box()
        player.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
        player.at(1500)
        player.scrubber.fill("3000")
        expect(player.root.get_by_role("status")).to_have_text("stopped at 3000 (truncated)")


@pytest.mark.browser
def test_keys_move_the_player_only_while_it_has_the_focus(visit):
    with visit("long") as player:
        press = player.page.keyboard.press
        player.scrubber.focus()
        for key, step in [("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 3000)]:
            press(key)
            player.at(step)
        press("Home")
        player.at(0)
        press("Space")
        player.is_("playing")
        press("Space")
        player.is_("paused")

        player.scrubber.fill("5")
        player.page.get_by_label("Elsewhere").focus()
        press("ArrowRight")
        press("Space")
        player.at(5)
        player.is_("paused")


@pytest.mark.browser
def test_a_click_leaves_the_keys_with_the_episode(visit):
    with visit("long") as player:
        player.button("Four times speed").click()
        player.page.keyboard.press("ArrowRight")
        player.at(1)
        player.page.keyboard.press("Space")
        player.is_("playing")


@pytest.mark.browser
def test_another_episode_replaces_the_one_that_plays(visit):
    with visit("long", motion="no-preference") as player:
        player.is_("playing")
        show(player, "short")
        expect(player.root).to_have_attribute("data-num-steps", "12")
        player.is_("ended")
        player.at(12)
        expect(player.root.get_by_text("The short episode")).to_be_visible()


@pytest.mark.browser
def test_the_same_episode_under_a_new_title_keeps_its_place(visit):
    with visit("long") as player:
        player.scrubber.fill("37")
        elsewhere = player.page.get_by_label("Elsewhere")
        elsewhere.fill("rerun")
        elsewhere.press("Enter")
        expect(player.root.get_by_text("The long episode rerun")).to_be_visible()
        player.at(37)
        player.at(37)
        player.is_("paused")


@pytest.mark.browser
def test_a_player_taken_off_the_page_stands_still(visit):
    with visit("long", motion="no-preference") as player:
        player.is_("playing")
        root = player.root.element_handle()
        show(player, "none")
        expect(player.root).to_have_count(0)
        before = root.evaluate("(root) => root.dataset.step")
        after = root.evaluate(
            "(root) => new Promise((go) => setTimeout(() => go(root.dataset.step), 200))"
        )
        assert after == before


@pytest.mark.browser
@pytest.mark.parametrize("name", ["empty", "single"])
def test_the_shortest_episodes_answer_every_control(visit, name):
    num_steps = len(EPISODES[name]["actions"])
    with visit(name, motion="no-preference") as player:
        player.is_("ended")
        for label in ("Step back", "Step forward", "Restart", "Play"):
            player.button(label).click()
            player.is_("paused" if label == "Step back" and num_steps else "ended")
        player.at(num_steps)


@pytest.mark.browser
def test_playing_says_nothing_to_the_server_and_nobody_else_is_asked(visit):
    with visit("short") as player:
        requests, sent = len(player.requests), len(player.sent)
        player.button("Play").click()
        player.is_("playing")
        player.is_("ended")
        assert (len(player.requests), len(player.sent)) == (requests, sent)
        hosts = {urlsplit(url).hostname for url in player.requests if not url.startswith("blob:")}
        assert hosts == {"127.0.0.1"}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, scheme):
    with visit("short", scheme=scheme) as player:
        for step in ("3", "12"):
            player.scrubber.fill(step)
            found = Axe().run(player.page, context=".stBidiComponent").response
            assert found["passes"]
            assert [violation["id"] for violation in found["violations"]] == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [340, 390])
def test_a_telephone_needs_no_sideways_scrolling(visit, width):
    with visit("long", width=width) as player:
        player.button("Four times speed").hover()  # its tooltip must fit as well
        assert player.page.evaluate("document.documentElement.scrollWidth") == width
        box = player.root.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert player.root.evaluate("(root) => root.scrollWidth <= root.clientWidth")


@pytest.mark.browser
def test_nothing_jumps_from_step_to_step_or_episode_to_episode(visit):
    with visit("long") as player:
        height = player.root.bounding_box()["height"]
        for name, step in [("long", 3000), ("short", 3), ("short", 12), ("empty", 0)]:
            show(player, name)
            player.scrubber.fill(str(step))
            assert player.root.bounding_box()["height"] == height
