"""Steps that the tests of this chapter take in another process."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.devices import Semaphore
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import Kind


def export_past_an_unknown_structure(channel: Channel, info: DeviceInfo, kind: Kind) -> str:
    """Make a semaphore with an unknown structure chained first, signal and export it; "" if both succeed."""
    device = bench.open_device(info, most=1)
    timeline = int(kind.semaphore_type) or None
    answer, handle = device.vk.vkCreateSemaphore(device.handle, int(kind.handle_type), timeline, 0, unknown_first=True)
    if not answer.is_success:
        return f"vkCreateSemaphore returned {answer}"
    semaphore = Semaphore(device, handle, kind)
    signaled = semaphore.host_signal(7) if timeline else device.queue.submit(signals=[semaphore]).end()
    exported, _ = semaphore.export_fd()
    return "" if signaled.is_success and exported.is_success else f"signal: {signaled}, export: {exported}"
