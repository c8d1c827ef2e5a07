"""Timelines on the host: reading, waiting for and raising a counter."""

from collections.abc import Callable

from fixtures.testbed.devices import Device
from fixtures.vulkan.registry import Result
from suites.valid_usage.calls import timeline
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import second

FAR = 2**64 - 1


def read(device: Device) -> Result:
    """The counter of a timeline."""
    return device.vk.vkGetSemaphoreCounterValue(device.handle, timeline(device).handle)[0]


def read_binary(device: Device) -> Result:
    """The counter that a binary semaphore does not have."""
    return device.vk.vkGetSemaphoreCounterValue(device.handle, device.semaphore().handle)[0]


def read_of_another(device: Device) -> Result:
    """The counter of another device's timeline."""
    return device.vk.vkGetSemaphoreCounterValue(device.handle, timeline(second(device)).handle)[0]


def raise_to(value: int) -> Callable[[Device], Result]:
    """A timeline at 0 to `value`."""
    return lambda device: timeline(device).host_signal(value)


def raise_beside(value: int) -> Callable[[Device], Result]:
    """A timeline to `value` while a batch that raises it to 5 waits for another timeline."""

    def rise(device: Device) -> Result:
        gate, counter = timeline(device), timeline(device)
        device.queue.submit(waits=[(gate, 1)], signals=[(counter, 5)])
        answer = counter.host_signal(value)
        gate.host_signal(1)
        return answer

    return rise


CASES = [
    Case("VUID-vkGetSemaphoreCounterValue-semaphore-parent", read_of_another, read),
    Case("VUID-vkGetSemaphoreCounterValue-semaphore-03255", read_binary, read),
    Case(
        "VUID-VkSemaphoreWaitInfo-pSemaphores-03256",
        lambda device: device.semaphore().host_wait(0, 0),
        lambda device: timeline(device).host_wait(0, 0),
    ),
    Case(
        "VUID-VkSemaphoreSignalInfo-semaphore-03257",
        lambda device: device.semaphore().host_signal(1),
        raise_to(1),
        over="driver",
    ),
    Case("VUID-VkSemaphoreSignalInfo-value-03258", raise_to(0), raise_to(1), over="driver"),
    Case(
        "VUID-VkSemaphoreSignalInfo-value-03259",
        raise_beside(5),
        raise_beside(4),
        over="driver",
        breach_over="driver",
    ),
    Case("VUID-VkSemaphoreSignalInfo-value-03260", raise_to(FAR), raise_to(1), over="driver"),
]
