"""A fence that imported a SYNC_FD is waited for as long as the caller wants: it is held for 15 seconds, with `--long`."""

import pytest

from fixtures.testbed import patience
from fixtures.vulkan.outcomes import too_late
from fixtures.vulkan.registry import FenceHandleType
from suites.ledger import rule
from suites.robustness.long_waits import LAG, LIMIT, scaled, seconds_of_a_unit, work_for
from suites.steps.fences import fence_that_exports

pytestmark = [pytest.mark.isolated(fresh=True), pytest.mark.long, pytest.mark.limit(400)]
HOLD = 15.0
"""Seconds of work before the signal; a run with less patience has less."""


@rule("SPEC-HANDLE-11")
def test_a_wait_for_a_fence_with_a_semaphores_sync_fd_lasts(device, sync_kind):
    """vkWaitForFences of a fence that imported the SYNC_FD of a pending signal holds until a long work is done."""
    fence, exporter, vk = fence_that_exports(device), device.semaphore(sync_kind, export=True), device.vk
    gate = work_for(device, scaled(HOLD), seconds_of_a_unit(device))
    device.queue.submit(signals=[exporter])
    exported = exporter.exported()
    if exported.fd == -1 or gate.is_done:
        too_late("the signal is not pending: there is nothing to wait for")
    result = vk.vkImportFenceFdKHR(device.handle, fence, int(FenceHandleType.SYNC_FD), exported.fd, 1)
    assert result.is_success, f"the import of a semaphore's SYNC_FD into a fence returned {result}"
    vk.disown(exported.fd)

    answer = vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds(LIMIT))

    assert answer.is_success, f"vkWaitForFences within {patience.seconds(LIMIT):g} s for such a fence returned {answer}"
    assert gate.finishes(LAG), "vkWaitForFences of such a fence succeeded while the work before its signal still ran"
