"""Waiting for a queue or a device to be idle: it lasts until all that was submitted is done, and no longer."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Timer

import pytest

from fixtures.testbed import patience
from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import Proof, recorded_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.payloads import pending
from suites.steps.queues import COMMANDS, each_command, queue_for, second_queue
from suites.steps.signals import at, is_copy
from suites.steps.timelines import each_handle, two_handles
from suites.submission.idle import each_idle, wait_idle

pytestmark = pytest.mark.isolated
SOON = 0.02
"""Seconds until another thread raises a timeline: the wait for idle has begun by then."""
LATE = 0.3
"""The same, longer than a time limit that a driver might have."""


@contextmanager
def raised(timeline, seconds=SOON):
    """Another thread raises the timeline to 1 after some seconds."""
    timer = Timer(seconds, timeline.host_signal, (1,))
    timer.start()
    try:
        yield
    finally:
        timer.join()


@each_handle
@each_command
@each_idle
def test_idle_comes_after_a_batch_that_another_thread_releases(device, handle, through, idle):
    """A wait for idle lasts while a batch waits for a value; afterwards its signal and its fence can be seen."""
    (acting, seen), queue = two_handles(device, handle), queue_for(device, through)
    batch = queue.submit(waits=[(acting, 1)], signals=[(acting, 2)], through=through)

    with raised(acting):
        answer, counter = wait_idle(queue, idle), seen.counter()
        fence = device.vk.vkGetFenceStatus(device.handle, batch.fence)

    assert answer.is_success, f"{idle} returned {answer}"
    assert counter == 2, f"a batch waits for 1 and signals 2; when {idle} returned, the counter was {counter}"
    assert fence.is_success, f"when {idle} returned, vkGetFenceStatus of a batch before it returned {fence}"


@each_idle
def test_idle_comes_however_late_the_batches_end(device, timeline, idle):
    """A wait for idle has no time limit; it lasts until the batches of each submission command are done."""
    queue = device.queue_for("vkQueueBindSparse") or device.queue
    ways = [through for through in COMMANDS if device.queue_for(through)]
    done = [device.semaphore(TIMELINE) for _ in ways]
    for through, one in zip(ways, done, strict=True):
        queue.submit(waits=[(timeline, 1)], signals=[(one, 1)], through=through)

    with raised(timeline, LATE):
        answer, counters = wait_idle(queue, idle), [one.counter() for one in done]

    assert answer.is_success, f"{idle} returned {answer} after {LATE} s"
    assert counters == [1] * len(ways), f"when {idle} returned, {ways} had left counters at {counters} instead of 1"


@rule("SPEC-STATE-15")
@pytest.mark.parametrize("held", [0, -1], ids=["the-first", "the-last"])
def test_an_idle_device_has_no_busy_queue(open_device, held):
    """vkDeviceWaitIdle lasts until the batches of every queue are done, of whichever family."""
    device = open_device(families="all")
    timeline, done = two_handles(device, "own")[0], [device.semaphore(TIMELINE) for _ in device.queues]
    for queue, one in zip(device.queues, done, strict=True):
        queue.submit(waits=[(timeline, 1)] * (queue == device.queues[held]), signals=[(one, 1)])

    with raised(timeline):
        answer, counters = wait_idle(device.queue, "vkDeviceWaitIdle"), [one.counter() for one in done]

    assert answer.is_success, f"vkDeviceWaitIdle returned {answer}"
    assert counters == [1] * len(done), (
        f"each of {len(done)} queues signals 1; when vkDeviceWaitIdle returned, the counters were {counters}"
    )


@each_command
@each_idle
def test_idle_comes_after_a_batch_that_waits_for_another_queue(device, timeline, through, idle):
    """A wait for idle lasts while a batch waits for one of another queue, which still waits itself."""
    queue = queue_for(device, through)
    other, link, done = second_queue(device, queue), device.semaphore(TIMELINE), device.semaphore(TIMELINE)
    other.submit(waits=[(timeline, 1)], signals=[(link, 1)])
    queue.submit(waits=[(link, 1)], signals=[(done, 1)], through=through)

    with raised(timeline):
        answer, counter = wait_idle(queue, idle), done.counter()

    assert answer.is_success, f"{idle} returned {answer}"
    assert counter == 1, f"when {idle} returned, a batch that waits for another queue had not signaled: {counter}"


@each_idle
@pytest.mark.parametrize("which", ["first", "other"])
def test_idle_comes_after_a_batch_that_waits_for_an_imported_payload(device, open_device, kind, which, idle):
    """A wait for idle lasts while a batch of any queue waits for a payload that another device signals behind its work."""
    exporting, queue = open_device(), device.queue if which == "first" else second_queue(device)

    def arrange(factor):
        gate, _, descriptor = pending(exporting, kind, factor)
        importer = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
        queue.submit(waits=[at(importer)])
        return gate, lambda: wait_idle(queue, idle).is_success

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{idle} behind a batch that waits for an imported payload: {proof.value}"


@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
@each_idle
def test_idle_comes_after_work(device, through, idle):
    """A wait for idle lasts while commands run that were submitted before."""
    queue = queue_for(device, through)

    def arrange(factor):
        gate = queue.submit(commands=[recorded_work(device)] * factor, through=through)
        return gate, lambda: wait_idle(queue, idle).is_success

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{idle} behind commands of {through}: {proof.value}"


@rule("SPEC-STATE-14", "SPEC-THREAD-09")
@each_command
def test_a_submission_to_another_queue_ends_a_wait_for_idle(device, timeline, through):
    """While one thread waits for a queue to be idle, another submits what that queue waits for to another queue."""
    queue = second_queue(device, other := queue_for(device, through))
    queue.submit(waits=[(timeline, 1)], signals=[(timeline, 9)])
    rescue = Timer(patience.seconds(), timeline.host_signal, (1,))

    with ThreadPoolExecutor(1) as thread, at_most(rescue):
        idle = thread.submit(wait_idle, queue, "vkQueueWaitIdle")
        early = bool(wait([idle], SOON).done)
        batch = other.submit(signals=[(timeline, 2)], through=through)
        answer, counter, in_time = idle.result(), timeline.counter(), rescue.is_alive()

    assert not early, f"vkQueueWaitIdle returned {answer} while its queue waited for another one"
    assert batch.result.is_success, f"{batch} while another thread waits for another queue to be idle"
    assert in_time, f"{through} to another queue returned only when a wait for idle had been ended by the host"
    assert (answer, counter) == (Result.SUCCESS, 9), f"vkQueueWaitIdle returned {answer} at {counter} instead of 9"


@contextmanager
def at_most(rescue):
    """A timer runs meanwhile that ends what hangs."""
    rescue.start()
    try:
        yield
    finally:
        rescue.cancel()
        rescue.join()


@rule("SPEC-STATE-15")
def test_a_device_is_idle_while_another_one_waits(device, open_device, timeline):
    """vkDeviceWaitIdle returns when the device's own batches are done, although another device waits for the host."""
    held = open_device().semaphore(TIMELINE)
    held.device.queue.submit(waits=[(held, 1)])
    device.queue.submit(signals=[(timeline, 1)])

    with at_most(Timer(patience.seconds(), held.host_signal, (1,))):
        answer, counters = wait_idle(device.queue, "vkDeviceWaitIdle"), [timeline.counter(), held.counter()]
    released = held.host_signal(1) if held.counter() == 0 else Result.SUCCESS

    assert counters[1] == 0, f"vkDeviceWaitIdle returned {answer} only when a batch of another device had ended"
    assert answer.is_success, f"vkDeviceWaitIdle returned {answer}"
    assert counters[0] == 1, f"when vkDeviceWaitIdle returned, the device's own timeline was at {counters[0]}"
    assert released.is_success, f"vkSignalSemaphore returned {released}"


@rule("SPEC-STATE-14")
def test_a_queue_is_idle_while_another_one_waits(device, timeline):
    """vkQueueWaitIdle returns when the queue's own batches are done, although another queue waits for the host."""
    queue, other = device.queue, second_queue(device)
    other.submit(waits=[(timeline, 1)])
    queue.submit()

    with at_most(Timer(patience.seconds(), timeline.host_signal, (1,))):
        answer, counter = wait_idle(queue, "vkQueueWaitIdle"), timeline.counter()
    released = timeline.host_signal(1) if timeline.counter() == 0 else Result.SUCCESS

    assert counter == 0, f"vkQueueWaitIdle returned {answer} only when a batch of another queue had ended"
    assert answer.is_success, f"vkQueueWaitIdle returned {answer}"
    assert released.is_success, f"vkSignalSemaphore returned {released}"


def climb(timeline, last):
    """Raise a timeline to 1, and so on to `last`, each after SOON."""
    for value in range(1, last + 1):
        time.sleep(SOON)
        timeline.host_signal(value)


@each_command
@each_idle
def test_idle_comes_after_the_last_of_several_batches(device, timeline, through, idle):
    """A wait for idle lasts until all batches are done, which end one after the other, each released by itself."""
    queue, done = queue_for(device, through), [device.semaphore(TIMELINE) for _ in range(3)]
    for value, one in enumerate(done, 1):
        queue.submit(waits=[(timeline, value)], signals=[(one, 1)], through=through)

    with ThreadPoolExecutor(1) as thread:
        climbing = thread.submit(climb, timeline, len(done))
        answer, counters = wait_idle(queue, idle), [one.counter() for one in done]
        climbing.result()

    assert answer.is_success, f"{idle} returned {answer}"
    assert counters == [1] * len(done), f"when {idle} returned, batches that end in turn had signaled {counters}"


@rule("SPEC-STATE-14")
def test_a_queue_is_idle_while_a_fence_of_it_is_pending_elsewhere(device, timeline):
    """vkQueueWaitIdle does not wait for the fence of the queue's last batch when that was reset and is used elsewhere."""
    vk, queue, other = device.vk, device.queue, second_queue(device)
    batch, waits = queue.submit(), batch_of(waits=[(timeline, 1)])
    batch.finishes()
    again = [vk.vkResetFences(device.handle, (batch.fence,)), vk.vkQueueSubmit(other.handle, (waits,), batch.fence)]
    assert all(one.is_success for one in again), f"a fence is reset and submitted again: {[*map(str, again)]}"

    with at_most(Timer(patience.seconds(), timeline.host_signal, (1,))):
        answer, counter = wait_idle(queue, "vkQueueWaitIdle"), timeline.counter()
    released = timeline.host_signal(1) if timeline.counter() == 0 else Result.SUCCESS

    assert counter == 0, f"vkQueueWaitIdle returned {answer} only when a batch of another queue had ended"
    assert answer.is_success, f"vkQueueWaitIdle returned {answer}"
    assert released.is_success, f"vkSignalSemaphore returned {released}"


@each_command
@each_idle
def test_idle_comes_after_a_batch_without_a_fence(device, timeline, through, idle):
    """A wait for idle lasts until a batch is done that nobody gave a fence."""
    queue, done = queue_for(device, through), device.semaphore(TIMELINE)
    batch = batch_of(waits=[(timeline, 1)], signals=[(done, 1)])
    submitted = getattr(device.vk, through)(queue.handle, (batch,), 0)
    assert submitted.is_success, f"{through} without a fence returned {submitted}"

    with raised(timeline):
        answer, counter = wait_idle(queue, idle), done.counter()

    assert answer.is_success, f"{idle} returned {answer}"
    assert counter == 1, (
        f"when {idle} returned, a batch without a fence that signals 1 had left the counter at {counter}"
    )
