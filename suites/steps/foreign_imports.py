"""Imports of foreign descriptors: within a time limit, and what has to work afterwards."""

from typing import Any

from fixtures.running.stacks import watchdog
from fixtures.testbed import patience
from fixtures.testbed.devices import Device, Semaphore
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.registry import Result
from suites.steps.signals import at, is_timeline

STRANGER_LIMIT = patience.WAIT
"""Seconds, before --patience, for an import of a foreign descriptor: what a driver that hangs costs each test."""

STALL = 0.5
"""Seconds, before --patience, after which a wait for an accepted foreign descriptor counts as stalled."""


def exchange(device: Device, kind: Kind, when: str) -> None:
    """Assert that a payload signaled before its export reaches an importer; `when` begins the message."""
    exporter, importer = device.semaphore(kind, export=True), device.semaphore(kind)
    signaled = device.queue.submit(signals=[at(exporter)])
    assert signaled.finishes(), f"{when} a signal does not end: {signaled} (SPEC-IMPORT-23)"
    importer.imports(exporter.exported(), temporary=not is_timeline(kind))
    wait = device.queue.submit(waits=[at(importer)])
    assert wait.finishes(), f"{when} a wait for an imported payload does not end: {wait} (SPEC-IMPORT-23)"


def import_in_time(target: Semaphore, fd: int, **named: Any) -> Result:
    """The result of `target.import_fd`; if it hangs, the time limit ends this process, which is the test's own."""
    watchdog.move(patience.seconds(STRANGER_LIMIT))
    result = target.import_fd(fd, **named)
    watchdog.move(patience.seconds(patience.TEST))
    return result
