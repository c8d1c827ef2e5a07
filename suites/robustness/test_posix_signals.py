"""POSIX signals, stopped processes and forks: what the system does to a process is nothing to its waits and its objects.

The signals reach every thread of the process, and their handler restarts no system call: what a driver sleeps in returns EINTR.
"""

import select
import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count

import pytest

from fixtures.testbed import patience
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import too_late, warn
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.robustness.interruptions import BEGUN, LONGEST, STOPPED, forked, interrupted, let_begin, stopped
from suites.robustness.other_process import signal_and_tell, signal_when_told, wait_and_tell
from suites.steps.payloads import pending
from suites.steps.signals import at, is_copy, signal, wait_for
from suites.steps.timelines import each_handle, needs_timelines, two_handles

pytestmark = pytest.mark.isolated
LOOKING = 0.02
"""Seconds for which the test watches that a wait holds."""
SHORT = 0.03
"""Seconds: the timeout of a wait that expires."""
STOPS = 3
"""How often a process is stopped that waits: each time it may just be about to sleep."""
FACTOR = 10
"""How long the work is before a signal whose process is stopped, in 10 ms."""

CALLS = {
    "vkWaitSemaphores": lambda seen, batch: seen.host_wait(2),
    "vkWaitForFences": lambda seen, batch: batch.end(),
    "vkQueueWaitIdle": lambda seen, batch: seen.device.vk.vkQueueWaitIdle(seen.device.queue.handle),
    "vkDeviceWaitIdle": lambda seen, batch: seen.device.vk.vkDeviceWaitIdle(seen.device.handle),
}
"""Calls that wait for a batch, or for what it signals."""


@rule("SPEC-FUND-12")
@pytest.mark.parametrize("call", CALLS)
@each_handle
def test_posix_signals_do_not_end_a_wait_of_the_host(device, handle, call):
    """A call that waits for a held batch goes on when POSIX signals reach its thread, and succeeds when the batch is done."""
    acting, seen = two_handles(device, handle)
    batch = device.queue.submit(waits=[(seen, 1)], signals=[(seen, 2)])

    with ThreadPoolExecutor(1) as thread, interrupted():
        waiting = thread.submit(CALLS[call], seen, batch)
        early = bool(wait([waiting], LOOKING).done)
        acting.host_signal(1)
        answer, counter = waiting.result(), seen.counter()

    assert not early, f"{call} returned {answer} when POSIX signals reached its thread, before the batch was released"
    assert answer.is_success, f"{call}, while POSIX signals reached its thread, returned {answer}"
    assert counter == 2, f"when {call} returned, a batch that signals 2 had left the counter at {counter}"


@rule("SPEC-FUND-12", "SPEC-IMPORT-33")
def test_posix_signals_do_not_end_a_wait_of_a_queue(device, open_device, kind):
    """Submissions and waits for imported payloads go on when POSIX signals reach the driver's threads."""
    exporting, rising = open_device(), count(1)
    run_work(exporting)

    def arrange(factor):
        gate, _, descriptor = pending(exporting, kind, factor, value := next(rising))
        importer = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
        return gate, wait_for(importer, value)

    with interrupted():
        proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for an imported payload while POSIX signals reach every thread: {proof.value}"


@rule("SPEC-FUND-12", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_handle
def test_posix_signals_do_not_end_a_wait_for_a_later_signal(device, handle):
    """A batch that waits for a value goes on waiting when POSIX signals reach the driver's threads."""
    acting, seen = two_handles(device, handle)

    with interrupted():
        batch = device.queue.submit(waits=[(seen, 1)])
        early = batch.finishes(LOOKING)
        acting.host_signal(1)
        ended = batch.finishes()

    assert not early, "while POSIX signals reached every thread a batch that waits for 1 ended at 0"
    assert ended, f"while POSIX signals reached every thread a batch that waits for 1 did not end at 1: {batch}"


@rule("SPEC-HANDLE-06")
def test_posix_signals_do_not_end_a_poll(device, sync_kind):
    """poll() of a SYNC_FD that POSIX signals interrupt reports it ready once the work is done, not before."""
    run_work(device)

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, factor)
        poll = select.poll()
        poll.register(descriptor.fd, select.POLLIN)
        return gate, lambda: bool(poll.poll(1000 * patience.seconds()))

    with interrupted():
        proof = shown(arrange)

    assert proof is Proof.HELD, f"poll() of an exported SYNC_FD while POSIX signals reach every thread: {proof.value}"


@rule("SPEC-HOST-05")
@pytest.mark.parametrize("call", ["vkWaitSemaphores", "vkWaitForFences"])
def test_posix_signals_do_not_move_a_timeout(device, timeline, call):
    """A wait that expires while POSIX signals reach its thread lasts about as long as its timeout."""
    batch, waits = (
        device.queue.submit(waits=[(timeline, 1)]),
        {"vkWaitSemaphores": lambda: timeline.host_wait(1, SHORT)},
    )

    with ThreadPoolExecutor(1) as thread:
        start = time.perf_counter()
        with interrupted():
            waiting = thread.submit(waits.get(call, lambda: batch.end(SHORT)))
            in_time = bool(wait([waiting], 0.8 * patience.seconds(LONGEST)).done)
        answer, took = waiting.result(), time.perf_counter() - start
    timeline.host_signal(1)

    assert answer == Result.TIMEOUT, f"{call} with a timeout of {SHORT} s returned {answer} at 0"
    assert in_time, f"{call} with a timeout of {SHORT} s began anew with each POSIX signal: it took {took:.2f} s"
    assert took > 0.9 * SHORT, f"{call} with a timeout of {SHORT} s took {took:.3f} s"


@rule("SPEC-FUND-13", "SPEC-IMPORT-33")
def test_a_wait_goes_on_when_its_process_does(device, processes, kind):
    """Waits of a process that is stopped and continued several times hold until the signal, and end then."""
    child, rising = processes.borrow(wait_and_tell, device.info, kind), count(1)

    def ended():
        answers.append(child.channel.receive())
        return answers[-1] == str(Result.SUCCESS)

    def arrange(factor):
        gate, _, descriptor = pending(device, kind, factor, value := next(rising))
        child.channel.send(value)
        child.channel.send_fd(descriptor.fd)
        child.channel.receive()
        for _ in range(STOPS):
            let_begin(child)
            with stopped(child):
                time.sleep(STOPPED)
        return gate, ended

    answers = []
    proof = shown(arrange)
    child.channel.send(0)
    child.finish()

    assert proof is Proof.HELD, f"waits of a process that was stopped meanwhile, {answers[-1]}: {proof.value}"


@rule("SPEC-FUND-13", "SPEC-IMPORT-33")
def test_a_signal_comes_when_its_process_goes_on(device, processes, kind):
    """A wait for the pending signal of a process that is stopped ends once the process goes on, not before its work is done."""
    child = processes.borrow(signal_and_tell, device.info, kind, FACTOR)
    descriptor = Descriptor(child.channel.receive_descriptor(), device.vk, "received descriptor")
    if descriptor.fd == -1:
        child.channel.send("go on")
        too_late("the driver returned -1: there is no descriptor")

    with stopped(child, seconds=5 * STOPPED):
        importer = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
        batch = device.queue.submit(waits=[at(importer)])
        early = batch.finishes(STOPPED)
    child.channel.send("go on")
    was_done, ended = child.channel.receive(), batch.finishes()
    ending = child.finish()

    assert was_done or not early, "a wait ended while the process that signals was stopped, its work not done"
    assert ended, f"a wait for a signal of a process that was stopped and went on did not end: {batch}"
    assert ending.value == str(Result.SUCCESS), f"in the process that was stopped the next batch came to {ending}"


@rule("SPEC-FUND-13", "ISSUE-VK_KHR_timeline_semaphore-3")
def test_a_wait_holds_while_the_process_that_will_signal_is_stopped(device, processes):
    """Waits for a value that a stopped process has yet to signal hold, and end when it has gone on and signaled."""
    needs_timelines(device, shared=True)
    child = processes.borrow(signal_when_told, device.info, 1)
    importer = device.semaphore(TIMELINE).imports(Descriptor(child.channel.receive_descriptor(), device.vk))

    with stopped(child):
        batch = device.queue.submit(waits=[(importer, 1)])
        early = [batch.finishes(STOPPED), importer.host_wait(1, 0).is_success]
    child.channel.send("go on")
    answer, ended = importer.host_wait(1), batch.finishes()
    ending = child.finish()

    assert not any(early), f"while the process was stopped that signals 1, batch and host had waited for it: {early}"
    assert ending.value == str(Result.SUCCESS), f"vkSignalSemaphore of a process that was stopped: {ending}"
    assert answer.is_success, f"vkWaitSemaphores for a signal of a process that was stopped returned {answer}"
    assert ended, f"a batch that waits for a signal of a process that was stopped did not end: {batch}"


def again(exporter, importer, value):
    """Signal once more and wait through the importer, which imports a copy anew; "" if that ends, else how it does."""
    exporter.device.queue.submit(signals=[at(exporter, value)])
    if is_copy(exporter.kind):
        importer.imports(exporter.exported(), temporary=True)
    wait = wait_for(importer, value)
    return "" if wait.finishes() else str(wait)


@rule("SPEC-FUND-14")
@pytest.mark.parametrize("then", ["exits", "executes"])
def test_a_fork_is_nothing_to_the_payloads(device, open_device, kind, then):
    """Payloads of a process that forks keep their signals, and go on, while the new process lives and when it has ended."""
    exporter, importer = device.semaphore(kind, export=True), open_device().semaphore(kind)
    signal(exporter)
    importer.imports(exporter.exported(), temporary=is_copy(kind))

    fork = forked(executes=then == "executes")
    kept = wait_for(importer)
    is_kept, beside = kept.finishes(), again(exporter, importer, 2)
    left = fork.inherited() if then == "executes" else {}
    status, after = fork.end(), again(exporter, importer, 3)

    assert is_kept, f"when its process forked, a payload lost its signal: {kept}"
    assert not beside, f"beside a forked process a wait for a new signal does not end: {beside}"
    assert not after, f"after a forked process had ended with {status} a wait for a new signal does not end: {after}"
    assert status == 0, f"a forked process that only {then} ended with {status}"
    if left:
        warn(f"descriptors of the driver are open in a program that its process executes: {left}")


@rule("SPEC-FUND-14", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_handle
def test_a_fork_is_nothing_to_what_is_pending(device, handle):
    """A batch that waits while its process forks holds until its value is signaled, and ends then."""
    acting, seen = two_handles(device, handle)
    batch = device.queue.submit(waits=[(seen, 1)], signals=[(seen, 2)])
    time.sleep(BEGUN)

    fork = forked(executes=False)
    early = batch.finishes(LOOKING)
    fork.end()
    before = seen.counter()
    acting.host_signal(1)

    assert (early, before) == (False, 0), f"when its process forked, a batch that waits for 1 ended; counter: {before}"
    assert batch.finishes(), f"after a fork of its process a batch that waits for 1 did not end at 1: {batch}"
    assert acting.counter() == 2, f"a batch that signals 2 left the counter at {acting.counter()}"
