"""Exporting: which handle type, of which payload, in which state."""

from collections.abc import Callable

from fixtures.testbed.devices import Device, Semaphore
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE
from fixtures.vulkan.registry import HandleType, Result
from suites.valid_usage.calls import exportable, need_claims, timeline
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import payload, second, submitted


def export_as(handle_type: HandleType) -> Callable[[Device], Result]:
    """A signaled semaphore, made for another type, as `handle_type`."""
    return lambda device: signaled(exportable(device)).export_fd(handle_type)[0]


def signaled(semaphore: Semaphore) -> Semaphore:
    """The semaphore with its signal submitted, which an export as SYNC_FD asks for."""
    submitted(semaphore.device.queue, signals=[semaphore])
    return semaphore


def export_rightly(device: Device) -> Result:
    """A semaphore as what it was made for."""
    return exportable(device).export_fd()[0]


def export_of_another(device: Device) -> Result:
    """A semaphore of another device."""
    semaphore = exportable(second(device))
    return device.vk.vkGetSemaphoreFdKHR(device.handle, semaphore.handle, int(semaphore.kind.handle_type))[0]


def importer(device: Device) -> Semaphore:
    """A semaphore made for OPAQUE_FD, with the payload of another one."""
    need_claims(device, BINARY_OPAQUE)
    vk, semaphore = device.vk, device.semaphore(BINARY_OPAQUE, export=True)
    vk.vkImportSemaphoreFdKHR(device.handle, semaphore.handle, int(HandleType.OPAQUE_FD), payload(device))
    return semaphore


def export_timeline_as_sync(device: Device) -> Result:
    """A copy of a timeline's payload."""
    return timeline(device).export_fd(HandleType.SYNC_FD)[0]


def export_timeline(device: Device) -> Result:
    """A reference to a timeline's payload."""
    need_claims(device, TIMELINE)
    return device.semaphore(TIMELINE, export=True).export_fd()[0]


def export_unsignaled(device: Device) -> Result:
    """A copy of a payload that nothing signals."""
    need_claims(device, BINARY_SYNC)
    return device.semaphore(BINARY_SYNC, export=True).export_fd()[0]


def export_signaled(device: Device) -> Result:
    """A copy of a payload whose signal is submitted."""
    need_claims(device, BINARY_SYNC)
    semaphore = device.semaphore(BINARY_SYNC, export=True)
    submitted(device.queue, signals=[semaphore])
    return semaphore.export_fd()[0]


def export_waited_for(device: Device) -> Result:
    """A copy of a payload for which a queue has waited before its last signal."""
    need_claims(device, BINARY_SYNC)
    semaphore = device.semaphore(BINARY_SYNC, export=True)
    submitted(device.queue, signals=[semaphore])
    submitted(device.queue, waits=[semaphore])
    submitted(device.queue, signals=[semaphore])
    return semaphore.export_fd()[0]


def export_behind(raised: bool) -> Callable[[Device], Result]:
    """A copy of a payload whose signal waits for a timeline, which has been raised or is raised afterwards."""

    def export(device: Device) -> Result:
        need_claims(device, BINARY_SYNC)
        gate, semaphore = timeline(device), device.semaphore(BINARY_SYNC, export=True)
        device.queue.submit(waits=[(gate, 1)], signals=[semaphore])
        if raised:
            gate.host_signal(1)
        answer = semaphore.export_fd()[0]
        if not raised:
            gate.host_signal(1)
        return answer

    return export


def export_from_plain_importer(device: Device) -> Result:
    """What was imported from a semaphore made for OPAQUE_FD into one made for nothing: the payload's maker counts."""
    vk, semaphore = device.vk, device.semaphore()
    vk.vkImportSemaphoreFdKHR(device.handle, semaphore.handle, int(HandleType.OPAQUE_FD), payload(device))
    return semaphore.export_fd()[0]


CASES = [
    Case(
        "VUID-VkSemaphoreGetFdInfoKHR-handleType-01132",
        lambda device: device.semaphore().export_fd()[0],
        export_rightly,
    ),
    Case(
        "VUID-VkSemaphoreGetFdInfoKHR-handleType-01132",
        export_as(HandleType.SYNC_FD),
        export_from_plain_importer,
        id="imported",
    ),
    Case(
        "VUID-VkSemaphoreGetFdInfoKHR-semaphore-01133",
        lambda device: signaled(importer(device)).export_fd(HandleType.SYNC_FD)[0],
        lambda device: importer(device).export_fd()[0],
        breach_over="driver",
        also=("VUID-VkSemaphoreGetFdInfoKHR-handleType-01132",),
    ),
    Case("SPEC-EXPORT-11", export_of_another, export_rightly),
    Case("VUID-VkSemaphoreGetFdInfoKHR-handleType-01135", export_unsignaled, export_signaled),
    Case(
        "VUID-VkSemaphoreGetFdInfoKHR-handleType-01136",
        export_as(HandleType.OPAQUE_WIN32),
        export_rightly,
    ),
    Case(  # no timeline may be made for SYNC_FD
        "VUID-VkSemaphoreGetFdInfoKHR-handleType-03253",
        export_timeline_as_sync,
        export_timeline,
        also=("VUID-VkSemaphoreGetFdInfoKHR-handleType-01132",),
    ),
    Case("VUID-VkSemaphoreGetFdInfoKHR-handleType-03254", export_unsignaled, export_signaled),
    Case(
        "ISSUE-VK_KHR_timeline_semaphore-10",
        export_behind(raised=False),
        export_behind(raised=True),
        over="driver",
        breach_over="driver",
        command="vkGetSemaphoreFdKHR",
    ),
]
