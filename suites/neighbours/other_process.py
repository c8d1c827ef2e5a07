"""Steps that the tests of this chapter take in another process."""

import os
import time

from fixtures.running.channels import Channel
from fixtures.running.processes import die_with_parent
from fixtures.testbed import bench, patience
from fixtures.testbed import cuda as cuda_driver
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import Semaphore
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.gates import FIRST_SECONDS, run_work
from fixtures.testbed.kinds import Kind
from suites.neighbours.sync_files import is_ready
from suites.steps.signals import is_timeline, signal_behind_work

VALUE = 7
MOST = 64
"""How much more work at most, where what was measured before is over too soon."""


def use(submission, what):
    """ "" if a submission completes, otherwise `what` and how it ended."""
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
    """Import the descriptor from the channel and wait for its signal; "" if all went well."""
    return waited(received(channel, info, kind, temporary))


def import_and_hold(channel: Channel, info: DeviceInfo, kind: Kind, end: str) -> None:
    """Import the descriptor from the channel, send the result, then return, or with `end` "waits" wait to be killed."""
    semaphore = bench.shared(info, most=1).semaphore(kind)
    channel.send(str(semaphore.import_fd(channel.receive_fd())))
    if end == "waits":
        channel.receive(60)


def import_and_signal(channel: Channel, info: DeviceInfo, kind: Kind, temporary: bool) -> str:
    """Import the descriptor from the channel and signal through it; "" if all went well."""
    semaphore = received(channel, info, kind, temporary)
    if is_timeline(kind):
        answer = semaphore.host_signal(VALUE)
        return "" if answer.is_success else f"vkSignalSemaphore returned {answer}"
    return use(semaphore.device.queue.submit(signals=[semaphore]), "the signal does not end")


def fork_and_wait(channel: Channel, info: DeviceInfo, kind: Kind) -> str:
    """Receive a descriptor and fork; the forked process imports its inherited descriptor and waits.  "" if all went well."""
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
    """Signal a payload, send its descriptor, then close the device, or with `end` "waits" wait to be killed or for a message."""
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


def import_into_cuda_and_signal(channel: Channel, info: DeviceInfo, kind: Kind) -> str:
    """Import the descriptor from the channel into CUDA alone, and signal; "" if all went well."""
    there = cuda_driver.on(info)
    there.signal(there.imports(Descriptor(channel.receive_fd(), bench.commands(), "received descriptor"), kind), VALUE)
    return "" if there.mark().finishes() else "the signal does not end"


def export_behind_work(channel: Channel, info: DeviceInfo, kind: Kind, factor: int, surely: bool = False) -> None:
    """Send the descriptor of a payload that is signaled after work of `factor` x 10 ms, and return after that work.

    With `surely`, it is tried first how long the work takes now, and more is done if it takes less.
    """
    device = bench.shared(info, most=1)
    if surely:
        start = time.monotonic()
        run_work(device, factor).finishes()
        factor *= max(1, min(MOST, round(FIRST_SECONDS * factor / (time.monotonic() - start))))
    exporter = device.semaphore(kind, export=True)
    gate = signal_behind_work(exporter, factor)
    answer, descriptor = exporter.export_fd()
    channel.send(int(answer))
    if answer.is_success:
        channel.send(descriptor.fd)
        if descriptor.fd >= 0:
            channel.send_fd(descriptor.fd)
    gate.finishes()


def import_and_tell(channel: Channel, info: DeviceInfo, kind: Kind) -> str:
    """Import the descriptor from the channel, tell when the wait for its signal is submitted; "" if that ends."""
    semaphore = received(channel, info, kind, True)
    wait = semaphore.device.queue.submit(waits=[semaphore])
    channel.send("submitted")
    return use(wait, "the wait does not end")


def import_and_end(channel: Channel, info: DeviceInfo, kind: Kind) -> int:
    """Open a device, import the descriptor from the channel, tell each, and wait for its signal; returns how the wait ends."""
    device = bench.shared(info, most=1)
    channel.send("a device is open")
    semaphore = received(channel, info, kind, True)
    channel.send("imported")
    wait = device.queue.submit(waits=[semaphore])
    return int(wait.result if wait.result.is_error else wait.end(patience.seconds(patience.SIGNALED)))
