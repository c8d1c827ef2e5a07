"""Imports that the specification leaves open: another semaphore type, an unclaimed handle type, a closed descriptor."""

import pytest

from fixtures.testbed.foreign import closed_number
from fixtures.testbed.kinds import JUDGED_KINDS, KINDS
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import FeatureFlag, HandleType, Result, result
from suites.importing.other_process import import_null_device, import_other_type
from suites.ledger import rule
from suites.steps.foreign_imports import STRANGER_LIMIT, import_in_time

TIMELINE, BINARY = KINDS[1], KINDS[0]


@rule("SPEC-IMPORT-35")
@pytest.mark.parametrize("handle_type", [HandleType.OPAQUE_FD, HandleType.SYNC_FD], ids=str)
def test_a_handle_type_that_is_not_claimed_is_refused(device_info, handle_type, processes):
    """An import as a handle type that the device does not claim is refused as an invalid external handle."""
    kind = next(k for k in JUDGED_KINDS if k.handle_type == handle_type)
    if device_info.features(kind) & FeatureFlag.IMPORTABLE:
        unsupported(f"the device claims {handle_type} as importable")

    ending = processes.run(import_null_device, device_info, kind, limit=STRANGER_LIMIT + 10)

    assert ending.how == "returned", f"an import as {handle_type}, which is not claimed, ended with {ending}"
    refused = Result.ERROR_INVALID_EXTERNAL_HANDLE
    assert ending.value == refused, f"an import as {handle_type}, which is not claimed, returned {result(ending.value)}"


@rule("SPEC-IMPORT-26")
@pytest.mark.isolated
def test_a_number_that_is_no_descriptor_is_an_error(device, importable):
    """An import of a closed descriptor number returns an error."""
    fd = closed_number()

    result = import_in_time(device.semaphore(importable), fd, temporary=not importable.semaphore_type)

    assert result.is_error, f"the import of the closed descriptor {fd} returned {result}"


@rule("SPEC-IMPORT-27")
@pytest.mark.parametrize(("exporter", "importer"), [(TIMELINE, BINARY), (BINARY, TIMELINE)], ids=str)
def test_a_payload_of_the_other_type(device_info, exporter, importer, processes):
    """An import of a timeline into a binary semaphore, or the reverse, succeeds, or is refused and leaves the descriptor open."""
    for kind in (exporter, importer):
        if not device_info.features(kind):
            unsupported(f"{kind.handle_type} of {kind.semaphore_type} semaphores: not claimed")

    ending = processes.run(import_other_type, device_info, exporter, importer)

    assert ending.how == "returned", f"the import of {exporter} into {importer} ended with {ending}"
    answer, is_open = result(ending.value[0]), ending.value[1]
    assert answer in (0, Result.ERROR_INVALID_EXTERNAL_HANDLE), (
        f"the import of {exporter} into {importer} returned {answer}"
    )
    assert answer == 0 or is_open, (
        f"the driver closed the descriptor although the import of {exporter} into {importer} failed with {answer}"
    )
