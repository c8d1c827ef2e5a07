"""vkDestroySemaphore of VK_NULL_HANDLE, and of a semaphore with an imported payload (Semaphores; Object Lifetime)."""

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import HandleType
from suites.ledger import rule
from suites.steps.exports import exported_payload
from suites.steps.leaks import descriptors_left


@rule("SPEC-DESTROY-01")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_destroying_nothing_does_nothing(device):
    """vkDestroySemaphore ignores VK_NULL_HANDLE: another semaphore keeps its signal, and the device works."""
    semaphore = device.semaphore()
    semaphore.signal()

    for _ in range(16):
        device.vk.vkDestroySemaphore(device.handle, 0)

    wait = device.queue.submit(waits=[semaphore])
    assert wait.finishes(), f"after vkDestroySemaphore of VK_NULL_HANDLE a wait for a signal did not end: {wait}"
    answer = device.vk.vkDeviceWaitIdle(device.handle)
    assert answer.is_success, f"after vkDestroySemaphore of VK_NULL_HANDLE vkDeviceWaitIdle returned {answer}"


@rule("SPEC-DESTROY-05")
@pytest.mark.isolated
@pytest.mark.one_queue
@pytest.mark.parametrize("underneath", ["new", "imported"])
def test_destroying_gives_up_both_payloads(device, kind, underneath):
    """Destroying a semaphore with an unused temporary import releases the temporary and the permanent payload."""
    allow_permanence(kind, "temporary")
    if underneath == "imported" and kind.handle_type == HandleType.SYNC_FD:
        unsupported("SYNC_FD cannot be imported permanently")
    temporary = exported_payload(device, kind)
    permanent = exported_payload(device, kind)

    def one_round():
        target = device.semaphore(kind)
        if underneath == "imported":
            target.imports(permanent)
        target.imports(temporary, temporary=True)
        device.settle()

    left = descriptors_left(one_round)

    assert not left, f"destroying semaphores with an unused temporary import left {left}"
