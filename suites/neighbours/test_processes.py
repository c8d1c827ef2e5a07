"""Payloads that two processes share: one sends the descriptor as SCM_RIGHTS, both use the driver."""

import ctypes
import os
import socket

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import result
from suites.ledger import rule
from suites.neighbours.children import from_child, said
from suites.neighbours.other_process import (
    VALUE,
    export_signaled,
    fork_and_wait,
    import_and_hold,
    import_and_signal,
    import_and_wait,
    waited,
)
from suites.steps.exports import exported_payload
from suites.steps.other_process import export_unsignaled
from suites.steps.signals import at, signal
from suites.steps.timelines import needs_success, needs_timelines


@rule("SPEC-HANDLE-03", "SPEC-FUND-03", "SPEC-COMPAT-01", "SPEC-FUND-02")
def test_a_signal_crosses_into_another_process(device, opaque_kind, permanence, processes):
    """A payload signaled here is signaled in a process that received its descriptor."""
    temporary = allow_permanence(opaque_kind, permanence)
    exported = exported_payload(device, opaque_kind)

    child = processes.borrow(import_and_wait, device.info, opaque_kind, temporary)
    child.channel.send_fd(exported.fd)
    problem = said(child.finish())

    assert not problem, f"in another process {problem}"


@rule("SPEC-HANDLE-03", "SPEC-FUND-03", "SPEC-IMPORT-14", "SPEC-STATE-01")
def test_a_signal_comes_back_from_another_process(device, opaque_kind, permanence, processes):
    """A signal of an importer in another process reaches the exporter."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporter = device.semaphore(opaque_kind, export=True)

    child = processes.borrow(import_and_signal, device.info, opaque_kind, temporary)
    child.channel.send_fd(exporter.exported().fd)
    problem = said(child.finish())

    assert not problem, f"in another process {problem}"
    if opaque_kind.semaphore_type:
        assert exporter.counter() == VALUE, (
            f"another process signaled {VALUE}, the exporter's counter is {exporter.counter()}"
        )
    else:
        wait = device.queue.submit(waits=[exporter])
        assert wait.finishes(), f"a signal of another process does not reach the exporter: {wait}"


@rule("SPEC-HANDLE-03")
def test_a_descriptor_that_was_sent_to_oneself_imports(device, opaque_kind):
    """A descriptor received as SCM_RIGHTS imports the payload, also when the original was closed in flight."""
    exported = exported_payload(device, opaque_kind)
    ends = socket.socketpair()
    socket.send_fds(ends[0], [b"d"], [exported.fd])
    exported.close()
    received = Descriptor(socket.recv_fds(ends[1], 1, 1)[1][0], device.vk, "received descriptor")
    for end in ends:
        end.close()

    target = device.semaphore(opaque_kind).imports(received)

    wait = device.queue.submit(waits=[(target, VALUE) if opaque_kind.semaphore_type else target])
    assert wait.finishes(), f"the payload behind a received descriptor is not signaled: {wait}"


@rule("SPEC-FUND-03", "SPEC-COMPAT-02")
def test_a_signaled_sync_fd_crosses_into_another_process(device, sync_kind, processes):
    """A copy of a signaled payload is signaled in another process too."""
    exported = exported_payload(device, sync_kind)

    child = processes.borrow(import_and_wait, device.info, sync_kind, True)
    child.channel.send_fd(exported.fd)
    problem = said(child.finish())

    assert not problem, f"in another process {problem}"


@rule("SPEC-HANDLE-04", "SPEC-FUND-03")
@pytest.mark.parametrize("end", ["returns", "waits"], ids=["exits", "killed"])
def test_a_signaled_payload_outlives_its_process(device, opaque_kind, processes, end):
    """A signal given by a process that then exits, or is killed, reaches a later import of the descriptor."""
    child = processes.start(export_signaled, device.info, opaque_kind, end)
    _, received = from_child(child, device.vk)
    child.kill() if end == "waits" else child.finish(gone=True)

    answer = device.semaphore(opaque_kind).import_fd(received.dup().fd)
    target = device.semaphore(opaque_kind).imports(received)

    assert answer.is_success, f"after the exporting process ended the import returned {answer}"
    wait = device.queue.submit(waits=[(target, VALUE) if opaque_kind.semaphore_type else target])
    assert wait.finishes(), f"the signal was lost when the process that gave it ended: {wait}"


@rule("SPEC-IMPORT-14", "SPEC-FUND-03")
@pytest.mark.parametrize("end", ["returns", "waits"], ids=["exits", "killed"])
def test_a_payload_outlives_a_process_that_imported_it(device, opaque_kind, processes, end):
    """A payload keeps its state when a process that only imported it exits or is killed."""
    exporter = device.semaphore(opaque_kind, export=True)
    signal(exporter, VALUE)
    child = processes.start(import_and_hold, device.info, opaque_kind, end)
    child.channel.send_fd(exporter.exported().fd)
    needs_success(child.channel.receive())
    child.kill() if end == "waits" else child.finish(gone=True)

    problem = waited(exporter)

    assert not problem, f"after an importing process ended: {problem}"


@rule("SPEC-HANDLE-07", "SPEC-FUND-03")
@pytest.mark.parametrize("end", ["returns", "waits"], ids=["exits", "killed"])
def test_a_signaled_sync_fd_outlives_its_process(device, sync_kind, processes, end):
    """A copy of a signaled payload stays signaled when the process that exported it exits or is killed."""
    child = processes.start(export_signaled, device.info, sync_kind, end)
    _, received = from_child(child, device.vk)
    child.kill() if end == "waits" else child.finish(gone=True)

    target = device.semaphore(sync_kind).imports(received, temporary=True)

    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"after the exporting process ended a wait for its signaled payload does not end: {wait}"


@rule("SPEC-HANDLE-04", "SPEC-FUND-03")
def test_a_timeline_works_on_after_its_exporter_was_killed(device, processes):
    """A wait for a value that a killed process has not signaled holds until another member signals it."""
    needs_timelines(device, shared=True)
    child = processes.start(export_unsignaled, device.info, TIMELINE)
    answer = result(child.channel.receive())
    assert answer.is_success, f"vkGetSemaphoreFdKHR in another process returned {answer} (SPEC-CAPS-03)"
    importer = device.semaphore(TIMELINE).imports(Descriptor(child.channel.receive_fd(), device.vk))
    wait = device.queue.submit(waits=[(importer, VALUE)])

    child.kill()
    early, signaled = wait.finishes(0.03), importer.host_signal(VALUE)

    assert not early, f"a wait for an unsignaled value ended when the exporter was killed: {wait}"
    assert signaled.is_success, f"after the exporter was killed vkSignalSemaphore returned {signaled}"
    assert wait.finishes(), f"after the exporter was killed a signal of {VALUE} does not end a wait for it: {wait}"


@rule("SPEC-FUND-11")
def test_a_descriptor_inherited_by_fork(device, opaque_kind, processes):
    """A descriptor that a process inherited by fork imports its payload."""
    exported = exported_payload(device, opaque_kind)

    child = processes.start(fork_and_wait, device.info, opaque_kind)
    child.channel.send_fd(exported.fd)
    problem = said(child.finish())

    assert not problem, f"with a descriptor inherited by fork: {problem}"


@rule("SPEC-FUND-11")
def test_a_descriptor_taken_by_pidfd_getfd(device, opaque_kind, processes):
    """A descriptor that pidfd_getfd takes from the exporting process imports its payload."""
    child = processes.borrow(export_signaled, device.info, opaque_kind, "waits")
    number, _ = from_child(child, device.vk)
    try:
        taken = Descriptor(_pidfd_getfd(child.pid, number), device.vk, "descriptor from pidfd_getfd")
    except OSError as problem:
        unsupported(f"pidfd_getfd is not available: {problem.strerror}")

    answer = device.semaphore(opaque_kind).import_fd(taken.dup().fd)
    target = device.semaphore(opaque_kind).imports(taken)
    child.channel.send("go on")
    child.finish()

    assert answer.is_success, f"the import of a descriptor from pidfd_getfd returned {answer}"
    wait = device.queue.submit(waits=[at(target, VALUE)])
    assert wait.finishes(), f"the payload of a descriptor from pidfd_getfd lost its signal: {wait}"


def _pidfd_getfd(pid, fd):
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    taken = libc.syscall(438, pidfd, fd, 0)
    problem = ctypes.get_errno()
    os.close(pidfd)
    if taken < 0:
        raise OSError(problem, os.strerror(problem))
    return taken
