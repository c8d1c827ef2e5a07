"""Signal operation order: when a later signal is visible, so are all earlier ones, and what came before."""

import time

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, recorded_work, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.native import Batch
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.steps.queues import each_command, queue_for
from suites.steps.signals import signal_behind_work
from suites.steps.timelines import held_by_work, needs_timelines, two_handles

COUNT = 4

ordered_commands = pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
"""The commands whose calls "Signal Operation Order" puts in order."""


def row(device, handle):
    """COUNT timelines at 0, each as (signal through, read through)."""
    return [two_handles(device, handle) for _ in range(COUNT)]


def watch(pairs, submissions):
    """Read the counters, the last timeline first, until all is done; returns every reading that was out of order."""
    wrong, deadline = [], time.monotonic() + patience.seconds()
    done = False
    while not done and not wrong and time.monotonic() < deadline:
        done = submissions[-1].is_done
        seen = [semaphore.counter() for _, semaphore in reversed(pairs)]
        wrong += [seen[::-1]] if seen != sorted(seen) else []
    return wrong


@rule("SPEC-STATE-10")
@pytest.mark.parametrize("handle", ["own", "importer"])
@ordered_commands
def test_batches_of_one_call_signal_in_order(device, handle, through):
    """When the signal of a batch is visible, the signals of all earlier batches of the call are visible too."""
    pairs, queue, work = row(device, handle), queue_for(device, through), (recorded_work(device),)

    submission = queue.submit_batches([Batch((), work, (one.handle,), None, (1,)) for one, _ in pairs], through)
    wrong = watch(pairs, [submission])

    assert not wrong, f"batches of one {through} signal one timeline each; in order their counters were {wrong[0]}"
    assert submission.finishes(), f"{COUNT} batches of one call did not end: {submission}"


@rule("SPEC-STATE-10")
@pytest.mark.parametrize("handle", ["own", "importer"])
@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2", "by-turns"])
def test_calls_signal_in_order(device, handle, through):
    """When the signal of a call is visible, the signals of all earlier calls on the queue are visible too."""
    if through != "vkQueueSubmit" and not device.info.synchronization2:
        unsupported("the device has no synchronization2")
    names = ["vkQueueSubmit", "vkQueueSubmit2"] if through == "by-turns" else [through]
    pairs, work = row(device, handle), [recorded_work(device)]

    calls = [device.queue.submit([], [(one, 1)], work, names[n % len(names)]) for n, (one, _) in enumerate(pairs)]
    wrong = watch(pairs, calls)

    assert not wrong, f"calls of {names} signal one timeline each; in order their counters were {wrong[0]}"
    assert calls[-1].finishes(), f"the last of {COUNT} calls did not end: {calls[-1]}"


@rule("SPEC-STATE-10")
@pytest.mark.parametrize("batches", [1, COUNT], ids=["one-batch", "many-batches"])
@pytest.mark.parametrize("handle", ["own", "importer"])
@each_command
def test_a_fence_comes_after_the_signals_of_its_call(device, handle, through, batches):
    """When the fence of a submission is signaled, all semaphores that the submission signals are signaled too."""
    pairs, queue = row(device, handle), queue_for(device, through)
    work = () if through == "vkQueueBindSparse" else (recorded_work(device),)
    signals = tuple(one.handle for one, _ in pairs)
    parts = [signals] if batches == 1 else [(one,) for one in signals]

    call = queue.submit_batches([Batch((), work, part, None, (1,) * len(part)) for part in parts], through)
    ended = call.finishes()
    counters = [semaphore.counter() for _, semaphore in pairs]

    assert ended, f"a submission that signals {COUNT} timelines did not end: {call}"
    assert counters == [1] * COUNT, (
        f"the fence of {through} was signaled while its timelines had the counters {counters}"
    )


@rule("SPEC-STATE-10")
@ordered_commands
def test_fences_of_a_queue_come_in_order(device, through):
    """When the fence of a submission is signaled, the fences of all earlier submissions on the queue are signaled too."""
    queue = queue_for(device, through)
    calls = [queue.submit(commands=[recorded_work(device)], through=through) for _ in range(COUNT)]

    wrong, deadline = [], time.monotonic() + patience.seconds()
    while not wrong and time.monotonic() < deadline:
        seen = [call.is_done for call in reversed(calls)]
        wrong += [seen[::-1]] if seen != sorted(seen) else []
        if all(seen):
            break

    assert not wrong, f"fences of {COUNT} submissions were, in order, signaled: {wrong[0]}"
    assert calls[-1].finishes(), f"the last of {COUNT} submissions did not end: {calls[-1]}"


@rule("SPEC-STATE-10", "SPEC-STATE-09")
@ordered_commands
def test_a_signal_waits_for_all_that_was_submitted_before(device, through):
    """A batch without commands signals after the work of earlier batches on the queue."""
    needs_timelines(device)
    semaphore = device.semaphore(TIMELINE)

    proof = held_by_work(semaphore, lambda value: semaphore.host_wait(value).is_success, through)

    assert proof is Proof.HELD, f"a host wait for a batch of {through} without commands: {proof.value}"


@rule("SPEC-STATE-10")
@pytest.mark.parametrize("batches", [0, 1, COUNT], ids=["no-batch", "an-empty-batch", "empty-batches"])
@ordered_commands
def test_the_fence_of_an_empty_call_comes_after_earlier_work(device, through, batches):
    """The fence of a call without signals and commands is signaled once all that was submitted before is done."""
    queue = queue_for(device, through)

    def arrange(factor):
        return run_work(device, factor), queue.submit_batches([Batch()] * batches, through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the fence of {through} with {batches} empty batches: {proof.value}"


@rule("SPEC-STATE-09")
@each_command
def test_a_batch_signals_after_what_it_waits_for(device, through):
    """A batch without commands signals after the signal of another queue that it waits for."""
    needs_timelines(device)
    queue = queue_for(device, through, beside=device.queue)

    def arrange(factor):
        link, done = device.semaphore(), device.semaphore(TIMELINE)
        gate = signal_behind_work(link, factor)
        queue.submit(waits=[link], signals=[(done, 1)], through=through)
        return gate, lambda: done.host_wait(1).is_success

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a host wait for a batch of {through} that waits for another queue: {proof.value}"
