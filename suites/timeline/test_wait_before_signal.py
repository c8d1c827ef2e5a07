"""Batches that wait for a timeline value which is signaled later."""

import time

import pytest

from fixtures.testbed.devices import batch_of
from fixtures.testbed.semaphores import TIMELINE
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.steps.members import second_queue
from suites.steps.queues import COMMANDS, each_command, first_stuck, queue_for, signalable
from suites.steps.timelines import (
    each_handle,
    members,
    needs_success,
    needs_timelines,
    signal,
    submit_signal,
    two_handles,
)
from suites.timeline.steps import wait_in_a_batch

VALUE = 7
LOOKING = 0.03
"""For how long a wait is seen waiting, in seconds."""
LONG = 1.2
"""Longer than a driver's round number of seconds."""


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@pytest.mark.parametrize("value", [VALUE, VALUE + 100], ids=["same", "greater"])
@each_command
def test_a_batch_waits_for_a_later_host_signal(device, timeline, through, value):
    """A batch may wait for a value that the host signals afterwards, or for less, and goes on then."""
    waiter = queue_for(device, through).submit(waits=[(timeline, VALUE)], through=through)

    early = waiter.finishes(LOOKING)
    signal(timeline, value)

    assert not early, f"a batch that waits for {VALUE} ended at 0"
    assert waiter.finishes(), f"a batch that waits for {VALUE} did not end at {timeline.counter()}: {waiter}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@each_command
def test_a_signal_below_the_value_does_not_end_a_batch_wait(device, timeline, through):
    """A batch that waits for a value goes on waiting while less is signaled."""
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
    assert signaler.finishes(), f"a batch that signals did not end beside a queue that waits: {signaler}"
    assert waiter.finishes(), f"a batch that waits for {VALUE} did not end at {timeline.counter()}: {waiter}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
@each_command
def test_one_batch_waits_for_a_timeline_and_raises_it(device, timeline, through):
    """A batch may wait for one value of a timeline and signal a greater one; nothing is signaled before the wait."""
    both = queue_for(device, through).submit(waits=[(timeline, 1)], signals=[(timeline, VALUE)], through=through)

    early, before = both.finishes(LOOKING), timeline.counter()
    signal(timeline, 1)

    assert not early, "a batch that waits for 1 ended at 0"
    assert before == 0, f"a batch that still waits for 1 has signaled {before}"
    assert both.finishes(), f"a batch that waits for 1 did not end: {both}"
    assert timeline.host_wait(VALUE).is_success, f"a batch that signals {VALUE} ended, its signal did not come"
    assert timeline.counter() == VALUE, f"a batch that signals {VALUE} left the counter at {timeline.counter()}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-01")
@pytest.mark.isolated
@each_handle
@each_command
def test_a_batch_waits_for_a_later_signal_and_signals(device, handle, through):
    """A batch that waits for a value to come may signal semaphores of every sort; the call returns, and they come later."""
    (_, semaphore), made = two_handles(device, handle), signalable(device)
    batch = queue_for(device, through).submit(waits=[(semaphore, VALUE)], signals=made, through=through)

    early = batch.finishes(LOOKING)
    signal(semaphore, VALUE)

    assert not early, f"a batch that waits for {VALUE} ended at 0"
    assert batch.finishes(), f"a batch that waits for {VALUE} and signals {len(made)} semaphores did not end: {batch}"
    stuck = first_stuck(device.queue.submit(waits=[one]) for one in made)
    assert not stuck, f"of {len(made)} semaphores that it signals one is not signaled: {stuck}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3", "SPEC-STATE-03")
def test_batches_wait_for_longer_than_a_second(device, timeline):
    """Nobody's patience ends a wait but the signal."""
    ways = [through for through in COMMANDS if device.queue_for(through)]
    waiters = [queue_for(device, through).submit(waits=[(timeline, VALUE)], through=through) for through in ways]

    time.sleep(LONG)
    early = [through for through, waiter in zip(ways, waiters, strict=True) if waiter.is_done]
    signal(timeline, VALUE)

    assert not early, f"in {LONG} s batches of {', '.join(early)} that wait for {VALUE} ended at 0"
    stuck = first_stuck(waiters)
    assert not stuck, f"a batch that had waited for {LONG} s did not end at {VALUE}: {stuck}"


@rule("ISSUE-VK_KHR_timeline_semaphore-3")
def test_a_batch_waits_for_several_timelines(device):
    """A batch that waits for several timelines goes on once the last of them has its value."""
    needs_timelines(device)
    timelines = [device.semaphore(TIMELINE) for _ in range(4)]
    waiter = device.queue.submit(waits=[(one, VALUE + n) for n, one in enumerate(timelines)])

    early = []
    for n, one in enumerate(timelines):
        early.append(waiter.finishes(LOOKING / 3))
        signal(one, VALUE + n)

    assert not any(early), f"a batch that waits for four timelines ended with {early.index(True)} of them signaled"
    assert waiter.finishes(), f"a batch that waits for four timelines did not end: {waiter}"


@rule("SPEC-STATE-01", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_command
def test_a_batch_signals_while_a_later_one_of_its_call_waits(device, timeline, through):
    """A batch signals when it is done, though a later batch of the same call waits for what the host signals then."""
    held = device.semaphore(TIMELINE)
    batches = [batch_of(signals=[(timeline, VALUE)]), batch_of(waits=[(held, 1)])]
    call = queue_for(device, through).submit_batches(batches, through)

    reached = timeline.host_wait(VALUE)
    signal(held, 1)

    assert reached.is_success, f"a batch that waits for nothing signals {VALUE}: a wait for that returned {reached}"
    assert call.finishes(), f"a call of two batches did not end though what they wait for was signaled: {call}"


@rule("SPEC-STATE-03")
@each_handle
@each_command
def test_a_host_signal_ends_a_batch_wait_before_a_pending_greater_one(device, handle, through):
    """A batch goes on with the first signal that is enough, the host's, though a queue's greater one is still pending."""
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


@rule("SPEC-STATE-03")
@pytest.mark.parametrize("value", [0, 1, VALUE])
@each_command
def test_a_reached_value_is_not_waited_for_beside_a_pending_signal(device, timeline, through, value):
    """A batch that waits for what the payload has reached goes on, though the signal of a greater value is pending."""
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
    """A batch may wait on one member of a payload for what another member signals afterwards."""
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
    """Signal by the host, or by a batch on a queue that nobody blocks."""
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
    """A batch may wait on an importer for what the exporter signals afterwards in another process."""
    needs_timelines(device, shared=True)
    queue_for(device, through)
    exporter = two_handles(device, "exporter")[1]

    child = processes.borrow(wait_in_a_batch, device.info, VALUE, through)
    child.channel.send_fd(exporter.exported().fd)
    needs_success(child.channel.receive())
    early = child.channel.receive()
    signal(exporter, VALUE, by)
    ending = child.finish()

    assert not early, f"a batch of another process that waits for {VALUE} ended at 0"
    assert ending.how == "returned", f"the other process ended with {ending}"
    assert not ending.value, f"a batch of another process did not end after {VALUE} was signaled: {ending.value}"
