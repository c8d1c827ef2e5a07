"""The submission commands as parameters, and binary semaphores to hand to them."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from fixtures.running.plugin import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import SPARSE, Device, Queue, Submission, batch_of
from fixtures.testbed.gates import run_work
from fixtures.testbed.semaphores import BINARY_OPAQUE, BINARY_SYNC, TIMELINE, Semaphore
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.steps.members import Point, at
from suites.steps.queries import needs

COMMANDS = ("vkQueueSubmit", "vkQueueSubmit2", "vkQueueBindSparse")

each_command = pytest.mark.parametrize("through", COMMANDS)

each_pair = pytest.mark.parametrize("handle", ["own", "imported", "imported-elsewhere"])
"""A binary semaphore that nobody shares, or one that is imported on the same device or on one of another instance."""


def queue_for(device: Device, through: str, beside: Queue | None = None) -> Queue:
    """A queue that `through` may be called on, other than `beside` if there is one; `unsupported` where none is."""
    found = device.queue_for(through) or unsupported(f"the device has no queue for {through}")
    if beside is None:
        return found
    needed = SPARSE if through == "vkQueueBindSparse" else 0
    return next((queue for queue in device.queues if queue != beside and queue.flags & needed == needed), found)


def behind_work(device: Device, factor: int, queue: Queue, through: str) -> tuple[Submission, list[Semaphore]]:
    """(work, what a batch of `queue` has to wait for to signal after it): nothing where submission order says so."""
    gate = run_work(device, factor)
    if queue == device.queue and through != "vkQueueBindSparse":
        return gate, []
    link = device.semaphore()
    device.queue.submit(signals=[link])
    return gate, [link]


def unwatched(queue: Queue, through: str = "vkQueueSubmit", **batch: Any) -> Result:
    """Submit one batch without a fence, as for `Queue.submit`; how it, and an empty call with a fence behind it, ended."""
    answer: Result = getattr(queue.device.vk, through)(queue.handle, (batch_of(**batch),), 0)
    return answer if answer.is_error else queue.submit(through=through).end()


def first_stuck(submissions: Iterable[Submission]) -> str:
    """The first submission that does not complete in time, as text; empty if all do."""
    return next((str(one) for one in submissions if not one.finishes()), "")


def two_ends(device: Device, open_device: Callable[..., Device], handle: str) -> tuple[Semaphore, Semaphore]:
    """A binary semaphore to signal and one to wait on, with one payload; for "own" the same one twice."""
    return ends(device, open_device, handle, 1)[0]


def ends(
    device: Device, open_device: Callable[..., Device], handle: str, count: int
) -> list[tuple[Semaphore, Semaphore]]:
    """As `two_ends`, `count` times; those to wait on are on one device."""
    if handle != "own":
        needs(device.info, BINARY_OPAQUE)
    importing = open_device() if handle == "imported-elsewhere" else device
    return [_ends(device, importing, handle) for _ in range(count)]


def _ends(device: Device, importing: Device, handle: str) -> tuple[Semaphore, Semaphore]:
    if handle == "own":
        return (device.semaphore(),) * 2
    exporter = device.semaphore(BINARY_OPAQUE, export=True)
    return exporter, importing.semaphore(BINARY_OPAQUE).imports(exporter.exported())


SORTS = {
    "own": BINARY_OPAQUE,
    "reference": BINARY_OPAQUE,
    "copy": BINARY_SYNC,
    "timeline": TIMELINE,
}
"""Payloads that a batch can wait for, each with the kind of its semaphore."""

SHARED = ("reference", "copy")
"""Those that are exported and imported."""


def sorts(device: Device) -> list[str]:
    """Those of SORTS that the device has."""
    shared = [sort for sort in SHARED if not unclaimed(SORTS[sort], device.info, EXPORTABLE | IMPORTABLE)]
    return ["own", *shared, *["timeline"] * device.info.timeline]


def signaled_payload(device: Device, sort: str, is_pending: bool = False) -> Point:
    """Submit a signal to the device's queue; what a batch may wait for then.

    `unsupported` where the signal has to be pending and the driver answers -1 for the descriptor of a copy.
    """
    kind = SORTS[sort]
    made = device.semaphore(kind, export=sort in SHARED)
    device.queue.submit(signals=[at(made)])
    if sort not in SHARED:
        return at(made)
    descriptor = made.exported()
    if is_pending and descriptor.fd == -1:
        unsupported("the driver answered -1: there is no descriptor")
    return device.semaphore(kind).imports(descriptor, temporary=sort == "copy")


def signalable(device: Device) -> list[Point]:
    """What one batch can signal: semaphores of the device's own, one to export, one that is imported, a timeline."""
    made: list[Point] = [device.semaphore()]
    if not unclaimed(BINARY_OPAQUE, device.info, EXPORTABLE | IMPORTABLE):
        exporter = device.semaphore(BINARY_OPAQUE, export=True)
        made += [device.semaphore(BINARY_OPAQUE, export=True)]
        made += [device.semaphore(BINARY_OPAQUE).imports(exporter.exported())]
    return made + [at(device.semaphore(TIMELINE))] * device.info.timeline
