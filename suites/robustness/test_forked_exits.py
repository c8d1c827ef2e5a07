"""A forked process that ends by exit(): exit handlers and destructors of the driver run there, on what it inherited."""

import contextlib
import ctypes
import os
import signal
import threading
import warnings

import pytest

from fixtures.running.processes import die_with_parent
from fixtures.testbed import patience
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.journal import note
from suites.ledger import rule
from suites.steps.signals import at, is_copy, wait_for
from suites.steps.signals import signal as signal_semaphore
from suites.steps.timelines import needs_timelines

pytestmark = pytest.mark.isolated(fresh=True)  # what a driver undoes in the forked process, this one has lost as well
_LIBC = ctypes.CDLL(None)


def fork_that_exits():
    """Fork this process; the new one calls exit(), and is killed where that does not end."""
    note("fork", False)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # other threads' locks are nothing to a process that only ends
        pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            die_with_parent()
            _LIBC.exit(0)
        os._exit(1)
    rescue = threading.Timer(patience.seconds(), os.kill, (pid, signal.SIGKILL))
    rescue.start()
    os.waitpid(pid, 0)
    rescue.cancel()
    rescue.join()


@rule("SPEC-FUND-15")
def test_the_exit_of_a_forked_process_is_nothing_to_the_payloads(device, open_device, kind):
    """A signaled payload that is shared keeps its signal when a forked process exits, and another signal comes through."""
    exporter, importer = device.semaphore(kind, export=True), open_device().semaphore(kind)
    signal_semaphore(exporter)
    importer.imports(exporter.exported(), temporary=is_copy(kind))

    fork_that_exits()
    waits = [wait_for(importer)]
    waits[0].finishes()
    exporter.device.queue.submit(signals=[at(exporter, 2)])
    if is_copy(kind):
        importer.imports(exporter.exported(), temporary=True)
    waits += [wait_for(importer, 2)]

    stuck = [f"wait {number}: {one}" for number, one in enumerate(waits, 1) if not one.finishes()]
    assert not stuck, f"when a forked process had exited, a wait for a shared payload did not end: {stuck[0]}"


@rule("SPEC-FUND-15")
def test_the_exit_of_a_forked_process_is_nothing_to_what_is_pending(device):
    """A batch that waits while a forked process exits holds until its value is signaled, and ends then."""
    needs_timelines(device)
    timeline = device.semaphore(TIMELINE)
    batch = device.queue.submit(waits=[(timeline, 1)], signals=[(timeline, 2)])

    fork_that_exits()
    early, before = batch.is_done, timeline.counter()
    timeline.host_signal(1)

    assert (early, before) == (False, 0), f"when a forked process exited, a batch that waits for 1 ended: {before}"
    assert batch.finishes(), f"after a forked process had exited a batch that waits for 1 did not end at 1: {batch}"
    assert timeline.counter() == 2, f"a batch that signals 2 left the counter at {timeline.counter()}"
