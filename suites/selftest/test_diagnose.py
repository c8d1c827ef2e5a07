"""A diagnosis names the fault that a driver has: hidden faults are found, and the words say how well they explain."""

import json
from dataclasses import replace

import pytest

from fixtures.faults.library import all_faults
from fixtures.vulkan.outcomes import unsupported
from reports.diagnose.explain import diagnose
from reports.diagnose.symptoms import Library, Symptoms, library
from reports.diagnose.words import as_text, in_short
from suites.ledger import rules
from suites.selftest.browser import browser
from suites.selftest.hiding import FIRST, hidden, measure
from suites.selftest.matrix import CHOICES, claims
from suites.selftest.records import line_of, reports, saved, text_of
from suites.selftest.symptoms import OWN, found_in, judge, without_symptoms

SAMPLE = (
    "creation-succeeds-without-a-handle",
    "exports-without-close-on-exec",
    "imported-payloads-do-not-export",
    "all-means-any",
)
"""Faults that are hidden in SwiftShader each time; `--long` hides all."""

REPRODUCED = ("exports-without-close-on-exec", "claims-change")
"""Faults whose symptoms are seen anew each time."""


def fault(name, fails, passes=None, rule="SPEC-WAIT-01"):
    """Symptoms of a fault that was looked at with all probes."""
    return Symptoms(name, f"What {name} does.", [rule], fails, passes or {}, {"other": 1.0}, probed=2)


FAULTS = Library(
    ("probe", "other probe"),
    [
        fault("broad", {"waits": ["*"], "signals": ["*"], "exports": ["*"]}),
        fault("narrow", {"waits": ["*"]}),
        fault(
            "late",
            {"imports": ["timeline-own-temporary", "timeline-first-temporary"]},
            {"imports": ["binary-first-twice-permanent", "timeline-own-permanent"]},
        ),
    ],
)


def said(**verdicts):
    """What explains results; a test is named as a keyword, its case stands behind `__`."""
    names = {
        name.partition("__")[0] + f"[{name.partition('__')[2].replace('_', '-')}]": one
        for name, one in verdicts.items()
    }
    lines = [line_of(name.removesuffix("[]"), one, rules=["SPEC-OTHER-01"]) for name, one in names.items()]
    return diagnose("a-gpu", lines, FAULTS)


def first_of(found):
    """The name of the likeliest fault of each finding."""
    return [finding[0].fault.fault for finding in found.findings]


def test_a_fault_whose_tests_pass_is_not_named():
    """What a fault makes fail and passed speaks against it, what was not judged does not."""
    assert first_of(said(waits="fail", signals="pass", exports="pass")) == ["narrow"]
    assert first_of(said(waits="fail", signals="fail", exports="unsupported")) == ["broad"]


def test_two_faults_explain_what_none_does():
    """The second fault is looked for in what the first left."""
    found = said(waits="fail", signals="fail", exports="fail", imports__timeline_own_temporary="fail")

    assert first_of(found) == ["broad", "late"]
    assert found.left == []


def test_a_case_is_taken_for_the_one_that_is_most_like_it():
    """The parameter by which failures differ decides, not how many others are the same."""
    assert first_of(said(imports__binary_first_twice_temporary="fail")) == ["late"]
    assert first_of(said(imports__timeline_first_permanent="fail")) == []


def test_an_error_that_a_fault_does_not_make_is_told():
    """A fault that shows VK_SUCCESS explains an error less well, and that is said."""
    faults = Library(("a", "b"), [replace(fault("late", {"waits": ["*"]}), seen={"VK_SUCCESS": 1.0})])

    def told(result):
        lines = [line_of("waits", "fail", message=f"it returned {result}")]
        return as_text([diagnose("a-gpu", lines, faults)])

    assert "explains 1 of 1 failure;" in told("VK_SUCCESS")
    assert "explains 1 of 1 failure, 1 of them with an error that it does not make;" in told("VK_ERROR_UNKNOWN")


def test_what_nothing_explains_is_said():
    """A failure that no fault makes is left, in honest words."""
    found = said(elsewhere="fail")

    assert in_short(found) == "a-gpu: no known fault explains 1 failure"
    assert as_text([found]).splitlines()[1:] == ["    fail  elsewhere"]


def test_what_a_baseline_expects_counts_neither_way():
    """Neither is it explained, nor does it speak for or against a fault."""
    known = line_of("signals", "fail", expected="fail")
    found = diagnose("a-gpu", [known, line_of("exports", "pass"), line_of("waits", "fail")], FAULTS)

    assert (found.failed, first_of(found)) == (1, ["narrow"])
    assert in_short(diagnose("a-gpu", [known], FAULTS)) == "a-gpu: nothing failed that a baseline does not expect"


def failing(name, folder):
    """A run in which the tests fail that a fault of the library makes fail."""
    one = next(one for one in library().faults if one.fault == name)
    return saved(folder, {test + f"[{cases[0]}]" * (cases[0] != "*"): "fail" for test, cases in one.fails.items()})


def test_the_command_tells_faults_with_their_rules(tmp_path):
    """`diagnose` prints the statement, the rules and how many failures it explains; `--json` the same."""
    one = all_faults()["exports-without-close-on-exec"]
    run = failing(one.name, tmp_path)

    text, data = reports("diagnose", run).stdout, json.loads(reports("diagnose", run, "--json").stdout)

    count = data[0]["failed"]
    assert f"1. looks like: e{one.statement[1:].rstrip('.')} ({one.name})" in text
    assert f"explains {count} of {count} failures; it breaks {one.rules[0]}" in text
    assert data[0]["findings"][0][0] | {"fault": one.name, "rules": list(one.rules)} == data[0]["findings"][0][0]


def test_page_and_summary_tell_the_diagnosis(tmp_path):
    """The page has it as data, the summary in a sentence; a run without failures has none."""
    run, clean = failing("exports-without-close-on-exec", tmp_path / "run"), saved(tmp_path / "clean", {"a": "pass"})

    assert [reports("page", one).returncode for one in (run, clean)] == [0, 0]

    sentence = "looks like: exported descriptors are not marked close"
    assert sentence in text_of(run / "index.html")
    assert sentence.replace(":", "\\:") in (run / "summary.md").read_text()
    assert "looks like" not in (clean / "summary.md").read_text()


def test_the_page_shows_the_diagnosis(tmp_path):
    """Folded: a sentence for the device, below it each fault with the tests that it explains."""
    run = failing("exports-without-close-on-exec", tmp_path)
    assert reports("page", run).returncode == 0

    with browser() as page:
        page.show(run / "index.html")
        told = page.js("document.querySelector('#diagnosis').innerText")
        inside = page.js("document.querySelector('#diagnosis ol').textContent")

    assert "a-gpu: looks like: exported descriptors are not marked" in told
    assert "test_an_exported_descriptor_is_marked_close_on_exec" in inside
    assert "test_an_exported_descriptor_is_marked_close_on_exec" not in told


def test_every_fault_has_its_symptoms():
    """The file has a line for each fault as it stands: `python -m suites.selftest.symptoms FAULT` writes one anew."""
    lines = {one.fault: (one.statement, one.rules) for one in library().faults}
    faults = {name: (one.statement, list(one.rules)) for name, one in all_faults().items()}

    assert {name for name in {*lines, *faults} if lines.get(name) != faults.get(name)} == set()
    assert [one.fault for one in library().faults if bool(one.fails) == bool(one.unknown)] == []
    assert [one.fault for one in library().faults if without_symptoms(one.fault) and one.fails] == []


def test_every_symptom_exists():
    """Each test that the file names is there, under its present name, and each rule of a violation is in the ledger."""
    named = {*library().probes, *(name for one in library().faults for name in one.fails)}
    tests = {test for found in claims().values() for test in found}

    gone = [name for name in named - tests if not (name.startswith("breach ") and name.split()[1] in rules())]
    assert not gone, f"they are gone; a renamed test needs a line in reports/renamed.txt: {gone}"


@pytest.mark.limit(120)
@pytest.mark.parametrize("name", REPRODUCED)
def test_symptoms_are_seen_again(name):
    """The tests of a fault's rules fail and pass with it as the file says."""
    one = next(one for one in library().faults if one.fault == name)

    fails, passes = found_in(judge(name, "ideal", OWN))

    assert fails
    assert fails == {function: one.fails.get(function) for function in fails}
    assert passes == {function: one.passes.get(function) for function in passes}


@pytest.mark.limit(150)
def test_hidden_faults_are_found():
    """SwiftShader with a fault: it, or one that breaks the same rule, is among the first that a diagnosis names."""
    found, shown, told = measure("swiftshader", SAMPLE)

    assert (found, shown) == (len(SAMPLE), len(SAMPLE)), told


@pytest.mark.long
@pytest.mark.limit(3600)
@pytest.mark.parametrize("driver", ["swiftshader", "lavapipe"])
def test_nine_of_ten_hidden_faults_are_found(driver, pytestconfig):
    """Of all faults that show on a driver at least so many are among the first that a diagnosis names."""
    if driver == "lavapipe" and not {*CHOICES[driver]} & {
        f"--driver={one}" for one in pytestconfig.option.driver or ()
    }:
        unsupported(f"for a run with lavapipe: sh fixtures/lavapipe.sh --long -s {__file__} -k nine_of_ten")
    found, shown, told = measure(driver)

    print(*told, f"{found} of {shown} faults that show on {driver} are found", sep="\n")
    assert shown > len(hidden(driver)) / 2, told
    assert found >= 0.9 * shown, f"{found} of {shown} are among the first {FIRST}: {told}"
