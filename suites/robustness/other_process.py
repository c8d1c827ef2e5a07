"""Steps that the tests of this chapter take in another process."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import TIMELINE, Kind
from fixtures.vulkan.registry import Result
from suites.steps.signals import at, is_copy, is_timeline, signal_behind_work

LAG = 0.03
"""Seconds after which a fence is seen to be signaled at last."""


def wait_and_tell(channel: Channel, info: DeviceInfo, kind: Kind) -> None:
    """For each value that comes, and the descriptor behind it: import, say so, wait in a batch, tell how that ended; 0 ends.

    For a timeline's value the host waits, too.
    """
    device = bench.shared(info, most=1)
    while value := channel.receive():
        descriptor = Descriptor(channel.receive_fd(), device.vk, "received descriptor")
        semaphore = device.semaphore(kind).imports(descriptor, temporary=is_copy(kind))
        channel.send("waiting")
        wait = device.queue.submit(waits=[at(semaphore, value)])
        host = semaphore.host_wait(value) if is_timeline(kind) else Result.SUCCESS
        channel.send(str(wait.end() if host.is_success and wait.result.is_success else (host, wait.result)))


def signal_and_tell(channel: Channel, info: DeviceInfo, kind: Kind, factor: int) -> str:
    """Submit a signal behind work of `factor` x 10 ms, send its descriptor; then, when told, whether the work is done.

    Returns how a batch after it ends, as text.
    """
    device = bench.shared(info, most=1)
    exporter = device.semaphore(kind, export=True)
    gate = signal_behind_work(exporter, factor)
    channel.send_descriptor(exporter.exported().fd)
    channel.receive()
    channel.send(gate.finishes(LAG))
    return str(device.queue.submit().end())


def signal_when_told(channel: Channel, info: DeviceInfo, value: int) -> str:
    """Send the descriptor of a timeline, and signal it when told; returns the result, as text."""
    exporter = bench.shared(info, most=1).semaphore(TIMELINE, export=True)
    channel.send_descriptor(exporter.exported().fd)
    channel.receive()
    return str(exporter.host_signal(value))
