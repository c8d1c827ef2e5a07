"""Data, not just order: what one device wrote before its signal is what another reads after its wait."""

import pytest

from fixtures.running.plugin import allow_permanence
from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from suites.ledger import rule
from suites.steps import buffers
from suites.steps.members import at

SIZE = 1 << 20
ROUNDS = 32


def word_of(round_):
    """A pattern that differs in every byte from round to round."""
    return (0x01020304 * (round_ + 1)) & 0xFFFFFFFF


def wrong(found, word):
    """The first 4 bytes that are not `word`, as text; None if all are."""
    expected = word.to_bytes(4, "little") * (SIZE // 4)
    found = bytes(found)
    if found == expected:
        return None
    at = next(i for i in range(0, SIZE, 4) if found[i : i + 4] != expected[i : i + 4])
    return f"{found[at : at + 4].hex()} at byte {at}"


def read_and_answer(channel, info, kind, temporary):
    """Import memory from the channel, then by turns read what the test wrote and write an answer; "" if all was right."""
    device = bench.shared(info, most=1)
    memory = Descriptor(channel.receive_fd(), device.vk, "received memory")
    shared = buffers.make(device, SIZE, external=buffers.OPAQUE, imported=memory)
    seen = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)

    for turn in range(ROUNDS):
        signal = Descriptor(channel.receive_fd(), device.vk, "received semaphore")
        reading = buffers.take_over(shared, seen, kind, signal, temporary)
        if not reading.finishes():
            return f"the batch that reads does not end: {reading}"
        if problem := wrong(seen.bytes, word_of(turn)):
            return f"{word_of(turn):08x} was written, the other process sees {problem}"
        channel.send_fd(buffers.hand_over(shared, kind, word_of(ROUNDS + turn), turn % 8 == 0).fd)
    return ""


@rule("SPEC-SHARE-10", "SPEC-STATE-09", "SPEC-FUND-02")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_two_processes_read_what_the_other_wrote(device, kind, permanence, processes):
    """Round after round each of two processes sees the other's bytes behind a wait for a semaphore that it imported."""
    temporary = allow_permanence(kind, permanence)
    buffers.check_claim(device)
    shared = buffers.make(device, SIZE, external=buffers.OPAQUE)
    seen = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)
    child = processes.borrow(read_and_answer, device.info, kind, temporary)
    child.channel.send_fd(buffers.export(shared).fd)

    for turn in range(ROUNDS):
        child.channel.send_fd(buffers.hand_over(shared, kind, word_of(turn), turn % 8 == 0).fd)
        answer = received(child, device)
        reading = buffers.take_over(shared, seen, kind, answer, temporary)
        assert reading.finishes(), f"in round {turn} the batch that reads does not end: {reading}"
        problem = wrong(seen.bytes, word_of(ROUNDS + turn))
        assert not problem, f"in round {turn} the other process wrote {word_of(ROUNDS + turn):08x}, here is {problem}"


def received(child, device):
    """The descriptor that the other process sends; fails with what it says if it ended instead."""
    try:
        return Descriptor(child.channel.receive_fd(), device.vk, "received semaphore")
    except (EOFError, TimeoutError):
        raise AssertionError(str(child.finish())) from None


@rule("SPEC-CUDA-07")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_vulkan_and_cuda_read_what_the_other_wrote(cuda, device, opaque_kind):
    """Round after round each side sees the bytes of the other behind its wait, with no wait of the host between."""
    buffers.check_claim(device)
    shared = buffers.make(device, SIZE, external=buffers.OPAQUE)
    seen = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)
    address = cuda.import_memory(buffers.export(shared), buffers.allocated(shared), dedicated=True)
    there, back = (device.semaphore(opaque_kind, export=True) for _ in range(2))
    there_in_cuda, back_in_cuda = (cuda.imports(one.exported(), opaque_kind) for one in (there, back))

    problems = []
    for turn in range(1, ROUNDS + 1):
        device.queue.submit(commands=[buffers.write(shared, word_of(turn))], signals=[at(there, turn)])
        cuda.wait(there_in_cuda, turn)
        in_cuda = cuda.reading(address, SIZE)
        cuda.fill(address, word_of(ROUNDS + turn), SIZE)
        cuda.signal(back_in_cuda, turn)
        reading = device.queue.submit(commands=[buffers.read(shared, seen)], waits=[at(back, turn)])
        assert reading.finishes(), f"in round {turn} the batch that reads does not end: {reading}"
        problems += [
            ("CUDA", turn, wrong(in_cuda, word_of(turn))),
            ("Vulkan", turn, wrong(seen.bytes, word_of(ROUNDS + turn))),
        ]

    bad = [f"{who} in round {turn} sees {what}" for who, turn, what in problems if what]
    assert not bad, f"{len(bad)} of {2 * ROUNDS} reads are wrong: {bad[0]}"
