"""Timeline semaphores as these tests hold them: alone, or as members of a set that shares one payload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.devices import Device
from fixtures.drivers import Kind
from fixtures.gates import run_work
from fixtures.outcomes import Broken, unsupported
from fixtures.registry import HandleType, Result, SemaphoreType
from fixtures.semaphores import Semaphore
from suites.submission.queues import COMMANDS, needs_kind, queue_for

TIMELINE = Kind(HandleType.OPAQUE_FD, SemaphoreType.TIMELINE)

each_handle = pytest.mark.parametrize("handle", ["own", "importer", "exporter"])
"""A timeline that nobody shares, or one end of an export and import."""

each_signal = pytest.mark.parametrize("by", ["host", *COMMANDS])
"""What signals: vkSignalSemaphore or a batch."""


def needs_timelines(device: Device, shared: bool = False) -> None:
    """`unsupported` where the device has no timeline semaphores, or none that can be `shared`."""
    if not device.info.timeline:
        unsupported("the device has no timeline semaphores")
    if shared:
        needs_kind(device, TIMELINE)


def two_handles(device: Device, handle: str, value: int = 0) -> tuple[Semaphore, Semaphore]:
    """Two members of one payload at `value`: one to act through, and the `handle` to look at; for "own" the same one."""
    needs_timelines(device, shared=handle != "own")
    first = device.semaphore(TIMELINE, export=handle != "own", initial_value=value)
    if handle == "own":
        return first, first
    second = device.semaphore(TIMELINE).imports(first.exported())
    return (first, second) if handle == "importer" else (second, first)


def members(device: Device, open_device: Callable[..., Device], value: int = 0) -> dict[str, Semaphore]:
    """Every kind of member of one payload at `value`, by what it is."""
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
    """Signal `value` by the host or a batch, and be sure that it has happened; raises `Broken` if it has not."""
    if by == "host":
        answer = semaphore.host_signal(value)
        if not answer.is_success:
            raise Broken(f"vkSignalSemaphore({value}) returned {answer} (SPEC-HOST-08)")
        return
    submit_signal(semaphore, value, by)
    if not semaphore.device.submissions[-1].finishes():
        raise Broken(f"a batch that signals {value} did not end: {semaphore.device.submissions[-1]} (SPEC-STATE-01)")


def signal_after_work(semaphore: Semaphore, look: Callable[[int], Any]) -> tuple[Any, bool]:
    """Submit work, then a signal of a value above 0; call `look(value)` while the work runs.

    Returns what `look` answered, and whether the work was done by then; `unsupported` if no work lasts long enough.
    """
    for value, factor in enumerate((1, 4, 16), start=1):
        gate = run_work(semaphore.device, factor)
        submit_signal(semaphore, value)
        pending = not gate.is_done
        answer = look(value)
        done = gate.is_done
        if pending:
            return answer, done
        semaphore.device.submissions[-1].finishes()
    return unsupported("the work was always over before it could be looked at")


def greatest_step(device: Device) -> int:
    """maxTimelineSemaphoreValueDifference, the most by which a signal may raise the payload ("Limits")."""
    kind = "VkPhysicalDeviceTimelineSemaphoreProperties"
    name = "vkGetPhysicalDeviceProperties2"
    found = device.vk.query_chain(device.instance.physical, name, "VkPhysicalDeviceProperties2", (kind,))
    return int(found[1].maxTimelineSemaphoreValueDifference)
