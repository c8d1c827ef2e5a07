"""A baseline has what a device claims, and no list of the tests that are unsupported for want of it."""

import ast
import re
from xml.etree import ElementTree

import pytest

from fixtures.testbed.drivers import ROOT
from reports.records import claims
from reports.records.baseline import FEW, Baseline, from_results, read, write
from suites.selftest.records import line_of, made, text_of
from suites.selftest.runs import SAMPLES, run, scratch, section

pytestmark = pytest.mark.limit(110)
REFERENCE = ("--reference", "--device=ideal-0")
TESTS = ("suites/exporting/test_descriptors.py", "-n2")
FULL = {
    "Vulkan": ("1.3",),
    "OPAQUE_FD:binary": ("exportable", "importable", "compatible with OPAQUE_FD"),
    "queue family 0": ("GRAPHICS", "TRANSFER", "4 queues"),
    "timelines": (),
    "VK_KHR_maintenance5": (),
}


def known(*tests):
    """The baseline of the reference driver by a run of `tests`."""
    file = scratch("claims") / f"{abs(hash(tests))}.txt"
    found = run(*tests, driver=REFERENCE)
    file.write_text(write(from_results(found.lines[0], found.lines[1:-1])))
    return file


def against(file, *arguments):
    """(the run of `arguments` against a baseline, what it says differs)."""
    found = run(*arguments, f"--baseline={file}", driver=REFERENCE, again=file.read_text())
    told = [f"{key}: {what}" for key, what in found.lines[-1]["surprises"]]
    assert section(found.output, "differs from the baseline") == told
    return found, told


def test_a_driver_that_claims_the_same_differs_in_nothing():
    """Its tests are unsupported for the same reasons; the baseline has no entry of them."""
    file = known(*TESTS)

    found, told = against(file, *TESTS)

    assert (found.status, told) == (0, []), found.output
    assert "unsupported" in found.verdicts.values()
    assert read(file).known == {}


def test_a_lost_claim_is_one_line_and_fails():
    """Nothing else is told of the tests that it makes unsupported: in the terminal, the summary, the page and JUnit."""
    found, told = against(known(*TESTS), *TESTS, "--variant=opaque-fd-of-binary-alone")

    lost = ["claims OPAQUE_FD:timeline", "claims SYNC_FD:binary"]
    assert (
        found.status,
        [one.partition(": the driver no longer claims exportable, importable, ")[0] for one in told],
    ) == (1, lost)
    assert not [one for one in found.tests.values() if one["differs"]]
    assert [line.partition("  ")[0] for line in found.output.splitlines() if line.startswith("claims ")][-2:] == lost
    assert "2 lost claims" in found.output
    cases = ElementTree.parse(found.folder / "junit.xml").iter("testcase")
    assert [case.get("name") for case in cases if case.find("failure") is not None] == lost
    assert all("the driver no longer claims" in text_of(found.folder / name) for name in ("index.html", "summary.md"))


def test_a_device_may_claim_more():
    """A baseline of fewer claims fits it."""
    file = known(*TESTS, "--variant=opaque-fd-alone")

    found, told = against(file, *TESTS)

    assert (found.status, told) == (0, []), found.output


def test_a_new_unsupported_test_is_no_difference():
    """It cannot turn a nightly red: a test of which the baseline knows nothing is unsupported, and claims are what they were."""
    file = known(f"{SAMPLES}verdicts.py", "-k", "test_passes")

    found, told = against(file, f"{SAMPLES}verdicts.py", "-k", "test_passes or test_lacks")

    assert (found.status, told) == (0, [])
    assert found.verdicts["test_lacks"] == "unsupported"


def test_a_driver_that_makes_no_further_device_is_told():
    """What it answers at run time is no claim: a reason that the baseline does not list is one line with the number of tests."""
    sample, variant = f"{SAMPLES}devices.py", "--variant=two-devices-at-a-time"
    reason = "the driver makes no further device: vkCreateDevice returned VK_ERROR_TOO_MANY_OBJECTS"

    found, told = against(known(sample), sample, variant)
    again, nothing = against(known(sample, variant), sample, variant)

    assert (found.status, told) == (1, [f"declines {reason}: 1 test, 0 in the baseline"])
    assert "exit 1: what differs" in found.output
    assert "1 reason to skip tests" in found.output
    assert (again.status, nothing) == (0, [])


def test_a_step_of_another_process_passes_on_why_it_is_unsupported():
    """Declined there is declined here."""
    found = run(f"{SAMPLES}declined.py", driver=REFERENCE)

    assert {name: one["lack"] for name, one in found.tests.items()} == dict.fromkeys(
        ("here", "in a fixture", "there"), "declined"
    )


@pytest.mark.parametrize(("late", "status"), [(1, 1), (2, 0)])
def test_few_tests_may_come_too_late(late, status):
    """On a busy machine tests come too late; twelve, where the baseline has one, are more than FEW more."""
    file = known(f"{SAMPLES}late.py")
    file.write_text(file.read_text().replace("@late 12\n", f"@late {late}\n"))

    found, told = against(file, f"{SAMPLES}late.py")

    assert FEW == 10
    assert (found.status, told) == (status, ["late: 12 tests, 1 in the baseline"] * status)


def lacking(count, message, judged=0, **more):
    """The results of tests that lack something, and of some that pass."""
    return [line_of(f"l{n}", "unsupported", message=message, **more) for n in range(count)] + [
        line_of(f"p{n}", "pass") for n in range(judged)
    ]


@pytest.mark.parametrize(
    ("count", "judged", "differs"), [(15, 0, False), (16, 0, True), (25, 1000, False), (26, 1000, True)]
)
def test_a_listed_reason_has_a_number(count, judged, differs):
    """More tests than that, by more than ten and a fiftieth of those that were judged, are a difference."""
    file = Baseline(claims={}, declines={"no surface": 5})

    told = file.beyond({}, lacking(count, "no surface", judged, lack="declined"))

    assert told == [("declines no surface", f"{count} tests, 5 in the baseline")] * differs


CHANGES = {
    "a version": ({"Vulkan": ("1.2",)}, ["claims Vulkan: the driver no longer claims 1.3"]),
    "a later version": ({"Vulkan": ("1.10",)}, []),
    "a part": (
        {"OPAQUE_FD:binary": ("exportable", "exports from SYNC_FD")},
        ["claims OPAQUE_FD:binary: the driver no longer claims importable, compatible with OPAQUE_FD"],
    ),
    "queues": (
        {"queue family 0": ("GRAPHICS", "TRANSFER", "1 queue")},
        ["claims queue family 0: the driver no longer claims 4 queues"],
    ),
    "more queues": ({"queue family 0": ("COMPUTE", "GRAPHICS", "TRANSFER", "16 queues")}, []),
    "a feature": ({"timelines": None}, ["claims timelines: the driver no longer claims it"]),
    "an extension": ({"VK_KHR_maintenance5": None}, ["claims VK_KHR_maintenance5: the driver no longer claims it"]),
    "another extension": ({"VK_KHR_maintenance9": ()}, []),
}
"""How the claims of a device differ from FULL, and what is told."""


@pytest.mark.parametrize("change", CHANGES)
def test_what_counts_as_lost(change):
    """A claim that is not there, or less than it was; more is no loss."""
    edit, told = CHANGES[change]

    there = {subject: its for subject, its in {**FULL, **edit}.items() if its is not None}

    assert [f"{what}: {how}" for what, how in claims.lost(FULL, there)] == told


@pytest.mark.parametrize("its", [FULL, {}], ids=["claims", "none"])
def test_claims_are_lines_that_read_back(its, tmp_path):
    """The head of a file has them, also where there are none."""
    file = tmp_path / "known.txt"
    file.write_text(write(Baseline(3, "a driver", claims=its, declines={"no surface": 5}, late=2)))

    again = read(file)

    assert (again.claims, again.declines, again.late) == (its, {"no surface": 5}, 2)


def test_a_whole_run_turns_an_old_baseline_into_one_with_claims(tmp_path):
    """The unsupported tests that it lists go; failures that were unsupported this time stay, with their reasons."""
    file = tmp_path / "known.txt"
    file.write_text(
        "@driverID 3\n@driverName a driver\n@versions 7..7\n@slow\n\n# a cause\nfail a\nfail *b\nunsupported c\n"
    )
    ran = made({"a": "unsupported", "ab": "unsupported", "c": "unsupported"})
    ran.tests += lacking(3, "no surface", lack="declined")

    made_of_it = from_results(ran.head, ran.tests, read(file))

    assert made_of_it.known == {"a": "fail", "*b": "fail"}
    assert (made_of_it.reasons["a"], made_of_it.claims, made_of_it.declines) == (
        "a cause",
        {"Vulkan": ("1.3",)},
        {"no surface": 3},
    )


def test_a_part_of_the_suite_leaves_claims_and_reasons(tmp_path):
    """It may have met none of them; what it met anew is added."""
    old = Baseline(3, "a driver", (7, 7), claims=FULL, declines={"no surface": 5}, late=2)
    ran = made({})

    part = from_results(ran.head, lacking(1, "no device", lack="declined"), old, whole=False)

    assert (part.claims, part.declines, part.late) == (FULL, {"no surface": 5, "no device": 1}, 2)


INSTANCE = re.compile(r"_(capabilities2?|properties2|surface|debug_utils|surface_maintenance1)$")
"""How the instance extensions end that the sources name."""


def test_the_extensions_of_claims_are_those_that_tests_make_anything_of():
    """The names in the sources of the suites and of what they stand on, but for examples and instance extensions."""
    files = [*(ROOT / "fixtures/testbed").glob("*.py"), *(ROOT / "suites").glob("*/*.py")]
    trees = [ast.parse(file.read_text()) for file in files if "selftest" not in file.parts]
    texts = [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    named = {name for text in texts for name in re.findall(r"\bVK_[A-Z]+_[a-z]\w+", text)}

    assert {name for name in named if not INSTANCE.search(name)} == claims.EXTENSIONS
