"""The driver ignores values that are given for binary semaphores."""

import pytest

from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.native import Batch
from suites.ledger import rule
from suites.steps.batches import each_pair, two_ends
from suites.steps.queues import queue_for
from suites.steps.signals import behind_work, first_stuck
from suites.steps.timelines import needs_timelines

VALUES = {"zeros": (0, 0), "wait-greater": (1, 2**64 - 1), "signal-greater": (2**64 - 1, 1), "noise": (2**40 + 3, 77)}
"""Values given to the signal and to the wait of a binary semaphore."""

each_values = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
structure_commands = pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueBindSparse"])
"""The commands that take values in VkTimelineSemaphoreSubmitInfo."""


@rule("SPEC-SUBMIT-03")
@each_values
@structure_commands
@each_pair
def test_values_of_binary_semaphores_do_not_matter(device, open_device, handle, through, values):
    """A wait for a binary semaphore ignores its values in VkTimelineSemaphoreSubmitInfo: it ends with its signal, not before."""
    proof = _proof(device, open_device, handle, through, values)

    assert proof is Proof.HELD, (
        f"a wait with value {values[1]} for a binary semaphore signaled with {values[0]}: {proof.value}"
    )


@rule("SPEC-SUBMIT-04")
@each_values
@each_pair
def test_values_of_binary_semaphores_do_not_matter_to_vkqueuesubmit2(device, open_device, handle, values):
    """A wait for a binary semaphore ignores the values in VkSemaphoreSubmitInfo: it ends with its signal, not before."""
    proof = _proof(device, open_device, handle, "vkQueueSubmit2", values)

    assert proof is Proof.HELD, (
        f"a wait with value {values[1]} for a binary semaphore signaled with {values[0]}: {proof.value}"
    )


def _proof(device, open_device, handle, through, values):
    """The Proof of a wait with one value for a signal with another value, behind work."""
    needs_timelines(device)
    first, second = two_ends(device, open_device, handle)
    signals, waits = queue_for(device, through), queue_for(second.device, through, beside=device.queue)

    def arrange(factor):
        gate, links = behind_work(device, factor, signals, through)
        handles = tuple(link.handle for link in links)
        signals.submit_batches([Batch(handles, (), (first.handle,), (9,) * len(links), values[:1])], through)
        return gate, waits.submit_batches([Batch((second.handle,), (), (), values[1:], None)], through)

    return shown(arrange)


@rule("SPEC-SUBMIT-03")
@each_values
@structure_commands
@each_pair
def test_a_mixed_batch_takes_values_for_its_timelines_only(device, open_device, handle, through, values):
    """A batch with both types uses the values of timelines and ignores those of binary semaphores."""
    problem, counters = _mixed(device, open_device, handle, through, values)

    assert not problem, f"binary semaphores with the values {values} beside timelines: {problem}"
    assert counters == [15, 16], (
        f"batches that signal 15 and 16 beside binary {values} left the timelines at {counters}"
    )


@rule("SPEC-SUBMIT-04")
@each_values
@each_pair
def test_a_mixed_batch_of_vkqueuesubmit2_takes_values_for_its_timelines_only(device, open_device, handle, values):
    """A batch with both types uses the values of timelines and ignores those of binary semaphores."""
    problem, counters = _mixed(device, open_device, handle, "vkQueueSubmit2", values)

    assert not problem, f"binary semaphores with the values {values} beside timelines: {problem}"
    assert counters == [15, 16], (
        f"batches that signal 15 and 16 beside binary {values} left the timelines at {counters}"
    )


def _mixed(device, open_device, handle, through, values):
    """Signal and wait for a binary semaphore between timelines; (what did not end, the timelines' counters)."""
    needs_timelines(device)
    first, second = two_ends(device, open_device, handle)
    before, after = device.semaphore(TIMELINE), second.device.semaphore(TIMELINE)
    reached = second.device.semaphore(TIMELINE, initial_value=3)
    signal, wait = values
    stuck = ""
    for rounds in (0, 10):
        calls = [
            queue_for(device, through).submit([], [(before, rounds + 5), (first, signal)], through=through),
            queue_for(second.device, through).submit(
                [(second, wait), (reached, 2)], [(after, rounds + 6)], through=through
            ),
        ]
        stuck = stuck or first_stuck(calls)
        for semaphore, value in ((before, rounds + 5), (after, rounds + 6)):
            semaphore.host_wait(value)  # that no fence comes before it is for test_order.py
    return stuck, [before.counter(), after.counter()]
