"""Submitted work goes on by itself: a submission command hands all of it over, returns, and needs no further call."""

import pytest

from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import FIRST_SECONDS, recorded_work
from fixtures.vulkan.outcomes import too_late
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queues import each_command, queue_for, second_queue
from suites.steps.signals import at, behind_work, first_stuck, is_copy, is_timeline, signal_behind_work
from suites.submission.other_process import submit_and_sleep

BATCHES = 3
FACTORS = (2, 8, 16)
"""How long the work is of which a submission should not wait for the end, in 10 ms."""

MANY = 64
"""Submissions that are pending at once on one queue."""


@rule("SPEC-SUBMIT-09")
@pytest.mark.parametrize("works", [False, True], ids=["a-signal-alone", "behind-work"])
@each_command
def test_work_ends_while_its_process_makes_no_call(device, processes, kind, through, works):
    """A signal that a process submitted comes although the process makes no further Vulkan call."""
    queue_for(device, through)
    child = processes.borrow(submit_and_sleep, device.info, kind, through, works)
    descriptor = Descriptor(child.channel.receive_descriptor(), device.vk, "received descriptor")
    if descriptor.fd == -1:
        child.channel.send("wake up")
        too_late("the driver returned -1: there is no descriptor")

    importer = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
    seen = importer.host_wait(1) if is_timeline(kind) else Result.SUCCESS
    wait = device.queue.submit(waits=[at(importer)])
    ended = wait.finishes()
    child.channel.send("wake up")
    ending = child.finish()

    assert seen.is_success, f"vkWaitSemaphores for a signal of a process that sleeps returned {seen}"
    assert ended, f"a wait for a signal of a process that sleeps did not end: {wait}"
    assert ending.value == str(Result.SUCCESS), f"the batch of the other process came to {ending.value or ending}"


@rule("SPEC-SUBMIT-07")
@each_command
def test_all_batches_are_submitted_when_the_call_returns(device, open_device, kind, through):
    """Right after a call of several batches another device may wait for the signal of the last one."""
    queue, importing, exporter = queue_for(device, through), open_device(), device.semaphore(kind, export=True)
    descriptor = None if is_copy(kind) else exporter.exported()
    links = behind_work(device, 1, queue, through)[1]
    batches = [*[batch_of(waits=links)] * bool(links), *[batch_of()] * BATCHES, batch_of(signals=[at(exporter)])]

    call = queue.submit_batches(batches, through)
    descriptor = descriptor or exporter.exported()
    if descriptor.fd == -1:
        too_late("the driver returned -1: there is no descriptor")
    importer = importing.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
    wait = importing.queue.submit(waits=[at(importer)])

    assert wait.finishes(), f"a wait for the last of {len(batches)} batches of {through} did not end: {wait}"
    assert call.finishes(), f"a call of {len(batches)} batches did not end: {call}"


def submit_work(device, through, factor):
    """Submit work of `factor` x 10 ms, or where the command has none a batch that waits for it; (the work, the submission)."""
    queue = queue_for(device, through)
    if through != "vkQueueBindSparse":
        return (queue.submit(commands=[recorded_work(device, factor)], through=through),) * 2
    work, links = behind_work(device, factor, queue, through)
    return work, queue.submit(waits=links, through=through)


@rule("SPEC-SUBMIT-08")
@each_command
def test_a_submission_returns_before_its_work_is_done(device, through):
    """A submission command does not wait for its work to complete."""
    blocked, is_pending = 0, False
    for factor in FACTORS:
        work, call = submit_work(device, through, factor)
        is_pending |= not work.is_done
        blocked += call.took > factor * FIRST_SECONDS / 4
        if is_pending:
            break

    if not is_pending and blocked < len(FACTORS):
        too_late("the work was over before the submission could be looked at")
    assert is_pending, (
        f"{through} returned only when its work was done, {blocked} times, at last after {call.took:.3f} s"
    )


@rule("SPEC-SUBMIT-09")
@each_command
def test_a_fence_comes_while_a_later_submission_waits(device, timeline, through):
    """A submission completes, as its fence tells, although a later one to its queue still waits for the host."""
    queue = queue_for(device, through)
    first, later = [queue.submit(waits=[(timeline, value)], through=through) for value in (1, 2)]

    timeline.host_signal(1)
    ended = first.finishes()
    timeline.host_signal(2)

    assert ended, f"a submission that waits for 1 did not end at 1, while a later one waited for 2: {first}"
    assert later.finishes(), f"a submission that waits for 2 did not end at 2: {later}"


@rule("SPEC-SUBMIT-09")
@pytest.mark.parametrize("place", ["same-device", "another-device"])
def test_a_fence_comes_while_an_earlier_submission_to_another_queue_waits(device, open_device, timeline, place):
    """A submission completes, as its fence tells, although one that was made earlier to another queue waits for the host."""
    other = second_queue(device) if place == "same-device" else open_device().queue
    earlier = device.queue.submit(waits=[(timeline, 1)])

    submission = other.submit()
    ended = submission.finishes()
    timeline.host_signal(1)

    assert ended, f"an empty submission did not end while an earlier one to another queue waited: {submission}"
    assert earlier.finishes(), f"a submission that waits for 1 did not end at 1: {earlier}"


@rule("SPEC-IMPORT-33")
def test_a_pending_signal_reaches_importers_while_a_later_submission_waits(device, open_device, timeline, kind):
    """A signal that was exported while pending comes although a later submission to its queue still waits for the host."""
    exporter, importing = device.semaphore(kind, export=True), open_device()
    signal_behind_work(exporter)
    importer = importing.semaphore(kind).imports(exporter.exported(), temporary=is_copy(kind))
    later = device.queue.submit(waits=[(timeline, 1)])

    wait = importing.queue.submit(waits=[at(importer)])
    ended = wait.finishes()
    timeline.host_signal(1)

    assert ended, f"a wait for an imported signal did not end while its exporter's queue waited for the host: {wait}"
    assert later.finishes(), f"a submission that waits for 1 did not end at 1: {later}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3")
@pytest.mark.isolated
@each_command
def test_many_submissions_wait_for_the_host(device, timeline, through):
    """Submissions return, however many before them on their queue still wait for the host."""
    queue = queue_for(device, through)
    waiters = [queue.submit(waits=[(timeline, 1)], through=through) for _ in range(MANY)]

    early = [number for number, waiter in enumerate(waiters, 1) if waiter.is_done]
    timeline.host_signal(1)
    stuck = first_stuck(waiters)

    assert not early, f"of {MANY} submissions of {through} that wait for 1 these ended at 0: {early}"
    assert not stuck, f"one of {MANY} submissions of {through} that wait for 1 did not end at 1: {stuck}"
