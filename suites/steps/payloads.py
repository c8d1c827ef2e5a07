"""Payloads to import, and semaphores to import them into, whose own permanent payload is in a known state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, allow_permanence, unclaimed
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import Device, Queue, Semaphore, Submission
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, Kind
from fixtures.vulkan.outcomes import too_late, unsupported
from suites.steps.queues import second_queue
from suites.steps.signals import is_copy, signal, signal_behind_work

each_permanent = pytest.mark.parametrize("permanent", ["own", "imported"])
"""The permanent payload below a temporary one: the one that the semaphore was created with, or a permanently imported one."""


@dataclass(frozen=True)
class Target:
    """A semaphore to import into; `below` is the one through which its permanent payload is signaled."""

    semaphore: Semaphore
    below: Semaphore

    @property
    def queue(self) -> Queue:
        """The queue to wait on, which does not run the work before a signal of `below`."""
        device = self.semaphore.device
        return second_queue(device) if self.below.device is device else device.queue

    def waits(self) -> Submission:
        """Submit a wait on the first queue."""
        return self.semaphore.device.queue.submit(waits=[self.semaphore])


def target(exporting: Device, importing: Device, permanent: str = "own", is_signaled: bool = False) -> Target:
    """A binary semaphore on `importing` with a `permanent` payload; one that is "imported" comes from `exporting`."""
    if permanent == "imported":
        needs(exporting, BINARY_OPAQUE)
        below = exporting.semaphore(BINARY_OPAQUE, export=True)
        made = Target(importing.semaphore(BINARY_OPAQUE).imports(below.exported()), below)
    else:
        semaphore = importing.semaphore()
        made = Target(semaphore, semaphore)
    if is_signaled:
        signal(made.below)
    return made


def temporary(kind: Kind) -> Kind:
    """`kind`, or `unsupported` where its payloads are never imported temporarily."""
    allow_permanence(kind, "temporary")
    return kind


def signaled(device: Device, kind: Kind) -> tuple[Semaphore, Descriptor]:
    """A signaled payload: its exporter, and its descriptor, which may be -1 as SYNC_FD."""
    exporter = device.semaphore(kind, export=True)
    signal(exporter)
    return exporter, exporter.exported()


def pending(device: Device, kind: Kind, factor: int = 1, value: int = 1) -> tuple[Submission, Semaphore, Descriptor]:
    """A payload that is signaled after work: (the work, the exporter, its descriptor).

    `unsupported` where the driver returns -1, which stands for a payload that is signaled already.
    """
    exporter = device.semaphore(kind, export=True)
    gate = signal_behind_work(exporter, factor, value)
    descriptor = exporter.exported()
    if is_copy(kind) and descriptor.fd == -1:
        too_late("the driver returned -1: there is no descriptor")
    return gate, exporter, descriptor


def shown_over_a_signal(
    exporting: Device,
    importing: Device,
    kind: Kind,
    wait: Callable[[Semaphore], Submission],
    permanent: str = "own",
) -> tuple[Proof, Target]:
    """The Proof of `wait(semaphore)` for a temporary payload that is pending over a signaled permanent one, and its target.

    A wait that takes the permanent payload first ends too early: were both signaled, nobody could tell.
    """
    targets: list[Target] = []

    def arrange(factor: int) -> tuple[Submission, Submission]:
        targets.append(target(exporting, importing, permanent, is_signaled=True))
        gate, _, descriptor = pending(exporting, kind, factor)
        puts(descriptor, targets[-1].semaphore, kind)
        return gate, wait(targets[-1].semaphore)

    return shown(arrange), targets[-1]


def puts(descriptor: Descriptor, into: Semaphore, kind: Kind) -> Semaphore:
    """Import temporarily into `into`, as the handle type of `kind`, and return it as a semaphore of that kind."""
    return Semaphore(into.device, into.handle, kind).imports(descriptor, temporary=True)


def needs(device: Device, *kinds: Kind) -> None:
    """`unsupported` unless the device exports and imports all these kinds."""
    for kind in kinds:
        if reason := unclaimed(kind, device.info, EXPORTABLE | IMPORTABLE):
            unsupported(reason)


def needs_exportable_imports(device: Device, kind: Kind) -> None:
    """`unsupported` unless payloads that the device imports as this kind export as it."""
    if not device.info.claims[kind.claim][2] & kind.handle_type:
        unsupported(f"{kind.handle_type} is not in the exportFromImportedHandleTypes of its query")
