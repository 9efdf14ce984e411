"""Results kept in memory: as many as fit in so many bytes, the least used go first."""

import pickle
from collections import defaultdict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class Kept:
    """A cache that is bounded in bytes, for several threads.

    What is too large alone is not kept.
    """

    def __init__(self, megabytes: float) -> None:
        self._results: LRUCache[Hashable, tuple[Any, int]]
        self._results = LRUCache(int(megabytes * 1e6), getsizeof=lambda entry: entry[1])
        self._lock = Lock()
        self._working: defaultdict[Hashable, Lock] = defaultdict(Lock)

    @property
    def num_bytes(self) -> int:
        """How much is kept now."""
        return int(self._results.currsize)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._results

    def find(self, key: Hashable) -> Any:
        """What is kept under this name, or None."""
        with self._lock:
            entry = self._results.get(key)
        return None if entry is None else entry[0]

    def keep(self, key: Hashable, result: Any, num_bytes: int | None = None) -> None:
        """Keep a result if it fits."""
        size = len(pickle.dumps(result)) if num_bytes is None else num_bytes
        with self._lock:
            if size <= self._results.maxsize:
                self._results[key] = result, size

    def shared(self, key: Hashable, make: Callable[[], T], num_bytes: int) -> T:
        """One object for all who ask, no copy; it counts as so many bytes."""
        with self._lock:
            entry = self._results.get(key)
            if entry is None:
                entry = self._results[key] = make(), num_bytes
        result: T = entry[0]
        return result

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """A copy of the result of this name; `work` is called if it is not known.

        The first who asks works it out, and others who ask meanwhile wait for it. Everybody gets a
        copy, so nobody can change what another sees.
        """
        kept = self.find(key)
        if kept is None:
            with self._lock:
                working = self._working[key]
            with working:
                kept = self.find(key)
                if kept is None:
                    try:
                        kept = pickle.dumps(work(), pickle.HIGHEST_PROTOCOL)
                        self.keep(key, kept, len(kept))
                    finally:
                        with self._lock:
                            self._working.pop(key, None)
        result: T = pickle.loads(kept)
        return result
