"""What two processes write into shared memory, and how they compare it."""

from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from suites.steps import buffers

SIZE = 1 << 20
ROUNDS = 32


def word_of(round_):
    """A 32-bit pattern of which every byte differs between rounds."""
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
            return f"the test wrote {word_of(turn):08x}, the other process reads {problem}"
        channel.send_fd(buffers.hand_over(shared, kind, word_of(ROUNDS + turn), turn % 8 == 0).fd)
    return ""
