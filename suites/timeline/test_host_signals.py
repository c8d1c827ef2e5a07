"""vkSignalSemaphore, and concurrent host operations on one timeline."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.timelines import each_handle, signal, two_handles

SIGNALS = 64
BETWEEN = 0.005
"""Seconds until another thread has begun its call."""


@rule("SPEC-HOST-08", "ISSUE-VK_KHR_timeline_semaphore-9")
@each_handle
def test_a_host_signal_is_done_when_the_call_returns(device, handle):
    """When vkSignalSemaphore returns, the counter of every member has the value."""
    other, semaphore = two_handles(device, handle)

    wrong = []
    for value in range(1, SIGNALS + 1):
        answer = other.host_signal(value)
        seen = (answer, other.counter(), semaphore.counter(), semaphore.host_wait(value, 0))
        wrong += [(value, *seen)] * (seen != (Result.SUCCESS, value, value, Result.SUCCESS))

    assert not wrong, f"after vkSignalSemaphore (value, result, both counters, poll) were {wrong[0]}"


@rule("SPEC-HOST-08", "SPEC-STATE-13")
@each_handle
def test_host_signals_may_leave_values_out(device, handle):
    """A signal may raise the counter by any amount."""
    other, semaphore = two_handles(device, handle)

    counters = []
    for value in (3, 4, 1000, 2**20, 2**31 - 2):
        signal(other, value)
        counters.append(semaphore.counter())

    assert counters == [3, 4, 1000, 2**20, 2**31 - 2], f"after 3, 4, 1000, 2^20 and 2^31-2 the counters were {counters}"


@rule("SPEC-THREAD-06", "SPEC-HOST-03")
@each_handle
def test_threads_wait_for_values_of_their_own(device, handle):
    """Of two threads that wait on one timeline the one with the lower value returns first, although it began last."""
    other, semaphore = two_handles(device, handle)

    with ThreadPoolExecutor(2) as threads:
        waits = []
        for value in (SIGNALS, 1):
            waits.append(threads.submit(semaphore.host_wait, value))
            time.sleep(BETWEEN)
        signal(other, 1)
        low = waits[1].result()
        time.sleep(BETWEEN)
        early = waits[0].done()
        signal(other, SIGNALS)
        high = waits[0].result()

    assert low.is_success, f"during a wait for {SIGNALS} a wait for 1 returned {low} although 1 was signaled"
    assert not early, f"at 1 the wait of another thread for {SIGNALS} returned {high}"
    assert high.is_success, f"a wait for {SIGNALS} returned {high} although {SIGNALS} was signaled"


@rule("SPEC-HOST-08", "SPEC-HOST-01")
@each_handle
def test_host_and_queue_signals_alternate(device, handle):
    """Signals from the host and from batches act on the same payload."""
    other, semaphore = two_handles(device, handle)

    counters = []
    for value in range(1, 21):
        signal(other, value, by="host" if value % 2 else "vkQueueSubmit")
        counters.append(semaphore.counter())

    assert counters == list(range(1, 21)), f"signals of 1 to 20, by turns from host and queue, showed {counters}"


@rule("SPEC-HOST-10", "SPEC-THREAD-06")
@each_handle
def test_threads_that_take_turns_signal_one_timeline(device, handle):
    """Several threads that signal rising values, each after the last call returned, raise the counter to the last value."""
    pair = two_handles(device, handle)
    turn, left = threading.Lock(), iter(range(1, 4 * SIGNALS + 1))

    def take_turns(semaphore):
        wrong = []
        for _ in range(SIGNALS):
            with turn:
                value = next(left)
                answer, seen = semaphore.host_signal(value), semaphore.counter()
                if not answer.is_success or seen != value:
                    wrong.append(f"vkSignalSemaphore({value}) returned {answer}, the counter then was {seen}")
        return wrong

    with ThreadPoolExecutor(4) as threads:
        wrong = [one for found in threads.map(take_turns, pair * 2) for one in found]

    counters = [semaphore.counter() for semaphore in pair]
    assert not wrong, f"{len(wrong)} signals failed: {wrong[0]}"
    assert counters == [4 * SIGNALS] * 2, f"four threads signaled up to {4 * SIGNALS}, the counters are {counters}"


@rule("SPEC-THREAD-06")
@each_handle
def test_waits_queries_and_signals_run_at_once(device, handle):
    """Concurrent waits, queries and signals of one timeline all succeed."""
    other, semaphore = two_handles(device, handle)

    done = threading.Event()

    def poll(_):
        seen = [0]
        while not done.wait(0.0002):  # a pause: a driver owes nobody a fair share of its locks
            seen.append(semaphore.counter())
        return [*seen, semaphore.counter()]

    with ThreadPoolExecutor(6) as threads:
        polls = [threads.submit(poll, n) for n in range(2)]
        waits = [threads.submit(_wait_for_each, semaphore, start) for start in (1, 2, 3)]
        wrong = threads.submit(_signal_each, other).result()
        done.set()
        failed = [text for text in (waiting.result() for waiting in waits) if text]
        seen = [polling.result() for polling in polls]

    assert not wrong, f"vkSignalSemaphore failed during waits and queries: {wrong[0]}"
    assert not failed, f"{len(failed)} of 3 waiting threads failed during signals and queries: {failed[0]}"
    assert all(s == sorted(s) for s in seen), "a thread saw the counter go back"
    assert [s[-1] for s in seen] == [SIGNALS] * 2, f"the queries ended at {[s[-1] for s in seen]}"


def _wait_for_each(semaphore, start):
    for value in range(start, SIGNALS + 1, 3):
        answer = semaphore.host_wait(value)
        if not answer.is_success:
            return f"a wait for {value} returned {answer}"
    return ""


def _signal_each(semaphore):
    answers = []
    for value in range(1, SIGNALS + 1):
        answers.append((value, semaphore.host_signal(value)))
        time.sleep(0.0002)
    return [f"vkSignalSemaphore({value}) returned {answer}" for value, answer in answers if not answer.is_success]


@rule("SPEC-THREAD-06")
@pytest.mark.parametrize("waiters", [2, 16])
@each_handle
def test_one_signal_wakes_every_waiting_thread(device, handle, waiters):
    """One signal ends the waits of all threads for its value."""
    other, semaphore = two_handles(device, handle)

    with ThreadPoolExecutor(waiters) as threads:
        waits = [threads.submit(semaphore.host_wait, 1) for _ in range(waiters)]
        time.sleep(0.02)
        signal(other, 1)
        answers = [waiting.result() for waiting in waits]

    assert answers == [Result.SUCCESS] * waiters, f"of {waiters} threads that waited for one signal some got {answers}"


@rule("SPEC-HOST-01", "SPEC-HOST-02", "SPEC-HOST-04", "SPEC-HOST-08")
@pytest.mark.parametrize("spelling", ["", "KHR"], ids=["core", "KHR"])
def test_both_spellings_of_the_host_commands_work(open_device, device_info, spelling):
    """The KHR names of vkSignalSemaphore, vkWaitSemaphores and vkGetSemaphoreCounterValue act as the core names."""
    _needs(device_info, spelling)
    device = open_device(spelling)
    semaphore = device.semaphore(TIMELINE, initial_value=2**32)

    before = [semaphore.counter(), semaphore.host_wait(2**32 + 5, 0)]
    signal(semaphore, 2**32 + 5)
    after = [semaphore.counter(), semaphore.host_wait(2**32 + 5), semaphore.host_wait(2**32 + 6, 0)]

    assert before == [2**32, Result.TIMEOUT], f"at 2^32 counter and poll for 5 more were {before}"
    assert after == [2**32 + 5, Result.SUCCESS, Result.TIMEOUT], f"at 2^32+5 counter, wait and poll were {after}"


def _needs(info, spelling):
    if not info.timeline:
        unsupported("the device has no timeline semaphores")
    if spelling == "KHR" and "VK_KHR_timeline_semaphore" not in info.extensions:
        unsupported("the device does not offer VK_KHR_timeline_semaphore")
    if not spelling and [int(part) for part in info.api_version.split(".")[:2]] < [1, 2]:
        unsupported(f"the device has Vulkan {info.api_version}: timelines are core since 1.2")
