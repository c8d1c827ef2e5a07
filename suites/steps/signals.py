"""Single signals and waits: submitted, finished, or after work that takes time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fixtures.testbed.devices import Device, Queue, Semaphore, Submission, batch_of
from fixtures.testbed.gates import run_work
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import Broken, unsupported
from fixtures.vulkan.registry import HandleType, Result, SemaphoreType
from suites.steps.queues import beside

Point = Semaphore | tuple[Semaphore, int]


def at(semaphore: Semaphore, value: int = 1) -> Point:
    """The semaphore as a batch takes it: a timeline with `value`, a binary one alone."""
    return (semaphore, value) if is_timeline(semaphore.kind) else semaphore


def is_timeline(kind: Kind) -> bool:
    """Whether semaphores of the kind are timelines."""
    return kind.semaphore_type == SemaphoreType.TIMELINE


def is_copy(kind: Kind) -> bool:
    """Whether the kind has copy transference (SYNC_FD); a driver may export it as -1."""
    return kind.handle_type == HandleType.SYNC_FD


def needs_binary(kind: Kind) -> None:
    """`unsupported` for timelines: waits do not consume their signals."""
    if is_timeline(kind):
        unsupported("a wait does not unsignal a timeline")


def signal(semaphore: Semaphore, value: int = 1) -> None:
    """Signal by a batch on the device's queue, and wait until it has happened; raises `Broken` if it does not."""
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
        raise Broken(f"{submission} for a batch that signals (SPEC-STATE-01)")
    return gate


def wait_for(semaphore: Semaphore, value: int = 1, through: str = "vkQueueSubmit") -> Submission:
    """Submit a wait, on another queue than the first where the device has one."""
    return beside(semaphore.device).submit(waits=[at(semaphore, value)], through=through)


def values(kind: Kind) -> Iterator[int]:
    """Rising values to signal a timeline with, one for each signal; for a binary semaphore they are unused."""
    return iter(range(1, 1 << 20))


def behind_work(device: Device, factor: int, queue: Queue, through: str) -> tuple[Submission, list[Semaphore]]:
    """(work, the semaphores that a batch of `queue` has to wait for to run after it): none where submission order is enough."""
    gate = run_work(device, factor)
    if queue == device.queue and through != "vkQueueBindSparse":
        return gate, []
    link = device.semaphore()
    device.queue.submit(signals=[link])
    return gate, [link]


def unwatched(queue: Queue, through: str = "vkQueueSubmit", **batch: Any) -> Result:
    """Submit one batch without a fence, as for `Queue.submit`; returns how it ended, by the fence of an empty call after it."""
    answer: Result = getattr(queue.device.vk, through)(queue.handle, (batch_of(**batch),), 0)
    return answer if answer.is_error else queue.submit(through=through).end()


def first_stuck(submissions: Iterable[Submission]) -> str:
    """The first submission that does not complete in time, as text; empty if all do."""
    return next((str(one) for one in submissions if not one.finishes()), "")


def wait_at(semaphore: Semaphore, queue: Queue, value: int = 1) -> Submission:
    """Submit a wait to a queue."""
    return queue.submit(waits=[at(semaphore, value)])
