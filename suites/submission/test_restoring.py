"""Each kind of wait ends a temporary import: by vkQueueBindSparse and vkQueuePresentKHR; an acquire counts as an import."""

import pytest

from fixtures.testbed import patience
from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE
from suites.ledger import rule
from suites.steps.payloads import pending
from suites.steps.queries import needs
from suites.steps.queues import each_command, queue_for
from suites.steps.screens import REJECTED, open_screen


@rule("SPEC-SUBMIT-05")
def test_a_wait_of_vkqueuebindsparse_brings_the_permanent_payload_back(device, kind):
    """A wait that vkQueueBindSparse submits ends a temporary import and restores the permanent payload."""
    allow_permanence(kind, "temporary")
    exporter, target = device.semaphore(kind, export=True), device.semaphore(kind)
    exporter.signal()
    target.signal()
    target.imports(exporter.exported(), temporary=True)

    first = queue_for(device, "vkQueueBindSparse").submit(waits=[target], through="vkQueueBindSparse")
    ended = first.finishes()
    second = device.queue.submit(waits=[target])

    assert ended, f"a wait on a signaled temporary payload did not end: {first}"
    assert second.finishes(), f"the permanent payload, signaled before the import, is not restored: {second}"


@rule("SPEC-SUBMIT-05")
def test_a_wait_of_vkqueuebindsparse_is_for_the_temporary_payload(device, open_device, kind):
    """A wait that vkQueueBindSparse submits holds for the temporary payload's signal, though the permanent one is signaled."""
    allow_permanence(kind, "temporary")
    queue, exporting, targets = queue_for(device, "vkQueueBindSparse"), open_device(), []

    def arrange(factor):
        targets.append(device.semaphore(kind))
        targets[-1].signal()
        gate, _, descriptor = pending(exporting, kind, factor)
        targets[-1].imports(descriptor, temporary=True)
        return gate, queue.submit(waits=targets[-1:], through="vkQueueBindSparse")

    proof = shown(arrange)
    second = device.queue.submit(waits=targets[-1:])

    assert proof is Proof.HELD, f"a wait for a temporary payload over a signaled permanent one: {proof.value}"
    assert second.finishes(), f"the permanent payload, signaled before the import, is not restored: {second}"


@rule("SPEC-SUBMIT-05")
def test_after_a_wait_of_vkqueuebindsparse_the_semaphore_shares_its_permanent_payload(device, opaque_kind):
    """After a wait that vkQueueBindSparse submits, signals of the permanent payload reach the semaphore again."""
    allow_permanence(opaque_kind, "temporary")
    exporter, target = device.semaphore(opaque_kind, export=True), device.semaphore(opaque_kind, export=True)
    partner = device.semaphore(opaque_kind).imports(target.exported())
    exporter.signal()
    target.imports(exporter.exported(), temporary=True)

    first = queue_for(device, "vkQueueBindSparse").submit(waits=[target], through="vkQueueBindSparse")
    ended = first.finishes()
    partner.signal()
    second = device.queue.submit(waits=[target])

    assert ended, f"a wait on a signaled temporary payload did not end: {first}"
    assert second.finishes(), f"a signal of the permanent payload does not reach the semaphore: {second}"


@rule("SPEC-SUBMIT-05")
@pytest.mark.isolated
def test_a_present_brings_the_permanent_payload_back(open_device, device_info, kind):
    """A wait that vkQueuePresentKHR submits ends a temporary import and restores the permanent payload."""
    allow_permanence(kind, "temporary")
    screen = open_screen(open_device, device_info)
    device, acquiring = screen.device, screen.device.semaphore()
    screen.acquire(acquiring)
    device.queue.submit(waits=[acquiring])
    exporter, target = device.semaphore(kind, export=True), device.semaphore(kind)
    exporter.signal()
    target.signal()
    target.imports(exporter.exported(), temporary=True)

    answer = screen.present(target)
    second = device.queue.submit(waits=[target])

    assert not answer.is_error or answer in REJECTED, (
        f"vkQueuePresentKHR that waits for a temporary payload returned {answer}"
    )
    assert second.finishes(), f"the permanent payload, signaled before the import, is not restored: {second}"


def _sharing(device, role):
    """A semaphore to acquire with, and one that shares its permanent payload; `role` says which imported it."""
    needs(device.info, BINARY_OPAQUE)
    exporter = device.semaphore(BINARY_OPAQUE, export=True)
    importer = device.semaphore(BINARY_OPAQUE).imports(exporter.exported())
    return (importer, exporter) if role == "importer" else (exporter, importer)


each_role = pytest.mark.parametrize("role", ["importer", "exporter"])
"""Whether the semaphore that acquires imported its permanent payload, or was created with it."""


@rule("SPEC-WSI-01")
@pytest.mark.isolated
@pytest.mark.parametrize("before", ["nothing", "temporary-import"])
@each_command
@each_role
def test_the_wait_after_an_acquire_restores_the_payload(open_device, device_info, role, through, before):
    """The wait after vkAcquireNextImageKHR restores the permanent payload, shared as before."""
    screen = open_screen(open_device, device_info)
    target, partner = _sharing(screen.device, role)
    if before == "temporary-import":
        target.imports(screen.device.semaphore(BINARY_OPAQUE, export=True).exported(), temporary=True)
    queue = queue_for(screen.device, through)

    screen.acquire(target)
    first = queue.submit(waits=[target], through=through)
    ended = first.finishes()
    partner.signal()
    second = screen.device.queue.submit(waits=[target])

    assert ended, f"a wait for an acquired image did not end: {first}"
    assert second.finishes(), f"a signal of the permanent payload does not reach the semaphore: {second}"


@rule("SPEC-WSI-01")
@pytest.mark.isolated
@each_role
def test_an_acquire_leaves_the_permanent_payload_alone(open_device, device_info, role):
    """A signal of the permanent payload between vkAcquireNextImageKHR and the next wait stays for the wait after that."""
    screen = open_screen(open_device, device_info)
    target, partner = _sharing(screen.device, role)

    screen.acquire(target)
    partner.signal()
    waits = [screen.device.queue.submit(waits=[target]) for _ in range(2)]

    assert waits[0].finishes(), f"a wait for an acquired image did not end: {waits[0]}"
    kept = waits[1].finishes(patience.seconds(patience.SIGNALED))
    assert kept, f"the permanent payload lost a signal that it got after the acquire: {waits[1]}"


@rule("SPEC-IMPORT-06")
@each_command
def test_a_wait_that_is_held_back_brings_the_permanent_payload_back(device, timeline, kind, through):
    """A second wait is for the permanent payload, although the batch of the first also waits for a timeline, and holds."""
    allow_permanence(kind, "temporary")
    exporter, target = device.semaphore(kind, export=True), device.semaphore(kind)
    exporter.signal()
    target.signal()
    target.imports(exporter.exported(), temporary=True)
    queue = queue_for(device, through)

    first = queue.submit(waits=[target, (timeline, 1)], through=through)
    second = queue.submit(waits=[target], through=through)
    timeline.host_signal(1)

    assert first.finishes(), f"a wait for a temporary payload and a timeline did not end: {first}"
    assert second.finishes(), f"the permanent payload, signaled before the import, is not restored: {second}"
