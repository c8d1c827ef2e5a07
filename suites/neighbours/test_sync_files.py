"""SYNC_FD descriptors used without Vulkan: by poll(), by the kernel's sync_file interface, and by fences.

Where a driver returns -1 there is no descriptor to judge: unsupported.
"""

import time

import pytest

from fixtures.testbed import patience
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import Proof, recorded_work, run_work, shown
from fixtures.vulkan.outcomes import too_late, unsupported
from fixtures.vulkan.registry import FenceHandleType, Result
from suites.ledger import rule
from suites.neighbours import sync_files
from suites.neighbours.other_process import poll_what_comes
from suites.neighbours.sync_files import merge_sync_files
from suites.steps.exports import exported_payload
from suites.steps.fences import fence_that_exports
from suites.steps.members import close
from suites.steps.payloads import pending
from suites.steps.signals import signal_behind_work, wait_for

SOON = 0.1
"""Seconds in which poll() reports a signal that is executed."""
LONG = 10
"""How long the work is behind which a fence is exported, in 10 ms."""


@rule("SPEC-HANDLE-05")
def test_a_sync_fd_is_a_sync_file(device, sync_kind):
    """An export as SYNC_FD is a sync_file with at least one fence."""
    exported = exported_payload(device, sync_kind)

    try:
        status, count = sync_files.info(exported.fd)
    except OSError as problem:
        raise AssertionError(
            f"SYNC_IOC_FILE_INFO fails for {sync_files.link(exported.fd)}: {problem.strerror}"
        ) from None

    assert status >= 0, f"the sync_file has status {status}"
    assert count >= 1, f"the sync_file has {count} fences"


@rule("SPEC-HANDLE-06")
def test_poll_sees_the_signal(device, sync_kind):
    """poll() reports the descriptor ready once the work is done."""
    exported = exported_payload(device, sync_kind)

    assert sync_files.is_ready(exported.fd, patience.seconds()), f"poll() does not report {exported} ready"


@rule("SPEC-HANDLE-06")
def test_a_sync_fd_is_ready_before_one_of_longer_work(device, open_device, sync_kind):
    """poll() reports the SYNC_FD of a signal that is executed ready, although one that was exported before is pending."""
    other = open_device()
    for factor in (4, 16, 64):
        gate, semaphore = pending(device, sync_kind, factor)[0], other.semaphore(sync_kind, export=True)
        batch = other.queue.submit(commands=[recorded_work(other)], signals=[semaphore])
        exported = semaphore.exported()
        if exported.fd == -1:
            too_late("the driver returned -1: there is no descriptor")
        assert batch.finishes(), f"a batch beside work of another device did not end: {batch}"
        ready = not gate.is_done and sync_files.is_ready(exported.fd, patience.seconds(SOON))
        if not gate.is_done:
            assert ready, (
                f"poll() does not report {exported} ready {SOON} s after its signal, before work elsewhere ends"
            )
            return
    too_late("the other work was over before the descriptor could be looked at")


@rule("SPEC-HANDLE-05")
def test_a_sync_file_tells_that_its_fences_are_done(device, sync_kind):
    """Once a sync_file is ready, SYNC_IOC_FILE_INFO reports each of its fences as signaled."""
    exported = exported_payload(device, sync_kind)
    assert sync_files.is_ready(exported.fd, patience.seconds()), f"poll() does not report {exported} ready"

    try:
        found = sync_files.fences(exported.fd)
    except OSError as problem:
        raise AssertionError(
            f"SYNC_IOC_FILE_INFO fails for {sync_files.link(exported.fd)}: {problem.strerror}"
        ) from None

    assert found, "the exported sync_file has no fence"
    assert {one.status for one in found} == {1}, (
        f"poll() reports {exported} ready, but its fences have the states {found}"
    )


@rule("SPEC-HANDLE-06")
def test_epoll_sees_the_signal(device, sync_kind):
    """epoll reports the descriptor ready once the work is done."""
    exported = exported_payload(device, sync_kind)

    assert sync_files.tells_epoll(exported.fd, patience.seconds()), f"epoll does not report {exported} ready"


@rule("SPEC-HANDLE-06")
def test_another_process_polls(device, sync_kind, processes):
    """poll() in a process without a driver reports a received descriptor ready."""
    exported = exported_payload(device, sync_kind)

    child = processes.borrow(poll_what_comes)
    child.channel.send_fd(exported.fd)
    ending = child.finish()

    assert ending.value is True, f"in another process poll() of {exported} ended with {ending}"


@rule("SPEC-HANDLE-08", "SPEC-IMPORT-15")
def test_a_copy_of_a_sync_file_imports(device, sync_kind):
    """A dup of a sync_file imports, and the original stays open and ready."""
    exported = exported_payload(device, sync_kind)

    target = device.semaphore(sync_kind).imports(exported, temporary=True)

    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"a wait for a dup of {exported} does not end: {wait}"
    assert sync_files.is_ready(exported.fd, patience.seconds()), f"{exported} is not ready after a wait for its dup"


@rule("SPEC-HANDLE-06")
def test_a_merge_of_two_devices_is_ready_when_both_are(device, open_device, sync_kind):
    """A sync_file merged from two devices' fences is not ready before the work of the slower device is done."""
    beside = open_device()

    def arrange(factor):
        gate = run_work(device, factor)
        merged = merge_sync_files(exported_payload(device, sync_kind), exported_payload(beside, sync_kind))
        return gate, lambda: sync_files.is_ready(merged.fd, patience.seconds())

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a merged sync_file, one of whose fences comes after work: {proof.value}"


@rule("SPEC-HANDLE-08", "SPEC-COMPAT-02")
def test_a_merge_of_two_devices_imports(device, open_device, sync_kind):
    """A sync_file merged from two devices' fences imports into a semaphore, and a wait for it ends."""
    merged = merge_sync_files(exported_payload(device, sync_kind), exported_payload(open_device(), sync_kind))
    target = device.semaphore(sync_kind)

    result = target.import_fd(merged.fd, temporary=True)

    assert result.is_success, f"the import of a merged sync_file returned {result}"
    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"a wait for the fences of two devices does not end: {wait}"


@rule("SPEC-HANDLE-06")
def test_poll_does_not_see_the_signal_before_the_work_is_done(device, sync_kind):
    """poll() reports the descriptor ready once the work before the signal is done, not before."""

    def arrange(factor):
        gate, _, descriptor = pending(device, sync_kind, factor)
        return gate, lambda: sync_files.is_ready(descriptor.fd, patience.seconds())

    proof = shown(arrange)

    assert proof is Proof.HELD, f"poll() of an exported SYNC_FD: {proof.value}"


@rule("SPEC-HANDLE-06")
def test_sync_files_merge(device, sync_kind):
    """SYNC_IOC_MERGE of two exports gives a third descriptor, which becomes ready."""
    one, other = exported_payload(device, sync_kind), exported_payload(device, sync_kind)

    try:
        merged = Descriptor(sync_files.merge(one.fd, other.fd), device.vk, "merged sync_file")
    except OSError as problem:
        raise AssertionError(f"SYNC_IOC_MERGE of two exports failed: {problem.strerror}") from None

    assert sync_files.is_ready(merged.fd, patience.seconds()), f"poll() does not report {merged} ready"


@rule("SPEC-HANDLE-07")
@pytest.mark.parametrize("destroyed", ["semaphore", "device", "instance"])
def test_a_sync_fd_outlives_its_source(device, open_device, sync_kind, destroyed):
    """A descriptor keeps its fence when the exporter, its device or its instance is destroyed."""
    source = open_device()
    exported = exported_payload(source, sync_kind)
    close(source, destroyed, device)

    target = device.semaphore(sync_kind)
    result = target.import_fd(exported.dup().fd, temporary=True)

    assert result.is_success, f"after the {destroyed} was destroyed the import returned {result}"
    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"after the {destroyed} was destroyed a wait does not end: {wait}"


@rule("SPEC-HANDLE-08", "SPEC-COMPAT-02")
def test_a_merged_sync_file_imports(device, sync_kind):
    """A sync_file that the kernel merged from two imports, and a wait for it ends."""
    merged = merge_sync_files(exported_payload(device, sync_kind), exported_payload(device, sync_kind))
    target = device.semaphore(sync_kind)

    result = target.import_fd(merged.fd, temporary=True)

    assert result.is_success, f"the import of a merged sync_file returned {result}"
    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"a wait for a merged sync_file does not end: {wait}"


def fences_sync_fd(device, fence=0):
    """The SYNC_FD of a fence that is signaled after all work of the device's queue."""
    vk, fence = device.vk, fence or fence_that_exports(device)
    answer = vk.vkQueueSubmit(device.queue.handle, (), fence)
    assert answer.is_success, f"vkQueueSubmit with only a fence returned {answer} (SPEC-RESULT-06)"
    answer, fd = vk.vkGetFenceFdKHR(device.handle, fence, int(FenceHandleType.SYNC_FD))
    assert answer.is_success, f"vkGetFenceFdKHR returned {answer} although the device claims SYNC_FD"
    return Descriptor(fd, vk, "fence's SYNC_FD")


@rule("SPEC-HANDLE-11")
def test_a_fences_sync_fd_imports_into_a_semaphore(device, sync_importable):
    """A SYNC_FD that a fence exported imports into a semaphore, and a wait for it ends."""
    descriptor, target = fences_sync_fd(device), device.semaphore(sync_importable)

    result = target.import_fd(descriptor.fd, temporary=True)

    assert result.is_success, f"the import of a {descriptor} returned {result}"
    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"a wait for a {descriptor} does not end: {wait}"


@rule("SPEC-HANDLE-11", "SPEC-STATE-01")
def test_a_wait_for_a_fences_sync_fd_holds(device, sync_importable):
    """A wait for the SYNC_FD of a pending fence holds until the work before the fence is done."""

    def arrange(factor):
        gate, descriptor = run_work(device, factor), fences_sync_fd(device)
        if descriptor.fd == -1:
            too_late("the driver returned -1: there is no descriptor")
        return gate, wait_for(device.semaphore(sync_importable).imports(descriptor, temporary=True))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for the SYNC_FD of a pending fence: {proof.value}"


@rule("SPEC-HANDLE-06")
def test_a_fences_sync_fd_is_of_the_submission_then(device, timeline):
    """poll() reports the SYNC_FD of a pending fence ready once its work is done, although the fence is submitted again.

    The export has reset the fence; nothing tells whether it may be submitted before that work is done.
    """
    vk, queue, fence = device.vk, device.queue.handle, fence_that_exports(device)
    run_work(device, LONG)
    descriptor = fences_sync_fd(device, fence)
    if descriptor.fd == -1:
        too_late("the driver returned -1: there is no descriptor")

    submitted = vk.vkQueueSubmit(queue, (batch_of(waits=[(timeline, 1)]),), fence)
    ready = sync_files.is_ready(descriptor.fd, patience.seconds())
    timeline.host_signal(1)
    answer = vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds())

    assert submitted.is_success, f"a submission with a fence that was pending when it was exported returned {submitted}"
    assert ready, "poll() does not report the SYNC_FD of a fence ready: it waits for a later submission of the fence"
    assert answer.is_success, f"a wait for a fence that was submitted after an export as SYNC_FD returned {answer}"


@rule("SPEC-HANDLE-11")
def test_a_semaphores_sync_fd_imports_into_a_fence(device, sync_kind):
    """A SYNC_FD that a semaphore exported imports into a fence, which is then signaled."""
    vk, fence = device.vk, fence_that_exports(device)
    exported = exported_payload(device, sync_kind)

    result = vk.vkImportFenceFdKHR(device.handle, fence, int(FenceHandleType.SYNC_FD), exported.fd, 1)

    assert result.is_success, f"the import of a semaphore's SYNC_FD into a fence returned {result}"
    vk.disown(exported.fd)
    answer = vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds())
    assert answer.is_success, f"a wait for a fence with a semaphore's SYNC_FD ended with {answer}"


@rule("SPEC-HANDLE-11", "SPEC-STATE-01")
def test_a_fence_waits_for_a_semaphores_sync_fd(device, sync_kind):
    """A fence that imported the SYNC_FD of a pending signal is signaled once the work before the signal is done."""
    vk, sync = device.vk, int(FenceHandleType.SYNC_FD)

    def arrange(factor):
        fence = fence_that_exports(device)
        gate, _, exported = pending(device, sync_kind, factor)
        result = vk.vkImportFenceFdKHR(device.handle, fence, sync, exported.fd, 1)
        assert result.is_success, f"the import of a semaphore's SYNC_FD into a fence returned {result}"
        vk.disown(exported.fd)
        return gate, lambda: vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds()).is_success

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for a fence with the SYNC_FD of a pending signal: {proof.value}"


LOOKS = {
    "vkGetFenceStatus": lambda vk, device, fence: vk.vkGetFenceStatus(device, fence),
    "vkWaitForFences": lambda vk, device, fence: vk.vkWaitForFences(device, (fence,), 0),
}
"""Commands that look at a fence without waiting for it."""


@rule("SPEC-HANDLE-11", "SPEC-STATE-01")
@pytest.mark.parametrize("look", LOOKS)
def test_a_fence_shows_the_state_of_a_semaphores_sync_fd(device, sync_kind, look):
    """Who only looks at a fence that imported the SYNC_FD of a pending signal sees it signaled when the work is done."""
    vk, sync, pending_as = device.vk, int(FenceHandleType.SYNC_FD), (Result.NOT_READY, Result.TIMEOUT)

    def arrange(factor):
        fence = fence_that_exports(device)
        gate, _, exported = pending(device, sync_kind, factor)
        result = vk.vkImportFenceFdKHR(device.handle, fence, sync, exported.fd, 1)
        assert result.is_success, f"the import of a semaphore's SYNC_FD into a fence returned {result}"
        vk.disown(exported.fd)
        return gate, lambda: signals(lambda: LOOKS[look](vk, device.handle, fence), pending_as)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{look} alone, of a fence with the SYNC_FD of a pending signal: {proof.value}"


def signals(look, pending_as):
    """Whether `look()` returns VK_SUCCESS within the time that a wait has, and nothing but `pending_as` before."""
    deadline = time.monotonic() + patience.seconds()
    while (answer := look()) in pending_as and time.monotonic() < deadline:
        time.sleep(0.0005)
    return answer == Result.SUCCESS


@rule("SPEC-EXPORT-06", "SPEC-EXPORT-05")
def test_minus_1_comes_only_when_the_work_is_done(device, sync_kind):
    """An export of a pending signal returns a descriptor; -1 stands for a payload that is signaled already."""

    def answers_minus_1():
        if semaphores[-1].exported().fd != -1:
            unsupported("the driver returned a descriptor")
        return True

    def arrange(factor):
        semaphores.append(device.semaphore(sync_kind, export=True))
        return signal_behind_work(semaphores[-1], factor), answers_minus_1

    semaphores = []
    proof = shown(arrange)

    assert proof is Proof.HELD, "vkGetSemaphoreFdKHR returned -1 while the work before the signal still ran"


def fence_behind_work(device, kind, factor):
    """(work, a fence that imported the SYNC_FD of a signal behind it)."""
    fence, sync = fence_that_exports(device), int(FenceHandleType.SYNC_FD)
    gate, _, exported = pending(device, kind, factor)
    result = device.vk.vkImportFenceFdKHR(device.handle, fence, sync, exported.fd, 1)
    assert result.is_success, f"the import of a semaphore's SYNC_FD into a fence returned {result}"
    device.vk.disown(exported.fd)
    return gate, fence


@rule("SPEC-HANDLE-11")
@pytest.mark.parametrize("nanoseconds", [2**63 - 1, 2**63, 2**64 - 1], ids=["2^63-1", "2^63", "the-greatest"])
def test_a_semaphores_sync_fd_in_a_fence_is_waited_for_however_long(device, sync_kind, nanoseconds):
    """vkWaitForFences of a fence that imported the SYNC_FD of a pending signal holds with the greatest timeouts, too."""
    vk, answers = device.vk, []

    def wait(fence):
        answers.append(vk.vkWaitForFences(device.handle, (fence,), nanoseconds))
        return answers[-1].is_success

    def arrange(factor):
        gate, fence = fence_behind_work(device, sync_kind, factor)
        return gate, lambda: wait(fence)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait of {nanoseconds} ns for such a fence returned {answers[-1]}: {proof.value}"
