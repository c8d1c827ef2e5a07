"""The reference driver refuses misuse, so that a test which misuses a driver fails over it."""

import pytest

from fixtures.reference import driver
from fixtures.reference.driver import ReferenceDriver
from fixtures.testbed import bench, drivers
from fixtures.testbed.devices import SPARSE, Device
from fixtures.testbed.instances import Instance
from fixtures.testbed.kinds import BINARY_OPAQUE
from fixtures.vulkan.commands import Commands
from fixtures.vulkan.outcomes import Broken
from fixtures.vulkan.registry import Result

DEVICE = drivers.look_at_reference().devices[0]


@pytest.fixture
def two_queues():
    """Two queues of an ideal device, and a semaphore on it with an importer of its payload."""
    device = Device(Instance(Commands(ReferenceDriver(""), bench.journal(), None), DEVICE))
    device.vk.tolerated = frozenset({Result.ERROR_INITIALIZATION_FAILED})
    exporter = device.semaphore(BINARY_OPAQUE, export=True)
    yield device.queues[:2], exporter, device.semaphore(BINARY_OPAQUE).imports(exporter.exported())
    bench.close_device(device)


@pytest.mark.parametrize("seen", ["nothing", "fence", "idle"])
def test_two_queues_may_not_wait_for_a_payload_at_once(two_queues, seen):
    """The second wait is refused unless the host has seen that the first one ended, whichever members they are on."""
    queues, exporter, importer = two_queues
    exporter.signal()
    first = queues[0].submit(waits=[importer], signals=[exporter])
    if seen == "fence":
        assert first.finishes()
    if seen == "idle":
        assert exporter.device.vk.vkDeviceWaitIdle(exporter.device.handle).is_success

    second = queues[1].submit(waits=[exporter])

    wanted = Result.ERROR_INITIALIZATION_FAILED if seen == "nothing" else Result.SUCCESS
    assert second.result == wanted, f"with {seen} seen of the first wait the second one returned {second.result}"


def test_one_queue_may_wait_for_a_payload_again(two_queues):
    """Its waits come one after the other."""
    (queue, _), exporter, importer = two_queues
    exporter.signal()

    both = [queue.submit(waits=[importer], signals=[exporter]), queue.submit(waits=[exporter])]

    assert [one.result for one in both] == [Result.SUCCESS] * 2


@pytest.fixture
def idle_queue():
    """A queue of the reference driver that binds no sparse memory."""
    device = Device(Instance(Commands(ReferenceDriver(""), bench.journal(), None), DEVICE), families="unlike")
    yield next(queue for queue in device.queues if not queue.flags & SPARSE)
    bench.close_device(device)


def test_sparse_memory_is_bound_by_queues_that_can(idle_queue):
    """vkQueueBindSparse on another queue is refused by an exception: nothing that it could answer is defined."""
    with pytest.raises(AssertionError, match="binds no sparse memory"):
        idle_queue.submit(through="vkQueueBindSparse")


def test_transfers_are_recorded_for_queues_that_can(idle_queue, monkeypatch):
    """vkCmdFillBuffer in a command buffer for a family that only binds sparse memory is refused by an exception."""
    vk, device = idle_queue.device.vk, idle_queue.device.handle
    monkeypatch.setattr(driver, "FAMILIES", [(SPARSE, 1)] * len(driver.FAMILIES))
    _, pool = vk.vkCreateCommandPool(device, idle_queue.family)
    _, command = vk.vkAllocateCommandBuffer(device, pool)
    _, buffer = vk.vkCreateBuffer(device, 4096)

    with pytest.raises(AssertionError, match="neither draw, compute nor copy"):
        vk.vkCmdFillBuffer(command, buffer, 4096, 0)


def test_a_driver_is_not_excused_by_a_layer_that_nobody_named(monkeypatch):
    """VK_ERROR_LAYER_NOT_PRESENT for an instance without layers is the driver's failure, not `unsupported`."""
    monkeypatch.setattr(ReferenceDriver, "vkCreateInstance", lambda *arguments: (Result.ERROR_LAYER_NOT_PRESENT, 0))

    with pytest.raises((Broken, pytest.skip.Exception)) as raised:
        Instance(ReferenceDriver(""), DEVICE)

    assert raised.type is Broken, f"it is left out: {raised.value}"
