"""Steps that the tests of this chapter take in another process."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import Kind
from suites.steps.queues import queue_for
from suites.steps.signals import at, behind_work, is_copy


def submit_and_sleep(channel: Channel, info: DeviceInfo, kind: Kind, through: str, works: bool) -> str:
    """Submit a batch that signals a payload, send its descriptor, and make no Vulkan call until a message comes.

    The batch comes behind real work if the process `works`.  Returns what the submission came to, as text.
    """
    device = bench.shared(info)
    queue, exporter = queue_for(device, through), device.semaphore(kind, export=True)
    descriptor = None if is_copy(kind) else exporter.exported()  # one call less after the submission
    links = behind_work(device, 2, queue, through)[1] if works else []

    batch = queue.submit(waits=links, signals=[at(exporter)], through=through)
    descriptor = descriptor or exporter.exported()
    channel.send_descriptor(descriptor.fd)

    channel.receive(60)
    return str(batch.end())
