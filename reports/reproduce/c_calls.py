"""Writes the recorded calls in C: one writer per command takes the recorded arguments and returns the text of the call.

`it` (`Names`) has the variables for recorded numbers: handles, descriptors, and what the call makes. The parameters are
those of the suite's own command table; `records.signatures` has their types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reports.records.signatures import ENUMERANTS, SIGNATURES, bits_of, is_handle
from reports.reproduce.c_text import NULL, Names, Writer, array, chained, fields, handles, struct, texts


def _value(it: Names, kind: str, given: Any) -> Any:
    """An argument by the kind of its parameter: a handle or an array of them, a descriptor, bits, or a number."""
    if kind.endswith("[]"):
        return handles(it, kind[:-2], given)
    if is_handle(kind):
        return it.use(kind, given)
    return it.fd(given) if kind == "fd" else hex(given) if bits_of(kind) in ENUMERANTS else int(given)


def _plain(name: str, after: str = "") -> Writer:
    """A device's command with the recorded arguments, then `after`, then the address of what it makes."""
    (_, *parameters), gives = SIGNATURES[f"vk{name}"]

    def write(it: Names, device: int, *given: Any) -> str:
        values = [_value(it, one.kind, value) for one, value in zip(parameters, given, strict=False)]
        return _on(it.use("VkDevice", device), name, *values, *([after] * bool(after)), *_made(it, gives))

    return write


def _told(name: str, info: str, allocator: bool = False) -> Writer:
    """A device's command with the recorded arguments as the members of the structure `info`, which have their names."""
    (_, *parameters), gives = SIGNATURES[f"vk{name}"]

    def write(it: Names, device: int, *given: Any) -> str:
        members = {one.name: _value(it, one.kind, value) for one, value in zip(parameters, given, strict=False)}
        extra = [NULL] * allocator
        return _on(it.use("VkDevice", device), name, struct(info, **members), *extra, *_made(it, gives))

    return write


def _made(it: Names, kind: str) -> list[str]:
    if kind == "fd":
        return [f"&{it.make('int')}"]
    return [f"&{it.make(kind)}"] if is_handle(kind) else []


def _on(parent: str, name: str, *arguments: Any, device: str = "") -> str:
    return f"VK({device or parent}, {name})({', '.join(map(str, (parent, *arguments)))})"


def _queue(it: Names, queue: int, name: str, *arguments: Any) -> str:
    return _on(it.use("VkQueue", queue), name, *arguments, device=it.device_of(queue))


def _record(it: Names, command: int, name: str, *arguments: Any) -> str:
    return _on(it.use("VkCommandBuffer", command), name, *arguments, device=it.device_of(command))


def _create_instance(it: Names, version: int, extensions: Sequence[str] = (), layers: Sequence[str] = ()) -> str:
    version_text = f"VK_MAKE_API_VERSION(0, {version >> 22}, {version >> 12 & 1023}, 0)"
    info = struct(
        "VkInstanceCreateInfo",
        pApplicationInfo=struct("VkApplicationInfo", apiVersion=version_text),
        enabledLayerCount=len(layers),
        ppEnabledLayerNames=texts(layers),
        enabledExtensionCount=len(extensions),
        ppEnabledExtensionNames=texts(extensions),
    )
    return f"vkCreateInstance({info}, NULL, &{it.make('VkInstance')})"


def _create_device(
    it: Names, physical: int, extensions: Sequence[str], queues: Sequence[tuple[int, int]], features: Sequence[str] = ()
) -> str:
    ones = array("float", [1] * max((count for _, count in queues), default=1))
    kind = "VkDeviceQueueCreateInfo"
    infos = [fields(kind, {"queueFamilyIndex": f, "queueCount": n, "pQueuePriorities": ones}) for f, n in queues]
    sparse = "&(VkPhysicalDeviceFeatures){.sparseBinding = VK_TRUE}" if "sparseBinding" in features else NULL
    info = struct(
        "VkDeviceCreateInfo",
        pNext=chained([(kind, {name: "VK_TRUE"}) for name, kind in _FEATURES.items() if name in features]),
        queueCreateInfoCount=len(queues),
        pQueueCreateInfos=array(kind, infos),
        enabledExtensionCount=len(extensions),
        ppEnabledExtensionNames=texts(extensions),
        pEnabledFeatures=sparse,
    )
    return f"vkCreateDevice({it.use('VkPhysicalDevice', physical)}, {info}, NULL, &{it.make('VkDevice')})"


_FEATURES = {
    "timelineSemaphore": "VkPhysicalDeviceTimelineSemaphoreFeatures",
    "synchronization2": "VkPhysicalDeviceSynchronization2Features",
}


def _submit(name: str, kind: str) -> Writer:
    def write(it: Names, queue: int, batches: Sequence[Any], fence: int = 0) -> str:
        infos = [_batch(it, kind, *batch) for batch in batches]
        return _queue(it, queue, name, len(infos), array(kind, infos), it.use("VkFence", fence))

    return write


def _batch(
    it: Names, kind: str, waits: Sequence[int], commands: Sequence[int], signals: Sequence[int],
    wait_values: Sequence[int] | None = None, signal_values: Sequence[int] | None = None,
) -> str:  # fmt: skip
    if kind == "VkSubmitInfo2":
        return _batch2(it, waits, commands, signals, wait_values, signal_values)
    values = struct(
        "VkTimelineSemaphoreSubmitInfo",
        waitSemaphoreValueCount=len(wait_values or ()),
        pWaitSemaphoreValues=array("uint64_t", wait_values or ()),
        signalSemaphoreValueCount=len(signal_values or ()),
        pSignalSemaphoreValues=array("uint64_t", signal_values or ()),
    )
    members = {
        "pNext": None if wait_values is None and signal_values is None else values,
        "waitSemaphoreCount": len(waits),
        "pWaitSemaphores": handles(it, "VkSemaphore", waits),
        "signalSemaphoreCount": len(signals),
        "pSignalSemaphores": handles(it, "VkSemaphore", signals),
    }
    if kind == "VkSubmitInfo":
        members["pWaitDstStageMask"] = array(
            "VkPipelineStageFlags", ["VK_PIPELINE_STAGE_ALL_COMMANDS_BIT"] * len(waits)
        )
        members["commandBufferCount"] = len(commands)
        members["pCommandBuffers"] = handles(it, "VkCommandBuffer", commands)
    return fields(kind, members)


def _batch2(it: Names, waits: Any, commands: Any, signals: Any, wait_values: Any, signal_values: Any) -> str:
    def points(semaphores: Sequence[int], values: Sequence[int] | None) -> str:
        kind, stage = "VkSemaphoreSubmitInfo", "VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT"
        pairs = zip(semaphores, values or [0] * len(semaphores), strict=True)
        made = [{"semaphore": it.use("VkSemaphore", one), "value": value, "stageMask": stage} for one, value in pairs]
        return array(kind, [fields(kind, one) for one in made])

    kind = "VkCommandBufferSubmitInfo"
    work = [fields(kind, {"commandBuffer": it.use("VkCommandBuffer", one)}) for one in commands]
    members = {
        "waitSemaphoreInfoCount": len(waits),
        "pWaitSemaphoreInfos": points(waits, wait_values),
        "commandBufferInfoCount": len(work),
        "pCommandBufferInfos": array(kind, work),
        "signalSemaphoreInfoCount": len(signals),
        "pSignalSemaphoreInfos": points(signals, signal_values),
    }
    return fields("VkSubmitInfo2", members)


def _create_semaphore(
    it: Names, device: int, export: int | None = None, semaphore_type: int | None = None, initial_value: int = 0,
    unknown_first: bool = False,
) -> str:  # fmt: skip
    links: list[tuple[str, dict[str, Any]]] = []
    if semaphore_type is not None:
        links.append(("VkSemaphoreTypeCreateInfo", {"semaphoreType": semaphore_type, "initialValue": initial_value}))
    if export is not None:
        links.append(("VkExportSemaphoreCreateInfo", {"handleTypes": hex(export)}))
    chain = chained(links)
    if unknown_first:
        chain = f"&(VkBaseInStructure){{.sType = 0x7ffffff0, .pNext = (void *){chain or 0}}}"
    info = struct("VkSemaphoreCreateInfo", pNext=chain)
    return _on(it.use("VkDevice", device), "CreateSemaphore", info, NULL, *_made(it, "VkSemaphore"))


def _import(name: str, info: str, member: str, kind: str) -> Writer:
    def write(it: Names, device: int, target: int, handle_type: int, fd: int, flags: int = 0) -> str:
        bits = f"VK_{kind.removeprefix('Vk').upper()}_IMPORT_TEMPORARY_BIT" if flags == 1 else flags
        members = {member: it.use(kind, target), "flags": bits, "handleType": hex(handle_type), "fd": it.fd(fd)}
        return _on(it.use("VkDevice", device), name, struct(info, **members))

    return write


def _wait_semaphores(
    it: Names, device: int, semaphores: Sequence[int], values: Sequence[int], nanoseconds: int, wait_any: bool = False
) -> str:
    info = struct(
        "VkSemaphoreWaitInfo",
        flags="VK_SEMAPHORE_WAIT_ANY_BIT" if wait_any else 0,
        semaphoreCount=len(semaphores),
        pSemaphores=handles(it, "VkSemaphore", semaphores),
        pValues=array("uint64_t", values),
    )
    return _on(it.use("VkDevice", device), "WaitSemaphores", info, nanoseconds)


def _create_fence(it: Names, device: int, export: int | None = None, signaled: bool = False) -> str:
    chain = None if export is None else struct("VkExportFenceCreateInfo", handleTypes=hex(export))
    info = struct("VkFenceCreateInfo", pNext=chain, flags=int(signaled))
    return _on(it.use("VkDevice", device), "CreateFence", info, NULL, *_made(it, "VkFence"))


def _wait_for_fences(it: Names, device: int, fences: Sequence[int], nanoseconds: int) -> str:
    given = handles(it, "VkFence", fences)
    return _on(it.use("VkDevice", device), "WaitForFences", len(fences), given, "VK_TRUE", nanoseconds)


def _reset_fences(it: Names, device: int, fences: Sequence[int]) -> str:
    return _on(it.use("VkDevice", device), "ResetFences", len(fences), handles(it, "VkFence", fences))


def _create_buffer(it: Names, device: int, size: int, external: int | None = None) -> str:
    chain = None if external is None else struct("VkExternalMemoryBufferCreateInfo", handleTypes=hex(external))
    usage = "VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT"
    info = struct("VkBufferCreateInfo", pNext=chain, size=size, usage=usage)
    return _on(it.use("VkDevice", device), "CreateBuffer", info, NULL, *_made(it, "VkBuffer"))


def _allocate_memory(
    it: Names, device: int, size: int, memory_type: int, export: int | None = None,
    imported: tuple[int, int] | None = None, dedicated: int = 0,
) -> str:  # fmt: skip
    links: list[tuple[str, dict[str, Any]]] = []
    if dedicated:
        links.append(("VkMemoryDedicatedAllocateInfo", {"buffer": it.use("VkBuffer", dedicated)}))
    if export is not None:
        links.append(("VkExportMemoryAllocateInfo", {"handleTypes": hex(export)}))
    if imported is not None:
        links.append(("VkImportMemoryFdInfoKHR", {"handleType": hex(imported[0]), "fd": it.fd(imported[1])}))
    info = struct("VkMemoryAllocateInfo", pNext=chained(links), allocationSize=size, memoryTypeIndex=memory_type)
    return _on(it.use("VkDevice", device), "AllocateMemory", info, NULL, *_made(it, "VkDeviceMemory"))


def _allocate_command_buffer(it: Names, device: int, pool: int) -> str:
    info = struct("VkCommandBufferAllocateInfo", commandPool=it.use("VkCommandPool", pool), commandBufferCount=1)
    return _on(it.use("VkDevice", device), "AllocateCommandBuffers", info, *_made(it, "VkCommandBuffer"))


def _begin_command_buffer(it: Names, command: int) -> str:
    info = struct("VkCommandBufferBeginInfo", flags="VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT")
    return _record(it, command, "BeginCommandBuffer", info)


def _barrier_to_present(it: Names, command: int, image: int) -> str:
    barrier = struct(
        "VkImageMemoryBarrier",
        newLayout="VK_IMAGE_LAYOUT_PRESENT_SRC_KHR",
        srcQueueFamilyIndex="VK_QUEUE_FAMILY_IGNORED",
        dstQueueFamilyIndex="VK_QUEUE_FAMILY_IGNORED",
        image=it.use("VkImage", image),
        subresourceRange="{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}",
    )
    every = "VK_PIPELINE_STAGE_ALL_COMMANDS_BIT"
    return _record(it, command, "CmdPipelineBarrier", every, every, 0, 0, NULL, 0, NULL, 1, barrier)


def _create_headless_surface(it: Names, instance: int) -> str:
    named, info = it.use("VkInstance", instance), struct("VkHeadlessSurfaceCreateInfoEXT")
    load = f'((PFN_vkCreateHeadlessSurfaceEXT)vkGetInstanceProcAddr({named}, "vkCreateHeadlessSurfaceEXT"))'
    return f"{load}({named}, {info}, NULL, &{it.make('VkSurfaceKHR')})"


def _surface_support(it: Names, physical: int, family: int, surface: int) -> str:
    named, used = it.use("VkPhysicalDevice", physical), it.use("VkSurfaceKHR", surface)
    return f"vkGetPhysicalDeviceSurfaceSupportKHR({named}, {family}, {used}, &(VkBool32){{0}})"


def _create_swapchain(it: Names, physical: int, device: int, surface: int) -> str:
    of, on = it.use("VkPhysicalDevice", physical), it.use("VkDevice", device)
    return f"make_swapchain({of}, {on}, {it.use('VkSurfaceKHR', surface)}, &{it.make('VkSwapchainKHR')})"


def _get_swapchain_images(it: Names, device: int, swapchain: int) -> str:
    used = it.use("VkSwapchainKHR", swapchain)
    return f"first_image({it.use('VkDevice', device)}, {used}, &{it.make('VkImage')})"


def _acquire(it: Names, device: int, swapchain: int, nanoseconds: int, semaphore: int, fence: int = 0) -> str:
    given = it.use("VkSwapchainKHR", swapchain), nanoseconds, it.use("VkSemaphore", semaphore), it.use("VkFence", fence)
    return _on(it.use("VkDevice", device), "AcquireNextImageKHR", *given, "&image")


def _present(it: Names, queue: int, swapchain: int, image: int, waits: Sequence[int] = ()) -> str:
    info = struct(
        "VkPresentInfoKHR",
        waitSemaphoreCount=len(waits),
        pWaitSemaphores=handles(it, "VkSemaphore", waits),
        swapchainCount=1,
        pSwapchains=handles(it, "VkSwapchainKHR", [swapchain]),
        pImageIndices="&image",
    )
    return _queue(it, queue, "QueuePresentKHR", info)


COMMANDS: dict[str, Writer] = {
    "vkCreateInstance": _create_instance,
    "vkEnumeratePhysicalDevices": lambda it, n: f"{it.make('VkPhysicalDevice')} = pick({it.use('VkInstance', n)})",
    "vkDestroyInstance": lambda it, instance: f"vkDestroyInstance({it.use('VkInstance', instance)}, NULL)",
    "vkCreateDevice": _create_device,
    "vkDestroyDevice": _plain("DestroyDevice", after=NULL),
    "vkGetDeviceQueue": _plain("GetDeviceQueue"),
    "vkDeviceWaitIdle": _plain("DeviceWaitIdle"),
    "vkQueueWaitIdle": lambda it, queue: _queue(it, queue, "QueueWaitIdle"),
    "vkQueueSubmit": _submit("QueueSubmit", "VkSubmitInfo"),
    "vkQueueSubmit2": _submit("QueueSubmit2", "VkSubmitInfo2"),
    "vkQueueBindSparse": _submit("QueueBindSparse", "VkBindSparseInfo"),
    "vkCreateSemaphore": _create_semaphore,
    "vkDestroySemaphore": _plain("DestroySemaphore", after=NULL),
    "vkGetSemaphoreFdKHR": _told("GetSemaphoreFdKHR", "VkSemaphoreGetFdInfoKHR"),
    "vkImportSemaphoreFdKHR": _import("ImportSemaphoreFdKHR", "VkImportSemaphoreFdInfoKHR", "semaphore", "VkSemaphore"),
    "vkGetSemaphoreCounterValue": _plain("GetSemaphoreCounterValue", after="&value"),
    "vkSignalSemaphore": _told("SignalSemaphore", "VkSemaphoreSignalInfo"),
    "vkWaitSemaphores": _wait_semaphores,
    "vkCreateFence": _create_fence,
    "vkDestroyFence": _plain("DestroyFence", after=NULL),
    "vkGetFenceStatus": _plain("GetFenceStatus"),
    "vkWaitForFences": _wait_for_fences,
    "vkResetFences": _reset_fences,
    "vkGetFenceFdKHR": _told("GetFenceFdKHR", "VkFenceGetFdInfoKHR"),
    "vkImportFenceFdKHR": _import("ImportFenceFdKHR", "VkImportFenceFdInfoKHR", "fence", "VkFence"),
    "vkCreateBuffer": _create_buffer,
    "vkDestroyBuffer": _plain("DestroyBuffer", after=NULL),
    "vkGetBufferMemoryRequirements": _plain("GetBufferMemoryRequirements", after="&(VkMemoryRequirements){0}"),
    "vkAllocateMemory": _allocate_memory,
    "vkFreeMemory": _plain("FreeMemory", after=NULL),
    "vkGetMemoryFdKHR": _told("GetMemoryFdKHR", "VkMemoryGetFdInfoKHR"),
    "vkBindBufferMemory": _plain("BindBufferMemory", after="0"),
    "vkCreateCommandPool": _told("CreateCommandPool", "VkCommandPoolCreateInfo", allocator=True),
    "vkDestroyCommandPool": _plain("DestroyCommandPool", after=NULL),
    "vkAllocateCommandBuffer": _allocate_command_buffer,
    "vkBeginCommandBuffer": _begin_command_buffer,
    "vkEndCommandBuffer": lambda it, command: _record(it, command, "EndCommandBuffer"),
    "vkCmdPipelineBarrierToPresent": _barrier_to_present,
    "vkCreateHeadlessSurfaceEXT": _create_headless_surface,
    "vkGetPhysicalDeviceSurfaceSupportKHR": _surface_support,
    "vkCreateSwapchainKHR": _create_swapchain,
    "vkDestroySwapchainKHR": _plain("DestroySwapchainKHR", after=NULL),
    "vkGetSwapchainImagesKHR": _get_swapchain_images,
    "vkAcquireNextImageKHR": _acquire,
    "vkQueuePresentKHR": _present,
}
"""The recorded commands that a program can repeat."""

QUERIES = re.compile(
    r"vkEnumerate(Instance|Device)\w+|vkGet\w+ProcAddr|vkGetPhysicalDevice(Queue|Memory|External|Properties)\w*"
)
"""Queries on which no other call depends: a program leaves them out."""

RESULTLESS = re.compile(r"vk(Destroy|Free|Cmd|GetDeviceQueue|GetBufferMemoryRequirements)")
"""Matches the commands that return no VkResult."""
