"""As many simple cases as CASES says, in the worker and in a process each (../benchmark.py times them)."""

import os

import pytest

from fixtures.testbed.kinds import KINDS
from fixtures.vulkan.registry import FeatureFlag

BOTH = FeatureFlag.EXPORTABLE | FeatureFlag.IMPORTABLE
CASES = int(os.environ.get("CASES", "1"))


def share(device):
    kind = next(one for one in KINDS if device.info.features(one) & BOTH == BOTH)
    exporter, importer = device.semaphore(kind, export=True), device.semaphore(kind)
    exporter.signal()
    importer.imports(exporter.exported(), temporary=True)
    wait = device.queue.submit(waits=[importer])
    assert wait.finishes(), f"a wait for a shared signal did not end: {wait}"


@pytest.mark.parametrize("number", range(CASES))
def test_together(device, number):
    share(device)


@pytest.mark.isolated
@pytest.mark.parametrize("number", range(CASES))
def test_alone(device, number):
    share(device)
