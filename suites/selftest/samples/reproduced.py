"""Failures in which two processes or a stranger have a part (../test_reproducer.py makes programs of them)."""

from fixtures.testbed.foreign import stranger
from fixtures.testbed.kinds import BINARY_OPAQUE, TIMELINE
from suites.neighbours.other_process import import_and_signal
from suites.steps.other_process import export_unsignaled


def test_signal(device, processes):
    """The child signals while this process waits; that the wait ends is called a failure here."""
    exporter = device.semaphore(BINARY_OPAQUE, export=True)
    descriptor = exporter.exported()

    wait = device.queue.submit(waits=[exporter])
    child = processes.start(import_and_signal, device.info, BINARY_OPAQUE, False)
    child.channel.send_fd(descriptor.fd)

    assert not wait.finishes(), "the child's signal came"


def test_kill(device, processes):
    """The child exports and is killed; nobody will signal, and that is called a failure here."""
    child = processes.start(export_unsignaled, device.info, BINARY_OPAQUE)
    child.channel.receive()
    importer = device.semaphore(BINARY_OPAQUE)
    answer = importer.import_fd(child.channel.receive_fd())
    child.kill()
    assert answer.is_success, f"vkImportSemaphoreFdKHR returned {answer}"

    wait = device.queue.submit(waits=[importer])

    assert wait.finishes(0.1), "nobody signals"


def test_stranger(device):
    """The driver accepts what is no semaphore; that it can be waited for is called a failure here."""
    target = device.semaphore(BINARY_OPAQUE)
    with stranger("memfd-zeros", device) as zeros:
        answer = target.import_fd(zeros.fd)
    assert answer.is_success, f"vkImportSemaphoreFdKHR returned {answer}"

    target.signal()
    wait = device.queue.submit(waits=[target])

    assert not wait.finishes(), "the wait for a stranger ended"


def test_counters(device):
    """Two counters of which one is at 0, which is called a failure here."""
    timelines = [device.semaphore(TIMELINE, initial_value=value) for value in (1, 0)]

    counters = [one.counter() for one in timelines]

    assert counters == [1] * 2, "one of the counters is behind"
