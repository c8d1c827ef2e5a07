"""Waiting for a queue or a device to be idle: it lasts until all that was submitted is done, and no longer."""

from contextlib import contextmanager
from threading import Timer

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, recorded_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.payloads import pending
from suites.steps.queues import COMMANDS, each_command, queue_for, second_queue
from suites.steps.signals import at, is_copy
from suites.steps.timelines import each_handle, two_handles

pytestmark = pytest.mark.isolated
SOON = 0.02
"""Seconds until another thread raises a timeline: the wait for idle has begun by then."""
LATE = 0.3
"""The same, longer than a time limit that a driver might have."""

each_idle = pytest.mark.parametrize(
    "idle",
    [
        pytest.param("vkQueueWaitIdle", marks=rule("SPEC-STATE-14")),
        pytest.param("vkDeviceWaitIdle", marks=rule("SPEC-STATE-15")),
    ],
)
"""What waits: for one queue, or for all queues of its device."""


def wait_idle(queue, idle):
    """vkQueueWaitIdle of a queue, or vkDeviceWaitIdle of its device."""
    target = queue.handle if idle == "vkQueueWaitIdle" else queue.device.handle
    return getattr(queue.device.vk, idle)(target)


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
def test_idle_comes_after_a_batch_that_waits_for_an_imported_payload(device, open_device, kind, idle):
    """A wait for idle lasts while a batch waits for a payload that another device signals behind its work."""
    exporting = open_device()

    def arrange(factor):
        gate, _, descriptor = pending(exporting, kind, factor)
        importer = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
        device.queue.submit(waits=[at(importer)])
        return gate, lambda: wait_idle(device.queue, idle).is_success

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


@rule("SPEC-STATE-14")
def test_a_queue_is_idle_while_another_one_waits(device, timeline):
    """vkQueueWaitIdle returns when the queue's own batches are done, although another queue waits for the host."""
    queue, other = device.queue, second_queue(device)
    other.submit(waits=[(timeline, 1)])
    queue.submit()
    rescue = Timer(patience.seconds(), timeline.host_signal, (1,))

    rescue.start()
    answer, counter = wait_idle(queue, "vkQueueWaitIdle"), timeline.counter()
    rescue.cancel()
    rescue.join()
    released = timeline.host_signal(1) if timeline.counter() == 0 else Result.SUCCESS

    assert counter == 0, f"vkQueueWaitIdle returned {answer} only when a batch of another queue had ended"
    assert answer.is_success, f"vkQueueWaitIdle returned {answer}"
    assert released.is_success, f"vkSignalSemaphore returned {released}"
