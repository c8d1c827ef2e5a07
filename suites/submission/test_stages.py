"""What a wait holds back, and what a signal comes after: commands at the stages of a mask, in this batch and in later ones."""

import time
from dataclasses import dataclass
from itertools import count

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.devices import Queue, Semaphore, Submission, batch_of
from fixtures.testbed.gates import recorded_work
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.batches import ALL_COMMANDS
from suites.ledger import rule
from suites.steps import buffers
from suites.steps.queues import queue_for
from suites.steps.signals import at, is_copy
from suites.steps.timelines import each_handle, signal, two_handles
from suites.submission.places import BOTTOM, CLEAR, COPY, TRANSFER, at_stages

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


@dataclass(frozen=True)
class Fill:
    """Commands for `queue` that fill `seen` with `word`, and two members of a timeline: one to signal and one to wait for."""

    acting: Semaphore
    waited: Semaphore
    queue: Queue
    seen: buffers.Buffer
    word: int
    commands: list[int]

    def released(self, call: Submission) -> tuple[list[set[str]], bool]:
        """(the numbers in the buffer before the signal and after it, whether the call then ended)."""
        time.sleep(LOOKING)
        before = words_in(self.seen)
        signal(self.acting, 1)
        ended = call.finishes()
        return [before, words_in(self.seen)], ended

    @property
    def expected(self) -> list[set[str]]:
        """The numbers before the signal and after it."""
        return [{"00000000"}, {f"{self.word:08x}"}]


def fill(device, handle, through):
    """A Fill, its timeline at 0."""
    (acting, waited), queue = two_handles(device, handle), queue_for(device, through)
    seen, word = visible(device), new_word()
    return Fill(acting, waited, queue, seen, word, [buffers.fills(seen, [word], queue.family)])


@rule("SPEC-SUBMIT-10")
@pytest.mark.parametrize("place", ["its-own-batch", "a-later-batch", "a-later-call"])
@each_handle
@work_commands
def test_a_wait_holds_back_what_is_submitted_behind_it(device, handle, through, place):
    """Commands of the batch that waits, of a later one, and of a later call run only after the signal."""
    held = fill(device, handle, through)
    waiting, working = batch_of(waits=[(held.waited, 1)]), batch_of(commands=held.commands)
    whole = {
        "its-own-batch": [[batch_of(waits=[(held.waited, 1)], commands=held.commands)]],
        "a-later-batch": [[waiting, working]],
    }

    calls = [held.queue.submit_batches(one, through) for one in whole.get(place, [[waiting], [working]])]
    words, ended = held.released(calls[-1])

    assert words == held.expected, f"before and after the signal the commands of {place} had written {words}"
    assert ended, f"the commands of {place} did not end after the signal: {calls[-1]}"


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
@pytest.mark.parametrize("stages", [TRANSFER, TRANSFER | BOTTOM], ids=["TRANSFER", "TRANSFER-and-another"])
@pytest.mark.parametrize("place", ["its-own-batch", "a-later-batch"])
@each_handle
@work_commands
def test_a_wait_at_a_stage_holds_back_work_of_that_stage(device, handle, through, place, stages):
    """A wait with a mask that has TRANSFER holds back a fill, in its own batch and in a later one."""
    held = fill(device, handle, through)
    own, later = (held.commands, []) if place == "its-own-batch" else ([], [batch_of(commands=held.commands)])
    waiting = at_stages(batch_of(waits=[(held.waited, 1)], commands=own), waits=stages)

    call = held.queue.submit_batches([waiting, *later], through)
    words, ended = held.released(call)

    assert words == held.expected, f"before and after the signal a fill of {place} had written {words}"
    assert ended, f"a fill of {place} did not end after the signal: {call}"


@rule("SPEC-SUBMIT-11")
@pytest.mark.parametrize("position", [0, 1], ids=["first", "last"])
@each_handle
@work_commands
def test_each_wait_has_a_stage_mask_of_its_own(device, handle, through, position):
    """Of two waits of a batch the one with the mask TRANSFER holds back a fill, though the other's mask holds nothing back."""
    held, reached = fill(device, handle, through), device.semaphore(TIMELINE, initial_value=1)
    pairs = [((reached, 1), BOTTOM)]
    pairs.insert(position, ((held.waited, 1), TRANSFER))
    waits, masks = zip(*pairs, strict=True)

    call = held.queue.submit_batches([at_stages(batch_of(waits=waits, commands=held.commands), waits=masks)], through)
    words, ended = held.released(call)

    assert words == held.expected, (
        f"before and after the signal, wait {position + 1} of two, a fill had written {words}"
    )
    assert ended, f"a fill behind two waits did not end after the signal: {call}"


SIDES = {
    "TRANSFER-to-TRANSFER": (TRANSFER, "vkQueueSubmit2", TRANSFER),
    "TRANSFER-to-COPY": (TRANSFER, "vkQueueSubmit2", COPY),
    "TRANSFER-to-vkQueueSubmit-TRANSFER": (TRANSFER, "vkQueueSubmit", TRANSFER),
    "CLEAR-and-COPY-to-ALL": (CLEAR | COPY, "vkQueueSubmit2", ALL_COMMANDS),
    "ALL-to-vkQueueSubmit-TRANSFER": (ALL_COMMANDS, "vkQueueSubmit", TRANSFER),
}
"""The mask of a signal by vkQueueSubmit2, the command that waits and its mask."""


@rule("SPEC-SUBMIT-11")
@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
def test_a_signal_at_a_stage_comes_after_work_of_that_stage(device, open_device, kind, sides):
    """What was written before a signal with the write's stage in its mask is read by a copy behind a wait with the copy's."""
    (signals, waiting, waits), writes = sides, queue_for(device, "vkQueueSubmit2")
    reader, word = open_device(), new_word()
    (ours, theirs), seen = shared_buffer(device, reader), visible(reader)
    exporter = device.semaphore(kind, export=True)
    written = batch_of(commands=[recorded_work(device), buffers.write(ours, word)], signals=[at(exporter)])

    writes.submit_batches([at_stages(written, signals=signals)], "vkQueueSubmit2")
    importer = reader.semaphore(kind).imports(exporter.exported(), temporary=is_copy(kind))
    read = at_stages(batch_of(waits=[at(importer)], commands=[buffers.read(theirs, seen)]), waits=waits)
    call = queue_for(reader, waiting).submit_batches([read], waiting)

    assert call.finishes(), f"a batch that waits at a stage did not end: {call}"
    assert words_in(seen) == {f"{word:08x}"}, f"before the signal {word:08x} was written, {words_in(seen)} was read"
