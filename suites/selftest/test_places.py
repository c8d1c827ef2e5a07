"""One run with every verdict: terminal, record, JUnit, page, Markdown, comparison and exit status tell the same."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from fixtures.testbed.drivers import ROOT
from suites.selftest.browser import browser
from suites.selftest.runs import SAMPLES, run, scratch, section, short

pytestmark = pytest.mark.limit(60)
HEAD = "@driverID 10\n@driverName SwiftShader driver\n@versions 0..4294967295\n"
KNOWN = (
    f"# tracked at https://example.org/7\nfail {SAMPLES}trouble.py::test_afterwards[neighbour-fails-last]\n\n"
    f"# it never did\nunsupported {SAMPLES}verdicts.py::test_lacks\n"
)
VERDICTS = {
    "test_passes": "pass",
    "test_fails": "fail",
    "test_crashes_about_a_rule_that_only_warns": "crash",
    "alone-hang": "timeout",
    "test_lacks": "unsupported",
    "test_warns": "warn",
    "test_flakes": "flaky",
    "neighbour-fails-last": "fail",
}
"""Verdict of each test; the last one is a failure that the baseline knows."""
FAILS = ("test_fails", "test_crashes_about_a_rule_that_only_warns", "alone-hang")
SILENT = ("test_passes", "test_lacks")
"""Tests that the terminal counts without naming them."""


@pytest.fixture(scope="module")
def finished():
    """The run, against a baseline that knows of one failure."""
    file = scratch("places") / "known.txt"
    file.write_text(HEAD + KNOWN)
    wanted = " or ".join(VERDICTS).replace("test_fails", "(test_fails and not only)")
    return run(f"{SAMPLES}verdicts.py", f"{SAMPLES}trouble.py", "-n2", "-k", wanted, f"--baseline={file}")


SECTIONS = {
    "failures": r"^(\w+)  .*?repeat: .*?(suites/[^\s']+)",
    "known to fail": r"^(\w+)  .*?\n +(suites/\S+)",
    "flaky": r"^()(suites/[^\s:]+::[^\s:]+):",
    "warnings": r"^ *()(suites/[^\s:]+::[^\s:]+):",
}
"""How the terminal names the tests of each section, with their verdict where it is not the section's."""


def in_terminal(finished):
    told = {}
    for title, entry in SECTIONS.items():
        text = "\n".join(section(finished.output, title))
        for verdict, test in re.findall(entry, text, re.MULTILINE | re.DOTALL):
            name = short(test.replace("[swiftshader]", "").replace("swiftshader-", ""))
            told[name] = verdict or {"flaky": "flaky", "warnings": "warn"}[title]
    return told


def in_junit(finished):
    """The verdict that a case tells, or whether it is skipped: most are plain."""
    told = {}
    for case in ElementTree.parse(finished.folder / "junit.xml").iter("testcase"):
        verdict = case.find("properties/property[@name='verdict']")
        plain = "pass" if case.find("skipped") is None else "unsupported"
        told[short(f"::{case.get('name')}")] = plain if verdict is None else verdict.get("value")
    return told


ROWS = """[...document.querySelectorAll("#list summary")].map(
    (one) => [one.querySelector(".id").textContent, one.querySelector(".badge").textContent]
)"""


def rows_of(page):
    """Short name and verdict of each result that the page shows."""
    named = ((row.partition(": ")[2], badge.split()[1]) for row, badge in page.js(ROWS))
    return {short(name) if "[" in name else f"test_{name}": verdict for name, verdict in named}


def on_page(finished):
    with browser() as page:
        page.show(finished.folder / "index.html")
        return rows_of(page)


def in_summary(finished):
    text = (finished.folder / "summary.md").read_text().replace("\\", "")
    rows = re.findall(r"^\| (\w+) \| [^|]* \| (suites/\S+) \|", text, re.MULTILINE)
    return {short(test): verdict for verdict, test in rows}


def compared(finished):
    """Verdicts as the comparison with a run tells them in which every test passed."""
    folder = scratch("places") / "all-passed"
    folder.mkdir(exist_ok=True)
    lines = [line | {"verdict": "pass"} if line["type"] == "test" else line for line in finished.lines]
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-m", "reports", "compare", "--json", "--slower=0", str(folder), str(finished.folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1, done.stderr
    return {short(change["what"]): change["now"] for change in json.loads(done.stdout)["changes"]}


PLACES = {
    "record": (lambda finished: finished.verdicts, ()),
    "terminal": (in_terminal, SILENT),
    "junit": (in_junit, ()),
    "page": (on_page, ()),
    "summary": (in_summary, SILENT),
    "comparison": (compared, ("test_passes",)),
}
"""Where a verdict is told: how it is read there, and the tests that are not named there."""


@pytest.mark.parametrize("place", PLACES)
def test_every_place_tells_the_same_verdicts(finished, place):
    """Each test has the same verdict wherever it is told."""
    read, unnamed = PLACES[place]

    assert read(finished) == {name: verdict for name, verdict in VERDICTS.items() if name not in unnamed}


def test_every_place_counts_the_same(finished):
    """Two failures and one of each other verdict: in the terminal, in the record, in Markdown and in JUnit."""
    summary = (finished.folder / "summary.md").read_text()
    head, numbers = re.search(
        r"^\| device \| (.*) \|\n.*\n\| swiftshader.*? \| ([\d| ]+) \|$", summary, re.MULTILINE
    ).groups()
    root = ElementTree.parse(finished.folder / "junit.xml").getroot()

    counts = "2 fail, 1 crash, 1 timeout, 1 flaky, 1 warn, 1 pass, 1 unsupported"
    assert section(finished.output, "verdicts")[0] == f"swiftshader: {counts}"
    assert {f"{count} {verdict}" for verdict, count in finished.lines[-1]["totals"].items()} == set(counts.split(", "))
    assert ", ".join(map(" ".join, zip(numbers.split(" | "), head.split(" | "), strict=True))) == counts
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["8", "3", "0", "2"]


def test_what_fails_the_run_is_the_same_everywhere(finished):
    """Only what the baseline does not know: in the record, in JUnit, on the page, and by the exit status."""
    cases = list(ElementTree.parse(finished.folder / "junit.xml").iter("testcase"))
    with browser() as page:
        page.show(finished.folder / "index.html")
        page.js("(chosen.unexpected = true, select())")
        rows = rows_of(page)

    assert {name for name, record in finished.tests.items() if record["differs"]} == set(FAILS)
    assert {short(f"::{case.get('name')}") for case in cases if case.find("failure") is not None} == set(FAILS)
    assert set(rows) == set(FAILS)
    assert len(finished.lines[-1]["surprises"]) == 3
    assert finished.status == finished.lines[-1]["exit"] == 1
