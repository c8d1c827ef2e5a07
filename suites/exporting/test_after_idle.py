"""Exports as SYNC_FD right after a wait: of a signal that is over, and that the driver may have forgotten."""

import pytest

from suites.ledger import rule
from suites.steps.signals import first_stuck, signal, wait_for

LOOKS = {
    "vkQueueWaitIdle": lambda device: device.vk.vkQueueWaitIdle(device.queue.handle),
    "vkDeviceWaitIdle": lambda device: device.vk.vkDeviceWaitIdle(device.handle),
}
"""Waits after which nothing of the device is pending."""


@rule("SPEC-IMPORT-15")
@pytest.mark.isolated
@pytest.mark.parametrize("look", LOOKS)
def test_a_signal_before_a_wait_for_idle_exports_as_signaled(device, open_device, sync_kind, look):
    """A SYNC_FD of a signal that was over before a wait for idle is signaled: waits for it end, on its device and another."""
    exporters = [device.semaphore(sync_kind, export=True) for _ in range(2)]
    for one in exporters:
        signal(one)
    answer = LOOKS[look](device)
    importers = [one.semaphore(sync_kind) for one in (device, open_device())]

    for exporter, importer in zip(exporters, importers, strict=True):
        importer.imports(exporter.exported(), temporary=True)
    waits = [wait_for(one) for one in importers]

    stuck = first_stuck(waits)
    assert not stuck, f"after {look} returned {answer}, a wait for a SYNC_FD of an earlier signal did not end: {stuck}"
