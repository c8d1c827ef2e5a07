"""The state of a new semaphore (Semaphores; VkSemaphoreType, VkSemaphoreTypeCreateInfo)."""

import pytest

from fixtures.testbed.gates import Proof
from fixtures.testbed.kinds import TIMELINE
from suites.creation.proofs import proof_of_wait, used_once
from suites.ledger import rule
from suites.steps.batches import each_pair
from suites.steps.queries import needs
from suites.steps.timelines import greatest_step, needs_timelines

VALUES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1)


@rule("SPEC-CREATE-01")
@each_pair
def test_a_new_binary_semaphore_is_unsignaled(device, open_device, handle):
    """A wait for a new binary semaphore holds until its first signal."""
    proof = proof_of_wait(device, open_device, handle)

    assert proof is Proof.HELD, f"a wait for a new binary semaphore, with work before its first signal: {proof.value}"


@rule("SPEC-CREATE-02")
@each_pair
def test_a_semaphore_without_a_type_is_binary(device, open_device, handle):
    """A wait unsignals a semaphore made without VkSemaphoreTypeCreateInfo, so a second wait holds for the next signal."""
    proof = proof_of_wait(device, open_device, handle, used_once)

    assert proof is Proof.HELD, (
        f"a second wait for a semaphore made without a type, with work before its second signal: {proof.value}"
    )


@rule("SPEC-CREATE-03")
@pytest.mark.parametrize("export", [False, True], ids=["plain", "exportable"])
@pytest.mark.parametrize("value", VALUES, ids=hex)
def test_a_timeline_starts_at_its_initial_value(device, value, export):
    """The counter of a new timeline semaphore is initialValue, also where the semaphore is exportable."""
    needs_timelines(device)
    if export:
        needs(device.info, TIMELINE)

    semaphore = device.semaphore(TIMELINE, export=export, initial_value=value)

    assert semaphore.counter() == value, (
        f"a timeline made with initialValue {value} has the counter {semaphore.counter()}"
    )


@rule("SPEC-CREATE-03")
def test_an_initial_value_counts_as_reached(device):
    """Host waits and queue waits for values up to initialValue end at once, as far below as the limit of differences."""
    needs_timelines(device)
    initial = 2**32 + 5
    lowest = initial - min(greatest_step(device), initial)
    semaphore = device.semaphore(TIMELINE, initial_value=initial)

    by_host = {value: semaphore.host_wait(value, 0) for value in (lowest, 2**32, initial)}
    by_queue = device.queue.submit(waits=[(semaphore, initial)])

    pending = {value: answer for value, answer in by_host.items() if not answer.is_success}
    assert not pending, f"a timeline made with initialValue {initial}: vkWaitSemaphores returned {pending}"
    assert by_queue.finishes(), f"a wait for the initial value did not end: {by_queue}"
