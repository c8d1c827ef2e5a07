"""What `python -m reports compare` says of two runs, and that a renamed test is no new one."""

import json
import subprocess
import sys
from copy import deepcopy

import pytest

from fixtures.testbed.drivers import ROOT
from reports.compare import changes as compare
from reports.records import baseline, renamed
from reports.records.runs import Run, load, save
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)


@pytest.fixture(scope="module")
def finished():
    return load(run(SAMPLES + "verdicts.py", SAMPLES + "breaches.py", "-n2").folder)


def command(*arguments):
    """`python -m reports compare`, finished."""
    line = [sys.executable, "-m", "reports", "compare", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def with_verdict(finished: Run, test, verdict):
    """The run with another verdict of one test; None: without the test."""
    changed = deepcopy(finished)
    (one,) = [one for one in changed.tests if one["id"].endswith(f"::{test}")]
    one["verdict"] = verdict
    changed.tests = [one for one in changed.tests if one["verdict"]]
    return changed


CHANGES = {
    "new failure": ("test_fails", "pass", True),
    "other kind of failure": ("test_fails", "crash", True),
    "new error": ("test_errs", "pass", True),
    "newly unsupported": ("test_lacks", "pass", True),
    "newly flaky": ("test_flakes", "pass", False),
    "new warning": ("test_warns", "pass", False),
    "fixed": ("test_passes", "fail", False),
    "newly judged": ("test_passes", "unsupported", False),
    "new test": ("test_passes", None, False),
}
"""Kind of change: a test, what the older run had of it, and whether that makes a regression."""


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change(finished, kind):
    """Each kind of change is told once, and only what is for the worse is a regression."""
    test, was, regression = CHANGES[kind]

    changes = compare.compare(with_verdict(finished, test, was), finished)

    assert [(one.kind, one.what.rpartition("::")[2], one.was) for one in changes] == [(kind, test, was or "")]
    assert compare.is_regression(changes) is regression


def test_a_vanished_test_is_a_regression(finished):
    """A test that the newer run does not have any more."""
    changes = compare.compare(finished, with_verdict(finished, "test_passes", None))

    assert [(one.kind, one.was, one.now) for one in changes] == [("vanished", "pass", "")]
    assert compare.is_regression(changes)


def test_what_is_known_to_be_flaky_is_no_change(finished):
    """Its failure is as little news as its pass."""
    old, new = with_verdict(finished, "test_fails", "pass"), deepcopy(finished)
    for found in (old, new):
        next(one for one in found.tests if one["id"].endswith("::test_fails"))["expected"] = "flaky"

    assert compare.compare(old, new) == []


def test_a_layers_changes_are_told_apart(finished):
    """A validation layer's fault makes no regression of a driver."""
    old = with_verdict(finished, "test_fails", "pass")
    new = Run(
        finished.head | {"validation_layers": [{"slug": "swiftshader"}]},
        finished.tests,
        finished.breaches,
        finished.end,
    )

    changes = compare.compare(old, new)

    assert [one.kind for one in changes] == ["apart from drivers"]
    assert not compare.is_regression(changes)


def test_breaches_are_compared(finished):
    """A new violation is a new failure, one that is gone is fixed."""
    without = Run(finished.head, finished.tests, finished.breaches[1:], finished.end)
    key = baseline.key_of(finished.breaches[0])

    assert [(one.kind, one.what) for one in compare.compare(without, finished)] == [("new failure", key)]
    assert [(one.kind, one.what) for one in compare.compare(finished, without)] == [("fixed", key)]


def timed(finished, count, nanoseconds):
    """The run with so many calls of one command, each a little longer than the one before."""
    changed = deepcopy(finished)
    for test in changed.tests:
        test["calls"] = []
    one = {"command": "vkGetSemaphoreFdKHR", "arguments": [], "result": 0, "pid": 1}
    changed.tests[0]["calls"] = [one | {"ns": nanoseconds + number} for number in range(count)]
    return changed


@pytest.mark.parametrize(
    ("count", "was", "now", "kinds"),
    [
        (100, 1000, 2200, ["slower"]),
        (100, 2200, 1000, ["faster"]),
        (100, 1000, 1500, []),
        (20, 1000, 3000, ["slower"]),
        (19, 1000, 9000, []),
    ],
)
def test_calls_that_got_slower(finished, count, was, now, kinds):
    """A median counts if it grew twofold, over enough calls."""
    changes = compare.compare(timed(finished, count, was), timed(finished, count, now))

    assert [one.kind for one in changes] == kinds


def test_times_within_noise_are_no_change(finished):
    """Few calls have to lie where hardly any was before: one slow call in a hundred is noise."""
    old, new = timed(finished, 20, 1000), timed(finished, 20, 3000)
    max(old.tests, key=lambda test: len(test["calls"]))["calls"][0]["ns"] = 50_000

    assert compare.compare(old, new) == []


def test_the_command_names_drivers_and_ends_with_one_on_a_regression(finished, tmp_path):
    """Text: both drivers, the change, the command that repeats it; exit status 1, and 0 of a run with itself."""
    save(with_verdict(finished, "test_fails", "pass"), tmp_path / "old")
    save(finished, tmp_path / "new")

    done, same = command(tmp_path / "old", tmp_path / "new"), command(tmp_path / "new", tmp_path / "new")

    assert (done.returncode, same.returncode) == (1, 0), done.stderr + same.stderr
    assert done.stdout.count("SwiftShader driver (20971520)") == 2
    assert f"SPEC-EXPORT-02 {SAMPLES}verdicts.py::test_fails [swiftshader]: pass -> fail" in done.stdout
    assert "repeat: .venv/bin/pytest -n0 --driver=" in done.stdout


def test_json_and_html(finished, tmp_path):
    """The same as JSON; as HTML what a driver said is text."""
    old = with_verdict(finished, "test_fails", "pass")
    next(one for one in finished.tests if one["id"].endswith("::test_fails"))["message"] = "<script>alert(1)</script>"
    save(old, tmp_path / "old")
    save(finished, tmp_path / "new")

    told = json.loads(command("--json", tmp_path / "old", tmp_path / "new").stdout)
    page = command("--html", "-o", tmp_path / "page.html", tmp_path / "old", tmp_path / "new")

    assert (told["regression"], [one["kind"] for one in told["changes"]]) == (True, ["new failure"])
    assert told["new"][0]["driver_name"] == "SwiftShader driver"
    text = (tmp_path / "page.html").read_text()
    assert (page.returncode, "&lt;script&gt;alert" in text, "<script" in text) == (1, True, False)


def test_a_run_that_died_is_not_compared(finished, tmp_path):
    """One sentence."""
    save(Run(finished.head, finished.tests), tmp_path)

    done = command(tmp_path, tmp_path)

    assert done.returncode == 1
    resume = f"continue it with `.venv/bin/pytest --resume={tmp_path}`"
    assert done.stderr == f"{tmp_path}: the run died before its end; {resume}\n"


MAP = "# moved\na.py::test_old -> b.py::test_new\nb.py::test_new -> b.py::test_newest\nc.py::test_x[1] -> c.py::test_x[one]\n"
RENAMED = {
    "a.py::test_old": "b.py::test_newest",
    "a.py::test_old[OPAQUE_FD-binary]": "b.py::test_newest[OPAQUE_FD-binary]",
    "c.py::test_x[1]": "c.py::test_x[one]",
    "c.py::test_x[2]": "c.py::test_x[2]",
    "breach SPEC-RESULT-01 vkGetSemaphoreFdKHR": "breach SPEC-RESULT-01 vkGetSemaphoreFdKHR",
}


@pytest.mark.parametrize("old", RENAMED)
def test_a_renamed_test(old, tmp_path):
    """Whole ids and functions are looked up, as often as they were renamed."""
    file = tmp_path / "renamed.txt"
    file.write_text(MAP)

    assert renamed.current(old, file) == RENAMED[old]


def test_a_renamed_test_is_not_new(finished, tmp_path, monkeypatch):
    """Neither to a comparison nor to a baseline."""
    name = f"{SAMPLES}verdicts.py::test_fails"
    for module in (compare, baseline):
        monkeypatch.setattr(module, "current", lambda test: name if test == "old.py::test_old" else test)
    old = deepcopy(finished)
    next(one for one in old.tests if one["id"] == name)["id"] = "old.py::test_old"
    (tmp_path / "known.txt").write_text("fail old.py::test_old\n")

    assert compare.compare(old, finished) == []
    assert baseline.read(tmp_path / "known.txt").known == {name: "fail"}


def test_the_map_leads_to_tests_that_exist():
    """What a test is called now stands in its file."""
    for old in renamed.names():
        path, _, function = renamed.current(old).partition("[")[0].partition("::")
        assert f"def {function}(" in (ROOT / path).read_text(), f"{old} is said to be {function} of {path}"
