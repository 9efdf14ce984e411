"""Training runs on a step: the picture stands there already, recorded, and can be run again.

The server records what the steps show while nobody needs its workers. "Run again" takes another
random seed: a live run, with the recorded one left faint behind it.
"""

from collections.abc import Callable, Iterator, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pgviz.lessons import PAGES
from pgviz.runs import Recording, Run
from pgviz.training.config import Config
from pgviz.ui import live
from pgviz.ui.guard import guarded
from pgviz.ui.screen import Screen

CAPTION = 36  # pixels of the line below a picture
AGAIN = 100  # random seeds of runs that visitors ask for begin here


def all_recorded() -> Iterator[Config]:
    """The runs that the steps show, in reading order: what the server records ahead."""
    seen: set[Config] = set()
    for page in PAGES:
        for step in page.steps:
            for config in page.runs(step):
                if config not in seen:
                    seen.add(config)
                    yield config


def recorded(
    screen: Screen,
    configs: Sequence[Config],
    draw: Callable[[Sequence[Run], Sequence[Run]], None],
    height: int | None = None,
) -> list[Run]:
    """Draw these runs: `draw(runs, before)` fills the picture, also while they are under way.

    `runs` are those to look at, in the order of `configs`, as far as they have begun; `before` are
    the recorded ones when a visitor's own are shown in front of them, else none. Returns the runs
    to look at if all of them have finished, else nothing.
    """
    mine = own_of(screen.key)
    shown = mine or configs
    missing = [c for c in configs if live.runs().find(c) is None]
    live.runs().prepare(missing, soon=True)
    failed = _failed(shown)
    with screen.picture():
        live.follow(
            lambda: _draw(screen, configs, shown, draw, height),
            alive=screen.shows_stop or not _over(shown),
            until=lambda: _over(shown) or _failed(shown) > failed,
        )
        live.offer_again(live.group_of(shown))
    return live.group_of(shown) if _over(shown) and not _lacking(shown) else []


def recordings(finished: Sequence[Run]) -> dict[str, Recording]:
    """The recordings of runs that differ in their method, by its name."""
    return {run.config.method: found for run in finished if (found := run.recording())}


def run_again(
    screen: Screen,
    configs: Sequence[Config],
    label: str = "Run again",
    own: Sequence[Config] | None = None,
    place: DeltaGenerator | None = None,
    primary: bool = True,
) -> None:
    """The buttons for a run of one's own: another random seed each time it is pressed.

    `own` are other settings to run in place of `configs`: with the same luck, if they differ.
    The buttons stand beside the controls, or in `place`.
    """
    key = f"again.{screen.key}"

    def begin() -> None:
        number = st.session_state.setdefault(f"{key}.number", AGAIN - 1) + 1
        asked = list(own or configs)
        if asked == [*configs]:
            st.session_state[f"{key}.number"] = number
            asked = [c.replace(rng_seed=number) for c in configs]
        st.session_state[key] = asked
        live.start_group(screen.key, asked)

    def back() -> None:
        st.session_state[key] = None

    with place or screen.beside_controls(), st.container(horizontal=True, gap="small"):
        st.button(
            label,
            key=f"{key}.run",
            type="primary" if primary else "secondary",
            icon=":material/play_arrow:",
            on_click=guarded(begin),
        )
        if mine := own_of(screen.key):
            screen.shows_stop = any(run.active for run in live.group_of(mine))
            if screen.shows_stop:
                if st.button("Stop", key=f"{key}.stop"):
                    live.stop_group(screen.key)
            else:
                st.button("Recorded run", key=f"{key}.back", on_click=guarded(back))


def own_of(step: str) -> list[Config]:
    """The visitor's own runs on the step of this key; none if the recorded ones are shown."""
    return st.session_state.get(f"again.{step}") or []


def _over(configs: Sequence[Config]) -> bool:
    runs = live.group_of(configs)
    return len(runs) == len(configs) and not any(run.active for run in runs)


def _failed(configs: Sequence[Config]) -> int:
    return sum(run.ending == "failed" for run in live.group_of(configs))


def _lacking(configs: Sequence[Config]) -> bool:
    return any(run.ending != "finished" for run in live.group_of(configs))


def _draw(
    screen: Screen,
    configs: Sequence[Config],
    shown: Sequence[Config],
    draw: Callable[[Sequence[Run], Sequence[Run]], None],
    height: int | None,
) -> None:
    runs = [run for run in live.group_of(shown) if live.begun(run)]
    if not runs:
        st.skeleton(height=(height or screen.height) - CAPTION)
    else:
        draw(runs, live.group_of(configs) if shown is not configs else [])
    st.caption(_state(configs, shown))


def _state(configs: Sequence[Config], shown: Sequence[Config]) -> str:
    """One line: recorded or live, and how far."""
    runs = live.group_of(shown)
    ended = sum(run.ending == "finished" for run in runs)
    of = f" {ended} of {len(shown)} runs are complete." if len(shown) > 1 else ""
    if shown is configs:
        if ended == len(shown):
            return "Recorded on this server."
        return f"Being recorded on this server now.{of}"
    if any(run.ending == "stopped" for run in runs):
        return "Your run, stopped."
    if waits := _why_they_wait(runs):
        return f"Your run.{of} {waits}"
    return f"Your run.{of}" if ended == len(shown) else f"Your run, live.{of}"


def _why_they_wait(runs: Sequence[Run]) -> str:
    """What the first of them that waits is waiting for, unless another one is under way."""
    if any(run.status == "running" for run in runs):
        return ""
    return next((why for run in runs if (why := live.runs().why_it_waits(run))), "")
