"""Shared memory: what one process or API wrote before its signal is what another reads after its wait."""

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.descriptors import Descriptor
from suites.ledger import rule
from suites.neighbours.data import ROUNDS, SIZE, read_and_answer, word_of, wrong
from suites.steps import buffers
from suites.steps.signals import at


@rule("SPEC-SHARE-10", "SPEC-STATE-09", "SPEC-FUND-02")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_two_processes_read_what_the_other_wrote(device, kind, permanence, processes):
    """Each of two processes by turns reads, after a wait for an imported semaphore, what the other wrote."""
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
        assert not problem, (
            f"in round {turn} the other process wrote {word_of(ROUNDS + turn):08x}, this process reads {problem}"
        )


def received(child, device):
    """The descriptor that the other process sends; fails with how that process ended if it sends none."""
    try:
        return Descriptor(child.channel.receive_fd(), device.vk, "received semaphore")
    except (EOFError, TimeoutError):
        raise AssertionError(str(child.finish())) from None


@rule("SPEC-CUDA-07")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_vulkan_and_cuda_read_what_the_other_wrote(cuda, device, opaque_kind):
    """Vulkan and CUDA by turns read after their waits what the other wrote, without a host wait between."""
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

    bad = [f"{who} in round {turn} reads {what}" for who, turn, what in problems if what]
    assert not bad, f"{len(bad)} of {2 * ROUNDS} reads are wrong: {bad[0]}"
