"""A temporary import lasts until the next wait on the semaphore is submitted, which restores the permanent payload."""

import pytest

from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import Proof, shown, watch
from fixtures.testbed.kinds import BINARY_OPAQUE
from suites.ledger import rule
from suites.steps.members import device_at, each_place
from suites.steps.misuse import misuse_is_tolerated
from suites.steps.payloads import (
    each_permanent,
    needs,
    needs_exportable_imports,
    pending,
    puts,
    shown_over_a_signal,
    signaled,
    target,
    temporary,
)
from suites.steps.queues import FAMILIES, each_command, queue_for, queue_of
from suites.steps.signals import signal, signal_behind_work, unwatched, wait_at, wait_for

FRAMES = 32

each_state = pytest.mark.parametrize("state", ["signaled", "unsignaled"])
"""The state of the permanent payload when another payload is imported temporarily."""


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-31", "SPEC-IMPORT-33", "SPEC-STATE-01")
@each_place
@each_permanent
@each_state
def test_the_next_wait_is_for_the_temporary_payload(device, open_device, kind, place, permanent, state):
    """A wait after a temporary import holds for the imported payload's signal, in any state of the permanent payload."""
    temporary(kind)
    importing = device_at(place, device, open_device)

    def arrange(factor):
        into = target(device, importing, permanent, state == "signaled").semaphore
        gate, _, descriptor = pending(device, kind, factor)
        return gate, wait_for(puts(descriptor, into, kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait for a pending payload, imported over one that is {state} ({place}): {proof.value}"
    )


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19", "SPEC-IMPORT-31", "SPEC-IMPORT-05")
@each_place
@each_permanent
def test_a_signal_below_is_back_after_one_wait(device, open_device, kind, place, permanent):
    """A semaphore that was signaled before a temporary import is still signaled after one wait."""
    temporary(kind)
    into = target(device, device_at(place, device, open_device), permanent, is_signaled=True)
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)

    first = into.waits()
    assert first.finishes(), f"a wait for the temporary payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"after one wait the permanent payload's signal is lost: {second}"


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

    assert proof is Proof.HELD, f"two waits at once, for the temporary and the permanent payload: {proof.value}"


@rule("SPEC-IMPORT-14")
@pytest.mark.isolated
def test_an_export_is_of_the_temporary_payload(device, open_device, opaque_kind):
    """An export between a temporary import and the next wait is of the temporary payload, not of the permanent one."""
    temporary(opaque_kind)
    needs_exportable_imports(device, opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)
    into = puts(exporter.exported(), open_device().semaphore(opaque_kind, export=True), opaque_kind)

    last = open_device().semaphore(opaque_kind).imports(into.exported())

    signal(exporter)
    wait = wait_for(last)
    assert wait.finishes(), (
        f"the first exporter's signal does not reach an importer of the temporary payload's export: {wait}"
    )


@rule("SPEC-IMPORT-37")
def test_the_permanent_payload_is_exported_while_the_wait_holds(device, open_device, opaque_kind):
    """An export after the wait was submitted, before it has ended, is of the permanent payload."""
    temporary(opaque_kind)
    into, elsewhere = open_device().semaphore(BINARY_OPAQUE, export=True), open_device()
    _, _, descriptor = pending(device, opaque_kind)
    first = wait_for(puts(descriptor, into, opaque_kind))

    answer, exported = into.export_fd()

    assert answer.is_success, f"vkGetSemaphoreFdKHR after the submission of a wait returned {answer}"
    assert first.finishes(), f"the wait for the temporary payload does not end: {first}"
    signal(elsewhere.semaphore(BINARY_OPAQUE).imports(exported))
    with misuse_is_tolerated(into.device):  # of the temporary payload's export, the wait has no signal
        second = wait_for(into)
    assert second.finishes(), (
        f"an export between submission and end of a wait is not of the permanent payload: {second} "
        "(Importing Semaphore Payloads, read as: restored once the submission returns)"
    )


@rule("SPEC-IMPORT-06", "SPEC-CAPS-03")
def test_a_semaphore_exports_its_own_payload_again_after_the_wait(device, open_device, kind):
    """After a wait has ended a temporary import, the semaphore exports its own payload, as what it was made to export."""
    needs(device, BINARY_OPAQUE, temporary(kind))
    into, elsewhere = open_device().semaphore(BINARY_OPAQUE, export=True), open_device()
    _, descriptor = signaled(device, kind)
    first = wait_for(puts(descriptor, into, kind))
    assert first.finishes(), f"the wait for the temporary payload does not end: {first} (SPEC-IMPORT-05)"

    answer, exported = into.export_fd()

    assert answer.is_success, f"after a temporary import of {kind} has ended vkGetSemaphoreFdKHR returned {answer}"
    signal(elsewhere.semaphore(BINARY_OPAQUE).imports(exported))
    second = wait_for(into)
    assert second.finishes(), f"the semaphore exported another payload than its own: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
def test_two_waits_of_one_call_are_for_two_payloads(device, open_device, kind, permanent):
    """When two batches of one submission wait on a semaphore, the first wait is for the temporary payload, the second is not."""
    temporary(kind)
    importing, calls = open_device(), []

    def wait(semaphore):
        link = importing.semaphore()
        batches = [batch_of(waits=[semaphore], signals=[link]), batch_of(waits=[semaphore])]
        calls.append(importing.queue.submit_batches(batches))
        return wait_for(link)

    proof, _ = shown_over_a_signal(device, importing, kind, wait, permanent)

    assert proof is Proof.HELD, f"the first of two batches that wait, for the temporary payload: {proof.value}"
    assert calls[-1].finishes(), f"two batches that wait, for both payloads, do not end: {calls[-1]}"


@rule("SPEC-IMPORT-06")
@each_permanent
def test_a_wait_without_a_fence_brings_the_payload_back(device, open_device, kind, permanent):
    """A wait in a submission without a fence ends a temporary import too."""
    temporary(kind)
    importing, answers = open_device(), []

    def wait(semaphore):
        batch = batch_of(waits=[semaphore], signals=[link := importing.semaphore()])
        answers.append(importing.vk.vkQueueSubmit(importing.queue.handle, (batch,), 0))
        return wait_for(link)

    proof, into = shown_over_a_signal(device, importing, kind, wait, permanent)
    second = into.waits()

    assert proof is Proof.HELD, f"a wait without a fence ({answers[-1]}) for the temporary payload: {proof.value}"
    assert second.finishes(), f"after a wait without a fence the permanent payload's signal is lost: {second}"


@rule("SPEC-IMPORT-06")
@each_permanent
def test_a_wait_that_nobody_watches_brings_the_payload_back(device, open_device, kind, permanent):
    """A wait in a submission without a fence and without a signal ends a temporary import too."""
    temporary(kind)
    into = target(device, open_device(), permanent)
    puts(signaled(device, kind)[1], into.semaphore, kind)

    answer = unwatched(into.semaphore.device.queue, waits=[into.semaphore])

    assert answer.is_success, f"a wait without a fence for the temporary payload ended with {answer}"
    proof = shown(lambda factor: (signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)))
    assert proof is Proof.HELD, f"a wait for the permanent payload after a wait that nobody watches: {proof.value}"


@rule("SPEC-IMPORT-06")
@each_permanent
def test_a_wait_in_a_later_batch_brings_the_payload_back(device, open_device, kind, permanent):
    """A wait in the second batch of a submission ends a temporary import too."""
    temporary(kind)
    importing = open_device()

    def wait(semaphore):
        return importing.queue.submit_batches([batch_of(), batch_of(waits=[semaphore])])

    proof, into = shown_over_a_signal(device, importing, kind, wait, permanent)
    second = into.waits()

    assert proof is Proof.HELD, f"a wait in the second batch for the temporary payload: {proof.value}"
    assert second.finishes(), f"after a wait in a second batch the permanent payload's signal is lost: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
@each_state
def test_nothing_of_the_temporary_payload_is_left(device, open_device, kind, permanent, state):
    """After waits consumed the temporary and the permanent payload's signals, the next wait holds for a new signal."""
    temporary(kind)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, permanent, state == "signaled")
        _, descriptor = signaled(device, kind)
        puts(descriptor, into.semaphore, kind)
        for submission in [into.waits() for _ in range(2 if state == "signaled" else 1)]:
            assert submission.finishes(), f"a wait for an existing signal does not end: {submission}"
        return signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the permanent payload after all signals were consumed: {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-IMPORT-06")
def test_a_signal_that_the_permanent_payload_gets_meanwhile_is_kept(device, open_device, kind):
    """A signal that the permanent payload got from another semaphore during a temporary import ends the second wait."""
    temporary(kind)
    into = target(device, open_device(), "imported")
    _, descriptor = signaled(device, kind)
    puts(descriptor, into.semaphore, kind)
    signal(into.below)

    first = into.waits()
    assert first.finishes(), f"a wait for the temporary payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"the permanent payload lost a signal that it got during the temporary import: {second}"


@rule("SPEC-IMPORT-14", "SPEC-IMPORT-06")
def test_a_signal_that_others_use_up_meanwhile_is_gone(device, open_device, kind):
    """A signal that another semaphore consumed during a temporary import is not there for the second wait."""
    temporary(kind)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, "imported", is_signaled=True)
        _, descriptor = signaled(device, kind)
        puts(descriptor, into.semaphore, kind)
        for submission in (wait_for(into.below), into.waits()):
            assert submission.finishes(), f"a wait for an existing signal does not end: {submission}"
        return signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait for the permanent payload, its signal consumed during a temporary import: {proof.value}"
    )


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19", "SPEC-IMPORT-11")
@each_permanent
def test_a_signal_after_the_wait_is_not_the_temporary_payloads(device, open_device, opaque_kind, permanent):
    """After its permanent payload is restored, the semaphore's signals do not reach semaphores that share the temporary one."""
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

    assert proof is Proof.HELD, f"a wait through a semaphore that shares the temporary payload: {proof.value}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-14")
def test_signals_do_not_use_the_temporary_payload_up(device, open_device, opaque_kind):
    """A semaphore keeps its temporary payload through its own signals and waits of others, until its own next wait."""
    temporary(opaque_kind)
    exporter = device.semaphore(opaque_kind, export=True)
    into = target(device, open_device(), is_signaled=True)
    puts(exporter.exported(), into.semaphore, opaque_kind)

    signal(into.semaphore)
    theirs = wait_for(exporter)
    assert theirs.finishes(), f"a signal through the temporary payload does not reach its exporter: {theirs}"
    proof = watch(signal_behind_work(exporter, 4), into.waits())
    assert proof in (Proof.HELD, Proof.NOT_SHOWN), f"a wait on the semaphore after it was signaled: {proof.value}"
    back = into.waits()

    assert back.finishes(), f"after that wait the permanent payload's signal is lost: {back}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
@each_command
def test_a_wait_of_any_command_brings_the_payload_back(device, open_device, kind, permanent, through):
    """A wait submitted by any command is for the temporary payload, and restores the permanent payload for the next wait."""
    temporary(kind)
    importing = open_device()
    queue = queue_for(importing, through)

    def wait(semaphore):
        return queue.submit(waits=[semaphore], through=through)

    proof, into = shown_over_a_signal(device, importing, kind, wait, permanent)
    second = wait(into.semaphore)

    assert proof is Proof.HELD, f"a wait of {through} for the temporary payload: {proof.value}"
    assert second.finishes(), f"after a wait of {through} the permanent payload's signal is lost: {second}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-19")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_wait_on_any_queue_family_brings_the_payload_back(device, open_device, kind, family):
    """A wait on any queue family is for the temporary payload, and restores the permanent payload for the next wait."""
    temporary(kind)
    importing = open_device(families="all")
    queue = queue_of(importing, family)

    proof, into = shown_over_a_signal(device, importing, kind, lambda one: wait_at(one, queue))
    second = into.waits()

    assert proof is Proof.HELD, f"a wait on family {family} for the temporary payload: {proof.value}"
    assert second.finishes(), f"after a wait on family {family} the permanent payload's signal is lost: {second}"


@rule("SPEC-IMPORT-05", "SPEC-IMPORT-06", "SPEC-IMPORT-19")
@each_permanent
def test_a_payload_is_imported_for_every_frame(device, open_device, kind, permanent):
    """One semaphore alternates between temporary imports and its permanent payload, frame after frame."""
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
    """A temporary import lasts for one wait also when the commands with the KHR suffix are used."""
    temporary(kind)
    exporting, importing = open_device(), open_device("KHR")
    into = target(exporting, importing, is_signaled=True)

    def arrange(factor):
        gate, _, descriptor = pending(exporting, kind, factor)
        return gate, wait_for(puts(descriptor, into.semaphore, kind))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the temporary payload: {proof.value}"
    wait = into.waits()
    assert wait.finishes(), f"after that wait the permanent payload's signal is lost: {wait}"


@rule("SPEC-IMPORT-06")
@pytest.mark.isolated
def test_a_batch_waits_for_the_temporary_payload_and_signals(device, open_device, kind):
    """A batch that waits for a temporary payload and signals the same semaphore ends; either payload may get the signal."""
    temporary(kind)
    into = target(device, open_device())
    _, descriptor = signaled(device, kind)
    one = puts(descriptor, into.semaphore, kind)

    both = one.device.queue.submit(waits=[one], signals=[one])

    assert both.finishes(), f"a batch that waits on and signals one semaphore does not end: {both}"
