"""The members of a set of semaphores that share one payload, and where they live."""

from collections.abc import Callable

import pytest

from fixtures.testbed import bench
from fixtures.testbed.bench import FOUND
from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import Device, Semaphore
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import unsupported

PLACES = ("same-device", "same-instance", "other-instance")
NAMES = ("exporter", "importer", "sibling")
each_place = pytest.mark.parametrize("place", PLACES)
"""Where importers live: on the exporter's device, on a second device of its instance, or in an instance of their own."""
OpenDevice = Callable[..., Device]


def device_at(place: str, device: Device, open_device: OpenDevice) -> Device:
    """The device of importers at `place`, beside the exporter's `device`."""
    if place == "same-device":
        return device
    if place == "other-instance":
        return open_device()
    twin = bench.borrow_twin(device)
    device.later(bench.return_twin, twin, device)
    return twin


def members(exporting: Device, importing: Device, kind: Kind, temporary: bool = False) -> dict[str, Semaphore]:
    """An unsignaled payload (a timeline at 0) shared by reference: its exporter, and two importers on the device `importing`."""
    exporter = exporting.semaphore(kind, export=True)
    descriptor = exporter.exported()
    importers = [importing.semaphore(kind).imports(descriptor, temporary) for _ in NAMES[1:]]
    return dict(zip(NAMES, [exporter, *importers], strict=True))


def scattered(device: Device, open_device: OpenDevice, kind: Kind) -> dict[str, Semaphore]:
    """Members of one payload, each on its own device, so that no member's queue runs another's work."""
    exporter = device.semaphore(kind, export=True)
    descriptor = exporter.exported()
    others = [device_at(place, device, open_device) for place in PLACES[1:]]
    return dict(zip(NAMES, [exporter, *(one.semaphore(kind).imports(descriptor) for one in others)], strict=True))


def another_device(config: pytest.Config, info: DeviceInfo, kind: Kind) -> DeviceInfo:
    """Another physical device of this run than `info` that exports and imports `kind`; `unsupported` without one."""
    others = [one for one in config.stash[FOUND].devices if one.device_uuid != info.device_uuid]
    able = [one for one in others if not unclaimed(kind, one, EXPORTABLE | IMPORTABLE)]
    return able[0] if able else unsupported(f"no second device exports and imports {kind}")


def close(device: Device, what: str, other: Device) -> None:
    """Destroy a device's semaphores, the device as well, or its instance as well; `other` closes the instance later if not."""
    if what == "semaphore":
        device.settle()
    elif what == "device":
        device.close()
        other.later(device.instance.close)
    else:
        bench.close_device(device)
