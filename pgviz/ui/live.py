"""A live run on a page: the server's registry of runs, this reader's place in it, and the polling.

Training happens in worker processes; a page only reads what they have recorded.
"""

import logging
import math
import os
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pandas as pd
import streamlit as st
from cachetools import TTLCache
from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pgviz.environment import number_of
from pgviz.in_memory import memory, name_of
from pgviz.measure.ensembles import Curves, LearningCurves
from pgviz.measure.solving import curve, seed_curves
from pgviz.runs import Busy, Recording, Run, Runs
from pgviz.runs.registry import GRACE_S
from pgviz.runs.shares import HOME
from pgviz.training.config import Config
from pgviz.ui import server
from pgviz.ui.guard import fragment, guarded
from pgviz.ui.visitors import limits, visitor

T = TypeVar("T")
P = ParamSpec("P")

POLL_S = 0.4  # between two looks at a run, where few are looking
SLOWEST_POLL_S = 3.5
LOOK_S = 0.008, 0.05  # of the server's time that one look takes, at least and at most
PAGE_S = 0.08  # … and one page, about
WEIGHED_S = 3.0  # of looks: then it is known what one takes
SPREAD = 0.25  # of the time between two looks
MOST_TABS = 10_000  # of which is remembered who looks
SHARE = 0.5  # of its time that all looks together may take
CURVES_BYTES = 400_000  # what the curves of one run take, at most about


def runs() -> Runs:
    """The registry of this server: one, outside Streamlit's caches, which any client may clear.

    PGVIZ_RUNS names a folder that keeps recordings between servers, PGVIZ_GRACE_S says how many
    seconds the run of a closed tab goes on, PGVIZ_AHEAD=0 records nothing before a visitor asks,
    PGVIZ_HOSTED=1 grants a visitor less.
    """

    def opened() -> Runs:
        ahead = os.environ.get("PGVIZ_AHEAD", "1") != "0"
        return Runs(_folder(), grace_s=_grace_s(), records_ahead=ahead, limits=limits())

    return server.one("pgviz_runs", opened)


def close() -> None:
    """Stop all runs of this server and forget its registry."""
    found: Runs | None = server.forget("pgviz_runs")
    if found is not None:
        found.close()


def _folder() -> Path | None:
    """The folder that PGVIZ_RUNS names; None, and a sentence in the log, if it cannot be used."""
    name = os.environ.get("PGVIZ_RUNS")
    if not name:
        return None
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=name):
            return Path(name)
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning(
            "PGVIZ_RUNS=%s cannot be used (%s): recordings are kept until the server ends.",
            name,
            getattr(error, "strerror", None) or error,
        )
        return None


def _grace_s() -> float:
    return number_of("PGVIZ_GRACE_S", GRACE_S, 0, HOME.run_s)


def viewer() -> str:
    """This browser session, as the registry knows it; the sections it has started, too, are here."""
    name: str = st.session_state.setdefault("viewer", uuid.uuid4().hex)
    for present in (name, *(f"{name}.{section}" for section in _sections())):
        _presence(present)
    return name


def _sections() -> dict[str, Sequence[Config]]:
    """What this reader has started under which name."""
    sections: dict[str, Sequence[Config]] = st.session_state.setdefault("sections", {})
    return sections


def _gone(presence: tuple[Runs, str, Callable[[], bool]]) -> None:
    registry, name, is_here = presence
    registry.leave(name, is_here)


def _is_here(session: str) -> bool:
    """Whether this tab is still connected: its caches may have been cleared, too, by anybody."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)


@st.cache_resource(scope="session", on_release=_gone, show_spinner=False)
def _presence(name: str) -> tuple[Runs, str, Callable[[], bool]]:
    """Released when the tab closes; made again when a lost connection comes back.

    It keeps the registry it was made with: a release must not open another one.
    """
    registry = runs()
    registry.stay(name)
    context = get_script_run_ctx()
    return registry, name, partial(_is_here, context.session_id if context else "")


def start_group(name: str, configs: Sequence[Config]) -> list[Run]:
    """Watch all of these runs, and no others under this name; none, and a sentence, without room.

    Every section of a page that compares runs has a name: as if a reader of its own sat there, who
    leaves with the same tab. So no section stops what another one has started.
    """
    _sections()[name] = tuple(configs)
    try:
        return runs().watch_all(configs, _in_section(name), visitor())
    except Busy as busy:
        st.warning(str(busy), icon=":material/hourglass:")
        return []


def stop_group(name: str) -> None:
    """Watch the runs of this name no longer: those that nobody else watches stop."""
    runs().detach(_in_section(name))


def group_of(configs: Sequence[Config]) -> list[Run]:
    """What there is of these runs; a reader who asks for nothing starts nothing."""
    return [run for config in configs if (run := runs().find(config)) is not None]


def offer_again(runs: Sequence[Run]) -> None:
    """Why a run failed, and a button that starts all that have failed once more."""
    failed = [run for run in runs if run.ending == "failed"]
    if not failed:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(failed[0].message, icon=":material/error:")
        st.button(
            "Try again",
            on_click=guarded(_again),
            args=(failed,),
            key=f"again-{len(runs)}-{failed[0].key}",
        )


def _again(failed: Sequence[Run]) -> None:
    """Each failed run, in the section that asked for it, or as the run of the page."""
    for name, configs in [*_sections().items()]:
        if any(run.config in configs for run in failed):
            start_group(name, configs)
    for run in failed:
        if not any(run.config in configs for configs in _sections().values()):
            runs().watch(run.config, viewer(), visitor())


def follow(draw: Callable[[], None], alive: bool, until: Callable[[], bool]) -> None:
    """Draw, again and again while something is alive; at its turning point the whole page once more.

    Never while the page itself is being drawn: a button further down that was just pressed would
    not be heard. The more tabs follow something, the longer each of them waits between two looks,
    and between the turning point, which the picture shows at once, and the page.
    """
    drawn, due = False, math.inf  # when the page is drawn once more
    if alive:
        _followers.seen(viewer())
    pace = _followers.pace_s()
    apart = random.uniform(1 - SPREAD, 1 + SPREAD)  # tabs that were opened together part

    @fragment(run_every=pace * apart if alive else None)
    def panel() -> None:
        nonlocal drawn, due, pace
        if alive:
            _followers.seen(viewer())
        draw()
        if alive and drawn:
            now = _followers.pace_s()
            if until():
                wait = random.uniform(0, _followers.count() * PAGE_S)
                due = min(due, time.monotonic() + (wait if wait > now else 0.0))
                if time.monotonic() >= due:
                    st.rerun()
            if not pace / 1.3 < now < pace * 1.3:
                pace = now
                look_every(now * apart)
        drawn = True

    panel()


def look_every(seconds: float) -> None:
    """The browser asks for the fragment that runs alone now at this interval from now on."""
    context = get_script_run_ctx()
    if context is not None:
        for fragment_id in context.fragment_ids_this_run or ():
            message = ForwardMsg()
            message.auto_rerun.fragment_id = fragment_id
            message.auto_rerun.interval = seconds
            context.enqueue(message)


class Followers:
    """The tabs that have looked at a run within two of the slowest looks, and what a look takes.

    `clock` and `spent` count the seconds that go by, and those of them that the server has worked.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.process_time,
    ) -> None:
        self._tabs: TTLCache[str, bool] = TTLCache(MOST_TABS, 2 * SLOWEST_POLL_S, clock)
        self._lock = threading.Lock()
        self._clock, self._spent = clock, spent
        self._since = clock(), spent()
        self._looks = 0  # since then
        self._look_s = LOOK_S[0]

    def seen(self, name: str) -> None:
        """This tab has just looked."""
        with self._lock:
            self._tabs[name] = True
            self._looks += 1
            now, spent = self._clock(), self._spent()
            waited = now - self._since[0]
            if waited < WEIGHED_S:
                return
            if waited < 2 * WEIGHED_S:  # else nobody looked for a while
                low, high = LOOK_S
                look_s = min(high, max(low, (spent - self._since[1]) / self._looks))
                self._look_s = (self._look_s + look_s) / 2
            self._since, self._looks = (now, spent), 0

    def count(self) -> int:
        """How many tabs there are."""
        with self._lock:
            return len(self._tabs)

    def pace_s(self) -> float:
        """Seconds between two looks of one tab, so that the looks of all take SHARE of the server.

        All that the server does is taken for looks: where it has much else to do they are fewer.
        """
        with self._lock:
            wanted = len(self._tabs) * self._look_s / SHARE
        return min(SLOWEST_POLL_S, max(POLL_S, wanted))


_followers = Followers()


def _in_section(name: str) -> str:
    return f"{viewer()}.{name}"


def begun(run: Run) -> Recording | None:
    """The recording of a run, once an update is in it."""
    recording = run.recording()
    return recording if recording is not None and recording.num_updates else None


def _learning_curves(path: str) -> LearningCurves:
    return memory.shared(
        ("learning curves", path), lambda: LearningCurves(Recording(Path(path))), CURVES_BYTES
    )


def curves_of(run: Run) -> Curves | None:
    """The curves of a run so far, summarised once for all who watch it."""
    return _learning_curves(str(run.path)).latest() if begun(run) else None


NO_CURVE = pd.DataFrame(
    {"env_steps": pd.Series(dtype=float), "trailing_return": pd.Series(dtype=float)}
)
NO_SEEDS = NO_CURVE.assign(seed=pd.Series(dtype=float))


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The same numbers in few bytes, for the way to a browser: whole ones as small as they fit."""
    found = {}
    for name in table:
        column = table[name].infer_objects()
        kind = {"i": "integer", "u": "integer", "f": "float"}.get(column.dtype.kind)
        found[name] = pd.to_numeric(column, downcast=kind) if kind else column  # type: ignore[call-overload]
    return pd.DataFrame(found)


_looked: TTLCache[Path, int] = TTLCache(MOST_TABS, POLL_S)  # how many updates there were
_looking = threading.Lock()


def seen_by_all(run: Run, recording: Recording) -> int:
    """So many updates of a run are shown now: the same to all who look within one look's time.

    What is made of them is then made once for all. The last update is shown at once.
    """
    num_updates = recording.num_updates
    if not run.active:
        return num_updates
    with _looking:
        return min(int(_looked.setdefault(run.path, num_updates)), num_updates)


def once_for_all(work: Callable[Concatenate[Sequence[Run], P], T]) -> Callable[..., T]:
    """What is worked out of runs under way is worked out once for all who look at them now.

    `work(runs, …)` reads what they have recorded; its other arguments must be hashable.
    """

    @wraps(work)
    def shown(runs: Sequence[Run], *args: P.args, **kwargs: P.kwargs) -> T:
        key = name_of(work, tuple(str(run.path) for run in runs), *args, **kwargs)
        return memory.once(key, lambda: work(runs, *args, **kwargs), tuple(map(_so_far, runs)))

    return shown


def _so_far(run: Run) -> tuple[int, str]:
    """What tells that nothing of a run has changed for those who look at it."""
    recording = begun(run)
    return 0 if recording is None else seen_by_all(run, recording), run.ending


def by_steps(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curve of a run so far and those of its seeds, summarised once for all who watch it."""
    return _by_steps([run])


@once_for_all
def _by_steps(runs: Sequence[Run]) -> tuple[pd.DataFrame, pd.DataFrame]:
    (run,) = runs
    recording = begun(run)
    if recording is None:
        return NO_CURVE, NO_SEEDS
    metrics = {k: x[: seen_by_all(run, recording)] for k, x in recording.metrics().items()}
    return compact(curve(metrics)), compact(seed_curves(metrics))
