"""The proof that a wait for a semaphore holds until its own signal, and what semaphores leave that are destroyed."""

from __future__ import annotations

from collections.abc import Callable

from fixtures.testbed import foreign
from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import Device, Queue, Semaphore
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE
from fixtures.vulkan.outcomes import Broken, unsupported
from suites.steps.batches import two_ends
from suites.steps.exports import exported_payload
from suites.steps.queues import queue_for
from suites.steps.timelines import needs_timelines

RAISED = 2**40
"""What timelines reach before they are destroyed."""


def waiting_queue(semaphore: Semaphore, device: Device) -> Queue:
    """A queue for the wait other than the first of `device`, which runs the work; `unsupported` where there is none."""
    queue = queue_for(semaphore.device, "vkQueueSubmit", beside=device.queue)
    return (
        unsupported("the device has one queue: a wait on it runs behind the work") if queue == device.queue else queue
    )


def proof_of_wait(
    device: Device,
    open_device: Callable[..., Device],
    handle: str,
    before: Callable[[Semaphore, Semaphore, Queue], object] = lambda *_: None,
    destroys: Callable[[], object] = lambda: None,
) -> Proof:
    """The Proof of a wait for a semaphore, made after `destroys()`, that is signaled behind work.

    `before(signaling, waiting, queue)` is what is done with it before that.
    """

    def arrange(factor):
        destroys()
        signaling, waiting = two_ends(device, open_device, handle)
        queue = waiting_queue(waiting, device)
        before(signaling, waiting, queue)
        gate = run_work(device, factor)
        device.queue.submit(signals=[signaling])
        return gate, queue.submit(waits=[waiting])

    proof = shown(arrange)
    if proof is Proof.NEVER:
        raise Broken(f"a wait for a binary semaphore: {proof.value} (SPEC-STATE-01)")
    return proof


def used_once(signaling: Semaphore, waiting: Semaphore, queue: Queue) -> None:
    """A signal and a wait for it."""
    signaling.signal()
    wait = queue.submit(waits=[waiting])
    if not wait.finishes():
        raise Broken(f"the first wait for a signaled binary semaphore did not end: {wait} (SPEC-STATE-02)")


# What is destroyed


def signaled(device: Device) -> None:
    """A signaled binary semaphore."""
    made = device.semaphore()
    made.signal()
    made.destroy()


def raised(device: Device) -> None:
    """A timeline that was raised."""
    needs_timelines(device)
    made = device.semaphore(TIMELINE)
    made.host_signal(RAISED)
    made.destroy()


def covered(device: Device) -> None:
    """A semaphore with a temporary payload that nobody has waited for."""
    kind = _kind(device)
    device.semaphore(kind).imports(exported_payload(device, kind), temporary=True).destroy()


def refused(device: Device) -> None:
    """A semaphore into which an import failed."""
    made = device.semaphore(_kind(device))
    made.import_fd(foreign.closed_number(), temporary=True)
    made.destroy()


def _kind(device):
    kinds = [kind for kind in (BINARY_OPAQUE, BINARY_SYNC) if not unclaimed(kind, device.info, EXPORTABLE | IMPORTABLE)]
    return kinds[0] if kinds else unsupported("no binary payload is exportable and importable")
