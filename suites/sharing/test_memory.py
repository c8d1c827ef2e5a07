"""What a semaphore is for: memory that one device wrote is there for another one behind the wait."""

import pytest

from fixtures.gates import run_work
from fixtures.outcomes import unsupported
from fixtures.plugin import allow_permanence
from suites.ledger import rule
from suites.sharing.members import PLACES, at, device_at, is_copy
from suites.sharing.memory import share

WORDS = [0x01010101 * n for n in range(1, 9)]


@rule("SPEC-STATE-09", "SPEC-SHARE-10")
@pytest.mark.parametrize("place", PLACES[1:])
def test_what_was_written_before_the_signal_is_read_after_the_wait(device, open_device, kind, permanence, place):
    """Behind a wait for an imported payload a device reads what another one wrote before it signaled."""
    temporary = allow_permanence(kind, permanence)
    reader = device_at(place, device, open_device)
    buffers, found = share(device, reader), []

    for word in WORDS:
        exporter, importer = device.semaphore(kind, export=True), reader.semaphore(kind)
        run_work(device)
        device.queue.submit(commands=[buffers.filling(word)], signals=[at(exporter)])
        descriptor = exporter.exported()
        if is_copy(kind) and descriptor.fd == -1:
            unsupported("the driver answered -1: there is no descriptor")
        importer.imports(descriptor, temporary)
        read = reader.queue.submit(waits=[at(importer)], commands=[buffers.reading()])
        assert read.finishes(), f"the batch that reads behind a wait does not end: {read} (SPEC-IMPORT-14)"
        found.append(buffers.words())

    assert found == [{word} for word in WORDS], f"written were {words(WORDS)}, read: {[words(one) for one in found]}"


def words(numbers):
    """At most four words, as they are written in hexadecimal."""
    return " ".join(f"{number:08x}" for number in sorted(numbers)[:4])
