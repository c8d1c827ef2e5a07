"""Who runs which test, and when."""

import pytest

from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)


def sorts(found):
    """The sort of each test of samples/scheduled.py, in the order in which they ended."""
    return [name.partition("-")[0] for name in found.tests]


def test_exclusive_tests_come_between_isolated_and_others():
    """The tests of one worker: isolated, then by turns exclusive ones and those that may run beside them, then the rest."""
    assert sorts(run(SAMPLES + "scheduled.py")) == [*["isolated"] * 8, *["mocked", "exclusive"] * 4, *["plain"] * 16]


def test_two_workers_begin_at_both_ends():
    """While one worker makes devices for isolated tests, the other runs tests that share one."""
    found = run(SAMPLES + "scheduled.py", "-n2")

    last = {found.tests[f"plain-{number}"]["process"] for number in range(12, 16)}
    assert last == {"gw1"}, f"the last tests of the list ran in {last}"
