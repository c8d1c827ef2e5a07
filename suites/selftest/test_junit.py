"""JUnit and the summary in Markdown, as other tools read them."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import xmlschema

from fixtures.testbed.drivers import ROOT
from suites.selftest.records import reports
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)


@pytest.fixture(scope="module")
def finished():
    return run(SAMPLES + "verdicts.py", SAMPLES + "breaches.py", "-n2")


def cases_of(folder):
    """Each case by its name, and the root of the file."""
    root = ElementTree.parse(folder / "junit.xml").getroot()
    return {case.get("name"): case for case in root.iter("testcase")}, root


def properties(case):
    return {(one.get("name"), one.get("value")) for one in case.iter("property")}


def test_totals_are_those_of_the_cases(finished):
    """Every suite and the whole count their cases, and every test and violation is one."""
    cases, root = cases_of(finished.folder)

    assert len(cases) == len(finished.tests) + len(finished.breaches)
    for one in (root, *root.iter("testsuite")):
        found = list(one.iter("testcase"))
        assert int(one.get("tests")) == len(found)
        for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(one.get(count)) == sum(case.find(kind) is not None for case in found)


READ = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
    "testcase": {"name", "classname", "time", "file"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
"""The attributes of each element that GitLab's, Jenkins' and GitHub's readers know."""
LAYERS = "a validation layer's, not the driver's: fail: the driver did wrong"
CONVERTED = {"file", "string", "symbol", "integer", "float", "decimal", "boolean", "date", "datetime", "yaml"}
"""Values of `type` that have GitLab's reader take an element's text for a value of that type, or refuse it."""


def test_the_readers_know_every_part(finished):
    """No element and attribute beyond those, and no type that means another thing there."""
    elements = list(cases_of(finished.folder)[1].iter())

    assert {element.tag for element in elements} == READ.keys()
    odd = [(element.tag, element.attrib) for element in elements if set(element.attrib) - READ[element.tag]]
    assert not odd, f"attributes that no reader knows: {odd[:3]}"
    assert not {element.get("type") for element in elements} & CONVERTED


def test_a_case_has_what_the_readers_need(finished):
    """Class, file and time, the rule and the device as properties, and the result as the first child after them."""
    case = cases_of(finished.folder)[0]["test_fails"]

    assert case.get("classname") == "swiftshader.suites.selftest.samples.verdicts"
    assert case.get("file") == SAMPLES + "verdicts.py"
    assert float(case.get("time")) >= 0
    told = {("rule", "SPEC-EXPORT-02"), ("device", "swiftshader"), ("verdict", "fail")}
    assert told | {("group", f"SPEC-EXPORT-02 {SAMPLES}verdicts.py::test_fails")} < properties(case)
    assert [child.tag for child in case] == ["properties", "failure"]


def test_a_failure_carries_what_a_dispute_needs(finished):
    """Its text has the rule with its section, and the weaker readings that were considered."""
    text = cases_of(finished.folder)[0]["test_fails"].find("failure").text

    assert "SPEC-EXPORT-02: " in text
    assert "\n  synchronization.adoc#vkGetSemaphoreFdKHR\n  weaker readings: none: the text admits one" in text


def test_a_crash_is_a_failure_with_its_stack(finished):
    """A crashed test is there, with the stack and the command that repeats it."""
    failure = cases_of(finished.folder)[0]["test_crashes_about_a_rule_that_only_warns"].find("failure")

    assert (failure.get("type"), failure.get("message")) == ("crash", "crash: SIGSEGV")
    assert "in test_crashes_about_a_rule_that_only_warns" in failure.text
    assert "Native stack (most recent call first):\n  libc.so.6+0x" in failure.text
    assert "repeat: .venv/bin/pytest -n0" in failure.text


def test_a_breach_is_a_case(finished):
    """A violation fails in a case of its own, named as in a baseline."""
    case = cases_of(finished.folder)[0]["breach SPEC-RESULT-12 vkDeviceWaitIdle"]

    assert case.get("classname") == "swiftshader.breaches"
    assert case.find("failure") is not None


def test_what_fails_apart_from_drivers_fails_nothing(finished, tmp_path):
    """What a validation layer gets wrong is skipped in JUnit, and has a table of its own in Markdown."""
    lines = [line | {"differs": ""} if "differs" in line else line for line in finished.lines]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    subprocess.run([sys.executable, "-m", "reports", "page", str(tmp_path)], cwd=ROOT, check=True, timeout=50)

    skipped = cases_of(tmp_path)[0]["test_fails"].find("skipped")
    assert (skipped.get("type"), skipped.get("message")) == ("apart", LAYERS)
    assert "## Failures of validation layers, which do not fail the run: " in (tmp_path / "summary.md").read_text()


def test_errors_are_the_suites_own(finished):
    """The suite's fault is an error, not a failure."""
    case = cases_of(finished.folder)[0]["test_errs"]

    assert case.find("failure") is None
    assert "LookupError" in case.find("error").text


def test_anything_that_a_driver_prints_can_be_read_back(finished, tmp_path):
    """Control characters and markup make neither invalid XML nor a table in Markdown."""
    odd = "\x00\x1b[31m a | b <b>bold</b> ]]> `x` \ud800 \uffff"
    lines = [line | {"message": odd, "detail": odd} if line["type"] == "test" else line for line in finished.lines]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    subprocess.run([sys.executable, "-m", "reports", "page", str(tmp_path)], cwd=ROOT, check=True, timeout=50)

    assert "<b>bold</b> ]]>" in cases_of(tmp_path)[0]["test_fails"].find("failure").get("message")
    text = (tmp_path / "summary.md").read_text()
    assert "a \\| b &lt;b&gt;bold" in text
    assert "<b>" not in text


def test_the_summary_has_one_row_for_failures_that_are_alike():
    """Cases of one test that fail alike are one row, which says how many; the heading counts them all."""
    found = run(f"{SAMPLES}alike.py", "-n0", "-k", "quick")
    text = (found.folder / "summary.md").read_text()

    failed = [line for line in found.lines if line.get("verdict") == "fail"]
    rows = [line for line in text.splitlines() if line.startswith("| fail |") and "test\\_quick" in line]
    assert f"## Fails the run: {len(failed)}" in text
    assert len(rows) == 1
    assert f"and {len(failed) - 1} more" in rows[0]


def test_the_summary_goes_to_githubs_job(tmp_path):
    """GITHUB_STEP_SUMMARY is added to, with the same text as summary.md."""
    step = tmp_path / "step"
    step.write_text("before\n")

    found = run(SAMPLES + "poison.py", "-n0", GITHUB_STEP_SUMMARY=str(step))

    assert step.read_text() == "before\n" + (found.folder / "summary.md").read_text()


@pytest.fixture(scope="module")
def schema():
    """What Jenkins' xUnit plugin takes."""
    return xmlschema.XMLSchema(ROOT / "suites/selftest/junit.xsd")


@pytest.fixture(scope="module")
def strict(finished):
    """The XML that `python -m reports xunit` prints."""
    done = reports("xunit", finished.folder)
    assert done.returncode == 0, done.stderr
    return ElementTree.fromstring(done.stdout)


def test_jenkins_xunit_plugin_takes_it(schema, strict):
    """It keeps every rule of the plugin's schema."""
    assert len(list(strict.iter("testcase"))) > 10
    assert [error.reason for error in schema.iter_errors(strict)] == []


REFUSED = {
    "the file of a case": (".//testcase", lambda case: case.set("file", "a.py")),
    "properties of a case": (".//testcase", lambda case: ElementTree.SubElement(case, "properties")),
    "a case without a name": (".//testcase", lambda case: case.attrib.pop("name")),
    "an unknown count": (".", lambda root: root.set("skipped", "1")),
    "a suite without its errors": (".//testsuite", lambda suite: suite.attrib.pop("errors")),
    "microseconds of a suite": (".//testsuite", lambda suite: suite.set("time", "0.000001")),
}
"""What the plugin refuses: where it is, and how to put it there."""


@pytest.mark.parametrize("what", REFUSED)
def test_the_schema_refuses_what_the_plugin_refuses(schema, strict, what):
    """One thing of which the plugin says that the file is invalid."""
    place, spoil = REFUSED[what]
    spoiled = ElementTree.fromstring(ElementTree.tostring(strict))

    spoil(spoiled.find(place))

    assert not schema.is_valid(spoiled)


def test_the_strict_form_keeps_names_outcomes_and_properties(finished, strict):
    """Each case is there with its outcome, and its output tells what its properties told."""
    cases = cases_of(finished.folder)[0]

    kept = {case.get("name"): case for case in strict.iter("testcase")}

    assert kept.keys() == cases.keys()
    for name, case in cases.items():
        outcomes = [
            [one.tag for one in each if one.tag in ("failure", "error", "skipped")] for each in (case, kept[name])
        ]
        assert outcomes[0] == outcomes[1]
        told = (kept[name].findtext("system-out") or "").splitlines()
        assert {f"{key}: {value}" for key, value in properties(case)} <= {*told}


def test_gitlab_finds_the_reason_of_a_skipped_case(finished):
    """The text of the element says why, as its message does."""
    (skipped,) = [
        case.find("skipped") for case in cases_of(finished.folder)[0].values() if case.get("name") == "test_lacks"
    ]

    assert skipped.text
    assert skipped.text == skipped.get("message")
