"""Steps in another process that tests of several chapters take."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import Kind
from suites.steps.signals import signal_behind_work


def export_unsignaled(channel: Channel, info: DeviceInfo, kind: Kind) -> None:
    """Send the descriptor of a payload that nobody signals, and wait to be killed."""
    device = bench.shared(info, most=1)
    answer, descriptor = device.semaphore(kind, export=True).export_fd()
    channel.send(int(answer))
    if answer.is_success:
        channel.send_fd(descriptor.fd)
    channel.receive(60)


def export_pending(channel: Channel, info: DeviceInfo, kind: Kind) -> None:
    """Send the descriptor of a payload whose signal waits for some work, and wait to be killed."""
    device = bench.shared(info, most=1)
    exporter = device.semaphore(kind, export=True)
    signal_behind_work(exporter, factor=40)
    answer, descriptor = exporter.export_fd()
    channel.send(int(answer))
    if answer.is_success:
        channel.send_fd(descriptor.fd)
    channel.receive(60)
