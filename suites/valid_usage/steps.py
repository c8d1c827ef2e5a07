"""What the cases of several chapters do."""

from __future__ import annotations

from typing import Any

from fixtures.testbed.devices import Device, Queue, Submission
from fixtures.testbed.kinds import BINARY_OPAQUE, Kind
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.valid_usage.calls import need_claims


def second(device: Device, **wanted: Any) -> Device:
    """Another device of the same instance, closed when the test ends."""
    made = Device(device.instance, **wanted)
    device.later(made.close)
    return made


def created(device: Device, **wanted: Any) -> Result:
    """What vkCreateSemaphore returns; the semaphore is destroyed when the test ends."""
    answer, handle = device.vk.vkCreateSemaphore(device.handle, **wanted)
    if answer.is_success:
        device.later(device.vk.vkDestroySemaphore, device.handle, handle)
    return answer


def destroyed(device: Device) -> int:
    """The handle of a semaphore that is no more."""
    gone = device.semaphore()
    gone.destroy()
    return gone.handle


def payload(device: Device, kind: Kind = BINARY_OPAQUE) -> int:
    """A descriptor of a new semaphore for an import to take; no descriptor, but a number, over the mock driver."""
    need_claims(device, kind)
    if device.info.slug == "mock":
        return -1
    return device.semaphore(kind, export=True).exported().dup().fd


def submitted(queue: Queue, through: str = "vkQueueSubmit", **batch: Any) -> Submission:
    """A batch that has been submitted and is done."""
    submission = queue.submit(through=through, **batch)
    submission.end()
    return submission


def ended(submission: Submission) -> Result:
    """What the submission came to: what its command returned, or its fence said at the end."""
    return submission.end() if submission.result.is_success else submission.result


def queue_for(device: Device, through: str) -> Queue:
    """A queue for the submission command; unsupported where the device has none."""
    queue = device.queue_for(through)
    if queue is None:
        unsupported(f"the device has no queue for {through}")
    return queue


def two_queues(device: Device) -> tuple[Queue, Queue]:
    """Two queues for vkQueueSubmit, the first of them the device's first; unsupported where it has one."""
    if len(device.queues) < 2:
        unsupported("the device has one queue")
    return device.queues[0], device.queues[1]


def queues_for(device: Device, through: str) -> tuple[Queue, Queue]:
    """A queue for the submission command, and another one for vkQueueSubmit; unsupported where one is lacking."""
    first = queue_for(device, through)
    other = next((queue for queue in device.queues if queue != first), None)
    return first, other or unsupported("the device has one queue")
