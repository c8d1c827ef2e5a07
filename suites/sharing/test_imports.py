"""One payload may be imported any number of times: into semaphores, devices and instances, and into itself."""

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, TIMELINE
from suites.ledger import rule
from suites.steps.exports import real
from suites.steps.members import device_at, each_place, members
from suites.steps.payloads import pending
from suites.steps.queues import second_queue
from suites.steps.signals import at, is_copy, is_timeline, needs_binary, signal, signal_behind_work, values, wait_for
from suites.steps.timelines import needs_timelines

MANY = 16


@rule("SPEC-IMPORT-04")
@each_place
@pytest.mark.parametrize("count", [2, MANY])
def test_one_payload_goes_into_many_semaphores(device, open_device, opaque_kind, permanence, place, count):
    """A payload imports any number of times, and the exporter's signals reach each importer."""
    temporary = allow_permanence(opaque_kind, permanence)
    importing, counter = device_at(place, device, open_device), values(opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)
    descriptor = exporter.exported()

    importers = [importing.semaphore(opaque_kind).imports(descriptor, temporary) for _ in range(count)]

    for number, importer in enumerate(importers, start=1):
        value = next(counter)
        signal(exporter, value)
        wait = wait_for(importer, value)
        assert wait.finishes(), f"the signal does not reach importer {number} of {count} ({place}): {wait}"


@rule("SPEC-IMPORT-04")
@each_place
@pytest.mark.parametrize("count", [2, MANY])
def test_one_payload_goes_many_times_into_one_semaphore(device, open_device, opaque_kind, permanence, place, count):
    """A payload imports again into a semaphore that has it, and the exporter's signals still reach the semaphore."""
    temporary = allow_permanence(opaque_kind, permanence)
    importing = device_at(place, device, open_device)
    exporter, target = device.semaphore(opaque_kind, export=True), importing.semaphore(opaque_kind)
    descriptor = exporter.exported()

    for _ in range(count):
        target.imports(descriptor, temporary)

    signal(exporter)
    wait = wait_for(target)
    assert wait.finishes(), (
        f"after {count} imports of one payload into one semaphore the signal does not reach it: {wait}"
    )


@rule("SPEC-IMPORT-04")
@pytest.mark.parametrize("instances", [2, 4])
def test_one_payload_goes_into_several_instances(device, open_device, opaque_kind, permanence, instances):
    """A payload imports into several instances, and the exporter's signals reach each of them."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporter, counter = device.semaphore(opaque_kind, export=True), values(opaque_kind)
    descriptor = exporter.exported()

    importers = [open_device().semaphore(opaque_kind).imports(descriptor, temporary) for _ in range(instances)]

    for number, importer in enumerate(importers, start=1):
        value = next(counter)
        signal(exporter, value)
        wait = wait_for(importer, value)
        assert wait.finishes(), f"the signal does not reach instance {number} of {instances}: {wait}"


@rule("SPEC-IMPORT-32", "SPEC-IMPORT-14")
@pytest.mark.parametrize("state", ["signaled", "unsignaled"])
def test_a_payload_imports_into_its_own_semaphore(device, open_device, opaque_kind, permanence, state):
    """A semaphore that imports its own payload keeps its state, and still shares it with the other members."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporter = device.semaphore(opaque_kind, export=True)
    descriptor = exporter.exported()
    other = open_device().semaphore(opaque_kind).imports(descriptor)
    if state == "signaled":
        signal(exporter)

    exporter.imports(descriptor, temporary)

    if state == "signaled":
        wait = wait_for(exporter)
        assert wait.finishes(), f"the signal was lost when its semaphore imported its own payload: {wait}"
    proof = shown(lambda n: (signal_behind_work(exporter, n, n + 1), wait_for(other, n + 1)))
    assert proof is Proof.HELD, f"a semaphore that imported its own payload signals, a member waits: {proof.value}"
    signal(other, 1000)
    wait = wait_for(exporter, 1000)
    assert wait.finishes(), f"another member's signal does not reach a semaphore that imported its own payload: {wait}"


@rule("SPEC-IMPORT-32", "SPEC-IMPORT-14", "SPEC-IMPORT-19")
def test_a_payload_is_one_above_and_below(device, open_device, opaque_kind):
    """One wait consumes the signal of a payload that is both the temporary and the permanent payload of its semaphore."""
    needs_binary(opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)
    descriptor = exporter.exported()
    other = open_device().semaphore(opaque_kind).imports(descriptor)
    signal(exporter)
    exporter.imports(descriptor, temporary=True)

    used = wait_for(exporter)
    assert used.finishes(), f"the signal was lost when its semaphore imported its own payload: {used}"

    proof = shown(lambda factor: (signal_behind_work(exporter, factor), wait_for(other)))
    assert proof is Proof.HELD, f"a wait consumed the one signal, then a member waits for the next: {proof.value}"


@rule("SPEC-IMPORT-33", "SPEC-IMPORT-14", "SPEC-STATE-01")
@each_place
@pytest.mark.parametrize("exported", ["before-the-signal", "while-it-is-pending"])
def test_a_pending_signal_is_waited_for_after_the_import(device, open_device, opaque_kind, permanence, place, exported):
    """A wait after the import of a payload with a pending signal holds until the signal has happened."""
    temporary = allow_permanence(opaque_kind, permanence)
    importing, counter = device_at(place, device, open_device), values(opaque_kind)

    def arrange(factor):
        exporter, target = device.semaphore(opaque_kind, export=True), importing.semaphore(opaque_kind)
        descriptor = exporter.exported() if exported == "before-the-signal" else None
        gate = signal_behind_work(exporter, factor, value := next(counter))
        target.imports(descriptor or exporter.exported(), temporary)
        return gate, wait_for(target, value)

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait for a payload that was imported while its signal was pending ({place}): {proof.value}"
    )


@rule("SPEC-IMPORT-33", "SPEC-STATE-09")
@pytest.mark.parametrize("link", [BINARY_OPAQUE, TIMELINE], ids=["binary", "timeline"])
def test_a_pending_signal_comes_after_the_work_of_another_queue(device, open_device, kind, link):
    """A wait for an imported payload holds while the batch that signals it waits for work of another queue."""
    if is_timeline(link):
        needs_timelines(device)
    importing, signaling = open_device(), second_queue(device)

    def arrange(factor):
        exporter, between = device.semaphore(kind, export=True), at(device.semaphore(link))
        gate = run_work(device, factor)
        device.queue.submit(signals=[between])
        signaling.submit(waits=[between], signals=[at(exporter)])
        descriptor = real(exporter.export_fd())
        return gate, wait_for(importing.semaphore(kind).imports(descriptor, temporary=is_copy(kind)))

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait for a payload whose signaling batch waits for a {link.semaphore_type} semaphore: {proof.value}"
    )


@rule("SPEC-IMPORT-33")
def test_the_end_of_earlier_work_is_no_signal(device, open_device, kind):
    """A wait for an imported payload that is signaled after two batches of work holds until the second is done."""
    importing = open_device()

    def arrange(factor):
        run_work(device)
        gate, _, descriptor = pending(device, kind, factor)
        return gate, wait_for(importing.semaphore(kind).imports(descriptor, is_copy(kind)))

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait for an imported payload that is signaled after two batches of work: {proof.value}"
    )


@rule("SPEC-IMPORT-13", "SPEC-IMPORT-11", "SPEC-IMPORT-14")
def test_an_import_by_reference_makes_no_copy(device, open_device, opaque_kind, permanence):
    """A signal of an importer reaches the exporter, and a wait of the exporter consumes it for all members."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporter, importer, _ = members(device, open_device(), opaque_kind, temporary).values()
    signal(importer, 1)

    wait = wait_for(exporter, 1)
    assert wait.finishes(), f"a signal of the importer does not reach the exporter: {wait}"

    def arrange(factor):  # a wait ends a temporary import, so each begins with its own
        importer.imports(exporter.exported(), temporary)
        return signal_behind_work(exporter, factor, factor + 1), wait_for(importer, factor + 1)

    proof = shown(arrange)
    assert proof is Proof.HELD, (
        f"the exporter consumed one signal of the importer, then signals; the importer waits: {proof.value}"
    )


@rule("SPEC-SHARE-01", "SPEC-IMPORT-31")
def test_what_is_pending_through_one_handle_binds_no_other(device, open_device, opaque_kind, permanence):
    """A semaphore may import another payload while a signal of its first payload is pending through other semaphores."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporter, importer, sibling = members(device, open_device(), opaque_kind).values()
    other = device.semaphore(opaque_kind, export=True)
    signal(other)
    descriptor = other.exported()
    signal_behind_work(exporter, factor=4)

    answer = importer.import_fd(descriptor.dup().fd, temporary=temporary)
    wait, late = wait_for(importer), wait_for(sibling)

    assert answer.is_success, f"an import into a semaphore whose payload another semaphore still uses returned {answer}"
    assert wait.finishes(), f"a wait for the newly imported payload does not end: {wait}"
    assert late.finishes(), f"a wait for the pending signal of the first payload does not end: {late}"


@rule("SPEC-IMPORT-14", "SPEC-FUND-02")
def test_two_devices_export_to_each_other(device, open_device, opaque_kind):
    """When two devices export at the same time, each imports the other's payload, not its own."""
    other = open_device()
    there, here = (one.semaphore(opaque_kind, export=True) for one in (device, other))
    exported = [there.exported(), here.exported()]
    from_there, from_here = (
        one.semaphore(opaque_kind).imports(of) for one, of in zip((other, device), exported, strict=True)
    )
    signal(there, 1000)

    proof = shown(lambda n: (signal_behind_work(here, n, n), wait_for(from_here, n)))
    wait = wait_for(from_there, 1000)

    assert proof is Proof.HELD, f"both devices exported; a wait on the second for the first one's signal: {proof.value}"
    assert wait.finishes(), f"both devices exported; the first one's signal does not reach the second: {wait}"


@rule("SPEC-IMPORT-14")
def test_members_of_different_payloads_do_not_meet(device, open_device, opaque_kind):
    """A signal of one payload does not reach the members of another payload, exported at the same time."""
    importing = open_device()
    first, second = (members(device, importing, opaque_kind) for _ in range(2))
    signal(first["exporter"], 1000)

    proof = shown(lambda n: (signal_behind_work(second["exporter"], n, n), wait_for(second["importer"], n)))
    assert proof is Proof.HELD, f"a wait for a payload while another payload is signaled: {proof.value}"

    wait = wait_for(first["importer"], 1000)
    assert wait.finishes(), f"a payload lost its signal while another payload was used: {wait}"
    assert not is_timeline(opaque_kind) or second["sibling"].counter() < 1000, (
        "two payloads do not keep their own values"
    )
