"""What `python -m reports compare` says of two runs, and that a renamed test is no new one."""

import json
import re
from copy import deepcopy

import pytest

from fixtures.testbed.drivers import ROOT
from reports.compare import changes as compare
from reports.records import baseline, renamed
from reports.records.runs import Run, load, save
from suites.selftest.records import line_of, made, reports, saved
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)


@pytest.fixture(scope="module")
def finished():
    return load(run(SAMPLES + "verdicts.py", SAMPLES + "breaches.py", "-n2").folder)


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


@pytest.mark.parametrize(("late", "kind"), [(baseline.FEW, "too late"), (baseline.FEW + 1, "newly unsupported")])
def test_few_tests_may_come_too_late(finished, late, kind):
    """A machine that is busy makes tests unsupported; more of them than a baseline allows for make a regression."""
    old, new = deepcopy(finished), deepcopy(finished)
    passed = next(one for one in finished.tests if one["verdict"] == "pass")
    for found, more in ((old, {}), (new, {"verdict": "unsupported", "lack": baseline.LATE})):
        found.tests = [passed | {"id": f"test_{number}"} | more for number in range(late)]

    changes = compare.compare(old, new)

    assert [one.kind for one in changes] == [kind] * late
    assert compare.is_regression(changes) is (kind == "newly unsupported")


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
    """The fastest tenth counts if it grew twofold, over enough calls."""
    changes = compare.compare(timed(finished, count, was), timed(finished, count, now))

    assert [one.kind for one in changes] == kinds


def test_times_within_noise_are_no_change(finished):
    """Few calls have to lie where hardly any was before: one slow call in a hundred is noise."""
    old, new = timed(finished, 20, 1000), timed(finished, 20, 3000)
    max(old.tests, key=lambda test: len(test["calls"]))["calls"][0]["ns"] = 50_000

    assert compare.compare(old, new) == []


def test_calls_that_got_slower_are_told_and_count_where_asked(finished, tmp_path):
    """No regression but with --slower; what is no factor is refused."""
    for name, nanoseconds in (("old", 1000), ("new", 2200)):
        save(timed(finished, 100, nanoseconds), tmp_path / name)

    told, asked, wrong = (
        reports("compare", tmp_path / "old", tmp_path / "new", *more) for more in ([], ["--slower=2"], ["--slower=nan"])
    )

    assert (told.returncode, asked.returncode, wrong.returncode) == (0, 1, 2), told.stdout + asked.stdout
    assert "slower: 1\n  vkGetSemaphoreFdKHR [swiftshader]: 1.01 µs (median 1.05 µs" in told.stdout
    assert told.stdout.endswith(
        "no regression; calls of 1 command got slower, which counts with --slower=FACTOR alone\n"
    )
    assert asked.stdout.endswith("a regression; calls of 1 command got slower\n")


BUSY = {
    "a machine that interrupts": (lambda ns, _: ns if ns % 5 == 0 else 30 * ns, []),
    "a slow machine": (lambda ns, _: 3 * ns, ["all slower"]),
    "a slow command on a slow machine": (lambda ns, number: (9 if number == 3 else 3) * ns, ["slower", "all slower"]),
}
"""What it does to the time of a call of the command of a number, and the changes that are told."""


@pytest.mark.parametrize("how", BUSY)
def test_a_busy_machine_makes_no_command_slow(how):
    """Most calls of all commands may take any time; a command is slow beside the others of its run."""
    slow, kinds = BUSY[how]

    def calls(taken):
        names = [f"vk{number}" for number in range(8)]
        return [{"command": names[n], "ns": taken(1000 + one, n)} for n in range(8) for one in range(100)]

    old, new = (Run(made({}).head, [line_of("a", "pass", calls=calls(its))]) for its in (lambda ns, _: ns, slow))

    assert [one.kind for one in compare.compare(old, new)] == kinds


FOREIGN = {
    "not JSON": "no json\n",
    "no object": "42\n",
    "no type": "{}\n",
    "a list": "[1]\n",
    "a second run": '{"type": "run", "schema": 1, "devices": []}\n',
    "a test without fields": '{"type": "test"}\n',
    "a test with a number as its id": '{"type": "test", "id": 1}\n',
    "a verdict of another suite": json.dumps(line_of("b", "passed")) + "\n",
    "calls that are none": json.dumps(line_of("b", "fail", calls=[1])) + "\n",
    "an end that is none": '{"type": "end", "exit": "0"}\n',
    "deep nonsense": "[" * 100_000 + "\n",
}
"""Lines that follow those of a run."""


@pytest.mark.parametrize("what", FOREIGN)
def test_a_foreign_line_is_refused(what, tmp_path):
    """One sentence names the record, and the exit status is not that of a regression."""
    folder = saved(tmp_path / "run", {"a": "pass"}, end={})
    with (folder / "results.jsonl").open("a") as file:
        file.write(FOREIGN[what])

    done = reports("compare", folder, folder)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert re.match(rf"{folder}\S* is not the record of a run: (line 3|the calls of b) ", done.stderr), done.stderr


LATER = '{"type": "run", "schema": 2, "devices": []}\n'
WITHOUT = '{"type": "run", "devices": []}\n'
UNREADABLE = {
    "a folder without a run": (lambda _: None, "has no results.jsonl; name the folder of a run"),
    "a record of a later schema": (
        lambda file: file.write_text('{"type": "run", "schema": 2, "devices": []}\n'),
        "is of schema 2",
    ),
    "a record without a schema": (lambda file: file.write_text(WITHOUT), 'has no "schema"'),
    "an empty record": (lambda file: file.write_text(""), "it is empty"),
    "bytes": (lambda file: file.write_bytes(bytes(range(256))), "line 1 is not JSON"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_run_that_cannot_be_read_is_no_regression(what, tmp_path):
    """Exit status 2 and one sentence, whichever command asks for the run."""
    write, told = UNREADABLE[what]
    write(tmp_path / "results.jsonl")

    for command in (
        ["compare", tmp_path, tmp_path],
        ["page", tmp_path],
        ["baseline", tmp_path],
        ["reproduce", tmp_path, "x"],
    ):
        done = reports(*command)
        assert (done.returncode, told in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr


def test_what_a_newer_suite_adds_is_left_alone(tmp_path):
    """More fields and lines of further types are of the same schema."""
    folder = saved(tmp_path / "run", {"a": "pass"}, head={"weather": "fine"}, end={})
    with (folder / "results.jsonl").open("a") as file:
        file.write('{"type": "weather", "verdict": 7}\n' + json.dumps(made({}).end) + "\n")

    assert reports("compare", folder, folder).returncode == 0


def test_the_command_names_drivers_and_ends_with_one_on_a_regression(finished, tmp_path):
    """Text: both drivers, the change, the command that repeats it; exit status 1, and 0 of a run with itself."""
    save(with_verdict(finished, "test_fails", "pass"), tmp_path / "old")
    save(finished, tmp_path / "new")

    done, same = (reports("compare", tmp_path / old, tmp_path / "new") for old in ("old", "new"))

    assert (done.returncode, same.returncode) == (1, 0), done.stderr + same.stderr
    assert done.stdout.count("SwiftShader driver 5.0.0") == 2
    assert f"SPEC-EXPORT-02 {SAMPLES}verdicts.py::test_fails [swiftshader]: pass -> fail" in done.stdout
    assert "repeat: .venv/bin/pytest -n0 --driver=" in done.stdout


def test_json_and_html(finished, tmp_path):
    """The same as JSON; as HTML what a driver said is text."""
    old = with_verdict(finished, "test_fails", "pass")
    next(one for one in finished.tests if one["id"].endswith("::test_fails"))["message"] = "<script>alert(1)</script>"
    save(old, tmp_path / "old")
    save(finished, tmp_path / "new")

    told = json.loads(reports("compare", "--json", tmp_path / "old", tmp_path / "new").stdout)
    page = reports("compare", "--html", "-o", tmp_path / "page.html", tmp_path / "old", tmp_path / "new")

    assert (told["regression"], [one["kind"] for one in told["changes"]]) == (True, ["new failure"])
    assert told["new"][0]["driver_name"] == "SwiftShader driver"
    text = (tmp_path / "page.html").read_text()
    assert (page.returncode, "&lt;script&gt;alert" in text, "<script" in text) == (1, True, False)


def test_a_run_that_died_is_not_compared(finished, tmp_path):
    """One sentence."""
    save(Run(finished.head, finished.tests), tmp_path)

    done = reports("compare", tmp_path, tmp_path)

    assert done.returncode == 2
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


def test_changes_that_are_alike_are_one_line(tmp_path):
    """Cases of one test that turned alike are told once, with their number."""
    cases = [f"suites/x.py::test_x[{number}]" for number in range(10)]
    old, new = (saved(tmp_path / verdict, dict.fromkeys(cases, verdict)) for verdict in ("pass", "fail"))

    told = reports("compare", old, new).stdout

    assert "new failure: 10\n" in told
    assert [line for line in told.splitlines() if line.startswith("  SPEC")] == [
        "  SPEC-IMPORT-03 suites/x.py::test_x[0] and 9 more [a-gpu]: pass -> fail"
    ]
