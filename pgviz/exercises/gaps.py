"""Skeletons: a solution in which the lines to write are gaps with a hint."""

from collections.abc import Mapping


def with_gaps(solution: str, gaps: Mapping[str, str]) -> str:
    """The solution with some of its lines taken out: {line: hint}; each must stand there once.

    Raises ValueError, naming the line, if it does not.
    """
    lines = solution.splitlines()
    for number, (line, hint) in enumerate(gaps.items(), 1):
        places = [at for at, own in enumerate(lines) if own.strip() == line]
        if len(places) != 1:
            raise ValueError(f"the line {line!r} stands {len(places)} times in the solution")
        own = lines[places[0]]
        indent = own[: len(own) - len(own.lstrip())]
        left = line.split("=")[0].rstrip() + " = ..." if _assigns(line) else "..."
        lines[places[0]] = f"{indent}{left}  # gap {number}: {hint}"
    return "\n".join(lines) + "\n"


def gaps_of(solution: str, hints: Mapping[str, str]) -> dict[str, str]:
    """The lines to write, each known by a part of it, with their hints: {line: hint}."""
    lines = [line.strip() for line in solution.splitlines()]
    code = [line for line in lines if not line.startswith("#")]
    return {next(line for line in code if part in line): hint for part, hint in hints.items()}


def _assigns(line: str) -> bool:
    head = line.split("(")[0]
    return " = " in head
