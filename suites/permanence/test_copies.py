"""SYNC_FD has copy transference: an export copies the payload and unsignals its source; each import has a copy of its own."""

import pytest

from fixtures.testbed import bench
from fixtures.testbed.devices import Semaphore
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, Kind
from fixtures.vulkan.outcomes import Broken
from fixtures.vulkan.registry import HandleType, SemaphoreType
from suites.ledger import rule
from suites.steps.exports import real
from suites.steps.members import another_device, close, device_at, each_place
from suites.steps.payloads import (
    each_permanent,
    needs_exportable_imports,
    pending,
    puts,
    shown_over_a_signal,
    signaled,
    target,
)
from suites.steps.queries import needs_pair
from suites.steps.queues import beside, second_queue
from suites.steps.signals import signal, signal_behind_work, wait_for

COPIES = 6
FRAMES = 3
ROUNDS = 16


@pytest.fixture
def neighbour(pytestconfig, device_info):
    """A device of another physical device, of any driver, that exports and imports SYNC_FD too."""
    opened = bench.open_device(another_device(pytestconfig, device_info, BINARY_SYNC))
    yield opened
    bench.close_device(opened)


@rule("SPEC-IMPORT-17", "SPEC-IMPORT-12")
def test_an_export_is_a_wait_for_its_source(device, sync_kind):
    """An export unsignals its semaphore, so it can be signaled, exported and waited for round after round."""
    exporter = device.semaphore(sync_kind, export=True)

    for number in range(ROUNDS):
        signal(exporter)
        exporter.exported()
        again = device.queue.submit(signals=[exporter])
        assert again.finishes(), f"round {number}: a signal after the export does not end: {again}"
        wait = wait_for(exporter)
        assert wait.finishes(), f"round {number}: a wait for the signal after the export does not end: {wait}"


@rule("SPEC-IMPORT-33", "SPEC-STATE-09")
def test_each_export_of_a_semaphore_is_of_its_signal_then(device, open_device, sync_kind):
    """A wait for the export of one frame holds until the work before the signal of that frame is done."""
    exporter, importing = device.semaphore(sync_kind, export=True), open_device()

    def arrange(factor):
        gate = signal_behind_work(exporter, factor)
        return gate, wait_for(importing.semaphore(sync_kind).imports(real(exporter.export_fd()), temporary=True))

    for frame in range(1, FRAMES + 1):
        proof = shown(arrange)
        assert proof is Proof.HELD, f"a wait for the export of frame {frame}: {proof.value}"


@rule("SPEC-IMPORT-17")
@pytest.mark.parametrize("exported", ["signaled", "signal-pending"])
def test_an_exported_semaphore_is_unsignaled(device, sync_kind, exported):
    """A wait on an exported semaphore holds for the next signal: the export consumed the first one."""
    queue = second_queue(device)

    def arrange(factor):
        exporter, _ = signaled(device, sync_kind) if exported == "signaled" else pending(device, sync_kind)[1:]
        return signal_behind_work(exporter, factor), queue.submit(waits=[exporter])

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait on a semaphore exported while {exported}, then signaled behind work: {proof.value}"
    )


@rule("SPEC-IMPORT-17")
def test_an_export_uses_the_signal_up_for_all_who_share_it(device, open_device, sync_kind):
    """After an export as SYNC_FD a wait through another semaphore of the payload holds for the next signal."""
    needs_pair(device, SemaphoreType.BINARY, HandleType.OPAQUE_FD, sync_kind.handle_type)
    exporter = device.semaphore(Kind(HandleType.OPAQUE_FD | sync_kind.handle_type, SemaphoreType.BINARY), export=True)
    member = open_device().semaphore(BINARY_OPAQUE).imports(exporter.exported(HandleType.OPAQUE_FD))

    def arrange(factor):
        signal(exporter)
        exporter.exported(sync_kind.handle_type)
        return signal_behind_work(exporter, factor), wait_for(member)

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait through another semaphore of a payload exported as SYNC_FD, then signaled behind work: {proof.value}"
    )


@rule("SPEC-IMPORT-18", "SPEC-IMPORT-17")
@each_permanent
def test_an_export_uses_a_temporary_payload_up(device, open_device, sync_kind, permanent):
    """An export of a temporary payload restores the permanent payload, with the signal that it had."""
    needs_exportable_imports(device, sync_kind)
    into = target(device, open_device(), permanent, is_signaled=True)
    puts(pending(device, sync_kind)[2], into.semaphore, sync_kind).exported()

    wait = into.waits()

    assert wait.finishes(), f"after the export of a temporary payload the permanent payload's signal is lost: {wait}"


@rule("SPEC-IMPORT-18", "SPEC-IMPORT-15", "SPEC-IMPORT-33")
@each_permanent
def test_a_copy_of_a_temporary_payload_is_signaled(device, open_device, sync_kind, permanent):
    """A wait for a copy of a pending temporary payload holds for its signal, and leaves the permanent payload signaled."""
    needs_exportable_imports(device, sync_kind)
    importing = open_device()

    def wait(semaphore):
        copy = real(Semaphore(importing, semaphore.handle, sync_kind).export_fd())
        return wait_for(puts(copy, importing.semaphore(), sync_kind))

    proof, into = shown_over_a_signal(device, importing, sync_kind, wait, permanent)
    own = into.waits()

    assert proof is Proof.HELD, f"a wait for a copy of a temporary payload over a signaled permanent one: {proof.value}"
    assert own.finishes(), (
        f"after a wait for a copy of the temporary payload the permanent payload's signal is lost: {own}"
    )


@rule("SPEC-IMPORT-15", "SPEC-IMPORT-13", "SPEC-IMPORT-12", "SPEC-IMPORT-16")
@each_place
def test_copies_are_independent(device, open_device, sync_kind, place):
    """Each import of a dup of a descriptor has a payload of its own: a wait for one leaves the others signaled."""
    importing = device_at(place, device, open_device)
    _, descriptor = signaled(device, sync_kind)
    copies = [puts(descriptor, importing.semaphore(), sync_kind) for _ in range(COPIES)]

    waits = [wait_for(one) for one in copies]

    ended = [wait.finishes() for wait in waits]
    assert all(ended), (
        f"only {ended.count(True)} of {COPIES} waits, each for its own copy of one signaled payload, ended"
    )


@rule("SPEC-IMPORT-15", "SPEC-IMPORT-33", "SPEC-IMPORT-12", "SPEC-STATE-01")
@each_place
def test_each_copy_waits_for_the_signal(device, open_device, sync_kind, place):
    """Waits for several copies of a payload whose signal is pending all hold until it has happened."""
    importing = device_at(place, device, open_device)

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, factor)
        copies = [puts(descriptor, importing.semaphore(), sync_kind) for _ in range(COPIES)]
        waits.append([wait_for(one) for one in copies])
        return gate, waits[-1][0]

    waits = []
    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the first of {COPIES} copies ({place}): {proof.value}"
    ended = [wait.finishes() for wait in waits[-1]]
    assert all(ended), f"only {ended.count(True)} of {COPIES} waits, each for its own copy of one payload, ended"


@rule("SPEC-IMPORT-15", "SPEC-STATE-01")
def test_a_batch_waits_for_a_copy_and_signals_its_source(device, sync_kind):
    """The signal that was pending at the export signals the copy, so a batch can wait for the copy and signal the source."""
    _, exporter, descriptor = pending(device, sync_kind)
    copy = puts(descriptor, device.semaphore(), sync_kind)

    both = beside(device).submit(waits=[copy], signals=[exporter])

    assert both.finishes(), f"a batch that waits for a copy and signals the source does not end: {both}"


@rule("SPEC-IMPORT-33", "SPEC-STATE-01")
@pytest.mark.parametrize("late", range(3), ids=["first", "second", "third"])
@each_place
def test_a_batch_waits_for_all_copies_that_it_names(device, open_device, sync_kind, place, late):
    """A batch that waits for copies of three payloads starts once the last of them is signaled, at any position."""
    importing = device_at(place, device, open_device)

    def arrange(factor):
        descriptors = [signaled(device, sync_kind)[1] for _ in range(2)]
        gate, _, descriptor = pending(device, sync_kind, factor)
        descriptors.insert(late, descriptor)
        copies = [puts(one, importing.semaphore(), sync_kind) for one in descriptors]
        return gate, beside(importing).submit(waits=copies)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a batch waits for three copies, one of a pending payload: {proof.value}"


@rule("SPEC-IMPORT-16", "SPEC-IMPORT-15")
def test_a_descriptor_is_signaled_after_its_copy_was_used(device, open_device, sync_kind):
    """A wait for a copy does not unsignal the exported payload: a dup of the descriptor imports again, signaled."""
    importing = open_device()
    _, descriptor = signaled(device, sync_kind)

    for number in range(1, COPIES):
        wait = wait_for(puts(descriptor, importing.semaphore(), sync_kind))
        assert wait.finishes(), f"a wait for import {number} of one descriptor does not end: {wait}"


@rule("SPEC-IMPORT-16", "SPEC-IMPORT-15")
def test_a_wait_for_a_copy_leaves_its_source_alone(device, open_device, sync_kind):
    """A wait for a copy leaves its source signaled when the source was signaled again after the export."""
    exporter, descriptor = signaled(device, sync_kind)
    copy = puts(descriptor, open_device().semaphore(), sync_kind)
    signal(exporter)

    wait = wait_for(copy)
    assert wait.finishes(), f"a wait for the copy does not end: {wait}"
    own = wait_for(exporter)

    assert own.finishes(), f"a wait for the copy took the signal of its source: {own}"


@rule("SPEC-IMPORT-15")
def test_the_source_is_used_and_the_copy_stays_signaled(device, open_device, sync_kind):
    """A copy stays signaled while its source is signaled, waited for and exported again."""
    exporter, descriptor = signaled(device, sync_kind)
    copy = puts(descriptor, open_device().semaphore(), sync_kind)

    for _ in range(4):
        signal(exporter)
        used = wait_for(exporter)
        assert used.finishes(), f"a wait for the source does not end: {used}"
        signal(exporter)
        exporter.exported()

    wait = wait_for(copy)
    assert wait.finishes(), f"a copy lost its signal while its source was used again: {wait}"


@rule("SPEC-IMPORT-12", "SPEC-IMPORT-17", "SPEC-IMPORT-16")
def test_a_copy_imports_into_its_source(device, sync_kind):
    """After a semaphore imported a copy of its own payload, one wait is for the copy, the next for its own new signal."""
    exporter, descriptor = signaled(device, sync_kind)
    puts(descriptor, exporter, sync_kind)

    copy = wait_for(exporter)
    assert copy.finishes(), f"a wait for the copy does not end: {copy}"
    signal(exporter)
    own = wait_for(exporter)

    assert own.finishes(), f"after a wait for the copy a wait for the semaphore's own signal does not end: {own}"


@rule("SPEC-IMPORT-12", "SPEC-IMPORT-15", "SPEC-IMPORT-33", "SPEC-HANDLE-07")
@pytest.mark.parametrize(("length", "gone"), [(2, False), (5, False), (2, True)], ids=["2", "5", "2-destroyed"])
def test_a_payload_is_copied_from_semaphore_to_semaphore(device, open_device, sync_kind, length, gone):
    """A copy of a copy of a pending payload is signaled by the first signal, also with the semaphores between destroyed."""
    needs_exportable_imports(device, sync_kind)
    importing = open_device()

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, factor)
        for _ in range(length - 1):
            between = importing.semaphore()
            descriptor = real(puts(descriptor, between, sync_kind).export_fd())
            if gone:
                between.destroy()
        return gate, wait_for(puts(descriptor, importing.semaphore(), sync_kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for a payload that was copied {length} times: {proof.value}"


@rule("SPEC-HANDLE-07")
@pytest.mark.parametrize("gone", ["semaphore", "device", "instance"])
def test_a_copy_outlives_its_source(device, open_device, sync_kind, gone):
    """After its source was destroyed a descriptor imports, and a wait for it ends."""
    exporting = open_device()
    gate, _, descriptor = pending(exporting, sync_kind)
    if not gate.finishes():
        raise Broken(f"the work before the signal does not end: {gate} (SPEC-FUND-09)")
    close(exporting, gone, device)

    wait = wait_for(puts(descriptor, device.semaphore(), sync_kind))

    assert wait.finishes(), f"after the {gone} was destroyed a wait for a copy does not end: {wait}"


@rule("SPEC-HANDLE-07", "SPEC-IMPORT-33")
def test_a_pending_copy_outlives_its_importers(device, open_device, sync_kind):
    """A descriptor with a pending signal imports again after an earlier importer was destroyed unused."""
    importing = open_device()

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, factor)
        puts(descriptor, unused := importing.semaphore(), sync_kind)
        unused.destroy()
        return gate, wait_for(puts(descriptor, importing.semaphore(), sync_kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for a second import, the first destroyed unused: {proof.value}"


@rule("SPEC-COMPAT-02", "SPEC-FUND-02")
def test_a_signaled_copy_crosses_to_another_device(device, neighbour, sync_kind):
    """A copy of a signaled payload as SYNC_FD is signaled on another physical device, whatever its UUIDs."""
    _, descriptor = signaled(device, sync_kind)

    wait = wait_for(puts(descriptor, neighbour.semaphore(), sync_kind))

    assert wait.finishes(), f"a wait on {neighbour} for a signaled copy from {device} does not end: {wait}"


@rule("SPEC-COMPAT-02", "SPEC-FUND-02", "SPEC-IMPORT-33")
def test_a_pending_copy_crosses_to_another_device(device, neighbour, sync_kind):
    """A wait on one physical device for a copy holds until the work on the other device is done."""

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, factor)
        return gate, wait_for(puts(descriptor, neighbour.semaphore(), sync_kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{device} signals, {neighbour} waits: {proof.value}"
