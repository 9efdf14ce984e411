"""What a server has one of, outside Streamlit's caches, which any client may clear."""

from collections.abc import Callable
from threading import RLock, main_thread
from typing import Any, TypeVar

T = TypeVar("T")

_place = main_thread().__dict__  # it outlives modules that are loaded anew
_opening = RLock()


def one(name: str, make: Callable[[], T]) -> T:
    """The one of this name; made for the first who asks."""
    with _opening:
        found: T = _place[name] if name in _place else _place.setdefault(name, make())
        return found


def forget(name: str) -> Any:
    """Take it away, and return it; None if there was none."""
    with _opening:
        return _place.pop(name, None)
