"""What a room does with the app: all watch one run, each a run of its own, or all walk on."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from pgviz.lessons import PAGES
from tests.load.meter import Meter, Spent
from tests.load.tab import LoadError, Tab, Watch, loopback, step_of

SCENARIOS = ("shared", "own", "open", "greedy")
MOST_SESSIONS, MOST_S = 300, 600.0
GREEDY = "greedy"  # the visitor who has all tabs but one
LATE_S = 3.0  # after them comes the newcomer


@dataclass
class Session:
    """What one tab has seen."""

    views_s: list[float] = field(default_factory=list)  # of each step: until it was there
    watch: Watch = field(default_factory=Watch)  # from the press of its button, or of all buttons
    pressed_at: float = 0.0
    begun_s: float | None = None  # from the press until its run had begun
    run_s: float | None = None  # … and ended
    num_bytes: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """What all tabs have seen, and what that cost."""

    scenario: str
    sessions: list[Session]
    opening: Spent  # until all tabs were open
    after: Spent  # from then on
    server_bytes: int
    all_bytes: int


async def measure(
    scenario: str,
    url: str,
    num_sessions: int,
    page: str,
    step: str,
    settings: Sequence[str] = ("",),
    seconds: float = 120.0,
    pause_s: float = 1.0,
    ports: Sequence[int] = (),
) -> Measured:
    """Open so many tabs at once and let them do it.

    `settings` are ends of an address: `shared` takes the first for all, `own` one for each tab,
    again from the first where there are fewer. `greedy` are tabs of one visitor, each with settings
    of its own, and then a newcomer with the run of the step: the last session. A scenario is given
    up after so many seconds. `ports` are those of the servers behind a balancer.
    """
    if scenario not in SCENARIOS:
        raise LoadError(f"A scenario is one of {', '.join(SCENARIOS)}, not {scenario!r}.")
    if not 1 <= num_sessions <= MOST_SESSIONS or not 0 < seconds <= MOST_S:
        raise LoadError(f"From 1 to {MOST_SESSIONS} sessions, for at most {MOST_S:g} s.")
    loopback(url)
    step_of(page, step)
    own = [settings[i % len(settings)] for i in range(num_sessions)]
    ends = own if scenario in ("own", "greedy") else [settings[0]] * num_sessions
    visitors = [GREEDY if scenario == "greedy" else ""] * num_sessions
    if scenario == "greedy":
        ends, visitors = [*ends, ""], [*visitors, ""]
    sessions = [Session() for _ in ends]
    async with Meter(url, ports) as meter, AsyncExitStack() as stack:
        begun = meter.spent()
        tabs = [Tab(url, visitor) for visitor in visitors]
        await _together(
            sessions,
            [_open(stack, *each, page, step) for each in zip(tabs, sessions, ends, strict=True)],
        )
        opened = meter.spent()
        both = [*zip(tabs, sessions, strict=True)]
        key = f"again.{page}-{step}"
        if scenario == "open":
            acts = [_walk(*each, page, step, pause_s) for each in both]
        elif scenario == "greedy":
            *greedy, newcomer = both
            acts = [
                *(tab.press(f"{key}.run") for tab, _ in greedy),
                _late(_run(*newcomer, key, seconds)),
            ]
        elif scenario == "shared":
            first, *others = (_join(*each, key, seconds) for each in both)
            acts = [first, *(_after(tabs[0], key, join) for join in others)]
        else:
            acts = [_run(*each, key, seconds) for each in both]
        try:
            async with asyncio.timeout(seconds):
                await _together(sessions, acts)
                if scenario == "shared":
                    for tab in tabs:
                        tab.watch_anew()
                    await _together(sessions, [_watch(*each, key, seconds) for each in both])
        except TimeoutError:
            for session in sessions:
                session.errors.append(f"Given up after {seconds:g} s.")
        ended = meter.spent()
        for tab, session in both:
            session.watch, session.num_bytes = tab.watch, tab.num_bytes
            session.errors = [*tab.errors, *session.errors]
    return Measured(
        scenario, sessions, opened - begun, ended - opened, meter.server_bytes, meter.all_bytes
    )


async def record(url: str, page: str, steps: Sequence[str]) -> None:
    """One visitor stays at each step until its runs are recorded."""
    async with Tab(url) as tab:
        for step in steps:
            await tab.visit(page, step)
            await tab.until(lambda: not tab.polls, MOST_S)


async def wake(url: str, page: str, step: str) -> None:
    """The first visitor of a server stays until it has loaded everything and its workers wait."""
    async with Meter(url) as meter, Tab(url) as tab:
        await tab.visit(page, step)
        await meter.idle()


def steps_of(page: str) -> list[str]:
    """The steps of a page, in its order."""
    return [step.slug for each in PAGES if each.slug == page for step in each.steps]


async def _together(sessions: Sequence[Session], acts: Sequence[Awaitable[None]]) -> None:
    """All at once. What one cannot do is noted in its session, and the others go on."""

    async def noted(session: Session, act: Awaitable[None]) -> None:
        try:
            await act
        except LoadError as error:
            session.errors.append(str(error))

    await asyncio.gather(*map(noted, sessions, acts))


async def _open(
    stack: AsyncExitStack, tab: Tab, session: Session, settings: str, page: str, step: str
) -> None:
    begun = time.monotonic()
    await stack.enter_async_context(tab)
    connected = time.monotonic() - begun
    session.views_s.append(connected + await tab.visit(page, step, settings))


async def _late(act: Awaitable[None]) -> None:
    """When the others have pressed their buttons."""
    await asyncio.sleep(LATE_S)
    await act


async def _run(tab: Tab, session: Session, key: str, patience_s: float) -> None:
    """Press the button, and watch until the run has ended."""
    await _join(tab, session, key, patience_s)
    await _watch(tab, session, key, patience_s)


async def _join(tab: Tab, session: Session, key: str, patience_s: float) -> None:
    """Press the button, and wait until the run has begun and can be seen."""
    session.pressed_at = time.monotonic()
    tab.watch_anew()
    await tab.press(f"{key}.run")
    await tab.until(lambda: tab.has(f"{key}.stop") or tab.has(f"{key}.back"), patience_s)
    await tab.until(lambda: not tab.waits, patience_s)
    session.begun_s = time.monotonic() - session.pressed_at


async def _watch(tab: Tab, session: Session, key: str, patience_s: float) -> None:
    """Watch until the run has ended."""
    await tab.until(lambda: tab.has(f"{key}.back"), patience_s)
    if not tab.errors:  # else there was no room for it
        session.run_s = time.monotonic() - session.pressed_at


async def _after(first: Tab, key: str, act: Awaitable[None]) -> None:
    """Once the first tab's run is on its way."""
    await first.until(lambda: first.has(f"{key}.stop") or first.has(f"{key}.back"))
    await act


async def _walk(tab: Tab, session: Session, page: str, begin: str, pause_s: float) -> None:
    """All other steps of the page, one after the other."""
    for step in steps_of(page):
        if step != begin:
            await asyncio.sleep(pause_s)
            session.views_s.append(await tab.visit(page, step))
