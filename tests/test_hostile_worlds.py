"""Worlds as large as a visitor may bring: the work and the memory of one view have a bound.

Work is counted, not timed: how often a policy is asked for, a file read, a picture worked out.
"""

import tracemalloc

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pgviz.exact import trajectories
from pgviz.in_memory import memory
from pgviz.kept import Kept
from pgviz.measure import theorem
from pgviz.proofs import derivation
from pgviz.proofs.derivation import derivations
from pgviz.proofs.receipts import listed, read_out
from pgviz.ui import world as ui_world
from pgviz.ui.world import CAN_SHOW
from pgviz.worlds.files import world_document
from pgviz.worlds.named import named_worlds
from pgviz.worlds.tabular import TabularMDP
from pgviz.worlds.visitors import admitted

ACTIONS, FEATURES = 12, 10


@pytest.fixture(scope="module")
def world():
    """40 states, 12 actions, 10 features, and as many episodes as are listed."""
    rng, states = np.random.default_rng(0), 40
    transitions = np.zeros((states, ACTIONS, states + 1))
    for place in np.ndindex(states, ACTIONS):
        transitions[(*place, rng.integers(states))] = 1
    drawn = TabularMDP(
        "hostile",
        transitions,
        rng.normal(size=transitions.shape).round(3),
        np.eye(states)[0],
        0.95,
        50,
        rng.normal(size=(states, FEATURES)).round(3),
        rng.normal(size=(FEATURES, ACTIONS)).round(3),
    )
    return admitted(world_document(drawn).encode())


def test_a_derivation_asks_for_the_policy_a_few_times_per_parameter(world, monkeypatch):
    """Once it was asked for every episode anew, 144 of them."""
    asked = []
    plain = derivation.policy_at
    monkeypatch.setattr(derivation, "policy_at", lambda *a: asked.append(1) or plain(*a))
    few = listed(world)
    assert few is not None
    assert trajectories.num_trajectories(few, few.horizon) == ACTIONS**2
    for name in derivations:
        readings = read_out(world, name, None, 100, 0)
        assert all(reading.mark in ("holds", "open") for reading in readings)
    assert len(asked) <= 10 * world.theta.size


def test_how_long_episodes_may_be_listed_is_found_without_counting_far_beyond(world, monkeypatch):
    steps = []
    plain = trajectories.numbers_of_trajectories

    def counted(*arguments):
        for number in plain(*arguments):
            steps.append(number)
            yield number

    monkeypatch.setattr("pgviz.proofs.receipts.numbers_of_trajectories", counted)
    listed(world)
    assert steps == [1, ACTIONS, ACTIONS**2, ACTIONS**3]


def test_no_picture_of_a_large_world_takes_much_memory(world, monkeypatch):
    """A curve once held Q at every p and every step: 70 MB for each turn of the knob."""
    monkeypatch.setattr(theorem, "NUM_STEPS", 8)
    pictures = {
        "objective_curve": (0,),
        "closing_in": (0,),
        "curl_of": (),
        "race": (0, "forget γᵗ", 0.1, 10, 0),
    }
    for name, arguments in pictures.items():
        tracemalloc.start()
        try:
            getattr(theorem, name)(world, *arguments)
            assert tracemalloc.get_traced_memory()[1] < 50e6, name
        finally:
            tracemalloc.stop()


def test_a_large_world_shows_less_and_says_so_and_no_other_does(world):
    assert theorem.num_steps(world) < theorem.NUM_STEPS
    shown = len(theorem.objective_curve(world, 0))
    assert f"{shown} points instead of {len(theorem.GRID)}" in theorem.size_in_words(world)
    assert not any(theorem.size_in_words(make()) for make in named_worlds.values())


@pytest.mark.parametrize("step", CAN_SHOW)
def test_a_view_reads_the_file_once_and_the_next_view_works_out_nothing(world, monkeypatch, step):
    st.cache_resource.clear()
    monkeypatch.setattr(theorem, "NUM_STEPS", 8)
    parsed, computed = [], []
    parse, once = ui_world.parse_world, Kept.once
    monkeypatch.setattr(ui_world, "parse_world", lambda text: parsed.append(1) or parse(text))

    def counting(self, key, work):
        return once(self, key, lambda: computed.append(key) or work())

    monkeypatch.setattr(Kept, "once", counting)
    app = AppTest.from_file("../streamlit_app.py", default_timeout=60)
    app.session_state[ui_world.DOCUMENT] = world_document(world)
    app.switch_page("pages/theorem.py")
    app.query_params["step"] = step
    app.run()
    assert not app.exception
    assert not app.error
    assert any(theorem.size_in_words(world) in caption.value for caption in app.caption)
    assert len(parsed) == 1
    first = len(computed)
    app.run()
    assert (len(parsed), len(computed)) == (1, first)
    own = [key for key in computed if key[0]]
    assert own
    assert all(key in memory for key in own)
    st.cache_resource.clear()  # as when the tab closes
    assert not any(key in memory for key in own)
