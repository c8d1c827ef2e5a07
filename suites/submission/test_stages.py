"""What a wait holds back, and what a signal comes after: commands at the stages of a mask, in this batch and in later ones."""

import time
from itertools import count

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import recorded_work
from suites.ledger import rule
from suites.steps import buffers
from suites.steps.queues import queue_for
from suites.steps.signals import at, is_copy
from suites.steps.timelines import each_handle, signal, two_handles
from suites.submission.places import COPY, TRANSFER, at_stages

SIZE = 4096
LOOKING = 0.01
"""Seconds for which the test watches that commands do not run."""
numbers = count(1)

work_commands = pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2"])
"""The commands that take command buffers."""


def new_word():
    """A number that no test of this process has written before."""
    return next(numbers) * 0x01010101


def visible(device):
    """A buffer of zeros that the host sees."""
    made = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)
    made.bytes[:] = bytes(SIZE)
    return made


def words_in(buffer):
    """The different numbers of 32 bits in a buffer, in hexadecimal."""
    return {f"{word:08x}" for word in memoryview(bytes(buffer.bytes)).cast("I")}


def shared_buffer(device, other):
    """A buffer of `device`, and the same memory as a buffer of `other`."""
    buffers.check_claim(device)
    ours = buffers.make(device, SIZE, external=buffers.OPAQUE)
    return ours, buffers.make(other, SIZE, external=buffers.OPAQUE, imported=buffers.export(ours))


@rule("SPEC-SUBMIT-10")
@pytest.mark.parametrize("place", ["its-own-batch", "a-later-batch", "a-later-call"])
@each_handle
@work_commands
def test_a_wait_holds_back_what_is_submitted_behind_it(device, handle, through, place):
    """Commands of the batch that waits, of a later one, and of a later call run only after the signal."""
    (acting, waited), queue, seen, word = (
        two_handles(device, handle),
        queue_for(device, through),
        visible(device),
        new_word(),
    )
    commands = [buffers.fills(seen, [word], queue.family)]
    waiting, working = batch_of(waits=[(waited, 1)]), batch_of(commands=commands)
    whole = {
        "its-own-batch": [[batch_of(waits=[(waited, 1)], commands=commands)]],
        "a-later-batch": [[waiting, working]],
    }

    calls = [queue.submit_batches(one, through) for one in whole.get(place, [[waiting], [working]])]
    time.sleep(LOOKING)
    early = words_in(seen)
    signal(acting, 1)

    assert early == {"00000000"}, f"before the signal the commands of {place} had written {early}"
    assert calls[-1].finishes(), f"the commands of {place} did not end after the signal: {calls[-1]}"
    assert words_in(seen) == {f"{word:08x}"}, f"commands that fill with {word:08x} left {words_in(seen)}"


@rule("SPEC-SUBMIT-10")
@pytest.mark.parametrize("calls", [1, 2], ids=["same-call", "later-call"])
def test_a_later_batch_reads_what_was_written_before_an_imported_signal(device, open_device, kind, permanence, calls):
    """Behind a batch that waits for an imported payload a later one reads what the exporter wrote before its signal."""
    temporary, reader, word = allow_permanence(kind, permanence), open_device(), new_word()
    (ours, theirs), seen = shared_buffer(device, reader), visible(reader)
    descriptor = buffers.hand_over(ours, kind, word, behind_work=True)
    importer = reader.semaphore(kind).imports(descriptor, temporary)
    batches = [batch_of(waits=[at(importer)]), batch_of(commands=[buffers.read(theirs, seen)])]

    for part in [batches] if calls == 1 else [[one] for one in batches]:
        last = reader.queue.submit_batches(part)

    assert last.finishes(), f"a batch behind a wait for an imported payload did not end: {last}"
    assert words_in(seen) == {f"{word:08x}"}, (
        f"the exporter wrote {word:08x}, the batch behind the wait read {words_in(seen)}"
    )


@rule("SPEC-SUBMIT-11")
@pytest.mark.parametrize("place", ["its-own-batch", "a-later-batch"])
@each_handle
@work_commands
def test_a_wait_at_a_stage_holds_back_work_of_that_stage(device, handle, through, place):
    """A wait with the mask TRANSFER holds back a fill, in its own batch and in a later one."""
    (acting, waited), queue, seen, word = (
        two_handles(device, handle),
        queue_for(device, through),
        visible(device),
        new_word(),
    )
    commands = [buffers.fills(seen, [word], queue.family)]
    own, later = (commands, []) if place == "its-own-batch" else ([], [batch_of(commands=commands)])
    waiting = at_stages(batch_of(waits=[(waited, 1)], commands=own), waits=TRANSFER)

    call = queue.submit_batches([waiting, *later], through)
    time.sleep(LOOKING)
    early = words_in(seen)
    signal(acting, 1)

    assert early == {"00000000"}, f"before the signal a fill of {place} had written {early}"
    assert call.finishes(), f"a fill of {place} did not end after the signal: {call}"
    assert words_in(seen) == {f"{word:08x}"}, f"a fill with {word:08x} left {words_in(seen)}"


@rule("SPEC-SUBMIT-11")
@pytest.mark.parametrize("stage", [TRANSFER, COPY], ids=["TRANSFER", "COPY"])
def test_a_signal_at_a_stage_comes_after_work_of_that_stage(device, open_device, kind, stage):
    """What was written before a signal with the mask TRANSFER is read by a copy behind a wait with a mask that has it."""
    writes, reader, word = queue_for(device, "vkQueueSubmit2"), open_device(), new_word()
    (ours, theirs), seen = shared_buffer(device, reader), visible(reader)
    exporter = device.semaphore(kind, export=True)
    written = batch_of(commands=[recorded_work(device), buffers.write(ours, word)], signals=[at(exporter)])

    writes.submit_batches([at_stages(written, signals=TRANSFER)], "vkQueueSubmit2")
    importer = reader.semaphore(kind).imports(exporter.exported(), temporary=is_copy(kind))
    read = at_stages(batch_of(waits=[at(importer)], commands=[buffers.read(theirs, seen)]), waits=stage)
    call = reader.queue.submit_batches([read], "vkQueueSubmit2")

    assert call.finishes(), f"a batch that waits at a stage did not end: {call}"
    assert words_in(seen) == {f"{word:08x}"}, f"before the signal {word:08x} was written, {words_in(seen)} was read"
