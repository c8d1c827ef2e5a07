"""Batches that name device 0 of a group, on a device that is no group: everything stays as it is."""

import pytest

from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import Proof, recorded_work, shown
from suites.ledger import rule
from suites.steps.batches import each_pair, two_ends
from suites.steps.queues import each_command, queue_for
from suites.steps.signals import behind_work
from suites.steps.timelines import each_handle, signal, two_handles
from suites.submission.places import on_device_0


@rule("SPEC-SUBMIT-13")
@pytest.mark.parametrize("named", ["signal", "wait"])
@each_command
@each_pair
def test_a_wait_holds_for_a_signal_where_one_names_device_0(device, open_device, handle, through, named):
    """A wait holds for its signal if either is of a batch that names device 0 for everything."""
    ways = (through, "vkQueueSubmit") if named == "signal" else ("vkQueueSubmit", through)
    first, second = two_ends(device, open_device, handle)
    signals, waits = queue_for(device, ways[0]), queue_for(second.device, ways[1], beside=device.queue)

    def arrange(factor):
        gate, links = behind_work(device, factor, signals, ways[0])
        signaling, waiting = batch_of(links, [first]), batch_of([second])
        signals.submit_batches([on_device_0(signaling) if named == "signal" else signaling], ways[0])
        return gate, waits.submit_batches([on_device_0(waiting) if named == "wait" else waiting], ways[1])

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{through}, the {named} on device 0: {proof.value}"


@rule("SPEC-SUBMIT-13")
@each_handle
@each_command
def test_a_batch_that_names_device_0_takes_its_values(device, handle, through):
    """A batch with commands that names device 0 for everything waits for the value and signals the value that it gives."""
    (acting, seen), queue = two_handles(device, handle), queue_for(device, through)
    commands = [] if through == "vkQueueBindSparse" else [recorded_work(device)]

    call = queue.submit_batches([on_device_0(batch_of([(acting, 3)], [(acting, 7)], commands))], through)
    signal(acting, 2)
    early, before = call.finishes(0.01), seen.counter()
    signal(acting, 3)

    assert (early, before) == (False, 2), f"a batch that waits for 3 had ended at {before}: {call}"
    assert call.finishes(), f"a batch that waits for 3 did not end: {call}"
    acting.host_wait(7)  # that no fence comes before it is for test_order.py
    assert seen.counter() == 7, f"a batch that signals 7 left the counter at {seen.counter()}"
