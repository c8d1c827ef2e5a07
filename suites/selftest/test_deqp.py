"""deqp-runner's formats: results of a run, and lists of known results out of a baseline and into one."""

import csv

import pytest

from fixtures.testbed.drivers import ROOT
from reports.formats import deqp, lists
from reports.records import baseline
from reports.records.baseline import Baseline
from suites.selftest.records import line_of, made, reports, saved
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
FORMS = ("fails", "flakes", "skips")


def rows(file):
    return [tuple(row) for row in csv.reader(file.read_text().splitlines())]


def test_results_are_those_of_the_run(tmp_path):
    """A line has name, status and seconds; failures.csv has those that fail the run."""
    finished = run(f"{SAMPLES}verdicts.py", f"{SAMPLES}breaches.py", "-n2")

    done = reports("deqp", finished.folder, "-o", tmp_path)

    assert done.returncode == 0, done.stderr
    results, failures = rows(tmp_path / "results.csv"), rows(tmp_path / "failures.csv")
    assert (f"{SAMPLES}verdicts.py::test_fails", "Fail") in failures
    assert ("breach SPEC-RESULT-12 vkDeviceWaitIdle", "Fail") in failures
    assert len(results) == len(finished.tests) + len(finished.breaches)
    assert [row[0] for row in results] == sorted(row[0] for row in results)
    assert all(float(seconds) >= 0 for _, _, seconds in results)


STATUSES = {
    ("pass", "", ""): "Pass",
    ("warn", "", ""): "Warn",
    ("unsupported", "unsupported", ""): "Skip",
    ("flaky", "", ""): "Flake",
    ("flaky", "flaky", ""): "KnownFlake",
    ("fail", "flaky", ""): "KnownFlake",
    ("pass", "flaky", ""): "Pass",
    ("fail", "fail", ""): "ExpectedFail",
    ("crash", "crash", ""): "ExpectedFail",
    ("error", "error", ""): "ExpectedFail",
    ("fail", "", ""): "Warn",  # of a validation layer, whose failures fail no run
    ("fail", "", "new fail"): "Fail",
    ("crash", "fail", "was fail, now crash"): "Crash",
    ("timeout", "", "new timeout"): "Timeout",
    ("error", "", ""): "Fail",
    ("fail", "crash", "was crash, now fail"): "UnexpectedImprovement(Fail)",
    ("pass", "fail", "was fail, no longer is"): "UnexpectedImprovement(Pass)",
    ("warn", "timeout", "was timeout, no longer is"): "UnexpectedImprovement(Warn)",
    ("unsupported", "fail", "was fail, turned unsupported"): "UnexpectedImprovement(Skip)",
    ("unsupported", "", "unsupported, which the baseline does not list"): "Missing",
    ("flaky", "unsupported", "was unsupported, no longer is"): "Fail",
}
"""Verdict, expectation and difference of a result, and its status."""


@pytest.mark.parametrize(("verdict", "expected", "differs"), STATUSES)
def test_a_status_says_what_deqp_runner_would_say(tmp_path, verdict, expected, differs):
    """A known failure, a flake and an improvement are told apart, and failures.csv has what fails the run."""
    one = line_of("suites/x.py::test_x", verdict, expected=expected, differs=differs)
    judged = made({})
    judged.tests = [one]

    deqp.write(judged, tmp_path)

    status = STATUSES[verdict, expected, differs]
    assert rows(tmp_path / "results.csv") == [("suites/x.py::test_x", status, "0.1")]
    assert bool(rows(tmp_path / "failures.csv")) == (bool(differs) or (verdict == "error" and not expected))


def test_what_no_result_tells_is_a_failure(tmp_path):
    """Entries that no test matched, a violation that is gone, and a run that died are lines of failures.csv."""
    gone = [["suites/gone.py::test_gone", "matches no test"], ["breach SPEC-RESULT-12 vkX", "no longer seen"]]

    deqp.write(made({}, end={"surprises": gone}), tmp_path / "ended")
    deqp.write(made({"a": "pass"}, end={}), tmp_path / "died")

    assert rows(tmp_path / "ended" / "failures.csv") == [
        ("breach SPEC-RESULT-12 vkX", "UnexpectedImprovement(Pass)"),
        ("suites/gone.py::test_gone", "Missing"),
    ]
    assert rows(tmp_path / "died" / "failures.csv") == [("the run", "Missing")]


def test_each_further_device_has_a_folder(tmp_path):
    """The names of tests leave the device out, so that results of two devices go into two files."""
    judged = made({"a": "pass"}, head={"validation_layers": [{"slug": "layer-1", "driver_name": "a layer"}]})
    judged.tests.append(line_of("a", "fail", device="layer-1"))

    deqp.write(judged, tmp_path)

    assert rows(tmp_path / "results.csv") == [("a", "Pass", "0.1")]
    assert rows(tmp_path / "layer-1" / "results.csv") == [("a", "Warn", "0.1")]


@pytest.mark.parametrize("key", ["a.py::test[b, c%2C-2^63-1]", "breach SPEC-RESULT-12 vkX", "a.py::test[é\n]"])
def test_names_have_no_comma_and_read_back(key):
    """A name is one field of one line, and leads to the same test again."""
    name = deqp.name_of(key)

    assert not {*name} & {",", "\n"}
    assert deqp.key_of_name(name) == key


KNOWN = {
    "suites/a.py::test_a[x-2^63-1]": "fail",
    "suites/a.py::test_a[y, z]": "crash",
    "suites/a.py::test_b": "timeout",
    "suites/a.py::test_c[second importer]": "error",
    "suites/b.py::test_d[0x1]": "flaky",
    "suites/b.py::test_e": "optional",
    "breach SPEC-RESULT-12 vkDeviceWaitIdle": "fail",
}
SEEN = {"timeout": "fail", "optional": "pass", "flaky": "pass"}
"""What the run says of an entry that is not its own verdict."""


@pytest.fixture
def known(tmp_path):
    """A run and the baseline that fits it, as (folder, file)."""
    seen = {key: SEEN.get(verdict, verdict) for key, verdict in KNOWN.items() if not key.startswith("breach")}
    reasons = {key: f"because of\n{verdict}" for key, verdict in KNOWN.items()}
    file = tmp_path / "known.txt"
    file.write_text(
        baseline.write(Baseline(3, "a driver", (7, 7), claims={"Vulkan": ("1.3",)}, known=KNOWN, reasons=reasons))
    )
    return saved(tmp_path / "run", seen), file


def into(ran, folder, *arguments):
    """The baseline that the lists in `folder` make."""
    options = [f"--{form}={folder / form}.txt" for form in FORMS if (folder / f"{form}.txt").exists()]
    done = reports("baseline", ran, *options, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_baseline_survives_as_lists(known, tmp_path):
    """Out and in again it is the same, verdicts, reasons and head."""
    ran, file = known

    done = reports("lists", file, "-o", tmp_path / "lists")

    assert done.returncode == 0, done.stderr
    assert into(ran, tmp_path / "lists") == file.read_text()


BASELINES = sorted((ROOT / "reports/baselines").glob("*.txt"))


@pytest.mark.parametrize("file", BASELINES, ids=lambda file: file.stem)
def test_each_baseline_of_the_suite_survives_as_lists(file, tmp_path):
    """With a run of which it tells the truth, every entry and reason comes back."""
    known = baseline.read(file)
    seen = {key: SEEN.get(verdict, verdict) for key, verdict in known.known.items() if not key.startswith("breach")}
    judged = made(seen, driver=known.driver_name, version=known.versions[0])
    judged.head["devices"][0]["driver_id"] = known.driver_id

    lists.write(known, tmp_path)

    assert known.known
    assert lists.read(judged, *([tmp_path / f"{form}.txt"] for form in FORMS), known) == known


def test_lists_are_as_deqp_runner_reads_them(known, tmp_path):
    """TEST,STATUS, and regular expressions that match the one test; a baseline without claims has skips."""
    lists.write(baseline.read(known[1]), tmp_path)
    lists.write(Baseline(known={"suites/b.py::test_f[(x|y)+]": "unsupported"}), tmp_path / "old")

    fails, flakes, none = ((tmp_path / f"{form}.txt").read_text().splitlines() for form in FORMS)
    assert [line for line in fails if line and line[0] != "#"] == [
        "breach SPEC-RESULT-12 vkDeviceWaitIdle,Fail",
        "suites/a.py::test_a[x-2^63-1],Fail",
        "suites/a.py::test_a[y%2C z],Crash",
        "suites/a.py::test_b,Timeout",
        "suites/a.py::test_c[second importer],Missing",
        "suites/b.py::test_e,Skip",
    ]
    assert flakes == ["# because of", "# flaky", r"^suites/b\.py::test_d\[0x1\]$"]
    assert none == []
    assert (tmp_path / "old" / "skips.txt").read_text() == "^suites/b\\.py::test_f\\[\\(x\\|y\\)\\+\\]$\n"


WRITTEN = {
    "fails": "# a list from elsewhere\n\n# why\na.py::fails,Fail\na.py::crashes,ExpectedFail\na.py::passes,Pass,0.1\n",
    "flakes": "# a race\na.py::fl.*\n",
    "skips": "hangs\n^a.py::crashes$\n.*lacks\n",
}
JUDGED = {
    "fails": "fail",
    "crashes": "crash",
    "passes": "pass",
    "flakes": "pass",
    "flies": "fail",
    "lacks": "unsupported",
    "hangs": "timeout",
}


def test_lists_of_regular_expressions_become_entries(tmp_path):
    """An expression is looked up in the names of the run; what is unsupported there needs no entry; skips come last."""
    for form, text in WRITTEN.items():
        (tmp_path / f"{form}.txt").write_text(text)

    text = into(saved(tmp_path / "run", {f"a.py::{name}": verdict for name, verdict in JUDGED.items()}), tmp_path)

    entries = [line for line in text.splitlines() if line and line[0] not in "@#"]
    assert entries == [
        "flaky a.py::crashes",
        "fail a.py::fails",
        "flaky a.py::flakes",
        "flaky a.py::flies",
        "flaky a.py::hangs",
    ]
    assert "# why\nfail a.py::fails\n" in text
    assert "# a race\nflaky a.py::flakes\nflaky a.py::flies\n" in text


BROKEN = {"fails": ("a.py::x,Broken", "a line is TEST,STATUS"), "flakes": ("(", "is no regular expression")}


@pytest.mark.parametrize("form", BROKEN)
def test_a_list_that_does_not_read_is_refused(form, tmp_path):
    """One sentence names the file and the line."""
    line, told = BROKEN[form]
    file = tmp_path / "list.txt"
    file.write_text(f"# a comment\n{line}\n")

    done = reports("baseline", saved(tmp_path / "run", {"a": "pass"}), f"--{form}={file}")

    assert done.returncode == 2
    assert f"{file}:2: " in done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_failures_of_a_run_are_a_list_of_known_failures(tmp_path):
    """failures.csv of one run makes the baseline against which the next one has no failure."""
    ran = saved(tmp_path / "run", {})
    judged = made({"a": "pass"})
    judged.tests += [line_of("b", "fail", differs="new fail"), line_of("c", "crash", differs="new crash")]
    deqp.write(judged, tmp_path)

    done = reports("baseline", ran, f"--fails={tmp_path / 'failures.csv'}")

    assert [line for line in done.stdout.splitlines() if line and line[0] != "@"] == ["fail b", "crash c"]
