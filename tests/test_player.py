"""The player of CartPole and of Acrobot, played in a real browser."""

import json
import time
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pgviz.ui import player
from tests.real import ready, served

SCRIPT = """
import json
from pathlib import Path
import streamlit as st
from pgviz.ui.player import acrobot_player, cartpole_player

episodes = json.loads(Path(__file__).with_name("episodes.json").read_text())
name = st.radio("Episode", [*episodes, "none"], key="episode", bind="query-params")
word = st.text_input("Elsewhere")
if name != "none":
    show = acrobot_player if "angle_1" in episodes[name] else cartpole_player
    show(episodes[name], key="player", title=f"The {name} episode {word}", gamma=0.9)
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


def swings(num_steps, *, terminated=False, truncated=False):
    """An episode of Acrobot; where it terminates, both links stand nearly upright."""
    t = np.arange(num_steps + 1)
    angle_1 = np.sin(t)
    if terminated:
        angle_1[-1] = np.pi - 0.1
    logits = 2 * np.sin(t[:-1, None] + np.arange(3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {
        "angle_1": angle_1.tolist(),
        "angle_2": (-2 * np.sin(t) * (t < num_steps)).tolist(),
        "actions": (t[:-1] % 3).tolist(),
        "probabilities": probabilities.tolist(),
        "rewards": ([-1.0] * num_steps)[: num_steps - terminated] + [0.0] * terminated,
        "terminated": terminated,
        "truncated": truncated,
    }


EPISODES = {
    "long": episode(3000, truncated=True),
    "short": episode(12, terminated=True),
    "single": episode(1, terminated=True),
    "empty": episode(0),
    "swinging": swings(500, truncated=True),
    "swung": swings(12, terminated=True),
    "swing": swings(1, terminated=True),
    "hanging": swings(0),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    script = tmp_path_factory.mktemp("player") / "app.py"
    script.write_text(SCRIPT)
    script.with_name("episodes.json").write_text(json.dumps(EPISODES))
    with served(script) as url:
        yield url


@pytest.fixture
def visit(app, chromium):
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


def test_three_actions_are_a_small_message_too(monkeypatch):
    sent = {}
    monkeypatch.setattr(player, "_player", lambda *, key, data: sent.update(data))
    player.acrobot_player(EPISODES["swinging"], key="k", title="t")
    assert len(json.dumps(sent)) < 28_000


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"angle_2": [0.0]}, "an episode of 12 actions has 13 states"),
        ({"probabilities": [[1 / 3] * 3]}, "got angle_1, angle_2, probabilities, rewards of len"),
        ({"probabilities": [[1 / 2] * 2] * 12}, "3 actions, got probabilities of shape .2,. at st"),
    ],
)
def test_acrobot_is_refused_in_a_sentence_too(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        player.acrobot_player(EPISODES["swung"] | wrong, key="k", title="t")


@pytest.mark.browser
def test_an_episode_plays_by_itself_to_its_end_and_stays_there(visit):
    with visit("short", motion="no-preference") as player:
        player.is_("ended")
        player.at(12)
        expect(player.root.get_by_role("status")).to_have_text("fell (terminated)")
        expect(player.root.locator(".return")).to_have_text("12")
        expect(player.root.locator(".discounted-return")).to_have_text("7.18")  # (1 − 0.9¹²) / 0.1


@pytest.mark.browser
def test_acrobot_plays_by_itself_to_its_end_and_stays_there(visit):
    with visit("swung", motion="no-preference") as player:
        player.is_("ended")
        player.at(12)
        status = player.root.get_by_role("status")
        expect(status).to_have_text("tip above the line (terminated)")
        expect(player.root.locator(".return")).to_have_text("−11")  # the last reward is 0
        expect(player.root.locator(".discounted-return")).to_have_text("−6.86")


@pytest.mark.browser
def test_acrobot_plays_fifteen_steps_a_second(visit):
    with visit("swung") as player:
        began = time.monotonic()
        player.button("Play").click()
        player.is_("playing")
        player.is_("ended")
        assert time.monotonic() - began > 12 / 15
        expect(player.button("Normal speed")).to_have_attribute(
            "data-tip", "15 steps a second, 3 × real time"
        )


@pytest.mark.browser
@pytest.mark.parametrize("name", ["long", "swinging"])
def test_the_drawing_moves_between_two_steps(visit, name):
    with visit(name) as player:
        player.button("Quarter speed").click()
        player.button("Play").click()
        player.is_("playing")
        pictures = player.root.evaluate(
            """async (root) => {
                const pictures = {};
                const [scene] = root.getElementsByClassName("scene");
                while (Object.keys(pictures).length < 4) {
                    await new Promise(requestAnimationFrame);
                    (pictures[root.dataset.step] ??= new Set()).add(scene.toDataURL());
                }
                return Object.values(pictures).map((drawn) => drawn.size);
            }"""
        )
        assert max(pictures) > 1


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
def test_the_scrubber_of_acrobot_shows_three_probabilities_and_the_torque(visit):
    with visit("swinging") as player:
        player.scrubber.fill("37")
        expect(player.root.get_by_role("img")).to_have_attribute(
            "aria-label",
            "Acrobot at step 37 of 500: first link 36.9° left and second link 36.9° right of "
            "straight down, tip 2.60 m below the line, torque 0",
        )
        expected = [f"{p:.3f}" for p in EPISODES["swinging"]["probabilities"][37]]
        rows = player.root.locator(".rows [data-action]")
        expect(rows.locator(".number")).to_have_text(expected[::-1])
        expect(player.root.locator(".taken .number")).to_have_text(expected[1])
        expect(player.root.locator(".action")).to_contain_text("torque 0")
        expect(player.root.get_by_text(f"sampled with probability {expected[1]}")).to_be_visible()
        player.scrubber.fill("38")
        expect(player.root.locator(".action")).to_contain_text("torque +1")
        player.scrubber.fill("39")
        expect(player.root.locator(".action")).to_contain_text("torque −1")
        player.scrubber.fill("500")
        expect(player.root.get_by_role("status")).to_have_text("stopped at 500 (truncated)")
        expect(rows.locator(".number")).to_have_text(["—"] * 3)


@pytest.mark.browser
def test_another_world_replaces_the_one_that_plays(visit):
    with visit("long", motion="no-preference") as player:
        player.is_("playing")
        expect(player.root.locator(".p-right")).to_be_visible()
        show(player, "swung")
        player.is_("ended")
        player.at(12)
        expect(player.root.locator(".p-right")).to_be_hidden()
        expect(player.root.locator(".rows")).to_be_visible()
        expect(player.root.get_by_text("π(torque | s) at every step")).to_be_visible()
        show(player, "short")
        player.is_("ended")
        expect(player.root.locator(".p-right")).to_be_visible()
        expect(player.root.get_by_role("status")).to_have_text("fell (terminated)")


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
@pytest.mark.parametrize("name", ["empty", "single", "hanging", "swing"])
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
@pytest.mark.parametrize("name", ["short", "swung"])
def test_axe_finds_nothing(visit, name, scheme):
    with visit(name, scheme=scheme) as player:
        for step in ("3", "12"):
            player.scrubber.fill(step)
            found = Axe().run(player.page, context=".stBidiComponent").response
            assert found["passes"]
            assert [violation["id"] for violation in found["violations"]] == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [340, 390])
@pytest.mark.parametrize("name", ["long", "swinging"])
def test_a_telephone_needs_no_sideways_scrolling(visit, name, width):
    with visit(name, width=width) as player:
        for speed in ("Quarter speed", "Normal speed", "Four times speed"):
            player.button(speed).hover()  # its tooltip must fit as well
            assert player.page.evaluate("document.documentElement.scrollWidth") == width
        assert player.page.evaluate("document.documentElement.scrollWidth") == width
        box = player.root.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert player.root.evaluate("(root) => root.scrollWidth <= root.clientWidth")


@pytest.mark.browser
def test_nothing_jumps_from_step_to_step_or_episode_to_episode(visit):
    with visit("long") as player:
        height = player.root.bounding_box()["height"]
        for name, step in [
            ("long", 3000),
            ("short", 3),
            ("short", 12),
            ("empty", 0),
            ("swinging", 37),
            ("swung", 12),
            ("hanging", 0),
        ]:
            show(player, name)
            player.scrubber.fill(str(step))
            assert player.root.bounding_box()["height"] == height
