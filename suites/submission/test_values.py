"""The driver ignores values that are given for binary semaphores."""

import pytest

from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, TIMELINE
from fixtures.vulkan.native import Batch
from suites.ledger import rule
from suites.steps.batches import each_pair, ends, two_ends
from suites.steps.payloads import signaled
from suites.steps.queues import each_command, queue_for
from suites.steps.signals import behind_work, first_stuck
from suites.steps.timelines import needs_timelines

VALUES = {"zeros": (0, 0), "wait-greater": (1, 2**64 - 1), "signal-greater": (2**64 - 1, 1), "noise": (2**40 + 3, 77)}
"""Values given to the signal and to the wait of a binary semaphore."""

LOOKING = 0.01
"""Seconds for which the test watches that a batch does not end."""

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


@rule("SPEC-SUBMIT-03")
@pytest.mark.parametrize("count", [0, 1])
@structure_commands
@each_pair
def test_binary_semaphores_need_no_values(device, open_device, handle, through, count):
    """Batches with fewer values than binary semaphores, or none, wait for and signal all of these."""
    needs_timelines(device)
    early, other, late = ends(device, open_device, handle, 3)
    signals, waits = queue_for(device, through), queue_for(early[1].device, through, beside=device.queue)

    def arrange(factor):
        signals.submit(signals=early[:1], through=through)
        gate, links = behind_work(device, factor, signals, through)
        values, handles = (9,) * count, tuple(link.handle for link in links)
        first, second = zip(early, other, late, strict=True)
        batch = Batch(handles, (), tuple(one.handle for one in first[1:]), values[: len(links)], values[:1])
        signals.submit_batches([batch], through)
        return gate, waits.submit_batches([Batch(tuple(one.handle for one in second), (), (), values, None)], through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"waits for three semaphores with {count} values, the last behind work: {proof.value}"


@rule("SPEC-SUBMIT-03")
@structure_commands
def test_binary_waits_beside_signaled_timelines_need_no_values(device, through):
    """A batch that waits for binary semaphores, without values, signals its timelines with their values."""
    needs_timelines(device)
    waited, signaled = ([device.semaphore(kind) for _ in range(2)] for kind in (BINARY_OPAQUE, TIMELINE))
    for one in waited:
        one.signal()

    handles = (tuple(one.handle for one in some) for some in (waited, signaled))
    call = queue_for(device, through).submit_batches([Batch(next(handles), (), next(handles), (), (7, 8))], through)
    answers, counters = [one.host_wait(7) for one in signaled], [one.counter() for one in signaled]

    assert call.finishes(), f"a batch that waits for binary semaphores without values did not end: {call}, {answers}"
    assert counters == [7, 8], f"a batch that signals 7 and 8 behind binary waits left the counters at {counters}"


@rule("SPEC-SUBMIT-03")
@structure_commands
def test_binary_signals_beside_waits_for_timelines_need_no_values(device, timeline, through):
    """A batch that signals binary semaphores, without values, waits for its timeline's value and signals all of them."""
    made = [device.semaphore() for _ in range(2)]
    batch = Batch((timeline.handle,), (), tuple(one.handle for one in made), (3,), ())

    call = queue_for(device, through).submit_batches([batch], through)
    timeline.host_signal(2)
    early = call.finishes(LOOKING)
    timeline.host_signal(3)
    calls = [call, *(device.queue.submit(waits=[one]) for one in made)]

    assert not early, f"a batch that waits for 3 had ended at 2: {call}"
    stuck = first_stuck(calls)
    assert not stuck, (
        f"a batch that signals two binary semaphores without values, or a wait for one, did not end: {stuck}"
    )


@rule("SPEC-STATE-03", "SPEC-SUBMIT-03")
@each_command
@pytest.mark.parametrize("copies", [1, 2])
def test_a_timeline_behind_imported_copies_is_waited_for(device, sync_kind, timeline, through, copies):
    """A batch that waits for imported SYNC_FDs, signaled by then, and for a timeline behind them holds until its value."""
    waits = [device.semaphore(sync_kind) for _ in range(copies)]
    for one in waits:
        one.imports(signaled(device, sync_kind)[1], temporary=True)

    batch = queue_for(device, through).submit(waits=[*waits, (timeline, 3)], through=through)
    timeline.host_signal(2)
    early = batch.finishes(LOOKING)
    timeline.host_signal(3)

    assert not early, f"a batch that waits for {copies} signaled SYNC_FDs and a timeline to be 3 ended at 2: {batch}"
    assert batch.finishes(), f"a batch that waits for {copies} signaled SYNC_FDs and a timeline did not end: {batch}"
