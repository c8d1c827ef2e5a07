"""Waits that are held for up to a minute, all at once: what waits, what holds it, and the work that takes so long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from fixtures.testbed import patience
from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import Device, Semaphore, Submission
from fixtures.testbed.gates import recorded_work
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE, Kind
from fixtures.vulkan.outcomes import Broken, too_late, unsupported
from fixtures.vulkan.registry import Result
from suites.steps.queues import COMMANDS, queue_for

HOLDS = (2, 5, 15, 60)
"""Seconds for which waits are held; a run with less patience holds them for less."""
UNIT, PROBES, SPARE = 10, 8, 1.1
"""A piece of work in 10 ms, how often it is measured, and how many times more than needed are submitted."""
LIMIT = 350.0
"""Seconds, before --patience, for work that should take the longest of HOLDS and for what waits behind it."""
LAG = 0.05
"""Seconds after which a fence is seen to be signaled at last."""

OpenDevice = Callable[..., Device]


def scaled(seconds: float) -> float:
    """`seconds`, or less in a run with less patience."""
    return seconds * min(1.0, patience.factor)


@dataclass
class Held:
    """A call that waits in a thread of its own, to be held for `seconds`; `name` says what it is."""

    name: str
    seconds: float
    call: Future[Result]

    @property
    def is_over(self) -> bool:
        """Whether it has returned."""
        return self.call.done()

    def says(self) -> str:
        """What it returned, within the time that a wait has after its signal: "" for VK_SUCCESS."""
        try:
            answer = self.call.result(patience.seconds())
        except TimeoutError:
            return f"{self.name} did not end"
        return "" if answer.is_success else f"{self.name} returned {answer}"


# Timelines, held by the host


def timelines(device: Device, open_device: OpenDevice) -> Iterator[tuple[float, str, Semaphore, Semaphore]]:
    """(seconds, what it is, the semaphore to signal, the one to wait on) of timelines, each waited on by its own device."""
    shared = not unclaimed(TIMELINE, device.info, EXPORTABLE | IMPORTABLE)
    for seconds in map(scaled, HOLDS):
        waiting = open_device().semaphore(TIMELINE, export=shared)
        yield seconds, "a timeline", waiting, waiting
        if shared:
            exporter = device.semaphore(TIMELINE, export=True)
            yield (
                seconds,
                "an imported timeline",
                exporter,
                open_device().semaphore(TIMELINE).imports(exporter.exported()),
            )
            exporter = open_device().semaphore(TIMELINE, export=True)
            yield seconds, "an exported timeline", device.semaphore(TIMELINE).imports(exporter.exported()), exporter


def host_held(threads: ThreadPoolExecutor, seconds: float, what: str, waiting: Semaphore, number: int) -> list[Held]:
    """A batch of one command or another that waits for 1, and the calls of the host that wait for it and with it."""
    device, vk, limit = waiting.device, waiting.device.vk, seconds + 2 * patience.seconds()
    ways = [through for through in COMMANDS if device.queue_for(through)]
    through = ways[number % len(ways)]
    queue = queue_for(device, through)
    batch = queue.submit(waits=[(waiting, 1)], through=through)
    calls = {
        f"vkWaitForFences for a batch of {through}": lambda: batch.end(limit),
        "vkWaitSemaphores": lambda: waiting.host_wait(1, limit),
        f"vkQueueWaitIdle behind a batch of {through}": lambda: vk.vkQueueWaitIdle(queue.handle),
    }
    return [
        Held(f"{name} that waits {seconds:g} s for {what}", seconds, threads.submit(call))
        for name, call in calls.items()
    ]


# Binary payloads, held by work


@dataclass
class Sort:
    """A way to share a binary payload: of which kind, imported temporarily or not, and whether the exporter waits."""

    name: str
    kind: Kind
    temporary: bool = False
    backwards: bool = False


SORTS = (
    Sort("a permanently imported payload", BINARY_OPAQUE),
    Sort("a temporarily imported payload", BINARY_OPAQUE, temporary=True),
    Sort("an exported payload", BINARY_OPAQUE, backwards=True),
    Sort("an imported SYNC_FD", BINARY_SYNC, temporary=True),
)


def sorts(device: Device) -> list[Sort]:
    """The ways that the device claims; `unsupported` if there are none."""
    found = [sort for sort in SORTS if not unclaimed(sort.kind, device.info, EXPORTABLE | IMPORTABLE)]
    return found or unsupported("the device shares no binary semaphores")


def work_for(device: Device, seconds: float, unit_seconds: float) -> Submission:
    """Submit work for so many seconds, in pieces that no watchdog of a device minds; returns the last piece."""
    pieces = max(1, math.ceil(SPARE * seconds / unit_seconds))
    return [device.queue.submit(commands=[recorded_work(device, UNIT)]) for _ in range(pieces)][-1]


def seconds_of_a_unit(device: Device) -> float:
    """How long a piece of work takes at least."""
    taken = []
    for _ in range(PROBES):
        start = time.perf_counter()
        work = device.queue.submit(commands=[recorded_work(device, UNIT)])
        if not work.finishes(patience.seconds(patience.TEST)):
            raise Broken(f"some work does not end: {work} (SPEC-FUND-09)")
        taken.append(time.perf_counter() - start)
    return min(taken)


def work_held(
    threads: ThreadPoolExecutor, device: Device, open_device: OpenDevice, chosen: list[Sort], seconds: float
) -> list[Held]:
    """Submit a signal of each sort to the device, behind its work, and a wait for each on a device of its own."""
    pairs = []
    for sort in chosen:
        ends = (open_device(), device) if sort.backwards else (device, open_device())
        exporter, importer = ends[0].semaphore(sort.kind, export=True), ends[1].semaphore(sort.kind)
        if sort.kind == BINARY_OPAQUE:
            importer.imports(exporter.exported(), sort.temporary)
        pairs.append((sort, *((importer, exporter) if sort.backwards else (exporter, importer))))
    device.queue.submit(signals=[signaling for _, signaling, _ in pairs])
    for sort, exporter, importer in pairs:
        if sort.kind == BINARY_SYNC:
            descriptor = exporter.exported()
            if descriptor.fd == -1:
                too_late("the driver returned -1: there is no descriptor")
            importer.imports(descriptor, temporary=True)

    def wait(waiting: Semaphore) -> Result:
        batch = waiting.device.queue.submit(waits=[waiting])
        return batch.end(patience.seconds(LIMIT)) if batch.result.is_success else batch.result

    return [
        Held(f"a batch that waits {seconds:.3g} s for {sort.name}", seconds, threads.submit(wait, waiting))
        for sort, _, waiting in pairs
    ]
