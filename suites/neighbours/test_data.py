"""Data, not just order: what one device wrote before its signal is what another reads after its wait."""

from fixtures import bench
from fixtures.descriptors import Descriptor
from suites.ledger import rule
from suites.neighbours import buffers

SIZE = 1 << 20


def word_of(round_):
    """A pattern that differs in every byte from round to round."""
    return (0x01020304 * (round_ + 1)) & 0xFFFFFFFF


def reader_of(device, memory, semaphore, kind):
    """(shared buffer, buffer that the host sees, imported semaphore) on a device that reads."""
    shared = buffers.make(device, SIZE, external=buffers.OPAQUE, imported=memory)
    seen = buffers.make(device, SIZE, buffers.HOST_VISIBLE_AND_COHERENT)
    return shared, seen, device.semaphore(kind).imports(semaphore)


def wrong(seen, word):
    """The first 4 bytes that are not `word`, as text; None if all are."""
    expected = word.to_bytes(4, "little") * (SIZE // 4)
    found = bytes(seen.bytes)
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
    return wrong(seen, word) if reading.finishes() else f"a batch that does not end: {reading}"


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
