"""A test that crashes, hangs, exits or poisons its process costs that test and nothing else."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fixtures.running import items
from fixtures.running.isolation import Isolation
from fixtures.running.scratch import SCRATCH
from fixtures.testbed.drivers import ROOT
from reports.diagnose.order import shortest
from suites.selftest.runs import SAMPLES, run, scratch, section

pytestmark = pytest.mark.limit(60)
ENDINGS = {
    "alone-segfault": ("crash", "crash: SIGSEGV"),
    "alone-hang": ("timeout", "timeout after 1 s"),
    "alone-leave": ("crash", "exit 7"),
    "alone-crash_in_a_command": ("crash", "crash: SIGSEGV in vkGetSemaphoreFdKHR"),
    "alone-warning_segfault": ("crash", "crash: SIGSEGV"),
    "alone-warning_hang": ("timeout", "timeout after 1 s"),
    "together-segfault": ("crash", "crash: SIGSEGV"),
    "together-hang": ("timeout", "timeout after 1 s"),
    "together-leave": ("crash", "exit 7"),
    "together-crash_in_a_command": ("crash", "crash: SIGSEGV in vkGetSemaphoreFdKHR"),
    "together-crash_in_teardown": ("crash", "crash: SIGSEGV"),
}
"""Verdict and message of each test of samples/trouble.py that goes wrong."""


def trouble(*arguments):
    return run(SAMPLES + "trouble.py", "-n2", *arguments)


def test_a_worker_may_die_while_it_is_given_work(tmp_path):
    """What cannot be sent to a worker any more ends no run."""
    sent = []

    def send(name, **more):
        sent.append(name)
        raise OSError("cannot send (already closed?)")

    config = SimpleNamespace(stash={SCRATCH: tmp_path})
    node = SimpleNamespace(workerinput={}, sendcommand=send)

    Isolation(config).pytest_configure_node(node)
    node.sendcommand("runtests", indices=[1])

    assert sent == ["runtests"]


@pytest.mark.parametrize("name", ENDINGS)
def test_a_lost_process_is_named(name):
    """The verdict of a test that lost its process says by which signal, limit or exit status, whatever its rule's strength."""
    record = trouble().tests[name]

    assert (record["verdict"], record["message"]) == ENDINGS[name]


@pytest.mark.parametrize("name", ["alone-hang", "together-hang"])
def test_a_hang_leaves_its_python_stack(name):
    """The record of a test that hung in native code, the interpreter's lock held, says where."""
    record = trouble().tests[name]

    assert "samples/trouble.py" in record["detail"], f"no stack but {record['detail']!r}"
    assert " in hang" in record["detail"], f"the stack does not show the function: {record['detail']}"


@pytest.mark.parametrize("name", ["alone-segfault", "alone-hang", "together-segfault", "together-hang"])
def test_a_crash_and_a_hang_leave_their_native_stack(name):
    """The record says where in which library, whether the test had a process to itself or not."""
    record = trouble().tests[name]

    assert re.search(r"^Native stack .*\n  libc\.so\.6\+0x", record["detail"], re.MULTILINE), record["detail"]


@pytest.mark.parametrize(("stranger", "verdict"), [("memfd-empty", "crash"), ("memfd-noise", "timeout")])
def test_the_native_stack_names_the_driver(stranger, verdict):
    """SwiftShader dies of an empty memfd and hangs in one of arbitrary bytes: a frame is in its library."""
    chosen = f"test_a_stranger_harms_nothing_else and {stranger}"

    done = run(
        "suites/importing/test_strangers.py", "-k", chosen, "--baseline=reports/baselines/swiftshader.txt", "-n1"
    )

    record = next(one for one in done.tests.values() if one["verdict"] != "unsupported")
    assert record["verdict"] == verdict, record["message"]
    assert "\n  libvk_swiftshader.so+0x" in record["detail"].partition("Native stack")[2], record["detail"]


@pytest.mark.parametrize("name", ["alone-crash_in_a_command", "together-crash_in_a_command"])
def test_the_last_call_of_a_crash_is_the_one_that_killed(name):
    """The calls of a crashed test end with the command in which it crashed, which never returned."""
    last = trouble().tests[name]["calls"][-1]

    assert (last["command"], last["ns"], last["result"]) == ("vkGetSemaphoreFdKHR", None, None)
    assert last["arguments"][1:] == [0x10, 1], f"the arguments of the call were {last['arguments']}"


def test_the_neighbours_keep_their_verdicts():
    """Every other test has the verdict that it has in a run without those that go wrong."""
    without = trouble("-k", "neighbour").verdicts

    found = trouble().verdicts
    assert {name: verdict for name, verdict in found.items() if name not in ENDINGS} == without
    assert set(without.values()) == {"pass", "fail", "warn", "unsupported"}


def test_every_test_is_written_down_once():
    """No crash makes a test vanish from the record or stand there twice."""
    collected = run(SAMPLES + "trouble.py", "-n0", "--collect-only", "-q").output

    ids = [line["nodeid"] for line in trouble().lines if line["type"] == "test"]
    assert sorted(ids) == sorted(line for line in collected.splitlines() if "::" in line)


def test_lost_processes_fail_the_run():
    """A run whose only failures are crashes and timeouts ends with exit status 1, and its record is whole."""
    found = trouble("-k", "warning or leave")

    assert set(found.verdicts.values()) == {"crash", "timeout"}
    assert (found.status, found.lines[-1]["type"]) == (1, "end")


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_a_poisoned_process_blames_nobody(workers):
    """Tests after one that poisoned their process keep the verdict that they have alone."""
    without = run(SAMPLES + "poison.py", "-n0", "-k", "neighbour").verdicts

    found = run(SAMPLES + "poison.py", workers)
    assert found.verdicts == {**without, "test_poison": "pass"}
    assert "fail" in without.values(), "the sample has no test that fails either way"


def test_a_poisoned_process_is_told():
    """The record and the summary say which test failed in the shared process only."""
    found = run(SAMPLES + "poison.py", "-n1")

    outcomes = [one["outcome"] for one in found.tests["test_neighbour_after"]["outcomes"]]
    assert outcomes == ["failed", "passed", "passed", "failed", "poisoned process"]
    test, after = section(found.output, "failed only after other tests, judged alone")
    assert test.endswith("test_neighbour_after")
    assert after.startswith("      after which: .venv/bin/python -m reports order "), after


def test_the_tests_after_which_another_fails_are_found():
    """`order` names the one test without which the other passes, and the command that runs the two."""
    found = run(SAMPLES + "poison.py", "-n1")
    command = [sys.executable, "-m", "reports", "order", str(found.folder), "test_neighbour_after"]

    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (said.returncode, said.stderr) == (0, "")
    assert f"it fails after:\n    {SAMPLES}poison.py::test_poison[swiftshader]\n" in said.stdout, said.stdout
    assert said.stdout.splitlines()[-1].startswith("repeat: .venv/bin/pytest -n1 "), said.stdout


@pytest.mark.parametrize("culprits", [{3}, {0, 9}, {2, 3, 8}, set(range(10))], ids=str)
def test_no_test_too_many_is_named(culprits):
    """Delta debugging ends with exactly the tests that it takes, in their order."""
    asked = []

    def fails(tests):
        asked.append(tests)
        return culprits <= set(tests)

    assert shortest(range(10), fails) == sorted(culprits)
    assert all(list(tests) == sorted(tests) for tests in asked)


@pytest.mark.parametrize(("number", "where"), [("0", "shared process"), ("alone", "fresh process")])
def test_every_outcome_of_a_failure_is_kept(number, where):
    """A failure is repeated in two fresh processes before it counts, wherever it was; the record has all messages."""
    outcomes = trouble().tests[f"neighbour-fails-{number}"]["outcomes"]

    assert [(one["where"], one["outcome"]) for one in outcomes] == [
        (where, "failed"),
        ("fresh process", "failed"),
        ("fresh process", "failed"),
    ]
    assert all("this one fails" in one["message"] for one in outcomes)


def test_what_is_known_of_a_driver_is_looked_at_once():
    """A failure that reports/baselines/ has of this driver fails the run all the same, and is not repeated if it was alone."""
    chosen = (
        "suites/importing/test_strangers.py",
        "-k",
        "a_refused_descriptor_is and OPAQUE_FD-binary-temporary-pipe-read",
    )
    found = run(*chosen)

    (record,) = found.tests.values()
    assert (found.status, record["verdict"], record["outcomes"]) == (1, "fail", [])


@pytest.mark.parametrize("place", ["alone", "together"])
@pytest.mark.parametrize(("what", "times"), [("segfault", 3), ("hang", 2)])
def test_how_often_a_crash_and_a_hang_are_tried(place, what, times):
    """A crash like any failure, a hang, which takes long, once more, also where it took its worker along."""
    name = f"{place}-{what}"
    outcomes = trouble().tests[name]["outcomes"]

    assert [one["outcome"] for one in outcomes] == ["failed"] * times


def test_what_ends_only_its_worker_is_flaky():
    """A test that took its worker along and passes in fresh processes is told apart from one that crashes by itself."""
    found = run(SAMPLES + "lost.py", "-n1")

    assert found.verdicts == {"test_crashes_in_its_worker": "flaky", "test_neighbour": "pass"}
    outcomes = found.tests["test_crashes_in_its_worker"]["outcomes"]
    assert [(one["where"], one["outcome"]) for one in outcomes] == [
        ("shared process", "failed"),
        ("fresh process", "passed"),
        ("fresh process", "passed"),
        ("conclusion", "flaky"),
    ]


@pytest.mark.parametrize("name", ["test_alone", "test_together", "test_step"])
def test_what_a_process_noted_before_it_crashed_is_kept(name):
    """A breach and a warning before a crash are in the record, whichever process had them."""
    found = run(SAMPLES + "last_words.py", "-n1")

    record = found.tests[name]
    assert record["verdict"] == ("warn" if name == "test_step" else "crash")
    assert [one[:2] for one in record["breaches"]] == [["SPEC-RESULT-12", "vkDeviceWaitIdle"]]
    assert record["warnings"] == ["worth a look"]
    assert len(found.breaches[0]["tests"]) == 3


def test_a_crash_while_devices_are_destroyed_comes_too_late():
    """A driver that crashes when the run destroys its devices changes no verdict, and the record is whole."""
    found = run(SAMPLES + "farewell.py", "-n2")

    assert found.verdicts == {"0": "pass", "1": "pass", "2": "pass"}
    assert found.lines[-1]["type"] == "end"
    told = section(found.output, "after the last test")
    assert told, "a crash that no test had is not told"
    assert all(re.fullmatch(r"gw\d+, while the shared devices were closed: crash: SIGSEGV", line) for line in told), (
        told
    )


def kept():
    return run(SAMPLES + "kept.py", "-n1")


def test_isolated_tests_of_a_slow_device_share_a_process():
    """Where a device takes long to open, the process of an isolated test that passed without a warning is that of the next."""
    alone = {name: not record["process"] for name, record in kept().tests.items()}

    assert (alone["test_learns_that_the_device_is_slow"], alone["test_begins"], alone["test_poison"]) == (1, 1, 0)
    assert (alone["test_goes_on"], alone["test_warns"], alone["test_comes_after_a_warning"]) == (1, 0, 1)


def test_a_shared_process_changes_no_verdict():
    """What goes wrong in a process that others used is judged in a fresh one, and the next test has another."""
    found = kept().tests

    judged = {name: (record["verdict"], record["message"]) for name, record in found.items()}
    assert judged["test_neighbour"][0] == "flaky"
    assert judged["test_crash"] == ("crash", "crash: SIGSEGV")
    assert judged["test_hang"] == ("timeout", "timeout after 1 s")
    assert judged["test_fails"] == ("fail", "this one fails")
    assert [one["outcome"] for one in found["test_neighbour"]["outcomes"]] == ["failed", "passed", "passed", "flaky"]


def test_an_unexpected_pass_is_repeated():
    """What a baseline expects to fail is mended if it passes in fresh processes, too; a pass by chance is no difference."""
    names = ("test_passes_once", "test_is_mended", "test_fails_as_ever")
    file = scratch("baselines") / "recovers.txt"
    about = [one for one in (ROOT / "reports/baselines/swiftshader.txt").read_text().splitlines() if one[:1] == "@"]
    file.write_text("\n".join([*about, *(f"fail {SAMPLES}recovers.py::{name}" for name in names)]))
    found = run(SAMPLES + "recovers.py", "-n1", f"--baseline={file}")

    assert found.verdicts == dict(zip(names, ("flaky", "pass", "fail"), strict=True))
    assert {name: len(one["outcomes"]) for name, one in found.tests.items()} == dict(zip(names, (4, 3, 0), strict=True))
    assert [key.rpartition("::")[2] for key, _ in found.lines[-1]["surprises"]] == ["test_is_mended"]
    assert found.status == 1


def phase(when, outcome="passed", **told):
    """A report of a phase that took a second."""
    return pytest.TestReport(
        "test", ("", 0, ""), {}, outcome, None, when, duration=1.0, user_properties=[("id", "test"), *told.items()]
    )


@pytest.mark.parametrize(
    ("outcomes", "wanted"),
    [
        (("passed", "passed", "passed"), ["call"]),
        (("passed", "skipped", "passed"), ["call"]),
        (("skipped", None, "passed"), ["setup"]),
        (("passed", "passed", "skipped"), ["teardown"]),
        (("passed", "failed", "passed"), ["setup", "call", "teardown"]),
        (("failed", None, "passed"), ["setup", "teardown"]),
        (("passed", "passed", "failed"), ["setup", "call", "teardown"]),
    ],
)
def test_a_test_that_does_not_fail_is_one_report(outcomes, wanted):
    """It has the outcome, the time and what was told of all phases; of a failure each phase is reported."""
    ran = [one for one in zip(("setup", "call", "teardown"), outcomes, strict=True) if one[1]]

    made = items.as_one([phase(when, outcome, **{when: "told"}) for when, outcome in ran])

    assert [one.when for one in made] == wanted
    assert [one.outcome for one in made] == [dict(ran)[when] for when in wanted]
    assert sum(one.duration for one in made) == len(ran)
    assert {name for one in made for name, _ in one.user_properties} == {"id", *(when for when, _ in ran)}
