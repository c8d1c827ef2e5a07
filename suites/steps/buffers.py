"""Buffers in memory that two devices share, and buffers that the host reads; only semaphores order the accesses.

Every call has to succeed on a device that claims OPAQUE_FD memory, so a failure raises `Broken`, naming SPEC-SHARE-10.
"""

from dataclasses import dataclass

from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import Device, Submission
from fixtures.testbed.gates import run_work
from fixtures.testbed.instances import need
from fixtures.vulkan.outcomes import declined, too_late
from suites.steps.signals import at

OPAQUE = 1
EXTERNAL = 0xFFFFFFFE
HOST_VISIBLE_AND_COHERENT = 2 | 4
RULE = "SPEC-SHARE-10"


@dataclass(frozen=True)
class Buffer:
    """A VkBuffer bound to its memory; `bytes` is the mapped content where the host sees it."""

    device: Device
    handle: int
    memory: int
    size: int
    bytes: object = None


def check_claim(device):
    """`unsupported` unless the device exports and imports OPAQUE_FD memory of transfer buffers."""
    info = device.vk.new("VkPhysicalDeviceExternalBufferInfo", usage=0x3, handleType=OPAQUE)
    name = "vkGetPhysicalDeviceExternalBufferProperties"
    found = device.vk.query_chain(device.instance.physical, name, "VkExternalBufferProperties", (), info=info)[0]
    features = found.externalMemoryProperties.externalMemoryFeatures
    if features & 6 != 6 or "VK_KHR_external_memory_fd" not in device.info.extensions:
        declined("OPAQUE_FD of memory: not exportable and importable")


def make(device, size, flags=0, external=None, imported=None):
    """A buffer on memory with the property `flags`, exportable (`external`) or `imported` from a descriptor."""
    vk = device.vk
    answer, handle = vk.vkCreateBuffer(device.handle, size, external)
    need(answer, "vkCreateBuffer", RULE)
    device.later(vk.vkDestroyBuffer, device.handle, handle)
    needed, allowed = vk.vkGetBufferMemoryRequirements(device.handle, handle)
    types = vk.vkGetPhysicalDeviceMemoryProperties(device.instance.physical)
    chosen = next(i for i, (have, _) in enumerate(types) if allowed >> i & 1 and have & flags == flags)
    export = external if imported is None else None
    taken = None if imported is None else (OPAQUE, imported.fd)
    dedicated = handle if external else 0
    answer, memory = vk.vkAllocateMemory(device.handle, needed, chosen, export, taken, dedicated)
    need(answer, "vkAllocateMemory", RULE)
    if imported is not None:
        vk.disown(imported.fd)
    device.later(vk.vkFreeMemory, device.handle, memory)
    need(vk.vkBindBufferMemory(device.handle, handle, memory), "vkBindBufferMemory", RULE)
    content = None
    if flags & HOST_VISIBLE_AND_COHERENT:
        answer, content = vk.vkMapMemory(device.handle, memory, size)
        need(answer, "vkMapMemory", RULE)
    return Buffer(device, handle, memory, size, content)


def allocated(buffer):
    """The size of the allocation behind a buffer, in bytes."""
    return buffer.device.vk.vkGetBufferMemoryRequirements(buffer.device.handle, buffer.handle)[0]


def export(buffer):
    """The descriptor of a buffer's memory."""
    answer, fd = buffer.device.vk.vkGetMemoryFdKHR(buffer.device.handle, buffer.memory, OPAQUE)
    need(answer, "vkGetMemoryFdKHR", RULE)
    return Descriptor(fd, buffer.device.vk, "memory descriptor")


def record(device, *steps, family=None):
    """A command buffer recorded by the steps, each a function that takes it, for the device's queue or another `family`."""
    vk = device.vk
    answer, pool = vk.vkCreateCommandPool(device.handle, device.queue.family if family is None else family)
    need(answer, "vkCreateCommandPool", RULE)
    device.later(vk.vkDestroyCommandPool, device.handle, pool)
    answer, command = vk.vkAllocateCommandBuffer(device.handle, pool)
    need(answer, "vkAllocateCommandBuffers", RULE)
    need(vk.vkBeginCommandBuffer(command), "vkBeginCommandBuffer", RULE)
    for step in steps:
        step(command)
    need(vk.vkEndCommandBuffer(command), "vkEndCommandBuffer", RULE)
    return command


def fills(seen, words, family):
    """Commands that fill a host-visible buffer with each of the words, for a queue of the family."""
    vk, same = seen.device.vk, 0xFFFFFFFF
    steps = []
    for word in words:
        steps += [
            lambda c, word=word: vk.vkCmdFillBuffer(c, seen.handle, seen.size, word),
            lambda c: vk.vkCmdPipelineBarrier(c, seen.handle, same, same),
        ]
    return record(seen.device, *steps, family=family)


def write(shared, word):
    """Commands that acquire the shared buffer, fill it with `word` and release it to the external queue family."""
    vk, family = shared.device.vk, shared.device.queue.family
    return record(
        shared.device,
        lambda c: vk.vkCmdFillBuffer(c, shared.handle, shared.size, word),
        lambda c: vk.vkCmdPipelineBarrier(c, shared.handle, family, EXTERNAL),
    )


def read(shared, seen):
    """Commands that acquire the shared buffer and copy it to a host-visible one."""
    vk, family = shared.device.vk, shared.device.queue.family
    same = 0xFFFFFFFF
    return record(
        shared.device,
        lambda c: vk.vkCmdPipelineBarrier(c, shared.handle, EXTERNAL, family),
        lambda c: vk.vkCmdCopyBuffer(c, shared.handle, seen.handle, shared.size),
        lambda c: vk.vkCmdPipelineBarrier(c, seen.handle, same, same),
    )


def hand_over(shared, kind, word, behind_work, apart=False):
    """Submit a write of `word` and a signal, and export that; returns the descriptor; `unsupported` where it is -1.

    The signal is in the batch that writes, or `apart` in a later one without commands.
    """
    device = shared.device
    semaphore = device.semaphore(kind, export=True)
    if behind_work:
        run_work(device)
    signals = [at(semaphore)]
    device.queue.submit(commands=[write(shared, word)], signals=[] if apart else signals)
    if apart:
        device.queue.submit(signals=signals)
    descriptor = semaphore.exported()
    return too_late("the driver returned -1: there is no descriptor") if descriptor.fd == -1 else descriptor


def take_over(shared, seen, kind, descriptor, temporary) -> Submission:
    """Import the signal, and after a wait for it copy the shared buffer to `seen`; returns the submission."""
    semaphore = shared.device.semaphore(kind).imports(descriptor, temporary)
    return shared.device.queue.submit(waits=[at(semaphore)], commands=[read(shared, seen)])
