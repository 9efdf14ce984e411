"""Five files to write; a command on the reader's own machine checks them."""

import streamlit as st

from pgviz import exercises
from pgviz.sheets import LONGEST
from pgviz.ui import progress
from pgviz.ui.controls import Choice
from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen

EXERCISE = Choice("exercise", "Exercise", exercises.NAMES)
CONTROLS = (EXERCISE,)
BEATS = ({"exercise": "reinforce"}, {"exercise": "gae"})


def draw(screen: Screen) -> None:
    screen.words(
        "Download a file, fill in its gaps, and check it on your own machine with the command beside this."
        " It is held to identities, to the exact gradient of a small world, and has to learn CartPole."
        " A known misunderstanding gets a sentence of its own. This server never runs your file."
    )
    name: str = screen.control(EXERCISE, exercises.NAMES[0])
    exercise = exercises.exercise(name)
    file = name.replace("-", "_")
    place, key = (screen.page.slug, f"exercise-{name}"), f"checked.{name}"

    def keep() -> None:
        said = " ".join(str(st.session_state[key]).split())[:LONGEST]
        progress.note(*place, checked=said or None)

    skeleton = exercise.skeleton()

    def as_notebook() -> str:
        from pgviz.exercises.notebook import notebook  # its library is loaded when it is wanted

        return notebook(exercise)

    with screen.picture():
        st.code(
            skeleton[skeleton.index("def ") :],  # what stands above is in the file
            "python",
            wrap_lines=True,
            height=screen.height - (150 if screen.present else 116),
        )
        st.code(f"python -m pgviz check {name} {file}.py", "bash")
        with st.container(horizontal=True, gap="small"):
            for label, content, ending, kind in (
                ("The file", skeleton, "py", "text/x-python"),
                ("A notebook", as_notebook, "ipynb", "application/x-ipynb+json"),
            ):
                st.download_button(
                    label,
                    content,
                    f"{file}.{ending}",
                    kind,
                    key=f"file-{name}-{ending}",
                    icon=":material/download:",
                    on_click="ignore",
                )
    with screen.beside_controls():
        st.text_input(
            "What the command said at the end, for your sheet",
            value=progress.of(*place).get("checked", ""),
            key=key,
            max_chars=LONGEST,
            on_change=guarded(keep),
        )
    done = [
        n for n in exercises.NAMES if progress.of(screen.page.slug, f"exercise-{n}").get("checked")
    ]
    screen.says(
        f"{exercise.summary[0].upper()}{exercise.summary[1:]}: {len(exercise.hints)} gaps."
        f" {len(done)} of {len(exercises.NAMES)} exercises stand on your sheet."
    )
