"""Timeline semaphores, alone or as members of a set that shares one payload, and their signals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from fixtures.testbed.devices import Device, Semaphore, Submission
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import Broken, unsupported
from fixtures.vulkan.registry import Result
from suites.steps.queries import needs
from suites.steps.queues import COMMANDS, queue_for

each_handle = pytest.mark.parametrize("handle", ["own", "importer", "exporter"])
"""The member that the test reads: an unshared timeline, or one end of an export and import."""

each_signal = pytest.mark.parametrize("by", ["host", *COMMANDS])
"""What signals: vkSignalSemaphore or a batch."""


def needs_timelines(device: Device, shared: bool = False) -> None:
    """`unsupported` where the device has no timeline semaphores, or none that can be `shared`."""
    if not device.info.timeline:
        unsupported("the device has no timeline semaphores")
    if shared:
        needs(device.info, TIMELINE)


def two_handles(device: Device, handle: str, value: int = 0) -> tuple[Semaphore, Semaphore]:
    """Two members of one payload at `value`: one to act through, and the `handle` to look at; for "own" the same one."""
    needs_timelines(device, shared=handle != "own")
    first = device.semaphore(TIMELINE, export=handle != "own", initial_value=value)
    if handle == "own":
        return first, first
    second = device.semaphore(TIMELINE).imports(first.exported())
    return (first, second) if handle == "importer" else (second, first)


def members(device: Device, open_device: Callable[..., Device], value: int = 0) -> dict[str, Semaphore]:
    """One member of each kind of a payload at `value`, by name."""
    needs_timelines(device, shared=True)
    exporter = device.semaphore(TIMELINE, export=True, initial_value=value)
    descriptor = exporter.exported()
    found = {"exporter": exporter, "importer": device.semaphore(TIMELINE).imports(descriptor)}
    found["second importer"] = device.semaphore(TIMELINE).imports(descriptor)
    found["importer in another instance"] = open_device().semaphore(TIMELINE).imports(descriptor)
    return found


def needs_success(imported: str) -> None:
    """Raise `Broken` unless another process sent that its import succeeded."""
    if imported != str(Result.SUCCESS):
        raise Broken(
            f"vkImportSemaphoreFdKHR in another process: {imported} (SPEC-CAPS-04: the device claims to import)"
        )


def submit_signal(semaphore: Semaphore, value: int, through: str = "vkQueueSubmit") -> None:
    """Submit a batch that signals; returns at once.  `unsupported` where the device has no queue for `through`."""
    submission = queue_for(semaphore.device, through).submit(signals=[(semaphore, value)], through=through)
    if not submission.result.is_success:
        raise Broken(f"{submission} for a batch that signals {value} (SPEC-STATE-01)")


def signal(semaphore: Semaphore, value: int, by: str = "host") -> None:
    """Signal `value` by the host or a batch, and wait until it has happened; raises `Broken` if it does not."""
    if by == "host":
        answer = semaphore.host_signal(value)
        if not answer.is_success:
            raise Broken(f"vkSignalSemaphore({value}) returned {answer} (SPEC-HOST-08)")
        return
    submit_signal(semaphore, value, by)
    if not semaphore.host_wait(value).is_success:  # that a fence comes no earlier is for submission/test_order.py
        raise Broken(f"a signal of {value} by {by} did not happen: {semaphore.device.submissions[-1]} (SPEC-STATE-01)")


def held_by_work(semaphore: Semaphore, reaches: Callable[[int], bool], through: str = "vkQueueSubmit") -> Proof:
    """Submit work, then a signal; the Proof of `reaches(value)`, a wait for the value."""

    def arrange(factor: int) -> tuple[Submission, Callable[[], bool]]:
        gate, value = run_work(semaphore.device, factor), next(values)
        submit_signal(semaphore, value, through)
        return gate, lambda: reaches(value)

    values = count(1)
    return shown(arrange)


def greatest_step(device: Device, structure: str = "TimelineSemaphore") -> int:
    """maxTimelineSemaphoreValueDifference, the most by which a signal may raise the payload ("Limits")."""
    kind = f"VkPhysicalDevice{structure}Properties"
    name = "vkGetPhysicalDeviceProperties2"
    found = device.vk.query_chain(device.instance.physical, name, "VkPhysicalDeviceProperties2", (kind,))
    return int(found[1].maxTimelineSemaphoreValueDifference)
