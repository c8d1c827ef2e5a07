"""A step in a process of its own comes back as a value, whatever it does, and leaves nothing behind."""

import ctypes
import os
import signal
import sys
import time

import pytest

from fixtures.running import stacks
from fixtures.running.channels import Gone
from fixtures.running.processes import Nursery
from fixtures.testbed import bench
from fixtures.testbed.descriptors import open_descriptors
from fixtures.vulkan import outcomes
from suites.selftest.samples.steps import answer, hang, leave


def double(channel, number):
    return number * 2


def refuse(channel):
    raise LookupError("no such thing")


def segfault(channel):
    ctypes.string_at(0)


def abort_in_a_thread(channel):
    """As a driver's own thread may, of which Python knows nothing."""
    thread = ctypes.c_ulong()
    ctypes.CDLL(None).pthread_create(ctypes.byref(thread), None, ctypes.CDLL(None).abort, None)
    time.sleep(600)


def segfault_badly(channel, native_stack):
    stacks.native_stack = native_stack
    segfault(channel)


def sleep_again():
    time.sleep(600)


def segfault_again():
    ctypes.string_at(0)


def leave_politely(channel):
    sys.exit(7)


def notice(channel):
    outcomes.warn("seen in a step")
    outcomes.breach("SPEC-EXPORT-01", "vkGetSemaphoreFdKHR", "seen in a step")


def leave_a_semaphore(channel, info):
    bench.shared(info).semaphore()


def start_another(channel):
    from fixtures.running import processes

    return processes.nursery.run(double, 4).value


def wait_beside(channel, path):
    """Write this process's number down, and wait."""
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)


def test_a_value_comes_back(processes):
    """What a step returns is the value of its ending."""
    ending = processes.run(double, 21)

    assert (ending.how, ending.value) == ("returned", 42)


def test_an_exception_comes_back_as_text(processes):
    """A step that raises, or calls sys.exit, ends as "raised" with the exception's name and text."""
    endings = [processes.run(refuse), processes.run(leave_politely)]

    assert {one.how for one in endings} == {"raised"}
    assert [one.text for one in endings] == ["LookupError: no such thing", "SystemExit: 7"]


def test_a_crash_comes_back_with_its_signal_and_stack(processes):
    """A step that dies of a signal ends as "crash" with the signal's name and the Python stack."""
    ending = processes.run(segfault)

    assert (ending.how, ending.value) == ("crash", "SIGSEGV")
    assert ending.text.startswith("crash: SIGSEGV\n")
    assert " in segfault" in ending.text


@pytest.mark.parametrize("step", [segfault, hang, abort_in_a_thread])
def test_a_crash_and_a_hang_leave_their_native_stack(processes, step):
    """Its first frame is in the library that crashed or hangs: no handler's, and none of Python's."""
    ending = processes.run(step, limit=0.5)

    _, _, native = ending.text.partition("Native stack (most recent call first):\n")
    assert native.lstrip().startswith("libc.so.6+0x"), ending.text


@pytest.mark.parametrize("native_stack", [sleep_again, segfault_again])
def test_a_crash_stays_one_without_its_native_stack(processes, native_stack):
    """A handler that hangs or crashes itself, as it may in a broken process, leaves the signal's name and the Python stack."""
    ending = processes.run(segfault_badly, native_stack, limit=0.5)

    assert (ending.how, ending.value) == ("crash", "SIGSEGV")
    assert " in segfault" in ending.text


@pytest.mark.parametrize("status", [0, 7, 255])
def test_an_exit_comes_back_with_its_status(processes, status):
    """A step that leaves without returning ends as "exit", status 0 too."""
    ending = processes.run(leave, status)

    assert (ending.how, ending.value, str(ending)) == ("exit", status, f"exit {status}")


def test_a_hang_is_ended_at_the_limit(processes):
    """A step that holds the interpreter's lock in native code ends as "timeout" with its Python stack."""
    start = time.monotonic()

    ending = processes.run(hang, limit=0.3)

    assert ending.how == "timeout"
    assert ending.text.startswith("timeout after 0.3 s\n")
    assert " in hang" in ending.text
    assert time.monotonic() - start < 3, "the limit was 0.3 s"


def test_an_impatient_test_ends_its_step(processes):
    """`finish(seconds)` kills a step that still runs, and says so."""
    child = processes.start(hang)

    ending = child.finish(0.1)

    assert (ending.how, ending.text) == ("timeout", "timeout after 0.1 s")
    assert not os.path.exists(f"/proc/{child.pid}")


def test_notes_of_a_step_are_the_tests(processes):
    """Warnings and breaches that a step notes belong to the test that started it."""
    processes.run(notice)
    noted = outcomes.notes.properties()
    outcomes.notes.clear()

    assert noted == [
        ("warnings", ["seen in a step"]),
        ("breaches", [["SPEC-EXPORT-01", "vkGetSemaphoreFdKHR", "seen in a step"]]),
    ]


def test_steps_run_side_by_side(processes):
    """Several steps live at once, each with a part of the journal of its own, and end in any order."""
    children = [processes.start(answer) for _ in range(4)]
    slots = {child.slot for child in children}
    for child in reversed(children):
        child.kill()

    assert len(slots) == 4
    assert 0 not in slots, "the test's own part of the journal"
    assert slots <= processes.slots, "parts of the journal are not given back"


def test_a_companion_takes_the_next_step(processes):
    """A process in which a step returned is borrowed again, with a time limit and notes of the next step's own."""
    first = processes.borrow(notice, limit=5)
    first.finish()
    outcomes.notes.clear()

    second = processes.borrow(double, 4)
    ending, noted = second.finish(), outcomes.notes.properties()
    third = processes.borrow(hang, limit=0.3)
    third_ending = third.finish()

    assert [one.pid for one in (second, third)] == [first.pid] * 2
    assert (ending.value, noted) == (8, [])
    assert (third_ending.how, third.pid in children_of(processes.pid)) == ("timeout", False)


@pytest.mark.parametrize("step", [refuse, segfault, hang])
def test_a_step_that_does_not_return_leaves_no_companion(processes, step):
    """What comes after it has another process."""
    first = processes.borrow(double, 1)
    first.finish()
    processes.borrow(step, limit=0.3).finish()

    second = processes.borrow(double, 2)

    assert (second.finish().value, second.pid != first.pid) == (4, True)


def test_companions_are_dismissed(processes):
    """The next one is another process, and parts of the journal are given back."""
    before = set(processes.slots)
    first = processes.borrow(double, 1)
    first.finish()

    processes.dismiss()
    second = processes.borrow(double, 1)
    second.finish()
    processes.dismiss()

    assert second.pid != first.pid
    assert before <= processes.slots


def test_what_a_step_made_is_destroyed(processes, device_info):
    """A companion's devices stay open, with nothing on them."""
    child = processes.borrow(leave_a_semaphore, device_info)
    child.finish()

    calls = [call["command"] for call in bench.journal().calls() if call["pid"] == child.pid]
    assert calls.index("vkCreateDevice") < calls.index("vkCreateSemaphore") < calls.index("vkDestroySemaphore")
    assert "vkDestroyDevice" not in calls


def test_a_companion_that_died_meanwhile_is_told(processes):
    """Its step ends as a crash; what is sent to it is not a failure of the suite."""
    child = processes.borrow(double, 1)
    child.finish()
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(Gone):
        child.channel.receive()

    again = processes.borrow(answer)
    with pytest.raises(Gone):
        again.channel.send("one")
    ending = again.finish()

    assert (again.pid, ending.how, ending.value) == (child.pid, "crash", "SIGKILL")


def test_a_nested_step_starts_steps(processes):
    """A step that asked for it has a nursery of its own."""
    assert processes.run(start_another, nested=True).value == 8


def test_a_process_that_has_to_be_gone_is(processes):
    """Where a test is about the end of a process, it is waited for."""
    child = processes.start(double, 1)

    child.finish(gone=True)

    assert child.status == 0
    assert child.pid not in children_of(processes.pid)


def test_a_number_that_comes_again_is_another_process(processes):
    """The end of an earlier process, for which nobody waited, is not taken for that of a later one with its number."""
    first = processes.start(answer)
    processes._ended |= dict.fromkeys(range(first.pid + 1, first.pid + 1000), 0)

    second = processes.start(answer)
    processes.reap(second, 0.1)

    assert second.status is None, "a running step counts as ended"
    for child in (first, second):
        child.kill()
    processes._ended.clear()


@pytest.mark.isolated
def test_rounds_leave_no_descriptor_and_no_process(processes):
    """After any number of steps of every ending the same descriptors are open, and no child is left."""
    endings = [(double, 1), (refuse,), (leave, 3), (segfault,)]
    for step in endings:
        processes.run(*step)
    before = open_descriptors()

    for step in endings * 10:
        processes.run(*step)

    assert open_descriptors() == before
    assert children_of(processes.pid) == []


def children_of(pid):
    """The children that a process has now."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def gone(pid, seconds=3.0):
    """Whether a process is gone, or a zombie of somebody else's, within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.isolated
def test_a_closed_nursery_takes_its_children_along(processes):
    """Closing a nursery ends it and every step that still runs."""
    own = Nursery()
    child = own.start(hang)

    own.close()

    assert gone(child.pid), "the step outlived its nursery"
    assert gone(own.pid), "the nursery is still there"


@pytest.mark.isolated
def test_a_killed_test_takes_its_steps_along(processes, tmp_path):
    """When a process with a nursery is killed, the nursery and its steps end too."""
    path = tmp_path / "pid"
    child = processes.start(nested_wait, str(path), nested=True)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not (path.exists() and path.read_text()):
        time.sleep(0.01)

    child.kill(signal.SIGKILL)

    assert gone(int(path.read_text())), "the step outlived the process that started it"


def nested_wait(channel, path):
    from fixtures.running import processes

    processes.nursery.run(wait_beside, path)
