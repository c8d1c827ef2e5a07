"""`python -m reports order`: which tests it takes to make another one fail, in records of drivers that never were."""

import pytest

from reports.diagnose import order
from suites.selftest.records import line_of, made

pytestmark = pytest.mark.limit(60)
EXPORTS = {"early": 20, "lacking": 25, "between": 20, "victim": 1}
"""How many exports each test makes; `lacking` then finds that it cannot judge the driver, `absent` is never begun."""


def found_on(monkeypatch, most):
    """What `order` says of `victim` on a driver that makes `most` exports in a process, and fails to make more."""

    def fails(_, test, tests):
        return sum(EXPORTS[one] for one in (*tests, test)) > most

    monkeypatch.setattr(order, "fails_after", fails)
    verdicts = dict.fromkeys(EXPORTS, "pass") | {"lacking": "unsupported", "absent": "unsupported", "victim": "fail"}
    run, (export, teardown) = made({}), ({"command": one, "ns": 1} for one in ("vkGetSemaphoreFdKHR", "teardown"))
    run.tests = [
        line_of(test, verdict, calls=[export] * EXPORTS.get(test, 0) + [teardown]) for test, verdict in verdicts.items()
    ]
    said = []
    status = order.tell(run, run.find("victim"), said.append)
    return status, said


@pytest.mark.parametrize(("most", "culprits"), [(60, ["early", "lacking", "between"]), (45, ["early", "lacking"])])
def test_what_could_not_judge_may_be_the_culprit(most, culprits, monkeypatch):
    """A test without a verdict made its calls all the same, and what only runs out after many tests takes all of them."""
    status, said = found_on(monkeypatch, most)

    assert status == 0, said
    assert said[-2].splitlines()[1:] == [f"    {one}" for one in culprits]


def test_what_did_nothing_is_left_out(monkeypatch):
    """A test that was never begun costs no attempt."""
    status, said = found_on(monkeypatch, 1000)

    assert (status, said[1]) == (1, "after 3 tests: passes")
