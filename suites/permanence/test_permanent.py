"""A permanent import replaces the payload that the semaphore had, and stays."""

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC
from suites.ledger import rule
from suites.steps.members import device_at, each_place
from suites.steps.payloads import needs, needs_exportable_imports, pending, puts, signaled, target
from suites.steps.signals import at, is_timeline, needs_binary, signal, signal_behind_work, values, wait_for

ROUNDS = 8

each_temporary = pytest.mark.parametrize("above", [BINARY_OPAQUE, BINARY_SYNC], ids=str)
"""The kind of the temporary payload that the permanent import replaces."""


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-11", "SPEC-IMPORT-08")
@each_place
def test_a_permanent_payload_stays(device, open_device, opaque_kind, place):
    """Every wait after a permanent import is for the imported payload; the last one holds for its signal."""
    exporter = device.semaphore(opaque_kind, export=True)
    into = device_at(place, device, open_device).semaphore(opaque_kind).imports(exporter.exported())

    for value in range(1, ROUNDS):
        signal(exporter, value)
        wait = wait_for(into, value)
        assert wait.finishes(), f"wait {value} after the import does not see the exporter's signal: {wait}"
    proof = shown(lambda n: (signal_behind_work(exporter, n, ROUNDS + n), wait_for(into, ROUNDS + n)))

    assert proof is Proof.HELD, f"wait {ROUNDS} after a permanent import: {proof.value}"


@rule("SPEC-IMPORT-08", "SPEC-IMPORT-31", "SPEC-IMPORT-33")
@pytest.mark.parametrize("state", ["signaled", "unsignaled", "used-before"])
def test_a_permanent_import_replaces_the_state(device, open_device, opaque_kind, state):
    """In any state of the semaphore, a wait after a permanent import holds for the imported payload's signal."""
    importing, counter = open_device(), values(opaque_kind)
    timeline = is_timeline(opaque_kind)

    def arrange(factor):
        into = importing.semaphore(opaque_kind, initial_value=1000 if timeline and state == "signaled" else 0)
        if state == "used-before" or (state == "signaled" and not timeline):
            signal(into, 1000)
        if state == "used-before":
            wait = wait_for(into, 1000)
            assert wait.finishes(), f"a wait before the import does not end: {wait}"
        gate, _, descriptor = pending(device, opaque_kind, factor, value := next(counter))
        return gate, wait_for(into.imports(descriptor), value)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait after a permanent import into a semaphore that was {state}: {proof.value}"


@rule("SPEC-IMPORT-08")
def test_the_replaced_payload_is_not_signaled_any_more(device, open_device, opaque_kind):
    """After a permanent import the semaphore's signals do not reach semaphores that share its former payload."""
    importing, counter = open_device(), values(opaque_kind)

    def arrange(factor):
        former, imported = (device.semaphore(opaque_kind, export=True) for _ in range(2))
        into, sharer = (importing.semaphore(opaque_kind).imports(former.exported()) for _ in range(2))
        into.imports(imported.exported())
        signal(into, 1000)
        wait = wait_for(imported, 1000)
        assert wait.finishes(), f"the imported payload does not get the signal: {wait}"
        return signal_behind_work(former, factor, value := next(counter)), wait_for(sharer, value)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait through a semaphore that shares the former payload: {proof.value}"


@rule("SPEC-IMPORT-08")
def test_the_replaced_payload_keeps_its_signal_for_others(device, open_device, opaque_kind):
    """A signal given before a permanent import stays in the former payload, for the semaphores that share it."""
    former = device.semaphore(opaque_kind, export=True)
    sharer = open_device().semaphore(opaque_kind).imports(former.exported())
    other = device.semaphore(opaque_kind, export=True)
    signal(former)

    former.imports(other.exported())

    wait = wait_for(sharer)
    assert wait.finishes(), (
        f"the former payload lost its signal when the semaphore that gave it imported another payload: {wait}"
    )
    signal(other, 2)
    wait = wait_for(former, 2)
    assert wait.finishes(), f"a wait for the imported payload's signal does not end: {wait}"


@rule("SPEC-IMPORT-08")
@pytest.mark.parametrize("imports", [2, 5])
def test_each_permanent_import_replaces_the_last(device, open_device, opaque_kind, imports):
    """After several permanent imports a wait holds for the last payload's signal, though the others are signaled."""
    importing, counter = open_device(), values(opaque_kind)

    def arrange(factor):
        into = importing.semaphore(opaque_kind)
        for _ in range(imports - 1):
            exporter = device.semaphore(opaque_kind, export=True)
            signal(exporter, 1000)
            into.imports(exporter.exported())
        gate, _, descriptor = pending(device, opaque_kind, factor, value := next(counter))
        return gate, wait_for(into.imports(descriptor), value)

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait after {imports} permanent imports, all payloads but the last signaled: {proof.value}"
    )


@rule("SPEC-IMPORT-08", "SPEC-IMPORT-20")
def test_an_export_is_of_the_payload_that_was_imported_last(device, open_device, opaque_kind):
    """After a permanent import a semaphore exports the imported payload, also where it was exported before."""
    needs_exportable_imports(device, opaque_kind)
    exporter, into = (device.semaphore(opaque_kind, export=True) for _ in range(2))
    into.exported().close()

    into.imports(exporter.exported())
    last = open_device().semaphore(opaque_kind).imports(into.exported())

    proof = shown(lambda factor: (signal_behind_work(exporter, factor, factor), wait_for(last, factor)))
    assert proof is Proof.HELD, f"an importer of the second export waits for the imported payload: {proof.value}"


@rule("SPEC-IMPORT-09", "SPEC-IMPORT-08")
@each_temporary
@pytest.mark.parametrize("below", ["signaled", "unsignaled"])
def test_a_permanent_import_replaces_a_temporary_payload(device, open_device, opaque_kind, above, below):
    """After a permanent import on top of a temporary one every wait holds for the permanent payload's signal."""
    needs_binary(opaque_kind)
    needs(device, above)
    importing = open_device()
    into = target(device, importing, is_signaled=below == "signaled").semaphore
    puts(signaled(device, above)[1], into, above)
    exporter = device.semaphore(opaque_kind, export=True)

    into.imports(exporter.exported())

    for number in (1, 2, 3):
        proof = shown(lambda factor: (signal_behind_work(exporter, factor), wait_for(into)))
        assert proof is Proof.HELD, (
            f"wait {number} after a permanent import replaced a temporary payload ({above}): {proof.value}"
        )


@rule("SPEC-IMPORT-09")
@pytest.mark.isolated
def test_a_replaced_temporary_payload_keeps_its_signal(device, open_device, opaque_kind):
    """A temporary payload that a permanent import replaced stays signaled for the semaphores that share it."""
    needs_binary(opaque_kind)
    into = target(device, open_device(), is_signaled=True).semaphore
    sharer, descriptor = signaled(device, opaque_kind)
    puts(descriptor, into, opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)

    into.imports(exporter.exported())
    signal(exporter)
    own = wait_for(into)

    assert own.finishes(), f"a wait for the permanent payload does not end: {own}"
    wait = wait_for(sharer)
    kept = wait.finishes(patience.seconds(patience.SIGNALED))
    assert kept, f"the replaced payload lost its signal before any wait for it: {wait}"


@rule("SPEC-IMPORT-09", "SPEC-IMPORT-06", "SPEC-IMPORT-05")
@each_temporary
def test_permanent_and_temporary_imports_take_turns(device, open_device, opaque_kind, above):
    """After a temporary, a permanent and a temporary import one wait is for the last import, all later ones for the permanent."""
    needs_binary(opaque_kind)
    needs(device, above)
    importing = open_device()
    into = importing.semaphore(opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)

    for number in range(4):
        puts(signaled(device, above)[1], into, above)
        into.imports(exporter.exported())
        puts(signaled(device, above)[1], into, above)
        wait = wait_for(into)
        assert wait.finishes(), f"turn {number}: the wait for the temporary payload does not end: {wait}"
        proof = shown(lambda factor: (signal_behind_work(exporter, factor), wait_for(into)))
        assert proof is Proof.HELD, f"turn {number}: the next wait, for the permanent payload: {proof.value}"


@rule("SPEC-IMPORT-08", "SPEC-IMPORT-31")
def test_a_signal_of_the_importer_reaches_the_imported_payload(device, open_device, opaque_kind):
    """After a permanent import a semaphore that was signaled before is signaled again, and the signal reaches the exporter."""
    importing = open_device()
    exporter, into = device.semaphore(opaque_kind, export=True), importing.semaphore(opaque_kind)
    signal(into, 1000)
    into.imports(exporter.exported())

    given = importing.queue.submit(signals=[at(into, 3)])
    assert given.finishes(), f"a signal after the import does not end: {given}"
    wait = wait_for(exporter, 3)

    assert wait.finishes(), f"the importer's signal does not reach the exporter: {wait}"
    assert not is_timeline(opaque_kind) or exporter.counter() == 3, (
        f"the importer signaled 3, the exporter's counter is {exporter.counter()}"
    )
