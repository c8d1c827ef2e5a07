"""Device groups: a submission that names a device for each of its semaphores."""

from collections.abc import Callable
from typing import Any

from fixtures.testbed.devices import Device
from fixtures.vulkan.registry import Result
from suites.valid_usage.calls import need_structures, submit_to_group
from suites.valid_usage.cases import Case

GROUP = "VkDeviceGroupSubmitInfo"
BEYOND = 1


def submit(**members: int) -> Callable[[Device], Result]:
    """A batch that waits and signals once, with these members of its VkDeviceGroupSubmitInfo changed."""

    def call(device: Device) -> Any:
        need_structures(device)
        made = submit_to_group(device)
        for name, value in members.items():
            setattr(made.structures[GROUP], name, value)
        return made.make()

    return call


def wait_on(index: int) -> Callable[[Device], Result]:
    """A batch that waits on the device with this index; a device that is no group has 0 alone."""

    def call(device: Device) -> Any:
        need_structures(device)
        made = submit_to_group(device)
        made.structures[GROUP].pWaitSemaphoreDeviceIndices = indices = device.vk.ffi.new("uint32_t[]", [index])
        made.kept.append(indices)
        return made.make()

    return call


CASES = [
    Case(f"VUID-{GROUP}-waitSemaphoreCount-00082", submit(waitSemaphoreCount=0), submit()),
    Case(f"VUID-{GROUP}-signalSemaphoreCount-00084", submit(signalSemaphoreCount=0), submit()),
    Case(f"VUID-{GROUP}-pWaitSemaphoreDeviceIndices-00085", wait_on(BEYOND), wait_on(0)),
]
