"""The journal keeps the calls of a test, whatever becomes of the process that made them."""

import os
import signal

import pytest

from fixtures.vulkan import journal
from fixtures.vulkan.journal import SLOTS, Journal

MANY = 20_000


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal")


def called(path):
    """The (command, arguments) pairs of a journal as another process reads it."""
    return [(call["command"], call["arguments"]) for call in Journal(path, keep=True).calls() if "command" in call]


def test_calls_come_back_in_order(path):
    """Command, arguments, duration, result, value and process of each call, in the order in which they began."""
    written = Journal(path)
    outer = written.begin("vkOuter", (1, "text"))
    inner = written.begin("vkInner", ((2, 3),))
    written.end(inner, 20, value=7)
    written.end(outer, 30, -4)

    calls = written.calls()
    assert [call.pop("at") >= 0 for call in calls] == [True, True]
    assert calls == [
        {"command": "vkOuter", "arguments": [1, "text"], "ns": 30, "result": -4, "pid": os.getpid()},
        {"command": "vkInner", "arguments": [[2, 3]], "ns": 20, "result": None, "value": 7, "pid": os.getpid()},
    ]


def test_looking_again_and_again_is_one_entry(path):
    """The same look at the same thing is counted; it shows the newest answer, and what comes between ends it."""
    written = Journal(path)
    for answer in (2, 2, 0):
        written.end(written.begin("vkWaitForFences", (1, (5,), 0)), answer, answer)
    written.end(written.begin("vkWaitForFences", (1, (6,), 0)), 1, 2)
    for _ in range(2):
        written.end(written.begin("vkCreateFence", (1,)), 1, 0)
    written.begin("vkWaitForFences", (1, (6,), 0))

    told = [(call["command"], call["ns"], call["result"], call.get("times", 1)) for call in written.calls()]
    wait, create = "vkWaitForFences", ("vkCreateFence", 1, 0, 1)
    assert told == [(wait, 0, 0, 3), (wait, 1, 2, 1), create, create, (wait, None, None, 1)]


@pytest.mark.parametrize(("command", "value"), [("vkGetSemaphoreFdKHR", -1), ("dup", 3), ("vkCreateFence", 2**64 - 2)])
def test_a_value_keeps_its_sign(path, command, value):
    """Descriptors may be negative, handles take all 64 bits."""
    written = Journal(path)
    written.end(written.begin(command, ()), 1, 0, value)

    assert written.calls()[0]["value"] == value


def test_processes_are_merged_by_time(path):
    """Calls of a step stand among those of its test as they were made."""
    written = Journal(path)
    steps = [Journal(path, slot=slot) for slot in (1, SLOTS - 1)]
    for number, one in enumerate((written, *steps, written, *steps)):
        one.begin("vkCall", (number,))

    assert called(path) == [("vkCall", [number]) for number in range(6)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV], ids=lambda n: n.name)
def test_a_call_outlives_the_process_that_made_it(path, number):
    """The last call of a killed process is there, without an end."""
    Journal(path)
    child = os.fork()
    if child == 0:
        mine = Journal(path)
        mine.end(mine.begin("vkFirst", ()), 1, 0)
        mine.begin("vkLast", (7,))
        signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
        os.kill(os.getpid(), number)
    _, status = os.waitpid(child, 0)

    first, last = Journal(path, keep=True).calls()
    assert os.WTERMSIG(status) == number
    assert (first["command"], first["result"], first["pid"]) == ("vkFirst", 0, child)
    assert (last["command"], last["arguments"], last["ns"]) == ("vkLast", [7], None)


def test_what_is_dropped_lies_between_the_first_and_the_newest(path):
    """Of very many calls the first and the newest stay, in order, and the rest is counted."""
    written = Journal(path)
    for number in range(MANY):
        written.end(written.begin("vkCall", (number,)), number, 0)

    calls = written.calls()
    gaps = [i for i, call in enumerate(calls) if "dropped" in call]
    numbers = [call["arguments"][0] for call in calls if "command" in call]
    assert len(gaps) == 1
    before, after = numbers[: gaps[0]], numbers[gaps[0] :]
    assert before == list(range(len(before))), "the first calls have a gap"
    assert after == list(range(MANY - len(after), MANY)), "the newest calls have a gap"
    assert len(before) + calls[gaps[0]]["dropped"] + len(after) == MANY
    assert min(len(before), len(after)) > 0


def test_the_end_of_a_call_that_was_dropped_changes_no_other(path):
    """A call that took so long that newer ones have its place ends without a trace."""
    written, size = Journal(path), 8000
    for _ in range(journal.SLOT_SIZE // size):
        written.begin("vkCall", ("x" * size,))
    long_ago = written.begin("vkLong", ("x" * size,))
    changed = []

    for _ in range(2 * journal.SLOT_SIZE // size):
        written.end(written.begin("vkCall", ("x" * size,)), 5, 0)
        before = written.calls()
        if all(call.get("command") != "vkLong" for call in before):
            written.end(long_ago, 99, -1)
            changed.append(written.calls() != before)

    assert changed, "the long call was never dropped"
    assert not any(changed)


def test_a_new_test_begins_with_an_empty_journal(path):
    """Clearing forgets the test's own calls, clearing the steps those of the steps alone."""
    written, step = Journal(path), Journal(path, slot=3)
    written.begin("vkOwn", ())
    step.begin("vkStep", ())

    written.clear_steps()
    assert called(path) == [("vkOwn", [])]
    written.clear()
    assert called(path) == []


def test_arguments_of_any_size_and_kind_are_written(path):
    """What is no JSON is written as text, what is too long as its size."""
    written = Journal(path)
    written.begin("vkOdd", ({1, 2}, b"\xff"))
    written.begin("vkLong", ("x" * 2 * journal.SLOT_SIZE,))

    (_, odd), (_, long) = called(path)
    assert odd == ["{1, 2}", "b'\\xff'"]
    assert "bytes of arguments" in long[0]


def test_processes_take_turns_in_a_slot(path):
    """What one process writes after another began the slot anew follows what that one wrote."""
    ours = Journal(path)
    ours.end(ours.begin("vkWaitForFences", (1, (5,), 0)), 1, 0)
    theirs = Journal(path)
    for number in range(20):
        theirs.end(theirs.begin("vkTheirs", (number, "x" * number)), 1, 0)
    ours.begin("vkWaitForFences", (1, (5,), 0))
    ours.begin("kill", (7, 9))

    told = called(path)
    assert told[-3:] == [("vkTheirs", [19, "x" * 19]), ("vkWaitForFences", [1, [5], 0]), ("kill", [7, 9])]
    assert len(told) == 22
