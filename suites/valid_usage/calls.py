"""Well-formed calls on raw structures, which a case then breaks in one place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fixtures.testbed.devices import Device, Semaphore, Submission
from fixtures.testbed.drivers import REFERENCE
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE, Kind
from fixtures.vulkan.batches import ALL_COMMANDS
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import FeatureFlag, HandleType, ImportFlag, result


@dataclass
class Call:
    """A call of `command` on `target`, a handle; `arguments` are the others by name, `structures` what they lead to."""

    device: Device
    command: str
    target: Any
    arguments: dict[str, Any]
    structures: dict[str, Any]
    kept: list[Any] = field(default_factory=list)

    def make(self) -> Any:
        """Make the call; what it returns is a Result, or None."""
        vk = self.device.vk
        get = vk.of_instance if self.command.startswith("vkGetPhysical") else vk.of_device
        parent = self.device.instance.handle if self.command.startswith("vkGetPhysical") else self.device.handle
        answer = get(parent, self.command)(self.target, *self.arguments.values())
        if answer is None:
            return None
        if "fence" in self.arguments:  # the device waits for it before it destroys what was submitted
            fence = vk.number(self.arguments["fence"])
            self.device.submissions.append(Submission(self.device, self.command, result(int(answer)), fence))
        return result(int(answer))


def _on_device(device: Device, command: str, structures: dict[str, Any], *kept: Any, **arguments: Any) -> Call:
    target = device.vk.handle("VkDevice", device.handle)
    return Call(device, command, target, arguments, structures, list(kept))


def need_structures(device: Device) -> None:
    """End the test as unsupported on the ideal driver."""
    if device.info.manifest == REFERENCE:
        unsupported("the ideal driver takes values, no structures")


def query(device: Device) -> Call:
    """vkGetPhysicalDeviceExternalSemaphoreProperties about OPAQUE_FD."""
    vk = device.vk
    info = vk.new("VkPhysicalDeviceExternalSemaphoreInfo", handleType=HandleType.OPAQUE_FD)
    found = vk.new("VkExternalSemaphoreProperties")
    target = vk.handle("VkPhysicalDevice", device.instance.physical)
    arguments = {"pExternalSemaphoreInfo": info, "pExternalSemaphoreProperties": found}
    structures = {"VkPhysicalDeviceExternalSemaphoreInfo": info, "VkExternalSemaphoreProperties": found}
    return Call(device, "vkGetPhysicalDeviceExternalSemaphoreProperties", target, arguments, structures)


def create(device: Device) -> Call:
    """vkCreateSemaphore of a binary semaphore, with both extending structures."""
    vk = device.vk
    kind = vk.new("VkSemaphoreTypeCreateInfo")
    export = vk.new("VkExportSemaphoreCreateInfo", kind)
    info = vk.new("VkSemaphoreCreateInfo", export)
    structures = {
        "VkSemaphoreCreateInfo": info,
        "VkExportSemaphoreCreateInfo": export,
        "VkSemaphoreTypeCreateInfo": kind,
    }
    made = vk.ffi.new("VkSemaphore *")
    null = vk.ffi.NULL
    return _on_device(device, "vkCreateSemaphore", structures, pCreateInfo=info, pAllocator=null, pSemaphore=made)


def destroy(device: Device) -> Call:
    """vkDestroySemaphore of VK_NULL_HANDLE, which is legal."""
    null = device.vk.handle("VkSemaphore", 0)
    return _on_device(device, "vkDestroySemaphore", {}, semaphore=null, pAllocator=device.vk.ffi.NULL)


def exportable(device: Device) -> Semaphore:
    """A semaphore whose payload can be exported as it is: for OPAQUE_FD, or signaled where only SYNC_FD is claimed."""
    if device.info.features(BINARY_OPAQUE):
        need_claims(device, BINARY_OPAQUE)
        return device.semaphore(BINARY_OPAQUE, export=True)
    need_claims(device, BINARY_SYNC)
    semaphore = device.semaphore(BINARY_SYNC, export=True)
    semaphore.signal()
    return semaphore


def export(device: Device) -> Call:
    """vkGetSemaphoreFdKHR of an exportable semaphore."""
    vk, semaphore = device.vk, exportable(device)
    info = vk.new("VkSemaphoreGetFdInfoKHR", handleType=semaphore.kind.handle_type)
    info.semaphore = vk.handle("VkSemaphore", semaphore.handle)
    fd = vk.ffi.new("int *", -1)
    device.later(_close, fd)
    return _on_device(device, "vkGetSemaphoreFdKHR", {"VkSemaphoreGetFdInfoKHR": info}, pGetFdInfo=info, pFd=fd)


def _close(fd: Any) -> None:
    if fd[0] >= 0:
        os.close(fd[0])


def need_claims(device: Device, kind: Kind) -> None:
    """End the test as unsupported unless the device claims to export and to import `kind`."""
    if device.info.features(kind) != FeatureFlag.EXPORTABLE | FeatureFlag.IMPORTABLE:
        unsupported(f"{kind}: not to export and to import")


def import_(device: Device) -> Call:
    """vkImportSemaphoreFdKHR of an exported OPAQUE_FD, or of -1 as SYNC_FD where only that is claimed."""
    vk = device.vk
    if device.info.features(BINARY_SYNC):
        chosen = {"handleType": HandleType.SYNC_FD, "flags": ImportFlag.TEMPORARY, "fd": -1}
    else:
        need_claims(device, BINARY_OPAQUE)
        chosen = {"handleType": HandleType.OPAQUE_FD, "fd": os.dup(device.semaphore(export=True).exported().fd)}
    info = vk.new("VkImportSemaphoreFdInfoKHR", **chosen)
    info.semaphore = vk.handle("VkSemaphore", device.semaphore().handle)
    structures = {"VkImportSemaphoreFdInfoKHR": info}
    return _on_device(device, "vkImportSemaphoreFdKHR", structures, pImportSemaphoreFdInfo=info)


def need_timelines(device: Device) -> None:
    """End the test as unsupported where the device has no timelines."""
    if not device.info.timeline:
        unsupported("the device has no timeline semaphores")


def timeline(device: Device) -> Semaphore:
    """A timeline semaphore at 0; unsupported where the device has none."""
    need_timelines(device)
    return device.semaphore(TIMELINE)


def counter(device: Device) -> Call:
    """vkGetSemaphoreCounterValue of a timeline."""
    vk = device.vk
    handle, value = vk.handle("VkSemaphore", timeline(device).handle), vk.ffi.new("uint64_t *")
    return _on_device(device, "vkGetSemaphoreCounterValue", {}, semaphore=handle, pValue=value)


def wait(device: Device) -> Call:
    """vkWaitSemaphores for the value 0 of a timeline, which it has."""
    vk = device.vk
    handles, values = vk.handles("VkSemaphore", [timeline(device).handle]), vk.ffi.new("uint64_t[1]")
    info = vk.new("VkSemaphoreWaitInfo", semaphoreCount=1, pSemaphores=handles, pValues=values)
    structures = {"VkSemaphoreWaitInfo": info}
    return _on_device(device, "vkWaitSemaphores", structures, handles, values, pWaitInfo=info, timeout=0)


def signal(device: Device) -> Call:
    """vkSignalSemaphore of a timeline from 0 to 1."""
    vk = device.vk
    info = vk.new("VkSemaphoreSignalInfo", value=1)
    info.semaphore = vk.handle("VkSemaphore", timeline(device).handle)
    return _on_device(device, "vkSignalSemaphore", {"VkSemaphoreSignalInfo": info}, pSignalInfo=info)


def _on_queue(device: Device, command: str, info: Any, name: str, *kept: Any, **structures: Any) -> Call:
    """A call with one batch, `info`, and a fence."""
    queue = device.queue_for(command)
    if queue is None:
        unsupported(f"the device has no queue for {command}")
    vk, kind = device.vk, device.vk.ffi.typeof(info).item.cname.split()[-1]
    arguments = {"submitCount": 1, name: info, "fence": vk.handle("VkFence", device.fence())}
    return Call(device, command, vk.handle("VkQueue", queue.handle), arguments, {kind: info, **structures}, list(kept))


def submit(device: Device) -> Call:
    """vkQueueSubmit of a batch that waits for the 0 of a timeline and signals a binary semaphore."""
    vk = device.vk
    info, kept = _batch(device, "VkSubmitInfo")
    stages = vk.ffi.new("uint32_t[]", [ALL_COMMANDS])
    info.pWaitDstStageMask = stages
    return _on_queue(device, "vkQueueSubmit", info, "pSubmits", stages, *kept)


def submit_to_group(device: Device) -> Call:
    """`submit` that names the device, the only one of its group, for each semaphore."""
    vk, call = device.vk, submit(device)
    info = call.structures["VkSubmitInfo"]
    first = vk.ffi.new("uint32_t[1]")
    group = vk.new("VkDeviceGroupSubmitInfo", info.pNext, waitSemaphoreCount=1, signalSemaphoreCount=1)
    group.pWaitSemaphoreDeviceIndices = group.pSignalSemaphoreDeviceIndices = first
    info.pNext = group
    call.kept += [first, group]
    call.structures["VkDeviceGroupSubmitInfo"] = group
    return call


def bind_sparse(device: Device) -> Call:
    """vkQueueBindSparse of a batch that waits for the 0 of a timeline and signals a binary semaphore."""
    info, kept = _batch(device, "VkBindSparseInfo")
    return _on_queue(device, "vkQueueBindSparse", info, "pBindInfo", *kept)


def _batch(device: Device, kind: str) -> tuple[Any, list[Any]]:
    vk = device.vk
    waits, signals = (vk.handles("VkSemaphore", [one.handle]) for one in (timeline(device), device.semaphore()))
    zeros = vk.ffi.new("uint64_t[1]")
    values = vk.new("VkTimelineSemaphoreSubmitInfo", waitSemaphoreValueCount=1, signalSemaphoreValueCount=1)
    values.pWaitSemaphoreValues = values.pSignalSemaphoreValues = zeros
    info = vk.new(kind, values, waitSemaphoreCount=1, signalSemaphoreCount=1)
    info.pWaitSemaphores, info.pSignalSemaphores = waits, signals
    return info, [waits, signals, zeros, values]


def submit2(device: Device) -> Call:
    """vkQueueSubmit2 of a batch that waits for the 0 of a timeline and signals a binary semaphore."""
    vk = device.vk
    waits = vk.new("VkSemaphoreSubmitInfo", stageMask=ALL_COMMANDS)
    signals = vk.new("VkSemaphoreSubmitInfo", stageMask=ALL_COMMANDS)
    waits.semaphore = vk.handle("VkSemaphore", timeline(device).handle)
    signals.semaphore = vk.handle("VkSemaphore", device.semaphore().handle)
    info = vk.new("VkSubmitInfo2", waitSemaphoreInfoCount=1, signalSemaphoreInfoCount=1)
    info.pWaitSemaphoreInfos, info.pSignalSemaphoreInfos = waits, signals
    return _on_queue(device, "vkQueueSubmit2", info, "pSubmits", signals, VkSemaphoreSubmitInfo=waits)


_CALLS: dict[str, Callable[[Device], Call]] = {
    "vkGetPhysicalDeviceExternalSemaphoreProperties": query,
    "vkCreateSemaphore": create,
    "vkDestroySemaphore": destroy,
    "vkGetSemaphoreFdKHR": export,
    "vkImportSemaphoreFdKHR": import_,
    "vkGetSemaphoreCounterValue": counter,
    "vkWaitSemaphores": wait,
    "vkSignalSemaphore": signal,
    "vkQueueSubmit": submit,
    "vkQueueSubmit2": submit2,
    "vkQueueBindSparse": bind_sparse,
    "VkDeviceGroupSubmitInfo": submit_to_group,
}
"""A well-formed call of each command, and of what only some calls are made with."""

COMMAND_OF = {
    "VkPhysicalDeviceExternalSemaphoreInfo": "vkGetPhysicalDeviceExternalSemaphoreProperties",
    "VkExternalSemaphoreProperties": "vkGetPhysicalDeviceExternalSemaphoreProperties",
    "VkSemaphoreCreateInfo": "vkCreateSemaphore",
    "VkExportSemaphoreCreateInfo": "vkCreateSemaphore",
    "VkSemaphoreTypeCreateInfo": "vkCreateSemaphore",
    "VkSemaphoreGetFdInfoKHR": "vkGetSemaphoreFdKHR",
    "VkImportSemaphoreFdInfoKHR": "vkImportSemaphoreFdKHR",
    "VkSemaphoreWaitInfo": "vkWaitSemaphores",
    "VkSemaphoreSignalInfo": "vkSignalSemaphore",
    "VkSubmitInfo": "vkQueueSubmit",
    "VkTimelineSemaphoreSubmitInfo": "vkQueueSubmit",
    "VkDeviceGroupSubmitInfo": "vkQueueSubmit",
    "VkSubmitInfo2": "vkQueueSubmit2",
    "VkSemaphoreSubmitInfo": "vkQueueSubmit2",
    "VkBindSparseInfo": "vkQueueBindSparse",
    "VkAcquireNextImageInfoKHR": "vkAcquireNextImageKHR",
    "VkPresentInfoKHR": "vkQueuePresentKHR",
}
"""The command that takes a structure."""


def call_of(entity: str) -> Callable[[Device], Call]:
    """What makes a well-formed call of a command, or of the one that takes a structure."""
    return _CALLS.get(entity) or _CALLS[COMMAND_OF[entity]]
