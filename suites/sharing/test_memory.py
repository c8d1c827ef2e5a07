"""Memory that one queue or device wrote before its signal is visible to another one after its wait."""

import sys

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.devices import WORKING
from fixtures.testbed.gates import recorded_work
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.steps import buffers
from suites.steps.members import PLACES, device_at
from suites.steps.queues import FAMILIES, queue_for, queue_of, second_queue

SIZE = 1 << 20
WORDS = [0x01010101 * n for n in range(1, 17)]


@rule("SPEC-STATE-09", "SPEC-SHARE-10")
@pytest.mark.parametrize("place", PLACES[1:])
def test_what_was_written_before_the_signal_is_read_after_the_wait(device, open_device, kind, permanence, place):
    """Each of two devices by turns reads, after a wait for an imported payload, what the other wrote before its signal."""
    temporary = allow_permanence(kind, permanence)
    buffers.check_claim(device)
    other, found = device_at(place, device, open_device), []
    ours = buffers.make(device, SIZE, external=buffers.OPAQUE)
    theirs = buffers.make(other, SIZE, external=buffers.OPAQUE, imported=buffers.export(ours))
    shared, seen = (
        [ours, theirs],
        [buffers.make(one, SIZE, buffers.HOST_VISIBLE_AND_COHERENT) for one in (device, other)],
    )

    for turn, word in enumerate(WORDS):
        writer, reader = turn % 2, 1 - turn % 2
        descriptor = buffers.hand_over(shared[writer], kind, word, behind_work=turn < 4, apart=turn % 4 > 1)
        read = buffers.take_over(shared[reader], seen[reader], kind, descriptor, temporary)
        assert read.finishes(), f"a batch that waits and reads does not end: {read} (SPEC-IMPORT-14)"
        found.append(words_in(bytes(seen[reader].bytes)))

    assert found == [{word} for word in WORDS], (
        f"the devices wrote {words(WORDS)} and read {[words(one) for one in found]}"
    )


@rule("SPEC-STATE-09")
@pytest.mark.parametrize("family", FAMILIES)
def test_the_signal_of_any_queue_family_comes_after_its_work(open_device, family):
    """A batch on another queue that waits for a queue family's signal reads what that family's batch wrote."""
    device = open_device(families="all")
    queue, semaphore = queue_of(device, family), device.semaphore()
    others = [one for one in device.queues if one != queue]
    if not queue.flags & WORKING or not others:
        unsupported("queues of the family cannot fill buffers" if others else "the device has one queue")
    seen = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)

    queue.submit(commands=[buffers.fills(seen, WORDS, queue.family)], signals=[semaphore])
    wait = others[0].submit(waits=[semaphore])
    ended, found = wait.finishes(), words_in(bytes(seen.bytes))

    assert ended, f"a wait for a signal of family {family} does not end: {wait}"
    assert found == {WORDS[-1]}, (
        f"family {family} wrote {words(WORDS[-1:])} last, the waiting queue read {words(found)}"
    )


@rule("SPEC-STATE-09")
@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
def test_the_signal_comes_after_every_command_buffer(device, through):
    """After a wait for a batch's signal a reader sees what its last command buffer wrote, and what its first wrote."""
    queue, waits = queue_for(device, through), second_queue(device)
    semaphore, seen = device.semaphore(), buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)
    first, last = (buffers.fills(seen, [word], queue.family) for word in WORDS[:2])

    queue.submit(commands=[first, recorded_work(device), last], signals=[semaphore], through=through)
    wait = waits.submit(waits=[semaphore])
    ended, found = wait.finishes(), words_in(bytes(seen.bytes))

    assert ended, f"a wait for the signal of a batch of three command buffers does not end: {wait}"
    assert found == {WORDS[1]}, f"three command buffers wrote {words(WORDS[1:2])} last, the reader saw {words(found)}"


@rule("SPEC-STATE-01", "SPEC-STATE-09")
@pytest.mark.parametrize("position", [0, 2], ids=["first", "last"])
@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
def test_every_command_buffer_comes_after_the_one_wait(device, through, position):
    """Both the first and the last command buffer of a batch that waits run after the work before the signal."""
    queue, waits = queue_for(device, through), other_working_queue(device)
    semaphore = device.semaphore()
    seen, aside = (buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT) for _ in range(2))
    commands = [buffers.fills(aside, [word], waits.family) for word in WORDS[2:4]]
    commands.insert(position, buffers.fills(seen, WORDS[1:2], waits.family))

    before = [recorded_work(device), buffers.fills(seen, WORDS[:1], queue.family)]
    queue.submit(commands=before, signals=[semaphore])
    wait = waits.submit(waits=[semaphore], commands=commands, through=through)
    ended, found = wait.finishes(), words_in(bytes(seen.bytes))

    assert ended, f"a batch of three command buffers that waits for a signal does not end: {wait}"
    assert found == {WORDS[1]}, f"the batch wrote {words(WORDS[1:2])} after its wait, the buffer holds {words(found)}"


def other_working_queue(device):
    """Another queue than the device's first that can fill buffers; `unsupported` where there is none."""
    found = [queue for queue in device.queues if queue != device.queue and queue.flags & WORKING]
    return found[0] if found else unsupported("no second queue of the device can fill buffers")


def words_in(content):
    """The different numbers of 32 bits in some bytes."""
    first = content[:4]
    return (
        {int.from_bytes(first, sys.byteorder)}
        if content == first * (len(content) // 4)
        else set(memoryview(content).cast("I"))
    )


def words(numbers):
    """At most four words, as they are written in hexadecimal."""
    return " ".join(f"{number:08x}" for number in sorted(numbers)[:4])
