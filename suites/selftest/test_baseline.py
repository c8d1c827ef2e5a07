"""A run against a baseline fails on whatever differs from it, and on nothing else."""

import json
import re
import subprocess
import sys
from hashlib import sha256

import pytest

from fixtures.testbed.drivers import ROOT
from reports.records import verdicts
from reports.records.baseline import read
from suites.selftest.records import reports, saved
from suites.selftest.runs import SAMPLES, run, scratch, section

pytestmark = pytest.mark.limit(60)
VERDICTS, BREACHES = f"{SAMPLES}verdicts.py", f"{SAMPLES}breaches.py"
SELECTED = (VERDICTS, BREACHES, "-k", "not errs")
ID = f"{VERDICTS}::"
WHOLE = ("-n0", "-o", f"testpaths={BREACHES}")
"""Arguments of a run that selects everything there is, if there were only samples/breaches.py."""


def known():
    """The baseline that `python -m reports baseline` writes of a run of the sample."""
    finished = run(*SELECTED, "-n2")
    line = [sys.executable, "-m", "reports", "baseline", str(finished.folder)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def against(text, *arguments):
    """A run of the sample against the baseline `text`."""
    file = scratch("baselines") / f"{sha256(text.encode()).hexdigest()}.txt"
    file.write_text(text)
    return run(*(arguments or (*SELECTED, "-n0")), f"--baseline={file}")


def without(text, part):
    """The baseline without the one entry that ends with `part`."""
    lines = text.splitlines(keepends=True)
    left = [line for line in lines if not line.endswith(f"{part}\n")]
    assert len(left) == len(lines) - 1, f"not one entry of {part!r} in:\n{text}"
    return "".join(left)


def without_claims(text):
    """The baseline as one that lists each unsupported test."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("@claims")]
    return "".join(lines) + f"\nunsupported {ID}test_lacks\nunsupported {BREACHES}::test_breach_lacks\n"


def known_of_breaches():
    """The baseline without the entries of samples/verdicts.py, which a run of the `WHOLE` does not have."""
    return "\n".join(line for line in known().splitlines() if VERDICTS not in line) + "\n"


def differences(found):
    """What the summary says differs, the record's own list being the same."""
    surprises = [f"{key}: {what}" for key, what in found.lines[-1]["surprises"]]
    assert section(found.output, "differs from the baseline") == surprises
    return surprises


def test_known_failures_pass():
    """A run that finds exactly what the baseline lists ends with exit status 0."""
    found = against(known())

    assert differences(found) == []
    assert found.status == 0, found.output
    assert {"fail", "crash"} < set(found.verdicts.values()), "the verdicts of known failures stay what they are"


def test_the_baseline_lists_what_is_known():
    """It has one sorted line an entry, without the device, and names the driver in its head."""
    lines = known().splitlines()

    entries = [line for line in lines if line and line[0] not in "#@"]
    assert f"fail {ID}test_fails" in entries
    assert f"crash {ID}test_crashes_about_a_rule_that_only_warns" in entries
    assert "fail breach SPEC-RESULT-12 vkDeviceWaitIdle" in entries
    assert not any("swiftshader" in entry or "SPEC-FUND-09" in entry for entry in entries), entries
    assert lines[:2] == ["@driverID 10", "@driverName SwiftShader driver"]


CHANGES = {
    "a new failure": (lambda text: without(text, "::test_fails"), "test_fails: new fail"),
    "another kind of failure": (
        lambda text: text.replace("crash suites", "timeout suites"),
        "test_crashes_about_a_rule_that_only_warns: was timeout, now crash",
    ),
    "a judged test turned unsupported": (
        lambda text: without(without_claims(text), "::test_lacks"),
        "test_lacks: unsupported, which the baseline does not list",
    ),
    "a failing test turned unsupported": (
        lambda text: without_claims(text).replace(f"unsupported {ID}test_lacks", f"fail {ID}test_lacks"),
        "test_lacks: was fail, turned unsupported",
    ),
    "an entry that no longer fails": (lambda text: f"{text}fail {ID}test_passes\n", "test_passes: was fail, no longer"),
    "an entry that only warns now": (lambda text: f"{text}crash {ID}test_warns\n", "test_warns: was crash, no longer"),
    "an entry that is supported now": (
        lambda text: f"{without_claims(text)}unsupported {ID}test_passes\n",
        "test_passes: was unsupported, no longer",
    ),
    "a flaky test turned unsupported": (
        lambda text: without_claims(text).replace(f"unsupported {ID}test_lacks", f"flaky {ID}test_lacks"),
        "test_lacks: was flaky, turned unsupported",
    ),
    "a new violation": (
        lambda text: without(text, "vkDeviceWaitIdle"),
        "breach SPEC-RESULT-12 vkDeviceWaitIdle: new fail",
    ),
}
"""What is done to a baseline that fits, and what a run must then say."""


@pytest.mark.parametrize("change", CHANGES)
def test_a_difference_fails_the_run(change):
    """One difference is told as one line, and the exit status is 1."""
    edit, told = CHANGES[change]

    found = against(edit(known()))

    (difference,) = differences(found)
    assert told in difference
    assert found.status == 1


def test_a_flaky_entry_accepts_both_outcomes():
    """`flaky TEST` is content with a pass, a failure and a mixed outcome, and a failure is listed as flaky."""
    text = known().replace(f"fail {ID}test_fails", f"flaky {ID}test_fails") + f"flaky {ID}test_passes\n"

    found = against(f"{text}flaky {ID}test_flakes\nflaky breach SPEC-RESULT-06 vkQueueSubmit\n")

    assert (found.status, differences(found)) == (0, [])
    told = section(found.output, "known to be flaky")
    assert told == ["fail  the driver did wrong", f"      {ID}test_fails"]
    assert "; 1 failure of what is known to be flaky" in found.output


def test_an_entry_that_matches_no_test_fails_a_whole_run():
    """A test that is gone is a difference, a flaky violation that did not happen is not."""
    text = known_of_breaches() + "fail suites/gone.py::test_gone\nflaky breach SPEC-RESULT-06 vkQueueSubmit\n"

    found = against(text, *WHOLE)

    assert differences(found) == ["suites/gone.py::test_gone: matches no test"]
    assert found.status == 1


def test_a_breach_that_no_longer_occurs_fails_a_whole_run():
    """An entry of a violation that no test of the suite shows any more is a difference."""
    text = known_of_breaches() + "fail breach SPEC-RESULT-06 vkQueueSubmit\n"

    found = against(text, *WHOLE)

    assert differences(found) == ["breach SPEC-RESULT-06 vkQueueSubmit: no longer seen"]
    assert found.status == 1


def test_entries_of_tests_that_were_not_selected_are_left_alone():
    """A run of a part of the suite says nothing of the rest, its violations included."""
    text = known() + "fail breach SPEC-RESULT-06 vkQueueSubmit\nfail suites/gone.py::test_gone\n"

    found = against(text, VERDICTS, "-n0", "-k", "test_passes")

    assert differences(found) == []
    assert found.status == 0, found.output


PARTS = {
    "by path": (f"{BREACHES}::test_mere_warning", "-n0"),
    "by -k": (*WHOLE, "-k", "mere"),
    "by --rule": (*WHOLE, "--rule=SPEC-EXPORT-05"),
    "by --deselect": (*WHOLE, f"--deselect={BREACHES}::test_breach"),
}
"""Arguments of runs that leave out every test of samples/breaches.py that shows the violation of SPEC-RESULT-12."""


@pytest.mark.parametrize("part", PARTS)
def test_breaches_are_left_alone_where_nothing_could_show_them(part):
    """A baseline that has a violation alone is no reason to fail a run without the tests that show it."""
    head = "\n".join(known().splitlines()[:3])

    found = against(f"{head}\nfail breach SPEC-RESULT-12 vkDeviceWaitIdle\n", *PARTS[part])

    assert (found.status, differences(found)) == (0, [])


def test_a_baseline_of_another_driver_is_refused():
    """One sentence names both drivers."""
    text = known().replace("@driverName SwiftShader driver", "@driverName NVIDIA")

    found = against(text)

    assert found.status == 4
    assert re.search(r"is about NVIDIA \S+, but the devices here are of SwiftShader driver \d+", found.error)


def test_a_new_version_is_judged_against_an_old_baseline():
    """A nightly goes on when its driver gets a new version: it is judged as before, and a note names both versions."""
    text = re.sub(r"@versions .*", "@versions 1..2", known())

    same, other = against(text), against(without(text, "test_fails"))

    assert (same.status, other.status) == (0, 1), same.output
    assert re.search(
        r"^note: the baseline is about SwiftShader driver 1\.\.2, the driver is of version \d+$", same.output, re.M
    )
    assert [one.partition(": ")[0] for one in differences(other)] == [f"{ID}test_fails"]


def test_an_entry_may_be_a_pattern(tmp_path):
    """`*` in an entry stands for any text; an entry of its own counts before; what no result meets is told."""
    text = known().replace(f"fail {ID}test_fails\n", "\n# one cause\nfail *::test_*ails\n")

    found, wrong = against(text), against(text + f"unsupported {ID}test_fails\n")
    file = tmp_path / "known.txt"
    file.write_text(text)
    reports("baseline", found.folder, "-o", file)

    assert (found.status, found.tests["test_fails"]["reason"]) == (0, "one cause"), found.output
    assert [one.partition(": ")[2].partition(":")[0] for one in differences(wrong)] == ["was unsupported, now fail"]
    assert "# one cause\nfail *::test_*ails\n" in file.read_text()
    assert f"{ID}test_fails\n" not in file.read_text()


def test_a_reason_of_nothing_is_refused(tmp_path):
    """--reason whose text no entry has is a typing error, and says so."""
    file = tmp_path / "known.txt"

    done = reports("baseline", run(*SELECTED, "-n2").folder, "-o", file, "--reason", "test_fials=a cause")

    assert (done.returncode, file.exists()) == (2, False)
    assert "--reason test_fials=a cause: no entry has 'test_fials' in its line" in done.stderr


@pytest.mark.parametrize(
    "text",
    ["passing suites/x.py::test_x\n", "@colour green\n", "@versions one..two\n"],
    ids=["entry", "head", "version"],
)
def test_a_baseline_that_does_not_read_is_refused(text):
    """One sentence names the file and the line."""
    found = against(text)

    assert found.status == 4
    assert re.search(r"--baseline \S+: \S+\.txt:1: ", found.error)


def test_reasons_and_versions_survive_a_new_baseline(tmp_path):
    """`python -m reports baseline -o FILE` keeps the reasons and the range of versions that stand in FILE."""
    finished, file = run(*SELECTED, "-n2"), tmp_path / "known.txt"
    line = [sys.executable, "-m", "reports", "baseline", str(finished.folder), "-o", str(file)]
    given = ["--reason", "test_fails=reported to the vendor"]

    for arguments in (given, []):
        subprocess.run([*line, *arguments], cwd=ROOT, check=True, timeout=30)
        file.write_text(re.sub("@versions .*", "@versions 1..4294967295", file.read_text()))
    subprocess.run(line, cwd=ROOT, check=True, timeout=30)

    assert "@versions 1..4294967295\n" in file.read_text()
    assert f"# reported to the vendor\nfail {ID}test_fails\n" in file.read_text()


def test_flaky_entries_survive_a_new_baseline(tmp_path):
    """An entry that is `flaky` stays so with its reason, whatever the run saw of it."""
    finished, file = run(*SELECTED, "-n2"), tmp_path / "known.txt"
    flaky = "".join(f"\n# a race\nflaky {ID}{test}\n" for test in ("test_fails", "test_passes"))
    file.write_text(flaky + "\n# a race\nflaky breach SPEC-RESULT-06 vkQueueSubmit\n")

    line = [sys.executable, "-m", "reports", "baseline", str(finished.folder), "-o", str(file)]
    subprocess.run(line, cwd=ROOT, check=True, timeout=30)

    made = read(file)
    assert [key for key, verdict in made.known.items() if verdict == "flaky" and made.reasons[key] == "a race"] == [
        "breach SPEC-RESULT-06 vkQueueSubmit",
        f"{ID}test_fails",
        f"{ID}test_passes",
    ]


def test_a_run_that_died_makes_no_baseline(tmp_path):
    """A record without its last line is refused in one sentence."""
    lines = run(*SELECTED, "-n2").lines
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:-1]))

    line = [sys.executable, "-m", "reports", "baseline", str(tmp_path)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode != 0
    assert "the run died before its end; continue it with" in done.stderr
    assert "Traceback" not in done.stderr


PARTIAL = {"a selection": {"whole": False}, "an interrupted run": {"exit": 2}}


@pytest.mark.parametrize("part", PARTIAL)
def test_a_part_of_the_suite_updates_what_it_judged(part, tmp_path):
    """Entries of tests and violations that a partial run did not judge stay; of a whole run they go."""
    file, entries = tmp_path / "known.txt", ["crash b", "fail a", "fail breach SPEC-RESULT-01 vkX", "unsupported c"]
    head = "@driverID 3\n@driverName a driver\n@versions 7..7\n"
    file.write_text("\n".join([head, *entries]))

    part_of_it = saved(tmp_path / "part", {"a": "pass", "c": "fail"}, end=PARTIAL[part])
    done = reports("baseline", part_of_it, "-o", file)
    after_part = sorted(f"{verdict} {key}" for key, verdict in read(file).known.items())
    reports("baseline", saved(tmp_path / "whole", {"a": "pass", "c": "fail"}), "-o", file)

    assert (done.returncode, "judged a part of the suite: the other entries stay" in done.stderr) == (0, True), (
        done.stderr
    )
    assert after_part == ["crash b", "fail breach SPEC-RESULT-01 vkX", "fail c"]
    assert read(file).known == {"c": "fail"}


REFUSED = {
    "of another driver": ({"driver": "another"}, "it is about a driver 7..7, but the run judged another 7"),
    "of a part on another version": (
        {"version": 8, "end": {"whole": False}},
        "it is about a driver 7..7, but the run judged a part of the suite on a driver 8",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_baseline_is_not_overwritten_by_a_run(what, tmp_path):
    """One sentence, and the file stays as it was."""
    file, (ran, told) = tmp_path / "known.txt", REFUSED[what]
    file.write_text("@driverID 3\n@driverName a driver\n@versions 7..7\n\nfail a\n")
    before = file.read_text()

    done = reports("baseline", saved(tmp_path / "run", {"a": "fail"}, **ran), "-o", file)

    assert (done.returncode, done.stderr) == (2, f"{file}: {told}\n")
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("verdict", "is_right"),
    [("pass", True), ("warn", True), ("unsupported", True), ("fail", False), ("crash", False)],
)
def test_an_optional_entry_accepts_what_no_driver_owes(verdict, is_right):
    """What one build of a version claims and another does not may pass, warn or be unsupported; it may not fail."""
    assert (verdicts.against(verdict, "optional") is None) is is_right


@pytest.mark.parametrize("slow", [False, True])
def test_on_a_slow_machine_a_test_may_come_too_late(slow):
    """Without claims `@slow` makes it no difference that work was over too soon; else it is one like any."""
    head = known().splitlines()[:3] + ["@slow"] * slow

    found = against("\n".join(head) + "\n", f"{SAMPLES}late.py", "-n0")
    differs = [] if slow else [f"test_comes_too_late[{number}]" for number in range(12)]

    assert [one.partition(": ")[0].rpartition("::")[2] for one in differences(found)] == differs
    assert found.status == int(not slow)
