"""A buffer that two devices see: one fills it, the other reads it, and only semaphores keep them apart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from fixtures.devices import Device, need
from fixtures.outcomes import unsupported

SIZE = 1 << 20
WORDS = SIZE // 4
_OPAQUE = 0x1  # VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT
_DEDICATED_ONLY, _EXPORTABLE, _IMPORTABLE = 1, 2, 4
_OUTSIDE, _IGNORED = 2**32 - 2, 2**32 - 1  # VK_QUEUE_FAMILY_EXTERNAL, VK_QUEUE_FAMILY_IGNORED
_HOST_VISIBLE_AND_COHERENT = 0x2 | 0x4


@dataclass(frozen=True)
class Shared:
    """The two ends of one memory: `written` a buffer on `writer`, `read` one on `reader`, `seen` what the host reads."""

    writer: Device
    reader: Device
    written: int
    read: int
    copy: int
    seen: Any

    def filling(self, word: int) -> int:
        """A command buffer of the writer that fills its buffer with `word` and gives it away."""
        vk, command = self.writer.vk, _begin(self.writer)
        vk.table.vkCmdFillBuffer(command, self.written, SIZE, word)
        vk.table.vkCmdPipelineBarrier(command, self.written, self.writer.queue.family, _OUTSIDE)
        return _end(self.writer, command)

    def reading(self) -> int:
        """A command buffer of the reader that takes its buffer over and copies it to where the host sees it."""
        vk, command = self.reader.vk, _begin(self.reader)
        vk.table.vkCmdPipelineBarrier(command, self.read, _OUTSIDE, self.reader.queue.family)
        vk.table.vkCmdCopyBuffer(command, self.read, self.copy, SIZE)
        vk.table.vkCmdPipelineBarrier(command, self.copy, _IGNORED, _IGNORED)
        return _end(self.reader, command)

    def words(self) -> set[int]:
        """The different words that the host sees now."""
        return set(memoryview(bytes(self.seen)).cast("I"))


def share(writer: Device, reader: Device) -> Shared:
    """Memory of `writer` that is imported into `reader`; `unsupported` where buffers cannot be shared by OPAQUE_FD."""
    vk, dedicated = writer.vk, _needs_dedicated(writer)
    written = _buffer(writer, _OPAQUE)
    size, kinds = vk.vkGetBufferMemoryRequirements(writer.handle, written)
    kind = (kinds & -kinds).bit_length() - 1
    answer, memory = vk.vkAllocateMemory(writer.handle, size, kind, _OPAQUE, None, written if dedicated else 0)
    need(answer, "vkAllocateMemory", "SPEC-FUND-09")
    _bind(writer, written, memory)
    answer, fd = vk.vkGetMemoryFdKHR(writer.handle, memory, _OPAQUE)
    need(answer, "vkGetMemoryFdKHR", "SPEC-FUND-09")

    read = _buffer(reader, _OPAQUE)
    answer, memory = reader.vk.vkAllocateMemory(
        reader.handle, size, kind, None, (_OPAQUE, fd), read if dedicated else 0
    )
    if not answer.is_success:
        os.close(fd)
    need(answer, "vkAllocateMemory with VkImportMemoryFdInfoKHR", "SPEC-FUND-09")
    _bind(reader, read, memory)
    copy, seen = _visible(reader)
    return Shared(writer, reader, written, read, copy, seen)


def _needs_dedicated(device: Device) -> bool:
    if "VK_KHR_external_memory_fd" not in device.info.extensions:
        unsupported("the device has no VK_KHR_external_memory_fd to share a buffer with")
    vk = device.vk
    info = vk.table.new("VkPhysicalDeviceExternalBufferInfo", usage=0x3, handleType=_OPAQUE)
    name = "vkGetPhysicalDeviceExternalBufferProperties"
    (found,) = vk.query_chain(device.instance.physical, name, "VkExternalBufferProperties", (), info=info)
    features = found.externalMemoryProperties.externalMemoryFeatures
    if ~features & (_EXPORTABLE | _IMPORTABLE):
        unsupported("the device does not claim to export and import the memory of buffers as OPAQUE_FD")
    return bool(features & _DEDICATED_ONLY)


def _visible(device: Device) -> tuple[int, Any]:
    """A buffer that the host sees, and its bytes."""
    vk, buffer = device.vk, _buffer(device, None)
    size, kinds = vk.vkGetBufferMemoryRequirements(device.handle, buffer)
    properties = vk.vkGetPhysicalDeviceMemoryProperties(device.instance.physical)
    wanted = _HOST_VISIBLE_AND_COHERENT
    kind = next(i for i, (flags, _) in enumerate(properties) if kinds >> i & 1 and flags & wanted == wanted)
    answer, memory = vk.vkAllocateMemory(device.handle, size, kind)
    need(answer, "vkAllocateMemory", "SPEC-FUND-09")
    _bind(device, buffer, memory)
    answer, seen = vk.vkMapMemory(device.handle, memory, SIZE)
    need(answer, "vkMapMemory", "SPEC-FUND-09")
    return buffer, seen


def _buffer(device: Device, external: int | None) -> int:
    answer, buffer = device.vk.vkCreateBuffer(device.handle, SIZE, external)
    need(answer, "vkCreateBuffer", "SPEC-FUND-09")
    return int(buffer)


def _bind(device: Device, buffer: int, memory: int) -> None:
    """Bind, and see to it that the buffer goes first, then the memory."""
    need(device.vk.vkBindBufferMemory(device.handle, buffer, memory), "vkBindBufferMemory", "SPEC-FUND-09")
    device.later(device.vk.vkFreeMemory, device.handle, memory)
    device.later(device.vk.vkDestroyBuffer, device.handle, buffer)


def _begin(device: Device) -> int:
    answer, pool = device.vk.vkCreateCommandPool(device.handle, device.queue.family)
    need(answer, "vkCreateCommandPool", "SPEC-FUND-09")
    device.later(device.vk.vkDestroyCommandPool, device.handle, pool)
    answer, command = device.vk.vkAllocateCommandBuffer(device.handle, pool)
    need(answer, "vkAllocateCommandBuffers", "SPEC-FUND-09")
    need(device.vk.vkBeginCommandBuffer(command), "vkBeginCommandBuffer", "SPEC-FUND-09")
    return int(command)


def _end(device: Device, command: int) -> int:
    need(device.vk.vkEndCommandBuffer(command), "vkEndCommandBuffer", "SPEC-FUND-09")
    return command
