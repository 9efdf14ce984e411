"""What `python -m pgviz check` does and prints."""

import json
from dataclasses import replace
from pathlib import Path

from pgviz.exercises import checking
from pgviz.exercises.checking import Exercise, Report
from pgviz.exercises.sandbox import Limits, Sandbox, printable, read

MARKS = {True: "✓", False: "✗", None: "–"}
LINES_SHOWN = 20  # of what the learner's file printed


def check_file(exercise: Exercise, path: Path, limits: Limits | None = None) -> Report:
    """All checks of an exercise on a file; raises Unusable if it is no file that can be run."""
    with Sandbox(read(path), path.name, limits) as sandbox:
        report = checking.run(exercise, sandbox.call, sandbox.load)
    return replace(report, printed=sandbox.said())


def as_text(report: Report) -> str:
    """A line for each check, then the feedback and what the file printed."""
    lines = [
        f"{MARKS[result.passed]} {result.title}"
        + (f": {result.note}" if result.passed and result.note else "")
        for result in report.results
    ]
    if report.passed:
        lines += ["", summary(report)]
    if report.feedback:
        lines += ["", report.feedback]
    said = report.printed.splitlines()
    if said:
        lines += ["", "The file printed:", *map(printable, said[:LINES_SHOWN])]
        if len(said) > LINES_SHOWN:
            lines.append(f"… and {len(said) - LINES_SHOWN:,} lines more")
    return "\n".join(lines)


def summary(report: Report) -> str:
    """The line for the sheet, once everything holds."""
    return f"{report.exercise}: all {len(report.results)} checks pass"


def as_json(report: Report, path: Path) -> str:
    """One JSON document."""
    document = {
        "exercise": report.exercise,
        "file": str(path),
        "passed": report.passed,
        "checks": [vars(result) for result in report.results],
        "feedback": report.feedback,
        "mistake": report.mistake,
        "printed": report.printed,
    }
    return json.dumps(document, allow_nan=False)
