"""What the recorded arguments of a command mean: the type and the name of each, and what the command gives.

A record has the arguments of the suite's own command table, which names no structures: their members are arguments. The types
are Vulkan's, and others where the table takes something else, such as `fd`, `ns`, `size` (in bytes) or `batch`. An argument with
a default may be missing; with `none` it is then as if it were no part of the command.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class Parameter(NamedTuple):
    """One argument; `default` is what it is where it is not there, as text; "" where it has to be there."""

    kind: str
    name: str
    default: str


class Signature(NamedTuple):
    """The parameters of a command, and the kind of what it gives, "" for nothing."""

    parameters: tuple[Parameter, ...]
    gives: str


ENUMERANTS: dict[str, dict[int, str]] = {
    "VkSemaphoreType": {0: "BINARY", 1: "TIMELINE"},
    "VkExternalSemaphoreHandleTypeFlagBits": {
        0x1: "OPAQUE_FD", 0x2: "OPAQUE_WIN32", 0x4: "OPAQUE_WIN32_KMT", 0x8: "D3D12_FENCE", 0x10: "SYNC_FD",
        0x80: "ZIRCON_EVENT_FUCHSIA",
    },
    "VkExternalFenceHandleTypeFlagBits": {0x1: "OPAQUE_FD", 0x2: "OPAQUE_WIN32", 0x4: "OPAQUE_WIN32_KMT", 0x8: "SYNC_FD"},
    "VkExternalMemoryHandleTypeFlagBits": {
        0x1: "OPAQUE_FD", 0x2: "OPAQUE_WIN32", 0x4: "OPAQUE_WIN32_KMT", 0x200: "DMA_BUF_EXT",
    },
    "VkSemaphoreImportFlagBits": {0x1: "TEMPORARY"},
    "VkFenceImportFlagBits": {0x1: "TEMPORARY"},
    "VkPipelineStageFlagBits2": {
        0x1000: "ALL_TRANSFER", 0x2000: "BOTTOM_OF_PIPE", 0x10000: "ALL_COMMANDS", 0x1_0000_0000: "COPY", 0x8_0000_0000: "CLEAR",
    },
}  # fmt: skip
"""The enumerants by their values, without the prefix and `_BIT`."""


@cache
def is_handle(kind: str) -> bool:
    """Whether a type is that of a Vulkan object."""
    return kind.startswith("Vk") and bits_of(kind) not in ENUMERANTS and not kind.endswith("[]")


@cache
def bits_of(kind: str) -> str:
    """The enumeration of a type whose values are bits of it: VkSomethingFlags has those of VkSomethingFlagBits."""
    return re.sub(r"Flags(\d?)$", r"FlagBits\1", kind)


_TEXT = """
vkCreateInstance(version apiVersion, names extensions = none, names layers = none, text messenger = none) -> VkInstance
vkDestroyInstance(VkInstance instance)
vkEnumerateInstanceVersion() -> version
vkEnumeratePhysicalDevices(VkInstance instance) -> VkPhysicalDevice
vkEnumerateDeviceExtensionProperties(VkPhysicalDevice physicalDevice)
vkGetInstanceProcAddr(VkInstance instance, text name)
vkGetDeviceProcAddr(VkDevice device, text name)
vkGetPhysicalDeviceProperties(VkPhysicalDevice physicalDevice) -> version
vkGetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice physicalDevice)
vkGetPhysicalDeviceMemoryProperties(VkPhysicalDevice physicalDevice)
vkGetPhysicalDeviceExternalSemaphoreProperties(VkPhysicalDevice physicalDevice,
    VkExternalSemaphoreHandleTypeFlagBits handleType, VkSemaphoreType semaphoreType = none)
vkCreateDevice(VkPhysicalDevice physicalDevice, names extensions, queue[] queues, names features = none) -> VkDevice
vkDestroyDevice(VkDevice device)
vkDeviceWaitIdle(VkDevice device)
vkGetDeviceQueue(VkDevice device, number queueFamilyIndex, number queueIndex) -> VkQueue
vkQueueWaitIdle(VkQueue queue)
vkQueueSubmit(VkQueue queue, batch[] batches, VkFence fence = 0)
vkQueueSubmit2(VkQueue queue, batch[] batches, VkFence fence = 0)
vkQueueBindSparse(VkQueue queue, batch[] batches, VkFence fence = 0)
vkCreateSemaphore(VkDevice device, VkExternalSemaphoreHandleTypeFlags export = none, VkSemaphoreType semaphoreType = none,
    number initialValue = 0, bool unknownFirst = none) -> VkSemaphore
vkDestroySemaphore(VkDevice device, VkSemaphore semaphore)
vkGetSemaphoreFdKHR(VkDevice device, VkSemaphore semaphore, VkExternalSemaphoreHandleTypeFlagBits handleType) -> fd
vkImportSemaphoreFdKHR(VkDevice device, VkSemaphore semaphore, VkExternalSemaphoreHandleTypeFlagBits handleType, fd fd,
    VkSemaphoreImportFlagBits flags = none)
vkGetSemaphoreCounterValue(VkDevice device, VkSemaphore semaphore) -> value
vkSignalSemaphore(VkDevice device, VkSemaphore semaphore, number value)
vkWaitSemaphores(VkDevice device, VkSemaphore[] semaphores, number[] values, ns timeout, bool waitAny = none)
vkCreateFence(VkDevice device, VkExternalFenceHandleTypeFlags export = none, bool signaled = none) -> VkFence
vkDestroyFence(VkDevice device, VkFence fence)
vkGetFenceStatus(VkDevice device, VkFence fence)
vkWaitForFences(VkDevice device, VkFence[] fences, ns timeout)
vkResetFences(VkDevice device, VkFence[] fences)
vkGetFenceFdKHR(VkDevice device, VkFence fence, VkExternalFenceHandleTypeFlagBits handleType) -> fd
vkImportFenceFdKHR(VkDevice device, VkFence fence, VkExternalFenceHandleTypeFlagBits handleType, fd fd,
    VkFenceImportFlagBits flags = none)
vkCreateBuffer(VkDevice device, size size, VkExternalMemoryHandleTypeFlags external = none) -> VkBuffer
vkDestroyBuffer(VkDevice device, VkBuffer buffer)
vkGetBufferMemoryRequirements(VkDevice device, VkBuffer buffer) -> memoryTypeBits
vkAllocateMemory(VkDevice device, size size, number memoryTypeIndex, VkExternalMemoryHandleTypeFlags export = none,
    imported imported = none, VkBuffer dedicated = 0) -> VkDeviceMemory
vkFreeMemory(VkDevice device, VkDeviceMemory memory)
vkGetMemoryFdKHR(VkDevice device, VkDeviceMemory memory, VkExternalMemoryHandleTypeFlagBits handleType) -> fd
vkBindBufferMemory(VkDevice device, VkBuffer buffer, VkDeviceMemory memory)
vkMapMemory(VkDevice device, VkDeviceMemory memory, size size)
vkUnmapMemory(VkDevice device, VkDeviceMemory memory)
vkCreateCommandPool(VkDevice device, number queueFamilyIndex) -> VkCommandPool
vkDestroyCommandPool(VkDevice device, VkCommandPool commandPool)
vkAllocateCommandBuffer(VkDevice device, VkCommandPool commandPool) -> VkCommandBuffer
vkBeginCommandBuffer(VkCommandBuffer commandBuffer)
vkEndCommandBuffer(VkCommandBuffer commandBuffer)
vkCmdFillBuffer(VkCommandBuffer commandBuffer, VkBuffer buffer, size size, number data)
vkCmdCopyBuffer(VkCommandBuffer commandBuffer, VkBuffer srcBuffer, VkBuffer dstBuffer, size size)
vkCmdPipelineBarrier(VkCommandBuffer commandBuffer, VkBuffer buffer, family srcQueueFamilyIndex, family dstQueueFamilyIndex)
vkCmdPipelineBarrierToPresent(VkCommandBuffer commandBuffer, VkImage image)
vkCreateHeadlessSurfaceEXT(VkInstance instance) -> VkSurfaceKHR
vkDestroySurfaceKHR(VkInstance instance, VkSurfaceKHR surface)
vkGetPhysicalDeviceSurfaceSupportKHR(VkPhysicalDevice physicalDevice, number queueFamilyIndex, VkSurfaceKHR surface)
vkCreateSwapchainKHR(VkPhysicalDevice physicalDevice, VkDevice device, VkSurfaceKHR surface,
    VkSwapchainKHR oldSwapchain = 0) -> VkSwapchainKHR
vkDestroySwapchainKHR(VkDevice device, VkSwapchainKHR swapchain)
vkGetSwapchainImagesKHR(VkDevice device, VkSwapchainKHR swapchain) -> VkImage
vkAcquireNextImageKHR(VkDevice device, VkSwapchainKHR swapchain, ns timeout, VkSemaphore semaphore,
    VkFence fence = 0) -> imageIndex
vkQueuePresentKHR(VkQueue queue, VkSwapchainKHR swapchain, number imageIndex, VkSemaphore[] waits = none,
    VkFence fence = 0, image[] others = none)
fill(VkCommandBuffer commandBuffer, VkBuffer buffer, size size, number repeats)
dup(fd fd) -> fd
close(fd fd)
is_open(fd fd) -> bool
closes_on_exec(fd fd) -> bool
same_file(fd one, fd other) -> bool
send_fd(fd fd)
receive_fd() -> fd
stranger(text kind) -> fd
file_of(base64 content) -> fd
kill(number pid, signal number)
stop(number pid)
continue(number pid)
at_stages(VkPipelineStageFlags2 waits, VkPipelineStageFlags2 signals)
fork(bool executes)
fill_table(number room)
posix_signals(text signal, number seconds)
swapchains(number count)
oldSwapchain(VkSwapchainKHR swapchain)
present_fence(VkFence fence)
warn(text what)
breach(text rule, text command, text what)
"""


def _parameter(text: str) -> Parameter:
    declared, _, default = text.partition(" = ")
    kind, name = declared.split()
    return Parameter(kind, name, default)


def _read(text: str) -> dict[str, Signature]:
    found = re.findall(r"^(\w+)\(([^)]*)\)(?: -> (\w+))?$", text, re.MULTILINE)
    return {
        name: Signature(tuple(map(_parameter, filter(None, re.split(r",\s+", parameters)))), gives)
        for name, parameters, gives in found
    }


SIGNATURES = _read(_TEXT)
"""The signature of each command, and of each step of the suite with arguments that need a name."""

UNKNOWN = Signature((), "")
"""The signature of other commands: nothing is known of their arguments."""
