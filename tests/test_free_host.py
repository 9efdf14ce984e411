"""The free host: a server that the kernel holds to its memory, and what its first visitor sees."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from tests import free_host
from tests.real import Group, Missing

pytestmark = pytest.mark.browser  # for its length, not for a browser


@pytest.mark.parametrize(("megabytes", "fits"), [(1000, True), (60, False)])
def test_the_first_visitor_of_a_host_sees_the_page_if_there_is_memory_for_it(megabytes, fits):
    try:
        with Group():
            pass
    except Missing as reason:
        pytest.skip(str(reason))
    line = ["theorem", "--no-walk", "--megabytes", str(megabytes)]
    with ThreadPoolExecutor(1) as thread:  # Playwright, if a test has opened it, keeps a loop here
        said = thread.submit(CliRunner().invoke, free_host.main, line).result()
    assert (said.exit_code == 0) == fits, said.output
    assert ("| theorem |" in said.output) == fits
