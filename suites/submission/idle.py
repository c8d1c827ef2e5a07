"""Waiting for a queue or a device to be idle, as a parameter."""

import pytest

from fixtures.testbed.devices import Queue
from fixtures.vulkan.registry import Result
from suites.ledger import rule

each_idle = pytest.mark.parametrize(
    "idle",
    [
        pytest.param("vkQueueWaitIdle", marks=rule("SPEC-STATE-14")),
        pytest.param("vkDeviceWaitIdle", marks=rule("SPEC-STATE-15")),
    ],
)
"""What waits: for one queue, or for all queues of its device."""


def wait_idle(queue: Queue, idle: str) -> Result:
    """vkQueueWaitIdle of a queue, or vkDeviceWaitIdle of its device."""
    target = queue.handle if idle == "vkQueueWaitIdle" else queue.device.handle
    answer: Result = getattr(queue.device.vk, idle)(target)
    return answer
