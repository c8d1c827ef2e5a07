"""The last lines of a run tell its verdicts, what fails it, its exit status and why, and are few."""

import pytest

from suites.selftest.records import reports
from suites.selftest.runs import SAMPLES, run, section

pytestmark = pytest.mark.limit(110)
FILES = (f"{SAMPLES}verdicts.py", f"{SAMPLES}breaches.py")


def last_lines(found):
    """What a run printed from its verdicts on."""
    lines = found.output.rstrip().splitlines()
    return lines[next(at for at, line in enumerate(lines) if line.strip("= ") == "verdicts") :]


@pytest.fixture
def known(tmp_path):
    """A baseline of a run of FILES without its errors, which are no driver's."""
    found = run(*FILES, "-n2", "-k", "not errs")
    reports("baseline", found.folder, "-o", tmp_path / "known.txt")
    return tmp_path / "known.txt"


def test_known_failures_end_green(known):
    """Where nothing differs the last word is no failure: known ones are expected ones, and counted once."""
    found = run(*FILES, "-n2", "-k", "not errs", f"--baseline={known}", again="known")

    verdicts = [line["verdict"] for line in found.lines if line["type"] == "test"]
    failures = sum(one in ("fail", "crash", "timeout") for one in verdicts)
    *_, last = last_lines(found)
    why = next(line for line in last_lines(found) if line.startswith("exit "))
    assert (found.status, f" {failures} xfailed" in last, " failed" in last) == (0, True, False), last
    assert why.startswith(f"exit 0: nothing differs from known.txt; {failures} known failures in ")


def test_what_is_broken_comes_before_what_is_mended(known):
    """A test that fails anew is told before one that no longer fails, and this before an entry that meets no test."""
    text = known.read_text()
    known.write_text(
        text.replace(f"fail {SAMPLES}verdicts.py::test_fails\n", "")
        + f"# once\nfail {SAMPLES}verdicts.py::test_passes\nfail suites/no.py::test_such\n"
    )

    found = run(*FILES, "-n2", "-k", "not errs", f"--baseline={known}", again="changed")

    told = [line.split()[0] for line in last_lines(found) if SAMPLES in line and "::" in line]
    assert (found.status, told) == (1, ["fail", "pass"]), last_lines(found)
    assert "exit 1: what differs from known.txt: 2 tests; " in found.output


def test_a_very_broken_driver_leaves_few_last_lines():
    """At most 25 lines, however much fails: the rest is on the page."""
    found = run("suites/sharing", "-n3", "--patience=0.1", "--fault=references-are-copies", driver=("--reference",))

    groups = {
        (line["rules"][0], line["id"].partition("[")[0])
        for line in found.lines
        if line.get("verdict") == "fail" and "rules" in line
    }
    assert len(groups) > 14, "too little fails for this test"
    assert len(last_lines(found)) <= 25, last_lines(found)
    assert any("groups more: see the page" in line for line in last_lines(found))


def test_warnings_are_folded():
    """Cases of one test that warn alike are one line."""
    found = run(*FILES, "-n2")
    told = section(found.output, "warnings")

    warned = {line["id"].partition("[")[0] for line in found.lines if line.get("verdict") == "warn" and "id" in line}
    assert {line.partition("  ")[2].partition(": ")[0].partition("[")[0] for line in told} == warned
    assert len(told) == len(warned)
