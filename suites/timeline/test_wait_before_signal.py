"""Batches that are submitted before the signal of the timeline value that they wait for."""

import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fixtures.testbed import patience
from fixtures.testbed.devices import batch_of
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.steps import buffers
from suites.steps.batches import signalable
from suites.steps.queues import COMMANDS, each_command, queue_for, second_queue
from suites.steps.signals import first_stuck
from suites.steps.timelines import (
    each_handle,
    members,
    needs_success,
    needs_timelines,
    signal,
    submit_signal,
    two_handles,
)
from suites.timeline.other_process import wait_in_a_batch

VALUE = 7
LOOKING = 0.03
"""Seconds for which the test watches that a wait holds."""
ENOUGH = 3 * patience.WAIT
"""Seconds for all that another process does: importing, submitting, and waiting."""
SIZE = 4096
"""Bytes of a buffer."""
LONG = 1.2
"""Seconds; longer than a time limit of one second that a driver might have."""


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@pytest.mark.parametrize("value", [VALUE, VALUE + 100], ids=["same", "greater"])
@each_command
def test_a_batch_waits_for_a_later_host_signal(device, timeline, through, value):
    """A batch may wait for a value that the host signals afterwards, and starts then."""
    waiter = queue_for(device, through).submit(waits=[(timeline, VALUE)], through=through)

    early = waiter.finishes(LOOKING)
    signal(timeline, value)

    assert not early, f"a batch that waits for {VALUE} ended at 0"
    assert waiter.finishes(), f"a batch that waits for {VALUE} did not end at {timeline.counter()}: {waiter}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@each_command
def test_a_signal_below_the_value_does_not_end_a_batch_wait(device, timeline, through):
    """A batch that waits for a value holds while lower values are signaled."""
    waiter = queue_for(device, through).submit(waits=[(timeline, VALUE)], through=through)

    signal(timeline, VALUE - 1)
    early = waiter.finishes(LOOKING)
    signal(timeline, VALUE)

    assert not early, f"a batch that waits for {VALUE} ended at {VALUE - 1}"
    assert waiter.finishes(), f"a batch that waits for {VALUE} did not end at {timeline.counter()}: {waiter}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@each_command
def test_a_batch_waits_for_a_later_batch_of_another_queue(device, timeline, through):
    """A batch may wait for a value that a later submission to another queue signals."""
    waiting_queue = queue_for(device, through)
    others = [queue for queue in device.queues if queue != waiting_queue]
    if not others:
        unsupported("the device has one queue")
    waiter = waiting_queue.submit(waits=[(timeline, VALUE)], through=through)

    early = waiter.finishes(LOOKING)
    signaler = others[0].submit(signals=[(timeline, VALUE)])

    assert not early, f"a batch that waits for {VALUE} ended at 0"
    assert signaler.finishes(), f"a batch that signals did not end while another queue waits: {signaler}"
    assert waiter.finishes(), f"a batch that waits for {VALUE} did not end at {timeline.counter()}: {waiter}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@each_command
def test_one_batch_waits_for_a_timeline_and_raises_it(device, timeline, through):
    """A batch may wait for one value of a timeline and signal a greater one, which happens after the wait."""
    both = queue_for(device, through).submit(waits=[(timeline, 1)], signals=[(timeline, VALUE)], through=through)

    early, before = both.finishes(LOOKING), timeline.counter()
    signal(timeline, 1)

    assert not early, "a batch that waits for 1 ended at 0"
    assert before == 0, f"a batch that still waits for 1 has signaled {before}"
    assert both.finishes(), f"a batch that waits for 1 did not end: {both}"
    assert timeline.host_wait(VALUE).is_success, f"a batch that signals {VALUE} ended, but a wait for {VALUE} does not"
    assert timeline.counter() == VALUE, f"a batch that signals {VALUE} left the counter at {timeline.counter()}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-01")
@pytest.mark.isolated
@each_handle
@each_command
def test_a_batch_waits_for_a_later_signal_and_signals(device, handle, through):
    """A batch that waits for a later value may signal semaphores of every sort, which happens after the wait."""
    (_, semaphore), made = two_handles(device, handle), signalable(device)
    batch = queue_for(device, through).submit(waits=[(semaphore, VALUE)], signals=made, through=through)

    early = batch.finishes(LOOKING)
    signal(semaphore, VALUE)

    assert not early, f"a batch that waits for {VALUE} ended at 0"
    assert batch.finishes(), f"a batch that waits for {VALUE} and signals {len(made)} semaphores did not end: {batch}"
    stuck = first_stuck(device.queue.submit(waits=[one]) for one in made)
    assert not stuck, f"a wait for one of the {len(made)} semaphores that the batch signals does not end: {stuck}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
def test_batches_wait_for_longer_than_a_second(device, timeline):
    """A wait has no time limit of its own: only the signal ends it."""
    ways = [through for through in COMMANDS if device.queue_for(through)]
    waiters = [queue_for(device, through).submit(waits=[(timeline, VALUE)], through=through) for through in ways]

    time.sleep(LONG)
    early = [through for through, waiter in zip(ways, waiters, strict=True) if waiter.is_done]
    signal(timeline, VALUE)

    assert not early, f"in {LONG} s batches of {', '.join(early)} that wait for {VALUE} ended at 0"
    stuck = first_stuck(waiters)
    assert not stuck, f"a batch that had waited for {LONG} s did not end at {VALUE}: {stuck}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@pytest.mark.parametrize("last", [0, 3], ids=["first", "last"])
def test_a_batch_waits_for_several_timelines(device, last):
    """A batch that waits for several timelines starts once the last of them has its value, at any position."""
    needs_timelines(device)
    timelines = [device.semaphore(TIMELINE) for _ in range(4)]
    waiter = device.queue.submit(waits=[(one, VALUE + n) for n, one in enumerate(timelines)])

    early = []
    for n in sorted(range(4), key=lambda n: n == last):
        early.append(waiter.finishes(LOOKING / 3))
        signal(timelines[n], VALUE + n)

    assert not any(early), f"a batch that waits for four timelines ended when {early.index(True)} of them were signaled"
    assert waiter.finishes(), f"a batch that waits for four timelines did not end: {waiter}"


@rule("SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_command
def test_one_batch_releases_a_batch_from_several_timelines(device, through):
    """A batch that waits for several timelines starts when one batch of another queue signals all of them."""
    needs_timelines(device)
    waiting_queue, timelines = queue_for(device, through), [device.semaphore(TIMELINE) for _ in range(4)]
    every = [(one, VALUE) for one in timelines]
    waiter = waiting_queue.submit(waits=every, through=through)

    early = waiter.finishes(LOOKING)
    signaler = second_queue(device, waiting_queue).submit(signals=every)

    assert not early, f"a batch that waits for {VALUE} of four timelines ended at 0"
    assert signaler.finishes(), f"a batch that signals four timelines did not end: {signaler}"
    assert waiter.finishes(), f"one batch signaled four timelines: a batch that waits for them did not end: {waiter}"


@rule("SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_command
def test_each_batch_of_a_call_waits_for_its_own_value(device, timeline, through):
    """Of two batches of one call that wait for two values of a timeline, each signals when its own value is reached."""
    done = [device.semaphore(TIMELINE) for _ in range(2)]
    batches = [batch_of([(timeline, n)], [(one, 1)]) for n, one in enumerate(done, start=1)]
    call = queue_for(device, through).submit_batches(batches, through)

    signal(timeline, 1)
    first, early = done[0].host_wait(1), done[1].host_wait(1, LOOKING)
    signal(timeline, 2)

    assert first.is_success, f"at 1 a host wait for the batch that waits for 1 returned {first}"
    assert not early.is_success, f"at 1 a batch of the same call that waits for 2 had signaled: {early}"
    assert call.finishes(), f"at 2 a call of batches that wait for 1 and 2 did not end: {call}"


@rule("SPEC-STATE-01", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_command
def test_a_batch_signals_while_a_later_one_of_its_call_waits(device, timeline, through):
    """A batch signals when it is done, although a later batch of the same call still waits for the host."""
    held = device.semaphore(TIMELINE)
    batches = [batch_of(signals=[(timeline, VALUE)]), batch_of(waits=[(held, 1)])]
    call = queue_for(device, through).submit_batches(batches, through)

    reached = timeline.host_wait(VALUE)
    signal(held, 1)

    assert reached.is_success, f"a wait for {VALUE}, signaled by a batch without waits, returned {reached}"
    assert call.finishes(), f"a call of two batches did not end after the value that it waits for was signaled: {call}"


@rule("SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_handle
@each_command
def test_a_host_signal_ends_a_batch_wait_before_a_pending_greater_one(device, handle, through):
    """A host signal of its value starts a waiting batch, although a greater signal of a queue is still pending."""
    (_, semaphore), held = two_handles(device, handle), device.semaphore(TIMELINE)
    waiting_queue = queue_for(device, through)
    queue = second_queue(device, waiting_queue)
    pending = queue.submit(waits=[(held, 1)], signals=[(semaphore, VALUE + 10)])
    waiter = waiting_queue.submit(waits=[(semaphore, VALUE)], through=through)

    early = waiter.finishes(LOOKING)
    signal(semaphore, VALUE)
    ended = waiter.finishes()
    signal(held, 1)

    assert not early, f"a batch of {through} that waits for {VALUE} ended at 0"
    assert ended, f"{VALUE} was signaled, {VALUE + 10} pending: a wait of {through} for {VALUE} did not end: {waiter}"
    assert pending.finishes(), f"the batch with the greater signal did not end: {pending}"


@rule("SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-3")
@pytest.mark.parametrize("value", [0, 1, VALUE])
@each_command
def test_a_reached_value_is_not_waited_for_beside_a_pending_signal(device, timeline, through, value):
    """A batch that waits for a reached value starts, although the signal of a greater value is pending."""
    waiting_queue = queue_for(device, through, beside=device.queue)
    if waiting_queue == device.queue:
        unsupported("the device has one queue")
    signal(timeline, VALUE)
    held = device.semaphore(TIMELINE)
    pending = device.queue.submit(waits=[(held, 1)], signals=[(timeline, VALUE + 10)])

    waiter = waiting_queue.submit(waits=[(timeline, value)], through=through)
    ended = waiter.finishes()
    signal(held, 1)

    assert ended, f"at {VALUE}, {VALUE + 10} pending, a wait of {through} for {value} did not end: {waiter}"
    assert pending.finishes(), f"the batch with the greater signal did not end: {pending}"


@rule("SPEC-STATE-12")
@pytest.mark.parametrize("by", ["host", "vkQueueSubmit"])
@pytest.mark.parametrize("signaler", ["exporter", "importer in another instance"])
@each_command
def test_a_batch_waits_for_a_later_signal_through_another_handle(device, open_device, through, signaler, by):
    """A batch may wait on one member of a payload for a value that another member signals afterwards."""
    every = members(device, open_device)
    waiting, other = every["second importer"], every[signaler]
    if by != "host" and other.device is device and len(device.queues) == 1:
        unsupported("the device has one queue")
    waiter = queue_for(device, through).submit(waits=[(waiting, VALUE)], through=through)

    early = waiter.finishes(LOOKING)
    _signal(other, VALUE, by, waiter_on=queue_for(device, through))

    assert not early, f"a batch that waits for {VALUE} on an importer ended at 0"
    assert waiter.finishes(), f"a batch that waits on an importer did not end after the {signaler} signaled: {waiter}"


def _signal(semaphore, value, by, waiter_on):
    """Signal by the host, or by a batch on a queue that no wait blocks."""
    if by == "host":
        signal(semaphore, value)
    elif semaphore.device is waiter_on.device:
        next(q for q in semaphore.device.queues if q != waiter_on).submit(signals=[(semaphore, value)])
    else:
        submit_signal(semaphore, value)


@rule("SPEC-STATE-12")
@pytest.mark.parametrize("by", ["host", "vkQueueSubmit"])
@each_command
def test_a_batch_waits_for_a_later_signal_of_another_process(device, processes, through, by):
    """A batch may wait on an importer for a value that the exporter in another process signals afterwards."""
    needs_timelines(device, shared=True)
    queue_for(device, through)
    exporter = two_handles(device, "exporter")[1]

    child = processes.borrow(wait_in_a_batch, device.info, VALUE, through)
    child.channel.send_fd(exporter.exported().fd)
    needs_success(child.channel.receive())
    early = child.channel.receive()
    signal(exporter, VALUE, by)
    ending = child.finish(patience.seconds(ENOUGH))

    assert not early, f"a batch of another process that waits for {VALUE} ended at 0"
    assert ending.how == "returned", f"the other process ended with {ending}"
    assert not ending.value, f"a batch of another process did not end after {VALUE} was signaled: {ending.value}"


@rule("SPEC-STATE-12")
@each_command
def test_memory_is_allocated_and_bound_while_a_batch_waits(device, timeline, through):
    """vkAllocateMemory and vkBindBufferMemory return while a batch waits for a value that is signaled afterwards."""
    batch = queue_for(device, through).submit(waits=[(timeline, 1)], through=through)

    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(buffers.make, device, SIZE)
        in_time = bool(wait([made], patience.seconds()).done)
        timeline.host_signal(1)
        made.result()

    assert in_time, f"a buffer got memory only when a batch of {through} that waits for the host had ended"
    assert batch.finishes(), f"a batch that waits for 1 did not end at 1: {batch}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@each_handle
@each_command
def test_a_signal_below_the_value_does_not_end_a_batch_wait_on_any_member(device, handle, through):
    """A batch that waits on either end of an export for a value holds while lower ones are signaled through the other."""
    acting, seen = two_handles(device, handle)
    batch = queue_for(device, through).submit(waits=[(seen, 3)], through=through)

    early = []
    for value in (1, 2):
        acting.host_signal(value)
        early.append(batch.finishes(LOOKING))
    acting.host_signal(3)

    assert not any(early), f"a batch that waits for 3 on the {handle} ended at 1 or 2: {early}"
    assert batch.finishes(), f"a batch that waits for 3 on the {handle} did not end at 3: {batch}"
