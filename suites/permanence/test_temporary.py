"""A temporary import lasts until the next wait on the semaphore is submitted; then the permanent payload is back."""

import pytest

from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import Proof, shown, watch
from fixtures.testbed.semaphores import BINARY_OPAQUE
from suites.ledger import rule
from suites.steps.members import FAMILIES, device_at, each_place, queue_of, signal, signal_behind_work, wait_for
from suites.steps.payloads import (
    each_permanent,
    needs,
    needs_exportable_imports,
    pending,
    puts,
    signaled,
    target,
    temporary,
    wait_at,
)
from suites.steps.queues import each_command, queue_for, unwatched

FRAMES = 32

each_state = pytest.mark.parametrize("state", ["signaled", "unsignaled"])
"""The state of the permanent payload when another one is imported temporarily."""


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-31", "SPEC-IMPORT-33", "SPEC-STATE-01")
@each_place
@each_permanent
@each_state
def test_the_next_wait_is_for_the_temporary_payload(device, open_device, kind, place, permanent, state):
    """The wait after a temporary import holds for the imported payload's signal, whatever the semaphore's own state."""
    temporary(kind)
    importing = device_at(place, device, open_device)

    def arrange(factor):
        into = target(device, importing, permanent, state == "signaled").semaphore
        gate, _, descriptor = pending(device, kind, factor)
        return gate, wait_for(puts(descriptor, into, kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a pending payload over a semaphore that is {state} ({place}): {proof.value}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19", "SPEC-IMPORT-31", "SPEC-IMPORT-05")
@each_place
@each_permanent
def test_a_signal_below_is_back_after_one_wait(device, open_device, kind, place, permanent):
    """A semaphore that was signaled before a temporary import is signaled again after one wait."""
    temporary(kind)
    into = target(device, device_at(place, device, open_device), permanent, is_signaled=True)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)

    first = into.waits()
    assert first.finishes(), f"a wait for the temporary payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"the signal below the temporary payload is not there after a wait: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
def test_the_payload_is_back_as_soon_as_the_wait_is_submitted(device, open_device, kind, permanent):
    """A second wait, submitted while the first still holds, is for the permanent payload."""
    temporary(kind)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, permanent, is_signaled=True)
        gate, _, descriptor = pending(device, kind, factor)
        puts(descriptor, into.semaphore, kind)
        into.waits()
        return gate, into.waits()

    proof = shown(arrange)

    assert proof is Proof.HELD, f"two waits at once, for the temporary payload and the one below: {proof.value}"


@rule("SPEC-IMPORT-14")
@pytest.mark.isolated
def test_an_export_is_of_the_temporary_payload(device, open_device, opaque_kind):
    """While a temporary payload is in place an export is of it, not of the permanent one below."""
    temporary(opaque_kind)
    needs_exportable_imports(device, opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)
    into = puts(exporter.exported(), open_device().semaphore(opaque_kind, export=True), opaque_kind)

    last = open_device().semaphore(opaque_kind).imports(into.exported())

    signal(exporter)
    wait = wait_for(last)
    assert wait.finishes(), f"a signal of the first exporter does not reach who imported from the importer: {wait}"


@rule("SPEC-IMPORT-37")
def test_the_permanent_payload_is_exported_while_the_wait_holds(device, open_device, opaque_kind):
    """An export right behind the submission of the wait, before that has ended, is of the permanent payload."""
    temporary(opaque_kind)
    into, elsewhere = open_device().semaphore(BINARY_OPAQUE, export=True), open_device()
    _, _, descriptor = pending(device, opaque_kind)
    first = wait_for(puts(descriptor, into, opaque_kind))

    answer, exported = into.export_fd()

    assert answer.is_success, f"vkGetSemaphoreFdKHR behind the submission of a wait returned {answer}"
    assert first.finishes(), f"the wait for the temporary payload does not end: {first}"
    signal(elsewhere.semaphore(BINARY_OPAQUE).imports(exported))
    second = wait_for(into)
    assert second.finishes(), (
        f"exported between submission and end of a wait, the payload is not the permanent one: {second} "
        "(Importing Semaphore Payloads, read as: restored once the submission returns)"
    )


@rule("SPEC-IMPORT-06", "SPEC-CAPS-03")
def test_a_semaphore_exports_its_own_payload_again_after_the_wait(device, open_device, kind):
    """Once a wait has ended a temporary import, what the semaphore was made to export exports, and is its own payload."""
    needs(device, BINARY_OPAQUE, temporary(kind))
    into, elsewhere = open_device().semaphore(BINARY_OPAQUE, export=True), open_device()
    _, descriptor = signaled(device, kind)
    first = wait_for(puts(descriptor, into, kind))
    assert first.finishes(), f"the wait for the temporary payload does not end: {first} (SPEC-IMPORT-05)"

    answer, exported = into.export_fd()

    assert answer.is_success, f"after a temporary import of {kind} has ended vkGetSemaphoreFdKHR returned {answer}"
    signal(elsewhere.semaphore(BINARY_OPAQUE).imports(exported))
    second = wait_for(into)
    assert second.finishes(), f"what it exported is not its own payload: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
def test_two_waits_of_one_call_are_for_two_payloads(device, open_device, kind, permanent):
    """Of two batches of one submission that wait on a semaphore the second is for the permanent payload."""
    temporary(kind)
    into = target(device, open_device(), permanent, is_signaled=True)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)
    one = batch_of(waits=[into.semaphore])

    both = into.semaphore.device.queue.submit_batches([one, one])

    assert both.finishes(), f"two batches that wait, for the temporary payload and the signal below it: {both}"


@rule("SPEC-IMPORT-06")
@each_permanent
def test_a_wait_without_a_fence_brings_the_payload_back(device, open_device, kind, permanent):
    """A temporary import ends with a wait that nobody watches, too."""
    temporary(kind)
    into = target(device, open_device(), permanent)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)

    answer = unwatched(into.semaphore.device.queue, waits=[into.semaphore])

    assert answer.is_success, f"a wait without a fence for the temporary payload ended with {answer}"
    proof = shown(lambda factor: (signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)))
    assert proof is Proof.HELD, f"behind a wait without a fence, a wait for the permanent payload: {proof.value}"


@rule("SPEC-IMPORT-06")
@each_permanent
def test_a_wait_in_a_later_batch_brings_the_payload_back(device, open_device, kind, permanent):
    """A temporary import ends with a wait in the second batch of a submission, too."""
    temporary(kind)
    into = target(device, open_device(), permanent, is_signaled=True)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)

    first = into.semaphore.device.queue.submit_batches([batch_of(), batch_of(waits=[into.semaphore])])
    assert first.finishes(), f"a wait in the second batch for the temporary payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"after a wait in a second batch the signal below is not there: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
@each_state
def test_nothing_of_the_temporary_payload_is_left(device, open_device, kind, permanent, state):
    """After the waits for the temporary payload and for a signal below it the next wait holds for a new signal."""
    temporary(kind)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, permanent, state == "signaled")
        _, descriptor = signaled(device, kind)
        puts(descriptor, into.semaphore, kind)
        for submission in [into.waits() for _ in range(2 if state == "signaled" else 1)]:
            assert submission.finishes(), f"a wait before the one in question does not end: {submission}"
        return signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"after all signals were used up a wait for the permanent payload: {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-IMPORT-06")
def test_a_signal_that_the_permanent_payload_gets_meanwhile_is_kept(device, open_device, kind):
    """What others signal below a temporary payload is there for the wait after the one that ends it."""
    temporary(kind)
    into = target(device, open_device(), "imported")
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)
    signal(into.below)

    first = into.waits()
    assert first.finishes(), f"a wait for the temporary payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"a signal that the permanent payload got meanwhile was lost: {second}"


@rule("SPEC-IMPORT-14", "SPEC-IMPORT-06")
def test_a_signal_that_others_use_up_meanwhile_is_gone(device, open_device, kind):
    """What others wait for below a temporary payload does not come back with the wait that ends it."""
    temporary(kind)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, "imported", is_signaled=True)
        _, descriptor = signaled(device, kind)
        puts(descriptor, into.semaphore, kind)
        for submission in (wait_for(into.below), into.waits()):
            assert submission.finishes(), f"a wait before the one in question does not end: {submission}"
        return signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"the signal below was used up during a temporary import: {proof.value}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19", "SPEC-IMPORT-11")
@each_permanent
def test_a_signal_after_the_wait_is_not_the_temporary_payloads(device, open_device, opaque_kind, permanent):
    """Once it is back on its permanent payload, the semaphore's signals no longer reach who shares the temporary one."""
    temporary(opaque_kind)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, permanent).semaphore
        exporter, descriptor = signaled(device, opaque_kind)
        sharer = importing.semaphore(opaque_kind).imports(descriptor)
        used = wait_for(puts(descriptor, into, opaque_kind))
        assert used.finishes(), f"a wait for the temporary payload does not end: {used}"
        signal(into)
        return signal_behind_work(exporter, factor), wait_for(sharer)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"the semaphore is signaled, who shared its former payload waits: {proof.value}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-14")
def test_signals_do_not_use_the_temporary_payload_up(device, open_device, opaque_kind):
    """A semaphore stays on its temporary payload while it is signaled and others wait, until its own next wait."""
    temporary(opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)
    into = target(device, open_device(), is_signaled=True)
    puts(exporter.exported(), into.semaphore, opaque_kind)

    signal(into.semaphore)
    theirs = wait_for(exporter)
    assert theirs.finishes(), f"a signal through the temporary payload does not reach its exporter: {theirs}"
    proof = watch(signal_behind_work(exporter), into.waits())
    assert proof in (Proof.HELD, Proof.NOT_SHOWN), f"after a signal the semaphore's wait: {proof.value}"
    back = into.waits()

    assert back.finishes(), f"after that wait the signal of the permanent payload is not there: {back}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
@each_command
def test_a_wait_of_any_command_brings_the_payload_back(device, open_device, kind, permanent, through):
    """Whichever command submits the wait, the permanent payload is there for the next one."""
    temporary(kind)
    importing = open_device()
    queue, into = queue_for(importing, through), target(device, importing, permanent, is_signaled=True)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)

    first = queue.submit(waits=[into.semaphore], through=through)
    assert first.finishes(), f"a wait for the temporary payload does not end: {first}"
    second = queue.submit(waits=[into.semaphore], through=through)

    assert second.finishes(), f"after a wait of {through} the signal below is not there: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_wait_on_any_queue_family_brings_the_payload_back(device, open_device, kind, family):
    """Whichever family waits, the permanent payload is there for the next wait, there and on the first queue."""
    temporary(kind)
    importing = open_device(families="all")
    queue, into = queue_of(importing, family), target(device, importing, is_signaled=True)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)

    first = queue.submit(waits=[into.semaphore])
    assert first.finishes(), f"a wait on family {family} for the temporary payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"after a wait on family {family} the signal below is not there: {second}"


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
def test_a_payload_is_imported_for_every_frame(device, open_device, kind, permanent):
    """Temporary imports and uses of the permanent payload take turns, frame by frame, in one semaphore."""
    temporary(kind)
    into = target(device, open_device(), permanent)
    exporter = device.semaphore(kind, export=True)

    for frame in range(FRAMES):
        signal(exporter)
        puts(exporter.exported(), into.semaphore, kind)
        wait = into.waits()
        assert wait.finishes(), f"frame {frame}: a wait for the temporary payload does not end: {wait}"
        signal(into.below)
        wait = into.waits()
        assert wait.finishes(), f"frame {frame}: a wait for the permanent payload does not end: {wait}"


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-06")
def test_both_spellings_import_temporarily(open_device, kind):
    """A payload imports for one wait also through a device that is used by the names with the KHR suffix."""
    temporary(kind)
    exporting, importing = open_device(), open_device("KHR")
    into = target(exporting, importing, is_signaled=True)

    def arrange(factor):
        gate, _, descriptor = pending(exporting, kind, factor)
        return gate, wait_for(puts(descriptor, into.semaphore, kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the temporary payload: {proof.value}"
    wait = into.waits()
    assert wait.finishes(), f"after it the signal below is not there: {wait}"


@rule("SPEC-IMPORT-06")
@pytest.mark.isolated
def test_a_batch_waits_for_the_temporary_payload_and_signals(device, open_device, kind):
    """A batch may wait for a temporary payload and signal the same semaphore; which payload is signaled is not said."""
    temporary(kind)
    into = target(device, open_device())
    _, descriptor = signaled(device, kind)
    one = puts(descriptor, into.semaphore, kind)

    both = one.device.queue.submit(waits=[one], signals=[one])

    assert both.finishes(), f"a batch that waits on and signals one semaphore does not end: {both}"
