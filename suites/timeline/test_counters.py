"""The counter of a timeline semaphore: what it shows, and how waits compare with it."""

import time
from itertools import count, pairwise

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.native import Batch
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queues import COMMANDS, each_command, queue_for
from suites.steps.signals import first_stuck
from suites.steps.timelines import (
    each_handle,
    each_signal,
    greatest_step,
    held_by_work,
    needs_timelines,
    signal,
    submit_signal,
    two_handles,
)

EDGES = {"2^31": 2**31 - 1, "2^32": 2**32 - 1, "2^53": 2**53, "2^63": 2**63 - 1, "the-end": 2**64 - 2}
VALUE = 7
LOOKING = 0.03
"""Seconds for which the test watches that a wait holds."""


@rule("SPEC-HOST-01", "ISSUE-VK_KHR_timeline_semaphore-5")
@each_handle
@each_signal
def test_the_counter_at_rest_is_the_last_signal(device, handle, by):
    """With nothing pending vkGetSemaphoreCounterValue returns exactly the value of the last signal."""
    other, semaphore = two_handles(device, handle)
    seen = [semaphore.counter()]

    for value in (1, 2, 1000, 2**31 - 1):
        signal(other, value, by)
        seen.append(semaphore.counter())

    assert seen == [0, 1, 2, 1000, 2**31 - 1], f"after 0, 1, 2, 1000 and 2^31-1 the counter showed {seen}"


@rule("SPEC-HOST-01", "SPEC-STATE-13", "ISSUE-VK_KHR_timeline_semaphore-4")
@each_handle
def test_the_counter_only_grows_while_work_is_pending(device, handle):
    """While signals are pending, queries never return less than earlier queries, nor more than was signaled."""
    other, semaphore = two_handles(device, handle)
    run_work(device)
    steps = range(1, 33)
    last = device.queue.submit_batches([Batch(signals=(other.handle,), signal_values=(n,)) for n in steps])

    seen, deadline = [semaphore.counter()], time.monotonic() + patience.seconds()
    while not last.is_done and time.monotonic() < deadline:
        seen.append(semaphore.counter())
    reached = other.host_wait(32)
    seen.append(semaphore.counter())

    assert last.finishes(), f"batches that signal a timeline did not end: {last}"
    assert reached.is_success, f"a wait for the last of the values returned {reached}"
    assert seen == sorted(seen), f"the counter went back: {_fall(seen)}"
    assert seen[-1] == 32, f"after batches that signal 1 to 32 the counter is {seen[-1]}"


def _fall(seen):
    return next(f"{before} then {after}" for before, after in pairwise(seen) if after < before)


@rule("SPEC-HOST-01", "SPEC-STATE-10")
@each_handle
def test_the_counter_does_not_run_ahead_of_the_work(device, handle):
    """The counter does not show a batch's value before the work submitted earlier on the queue is done."""
    other, semaphore = two_handles(device, handle)

    def reaches(value):
        deadline = time.monotonic() + patience.seconds()
        while semaphore.counter() < value and time.monotonic() < deadline:
            time.sleep(0.0005)
        return semaphore.counter() >= value

    proof = held_by_work(other, reaches)

    assert proof is Proof.HELD, f"reading the counter until it shows a batch's value: {proof.value}"


@rule("SPEC-STATE-13", "ISSUE-VK_KHR_timeline_semaphore-2")
@pytest.mark.parametrize("edge", EDGES)
@each_handle
@each_signal
def test_the_payload_is_an_unsigned_number_of_64_bits(device, handle, by, edge):
    """Counters and waits use all 64 bits of a value, unsigned."""
    before = EDGES[edge]
    other, semaphore = two_handles(device, handle, before)
    polls = [semaphore.host_wait(before, 0), semaphore.host_wait(before + 1, 0)]

    signal(other, before + 1, by)

    counter, after = semaphore.counter(), semaphore.host_wait(before + 1, 0)
    assert polls == [Result.SUCCESS, Result.TIMEOUT], f"at {before} waits for {before} and one more returned {polls}"
    assert counter == before + 1, f"a signal of {before + 1} made the counter {counter}"
    assert after == Result.SUCCESS, f"at {counter} a wait for {before + 1} returned {after}"


@rule("SPEC-STATE-13")
@each_handle
@each_signal
def test_a_signal_raises_the_payload_by_the_greatest_difference(device, handle, by):
    """One signal may raise the payload by maxTimelineSemaphoreValueDifference."""
    other, semaphore = two_handles(device, handle, VALUE)
    value = min(VALUE + greatest_step(device), 2**64 - 1)

    signal(other, value, by)

    assert semaphore.counter() == value, f"from {VALUE} a signal of {value} made the counter {semaphore.counter()}"


@rule("SPEC-STATE-03", "SPEC-STATE-13", "ISSUE-VK_KHR_timeline_semaphore-3")
@pytest.mark.parametrize("edge", EDGES)
@each_handle
@each_command
def test_batches_compare_all_64_bits(device, handle, through, edge):
    """At any size of the counter, a batch waits for the next value until it is signaled, and does not wait for a lower one."""
    before = EDGES[edge]
    other, semaphore = two_handles(device, handle, before)
    queue = queue_for(device, through)

    waiter = queue.submit(waits=[(semaphore, before + 1)], through=through)
    early = waiter.finishes(LOOKING / 10)
    signal(other, before + 1)
    behind = queue.submit(waits=[(semaphore, before)], through=through)

    assert not early, f"a wait of {through} for {before + 1} ended at {before}"
    assert waiter.finishes(), f"a wait of {through} for {before + 1} did not end at {semaphore.counter()}: {waiter}"
    assert behind.finishes(), f"at {before + 1} a wait of {through} for {before} did not end: {behind}"


@rule("SPEC-STATE-13", "SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-3")
@pytest.mark.parametrize("waiting", ["host", *COMMANDS])
@each_handle
def test_a_value_at_the_greatest_difference_is_not_reached(device, handle, waiting):
    """A wait for a value that is maxTimelineSemaphoreValueDifference above the counter does not end early."""
    _, semaphore = two_handles(device, handle, VALUE)
    value = min(VALUE + greatest_step(device), 2**64 - 1)
    if waiting == "host":
        ended = semaphore.host_wait(value, LOOKING).is_success
    else:
        ended = queue_for(device, waiting).submit(waits=[(semaphore, value)], through=waiting).finishes(LOOKING)

    signal(semaphore, value)

    assert not ended, f"at {VALUE} a wait for {value} ended"


@rule("SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-2")
@pytest.mark.parametrize("waiting", ["host", *COMMANDS])
@each_handle
def test_waits_leave_the_counter_alone(device, handle, waiting):
    """Any number of waits for the counter's value or less end, and leave the counter of every member unchanged."""
    other, semaphore = two_handles(device, handle)
    signal(other, VALUE)

    problems = (_wait(semaphore, value, waiting) for value in (VALUE, VALUE, 1, VALUE - 1, VALUE))
    problem = next(filter(None, problems), "")
    counters = [other.counter(), semaphore.counter()]

    assert not problem, f"at {VALUE} waits for {VALUE} and less did not all end: {problem}"
    assert counters == [VALUE, VALUE], f"waits for {VALUE} and less left the counter at {counters}"


def _wait(semaphore, value, waiting):
    """What went wrong with a wait that has to end, as text; empty if nothing."""
    if waiting == "host":
        answer = semaphore.host_wait(value)
        return "" if answer.is_success else f"vkWaitSemaphores({value}) returned {answer}"
    wait = queue_for(semaphore.device, waiting).submit(waits=[(semaphore, value)], through=waiting)
    return "" if wait.finishes() else f"a wait for {value}: {wait}"


@rule("SPEC-STATE-03", "SPEC-CREATE-03")
@pytest.mark.parametrize("waiting", ["host", *COMMANDS])
@pytest.mark.parametrize("initial", [0, VALUE])
@each_handle
def test_the_initial_value_is_not_waited_for(device, handle, initial, waiting):
    """A wait for the initial value of a timeline that nothing has signaled yet ends."""
    _, semaphore = two_handles(device, handle, initial)

    problem = _wait(semaphore, initial, waiting)

    assert not problem, f"a wait for the value {initial} that a timeline was made with did not end: {problem}"


@rule("SPEC-STATE-03")
@each_handle
def test_one_signal_satisfies_many_waits(open_device, handle):
    """One signal ends every wait for its value or less: of batches on several queues, and of the host."""
    device = open_device(families="all")
    other, semaphore = two_handles(device, handle)
    signal(other, VALUE)

    waits = [queue.submit(waits=[(semaphore, value)]) for queue in device.queues for value in range(1, VALUE + 1)]
    stuck = first_stuck(waits)
    answers = [semaphore.host_wait(value, 0) for value in range(VALUE + 1)]

    assert not stuck, f"after one signal of {VALUE} one of {len(waits)} waits for that and less did not end: {stuck}"
    assert set(answers) == {Result.SUCCESS}, f"after one signal of {VALUE} host waits for 0 to {VALUE} gave {answers}"


@rule("SPEC-STATE-03")
@pytest.mark.parametrize("late", ["first", "second"])
@each_handle
def test_a_batch_waits_for_both_values_of_one_timeline(device, handle, late):
    """A batch that waits for one payload twice, for a reached value and a later one, waits for the later one too."""
    other, semaphore = two_handles(device, handle, VALUE)
    queue, rising = queue_for(device, "vkQueueSubmit", beside=device.queue), count(VALUE + 1)

    def arrange(factor):
        gate, value = run_work(device, factor), next(rising)
        submit_signal(other, value)
        points = [(semaphore, value), (other, VALUE)]
        return gate, queue.submit(waits=points if late == "first" else points[::-1])

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a batch waits for the reached value {VALUE}, and {late} for a later one: {proof.value}"
    )


@rule("SPEC-STATE-01", "SPEC-HOST-01")
@each_handle
@each_command
def test_a_batch_signals_each_timeline_with_its_own_value(device, handle, through):
    """A batch that signals several timelines, and a binary semaphore between, gives each the value at its place."""
    pairs = [two_handles(device, handle) for _ in range(3)]
    points = [(other, VALUE + 2 * n) for n, (other, _) in enumerate(pairs)]
    points.insert(1, device.semaphore())

    call = queue_for(device, through).submit(signals=points, through=through)
    ended, counters = call.finishes(), [seen.counter() for _, seen in pairs]

    assert ended, f"a batch that signals three timelines and a binary semaphore did not end: {call}"
    assert counters == [VALUE, VALUE + 2, VALUE + 4], f"a batch signaled 7, 9 and 11; the counters are {counters}"


@rule("SPEC-STATE-13")
def test_timelines_do_not_disturb_each_other(device):
    """Signals of one timeline leave the counters of other timelines unchanged."""
    needs_timelines(device)
    semaphores = [device.semaphore(TIMELINE, initial_value=2**32 * n) for n in range(16)]

    for semaphore in semaphores[::2]:
        signal(semaphore, semaphore.counter() + VALUE)
    counters = [semaphore.counter() for semaphore in semaphores]

    wanted = [2**32 * n + (VALUE if n % 2 == 0 else 0) for n in range(16)]
    assert counters == wanted, f"16 timelines were signaled to {wanted}, their counters are {counters}"
