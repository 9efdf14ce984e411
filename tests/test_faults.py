"""Every fault of `python -m tests.faults`, as a test."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.faults import FAULTS, Place
from tests.real import Missing

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("faults"), stack)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_finished_is_lost_and_nobody_else_is_disturbed_when(place, fault):
    with ThreadPoolExecutor(1) as thread:  # the open Playwright keeps this one's event loop
        try:
            thread.submit(lambda: asyncio.run(fault.make(place))).result()
        except Missing as reason:
            pytest.skip(str(reason))
