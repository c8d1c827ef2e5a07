"""What is made after others were destroyed, perhaps with their handles, has a state of its own (Object Lifetime)."""

from functools import cache
from itertools import chain

import pytest

from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.registry import Result
from suites.creation.proofs import covered, proof_of_wait, raised, refused, signaled, used_once, waiting_queue
from suites.ledger import rule
from suites.steps.batches import each_pair, ends
from suites.steps.members import close
from suites.steps.queues import second_queue
from suites.steps.signals import first_stuck, signal_behind_work
from suites.steps.timelines import needs_timelines, two_handles

GONE = {"the-first": (0,), "the-second-last": (2,), "every-second": (0, 2)}
"""Which of four semaphores are destroyed."""

each_gone = pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
each_left = pytest.mark.parametrize("left", [signaled, raised, covered, refused], ids=lambda one: one.__name__)
"""What the semaphore was that is destroyed before."""


def made_again(device, open_device, handle, gone):
    """Pairs as of `ends` that are left when some of four are destroyed, each signaled before, and as many new ones."""
    opening = cache(open_device)
    made = ends(device, opening, handle, 4)
    left = [pair for index, pair in enumerate(made) if index not in gone]
    for first, _ in left:
        first.signal()
    for pair in [made[index] for index in gone]:
        for one in pair:
            one.destroy()
    return left, ends(device, opening, handle, len(gone))


@rule("SPEC-DESTROY-07")
@each_gone
@each_pair
def test_each_semaphore_is_signaled_for_a_wait_of_its_own(device, open_device, handle, gone):
    """Semaphores keep their signals while others are destroyed and made, and these have signals of their own."""
    left, new = made_again(device, open_device, handle, gone)
    for first, _ in new:
        first.signal()

    waits = [second.device.queue.submit(waits=[second]) for _, second in [*new, *left]]

    stuck = first_stuck(waits)
    assert not stuck, f"{len(new)} new semaphores and {len(left)} older ones are signaled; a wait did not end: {stuck}"


@rule("SPEC-DESTROY-07")
@pytest.mark.parametrize("gone", [(0,), (0, 2)], ids=["the-first", "every-second"])
@each_pair
def test_a_wait_for_a_new_semaphore_holds_whatever_else_is_signaled(device, open_device, handle, gone):
    """A wait for a semaphore made after others were destroyed holds for its own signal, though all older ones are signaled."""

    def arrange(factor):
        _, new = made_again(device, open_device, handle, gone)
        first, second = new[0]
        queue = waiting_queue(second, device)
        gate = run_work(device, factor)
        device.queue.submit(signals=[first])
        return gate, queue.submit(waits=[second])

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the first semaphore that was made after some were destroyed: {proof.value}"


@rule("SPEC-DESTROY-07")
@each_gone
@pytest.mark.parametrize("handle", ["own", "importer"])
def test_each_timeline_has_a_value_of_its_own(device, handle, gone):
    """Timelines keep their values while others are destroyed and made, and these have values of their own."""
    made = {value: two_handles(device, handle, value) for value in range(10, 14)}
    for index in gone:
        for one in made.pop(10 + index):
            one.destroy()

    made |= {value: two_handles(device, handle, value) for value in range(20, 20 + len(gone))}
    before = [seen.counter() for _, seen in made.values()]
    answers = {acting.host_signal(value + 100) for value, (acting, _) in made.items()}
    after = [seen.counter() for _, seen in made.values()]

    assert before == [*made], f"older and new timelines that were made with {[*made]} have the counters {before}"
    assert answers == {Result.SUCCESS}, f"vkSignalSemaphore, each by 100 more, returned {answers}"
    assert after == [value + 100 for value in made], f"signals of 100 more than {[*made]} led to the counters {after}"


@rule("SPEC-CREATE-01", "SPEC-DESTROY-07")
@pytest.mark.parametrize("handle", ["own", "imported-elsewhere"])
@each_left
def test_a_new_binary_semaphore_has_nothing_of_a_destroyed_one(device, open_device, handle, left):
    """Waits for a new binary semaphore hold for its first and its second signal, whatever a destroyed one was."""
    devices = [device] if handle == "own" else [device, open_device()]

    def destroys():
        for one in devices[-1:] if left is refused else devices:  # imports alone follow a refused one
            left(one)

    first = proof_of_wait(device, lambda: devices[-1], handle, destroys=destroys)
    second = proof_of_wait(device, lambda: devices[-1], handle, used_once, destroys)

    assert first is Proof.HELD, f"a wait for a new semaphore after others were destroyed: {first.value}"
    assert second is Proof.HELD, f"a second wait for a semaphore made after others were destroyed: {second.value}"


@rule("SPEC-CREATE-03", "SPEC-DESTROY-07")
@each_left
def test_a_new_timeline_has_nothing_of_a_destroyed_one(device, left):
    """A new timeline starts at its own initialValue, whatever a destroyed semaphore was, and older ones keep their values."""
    needs_timelines(device)
    older = device.semaphore(TIMELINE, initial_value=5)
    left(device)

    semaphore = device.semaphore(TIMELINE, initial_value=3)
    before = semaphore.counter(), older.counter()
    answer = semaphore.host_signal(9)

    assert before == (3, 5), f"a new timeline made with 3, and an older one made with 5, have the counters {before}"
    assert answer.is_success, f"vkSignalSemaphore of a new timeline returned {answer}"
    assert older.counter() == 5, f"after a signal of 9 of another timeline, one made with 5 is at {older.counter()}"


# Devices

each_closed = pytest.mark.parametrize("closed", ["device", "instance"])
"""What is destroyed: a device, or its instance as well."""


def left_and_new(device, open_device, closed):
    """A device that is older than the destruction of another with signaled semaphores, and one that is made after it."""
    leaving, left = open_device(new=True), open_device(new=True)
    for _ in range(2):
        leaving.semaphore().signal()
    yield left
    close(leaving, closed, device)
    yield open_device(new=True)


@rule("SPEC-DESTROY-07")
@each_closed
def test_semaphores_of_each_device_are_signaled_for_waits_of_their_own(device, open_device, closed):
    """Semaphores of older devices keep their signals while a device is destroyed and one made, whose have their own."""
    made = []
    for one in chain([device], left_and_new(device, open_device, closed)):
        made += [one.semaphore(), one.semaphore()]
        made[-1].signal()

    for unsignaled in made[::2]:
        unsignaled.signal()
    waits = [one.device.queue.submit(waits=[one]) for one in reversed(made)]

    stuck = first_stuck(waits)
    assert not stuck, f"{len(made)} semaphores of three devices are signaled; a wait did not end: {stuck}"


@rule("SPEC-DESTROY-07")
@each_closed
def test_timelines_of_each_device_have_values_of_their_own(device, open_device, closed):
    """Timelines of older devices keep their values while a device is destroyed and one made, whose have their own."""
    needs_timelines(device)
    made = []
    for value, one in enumerate(chain([device], left_and_new(device, open_device, closed)), start=3):
        made.append(one.semaphore(TIMELINE, initial_value=value))
    answer = made[-1].host_signal(9)

    counters = [one.counter() for one in made]
    assert answer.is_success, f"vkSignalSemaphore of a timeline of a new device returned {answer}"
    assert counters == [3, 4, 9], f"timelines of three devices, at 3, 4 and 9, have the counters {counters}"


@rule("SPEC-DESTROY-07")
@pytest.mark.parametrize("handle", ["own", "imported-elsewhere"])
@each_closed
def test_a_wait_for_a_semaphore_of_a_new_device_holds(device, open_device, closed, handle):
    """A wait for a semaphore of a device that was made after one was destroyed holds, though those of older ones are signaled."""
    (older, first), (newer, second) = (
        ends(one, lambda: device, handle, 1)[0] for one in left_and_new(device, open_device, closed)
    )
    queue, others = device.queue if handle != "own" else second_queue(second.device), []

    def arrange(factor):
        older.signal()
        gate, wait = signal_behind_work(newer, factor), queue.submit(waits=[second])
        others.append(first.device.queue.submit(waits=[first]))
        return gate, wait

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait for a semaphore of a new device, while one of an older is signaled: {proof.value}"
    )
    stuck = first_stuck(others)
    assert not stuck, f"a wait for a semaphore of the older device did not end: {stuck}"
