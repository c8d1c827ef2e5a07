"""A payload keeps its state through unrelated use of the device."""

import pytest

from suites.ledger import rule
from suites.steps.members import members
from suites.steps.payloads import needs, puts, signaled, target, temporary
from suites.steps.signals import is_timeline, signal, wait_for

VALUE = 7


def idle_device(device, kind):
    """Wait for the idle device."""
    assert device.vk.vkDeviceWaitIdle(device.handle).is_success, "vkDeviceWaitIdle failed (SPEC-FUND-09)"


def idle_queues(device, kind):
    """Wait for each idle queue."""
    for queue in device.queues:
        assert device.vk.vkQueueWaitIdle(queue.handle).is_success, "vkQueueWaitIdle failed (SPEC-FUND-09)"


def others_made(device, kind):
    """Create semaphores of the kind, signal and wait for them, and destroy them."""
    for value in (1, 2, 3):
        made = device.semaphore(kind, export=True)
        signal(made, value)
        assert wait_for(made, value).finishes(), "a wait for a new semaphore does not end (SPEC-STATE-01)"
        made.destroy()


def others_exchanged(device, kind):
    """Export and import another payload, signal it and wait for it, and destroy its semaphores."""
    exporter, importer = device.semaphore(kind, export=True), device.semaphore(kind)
    signal(exporter, 1)
    importer.imports(exporter.exported(), temporary=not is_timeline(kind))
    assert wait_for(importer, 1).finishes(), "a wait on another payload does not end (SPEC-IMPORT-14, SPEC-IMPORT-15)"
    exporter.destroy()
    importer.destroy()


meanwhile = pytest.mark.parametrize(
    "meanwhile", [idle_device, idle_queues, others_made, others_exchanged], ids=lambda one: one.__name__
)


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-06")
@meanwhile
def test_a_temporary_payload_stays_until_the_wait(device, open_device, kind, meanwhile):
    """A temporary payload stays for the next wait on the semaphore, whatever else happens before that wait."""
    needs(device, temporary(kind))
    into, (_, descriptor) = target(device, open_device()), signaled(device, kind)
    one = puts(descriptor, into.semaphore, kind)

    meanwhile(one.device, kind)
    wait = into.waits()

    assert wait.finishes(), f"the temporary payload was lost before any wait for it: {wait} ({meanwhile.__doc__})"


@rule("SPEC-DESTROY-02", "SPEC-DESTROY-03", "SPEC-IMPORT-14")
@meanwhile
def test_a_shared_payload_stays_without_its_exporter(device, open_device, opaque_kind, meanwhile):
    """A payload keeps its state for importers after the exporter was destroyed, whatever the device then does."""
    exporter, importer, other = members(device, open_device(), opaque_kind).values()
    signal(exporter, VALUE)
    exporter.destroy()

    meanwhile(device, opaque_kind)
    wait = wait_for(importer, VALUE)

    assert wait.finishes(), f"the signal of a destroyed exporter was lost: {wait} ({meanwhile.__doc__})"
    assert not is_timeline(opaque_kind) or other.counter() == VALUE, (
        f"the counter changed from {VALUE} to {other.counter()}"
    )


@rule("SPEC-DESTROY-02", "SPEC-HANDLE-04", "SPEC-HANDLE-07")
@meanwhile
def test_a_descriptor_keeps_the_payload_meanwhile(device, open_device, kind, meanwhile):
    """A descriptor keeps its payload for a late import, after the exporter was destroyed and other payloads were used."""
    exporter, importer = device.semaphore(kind, export=True), open_device().semaphore(kind)
    signal(exporter, VALUE)
    descriptor = exporter.exported()
    exporter.destroy()

    meanwhile(device, kind)
    wait = wait_for(importer.imports(descriptor, temporary=not is_timeline(kind)), VALUE)

    assert wait.finishes(), f"the payload behind {descriptor} has lost its signal: {wait} ({meanwhile.__doc__})"
    assert not is_timeline(kind) or importer.counter() == VALUE, (
        f"the counter changed from {VALUE} to {importer.counter()}"
    )
