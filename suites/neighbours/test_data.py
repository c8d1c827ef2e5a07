"""Data, not just order: what one device wrote before its signal is what another reads after its wait."""

from fixtures import bench
from fixtures.descriptors import Descriptor
from suites.ledger import rule
from suites.neighbours import buffers
from suites.sharing.members import at

SIZE = 1 << 20
ROUNDS = 50


def word_of(round_):
    """A pattern that differs in every byte from round to round."""
    return (0x01020304 * (round_ + 1)) & 0xFFFFFFFF


def reader_of(device, memory, semaphore, kind):
    """(shared buffer, buffer that the host sees, imported semaphore) on a device that reads."""
    shared = buffers.make(device, SIZE, external=buffers.OPAQUE, imported=memory)
    seen = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)
    return shared, seen, device.semaphore(kind).imports(semaphore)


def wrong(found, word):
    """The first 4 bytes that are not `word`, as text; None if all are."""
    expected = word.to_bytes(4, "little") * (SIZE // 4)
    found = bytes(found)
    if found == expected:
        return None
    at = next(i for i in range(0, SIZE, 4) if found[i : i + 4] != expected[i : i + 4])
    return f"{found[at : at + 4].hex()} at byte {at}"


def read_in_another_process(channel, info, kind, word):
    """Import memory and semaphore from the channel, wait, and return what is wrong with the bytes."""
    device = bench.open_device(info)
    memory, semaphore = (Descriptor(channel.receive_fd(), device.vk, "received descriptor") for _ in range(2))
    shared, seen, wait = reader_of(device, memory, semaphore, kind)
    waits = [(wait, 1) if kind.semaphore_type else wait]
    reading = device.queue.submit(commands=[buffers.read(shared, seen)], waits=waits)
    return wrong(seen.bytes, word) if reading.finishes() else f"a batch that does not end: {reading}"


@rule("SPEC-SHARE-10", "SPEC-STATE-09", "SPEC-FUND-02")
def test_another_process_reads_what_was_written(device, opaque_kind, processes):
    """A process that received memory and semaphore sees the bytes after its wait."""
    buffers.check_claim(device)
    writer = buffers.make(device, SIZE, external=buffers.OPAQUE)
    signal = device.semaphore(opaque_kind, export=True)
    memory, exported = buffers.export(writer), signal.exported()

    child = processes.start(read_in_another_process, device.info, opaque_kind, word_of(3))
    signals = [(signal, 1) if opaque_kind.semaphore_type else signal]
    writing = device.queue.submit(commands=[buffers.write(writer, word_of(3))], signals=signals)
    child.channel.send_fd(memory.fd)
    child.channel.send_fd(exported.fd)
    ending = child.finish()

    assert writing.finishes(), f"the writer's batch does not end: {writing}"
    assert ending.how == "returned", f"the other process ended with {ending}"
    assert ending.value is None, f"the other process waited for {word_of(3):08x} and sees {ending.value}"


@rule("SPEC-CUDA-07")
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
