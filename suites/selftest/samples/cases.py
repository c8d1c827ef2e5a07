"""As many simple cases as CASES says, in the worker and in a process each (../benchmark.py times them)."""

import os

import pytest

CASES = int(os.environ.get("CASES", "1"))


def share(device):
    exporter, importer = device.semaphore(export=True), device.semaphore()
    importer.imports(exporter.exported())
    exporter.signal()
    wait = device.queue.submit(waits=[importer])
    assert wait.finishes(), f"a wait for a shared signal did not end: {wait}"


@pytest.mark.parametrize("number", range(CASES))
def test_together(device, number):
    share(device)


@pytest.mark.isolated
@pytest.mark.parametrize("number", range(CASES))
def test_alone(device, number):
    share(device)
