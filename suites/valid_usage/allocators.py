"""An allocator of the application's, for what may be destroyed with the allocator that made it only."""

from __future__ import annotations

from typing import Any

from fixtures.testbed.devices import Device
from fixtures.testbed.instances import need
from fixtures.vulkan.registry import result
from suites.valid_usage.calls import need_structures

_KINDS = {
    "pfnAllocation": "void *(void *, size_t, size_t, VkSystemAllocationScope)",
    "pfnReallocation": "void *(void *, void *, size_t, size_t, VkSystemAllocationScope)",
    "pfnFree": "void(void *, void *)",
}
_OBJECT = 1  # VK_SYSTEM_ALLOCATION_SCOPE_OBJECT; below it only that of a command
_made: dict[Any, Any] = {}


def allocator(ffi: Any) -> Any:
    """VkAllocationCallbacks on memory of Python's."""
    if ffi not in _made:
        blocks: dict[int, tuple[Any, int, int]] = {}

        def allocate(user: Any, size: int, alignment: int, scope: int) -> Any:
            block = ffi.new("char[]", size + alignment)
            address = -int(ffi.cast("uintptr_t", block)) // alignment * -alignment
            blocks[address] = block, size, scope
            return ffi.cast("void *", address)

        def reallocate(user: Any, old: Any, size: int, alignment: int, scope: int) -> Any:
            new = allocate(user, size, alignment, scope)
            if old != ffi.NULL:
                ffi.memmove(new, old, min(size, blocks[int(ffi.cast("uintptr_t", old))][1]))
                free(user, old)
            return new

        def free(user: Any, memory: Any) -> None:
            blocks.pop(int(ffi.cast("uintptr_t", memory)), None)

        functions = {"pfnAllocation": allocate, "pfnReallocation": reallocate, "pfnFree": free}
        kept = {name: ffi.callback(_KINDS[name], function) for name, function in functions.items()}
        _made[ffi] = ffi.new("VkAllocationCallbacks *", kept), blocks, kept
    return _made[ffi][0]


def blocks_of_objects(ffi: Any) -> int:
    """How many of the allocator's blocks are there that live no longer than an object ("Host Memory", scopes)."""
    allocator(ffi)
    return sum(scope <= _OBJECT for _, _, scope in _made[ffi][1].values())


def create_by(device: Device, by: bool) -> int:
    """vkCreateSemaphore with the allocator, or without; what destroys it is up to the caller."""
    need_structures(device)
    vk = device.vk
    made, info = vk.ffi.new("VkSemaphore *"), vk.new("VkSemaphoreCreateInfo")
    create = vk.of_device(device.handle, "vkCreateSemaphore")
    answer = create(vk.handle("VkDevice", device.handle), info, allocator(vk.ffi) if by else vk.ffi.NULL, made)
    need(result(int(answer)), "vkCreateSemaphore", "SPEC-RESULT-03")
    return int(vk.number(made[0]))


def destroy_by(device: Device, semaphore: int, by: bool) -> None:
    """vkDestroySemaphore with the allocator, or without."""
    vk = device.vk
    destroy = vk.of_device(device.handle, "vkDestroySemaphore")
    handles = vk.handle("VkDevice", device.handle), vk.handle("VkSemaphore", semaphore)
    destroy(*handles, allocator(vk.ffi) if by else vk.ffi.NULL)
