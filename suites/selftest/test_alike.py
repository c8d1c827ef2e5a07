"""A very broken driver does not hold a run for hours: when failures have taken long, others are looked at less closely."""

import itertools
import re

import pytest

from fixtures.running.alike import HASTE
from fixtures.testbed import patience
from suites.selftest.records import reports
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(110)
FILE = f"{SAMPLES}alike.py"
LEAST = patience.LEAST
SHORT = f"waits last {patience.WAIT * HASTE * LEAST:g} s, a test {patience.TEST * LEAST:g} s"
FULL = f"waits last {patience.WAIT * LEAST:g} s, a test {patience.TEST * LEAST:g} s"


def slow():
    """A run whose failures soon have taken long, as its patience is little."""
    return run(FILE, "-n0", "-k", "slow or passes", f"--patience={LEAST}")


def stages():
    """The cases of test_slow, in the order in which they ran, by how they were judged: in full, in short, not at all."""
    cases = [line for line in slow().lines if line["type"] == "test" and "test_slow" in line["id"]]
    parts = [list(some) for _, some in itertools.groupby(cases, lambda one: (one["verdict"], bool(one["outcomes"])))]
    assert len(parts) == 3, [(len(part), part[0]["verdict"]) for part in parts]
    return parts


def test_failures_are_judged_in_full_then_in_short_then_not_at_all():
    """First they are repeated in fresh processes; then once, with shorter waits but the same limit; then not, and say so."""
    full, short, none = stages()

    assert {(one["verdict"], bool(one["outcomes"]), one["message"]) for one in full} == {("fail", True, FULL)}
    assert {(one["verdict"], one["message"]) for one in short} == {("fail", SHORT)}
    assert {one["verdict"] for one in none} == {"unsupported"}
    assert all(
        re.fullmatch(r"not judged: failures have taken \d+ s, \d+ of them of test_slow", one["message"]) for one in none
    )


def test_what_stuck_work_may_disturb_runs_apart():
    """After failures that took long, tests run in processes of their own, and one that has not failed is judged."""
    full, short, _ = stages()

    assert {bool(one["process"]) for one in full} == {True}
    assert {bool(one["process"]) for one in short} == {False}
    assert slow().tests["test_passes"]["verdict"] == "pass"


def test_quick_failures_are_all_judged_in_full():
    """However many fail: a driver of many failures has its first baseline as complete as its second."""
    cases = [line for line in run(FILE, "-n0", "-k", "quick").lines if line["type"] == "test"]

    assert len(cases) == 30
    assert {(one["verdict"], len(one["outcomes"]), one["message"]) for one in cases} == {("fail", 3, "waits last 2 s")}


def test_known_failures_are_judged_in_full(tmp_path):
    """What a baseline expects to fail is judged with full waits, however long it takes, and counts for nothing else."""
    known = tmp_path / "known.txt"
    reports("baseline", slow().folder, "-o", known)
    known.write_text(f"{known.read_text()}\nfail {FILE}::test_slow*\n")

    found = run(FILE, "-n0", "-k", "slow or passes", f"--patience={LEAST}", f"--baseline={known}")

    assert found.status == 0, found.output
    assert {line["message"] for line in found.tests.values() if line["verdict"] == "fail"} == {FULL}
