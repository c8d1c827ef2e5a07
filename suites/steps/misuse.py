"""Submissions that are misuse under one reading of the specification, and valid under the other."""

from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.testbed.devices import Device
from fixtures.vulkan.registry import Result


@contextmanager
def misuse_is_tolerated(*devices: Device) -> Iterator[None]:
    """VK_ERROR_INITIALIZATION_FAILED of a submission, which misuse may return (SPEC-SHARE-04), counts as listed meanwhile."""
    for device in devices:
        device.vk.tolerated = frozenset({Result.ERROR_INITIALIZATION_FAILED})
    try:
        yield
    finally:
        for device in devices:
            device.vk.tolerated = frozenset()
