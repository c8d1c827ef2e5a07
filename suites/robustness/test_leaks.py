"""Thousands of rounds of each life cycle: descriptors, threads and memory do not grow with the rounds."""

import pytest

from fixtures.testbed import foreign
from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import HandleType, SemaphoreType
from suites.ledger import rule
from suites.steps.leaks import OTHERS, descriptors_left, growth, left_again
from suites.steps.payloads import puts
from suites.steps.queries import needs_path
from suites.steps.screens import open_screen
from suites.steps.signals import at, is_copy

pytestmark = [pytest.mark.isolated, pytest.mark.one_queue, pytest.mark.limit(30)]


def create(device, kind):
    """Create and destroy."""
    return lambda: device.semaphore(kind, export=True).destroy()


def export(device, kind):
    """Create, signal, export, close and destroy."""

    def one_round():
        semaphore = device.semaphore(kind, export=True)
        device.queue.submit(signals=[at(semaphore)])
        semaphore.exported().close()

    return one_round


def submit(device, kind):
    """Create, signal, wait and destroy."""

    def one_round():
        semaphore = device.semaphore(kind, export=True)
        device.queue.submit(signals=[at(semaphore)])
        device.queue.submit(waits=[at(semaphore)])

    return one_round


def refuse(device, kind):
    """Create, import a closed descriptor, and destroy."""

    def one_round():
        with foreign.stranger("closed", device) as closed:
            if device.semaphore(kind).import_fd(closed.fd, temporary=is_copy(kind)).is_success:
                unsupported(f"the driver accepted {closed.name}; SPEC-IMPORT-23 judges that")

    return one_round


def refuse_open(device, kind):
    """Create, import an eventfd, close that, and destroy."""

    def one_round():
        with foreign.stranger("eventfd", device) as eventfd:
            if device.semaphore(kind).import_fd(eventfd.fd, temporary=is_copy(kind)).is_success:
                unsupported(f"the driver accepted {eventfd.name}; SPEC-IMPORT-23 judges that")

    return one_round


@rule("SPEC-DESTROY-06")
@pytest.mark.parametrize("life", [create, export, submit, refuse, refuse_open], ids=lambda life: life.__name__)
def test_no_life_cycle_leaves_anything(device, kind, life):
    """Destroying a semaphore releases all that it took, whatever it was used for."""
    begun = life(device, kind)

    def one_round():
        begun()
        device.settle()

    left = left_again(one_round, growth(one_round), "descriptors", *OTHERS)

    assert not left, f"{life.__doc__} Left were {left}"


@rule("SPEC-DESTROY-06")
def test_acquires_and_presents_leave_nothing(open_device, device_info):
    """Destroying a semaphore that an acquire signaled releases all that it took, long before its device goes."""
    screen = open_screen(open_device, device_info)

    def one_round():
        screen.acquire(acquired := screen.device.semaphore())
        screen.device.queue.submit(waits=[acquired])
        screen.present()
        screen.device.settle()

    left = left_again(one_round, growth(one_round), "descriptors", *OTHERS)

    assert not left, f"acquiring images, waiting for them and presenting them left {left}"


@rule("SPEC-IMPORT-01")
def test_an_exchange_leaves_no_descriptor(device, kind, permanence):
    """Rounds of export, import, signal and wait leave no descriptor; threads, mappings and memory are a warning."""
    temporary = allow_permanence(kind, permanence)

    def one_round():
        exporter, importer = device.semaphore(kind, export=True), device.semaphore(kind)
        device.queue.submit(signals=[at(exporter)])
        with exporter.exported() as descriptor:
            importer.imports(descriptor, temporary)
        device.queue.submit(waits=[at(importer)])
        device.settle()

    left = descriptors_left(one_round)

    assert not left, f"exporting, importing, signaling and waiting left {left}"


@rule("SPEC-IMPORT-01")
@pytest.mark.parametrize("imported", [HandleType.OPAQUE_FD, HandleType.SYNC_FD], ids=lambda imported: imported.name)
def test_a_payload_that_an_export_ends_leaves_no_descriptor(device, imported):
    """An export as SYNC_FD, which ends a temporary import as a wait does, releases the imported payload."""
    needs_path(device, imported, HandleType.SYNC_FD)
    kind = Kind(imported | HandleType.SYNC_FD, SemaphoreType.BINARY)

    def one_round():
        exporter, importer = device.semaphore(kind, export=True), device.semaphore(kind, export=True)
        device.queue.submit(signals=[exporter])
        with exporter.exported(imported) as descriptor:
            puts(descriptor, importer, Kind(imported, SemaphoreType.BINARY))
        importer.exported(HandleType.SYNC_FD).close()
        device.settle()

    left = descriptors_left(one_round)

    assert not left, f"exporting as SYNC_FD what was imported temporarily as {imported} left {left}"
