"""Memory that is free goes back to the system, where the C library is glibc; elsewhere nothing is done."""

import ctypes
import sys
from contextlib import suppress
from functools import cache

# By glibc's numbers of what mallopt sets: what a heap may keep free at its end, from which size on
# a block is asked of the system and given back to it, and how many heaps there may be.
FOR_THREADS = {-1: 1 << 20, -3: 256 << 10, -8: 2}


@cache
def share_between_threads() -> None:
    """Few heaps for many threads, each of which keeps little that is free.

    glibc opens eight heaps a core, and once a recording of 14 MB was read it leaves twice as much
    at the end of each: a few hundred MB that nobody uses.
    """
    for name, value in FOR_THREADS.items():
        _call("mallopt", name, value)


def trim() -> None:
    """Give back what is free now: a process that has done something large begins anew."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None)[name](*numbers)
