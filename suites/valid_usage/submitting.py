"""Submitting: vkQueueSubmit, vkQueueSubmit2 and vkQueueBindSparse have the same rules under different ids."""

from collections.abc import Callable, Sequence

from fixtures.testbed.devices import Device, Submission
from fixtures.testbed.kinds import BINARY_OPAQUE
from fixtures.vulkan.native import Batch
from fixtures.vulkan.registry import Result
from suites.valid_usage.calls import need_claims, timeline
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import ended, queue_for, queues_for, second, submitted

SUBMIT, SUBMIT2, SPARSE = "vkQueueSubmit", "vkQueueSubmit2", "vkQueueBindSparse"
FAR = 2**64 - 1


def submit(device: Device, through: str, batch: Batch, more: Sequence[Batch] = ()) -> Result:
    """What one call with these batches came to."""
    return ended(queue_for(device, through).submit_batches((batch, *more), through))


def signal_values(through: str, *values: int) -> Callable[[Device], Result]:
    """A batch that raises a timeline from 0, which goes with `values`: one is right."""
    return lambda device: submit(device, through, Batch(signals=(timeline(device).handle,), signal_values=values))


def wait_values(through: str, *values: int) -> Callable[[Device], Result]:
    """A batch that waits for a timeline at 0, which goes with `values`: one is right."""
    return lambda device: submit(device, through, Batch(waits=(timeline(device).handle,), wait_values=values))


def wait_without_values(through: str) -> Callable[[Device], Result]:
    """A batch that waits for a timeline, without the structure of the values."""
    return lambda device: submit(device, through, Batch(waits=(timeline(device).handle,)))


def wait_and_signal(wait: int, signal: int) -> Callable[[Device], Result]:
    """A batch that waits for and raises one timeline."""

    def both(device: Device) -> Result:
        one = (timeline(device).handle,)
        return submit(device, SUBMIT2, Batch(one, (), one, (wait,), (signal,)))

    return both


def signal_twice(through: str) -> Callable[[Device], Result]:
    """A binary semaphore that is signaled, and nobody has waited for."""

    def twice(device: Device) -> Result:
        semaphore, queue = device.semaphore(), queue_for(device, through)
        submitted(queue, through, signals=[semaphore])
        return ended(queue.submit(signals=[semaphore], through=through))

    return twice


def signal_wait_signal(through: str) -> Callable[[Device], Result]:
    """A binary semaphore that is signaled, waited for, and signaled again."""

    def again(device: Device) -> Result:
        semaphore, queue = device.semaphore(), queue_for(device, through)
        submitted(queue, through, signals=[semaphore])
        submitted(queue, through, waits=[semaphore])
        return ended(queue.submit(signals=[semaphore], through=through))

    return again


def signal_restored(waited: bool) -> Callable[[Device], Result]:
    """A temporary payload is used up; each of two batches waits for the signal below, if it is `waited` for, and signals."""

    def signal(device: Device) -> Result:
        need_claims(device, BINARY_OPAQUE)
        semaphore, exporter = device.semaphore(BINARY_OPAQUE), device.semaphore(BINARY_OPAQUE, export=True)
        submitted(device.queue, signals=[semaphore, exporter])
        semaphore.imports(exporter.exported(), temporary=True)
        submitted(device.queue, waits=[semaphore])
        batch = {"waits": [semaphore] * waited, "signals": [semaphore]}
        submitted(device.queue, **batch)
        return ended(device.queue.submit(**batch))

    return signal


def wait_for(signals: int, through: str) -> Callable[[Device], Result]:
    """A wait for a binary semaphore that has been signaled so many times."""

    def wait(device: Device) -> Result:
        semaphore, queue = device.semaphore(), queue_for(device, through)
        if signals:
            submitted(queue, through, signals=[semaphore])
        return ended(queue.submit(waits=[semaphore], through=through))

    return wait


def wait_behind(raised: bool) -> Callable[[Device], Result]:
    """A wait for a signal that waits for a timeline, which has been raised or is raised afterwards."""

    def wait(device: Device) -> Result:
        gate, semaphore = timeline(device), device.semaphore()
        device.queue.submit(waits=[(gate, 1)], signals=[semaphore])
        if raised:
            gate.host_signal(1)
        waiting = device.queue.submit(waits=[semaphore])
        if not raised:
            gate.host_signal(1)
        return ended(waiting)

    return wait


def wait_on_two_queues(through: str) -> Callable[[Device], Result]:
    """One signal, and a wait on each of two queues."""

    def wait(device: Device) -> Result:
        semaphore, (one, other) = device.semaphore(), queues_for(device, through)
        one.submit(signals=[semaphore])
        other.submit(waits=[semaphore])
        return ended(one.submit(waits=[semaphore], through=through))

    return wait


def wait_on_one_queue(through: str) -> Callable[[Device], Result]:
    """One signal, and a wait on another queue."""

    def wait(device: Device) -> Result:
        semaphore, (one, other) = device.semaphore(), queues_for(device, through)
        other.submit(signals=[semaphore])
        return ended(one.submit(waits=[semaphore], through=through))

    return wait


def with_fence(own: bool, through: str) -> Callable[[Device], Result]:
    """A call without batches, with a fence of this device or of another."""

    def call(device: Device) -> Result:
        owner, queue = device if own else second(device), queue_for(device, through)
        fence = owner.fence()
        answer = getattr(device.vk, through)(queue.handle, (), fence)
        return ended(Submission(owner, through, answer, fence))

    return call


def signal_of(own: bool, through: str) -> Callable[[Device], Result]:
    """A batch that signals a semaphore of this device or of another."""

    def call(device: Device) -> Result:
        owner = device if own else second(device)
        return submit(device, through, Batch(signals=(owner.semaphore().handle,)))

    return call


def sparse_on_any_queue(device: Device) -> Result:
    """vkQueueBindSparse on a queue that cannot."""
    queue = next(queue for queue in device.queues if not queue.flags & 8)
    return ended(queue.submit(through=SPARSE))


def submit2_without_the_feature(device: Device) -> Result:
    """vkQueueSubmit2 on a device that has not turned it on."""
    return second(device, features=()).queue.submit(through=SUBMIT2).result


def _binary(through: str, twice: str, elsewhere: str, unsignaled: str) -> list[Case]:
    """The rules of binary semaphores: signaled twice, waited for on two queues, waited for without a signal."""
    return [
        Case(twice, signal_twice(through), signal_wait_signal(through)),
        Case(elsewhere, wait_on_two_queues(through), wait_on_one_queue(through)),
        Case(unsignaled, wait_for(0, through), wait_for(1, through)),
    ]


def _timeline(through: str, lower: str, far_wait: str, far_signal: str, over: str) -> list[Case]:
    """The rules of values: a signal has to raise the timeline; neither side may go too far."""
    return [
        Case(lower, signal_values(through, 0), signal_values(through, 1), over=over),
        Case(far_wait, wait_values(through, FAR), wait_values(through, 0)),
        Case(far_signal, signal_values(through, FAR), signal_values(through, 1), over=over),
    ]


def _values(through: str, missing: str, waits: str, signals: str, over: str) -> list[Case]:
    """The rules of the structure of the values, which vkQueueSubmit2 does not have."""
    return [
        Case(missing, wait_without_values(through), wait_values(through, 0)),
        Case(waits, wait_values(through), wait_values(through, 0)),
        Case(signals, signal_values(through), signal_values(through, 1), over=over),
    ]


CASES = [
    *_binary(
        SUBMIT,
        "VUID-vkQueueSubmit-pSignalSemaphores-00067",
        "VUID-vkQueueSubmit-pWaitSemaphores-00068",
        "VUID-vkQueueSubmit-pWaitSemaphores-03238",
    ),
    Case(
        "VUID-vkQueueSubmit-pSignalSemaphores-00067",
        signal_restored(waited=False),
        signal_restored(waited=True),
        id="restored",
        over="driver",
        breach_over="driver",
    ),
    *_timeline(
        SUBMIT,
        "VUID-VkSubmitInfo-pSignalSemaphores-03242",
        "VUID-VkSubmitInfo-pWaitSemaphores-03243",
        "VUID-VkSubmitInfo-pSignalSemaphores-03244",
        over="driver",
    ),
    *_values(
        SUBMIT,
        "VUID-VkSubmitInfo-pWaitSemaphores-03239",
        "VUID-VkSubmitInfo-pNext-03240",
        "VUID-VkSubmitInfo-pNext-03241",
        over="driver",
    ),
    *_binary(
        SUBMIT2,
        "VUID-vkQueueSubmit2-semaphore-03868",
        "VUID-vkQueueSubmit2-semaphore-03871",
        "VUID-vkQueueSubmit2-semaphore-03873",
    ),
    *_timeline(
        SUBMIT2,
        "VUID-VkSubmitInfo2-semaphore-03882",
        "VUID-VkSubmitInfo2-semaphore-03884",
        "VUID-VkSubmitInfo2-semaphore-03883",
        over="driver",
    ),
    *_binary(
        SPARSE,
        "VUID-vkQueueBindSparse-pSignalSemaphores-01115",
        "VUID-vkQueueBindSparse-pWaitSemaphores-01116",
        "VUID-vkQueueBindSparse-pWaitSemaphores-03245",
    ),
    *_timeline(
        SPARSE,
        "VUID-VkBindSparseInfo-pSignalSemaphores-03249",
        "VUID-VkBindSparseInfo-pWaitSemaphores-03250",
        "VUID-VkBindSparseInfo-pSignalSemaphores-03251",
        over="sparse",
    ),
    *_values(
        SPARSE,
        "VUID-VkBindSparseInfo-pWaitSemaphores-03246",
        "VUID-VkBindSparseInfo-pNext-03247",
        "VUID-VkBindSparseInfo-pNext-03248",
        over="sparse",
    ),
    Case(
        "VUID-VkSubmitInfo2-semaphore-03881",
        wait_and_signal(5, 5),
        wait_and_signal(0, 1),
        over="driver",
        breach_over="driver",
    ),
    Case(
        "SPEC-STATE-07",
        wait_behind(raised=False),
        wait_behind(raised=True),
        over="driver",
        breach_over="driver",
        command=SUBMIT,
    ),
    Case("VUID-vkQueueSubmit2-synchronization2-03866", submit2_without_the_feature, signal_of(True, SUBMIT2)),
    Case("VUID-VkSubmitInfo-commonparent", signal_of(False, SUBMIT), signal_of(True, SUBMIT)),
    Case("VUID-vkQueueSubmit-commonparent", with_fence(False, SUBMIT), with_fence(True, SUBMIT)),
    Case("VUID-VkBindSparseInfo-commonparent", signal_of(False, SPARSE), signal_of(True, SPARSE)),
    Case("VUID-vkQueueBindSparse-commonparent", with_fence(False, SPARSE), with_fence(True, SPARSE)),
    Case("VUID-vkQueueBindSparse-queuetype", sparse_on_any_queue, signal_of(True, SPARSE)),
]
