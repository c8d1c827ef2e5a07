"""What the other process does in the tests of this chapter."""

import os

from fixtures.running.processes import Channel, die_with_parent
from fixtures.testbed import bench, patience
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.drivers import DeviceInfo, Kind
from fixtures.testbed.semaphores import Semaphore
from suites.neighbours.files import is_ready
from suites.steps.members import is_timeline, signal_behind_work

VALUE = 7


def use(submission, what):
    """The end of a submission as text for the test, empty when it completed."""
    return "" if submission.finishes() else f"{what}: {submission}"


def received(channel: Channel, info: DeviceInfo, kind: Kind, temporary: bool) -> Semaphore:
    """A semaphore on a device of this process that imported the descriptor from the channel."""
    device = bench.shared(info, most=1)
    return device.semaphore(kind).imports(Descriptor(channel.receive_fd(), device.vk, "received descriptor"), temporary)


def waited(semaphore: Semaphore) -> str:
    """Wait for the signal of VALUE; "" if all went well."""
    if is_timeline(semaphore.kind):
        return "" if semaphore.counter() == VALUE else f"the counter is {semaphore.counter()} instead of {VALUE}"
    return use(semaphore.device.queue.submit(waits=[semaphore]), "the wait does not end")


def import_and_wait(channel: Channel, info: DeviceInfo, kind: Kind, temporary: bool) -> str:
    """Import the descriptor that comes over the channel and wait for its signal; "" if all went well."""
    return waited(received(channel, info, kind, temporary))


def import_and_hold(channel: Channel, info: DeviceInfo, kind: Kind, end: str) -> None:
    """Import the descriptor that comes over the channel, send the result, and end as told, by "waits" to be killed."""
    semaphore = bench.shared(info, most=1).semaphore(kind)
    channel.send(str(semaphore.import_fd(channel.receive_fd())))
    if end == "waits":
        channel.receive(60)


def import_and_signal(channel: Channel, info: DeviceInfo, kind: Kind, temporary: bool) -> str:
    """Import the descriptor that comes over the channel and signal through it; "" if all went well."""
    semaphore = received(channel, info, kind, temporary)
    if is_timeline(kind):
        answer = semaphore.host_signal(VALUE)
        return "" if answer.is_success else f"vkSignalSemaphore returned {answer}"
    return use(semaphore.device.queue.submit(signals=[semaphore]), "the signal does not end")


def fork_and_wait(channel: Channel, info: DeviceInfo, kind: Kind) -> str:
    """Receive a descriptor and fork; the process that has it by the fork imports it and waits.  "" if all went well."""
    fd = channel.receive_fd()
    if os.fork():
        return "" if os.wait()[1] == 0 else "the forked process could not import it and wait"
    problem = "nothing was tried"
    try:
        die_with_parent()
        device = bench.shared(info, most=1)
        problem = waited(device.semaphore(kind).imports(Descriptor(fd, device.vk)))
    finally:
        os._exit(bool(problem))


def export_signaled(channel: Channel, info: DeviceInfo, kind: Kind, end: str) -> str:
    """Signal a payload, send its descriptor, and end as told: "returns" tidily or "waits" to be killed or told to go on."""
    device = bench.shared(info, most=1)
    timeline = bool(kind.semaphore_type)
    semaphore = device.semaphore(kind, export=True, initial_value=VALUE if timeline else 0)
    if not timeline:
        semaphore.signal()
    answer, descriptor = semaphore.export_fd()
    channel.send(int(answer))
    if not answer.is_success:
        return ""
    channel.send(descriptor.fd)
    if descriptor.fd >= 0:
        channel.send_fd(descriptor.fd)
    if end == "waits":
        channel.receive(60)
    else:
        bench.close_device(device)
    return ""


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


def consume_frames(channel: Channel, info: DeviceInfo, kind: Kind, frames: int) -> str:
    """Import each frame's fence temporarily, wait for it, and send a fence of its own back; "" if all went well."""
    device = bench.shared(info, most=1)
    acquire, done = device.semaphore(kind), device.semaphore(kind, export=True)
    for frame in range(frames):
        answer = acquire.import_fd(channel.receive_descriptor(), temporary=True)
        if not answer.is_success:
            return f"the import of frame {frame} returned {answer} (SPEC-CAPS-04)"
        submission = device.queue.submit(waits=[acquire], signals=[done])
        channel.send_descriptor(done.exported().fd)
        if problem := use(submission, f"frame {frame} does not end"):
            return problem
    return ""


def poll_what_comes(channel: Channel) -> bool:
    """Whether poll() reports the descriptor from the channel ready."""
    return is_ready(channel.receive_fd(), patience.seconds())
