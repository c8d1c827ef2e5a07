"""The device keeps the claims of vkGetPhysicalDeviceExternalSemaphoreProperties (Optional Semaphore Capabilities)."""

from itertools import product

import pytest

from fixtures.testbed.claims import EXPORTABLE
from fixtures.testbed.drivers import EXTENSION
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import Broken, unsupported
from fixtures.vulkan.registry import HandleType, Result, SemaphoreType
from suites.ledger import rule
from suites.steps.exports import VALUE, export_in, real
from suites.steps.queries import ask, needs, needs_pair

OPAQUE, SYNC = HandleType.OPAQUE_FD, HandleType.SYNC_FD
TIMELINE = Kind(OPAQUE, SemaphoreType.TIMELINE)
PATHS = [*product((OPAQUE, SYNC), (OPAQUE, SYNC), (SemaphoreType.BINARY,)), (OPAQUE, OPAQUE, SemaphoreType.TIMELINE)]
each_path = pytest.mark.parametrize(
    ("imported", "exported", "semaphore_type"), PATHS, ids=[f"{one}-to-{other}-{kind}" for one, other, kind in PATHS]
)
"""Handle type to import, handle type to export again, semaphore type; SYNC_FD is for binary semaphores alone."""


def ready(device, handle_types, semaphore_type):
    """A signaled semaphore that may be exported as any of `handle_types`; a timeline's counter is VALUE."""
    kind = Kind(handle_types, semaphore_type)
    semaphore = device.semaphore(kind, export=True, initial_value=VALUE if semaphore_type else 0)
    if not semaphore_type:
        semaphore.signal()
    return semaphore


def reaches(semaphore):
    """Whether a wait for an imported payload ends; for a timeline, whether its counter is VALUE."""
    if semaphore.kind.semaphore_type:
        return semaphore.counter() == VALUE
    return semaphore.device.queue.submit(waits=[semaphore]).finishes()


@rule("SPEC-CAPS-03", "SPEC-CAPS-08")
def test_what_is_exportable_is_exported(device, exportable):
    """A semaphore made for an EXPORTABLE handle type exports as that type, whatever else the device claims."""
    answer, descriptor = export_in(device, exportable, "signaled")

    assert answer == Result.SUCCESS, (
        f"the device claims {exportable} as exportable, but vkGetSemaphoreFdKHR returned {answer}"
    )
    if exportable.handle_type == OPAQUE or descriptor.fd != -1:
        assert descriptor.is_open, f"vkGetSemaphoreFdKHR succeeded with {descriptor}, which is not open"


@rule("SPEC-CAPS-04", "SPEC-CAPS-08")
def test_what_is_importable_is_imported(device, importable):
    """A handle of an IMPORTABLE type imports, and a signaled payload arrives signaled."""
    target, temporary = device.semaphore(importable), importable.handle_type == SYNC
    fd = -1
    if not temporary:
        needs(device.info, importable, EXPORTABLE)
        fd = ready(device, OPAQUE, importable.semaphore_type).exported().dup().fd

    answer = target.import_fd(fd, temporary=temporary)

    assert answer == Result.SUCCESS, (
        f"the device claims {importable} as importable, but vkImportSemaphoreFdKHR returned {answer}"
    )
    assert reaches(target), f"a signaled payload imported as {importable} is not signaled"


@rule("SPEC-CAPS-05")
@pytest.mark.parametrize("order", [(OPAQUE, SYNC), (SYNC, OPAQUE)], ids=["opaque-first", "sync-first"])
def test_compatible_handle_types_export_from_one_semaphore(device, order):
    """A semaphore made for two handle types that name each other as compatible exports as either."""
    needs_pair(device, SemaphoreType.BINARY, *order)
    semaphore = ready(device, OPAQUE | SYNC, SemaphoreType.BINARY)

    answers = {str(handle_type): semaphore.export_fd(handle_type)[0] for handle_type in order}

    assert set(answers.values()) == {Result.SUCCESS}, (
        f"exports of one semaphore as each of two compatible types returned {answers}"
    )


@rule("SPEC-CAPS-06", "SPEC-IMPORT-21")
@each_path
def test_what_exports_from_an_import_does(device, imported, exported, semaphore_type):
    """A payload imported as a type of exportFromImportedHandleTypes exports as the queried type, and stays signaled."""
    answer, works = _exported_again(device, imported, exported, semaphore_type, made_for_export=True)

    assert answer.is_success, f"the export as {exported} of a payload imported as {imported} returned {answer}"
    assert works(), f"a signaled payload imported as {imported} and exported as {exported} is not signaled"


@rule("SPEC-IMPORT-20", "SPEC-IMPORT-21")
@each_path
def test_what_can_be_exported_comes_with_the_payload(device, imported, exported, semaphore_type):
    """The semaphore that a payload was created with decides what it exports as, not the semaphore that imported it."""
    answer, works = _exported_again(device, imported, exported, semaphore_type, made_for_export=False)

    assert answer.is_success, (
        f"a semaphore made for no export imported as {imported} a payload made to export as {exported}: export {answer}"
    )
    assert works(), f"a signaled payload imported as {imported} and exported as {exported} is not signaled"


def _exported_again(device, imported, exported, semaphore_type, made_for_export):
    """(result of exporting an imported payload, whether the exported payload is signaled); `made_for_export` is the importer."""
    needs(device.info, Kind(imported, semaphore_type))
    needs(device.info, Kind(exported, semaphore_type))
    needs_pair(device, semaphore_type, imported, exported)
    if not ask(device.instance, exported, semaphore_type).from_imported & imported:
        unsupported(f"the device does not claim to export {exported} from an imported {imported}")
    first = real(ready(device, imported | exported, semaphore_type).export_fd(imported))
    second = device.semaphore(Kind(exported, semaphore_type), export=made_for_export)
    result = second.import_fd(first.dup().fd, imported, temporary=imported == SYNC)
    if not result.is_success:
        raise Broken(f"the import as {imported} returned {result} (SPEC-CAPS-04: the device claims to import)")

    answer, descriptor = second.export_fd(exported)

    third = device.semaphore(Kind(exported, semaphore_type))
    return answer, lambda: reaches(third.imports(descriptor, temporary=exported == SYNC))


@rule("ISSUE-VK_KHR_timeline_semaphore-8", "ISSUE-VK_KHR_timeline_semaphore-11")
def test_timelines_are_shared_on_the_strength_of_the_query(device_info, open_device):
    """Timeline semaphores claimed as exportable and importable are both, with only the timelineSemaphore feature enabled."""
    needs(device_info, TIMELINE)
    device = open_device(extensions=(EXTENSION, "VK_KHR_timeline_semaphore"), features=("timelineSemaphore",))
    exporter = device.semaphore(TIMELINE, export=True)

    importer = device.semaphore(TIMELINE).imports(exporter.exported())
    answer = exporter.host_signal(VALUE)

    assert answer.is_success, f"vkSignalSemaphore({VALUE}) on an exported timeline returned {answer}"
    assert importer.counter() == VALUE, (
        f"the exporter was signaled to {VALUE}, the importer's counter is {importer.counter()}"
    )
