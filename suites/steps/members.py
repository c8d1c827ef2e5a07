"""The members of a set of semaphores that share one payload, where they live, and signals that come late."""

from collections.abc import Callable, Iterator

import pytest

from fixtures.running.plugin import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed import bench
from fixtures.testbed.bench import FOUND
from fixtures.testbed.devices import Device, Queue, Submission
from fixtures.testbed.drivers import DeviceInfo, Kind
from fixtures.testbed.gates import run_work
from fixtures.testbed.semaphores import Semaphore
from fixtures.vulkan.outcomes import Broken, unsupported
from fixtures.vulkan.registry import HandleType, SemaphoreType

PLACES = ("same-device", "same-instance", "other-instance")
NAMES = ("exporter", "importer", "sibling")
FAMILIES = range(8)

each_place = pytest.mark.parametrize("place", PLACES)
"""Where importers live: on the exporter's device, on a second device of its instance, or in an instance of their own."""

OpenDevice = Callable[..., Device]
Point = Semaphore | tuple[Semaphore, int]


def at(semaphore: Semaphore, value: int = 1) -> Point:
    """The semaphore as a batch names it: a timeline with `value`, which a binary one does not have."""
    return (semaphore, value) if is_timeline(semaphore.kind) else semaphore


def is_timeline(kind: Kind) -> bool:
    """Whether its semaphores are timelines."""
    return kind.semaphore_type == SemaphoreType.TIMELINE


def needs_binary(kind: Kind) -> None:
    """`unsupported` for timelines: no signal of theirs is ever used up."""
    if is_timeline(kind):
        unsupported("a wait does not unsignal a timeline")


def device_at(place: str, device: Device, open_device: OpenDevice) -> Device:
    """The device of importers at `place`, beside the exporter's `device`."""
    if place == "same-device":
        return device
    if place == "other-instance":
        return open_device()
    twin = bench.borrow_twin(device)
    device.later(bench.return_twin, twin, device)
    return twin


def members(exporting: Device, importing: Device, kind: Kind, temporary: bool = False) -> dict[str, Semaphore]:
    """An unsignaled (0) payload by reference: its exporter, and two importers on the device `importing`."""
    exporter = exporting.semaphore(kind, export=True)
    descriptor = exporter.exported()
    importers = [importing.semaphore(kind).imports(descriptor, temporary) for _ in NAMES[1:]]
    return dict(zip(NAMES, [exporter, *importers], strict=True))


def scattered(device: Device, open_device: OpenDevice, kind: Kind) -> dict[str, Semaphore]:
    """Members of one payload with a device for each: no queue of one runs behind the work of another's."""
    exporter = device.semaphore(kind, export=True)
    descriptor = exporter.exported()
    others = [device_at(place, device, open_device) for place in PLACES[1:]]
    return dict(zip(NAMES, [exporter, *(one.semaphore(kind).imports(descriptor) for one in others)], strict=True))


def signal(semaphore: Semaphore, value: int = 1) -> None:
    """Signal by a batch on the device's queue, and be sure that it has happened; raises `Broken` if it has not."""
    submission = semaphore.device.queue.submit(signals=[at(semaphore, value)])
    if not submission.finishes():
        raise Broken(f"a batch that signals did not end: {submission} (SPEC-STATE-01)")


def signal_behind_work(
    semaphore: Semaphore, factor: int = 1, value: int = 1, queue: Queue | None = None, through: str = "vkQueueSubmit"
) -> Submission:
    """Submit work of `factor` x 10 ms, then a signal that cannot come before its end; returns the work at once.

    The signal is submitted to `queue`, default the device's.
    """
    device = semaphore.device
    gate = run_work(device, factor)
    waits = []
    if queue not in (None, device.queue):
        waits = [device.semaphore()]
        device.queue.submit(signals=waits)
    submission = (queue or device.queue).submit(waits, [at(semaphore, value)], through=through)
    if not submission.result.is_success:
        raise Broken(f"a batch that signals: {submission} (SPEC-STATE-01)")
    return gate


def wait_for(semaphore: Semaphore, value: int = 1, through: str = "vkQueueSubmit") -> Submission:
    """Submit a wait, on another queue than the work's where the device has one."""
    return beside(semaphore.device).submit(waits=[at(semaphore, value)], through=through)


def exchange(device: Device, kind: Kind, when: str) -> None:
    """A payload signaled before its export reaches an importer, as it has to `when` strangers were imported."""
    exporter, importer = device.semaphore(kind, export=True), device.semaphore(kind)
    signaled = device.queue.submit(signals=[at(exporter)])
    assert signaled.finishes(), f"{when} a signal does not end: {signaled} (SPEC-IMPORT-23)"
    importer.imports(exporter.exported(), temporary=not is_timeline(kind))
    wait = device.queue.submit(waits=[at(importer)])
    assert wait.finishes(), f"{when} a wait for an imported payload does not end: {wait} (SPEC-IMPORT-23)"


def beside(device: Device) -> Queue:
    """Another queue than the one that works, or that one where it is alone."""
    return next((queue for queue in device.queues if queue != device.queue), device.queue)


def second_queue(device: Device, first: Queue | None = None) -> Queue:
    """Another queue than `first`, by default the one that works; `unsupported` where there is none."""
    queue = next((queue for queue in device.queues if queue != (first or device.queue)), None)
    return queue or unsupported("the device has one queue: a wait behind work on it shows nothing")


def queue_of(device: Device, family: int) -> Queue:
    """The first queue of a family; `unsupported` where the device has no such family."""
    found = [queue for queue in device.queues if queue.family == family]
    return found[0] if found else unsupported(f"the device has no queue family {family}")


def values(kind: Kind) -> Iterator[int]:
    """Rising values to signal a timeline with, one a signal; a binary semaphore takes no notice of them."""
    return iter(range(1, 1 << 20))


def another_device(config: pytest.Config, info: DeviceInfo, kind: Kind) -> DeviceInfo:
    """Another physical device of this run than `info` that exports and imports `kind`; `unsupported` without one."""
    others = [one for one in config.stash[FOUND].devices if one.device_uuid != info.device_uuid]
    able = [one for one in others if not unclaimed(kind, one, EXPORTABLE | IMPORTABLE)]
    return able[0] if able else unsupported(f"no second device exports and imports {kind}")


def close(device: Device, what: str, other: Device) -> None:
    """Destroy a device's semaphores, the device too, or its instance as well, which else goes with the test of `other`."""
    if what == "semaphore":
        device.settle()
    elif what == "device":
        device.close()
        other.later(device.instance.close)
    else:
        bench.close_device(device)


def is_copy(kind: Kind) -> bool:
    """Whether descriptors of this kind are copies that may come as -1."""
    return kind.handle_type == HandleType.SYNC_FD
