"""What holds for every step of every page: one idea, one screen."""

import re

import pytest

from pgviz.lessons import PAGES, glossary
from pgviz.ui.screen import MOST_CONTROLS, MOST_WORDS
from tests.walks import EVERY_STEP, revealed, words

LONGEST_TITLE = 9  # words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_steps_of_a_page_have_names_of_their_own_and_titles_that_fit(page):
    assert len({step.slug for step in page.steps}) == len(page.steps)
    for step in page.steps:
        for title in filter(None, (step.title, step.question)):
            assert len(title.split()) <= LONGEST_TITLE, title
        assert set(step.introduces) <= set(glossary.TERMS), step.slug


def test_every_term_of_the_glossary_is_introduced_by_some_core_step():
    introduced = {name for p in PAGES for s in p.steps if not s.deeper for name in s.introduces}
    assert introduced == set(glossary.TERMS)


@pytest.mark.parametrize(("page", "step"), EVERY_STEP)
def test_a_step_is_one_idea(page, step):
    """At most sixty words and three controls, one computed sentence, no term before its step."""
    app = revealed(page, step)
    assert not app.exception, app.exception[0].message
    assert not app.error, app.error[0].value

    text = " ".join(re.sub(r"<[^>]*>", "", part) for part in words(app, "words", page, step))
    assert len(spoken(text)) <= MOST_WORDS, f"{len(spoken(text))} words"
    assert len(page.controls(step)) <= MOST_CONTROLS
    says = words(app, "says", page, step)
    assert says, "a step ends with a computed sentence"
    assert all(says)

    known = glossary.introduced_before(page, step) | {*step.introduces}
    shown = " ".join([step.title, text, *says, *words(app, "gate", page, step)])
    shown = " ".join(spoken(shown))  # without formulas
    early = {name for name in glossary.mentioned(shown) if name not in known}
    assert not early, f"{early} not introduced yet"
    missing = {n for n in step.introduces if not glossary.TERMS[n].pattern.search(text)}
    assert not missing, f"{missing} introduced, but not in the words"


@pytest.mark.parametrize(("page", "step"), EVERY_STEP)
def test_beats_set_controls_of_their_step_to_values_they_can_take(page, step):
    by_name = {control.name: control for control in page.controls(step)}
    for beat in page.beats(step):
        for name, value in beat.items():
            assert by_name[name].holds(
                str(value).lower() if isinstance(value, bool) else str(value)
            )


def spoken(text: str) -> list[str]:
    """The words of a text; a formula counts as one."""
    return re.sub(r"\$\$?[^$]*\$\$?", "formula", text).split()
