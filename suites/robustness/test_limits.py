"""Calls without a free descriptor: they return a listed error, lose nothing, and work again afterwards."""

import os
import resource

import pytest

from fixtures.testbed.descriptors import open_descriptors
from fixtures.testbed.devices import Semaphore
from fixtures.testbed.instances import LACK
from fixtures.vulkan.journal import note
from fixtures.vulkan.outcomes import declined, unsupported
from fixtures.vulkan.registry import results_of
from suites.ledger import rule
from suites.steps.exports import VALUE, export_in, real
from suites.steps.signals import at, first_stuck, is_copy, is_timeline

# what a driver opens when it is first needed differs from process to process
pytestmark = [pytest.mark.isolated(fresh=True), pytest.mark.one_queue]
FEWEST = 256
"""Descriptors that the table has room for when it is full, or ROOM more than are open already."""
ROOM = 8


@pytest.fixture
def full_table():
    """Fills the descriptor table: `full_table(free)` leaves room for `free` more; ends with the test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []

    def fill(free):
        note("fill_table", free)
        least = max(FEWEST, len(open_descriptors()) + ROOM)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(least, before[0]), before[1]))
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
    semaphore = device.semaphore(kind, export=True, initial_value=VALUE if is_timeline(kind) else 0)
    if not is_timeline(kind):
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


@rule("SPEC-EXPORT-10")
def test_exports_work_again_once_there_is_room(device, kind, full_table):
    """After an export failed for lack of descriptors, the next export succeeds, with the signal of the semaphore.

    An export as SYNC_FD that failed otherwise than for lack of memory may have unsignaled it: another one is exported then.
    """
    fill, empty = full_table
    semaphore = pending_export(device, kind)
    fill(0)
    first, _ = semaphore.export_fd()
    empty()
    if first.is_success:
        unsupported(f"the export without a free descriptor did not fail ({first}): SPEC-EXPORT-10 judges that")
    if is_copy(kind) and first not in LACK:
        semaphore = pending_export(device, kind)

    again, descriptor = semaphore.export_fd()

    assert again.is_success, f"after {first} for lack of descriptors the next export returned {again}"
    target = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
    wait = device.queue.submit(waits=[at(target, VALUE)])
    assert wait.finishes(), f"after {first} for lack of descriptors the signal is lost: {wait}"


@rule("SPEC-IMPORT-30", "SPEC-RESULT-02")
def test_an_import_without_room_loses_nothing(device, kind, full_table):
    """An import without a free descriptor succeeds, or fails with a listed error and leaves the imported descriptor open."""
    fill, empty = full_table
    answer, descriptor = export_in(device, kind, "signaled")
    assert answer.is_success, f"vkGetSemaphoreFdKHR returned {answer} (SPEC-CAPS-03)"
    target, temporary = device.semaphore(kind), is_copy(kind)
    fill(0)

    imported = target.import_fd(descriptor.fd, temporary=temporary)

    empty()
    assert imported in results_of("vkImportSemaphoreFdKHR"), f"vkImportSemaphoreFdKHR returned {imported}"
    if not imported.is_success:
        assert descriptor.is_open or descriptor.fd == -1, (
            f"the driver closed {descriptor} although the import failed with {imported}"
        )
        target.imports(descriptor, temporary)
    wait = device.queue.submit(waits=[at(target, VALUE)])
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


@rule("SPEC-STATE-01")
def test_a_semaphore_made_without_room_works(device, exportable, full_table):
    """A semaphore whose vkCreateSemaphore succeeded without a free descriptor is signaled and waited for as any other."""
    fill, empty = full_table
    fill(0)

    answer, handle = device.vk.vkCreateSemaphore(
        device.handle, int(exportable.handle_type), int(exportable.semaphore_type) or None, 0
    )

    empty()
    if not answer.is_success:
        declined(f"without a free descriptor vkCreateSemaphore returned {answer}")
    semaphore = Semaphore(device, handle, exportable)
    device.later(semaphore.destroy)
    submissions = [device.queue.submit(signals=[at(semaphore)]), device.queue.submit(waits=[at(semaphore)])]
    stuck = first_stuck(submissions)
    assert not stuck, f"a signal of a semaphore made without a free descriptor, or a wait for it, did not end: {stuck}"
