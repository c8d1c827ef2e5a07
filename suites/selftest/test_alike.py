"""A very broken driver does not hold a run for hours: of many failures that are alike, few are looked at closely."""

import pytest

from fixtures.running.alike import HASTE, MANY, MUCH, SEVERAL
from fixtures.testbed import patience
from suites.selftest.records import reports
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(110)
FILE = f"{SAMPLES}alike.py"


@pytest.fixture(scope="module")
def cases():
    """The records of the sixty cases, in the order in which they ran."""
    found = run(FILE, "-n0")
    return [line for line in found.lines if line["type"] == "test" and "test_fails" in line["id"]]


def test_the_first_failures_are_repeated(cases):
    """Several failures of a test are each judged anew in fresh processes; later ones count as they are."""
    repeated = [bool(one["outcomes"]) for one in cases]

    assert repeated == [number < SEVERAL for number in range(60)]


def test_later_failures_wait_less(cases):
    """Where several have failed waits are shorter; the time limit of a test, which decides the kind of failure, is not."""
    told = [one["message"] for one in cases[:MANY]]
    full, short = (f"waits last {patience.WAIT * part:g} s, a test {patience.TEST:g} s" for part in (1, HASTE))

    assert told == [full] * SEVERAL + [short] * (MANY - SEVERAL)


def test_many_failures_are_enough(cases):
    """After many failures of all the other cases are not judged, and say so; tests that have not failed are."""
    said = f"not judged: {MANY} cases of test_fails have failed, and {MANY} tests in all"

    assert [(one["verdict"], one["message"]) for one in cases[MANY:]] == [("unsupported", said)] * (60 - MANY)
    assert run(FILE, "-n0").tests["test_passes"]["verdict"] == "pass"


def test_much_stuck_work_is_left_behind(cases):
    """After as many failures as leave much behind, tests run in processes of their own."""
    assert [bool(one["process"]) for one in cases[:MANY]] == [number < MUCH for number in range(MANY)]


def test_known_failures_are_judged_in_full(tmp_path):
    """What a baseline expects to fail is judged with full waits, however many do, and counts for nothing else."""
    known = tmp_path / "known.txt"
    reports("baseline", run(FILE, "-n0").folder, "-o", known)
    entry = next(line for line in known.read_text().splitlines() if line.startswith("fail "))
    known.write_text(known.read_text().replace("unsupported ", "fail "))

    found = run(FILE, "-n0", f"--baseline={known}")

    assert (found.status, entry.startswith(f"fail {FILE}")) == (0, True), found.output
    assert {line["message"] for line in found.tests.values() if line["verdict"] == "fail"} == {
        f"waits last {patience.WAIT:g} s, a test {patience.TEST:g} s"
    }
