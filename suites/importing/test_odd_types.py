"""Imports that the specification leaves open: another semaphore type, a handle type that is not claimed, a bad number."""

import os

import pytest

from fixtures.running.plugin import JUDGED_KINDS
from fixtures.testbed import bench
from fixtures.testbed.drivers import KINDS, Kind
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import FeatureFlag, HandleType, Result, SemaphoreType, result
from suites.ledger import rule
from suites.steps.limits import STRANGER_LIMIT

TIMELINE, BINARY = KINDS[1], KINDS[0]


def import_null_device(channel, info, kind):
    """Import /dev/null as a kind that the device does not claim; its number and whether it is still open come back."""
    device = bench.open_device(info, most=1)
    device.vk.tolerated = frozenset({Result.ERROR_INITIALIZATION_FAILED, Result.ERROR_FEATURE_NOT_PRESENT})
    fd = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    semaphore = device.semaphore(Kind(kind.handle_type, SemaphoreType.BINARY))
    return int(semaphore.import_fd(fd, kind.handle_type, temporary=True))


@rule("SPEC-IMPORT-35")
@pytest.mark.parametrize("handle_type", [HandleType.OPAQUE_FD, HandleType.SYNC_FD], ids=str)
def test_a_handle_type_that_is_not_claimed_is_refused(device_info, handle_type, processes):
    """An import of a type that the device cannot import is an invalid external handle; no rule forbids to try."""
    kind = next(k for k in JUDGED_KINDS if k.handle_type == handle_type)
    if device_info.features(kind) & FeatureFlag.IMPORTABLE:
        unsupported(f"{handle_type} is importable here")

    ending = processes.run(import_null_device, device_info, kind, limit=STRANGER_LIMIT + 10)

    assert ending.how == "returned", f"an import as {handle_type}, which is not claimed, ended with {ending}"
    refused = Result.ERROR_INVALID_EXTERNAL_HANDLE
    assert ending.value == refused, f"an import as {handle_type}, which is not claimed, returned {result(ending.value)}"


@rule("SPEC-IMPORT-26")
@pytest.mark.isolated
@pytest.mark.limit(STRANGER_LIMIT)
def test_a_number_that_is_no_descriptor_is_an_error(device, importable):
    """A closed number is an error at run time, for which the application need not answer."""
    fd = os.open("/dev/null", os.O_RDONLY)
    os.close(fd)

    result = device.semaphore(importable).import_fd(fd, temporary=not importable.semaphore_type)

    assert result.is_error, f"the import of the closed descriptor {fd} returned {result}"


def import_other_type(channel, info, exporter, importer):
    """Export as one type and import into the other; what the import returned, and whether the descriptor is open."""
    device = bench.open_device(info, most=1)
    descriptor = device.semaphore(exporter, export=True).exported()
    result = device.semaphore(importer).import_fd(descriptor.fd)
    return int(result), descriptor.is_open


@rule("SPEC-IMPORT-27")
@pytest.mark.parametrize(("exporter", "importer"), [(TIMELINE, BINARY), (BINARY, TIMELINE)], ids=str)
def test_a_payload_of_the_other_type(device_info, exporter, importer, processes):
    """A timeline into a binary semaphore, or the reverse, may be refused: as an invalid handle, left open."""
    for kind in (exporter, importer):
        if not device_info.features(kind):
            unsupported(f"{kind.handle_type} of {kind.semaphore_type} semaphores: not claimed")

    ending = processes.run(import_other_type, device_info, exporter, importer)

    assert ending.how == "returned", f"{exporter} into {importer} ended with {ending}"
    answer, is_open = result(ending.value[0]), ending.value[1]
    assert answer in (0, Result.ERROR_INVALID_EXTERNAL_HANDLE), f"{exporter} into {importer} returned {answer}"
    assert answer == 0 or is_open, f"{exporter} into {importer} failed with {answer} and closed the descriptor"
