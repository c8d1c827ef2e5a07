"""Steps that the tests of this chapter take in another process."""

import os

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.registry import Result, SemaphoreType


def import_null_device(channel: Channel, info: DeviceInfo, kind: Kind) -> int:
    """Import /dev/null as a kind that the device does not claim; returns the result."""
    device = bench.open_device(info, most=1)
    device.vk.tolerated = frozenset({Result.ERROR_INITIALIZATION_FAILED, Result.ERROR_FEATURE_NOT_PRESENT})
    fd = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    semaphore = device.semaphore(Kind(kind.handle_type, SemaphoreType.BINARY))
    return int(semaphore.import_fd(fd, kind.handle_type, temporary=True))


def import_other_type(channel: Channel, info: DeviceInfo, exporter: Kind, importer: Kind) -> tuple[int, bool]:
    """Export as one type and import into the other; returns the result of the import and whether the descriptor is open."""
    device = bench.open_device(info, most=1)
    descriptor = device.semaphore(exporter, export=True).exported()
    result = device.semaphore(importer).import_fd(descriptor.fd)
    return int(result), descriptor.is_open
