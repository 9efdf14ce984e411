"""Results kept in memory: as many as fit in so many bytes, the least used go first."""

import pickle
import zlib
from collections import defaultdict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from cachetools import LRUCache

T = TypeVar("T")

ENTRY_BYTES = 800  # of an entry beside its name and its result: what Python's objects need for it


class Kept:
    """A cache that is bounded in bytes, for several threads.

    What is too large alone is not kept.
    """

    def __init__(self, megabytes: float) -> None:
        self._results: LRUCache[Hashable, tuple[Any, int, Hashable]]
        self._results = LRUCache(int(megabytes * 1e6), getsizeof=lambda entry: entry[1])
        self._lock = Lock()
        self._working: defaultdict[Hashable, Lock] = defaultdict(Lock)

    @property
    def num_bytes(self) -> int:
        """How much is kept now."""
        return int(self._results.currsize)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._results

    def find(self, key: Hashable, state: Hashable = None) -> Any:
        """What is kept under this name, and was made in this state; or None."""
        with self._lock:
            entry = self._results.get(key)
        return None if entry is None or entry[2] != state else entry[0]

    def shared(self, key: Hashable, make: Callable[[], T], num_bytes: int) -> T:
        """One object for all who ask, no copy; it counts as so many bytes."""
        with self._lock:
            entry = self._results.get(key)
            result: T = make() if entry is None else entry[0]
            if entry is None:
                self._keep(key, result, num_bytes)
        return result

    def forget(self, owner: str) -> None:
        """Drop everything whose name begins with this one: (owner, …)."""
        with self._lock:
            for key in [*self._results]:
                if isinstance(key, tuple) and key[0] == owner:
                    del self._results[key]

    def _keep(self, key: Hashable, result: Any, num_bytes: int, state: Hashable = None) -> None:
        size = num_bytes + len(pickle.dumps(key)) + ENTRY_BYTES  # small numbers, too, take room
        if size <= self._results.maxsize:
            self._results[key] = result, size, state

    def once(self, key: Hashable, work: Callable[[], T], state: Hashable = None) -> T:
        """A copy of the result of this name; `work` is called if it is not known.

        It is not known, either, if it was made in another state of what it depends on.
        The first who asks works it out, and others who ask meanwhile wait for it. Everybody gets a
        copy, so nobody can change what another sees.
        """
        kept = self.find(key, state)
        if kept is None:
            with self._lock:
                working = self._working[key]
            with working:
                kept = self.find(key, state)
                if kept is None:
                    try:
                        kept = zlib.compress(pickle.dumps(work(), pickle.HIGHEST_PROTOCOL), 1)
                        with self._lock:
                            self._keep(key, kept, len(kept), state)
                    finally:
                        with self._lock:
                            self._working.pop(key, None)
        result: T = pickle.loads(zlib.decompress(kept))
        return result
