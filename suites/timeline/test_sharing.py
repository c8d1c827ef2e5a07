"""Timeline semaphores that share one payload, in one process and in several."""

from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count

import pytest

from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.native import Batch
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queues import each_command, queue_for
from suites.steps.signals import first_stuck
from suites.steps.timelines import (
    each_signal,
    members,
    needs_success,
    needs_timelines,
    signal,
    submit_signal,
    two_handles,
)
from suites.timeline.other_process import show_counters, take_turns

VALUE = 2**32 + 7
LOOKING = 0.005
"""Seconds for which the test watches that a wait holds."""
MEMBERS = ("exporter", "importer", "second importer", "importer in another instance")

each_member = pytest.mark.parametrize("acting", MEMBERS)


@rule("SPEC-HOST-09", "SPEC-HOST-01")
@each_member
@each_signal
def test_every_member_shows_a_signal_of_any_member(device, open_device, acting, by):
    """A signal through any member, by host or batch, raises the counter of all members at once."""
    every = members(device, open_device, VALUE)

    signal(every[acting], VALUE + 1, by)

    counters = {name: one.counter() for name, one in every.items()}
    assert set(counters.values()) == {VALUE + 1}, f"the {acting} signaled {VALUE + 1}, the counters are {counters}"


@rule("SPEC-HOST-09", "SPEC-HOST-03")
@each_member
@pytest.mark.parametrize("waiting", MEMBERS)
def test_a_signal_of_any_member_ends_a_host_wait_on_any(device, open_device, acting, waiting):
    """A host wait on one member holds until the value is signaled through another member."""
    every = members(device, open_device, VALUE)

    with ThreadPoolExecutor(1) as thread:
        waiter = thread.submit(every[waiting].host_wait, VALUE + 1)
        early = bool(wait([waiter], LOOKING).done)
        signal(every[acting], VALUE + 1)
        answer = waiter.result()

    assert not early, f"at {VALUE} a wait on the {waiting} for {VALUE + 1} returned {answer}"
    assert answer.is_success, f"a wait on the {waiting} for what the {acting} signaled returned {answer}"


@rule("SPEC-IMPORT-14", "SPEC-STATE-03")
@each_member
@each_command
def test_a_batch_waits_on_any_member_for_work_of_the_exporter(device, open_device, acting, through):
    """A batch that waits on a member holds until the work before the exporter's signal is done, then starts."""
    every = members(device, open_device)
    waiting, values = every[acting], iter(range(1, 9))
    queue = queue_for(waiting.device, through, beside=device.queue)

    def arrange(factor):
        value = next(values)
        gate = run_work(device, factor)
        submit_signal(every["exporter"], value)
        return gate, queue.submit(waits=[(waiting, value)], through=through)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait on the {acting} for what the exporter signals: {proof.value}"


@rule("SPEC-EXPORT-09")
@pytest.mark.parametrize("state", ["initial", "signaled", "waited-for", "signal-pending", "wait-pending"])
def test_a_timeline_exports_in_any_state(device, state):
    """An export of a timeline succeeds, and importers get its value, in each state: new, signaled, or with pending operations."""
    needs_timelines(device, shared=True)
    exporter = device.semaphore(TIMELINE, export=True, initial_value=VALUE)
    if state in ("signaled", "waited-for"):
        signal(exporter, VALUE + 1)
    if state in ("waited-for", "wait-pending"):
        device.queue.submit(waits=[(exporter, VALUE + 1)])
    if state == "signal-pending":
        run_work(device)
        submit_signal(exporter, VALUE + 1)

    answer, descriptor = exporter.export_fd()
    if state == "wait-pending":
        signal(exporter, VALUE + 1)

    assert answer.is_success, f"vkGetSemaphoreFdKHR of a timeline ({state}) returned {answer}"
    importer, value = device.semaphore(TIMELINE).imports(descriptor), VALUE + (state != "initial")
    assert importer.host_wait(value).is_success, f"an importer of a timeline ({state}) does not reach {value}"
    assert importer.counter() == value, (
        f"an importer of a timeline ({state}) has the counter {importer.counter()} instead of {value}"
    )


@rule("SPEC-IMPORT-08", "ISSUE-VK_KHR_timeline_semaphore-4")
@pytest.mark.parametrize("value", [3, VALUE + 100], ids=["less", "greater"])
def test_an_import_replaces_the_payload(device, value):
    """A permanent import replaces the semaphore's own counter by the payload's, also by a lower one."""
    needs_timelines(device, shared=True)
    exporter = device.semaphore(TIMELINE, export=True, initial_value=value)
    target = device.semaphore(TIMELINE, initial_value=VALUE // 2)
    signal(target, VALUE // 2 + 1)

    target.imports(exporter.exported())
    imported = target.counter()
    signal(target, value + 1)

    assert imported == value, (
        f"a semaphore at {VALUE // 2 + 1} that imported a payload at {value} has the counter {imported}"
    )
    assert exporter.counter() == value + 1, (
        f"the importer signaled {value + 1}, the exporter's counter is {exporter.counter()}"
    )


@rule("SPEC-IMPORT-08", "SPEC-HOST-03")
@pytest.mark.parametrize("seen", ["read", "waited-for"])
def test_host_waits_are_for_the_imported_payload(device, seen):
    """After a permanent import of a lower counter, a wait for a value that the semaphore had reached before holds."""
    needs_timelines(device, shared=True)
    exporter = device.semaphore(TIMELINE, export=True, initial_value=3)
    target = device.semaphore(TIMELINE, initial_value=VALUE)
    before = target.host_wait(VALUE).is_success if seen == "waited-for" else target.counter() == VALUE

    target.imports(exporter.exported())
    unreached, reached = target.host_wait(4, 0), target.host_wait(3, 0)

    assert before, f"a new timeline is not at its initial value of {VALUE} (SPEC-CREATE-10)"
    assert unreached == Result.TIMEOUT, f"at 3, imported over {VALUE}, a poll for 4 returned {unreached}"
    assert reached.is_success, f"at 3, imported over {VALUE}, a poll for 3 returned {reached}"


@rule("SPEC-IMPORT-08")
def test_a_replaced_payload_lives_on_in_its_other_members(device):
    """A semaphore that imports another payload leaves its first payload unchanged for the semaphores that share it."""
    needs_timelines(device, shared=True)
    first, second = (device.semaphore(TIMELINE, export=True, initial_value=v) for v in (VALUE, 3))
    kept = first.exported()

    first.imports(second.exported())
    signal(first, 5)
    left = device.semaphore(TIMELINE).imports(kept)
    signal(left, VALUE + 1)

    counters = {"replaced": left.counter(), "importer": first.counter(), "its exporter": second.counter()}
    assert counters == {"replaced": VALUE + 1, "importer": 5, "its exporter": 5}, f"the counters are {counters}"


@rule("SPEC-SHARE-02", "SPEC-STATE-03")
def test_queues_of_several_instances_use_one_payload_at_once(device, open_device):
    """Concurrent submissions of one signaler and many waiters, each through its own member, all end."""
    needs_timelines(device, shared=True)
    exporter, last = device.semaphore(TIMELINE, export=True, initial_value=VALUE), VALUE + 32
    waiters = [open_device().semaphore(TIMELINE).imports(exporter.exported()) for _ in range(3)]

    def submit_each(semaphore, side):
        queue = semaphore.device.queue
        return first_stuck([queue.submit(**{side: [(semaphore, v)]}) for v in range(VALUE + 1, last + 1)])

    with ThreadPoolExecutor(4) as threads:
        waits = [threads.submit(submit_each, semaphore, "waits") for semaphore in waiters]
        signals = threads.submit(submit_each, exporter, "signals").result()
        stuck = [text for text in (waiting.result() for waiting in waits) if text]

    counters = [semaphore.counter() for semaphore in (exporter, *waiters)]
    assert not signals, f"of 32 signals one did not end: {signals}"
    assert not stuck, f"waits of {len(stuck)} of 3 instances did not end: {stuck[0]}"
    assert counters == [last] * 4, f"after signals up to {last} the counters are {counters}"


@rule("SPEC-IMPORT-14", "SPEC-STATE-03")
def test_two_devices_raise_one_payload_by_turns(device, open_device):
    """Batches of two devices that each wait for the other's last value and signal the next run by turns, behind work."""
    every = members(device, open_device)
    one, other = every["exporter"], every["importer in another instance"]
    counted, submissions = count(1), []

    def arrange(factor):
        gate = run_work(device, factor)
        for turn in range(64):
            mine, value = (one, other)[turn % 2], next(counted)
            waits = ((mine.handle,), (), (mine.handle,), (value - 1,), (value,))
            first = ((), (), (mine.handle,), None, (value,))  # behind the work, as it is on its queue
            submissions.append(mine.device.queue.submit_batches([Batch(*(waits if turn else first))]))
        return gate, submissions[-1]

    proof = shown(arrange)
    stuck = first_stuck(submissions)

    assert not stuck, f"of {len(submissions)} batches by turns one did not end: {stuck}"
    assert proof is Proof.HELD, f"the last of 64 batches by turns, behind work before the first: {proof.value}"
    counters = [one.counter(), other.counter()]
    assert counters == [len(submissions)] * 2, f"after {len(submissions)} batches by turns the counters are {counters}"


@rule("SPEC-HOST-08", "SPEC-HOST-09", "SPEC-HOST-01")
@each_signal
def test_another_process_sees_each_signal(device, processes, by):
    """Once a signal has ended here, the counter in another process has its value."""
    needs_timelines(device, shared=True)
    exporter = device.semaphore(TIMELINE, export=True, initial_value=VALUE)
    child = processes.borrow(show_counters, device.info)
    child.channel.send_fd(exporter.exported().fd)
    needs_success(child.channel.receive())

    seen = []
    for value in range(VALUE + 1, VALUE + 9):
        signal(exporter, value, by)
        child.channel.send("counter?")
        seen.append(child.channel.receive())
    child.channel.send(None)
    child.finish()

    wanted = list(range(VALUE + 1, VALUE + 9))
    assert seen == wanted, f"values from {VALUE + 1} on were signaled here, the counters in another process were {seen}"


@rule("SPEC-HOST-09", "SPEC-HOST-10", "SPEC-HOST-03")
@pytest.mark.parametrize("handle", ["exporter", "importer"])
def test_two_processes_take_turns(device, processes, handle):
    """Two processes that wait for each other's host signals raise one counter to the last value."""
    other, semaphore = two_handles(device, handle)
    child = processes.borrow(take_turns, device.info, 100)
    child.channel.send_fd((semaphore if handle == "exporter" else other).exported().fd)
    needs_success(child.channel.receive())

    answers = []
    for value in range(1, 100, 2):
        answers += [semaphore.host_signal(value), semaphore.host_wait(value + 1)]
        if not all(answer.is_success for answer in answers):
            break
    ending = child.finish()

    assert all(answer.is_success for answer in answers), f"call {len(answers)} here returned {answers[-1]}"
    assert (ending.how, ending.value) == ("returned", ""), f"in the other process: {ending}"
    assert semaphore.counter() == 100, f"two processes signaled up to 100, the counter is {semaphore.counter()}"
