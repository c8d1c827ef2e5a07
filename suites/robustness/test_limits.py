"""Calls without a free descriptor: they return a listed error, lose nothing, and work again afterwards."""

import os
import resource

import pytest

from fixtures.vulkan.journal import note
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result, results_of
from suites.ledger import rule
from suites.steps.exports import VALUE, export_in, real

# what a driver opens when it is first needed differs from process to process
pytestmark = [pytest.mark.isolated(fresh=True), pytest.mark.one_queue]
EXPECTED = {Result.ERROR_TOO_MANY_OBJECTS, Result.ERROR_OUT_OF_HOST_MEMORY}


@pytest.fixture
def full_table():
    """Fills the descriptor table: `full_table(free)` leaves room for `free` more; ends with the test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []

    def fill(free):
        note("fill_table", free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[0]), before[1]))
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        for _ in range(free):
            os.close(held.pop())

    def empty():
        note("empty_table")
        while held:
            os.close(held.pop())
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    yield fill, empty
    empty()


def pending_export(device, kind):
    """A semaphore in a state in which its kind can be exported."""
    semaphore = device.semaphore(kind, export=True, initial_value=VALUE if kind.semaphore_type else 0)
    if not kind.semaphore_type:
        semaphore.signal()
    return semaphore


@rule("SPEC-EXPORT-10")
@pytest.mark.parametrize("free", [0, 1])
def test_an_export_without_room_for_a_descriptor(device, exportable, full_table, free):
    """An export without a free descriptor fails with a listed error; a success comes with an open descriptor."""
    fill, empty = full_table
    semaphores = [pending_export(device, exportable) for _ in range(free + 4)]
    fill(free)

    exports = [semaphore.export_fd() for semaphore in semaphores]

    empty()
    for answer, descriptor in exports:
        assert answer in results_of("vkGetSemaphoreFdKHR"), f"vkGetSemaphoreFdKHR returned {answer}"
        if answer.is_success:
            assert real((answer, descriptor)).is_open, (
                f"vkGetSemaphoreFdKHR returned VK_SUCCESS and {descriptor}, which is not open"
            )
    refused = {answer for answer, descriptor in exports if not answer.is_success}
    assert refused <= EXPECTED, f"without a free descriptor vkGetSemaphoreFdKHR returned {refused}"


@rule("SPEC-EXPORT-10")
def test_exports_work_again_once_there_is_room(device, kind, full_table):
    """After an export failed for lack of descriptors, the next export succeeds, with the signal of the semaphore."""
    fill, empty = full_table
    semaphore, temporary = pending_export(device, kind), str(kind.handle_type) == "SYNC_FD"
    fill(0)
    first, _ = semaphore.export_fd()
    empty()
    if first.is_success:
        unsupported(f"the export without a free descriptor did not fail ({first}): SPEC-EXPORT-10 judges that")

    again, descriptor = semaphore.export_fd()

    assert again.is_success, f"after {first} for lack of descriptors the next export returned {again}"
    target = device.semaphore(kind).imports(descriptor, temporary)
    wait = device.queue.submit(waits=[(target, VALUE) if kind.semaphore_type else target])
    assert wait.finishes(), f"after {first} for lack of descriptors the signal is lost: {wait}"


@rule("SPEC-IMPORT-30", "SPEC-RESULT-02")
def test_an_import_without_room_loses_nothing(device, kind, full_table):
    """An import without a free descriptor succeeds, or fails with a listed error and leaves the imported descriptor open."""
    fill, empty = full_table
    answer, descriptor = export_in(device, kind, "signaled")
    assert answer.is_success, f"vkGetSemaphoreFdKHR returned {answer} (SPEC-CAPS-03)"
    target, temporary = device.semaphore(kind), str(kind.handle_type) == "SYNC_FD"
    fill(0)

    imported = target.import_fd(descriptor.fd, temporary=temporary)

    empty()
    assert imported in results_of("vkImportSemaphoreFdKHR"), f"vkImportSemaphoreFdKHR returned {imported}"
    if not imported.is_success:
        assert descriptor.is_open or descriptor.fd == -1, (
            f"the driver closed {descriptor} although the import failed with {imported}"
        )
        target.imports(descriptor, temporary)
    wait = device.queue.submit(waits=[(target, VALUE) if kind.semaphore_type else target])
    assert wait.finishes(), f"after an import without a free descriptor ({imported}) a wait does not end: {wait}"


@rule("SPEC-RESULT-03")
def test_a_semaphore_made_without_room_is_listed(device, exportable, full_table):
    """vkCreateSemaphore without a free descriptor succeeds or returns a listed error, and succeeds afterwards."""
    fill, empty = full_table
    vk, wanted = device.vk, (int(exportable.handle_type), int(exportable.semaphore_type) or None, 0)
    fill(0)

    answer, handle = vk.vkCreateSemaphore(device.handle, *wanted)

    empty()
    assert answer in results_of("vkCreateSemaphore"), f"without a free descriptor vkCreateSemaphore returned {answer}"
    if answer.is_success:
        vk.vkDestroySemaphore(device.handle, handle)
    again, handle = vk.vkCreateSemaphore(device.handle, *wanted)
    assert again.is_success, f"after {answer} for lack of descriptors vkCreateSemaphore returned {again}"
    vk.vkDestroySemaphore(device.handle, handle)
