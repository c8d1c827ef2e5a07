"""Batches that signal and wait, through each submission command."""

import pytest

from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.vulkan.native import Batch
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps import buffers
from suites.steps.batches import SORTS, each_pair, ends, signalable, signaled_payload, sorts, two_ends
from suites.steps.queues import COMMANDS, each_command, queue_for
from suites.steps.signals import behind_work, first_stuck, signal_behind_work, unwatched

ROUNDS = 8
MANY = 70
"""More than 64: a driver may keep one bit of an integer for each."""


@rule("SPEC-STATE-01")
@pytest.mark.parametrize("waiting", COMMANDS)
@pytest.mark.parametrize("signaling", COMMANDS)
@each_pair
def test_a_wait_holds_for_a_signal_of_any_command(device, open_device, handle, signaling, waiting):
    """A wait holds until the signal has executed, for each pair of submission commands."""
    first, second = two_ends(device, open_device, handle)
    signals, waits = queue_for(device, signaling), queue_for(second.device, waiting, beside=device.queue)

    def arrange(factor):
        gate, links = behind_work(device, factor, signals, signaling)
        signals.submit(waits=links, signals=[first], through=signaling)
        return gate, waits.submit(waits=[second], through=waiting)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{signaling} signals, {waiting} waits: {proof.value}"


@rule("SPEC-STATE-01", "SPEC-STATE-02")
@each_command
@each_pair
def test_calls_without_a_fence_signal_and_wait(device, open_device, handle, through):
    """Without a fence each wait still consumes its signal, and the next wait holds for the next signal."""
    first, second = two_ends(device, open_device, handle)
    signals, waits = queue_for(device, through), queue_for(second.device, through, beside=device.queue)

    answers = []
    for _ in range(2):
        answers += [unwatched(signals, through, signals=[first]), unwatched(waits, through, waits=[second])]

    def arrange(factor):
        gate, links = behind_work(device, factor, signals, through)
        signals.submit(waits=links, signals=[first], through=through)
        return gate, waits.submit(waits=[second], through=through)

    assert answers == [Result.SUCCESS] * 4, f"signals and waits of {through} without a fence returned {answers}"
    proof = shown(arrange)
    assert proof is Proof.HELD, f"a wait after calls of {through} without a fence: {proof.value}"


@rule("SPEC-STATE-01", "SPEC-STATE-02")
@each_command
@each_pair
def test_a_semaphore_serves_many_rounds(device, open_device, handle, through):
    """Each wait unsignals the semaphore, so the next signal and wait end as well."""
    first, second = two_ends(device, open_device, handle)
    signals, waits = queue_for(device, through), queue_for(second.device, through)

    stuck, rounds = "", 0
    while not stuck and rounds < ROUNDS:
        pair = signals.submit(signals=[first], through=through), waits.submit(waits=[second], through=through)
        stuck, rounds = first_stuck(pair), rounds + 1

    assert not stuck, f"round {rounds} of signal and wait did not end: {stuck}"


@rule("SPEC-STATE-01", "SPEC-STATE-02")
@each_command
@each_pair
def test_one_batch_waits_for_a_semaphore_and_signals_it(device, open_device, handle, through):
    """A batch may wait for a semaphore and signal it again; afterwards it is signaled for one more wait, and no second."""
    first, second = two_ends(device, open_device, handle)
    queue = queue_for(second.device, through, beside=device.queue)
    first.signal()

    chain = [queue.submit(waits=[second], signals=[second], through=through) for _ in range(ROUNDS)]
    end = queue.submit(waits=[second], through=through)

    stuck = first_stuck([*chain, end])
    assert not stuck, f"one of {ROUNDS} batches that wait and signal, or the wait after them, did not end: {stuck}"
    proof = shown(lambda n: (signal_behind_work(first, n), queue.submit(waits=[second], through=through)))
    assert proof is Proof.HELD, f"a second wait after batches that wait and signal: {proof.value}"


@rule("SPEC-STATE-01", "SPEC-STATE-02")
@each_command
@each_pair
def test_batches_of_one_call_wait_for_each_other(device, open_device, handle, through):
    """A batch may wait for a signal of an earlier batch of the same call; each call leaves all semaphores unsignaled."""
    if handle == "imported-elsewhere":
        unsupported("the batches of one call are on one device")
    links = ends(device, open_device, handle, ROUNDS)
    waits, signals = [(), *((second.handle,) for _, second in links)], [*((first.handle,) for first, _ in links), ()]
    batches = [Batch(wait, (), signal) for wait, signal in zip(waits, signals, strict=True)]

    calls = []
    while len(calls) < 3 and all(call.finishes() for call in calls):
        calls.append(queue_for(device, through).submit_batches(batches, through))

    assert calls[-1].finishes(), (
        f"call {len(calls)}, of {ROUNDS + 1} batches that each wait for the one before, did not end: {calls[-1]}"
    )


@rule("SPEC-STATE-01")
@pytest.mark.parametrize("count", [2, MANY])
@each_command
@each_pair
def test_a_batch_signals_all_that_it_names(device, open_device, handle, through, count):
    """A batch signals all of its semaphores: a wait for each ends."""
    pairs = ends(device, open_device, handle, count)
    queue = queue_for(device, through)

    signal = queue.submit(signals=[first for first, _ in pairs], through=through)
    waits = [second.device.queue.submit(waits=[second]) for _, second in pairs]

    stuck = first_stuck([signal, *waits])
    assert not stuck, f"a batch that signals {count} semaphores, or a wait for one of them, did not end: {stuck}"


@rule("SPEC-STATE-01")
@pytest.mark.parametrize("late", [0, 1, 2], ids=["first", "second", "third"])
@each_command
@each_pair
def test_a_batch_waits_for_all_that_it_names(device, open_device, handle, through, late):
    """A batch starts once the last of its semaphores is signaled, at any position."""
    pairs = ends(device, open_device, handle, 3)

    def arrange(factor):
        for first, _ in pairs[:late] + pairs[late + 1 :]:
            first.signal()
        gate = run_work(device, factor)
        device.queue.submit(signals=[pairs[late][0]])
        seconds = [second for _, second in pairs]
        waiting = queue_for(seconds[0].device, through, beside=device.queue)
        return gate, waiting.submit(waits=seconds, through=through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a batch of {through} waits for three semaphores: {proof.value}"


@rule("SPEC-STATE-01")
@each_command
def test_a_batch_waits_for_many(device, through):
    """A batch that waits for many semaphores starts once the last is signaled."""
    queue = queue_for(device, through, beside=device.queue)
    semaphores = [device.semaphore() for _ in range(MANY)]

    def arrange(factor):
        device.queue.submit(signals=semaphores[:-1])
        gate = run_work(device, factor)
        device.queue.submit(signals=semaphores[-1:])
        return gate, queue.submit(waits=semaphores, through=through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a batch of {through} waits for {MANY} semaphores: {proof.value}"


@rule("SPEC-STATE-01", "SPEC-SUBMIT-03")
@pytest.mark.parametrize("late", SORTS)
@each_command
def test_a_batch_waits_for_payloads_of_every_sort(device, through, late):
    """A batch that waits for payloads of every sort at once starts when the last of them is signaled."""
    queue, there = queue_for(device, through, beside=device.queue), sorts(device)
    if late not in there:
        unsupported(f"the device has no payload of this sort: {late}")

    def arrange(factor):
        made = {sort: signaled_payload(device, sort) for sort in there if sort != late}
        gate = run_work(device, factor)
        made[late] = signaled_payload(device, late, is_pending=True)
        return gate, queue.submit(waits=[made[sort] for sort in there], through=through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a batch waits for {', '.join(there)}; the {late} one is signaled last: {proof.value}"


@rule("SPEC-STATE-01")
@pytest.mark.parametrize("spelling", ["", "KHR"], ids=["core", "KHR"])
def test_both_spellings_of_vkqueuesubmit2_work(open_device, device_info, spelling):
    """vkQueueSubmit2 and vkQueueSubmit2KHR signal and wait alike."""
    if not device_info.synchronization2:
        unsupported("the device has no synchronization2")
    if spelling and "VK_KHR_synchronization2" not in device_info.extensions:
        unsupported("the device does not offer VK_KHR_synchronization2")
    if not spelling and [int(part) for part in device_info.api_version.split(".")[:2]] < [1, 3]:
        unsupported(f"the device has Vulkan {device_info.api_version}: vkQueueSubmit2 is core since 1.3")
    device = open_device(spelling)
    semaphore = device.semaphore()

    signal = device.queue.submit(signals=[semaphore], through="vkQueueSubmit2")
    wait = device.queue.submit(waits=[semaphore], through="vkQueueSubmit2")

    assert signal.finishes(), f"a batch that signals did not end: {signal}"
    assert wait.finishes(), f"a batch that waits for the signal did not end: {wait}"


@rule("SPEC-STATE-01")
@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
def test_a_batch_of_an_empty_command_buffer_signals(device, through):
    """A batch whose command buffer has no commands signals all that it names."""
    made, command = signalable(device), buffers.record(device)

    batch = queue_for(device, through).submit(commands=[command], signals=made, through=through)

    assert batch.finishes(), f"a batch whose command buffer is empty did not end: {batch}"
    stuck = first_stuck(device.queue.submit(waits=[one]) for one in made)
    assert not stuck, f"a wait for one of {len(made)} semaphores that a batch without commands signals: {stuck}"
