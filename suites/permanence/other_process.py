"""Steps that the tests of this chapter take in another process."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import Kind
from suites.steps.exports import succeeded
from suites.steps.payloads import puts


def copy_again(channel: Channel, info: DeviceInfo, kind: Kind) -> None:
    """Import the descriptor from the channel as a copy, send back an export of that, or -1, and do nothing until told to end."""
    device = bench.shared(info, most=1)
    into = device.semaphore(kind, export=True)
    puts(Descriptor(channel.receive_fd(), device.vk, "received descriptor"), into, kind)
    channel.send_descriptor(succeeded(into.export_fd()).fd)
    channel.receive(60)
