"""Who is next: the runs that wait for a worker, in an order that is fair between visitors.

A visitor is a person, whatever the number of tabs. Who has the fewest runs under way is next; at
equal numbers short runs pass long ones, then it is the turn of whoever was served longest ago.
One worker is always left for others: neither one visitor nor long runs may have them all.
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Generic, Protocol, TypeVar

from cachetools import TTLCache

from pgviz.figures import plural
from pgviz.training.config import Config
from pgviz.worlds.world import find

LONG_STEPS = 30_000_000  # of all seeds together: some ten seconds of a worker
EARNED = 0.5  # seconds of a worker that a visitor is given back each second
MOST_VISITORS, FORGET_S = 10_000, 3600.0


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask of a server.

    run_s    seconds after which a run is ended
    waiting  runs that wait for a worker at once
    tabs     open at once
    used_s   seconds of a worker that may be used at once; EARNED are given back each second
    """

    run_s: float
    waiting: int
    tabs: float
    used_s: float


HOME = Limits(run_s=900, waiting=50, tabs=math.inf, used_s=math.inf)
HOSTED = Limits(run_s=120, waiting=20, tabs=20, used_s=120)


class Asked(Protocol):
    """What is known of a run that somebody has asked for."""

    config: Config
    visitor: str


R = TypeVar("R", bound=Asked)


class Line(Generic[R]):
    """The runs that wait, those that train, and what every visitor has used."""

    def __init__(
        self,
        num_workers: int,
        limits: Limits = HOME,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._num_workers = num_workers
        self._most = max(1, num_workers - 1)  # of one visitor, and of long runs
        self._clock = clock
        self._waiting: list[R] = []
        self._training: dict[R, float] = {}  # since when
        self._numbers = count()  # of the runs that have begun
        self._served: TTLCache[str, int] = TTLCache(MOST_VISITORS, FORGET_S, clock)  # the last one
        self._used: TTLCache[str, tuple[float, float]] = TTLCache(MOST_VISITORS, FORGET_S, clock)

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, run: R) -> None:
        """It waits from now on."""
        self._waiting.append(run)

    def leave(self, run: R) -> None:
        """It waits no longer."""
        if run in self._waiting:
            self._waiting.remove(run)

    def ask_too(self, run: R, visitor: str) -> None:
        """Another visitor asks for a run that waits: it goes by who of them is served earlier."""
        if run in self._waiting and self._busy(visitor) < self._busy(run.visitor):
            run.visitor = visitor

    def begin(self, run: R) -> None:
        """A worker has it."""
        self.leave(run)
        self._training[run] = self._clock()
        self._served[run.visitor] = next(self._numbers)

    def end(self, run: R) -> None:
        """The worker is free again; its visitor has used it for so long."""
        begun = self._training.pop(run, None)
        if begun is not None:
            used = self._level(run.visitor) + self._clock() - begun
            self._used[run.visitor] = used, self._clock()

    def overdue(self) -> list[R]:
        """The runs that have had a worker for longer than a run may."""
        latest = self._clock() - self.limits.run_s
        return [run for run, begun in self._training.items() if begun < latest]

    def next(self) -> R | None:
        """The run that begins now, if a worker is free for it."""
        if len(self._training) >= self._num_workers:
            return None
        return next((run for run in self.order() if not self._why_not(run)), None)

    def order(self) -> list[R]:
        """All that wait, the next one first."""
        before = Counter(run.visitor for run in self._training)
        places = {}
        for arrival, run in enumerate(self._waiting):
            busy = before[run.visitor]
            places[run] = busy, is_long(run.config), self._served.get(run.visitor, -1), arrival
            before[run.visitor] += 1
        return sorted(self._waiting, key=places.__getitem__)

    def used_s(self, visitor: str) -> float:
        """Seconds of a worker that a visitor has used and not been given back."""
        now = self._clock()
        mine = [begun for run, begun in self._training.items() if run.visitor == visitor]
        return self._level(visitor) + sum(now - begun for begun in mine)

    def because(self, run: R) -> str:
        """Why a run waits, and for how long or for what: one sentence."""
        why_not = self._why_not(run)
        if why_not:
            return why_not
        place = self.order().index(run) if run in self._waiting else 0
        if not place:
            return "It is next: it begins as soon as a worker is free."
        return f"It waits for a worker: {plural(place, 'run')} {'is' if place == 1 else 'are'} before it."

    def _why_not(self, run: R) -> str:
        """What keeps a run from a free worker, in a sentence; nothing if nothing does."""
        over = self.used_s(run.visitor) - self.limits.used_s
        if over > 0:
            return (
                "You have used your share of this server for now: your run begins in about"
                f" {over / EARNED + 1:.0f} s."
            )
        if self._busy(run.visitor) >= self._most:
            return "It waits for another run of yours: stop that one, or wait until it has ended."
        long = sum(is_long(other.config) for other in self._training)
        if is_long(run.config) and long >= self._most:
            return "It waits for another long run to end; with fewer seeds, episodes or updates a run begins earlier."
        return ""

    def _busy(self, visitor: str) -> int:
        return sum(run.visitor == visitor for run in self._training)

    def _level(self, visitor: str) -> float:
        used, at = self._used.get(visitor, (0.0, 0.0))
        return max(0.0, used - EARNED * (self._clock() - at))


def is_long(config: Config) -> bool:
    """Whether a run may take more than some ten seconds, if all its episodes are as long as can be."""
    length = config.num_steps or find(config.world).max_episode_steps
    steps = config.num_envs * config.num_updates * length
    if config.max_env_steps:
        steps = min(steps, config.max_env_steps)
    passes = config.update_epochs if config.reuses_batch else 1
    return config.num_seeds * steps * passes > LONG_STEPS
