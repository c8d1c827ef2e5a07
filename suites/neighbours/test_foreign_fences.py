"""Sync_files that no Vulkan driver made: a driver that imports SYNC_FD accepts any fence of the kernel."""

import threading
import time
from contextlib import contextmanager

import pytest

from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.neighbours import kernel_fences
from suites.neighbours.sync_files import merge_sync_files
from suites.steps.exports import exported_payload

HELD = 0.05
"""Seconds for which a wait is held by a fence that is not signaled."""
BLOCKED = 0.5
"""Seconds after which an import or a submission that has not returned is taken to wait for the fence itself."""


@pytest.fixture(params=kernel_fences.SOURCES)
def foreign(request):
    """(the descriptor of a fence, what signals it or None) of each source in the kernel; `unsupported` where it is missing."""
    source = kernel_fences.SOURCES[request.param]()
    try:
        fd, signal = source.__enter__()
    except OSError as problem:
        unsupported(f"the kernel offers no fence of {request.param}: {problem.strerror}")
    yield Descriptor(fd, bench.commands(), f"sync_file of {request.param}"), signal
    source.__exit__(None, None, None)


@contextmanager
def signaled_when_blocked(signal):
    """Within it, a thread calls `signal`, if there is one, after BLOCKED seconds; gives a list that then is no longer empty.

    No text forbids an import or a submission to return only when the fence is signaled.
    """
    blocked = []
    thread = threading.Timer(BLOCKED, lambda: blocked.append(True) or signal())
    if signal:
        thread.start()
    try:
        yield blocked
    finally:
        thread.cancel()
        if signal:
            thread.join()


@rule("SPEC-HANDLE-08", "SPEC-COMPAT-02")
def test_a_foreign_fence_that_is_signaled_imports(foreign, device, sync_importable):
    """A signaled sync_file of the kernel imports, and a wait for it ends."""
    descriptor, signal = foreign
    if signal:
        signal()
    target = device.semaphore(sync_importable)

    result = target.import_fd(descriptor.fd, temporary=True)

    assert result.is_success, f"the import of a signaled {descriptor} returned {result}"
    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"a wait for a signaled {descriptor} does not end: {wait}"


@rule("SPEC-HANDLE-08", "SPEC-IMPORT-33")
def test_a_wait_for_a_foreign_fence_holds(foreign, device, sync_importable):
    """A wait for a sync_file with a pending fence holds until the fence is signaled, then ends."""
    descriptor, signal = foreign
    if signal is None:
        unsupported(f"a {descriptor.name} is created signaled")
    target = device.semaphore(sync_importable)

    with signaled_when_blocked(signal) as blocked:
        result = target.import_fd(descriptor.fd, temporary=True)
        assert result.is_success, f"the import of a pending {descriptor} returned {result}"
        wait = device.queue.submit(waits=[target])
    time.sleep(0 if blocked else HELD)
    early = not blocked and wait.is_done
    if not blocked:
        signal()

    assert wait.finishes(), f"a wait for {descriptor} does not end after its signal: {wait}"
    assert not early, f"a wait for {descriptor} ended before its signal"


@rule("SPEC-HANDLE-08", "SPEC-COMPAT-02")
def test_a_foreign_fence_and_an_own_one_in_one(foreign, device, sync_kind):
    """A merge of a foreign sync_file with one of the driver's imports, and a wait for it ends."""
    descriptor, signal = foreign
    merged = merge_sync_files(descriptor, exported_payload(device, sync_kind))
    target = device.semaphore(sync_kind)

    with signaled_when_blocked(signal) as blocked:
        result = target.import_fd(merged.fd, temporary=True)
        assert result.is_success, f"the import of a merge with {descriptor} returned {result}"
        wait = device.queue.submit(waits=[target])
    if signal and not blocked:
        signal()

    assert wait.finishes(), f"a wait for a merge with {descriptor} does not end: {wait}"
