"""The walk: where Back and Next lead, what an address sets, and what a visitor's browser may hand in."""

import json
from contextlib import suppress
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.runtime.state.query_params import QueryParams

from pgviz import figures, sheets
from pgviz.lessons import PAGES, glossary, page_of
from pgviz.lessons.tracks import TRACKS
from pgviz.ui.exercise import with_gaps
from tests.walks import opened


def title(app):
    return app.title[0].value


def test_next_leads_from_step_to_step_and_back_leads_back():
    app = opened("home", "start")
    seen = [title(app)]
    for _ in range(3):
        app.button(key="walk-next").click().run()
        seen.append(title(app))
    assert seen == [step.title for step in page_of("home").steps]
    app.button(key="walk-back").click().run()
    assert title(app) == page_of("home").steps[2].title


def test_home_opens_for_those_who_left_at_the_first_step():
    """Begin and Go on lead to one place then, as do two steps of Home when all are shown."""
    app = opened("theorem", "guess")
    app.switch_page("pages/home.py")
    app.query_params.clear()
    for _ in range(2):
        app.run()
        assert not app.error
        assert title(app) == page_of("home").steps[0].title
        app.query_params["all"] = "1"


def test_the_last_step_of_a_page_leads_to_the_first_of_the_next():
    app = opened("home", "reading")
    app.button(key="walk-next").click().run()
    assert title(app) == page_of("theorem").steps[0].question
    app.button(key="walk-back").click().run()
    assert title(app) == page_of("home").steps[-1].title


def test_a_step_that_does_not_exist_opens_the_first_one_and_says_so():
    app = opened("home", "<script>")
    assert title(app) == page_of("home").steps[0].title
    assert any("has no step" in caption.value for caption in app.caption)
    assert not any("<script>" in caption.value for caption in app.caption)


def test_what_is_set_in_one_step_is_still_set_after_other_steps():
    app = opened("theorem", "policy", theta="1.0")
    app.button(key="walk-back").click().run()
    app.button(key="walk-next").click().run()
    assert app.select_slider(key="theta").value == 1.0


def test_what_comes_with_the_old_address_after_next_does_not_turn_the_step_back():
    app = opened("theorem", "policy", theta="1.0")
    app.button(key="walk-next").click().run()
    following = title(app)
    app.query_params["step"] = "policy"  # the browser has not yet heard of the next step
    app.run()
    assert title(app) == following
    app.query_params["step"] = "objective"  # now it has
    app.run()
    app.query_params["step"] = "policy"  # and who asks for this, means it
    assert title(app.run()) == page_of("theorem").step("policy").title


def test_an_address_that_says_nothing_new_is_not_told_to_the_browser():
    """Told late, it would be an entry in the browser's history that no one has made."""
    app = opened("theorem", "policy", theta="1.0")
    app.query_params["theta"] = "-1.0"
    with patch.object(QueryParams, "_send_query_param_msg") as told:
        app.run()
    assert not told.called


def test_a_question_shows_no_answer_before_it_is_answered():
    step = page_of("theorem").steps[0]
    app = opened("theorem", step.slug)
    marks = app.get("bidi_component")[0].proto.json
    assert title(app) == step.question
    assert step.title not in marks
    assert not app.get("vega_lite_chart")
    app.button(key="pass-theorem-guess").click().run()
    assert title(app) == step.title
    app.button(key="again-theorem-guess").click().run()
    assert title(app) == step.question


def test_in_a_lecture_one_key_passes_the_question_shows_the_settings_and_goes_on():
    app = opened("theorem", "guess", present="1")
    app.button(key="walk-next").click().run()
    assert title(app) == page_of("theorem").steps[0].title
    app.button(key="walk-next").click().run()
    assert title(app) == page_of("theorem").steps[1].title
    shown = []
    for _ in page_of("theorem").beats(page_of("theorem").steps[1]):
        app.button(key="walk-next").click().run()
        shown.append(app.select_slider(key="theta").value)
    assert [{"theta": value} for value in shown] == [
        *page_of("theorem").beats(page_of("theorem").steps[1])
    ]


@pytest.mark.parametrize("name", TRACKS)
def test_a_track_is_made_of_steps_that_exist_and_fits_its_time(name):
    track = TRACKS[name]
    for stop in track.stops:
        assert page_of(stop.page).step(stop.step) is not None, stop
    assert sum(stop.minutes for stop in track.stops) == track.minutes


def test_reset_brings_back_how_a_step_opens():
    app = opened("theorem", "policy", theta="2.0")
    app.button(key="walk-reset").click().run()
    assert app.select_slider(key="theta").value != 2.0


# --- progress: whatever a file says, nothing but facts about steps is kept ---


@settings(deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
))  # fmt: skip
def test_any_json_is_progress_or_is_refused_in_a_sentence(document):
    for content in (
        document,
        {"pgviz": 1, "steps": document},
        {"pgviz": 1, "steps": {"a/b": document}},
    ):
        with suppress(sheets.SheetError):
            kept, _ = sheets.parsed(json.dumps(content))
            for record in kept.values():
                assert set(record) <= {"guess", "passed", "answered"}


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", "", "[" * 10_000, "x" * 300_000, '{"pgviz": 2}', "null", '{"pgviz": 1}'],
)
def test_a_file_that_is_no_progress_is_refused_in_a_sentence(content):
    with pytest.raises(sheets.SheetError, match=r"\.$"):
        sheets.parsed(content)


# --- words ---


def test_a_hint_stands_at_the_first_mention_of_a_known_term_and_in_no_formula():
    page = page_of("reinforce")
    text = glossary.with_hints("A policy, its $policy$ and the policy.", page, page.steps[0])
    assert text.count('class="term"') == 1
    assert text.index("term") < text.index("$policy$")


def test_definitions_use_no_term_that_is_defined_later():
    order = [n for page in PAGES for step in page.steps for n in step.introduces]
    for name, term in glossary.TERMS.items():
        for other in glossary.mentioned(term.definition):
            assert order.index(other) <= order.index(name), f"{name}: {other}"


def test_numbers_in_sentences_have_few_digits_and_real_minus_signs():
    written = [figures.number(x) for x in (0.8726, -13.714, 1466, 2.1e-7, 0, 1e12, -0.00012)]
    assert written == ["0.873", "−13.7", "1,466", "2.1·10⁻⁷", "0", "1·10¹²", "−0.00012"]
    assert (figures.fixed(-0.001), figures.signed(0.5), figures.percent(0.586)) == (
        "0.00", "+0.50", "59 %",
    )  # fmt: skip


def test_gaps_take_lines_out_of_the_solution_and_say_what_belongs_there():
    solution = "def f(x):\n    y = x + 1\n    return y\n"
    assert with_gaps(solution, {"y = x + 1": "one more"}) == (
        "def f(x):\n    y = ...  # gap 1: one more\n    return y\n"
    )
    with pytest.raises(ValueError, match="0 times"):
        with_gaps(solution, {"z = 1": "not there"})


@pytest.mark.browser  # for its length, not for a browser
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_can_show_all_of_its_steps(page):
    app = opened(page.slug, page.steps[0].slug, all=1)
    assert not app.error
    assert len(app.title) == len(page.steps)
