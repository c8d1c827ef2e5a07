"""A payload that was imported as one handle type and is exported as another stays the payload that it was."""

import pytest

from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, Kind
from fixtures.vulkan.outcomes import too_late
from fixtures.vulkan.registry import HandleType, SemaphoreType
from suites.ledger import rule
from suites.permanence.other_process import copy_again
from suites.steps.exports import real
from suites.steps.payloads import needs_exportable_imports, pending, puts
from suites.steps.queries import needs_path
from suites.steps.signals import signal_behind_work, wait_for

OPAQUE, SYNC, BINARY = HandleType.OPAQUE_FD, HandleType.SYNC_FD, SemaphoreType.BINARY
BOTH = Kind(OPAQUE | SYNC, BINARY)
"""Of the semaphores that payloads come from: a payload exports as what that semaphore was made for."""


@rule("SPEC-IMPORT-33", "SPEC-IMPORT-21")
@pytest.mark.parametrize("imported", [OPAQUE, SYNC], ids=["OPAQUE_FD-to-SYNC_FD", "SYNC_FD-to-OPAQUE_FD"])
def test_a_pending_payload_is_exported_as_another_type(device, open_device, imported):
    """A wait for a payload that was imported and exported as another handle type holds for the signal pending all the while."""
    exported = SYNC if imported == OPAQUE else OPAQUE
    needs_path(device, imported, exported)
    importing = open_device()

    def arrange(factor):
        exporter = device.semaphore(BOTH, export=True)
        gate = signal_behind_work(exporter, factor)
        into = puts(real(exporter.export_fd(imported)), importing.semaphore(BOTH, export=True), Kind(imported, BINARY))
        last = puts(real(into.export_fd(exported)), device.semaphore(), Kind(exported, BINARY))
        return gate, wait_for(last)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"pending, imported as {imported}, exported as {exported}: {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-IMPORT-21")
def test_a_copy_that_is_shared_is_signaled_anew(device, open_device):
    """A pending copy that was exported as OPAQUE_FD, even twice, has one signal: a second wait holds for another."""
    needs_path(device, SYNC, OPAQUE)
    exporter, importing = device.semaphore(BOTH, export=True), open_device()
    signal_behind_work(exporter)
    into = puts(real(exporter.export_fd(SYNC)), importing.semaphore(BOTH, export=True), BINARY_SYNC)
    last = device.semaphore(BINARY_OPAQUE).imports(real(into.export_fd(OPAQUE)))
    into.exported(OPAQUE).close()

    first = wait_for(last)
    assert first.finishes(), f"a wait for a copy that was exported as OPAQUE_FD does not end: {first}"
    proof = shown(lambda factor: (signal_behind_work(last, factor), wait_for(last)))

    assert proof is Proof.HELD, f"a wait for the second signal of a copy that was exported as OPAQUE_FD: {proof.value}"


@rule("SPEC-IMPORT-33", "SPEC-FUND-03")
def test_a_copy_of_a_copy_comes_from_another_process(device, processes, sync_kind):
    """A wait for what another process exported of a pending copy holds for the signal, while that process does nothing more."""
    needs_exportable_imports(device, sync_kind)
    children = []

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, 4 * factor)
        children.append(processes.borrow(copy_again, device.info, sync_kind))
        children[-1].channel.send_fd(descriptor.fd)
        if (number := children[-1].channel.receive_descriptor()) == -1:
            too_late("the driver returned -1: there is no descriptor")
        return gate, wait_for(puts(Descriptor(number, device.vk, "received"), device.semaphore(), sync_kind))

    proof = shown(arrange)
    for child in children:
        child.channel.send("end")
        child.finish()

    assert proof is Proof.HELD, f"a wait for a copy that another process made of a pending copy: {proof.value}"
