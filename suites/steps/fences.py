"""Fences that neighbours of semaphores are: those that take and give SYNC_FDs."""

from __future__ import annotations

from fixtures.testbed.devices import Device
from fixtures.vulkan.outcomes import Broken, declined, unsupported
from fixtures.vulkan.registry import FenceHandleType


def fence_that_exports(device: Device) -> int:
    """A fence that can be exported as SYNC_FD; `unsupported` where the device does not claim it."""
    vk = device.vk
    wanted = int(FenceHandleType.SYNC_FD)
    if "VK_KHR_external_fence_fd" not in device.info.extensions:
        unsupported("SYNC_FD of fences: VK_KHR_external_fence_fd is not offered")
    info = vk.new("VkPhysicalDeviceExternalFenceInfo", handleType=wanted)
    name = "vkGetPhysicalDeviceExternalFenceProperties"
    found = vk.query_chain(device.instance.physical, name, "VkExternalFenceProperties", (), info=info)[0]
    if found.externalFenceFeatures & 3 != 3:
        declined("SYNC_FD of fences: not exportable and importable")
    answer, fence = vk.vkCreateFence(device.handle, wanted)
    if not answer.is_success:
        raise Broken(f"vkCreateFence returned {answer} for a handle type that the device claims (SPEC-HANDLE-11)")
    device.later(vk.vkDestroyFence, device.handle, fence)
    return int(fence)
