"""An exercise as a notebook: what to write, a cell that writes the file, a cell that checks it."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from pgviz.exercises.checking import Exercise


def notebook(exercise: Exercise) -> str:
    """The notebook as a file. It runs where pgviz is installed; only a reader runs its cells."""
    file = f"{exercise.name.replace('-', '_')}.py"
    cells = [
        new_markdown_cell(
            f"# {exercise.name}\n\nWrite {exercise.summary}. Fill in the gaps in the next cell, run it,"
            " and run the one below: it says what holds of your functions and what does not."
        ),
        new_code_cell(f"%%writefile {file}\n{exercise.skeleton()}"),
        new_code_cell(f"!python -m pgviz check {exercise.name} {file}"),
    ]
    for at, cell in enumerate(cells):
        cell["id"] = f"cell-{at}"  # the same file every time
    book = new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.validate(book)
    return str(nbformat.writes(book))
