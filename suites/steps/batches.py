"""Semaphores for the batches of one device: pairs to signal and wait on, payloads of every sort."""

from collections.abc import Callable

import pytest

from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import Device, Semaphore
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE
from fixtures.vulkan.outcomes import too_late
from suites.steps.queries import needs
from suites.steps.signals import Point, at

each_pair = pytest.mark.parametrize("handle", ["own", "imported", "imported-elsewhere"])
"""An unshared binary semaphore, or one imported on the same device or on a device of another instance."""

SORTS = {
    "own": BINARY_OPAQUE,
    "reference": BINARY_OPAQUE,
    "copy": BINARY_SYNC,
    "timeline": TIMELINE,
}
"""Payloads that a batch can wait for, each with the kind of its semaphore."""

SHARED = ("reference", "copy")
"""The sorts that are exported and imported."""


def two_ends(device: Device, open_device: Callable[..., Device], handle: str) -> tuple[Semaphore, Semaphore]:
    """A binary semaphore to signal and one to wait on, with one payload; for "own" the same one twice."""
    return ends(device, open_device, handle, 1)[0]


def ends(
    device: Device, open_device: Callable[..., Device], handle: str, count: int
) -> list[tuple[Semaphore, Semaphore]]:
    """`count` pairs as of `two_ends`; the semaphores to wait on are on one device."""
    if handle != "own":
        needs(device.info, BINARY_OPAQUE)
    importing = open_device() if handle == "imported-elsewhere" else device
    return [_ends(device, importing, handle) for _ in range(count)]


def _ends(device: Device, importing: Device, handle: str) -> tuple[Semaphore, Semaphore]:
    if handle == "own":
        return (device.semaphore(),) * 2
    exporter = device.semaphore(BINARY_OPAQUE, export=True)
    return exporter, importing.semaphore(BINARY_OPAQUE).imports(exporter.exported())


def sorts(device: Device) -> list[str]:
    """The names of SORTS that the device has."""
    shared = [sort for sort in SHARED if not unclaimed(SORTS[sort], device.info, EXPORTABLE | IMPORTABLE)]
    return ["own", *shared, *["timeline"] * device.info.timeline]


def signaled_payload(device: Device, sort: str, is_pending: bool = False) -> Point:
    """Submit a signal to the device's queue; returns what a batch may then wait for.

    `unsupported` where the signal has to be pending and the driver returns -1 for the descriptor of a copy.
    """
    kind = SORTS[sort]
    made = device.semaphore(kind, export=sort in SHARED)
    device.queue.submit(signals=[at(made)])
    if sort not in SHARED:
        return at(made)
    descriptor = made.exported()
    if is_pending and descriptor.fd == -1:
        too_late("the driver returned -1: there is no descriptor")
    return device.semaphore(kind).imports(descriptor, temporary=sort == "copy")


def signalable(device: Device) -> list[Point]:
    """One of each that a batch can signal: an unshared semaphore, an exportable one, an imported one, a timeline."""
    made: list[Point] = [device.semaphore()]
    if not unclaimed(BINARY_OPAQUE, device.info, EXPORTABLE | IMPORTABLE):
        exporter = device.semaphore(BINARY_OPAQUE, export=True)
        made += [device.semaphore(BINARY_OPAQUE, export=True)]
        made += [device.semaphore(BINARY_OPAQUE).imports(exporter.exported())]
    return made + [at(device.semaphore(TIMELINE))] * device.info.timeline
