"""vkWaitSemaphores: when it returns, what it returns, and how long it takes."""

import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queues import FAMILIES, queue_for, queue_of
from suites.steps.timelines import (
    each_handle,
    each_signal,
    held_by_work,
    needs_timelines,
    signal,
    submit_signal,
    two_handles,
)

VALUE = 7
LOOKING = 0.03
"""Seconds for which the test watches that a wait holds."""


def timed(call, *arguments):
    """(the result of a call, the seconds that it took)."""
    start = time.perf_counter()
    answer = call(*arguments)
    return answer, time.perf_counter() - start


@rule("SPEC-HOST-02", "ISSUE-VK_KHR_timeline_semaphore-5")
@pytest.mark.parametrize("value", [0, 1, VALUE])
@each_handle
def test_a_wait_for_a_reached_value_returns_at_once(device, handle, value):
    """A wait for a value that the counter has reached returns VK_SUCCESS, long before the timeout."""
    other, semaphore = two_handles(device, handle)
    signal(other, VALUE)

    answer, took = timed(semaphore.host_wait, value)

    assert answer == Result.SUCCESS, f"at {VALUE} a wait for {value} returned {answer}"
    assert took < patience.seconds() / 2, f"at {VALUE} a wait for {value} took {took:.3f} s"


@rule("SPEC-HOST-02")
@each_handle
def test_the_initial_value_is_reached(device, handle):
    """A wait for the initial value or less succeeds without any signal."""
    _, semaphore = two_handles(device, handle, VALUE)

    answers = [semaphore.host_wait(value) for value in (VALUE, 1, 0)]

    assert answers == [Result.SUCCESS] * 3, f"created at {VALUE}, waits for {VALUE}, 1 and 0 returned {answers}"


@rule("SPEC-HOST-04", "SPEC-HOST-09", "ISSUE-VK_KHR_timeline_semaphore-5")
@each_handle
@each_signal
def test_a_timeout_of_zero_polls(device, handle, by):
    """With timeout 0 the call returns VK_TIMEOUT before the signal and VK_SUCCESS after it, without waiting."""
    other, semaphore = two_handles(device, handle)

    before, took = timed(semaphore.host_wait, VALUE, 0)
    signal(other, VALUE, by)
    after = [semaphore.host_wait(VALUE, 0), semaphore.host_wait(VALUE + 1, 0)]

    assert before == Result.TIMEOUT, f"at 0 a poll for {VALUE} returned {before}"
    assert took < patience.seconds() / 2, f"a poll for a value that was not reached took {took:.3f} s"
    assert after == [Result.SUCCESS, Result.TIMEOUT], f"at {VALUE} polls for {VALUE} and {VALUE + 1} returned {after}"


@rule("SPEC-HOST-03")
@each_handle
def test_a_wait_that_expires_answers_timeout(device, handle):
    """A wait for a value that is never signaled returns VK_TIMEOUT and leaves the counter unchanged."""
    other, semaphore = two_handles(device, handle, VALUE)

    answers = [semaphore.host_wait(VALUE + 1, seconds) for seconds in (1e-9, 0.001, 0.02)]

    assert answers == [Result.TIMEOUT] * 3, f"at {VALUE} waits for {VALUE + 1} of 1 ns, 1 ms and 20 ms gave {answers}"
    counters = [other.counter(), semaphore.counter()]
    assert counters == [VALUE, VALUE], f"waits that expired moved the counter from {VALUE} to {counters}"


@rule("SPEC-HOST-05")
@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.1])
@each_handle
def test_a_wait_lasts_as_long_as_its_timeout(device, handle, seconds):
    """A wait that expires lasts its timeout or longer; 1 ms or 10 % less counts as rounding."""
    _, semaphore = two_handles(device, handle)

    answer, took = timed(semaphore.host_wait, VALUE, seconds)

    assert answer == Result.TIMEOUT, f"at 0 a wait for {VALUE} returned {answer}"
    least = seconds - max(0.001, 0.1 * seconds)
    assert took >= least, f"a wait with a timeout of {seconds} s gave up after {took:.4f} s"


@rule("SPEC-HOST-03")
@each_handle
@each_signal
def test_a_wait_blocks_until_the_signal(device, handle, by):
    """A wait on one thread holds until another thread signals the value, then returns VK_SUCCESS."""
    other, semaphore = two_handles(device, handle)
    if by != "host":
        queue_for(device, by)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(semaphore.host_wait, VALUE)
        early = bool(wait([waiting], LOOKING).done)
        signal(other, VALUE, by)
        answer, took = timed(waiting.result)

    assert not early, f"a wait for {VALUE} ended at 0, with {answer}"
    assert answer == Result.SUCCESS, f"a wait that began before {VALUE} was signaled returned {answer}"
    assert took < patience.seconds() / 2, f"a wait for {VALUE} ended {took:.3f} s after the signal"


@rule("SPEC-HOST-03")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_signal_on_any_queue_family_ends_a_blocked_wait(open_device, family):
    """A wait that blocks ends with a signal of whatever queue family the device has."""
    device = open_device(families="all")
    needs_timelines(device)
    queue, timeline = queue_of(device, family), device.semaphore(TIMELINE)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(timeline.host_wait, VALUE)
        early = bool(wait([waiting], LOOKING).done)
        submission = queue.submit(signals=[(timeline, VALUE)])
        answer = waiting.result()

    assert not early, f"a wait for {VALUE} ended at 0, with {answer}"
    assert submission.finishes(), f"a batch that signals {VALUE} did not end: {submission}"
    assert answer == Result.SUCCESS, (
        f"a wait that began before queue family {family} signaled {VALUE} returned {answer}"
    )


@rule("SPEC-HOST-03")
@pytest.mark.isolated
@pytest.mark.parametrize("nanoseconds", [2**63 - 1, 2**63, 2**64 - 1], ids=["2^63-1", "2^63", "the-greatest"])
@each_handle
def test_the_longest_timeouts_block_until_the_signal(device, handle, nanoseconds):
    """A timeout is unsigned: with any great timeout the wait holds until the signal."""
    other, semaphore = two_handles(device, handle)
    call = device.vk.vkWaitSemaphores

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(call, device.handle, (semaphore.handle,), (VALUE,), nanoseconds)
        early = bool(wait([waiting], LOOKING).done)
        signal(other, VALUE)
        answer = waiting.result()

    assert not early, f"a wait of {nanoseconds} ns for {VALUE} ended at 0, with {answer}"
    assert answer == Result.SUCCESS, f"a wait of {nanoseconds} ns that saw {VALUE} signaled returned {answer}"


@rule("SPEC-HOST-03")
@each_handle
def test_a_signal_below_the_value_does_not_end_a_wait(device, handle):
    """A wait holds while lower values are signaled."""
    other, semaphore = two_handles(device, handle)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(semaphore.host_wait, VALUE)
        signal(other, 1)
        signal(other, VALUE - 1)
        early = bool(wait([waiting], LOOKING).done)
        signal(other, VALUE + 1)
        answer = waiting.result()

    assert not early, f"a wait for {VALUE} ended at {VALUE - 1}, with {answer}"
    assert answer == Result.SUCCESS, f"a wait for {VALUE} that saw {VALUE + 1} returned {answer}"


@rule("SPEC-HOST-03", "SPEC-HOST-01", "ISSUE-VK_KHR_timeline_semaphore-3")
@each_handle
def test_a_host_signal_ends_a_wait_before_a_pending_greater_one(device, handle):
    """A host signal of its value ends a wait, although a greater signal of a queue is still pending."""
    other, semaphore = two_handles(device, handle)
    held = device.semaphore(TIMELINE)
    pending = device.queue.submit(waits=[(held, 1)], signals=[(other, VALUE + 10)])

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(semaphore.host_wait, VALUE)
        early = bool(wait([waiting], LOOKING).done)
        signal(other, VALUE)
        answer = waiting.result()
        before = semaphore.counter()
    signal(held, 1)
    last = semaphore.host_wait(VALUE + 10)

    assert not early, f"a wait for {VALUE} ended at 0, with {answer}"
    assert answer == Result.SUCCESS, f"{VALUE} was signaled, {VALUE + 10} pending: a wait for {VALUE} returned {answer}"
    assert pending.finishes(), f"the batch with the greater signal did not end: {pending}"
    assert last == Result.SUCCESS, f"a wait for {VALUE + 10}, after its batch had ended, returned {last}"
    counters = before, semaphore.counter()
    assert counters == (VALUE, VALUE + 10), (
        f"before and after the pending signal of {VALUE + 10} the counters are {counters}"
    )


@rule("SPEC-HOST-03")
@each_handle
def test_a_wait_outlasts_the_work_before_the_signal(device, handle):
    """A wait for a batch's value returns once the work that was submitted before it on the queue is done."""
    other, semaphore = two_handles(device, handle)

    proof = held_by_work(other, lambda value: semaphore.host_wait(value).is_success)

    assert proof is Proof.HELD, f"a host wait for a batch's value: {proof.value}"


@rule("SPEC-HOST-07")
@pytest.mark.parametrize("reached", range(3), ids=["first", "second", "third"])
@each_handle
def test_any_needs_one_and_all_need_all(device, handle, reached):
    """With VK_SEMAPHORE_WAIT_ANY_BIT one reached semaphore of three, at any position, is enough; without the bit it is not."""
    three = _three(device, handle)

    before = _wait_for(device, three, any_of_them=True)
    signal(three[reached][0], VALUE)
    one, not_all = _wait_for(device, three, any_of_them=True), _wait_for(device, three, any_of_them=False)
    for other, _ in three[:reached] + three[reached + 1 :]:
        signal(other, VALUE + 1)
    every = _wait_for(device, three, any_of_them=False)

    assert before == Result.TIMEOUT, f"with none of three reached a wait for any returned {before}"
    assert one == Result.SUCCESS, f"with number {reached} of three reached a wait for any returned {one}"
    assert not_all == Result.TIMEOUT, f"with number {reached} of three reached a wait for all returned {not_all}"
    assert every == Result.SUCCESS, f"with three of three reached a wait for all returned {every}"


def _three(device, handle):
    """Three timelines, the middle one as `handle`, each as (signal through, wait on)."""
    alone = [device.semaphore(TIMELINE) for _ in range(2)] if device.info.timeline else []
    middle = two_handles(device, handle)
    return [(alone[0], alone[0]), middle, (alone[1], alone[1])]


def _wait_for(device, three, any_of_them, seconds=0.0):
    handles = tuple(semaphore.handle for _, semaphore in three)
    return device.vk.vkWaitSemaphores(device.handle, handles, (VALUE,) * len(three), int(seconds * 1e9), any_of_them)


@rule("SPEC-HOST-07", "SPEC-HOST-03")
@pytest.mark.parametrize("reached", range(3), ids=["first", "second", "third"])
@each_handle
def test_a_wait_for_any_blocks_until_one_is_signaled(device, handle, reached):
    """A wait for any of three holds until one of them, at any position, has its value or more."""
    three = _three(device, handle)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(_wait_for, device, three, True, patience.seconds())
        early = bool(wait([waiting], LOOKING).done)
        signal(three[reached][0], VALUE + reached)
        answer, took = timed(waiting.result)

    assert not early, f"a wait for any of three ended with none reached, with {answer}"
    assert answer == Result.SUCCESS, f"a wait for any of three returned {answer} after number {reached} was signaled"
    assert took < patience.seconds() / 2, f"a wait for any of three ended {took:.3f} s after the signal"


@rule("SPEC-HOST-07", "SPEC-HOST-03")
@each_handle
def test_a_wait_for_all_blocks_until_the_last_is_signaled(device, handle):
    """A wait for all of three holds until each has its value or more."""
    three = _three(device, handle)

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(_wait_for, device, three, False, patience.seconds())
        signal(three[0][0], VALUE)
        signal(three[2][0], VALUE + 1)
        early = bool(wait([waiting], LOOKING).done)
        signal(three[1][0], VALUE + 2)
        answer = waiting.result()

    assert not early, f"a wait for all of three ended with two reached, with {answer}"
    assert answer == Result.SUCCESS, f"a wait for all of three returned {answer} after all were signaled"


@rule("SPEC-HOST-07")
@each_handle
def test_one_semaphore_may_be_waited_for_at_several_values(device, handle):
    """Each element of a wait has its own condition, also where several elements name the same semaphore."""
    other, semaphore = two_handles(device, handle)
    signal(other, VALUE)

    handles, values = (semaphore.handle,) * 2, (VALUE, VALUE + 1)
    some = device.vk.vkWaitSemaphores(device.handle, handles, values, 0, True)
    every = device.vk.vkWaitSemaphores(device.handle, handles, values, 0, False)

    assert some == Result.SUCCESS, f"at {VALUE} a wait for any of {values} of one semaphore returned {some}"
    assert every == Result.TIMEOUT, f"at {VALUE} a wait for all of {values} of one semaphore returned {every}"


@rule("SPEC-HOST-07")
@each_handle
def test_each_semaphore_of_a_wait_has_its_own_value(device, handle):
    """A wait compares each semaphore with the value at its place."""
    seen = [two_handles(device, handle, value)[1] for value in (VALUE, 2 * VALUE, 3)]
    handles, polls = tuple(one.handle for one in seen), {}

    for name, any_of_them, values in (
        ("all, reached", False, (VALUE, 2 * VALUE, 3)),
        ("all, one short", False, (VALUE, 2 * VALUE, 4)),
        ("any, the second", True, (VALUE + 1, 2 * VALUE, 4)),
        ("any, none", True, (VALUE + 1, 2 * VALUE + 1, 4)),
    ):
        polls[name] = device.vk.vkWaitSemaphores(device.handle, handles, values, 0, any_of_them).is_success

    wanted = {"all, reached": True, "all, one short": False, "any, the second": True, "any, none": False}
    assert polls == wanted, f"of timelines at {VALUE}, {2 * VALUE} and 3 waits that poll were satisfied: {polls}"


@rule("SPEC-HOST-07")
@pytest.mark.parametrize("count", [1, 70])
@each_handle
def test_a_wait_for_any_number_of_semaphores(device, handle, count):
    """A wait for many semaphores takes the last into account like the first."""
    pairs = [two_handles(device, handle) for _ in range(count)]

    submit_signal(pairs[-1][0], VALUE)
    some = _wait_for(device, pairs, any_of_them=True, seconds=patience.seconds())
    every = _wait_for(device, pairs, any_of_them=False)
    for other, _ in pairs[:-1]:
        signal(other, VALUE)
    at_last = _wait_for(device, pairs, any_of_them=False)

    assert some == Result.SUCCESS, f"with the last of {count} signaled a wait for any returned {some}"
    assert (every == Result.SUCCESS) == (count == 1), f"with one of {count} signaled a wait for all returned {every}"
    assert at_last == Result.SUCCESS, f"with {count} of {count} signaled a wait for all returned {at_last}"
