"""Importing: which handle type, how, and into which semaphore."""

from typing import Any

from fixtures.testbed.devices import Device, Semaphore
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE, Kind
from fixtures.vulkan.registry import HandleType, ImportFlag, Result
from suites.valid_usage.calls import exportable, need_claims, timeline
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import payload, second, submitted

SYNC_FD, OPAQUE_WIN32 = HandleType.SYNC_FD, HandleType.OPAQUE_WIN32


def imported(semaphore: Semaphore, kind: Kind | None = None, **differently: Any) -> Result:
    """What the import of a new payload returns; by default of a binary kind that the device claims, as it is imported."""
    device = semaphore.device
    kind = kind or (BINARY_OPAQUE if device.info.features(BINARY_OPAQUE) else BINARY_SYNC)
    if kind == BINARY_SYNC:
        need_claims(device, BINARY_SYNC)
        return semaphore.import_fd(-1, **{"handle_type": SYNC_FD, "temporary": True, **differently})
    return semaphore.import_fd(payload(device, kind), **{"handle_type": kind.handle_type, **differently})


def import_from_another(device: Device) -> Result:
    """A payload of another device of the same physical device, which has the same UUIDs."""
    source = exportable(second(device))
    number = -1 if device.info.slug == "mock" else source.exported().dup().fd
    return device.semaphore().import_fd(number, source.kind.handle_type, temporary=True)


def import_sync(device: Device, flags: int) -> Result:
    """What the import of -1 as SYNC_FD returns."""
    need_claims(device, BINARY_SYNC)
    return device.vk.vkImportSemaphoreFdKHR(device.handle, device.semaphore().handle, int(SYNC_FD), -1, flags)


def import_while_pending(device: Device) -> Result:
    """Into a semaphore whose signal nobody has seen the end of."""
    semaphore = device.semaphore()
    device.queue.submit(signals=[semaphore])
    return imported(semaphore)


def import_when_done(device: Device) -> Result:
    """Into a semaphore whose signal is done."""
    semaphore = device.semaphore()
    submitted(device.queue, signals=[semaphore])
    return imported(semaphore)


def import_timeline(device: Device, temporary: bool) -> Result:
    """A timeline's payload into a timeline."""
    return imported(timeline(device), TIMELINE, temporary=temporary)


def import_into_another(device: Device) -> Result:
    """Into a semaphore of another device."""
    need_claims(device, BINARY_SYNC)
    semaphore = second(device).semaphore()
    return device.vk.vkImportSemaphoreFdKHR(
        device.handle, semaphore.handle, int(SYNC_FD), -1, int(ImportFlag.TEMPORARY)
    )


CASES = [
    Case(
        "SPEC-IMPORT-34",
        import_into_another,
        lambda device: imported(device.semaphore()),
        command="vkImportSemaphoreFdKHR",
    ),
    Case("VUID-vkImportSemaphoreFdKHR-semaphore-01142", import_while_pending, import_when_done),
    Case(
        "VUID-VkImportSemaphoreFdInfoKHR-handleType-01143",
        lambda device: imported(device.semaphore(), handle_type=OPAQUE_WIN32),
        lambda device: imported(device.semaphore()),
    ),
    Case(
        "VUID-VkImportSemaphoreFdInfoKHR-handleType-07307",
        lambda device: import_sync(device, 0),
        lambda device: import_sync(device, int(ImportFlag.TEMPORARY)),
    ),
    Case(
        "VUID-VkImportSemaphoreFdInfoKHR-handleType-03264",
        lambda device: imported(device.semaphore(), TIMELINE),
        lambda device: imported(device.semaphore()),
    ),
    Case(
        "VUID-VkImportSemaphoreFdInfoKHR-flags-03323",
        lambda device: import_timeline(device, temporary=True),
        lambda device: import_timeline(device, temporary=False),
    ),
]
