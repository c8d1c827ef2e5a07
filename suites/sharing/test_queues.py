"""Shared payloads on every queue family, and through the core and the KHR names of the commands."""

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.gates import Proof, shown
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.steps.members import members
from suites.steps.queues import FAMILIES, each_command, queue_for, queue_of
from suites.steps.signals import at, behind_work, signal_behind_work, values, wait_for

PAIRS = [(one, 0) for one in FAMILIES] + [(0, one) for one in FAMILIES[1:]]

each_pair_of_families = pytest.mark.parametrize(
    ("signaling", "waiting"), PAIRS, ids=[f"family-{one}-to-{other}" for one, other in PAIRS]
)
"""The first family with each other family, in both directions."""


@rule("SPEC-IMPORT-14", "SPEC-STATE-01", "SPEC-FUND-02")
@each_pair_of_families
def test_a_signal_crosses_queue_families(open_device, opaque_kind, permanence, signaling, waiting):
    """A wait on a queue of one family holds for a signal from another device's queue of another family."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporting, importing = (open_device(families="all") for _ in range(2))
    theirs, ours, counter = queue_of(exporting, signaling), queue_of(importing, waiting), values(opaque_kind)

    def arrange(factor):
        exporter, importer, _ = members(exporting, importing, opaque_kind, temporary).values()
        gate = signal_behind_work(exporter, factor, value := next(counter), theirs)
        return gate, ours.submit(waits=[at(importer, value)])

    proof = shown(arrange)

    assert proof is Proof.HELD, f"family {signaling} signals, family {waiting} waits: {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-STATE-01")
def test_a_signal_crosses_queues_of_one_device(open_device, opaque_kind, permanence):
    """A wait on any queue of the exporter's device holds for a signal given on the first."""
    temporary, device = allow_permanence(opaque_kind, permanence), open_device(families="all")
    others, counter = [queue for queue in device.queues if queue != device.queue], values(opaque_kind)
    if not others:
        unsupported("the device has one queue")

    for queue in others:

        def arrange(factor, queue=queue):
            exporter, importer, _ = members(device, device, opaque_kind, temporary).values()
            gate = signal_behind_work(exporter, factor, value := next(counter))
            return gate, queue.submit(waits=[at(importer, value)])

        proof = shown(arrange)
        assert proof is Proof.HELD, f"a wait on another queue of family {queue.family}: {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-STATE-01")
@each_command
def test_an_importer_signals_by_any_command(device, open_device, opaque_kind, permanence, through):
    """A wait on the exporter holds for a signal that the importer gives by any command, through either sort of import."""
    temporary = allow_permanence(opaque_kind, permanence)
    importing, counter = open_device(), values(opaque_kind)
    queue = queue_for(importing, through)

    def arrange(factor):
        exporter, importer, _ = members(device, importing, opaque_kind, temporary).values()
        gate, links = behind_work(importing, factor, queue, through)
        queue.submit(waits=links, signals=[at(importer, value := next(counter))], through=through)
        return gate, wait_for(exporter, value)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"an importer signals by {through}, the exporter waits: {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-STATE-01", "SPEC-COMPAT-01")
@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
@pytest.mark.parametrize(("ours", "theirs"), [("", "KHR"), ("KHR", ""), ("KHR", "KHR")])
def test_both_spellings_of_the_commands_share(open_device, opaque_kind, through, ours, theirs):
    """A payload is shared between users of the core commands and users of the commands with the KHR suffix."""
    exporting, importing, counter = open_device(ours), open_device(theirs), values(opaque_kind)
    if through == "vkQueueSubmit2" and not exporting.info.synchronization2:
        unsupported("the device has no synchronization2")

    def arrange(factor):
        exporter, importer, _ = members(exporting, importing, opaque_kind).values()
        gate = signal_behind_work(exporter, factor, value := next(counter), through=through)
        return gate, wait_for(importer, value, through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"exported with {ours or 'core'}, imported with {theirs or 'core'} names: {proof.value}"
