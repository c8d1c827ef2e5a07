"""Steps that the tests of shared timelines take in another process."""

from fixtures.running.channels import Channel
from fixtures.testbed import bench
from fixtures.testbed.devices import Semaphore
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import TIMELINE


def _imported(channel: Channel, info: DeviceInfo) -> Semaphore:
    """Import the descriptor that comes over the channel, and send the result."""
    semaphore = bench.shared(info, most=1).semaphore(TIMELINE)
    channel.send(str(semaphore.import_fd(channel.receive_fd())))
    return semaphore


def show_counters(channel: Channel, info: DeviceInfo) -> None:
    """Send the counter for each message, until the message is None."""
    semaphore = _imported(channel, info)
    while channel.receive() is not None:
        channel.send(semaphore.counter())


def take_turns(channel: Channel, info: DeviceInfo, last: int) -> str:
    """Wait on the host for each odd value up to `last` and signal the one after it; "" if all went well."""
    semaphore = _imported(channel, info)
    for value in range(1, last, 2):
        answer = semaphore.host_wait(value)
        if not answer.is_success or semaphore.counter() != value:
            return f"a wait for {value} returned {answer} at {semaphore.counter()}"
        answer = semaphore.host_signal(value + 1)
        if not answer.is_success:
            return f"vkSignalSemaphore({value + 1}) returned {answer}"
    return ""


def wait_in_a_batch(channel: Channel, info: DeviceInfo, value: int, through: str) -> str:
    """Submit a wait for `value`, send whether it ended within 30 ms, and return how it ended: "" if it completed."""
    semaphore = _imported(channel, info)
    queue = semaphore.device.queue_for(through)
    if queue is None:
        return f"the device has no queue for {through}"
    wait = queue.submit(waits=[(semaphore, value)], through=through)
    channel.send(wait.finishes(0.03))
    return "" if wait.finishes() else str(wait)
