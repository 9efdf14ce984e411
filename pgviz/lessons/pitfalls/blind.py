"""A blind case: look at a run, name what is wrong, find the line, and see the right one learn."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pgviz.figures import plural
from pgviz.lessons.pitfalls import CASES as PLACES
from pgviz.lessons.pitfalls.reading import BELOW, Reading
from pgviz.runs import Run
from pgviz.training.zoo import CASES, Case, Which
from pgviz.ui import progress, training
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.listing import without_docstring
from pgviz.ui.screen import Screen

MOST_LINES = 15  # of a function that is shown


@dataclass(frozen=True)
class Blind:
    """A case of training/zoo.py as a step.

    step     its slug
    report   what somebody who does not know the fault says of the run
    why      what the line does, told at the end
    others   cases whose titles are offered beside the right one
    telling  the instrument that tells it from them
    """

    step: str
    report: str
    why: str
    others: tuple[str, ...]
    telling: str

    @property
    def name(self) -> str:
        """In training/zoo.py."""
        return PLACES[self.step][0]

    @property
    def case(self) -> Case:
        """Its lines."""
        return CASES[self.name]

    @property
    def reading(self) -> Reading:
        """Its instruments."""
        return Reading(self.name)

    @property
    def runs(self) -> tuple:
        """What the server records ahead."""
        return self.reading.runs

    @property
    def controls(self) -> tuple[Choice, ...]:
        """The instrument."""
        return (self.reading.choice,)

    @property
    def beats(self) -> tuple[dict[str, str], ...]:
        """In a room: the return, then the instrument that tells."""
        return ({"instrument": "return"}, {"instrument": self.telling})

    @property
    def names(self) -> list[str]:
        """The faults that are offered, in the order of the zoo."""
        offered = (self.name, *self.others)
        return [title for name, _, title, _ in PLACES.values() if name in offered]

    @property
    def title(self) -> str:
        """The fault."""
        return PLACES[self.step][2]

    def draw(self, screen: Screen) -> None:
        """The step: it shows instruments until the fault is named, then code, then what it did."""
        place = (screen.page.slug, screen.step.slug)
        record = progress.of(*place)
        over = bool(record.get("passed"))
        named, _ = _answered(record)
        screen.words(f"{self.case.symptom} {self.why}" if over else self.report)
        if named and not over:
            with screen.picture():
                st.markdown("**One of these lines is wrong**")
                st.code(self.listing("wrong")[0], "python", line_numbers=True, wrap_lines=True)
            self._ask_line(screen)
            screen.says("The function that was changed, as it ran. Which line is it?")
            return
        instrument = self.reading.asked(screen)
        if not over:
            self._look(record, place, instrument)
            self._ask_name(screen)
        else:
            self._explain(screen, record)
        finished: list[Run] = []
        if instrument == "one update":
            self.reading.draw_update(screen)
        else:
            with screen.picture():
                self.reading.heading(instrument, "this run, and the right code")
            finished = training.recorded(
                screen,
                self.runs,
                lambda runs, before: self.reading.draw(screen, runs, instrument),
                height=screen.height - BELOW,
            )
            training.run_again(screen, self.runs, "Train both again", primary=over)
        screen.says(self.reading.sentence(instrument, finished))
        if over:
            screen.code(self.case.source("right"), self.case.source("wrong"))
            screen.command(f"python -m pgviz.measure.symptoms {self.name}")

    def listing(self, which: Which) -> tuple[str, int]:
        """The function without its docstring, or the part around the line; and the line's number."""
        source = textwrap.dedent(self.case.source(which))
        lines = without_docstring(source).split("\n")
        text = getattr(self.case, which)
        at = next(k for k, line in enumerate(lines) if line.strip() == text)
        while lines and not lines[-1].strip():
            lines.pop()
        start = 0
        if len(lines) > MOST_LINES:
            start = min(max(0, at - MOST_LINES // 2), len(lines) - MOST_LINES)
        part = lines[start : start + MOST_LINES]
        return textwrap.dedent("\n".join(part)), at - start + 1

    # --- what is asked ---

    def _look(self, record: dict, place: tuple[str, str], instrument: str) -> None:
        looked = record.get("looked", [])
        if instrument not in looked:
            progress.note(*place, looked=[*looked, instrument])

    def _ask_name(self, screen: Screen) -> None:
        key = f"name-{screen.key}"
        with screen.gate():
            said = st.radio("What is wrong?", self.names, index=None, key=key)
            hint = self.reading.sentence(self.telling)
            self._answer(screen, key, said, "Name it", self._name, f"It is not that. {hint}")

    def _ask_line(self, screen: Screen) -> None:
        key = f"line-{screen.key}"
        text, _ = self.listing("wrong")
        numbers = [n for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        with screen.gate():
            st.markdown(f"✓ **{self.title}.**")
            said = st.pills("Which line?", numbers, key=key)
            wrong = "That line is the engine's own."
            self._answer(screen, key, said, "This line", self._point, wrong)

    def _answer(
        self,
        screen: Screen,
        key: str,
        said: str | int | None,
        label: str,
        take: Callable[..., None],
        wrong: str,
    ) -> None:
        """The reply to a wrong answer, the button that takes one, and the way past the question."""
        place = screen.page.slug, screen.step.slug
        if said is not None and said == st.session_state.get(f"{key}.wrong"):
            st.markdown(f"✗ {wrong}")
        with st.container(horizontal=True, gap="small"):
            st.button(
                label,
                key=f"do-{key}",
                type="primary",
                disabled=said is None,
                on_click=guarded(take),
                args=(place, key, said),
            )
            st.button(
                "Show me",
                key=f"pass-{screen.key}",
                on_click=guarded(self._over),
                args=(place,),
            )

    def _name(self, place: tuple[str, str], key: str, said: str) -> None:
        if said == self.title:
            progress.note(*place, answered=[True, False])
        else:
            self._wrong(place, key, said)

    def _point(self, place: tuple[str, str], key: str, said: int) -> None:
        if said == self.listing("wrong")[1]:
            progress.note(*place, answered=[True, True])
            self._over(place)
        else:
            self._wrong(place, key, said)

    def _over(self, place: tuple[str, str]) -> None:
        """Now to see it learn."""
        progress.note(*place, passed=True)
        st.session_state["instrument"] = "return"

    def _wrong(self, place: tuple[str, str], key: str, said: str | int) -> None:
        st.session_state[f"{key}.wrong"] = said
        progress.note(*place, tries=progress.of(*place).get("tries", 0) + 1)

    # --- what is told afterwards ---

    def _explain(self, screen: Screen, record: dict) -> None:
        with screen.gate():
            wrong, right = (x.split("  #")[0] for x in (self.case.wrong, self.case.right))
            wrong = "# no such line" if wrong == "pass" else wrong
            st.code(f"- {wrong}\n+ {right}", "diff", wrap_lines=True)
            if all(_answered(record)):
                st.markdown(f"✓ Found. {score(record)}")
            screen.offer_to_ask_again()


def _answered(record: dict) -> tuple[bool, bool]:
    """Whether the fault was named, and the line found."""
    answered: list[bool] = record.get("answered", [])
    named, found, *_ = [*answered, False, False]
    return named, found


def score(record: dict) -> str:
    """Instruments and wrong answers, in words."""
    looked, tries = len(record.get("looked", [])), int(record.get("tries", 0))
    wrong = plural(tries, "wrong answer") if tries else "no wrong answers"
    return f"{plural(looked, 'instrument')}, {wrong}."
