"""The signals by which LAVA learns the results of a run."""

import re

import pytest

from fixtures.testbed.drivers import ROOT
from reports.formats import lava
from reports.records.baseline import read
from suites.selftest.records import line_of, made, reports
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
SIGNAL = re.compile(r"<LAVA_SIGNAL_(\S+) ([^>]+)>")
"""How LAVA's dispatcher finds a signal; it splits the second part at spaces, and each part of a case at its only `=`."""


def cases(lines):
    """The result of each case, as LAVA takes the lines apart: by (set, name)."""
    found, inside = {}, ""
    for line in lines:
        kind, parts = SIGNAL.fullmatch(line).groups()
        if kind == "TESTSET":
            verb, *name = parts.split()
            inside = name[0] if verb == "START" else ""
            continue
        said = dict(part.split("=") for part in parts.split())
        assert (kind, list(said)) == ("TESTCASE", ["TEST_CASE_ID", "RESULT"])
        assert (inside, said["TEST_CASE_ID"]) not in found, line
        found[inside, said["TEST_CASE_ID"]] = said["RESULT"]
    return found


def test_each_test_and_violation_is_a_case():
    """A run's cases are in the set of their device, under names without spaces."""
    finished = run(f"{SAMPLES}verdicts.py", f"{SAMPLES}breaches.py", "-n2")

    done = reports("lava", finished.folder)

    assert done.returncode == 0, done.stderr
    found = cases(done.stdout.splitlines())
    assert len(found) == len(finished.tests) + len(finished.breaches)
    assert {device for device, _ in found} == {"swiftshader"}
    verdicts = {name.rpartition(".")[2]: result for (_, name), result in found.items()}
    wanted = {
        "test_passes": "pass",
        "test_warns": "pass",
        "test_fails": "fail",
        "test_lacks": "skip",
        "test_errs": "unknown",
    }
    assert wanted.items() <= verdicts.items()
    assert found["swiftshader", "breach_SPEC-RESULT-12_vkDeviceWaitIdle"] == "fail"


def test_known_failures_are_skipped():
    """A failure that the baseline expects fails nothing, one of a validation layer neither; a flaky one passes."""
    judged = made({"flaky": "flaky", "layers": "fail"})
    judged.tests += [
        line_of("known", "fail", expected="fail"),
        line_of("mended", "pass", differs="was fail, no longer is"),
    ]

    found = cases(lava.signals(judged))

    assert found == {
        ("a-gpu", "flaky"): "pass",
        ("a-gpu", "layers"): "skip",
        ("a-gpu", "known"): "skip",
        ("a-gpu", "mended"): "fail",
    }


def test_a_run_that_died_fails():
    """What it judged is there, and the run itself is a case that fails."""
    assert cases(lava.signals(made({"a": "pass"}, end={}))) == {("a-gpu", "a"): "pass", ("", "the_run"): "fail"}


def test_names_of_different_tests_differ():
    """All that the baselines name, and what is hard to spell, has a name of its own, of harmless characters."""
    known = {key for file in (ROOT / "reports/baselines").glob("*.txt") for key in read(file).known}
    hard = {"suites/a.py::test[second importer]", "suites/a.py::test[<x=1>, y]", "suites/a.py::test[2^63-1]"}

    names = [lava.name_of(key) for key in known | hard]

    assert len(names) > 100
    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"[\w.-]+", name, re.ASCII) for name in names)
