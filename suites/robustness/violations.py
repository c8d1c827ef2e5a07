"""Violations of the rules about a shared payload's state, and what ends the waits that they leave behind.

Everything that a violation may hold up runs in a thread of its own: the violating command may go on only when its wait counts
as satisfied, and the specification sets no limit for that.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import TypeVar

from fixtures.running.channels import Channel
from fixtures.running.processes import Nursery
from fixtures.testbed import bench, patience
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import Device, Queue, Semaphore, Submission
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.kinds import BINARY_OPAQUE
from fixtures.vulkan.registry import Result

PATIENCE = 0.2
VIOLATIONS = ("wait-without-signal", "double-signal", "double-wait")

Batch = dict[str, list[Semaphore]]
"""The arguments of `Queue.submit`: {"waits": [...]} or {"signals": [...]}."""

T = TypeVar("T")


def beside(function: Callable[[], T]) -> Future[T]:
    """Call a function in a thread of its own, which does not keep the process from ending; the result or what it raised."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as problem:  # `unsupported` is one, too
            future.set_exception(problem)

    Thread(target=run, daemon=True).start()
    return future


@dataclass
class Attempt:
    """Batches that may violate a rule, submitted to a queue one after the other; nobody else may use the queue meanwhile."""

    queue: Queue
    batches: list[Batch]
    made: list[Submission] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.call = beside(self._submit)
        self._returns()
        _attempts.append(self)

    def _submit(self) -> None:
        for batch in self.batches:
            self.made.append(self.queue.submit(**batch))

    def _returns(self) -> bool:
        return bool(futures.wait([self.call], patience.seconds(PATIENCE)).done)

    def ends(self) -> list[Result]:
        """How each submission ended; TIMEOUT where its fence is still pending at the limit, or its command has not returned.

        Batches behind a command that has not returned are not submitted.
        """
        late = [] if self._returns() else [Result.TIMEOUT]
        if not late:
            self.call.result()
        limit = patience.seconds(PATIENCE)
        return [one.result if one.result.is_error else one.end(limit) for one in [*self.made]] + late


_attempts: list[Attempt] = []
"""Every attempt of this process, which runs one test."""


def is_over() -> bool:
    """Whether nothing that a violation left behind is pending."""
    return all(Result.TIMEOUT not in one.ends() for one in _attempts)


def violate(how: str, exporter: Semaphore, importer: Semaphore) -> list[Result]:
    """Violate the rules about the payload's state; returns how each violating submission ended (`Attempt.ends`).

    The device is not sound while one is pending.
    """
    queue = exporter.device.queue
    if how == "wait-without-signal":
        attempt = Attempt(queue, [{"waits": [importer]}])
    elif how == "double-signal":
        attempt = Attempt(queue, [{"signals": [exporter]}, {"signals": [importer]}])
    else:
        queue.submit(signals=[exporter])
        attempt = Attempt(queue, [{"waits": [importer]}, {"waits": [exporter]}])
    ends = attempt.ends()
    exporter.device.is_sound = Result.TIMEOUT not in ends
    return ends


def let_go(semaphore: Semaphore) -> None:
    """End what hangs by a signal from another queue, where there is one.

    Some drivers take seconds to end a process with pending work.
    """
    device = semaphore.device
    others = [queue for queue in device.queues if queue != device.queue]
    if others and not device.is_sound:
        Attempt(others[0], [{"signals": [semaphore]}])
        device.is_sound = is_over()


def let_go_from_outside(device: Device, descriptor: Descriptor, processes: Nursery) -> bool:
    """End what hangs on a device by a signal from another process; whether nothing is pending any more.

    `descriptor` is one of the payload, exported before the violation.
    """
    if not device.is_sound:
        child = processes.start(signal_once, device.info)
        child.channel.send_fd(descriptor.fd)
        child.finish(patience.seconds())
        device.is_sound = is_over()
    return device.is_sound


def signal_once(channel: Channel, info: DeviceInfo) -> None:
    """Import the binary payload behind the descriptor that is sent, and signal it: a step in another process."""
    device = bench.shared(info, most=1)
    device.semaphore(BINARY_OPAQUE).imports(Descriptor(channel.receive_fd(), device.vk, "payload")).signal()


def failure_on(device: Device, *batches: Batch) -> str:
    """Submit batches to a device without a violation; the first that ends with an error, as text, "" once all are done.

    Does not return while one is pending.
    """
    device.is_sound = False  # meanwhile nothing of it may be destroyed
    submissions = [device.queue.submit(**batch) for batch in batches]
    failure = next((str(one) for one in submissions if not one.finishes(patience.seconds(patience.TEST))), "")
    device.is_sound = not failure
    return failure
