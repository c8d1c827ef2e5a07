"""The stages at which semaphores wait and signal: each needs the feature that it belongs to, and a queue that has it."""

from collections.abc import Callable
from typing import Any

from fixtures.testbed.devices import GRAPHICS, WANTED, WORKING, Device
from fixtures.vulkan.batches import ALL_COMMANDS
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.valid_usage import calls
from suites.valid_usage.calls import Call, need_structures
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import second

Make = Callable[[Device, int], Call]
"""Makes a submission at a stage."""
SUBMIT, SUBMIT2 = "VkSubmitInfo-pWaitDstStageMask", "VkSemaphoreSubmitInfo-stageMask"
VERTEX_SHADER, HOST = 0x8, 0x4000
STRUCTURES = "VK_KHR_acceleration_structure VK_KHR_deferred_host_operations"
RAYS = f"VK_KHR_ray_tracing_pipeline {STRUCTURES}"
STAGES = [
    (0x10, "", ("04091", "03930")),  # tessellation control shader
    (0x40, "", ("04090", "03929")),  # geometry shader
    (0x40000, "VK_EXT_conditional_rendering", ("04092", "03931")),
    (0x80000, "VK_EXT_mesh_shader", ("04096", "03935")),  # task shader
    (0x100000, "VK_EXT_mesh_shader", ("04095", "03934")),
    (0x200000, RAYS, ("07949", "07946")),
    (0x400000, "VK_KHR_fragment_shading_rate", ("07318", "07316")),
    (0x800000, "VK_EXT_fragment_density_map", ("04093", "03932")),
    (0x1000000, "VK_EXT_transform_feedback", ("04094", "03933")),
    (0x2000000, STRUCTURES, ("10754", "10751")),  # their build
    (0x10000000, f"VK_KHR_ray_tracing_maintenance1 {STRUCTURES}", ("", "10752")),  # their copy
    (0x40000000, f"VK_EXT_opacity_micromap {STRUCTURES}", ("", "11541")),
    (0x8000000000, "VK_HUAWEI_subpass_shading", ("", "04957")),
    (0x10000000000, f"VK_HUAWEI_invocation_mask {RAYS}", ("", "04995")),
]
"""A stage, the extensions that bring it, and the ends of the ids for vkQueueSubmit and vkQueueSubmit2."""


def wait(device: Device, stage: int) -> Call:
    """vkQueueSubmit with a wait at this stage."""
    made = calls.submit(device)
    made.structures["VkSubmitInfo"].pWaitDstStageMask = stages = device.vk.ffi.new("uint32_t[]", [stage])
    made.kept.append(stages)
    return made


def wait2(device: Device, stage: int) -> Call:
    """vkQueueSubmit2 with a wait at this stage."""
    made = calls.submit2(device)
    made.structures["VkSubmitInfo2"].pWaitSemaphoreInfos.stageMask = stage
    return made


def signal2(device: Device, stage: int) -> Call:
    """vkQueueSubmit2 with a signal at this stage."""
    made = calls.submit2(device)
    made.structures["VkSubmitInfo2"].pSignalSemaphoreInfos.stageMask = stage
    return made


def at(stage: int, make: Make) -> Callable[[Device], Result]:
    """A submission at this stage."""

    def call(device: Device) -> Any:
        need_structures(device)
        return make(device, stage).make()

    return call


def with_extensions(stage: int, make: Make, extensions: str) -> Callable[[Device], Result]:
    """The same on a device that has these extensions enabled, and none of their features."""

    def call(device: Device) -> Any:
        return at(stage, make)(second(device, extensions=(*WANTED, *extensions.split())))

    return call


def on_queue(graphics: bool, make: Make) -> Callable[[Device], Result]:
    """A submission at a stage of graphics, to a queue that has them or to one that has not."""

    def call(device: Device) -> Any:
        need_structures(device)
        queue = next(
            (one for one in device.queues if one.flags & WORKING and bool(one.flags & GRAPHICS) == graphics), None
        )
        if queue is None:
            unsupported(f"the device has no queue {'with' if graphics else 'without'} graphics")
        made = make(device, VERTEX_SHADER)
        made.target = device.vk.handle("VkQueue", queue.handle)
        return made.make()

    return call


def without_synchronization2(stage: int) -> Callable[[Device], Result]:
    """vkQueueSubmit with a wait at this stage, on a device that has no stage NONE."""

    def call(device: Device) -> Result:
        return at(stage, wait)(second(device, features=("timelineSemaphore",) * device.info.timeline))

    return call


CASES = [
    *(
        Case(f"VUID-{prefix}-{ends[i]}", with_extensions(stage, make, extensions), at(ALL_COMMANDS, make))
        for stage, extensions, ends in STAGES
        for i, (prefix, make) in enumerate(((SUBMIT, wait), (SUBMIT2, wait2)))
        if ends[i]
    ),
    Case(f"VUID-{SUBMIT}-03937", without_synchronization2(0), without_synchronization2(ALL_COMMANDS)),
    Case(f"VUID-{SUBMIT}-00078", at(HOST, wait), at(ALL_COMMANDS, wait)),
    Case("VUID-vkQueueSubmit-pWaitDstStageMask-00066", on_queue(False, wait), on_queue(True, wait)),
    Case("VUID-vkQueueSubmit2-stageMask-03869", on_queue(False, signal2), on_queue(True, signal2)),
    Case("VUID-vkQueueSubmit2-stageMask-03870", on_queue(False, wait2), on_queue(True, wait2)),
]
