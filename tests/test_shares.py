"""Fair shares: whose run is next, and what one visitor may ask for."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgviz.lessons import PAGES
from pgviz.runs.shares import EARNED, HOME, HOSTED, Line, is_long
from pgviz.training import Config, presets
from pgviz.ui.visitors import Tabs

SHORT = Config(num_seeds=2, num_updates=3, num_envs=2, hidden=4)
LONG = Config(num_seeds=64, num_envs=64, num_updates=300)


@dataclass(eq=False)
class Asked:
    visitor: str
    config: Config = SHORT


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def line(num_workers=3, limits=HOME):
    clock = Clock()
    return Line(num_workers, limits, clock), clock


def serve(line):
    """Begin whatever may begin now."""
    begun = []
    while run := line.next():
        line.begin(run)
        begun.append(run)
    return begun


def test_thirty_tabs_of_one_visitor_leave_a_worker_to_a_newcomer():
    queue, _ = line(3)
    for _ in range(30):
        queue.join(Asked("greedy"))
    assert [run.visitor for run in serve(queue)] == ["greedy"] * 2
    newcomer = Asked("newcomer")
    queue.join(newcomer)
    assert serve(queue) == [newcomer]


def test_long_runs_of_whomever_leave_a_worker_to_a_short_one():
    queue, _ = line(3)
    for k in range(5):
        queue.join(Asked(f"visitor {k}", LONG))
    assert len(serve(queue)) == 2
    short = Asked("newcomer")
    queue.join(short)
    assert serve(queue) == [short]


def test_visitors_take_turns_and_short_runs_pass_long_ones():
    queue, _ = line(1)
    runs = [Asked("ann"), Asked("ann"), Asked("bob", LONG), Asked("eve"), Asked("eve")]
    for run in runs:
        queue.join(run)
    assert queue.order() == [runs[0], runs[3], runs[2], runs[1], runs[4]]


def test_whoever_was_served_longest_ago_is_next():
    queue, _ = line(1)
    first = Asked("ann")
    queue.join(first)
    serve(queue)
    queue.end(first)
    ann, bob = Asked("ann"), Asked("bob")
    queue.join(ann)
    queue.join(bob)
    assert queue.order() == [bob, ann]


def test_a_visitor_who_has_used_its_share_waits_as_long_as_it_is_told():
    queue, clock = line(3, replace(HOME, used_s=60))
    first, second = Asked("ann"), Asked("ann")
    queue.join(first)
    serve(queue)
    clock.now = 80
    assert queue.used_s("ann") == 80
    queue.end(first)
    queue.join(second)
    assert serve(queue) == []
    told = queue.because(second)
    seconds = float("".join(filter(str.isdigit, told)))
    clock.now += seconds
    assert serve(queue) == [second]
    clock.now += 60 / EARNED
    assert queue.used_s("ann") == 60 / EARNED  # of the second run alone


def test_a_run_that_two_ask_for_goes_by_the_one_who_is_served_earlier():
    queue, _ = line(2)
    shared = Asked("busy")
    for run in (Asked("busy"), shared):
        queue.join(run)
    assert len(serve(queue)) == 1  # one worker is left to others
    queue.ask_too(shared, "idle")
    assert serve(queue) == [shared]


def test_what_is_long_is_what_could_hold_a_worker():
    assert is_long(LONG)
    assert not any(is_long(config) for config in presets.values())


def test_what_a_step_shows_can_be_asked_for_on_a_hosted_server():
    most = max(len([*page.runs(step)]) for page in PAGES for step in page.steps)
    assert most <= HOSTED.waiting <= HOME.waiting
    assert HOSTED.run_s < HOME.run_s


def test_the_readme_says_what_a_hosted_server_grants():
    said = (Path(__file__).parents[1] / "README.md").read_text()
    assert f"ended after {HOSTED.run_s / 60:g} minutes" in said
    assert f"{HOSTED.tabs} tabs, {HOSTED.waiting} waiting runs and half" in said
    assert EARNED == 0.5


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcde"), st.booleans(), st.sampled_from(["join", "end", "leave"])
        ),
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_no_worker_idles_while_a_run_may_begin_and_every_run_is_served_once(acts, num_workers):
    queue, clock = line(num_workers)
    joined, begun, training = [], [], []
    for visitor, long, act in acts:
        clock.now += 1
        if act == "join":
            joined.append(Asked(visitor, LONG if long else SHORT))
            queue.join(joined[-1])
        elif act == "end" and training:
            queue.end(training.pop(0))
        elif act == "leave" and (waiting := queue.order()):
            joined.remove(waiting[-1])
            queue.leave(waiting[-1])
        now = serve(queue)
        begun += now
        training += now
        assert len(training) <= num_workers
        assert all(queue.because(run) for run in queue.order())
        if queue.order() and len(training) < num_workers:  # then a rule keeps them all back
            most = max(1, num_workers - 1)
            for run in queue.order():
                mine = [r for r in training if r.visitor == run.visitor]
                longs = [r for r in training if is_long(r.config)]
                assert len(mine) >= most or (is_long(run.config) and len(longs) >= most)
    while training:
        queue.end(training.pop(0))
        now = serve(queue)
        begun += now
        training += now
    assert set(begun) == set(joined)
    assert len(begun) == len(joined)


def test_a_visitor_has_so_many_tabs_and_a_closed_one_makes_room():
    tabs = Tabs()
    assert all(tabs.admit("ann", f"tab {k}", 3) for k in range(3))
    assert not tabs.admit("ann", "tab 3", 3)
    assert tabs.admit("ann", "tab 0", 3)
    assert tabs.admit("bob", "tab 3", 3)
    tabs.closed("ann", "tab 1")
    assert tabs.admit("ann", "tab 3", 3)


@pytest.mark.parametrize("limits", [HOME, HOSTED])
def test_a_room_of_a_hundred_is_served_in_turns(limits):
    queue, clock = line(3, limits)
    for k in range(100):
        queue.join(Asked(f"visitor {k}"))
        queue.join(Asked(f"visitor {k}"))
    served = []
    while now := serve(queue):
        clock.now += 1
        served += now
        for run in now:
            queue.end(run)
    assert len({run.visitor for run in served[:100]}) == 100
    assert len(served) == 200
