"""A fault outside the frame's `try` is one sentence, and no widget is drawn outside its limits."""

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pgviz.ui import controls, page
from pgviz.ui.controls import Choice, Number
from tests.test_app import (
    button,
    check,
    components,
    control,
    one_run,
    recordings,
    servers,
    visit,
)

__all__ = ["one_run", "recordings", "servers"]  # fixtures

REPO = Path(__file__).parent.parent
SOURCES = sorted([*(REPO / "pages").glob("*.py"), *(REPO / "pgviz" / "ui").rglob("*.py")])


def fails(*_, **__):
    raise ZeroDivisionError("secret detail")


def calls(name):
    """Where the pages call something of this name: (file, call)."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == name:
                yield path.name, node


def test_every_callback_of_a_widget_is_guarded():
    given = [
        (path.name, node.value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg in ("on_click", "on_change")
    ]
    callbacks = [(name, value) for name, value in given if not isinstance(value, ast.Constant)]
    assert callbacks
    for name, value in callbacks:
        assert isinstance(value, ast.Call), (name, ast.unparse(value))
        assert ast.unparse(value.func).endswith("guarded"), (name, ast.unparse(value))


def test_every_fragment_is_guarded():
    used = [
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.fragment"
    ]
    assert used == ["guard.py"]


@pytest.mark.parametrize("widget", ["slider", "select_slider", "number_input"])
def test_every_number_in_an_address_is_drawn_by_the_one_function_that_keeps_it_within(widget):
    bound = [
        name for name, call in calls(widget) if any(k.arg in ("bind", None) for k in call.keywords)
    ]
    assert set(bound) == {"controls.py"}


def test_a_callback_that_fails_is_one_sentence_and_the_page_goes_on(one_run, monkeypatch):
    at = check(visit("reinforce"))
    monkeypatch.setattr("pgviz.ui.time_machine.forget", fails)
    button(at, "Reset").click()
    at.run()
    assert not at.exception
    assert len(at.error) == 1
    assert "secret" not in str(at.main)
    assert [header.value for header in at.header][-1] == "Share and reproduce"
    check(at.run())


def test_a_fragment_that_fails_is_one_sentence_and_the_page_goes_on(one_run, monkeypatch):
    monkeypatch.setattr("pgviz.ui.time_machine.watch", fails)
    at = visit("reinforce")
    assert not at.exception
    assert len(at.error) == 1
    assert "secret" not in str(at.main)
    assert [header.value for header in at.header][-1] == "Share and reproduce"


@pytest.mark.parametrize("slug", ["reinforce", "baselines"])
def test_what_a_longer_run_left_behind_becomes_what_this_one_has(one_run, slug):
    at = AppTest.from_file(REPO / "streamlit_app.py", default_timeout=120)
    at._bidi_component_manager = components()
    at.session_state["update"], at.session_state["seed"] = 14, 31
    check(at.switch_page(f"pages/{slug}.py").run())
    assert control(at, "update").value == one_run.config.num_updates
    assert control(at, "seed").value == one_run.config.num_seeds - 1


@pytest.mark.parametrize(
    ("control", "remembered", "kept"),
    [
        (Number("x", "", 0, 10), 14, 10),
        (Number("x", "", 3, 10), 2, 3),
        (Number("x", "", 3, 10), 7, 7),
        (Number("x", "", 3, 10), "seven", None),
        (Number("x", "", 3, 10), float("nan"), None),
        (Choice("x", "", (0.5, 0.9, 1.0)), 0.97, 1.0),
        (Choice("x", "", (0.5, 0.9, 1.0)), 0.9, 0.9),
        (Choice("x", "", ("a", "b")), "yours", None),
        (Choice("x", "", (True, False)), True, True),
    ],
)
def test_a_remembered_value_becomes_the_nearest_that_the_control_holds(
    monkeypatch, control, remembered, kept
):
    state = {"x": remembered}
    monkeypatch.setattr(controls.st, "session_state", state)
    controls.keep_within(control)
    assert state.get("x") == kept


@pytest.mark.parametrize(
    ("seen", "link"),
    [
        ("http://localhost:8501/gae", "http://localhost:8501/gae"),
        ("http://localhost:8501/pg/gae?lam=0.5", "http://localhost:8501/pg/gae"),
        ("https://host/a/b/gae/", "https://host/a/b/gae"),
        ("https://host/a/b", "https://host/a/b/gae"),
        ("https://host/a/theorem", "https://host/a/gae"),
        (None, "/pg/gae"),
    ],
)
def test_a_link_keeps_what_stands_before_the_page_in_the_browsers_address(monkeypatch, seen, link):
    monkeypatch.setattr(st, "context", SimpleNamespace(url=seen))
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": "/pg/"}.get)
    assert page.base_url("gae") == link
