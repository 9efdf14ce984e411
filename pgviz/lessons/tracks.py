"""Lectures: lists of steps with the minutes of each and the sentence a lecturer says.

`?track=NAME` keeps Next within a track; the lecture page shows it in a second window.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """One step of a lecture."""

    page: str
    step: str
    minutes: float
    say: str


@dataclass(frozen=True)
class Track:
    """A lecture: what it is about, how long it takes, and its steps."""

    title: str
    minutes: int
    stops: tuple[Stop, ...]


TRACKS: dict[str, Track] = {}
