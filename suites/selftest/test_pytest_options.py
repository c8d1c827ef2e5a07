"""Options of pytest's own mean with this suite what they mean elsewhere."""

import pytest

from fixtures.testbed.drivers import ROOT
from suites.selftest.records import reports
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
BROKEN = ("--reference", "--fault=exports-without-close-on-exec")
FILE = "suites/exporting/test_descriptors.py"


def judged(found):
    """Test id to record of a run."""
    return {line["id"]: line for line in found.lines if line["type"] == "test"}


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_lf_runs_what_failed_last(tmp_path, workers):
    """--lf runs the tests alone that failed in the run before."""
    cache = ("-o", f"cache_dir={tmp_path}")
    first = run(FILE, workers, *cache, driver=BROKEN)

    again = run(FILE, workers, *cache, "--lf", driver=BROKEN)

    failed = {name for name, line in judged(first).items() if line["verdict"] == "fail"}
    assert failed
    assert {*judged(again)} == failed


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_x_passes_over_known_failures(tmp_path, workers):
    """-x stops at what differs from the baseline, not at what it lists; the exit status is that of a difference."""
    first = run(FILE, workers, driver=BROKEN)
    known = tmp_path / "known.txt"
    reports("baseline", first.folder, "-o", known)

    same = run(FILE, workers, "-x", f"--baseline={known}", driver=BROKEN)
    more = run(FILE, workers, "-x", f"--baseline={known}", driver=("--reference",))

    assert (same.status, {*judged(same)}) == (0, {*judged(first)})
    assert more.status == 1, more.output
    assert "stopping after 1 results that fail the run" in more.output
    assert len(judged(more)) < len(judged(first)) or workers == "-n2"  # whose tests were already shared out


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_pytests_own_short_summary_is_written(workers):
    """-ra lists what failed and what is unsupported, and the last line counts as the verdicts do."""
    found = run(f"{SAMPLES}verdicts.py", workers, "-ra", "-k", "passes or fails or lacks")

    assert "Traceback" not in found.output
    assert "FAILED suites/selftest/samples/verdicts.py::test_fails[swiftshader]" in found.output
    assert "the device lacks it" in found.output.partition("short test summary info")[2]
    assert "1 failed, 2 passed, 1 skipped" in found.output.splitlines()[-1]


def test_a_run_without_xdist_judges():
    """-p no:xdist is a run without workers."""
    found = run(FILE, "-p", "no:xdist", driver=("--reference",))

    assert found.status == 0, found.output


@pytest.mark.parametrize("folder", ["suites", "suites/exporting", "reports"])
def test_a_run_may_begin_anywhere_in_the_checkout(folder):
    """The tests, their ids and the verdicts are those of a run from the checkout's folder."""
    found = run(str(ROOT / FILE), driver=("--reference",), cwd=ROOT / folder)

    assert found.status == 0, found.output
    assert {line["nodeid"].partition("::")[0] for line in judged(found).values()} == {FILE}


def test_the_list_of_rules_is_that_alone():
    """--rules prints no tree of pytest's before the rules."""
    output = run("--rules", driver=("--reference",)).output

    assert "SPEC-EXPORT-04  (judges driver" in output
    assert "<Module" not in output
    assert "<Function" not in output
