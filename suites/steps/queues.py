"""The submission commands as parameters, and the queue to call them on."""

import pytest

from fixtures.testbed.devices import SPARSE, Device, Queue
from fixtures.vulkan.outcomes import unsupported

COMMANDS = ("vkQueueSubmit", "vkQueueSubmit2", "vkQueueBindSparse")
FAMILIES = range(8)

each_command = pytest.mark.parametrize("through", COMMANDS)
"""Each command that submits batches."""


def beside(device: Device) -> Queue:
    """Another queue than the device's first, or the first where it is the only one."""
    return next((queue for queue in device.queues if queue != device.queue), device.queue)


def second_queue(device: Device, first: Queue | None = None) -> Queue:
    """Another queue than `first`, by default the device's first; `unsupported` where there is none."""
    queue = next((queue for queue in device.queues if queue != (first or device.queue)), None)
    return queue or unsupported("the device has one queue: a wait for work on the same queue shows nothing")


def queue_of(device: Device, family: int) -> Queue:
    """The first queue of a family; `unsupported` where the device has no such family."""
    found = [queue for queue in device.queues if queue.family == family]
    return found[0] if found else unsupported(f"the device has no queue family {family}")


def queue_for(device: Device, through: str, beside: Queue | None = None) -> Queue:
    """A queue that `through` may be called on, other than `beside` if there is one; `unsupported` where none is."""
    found = device.queue_for(through) or unsupported(f"the device has no queue for {through}")
    if beside is None:
        return found
    needed = SPARSE if through == "vkQueueBindSparse" else 0
    return next((queue for queue in device.queues if queue != beside and queue.flags & needed == needed), found)
