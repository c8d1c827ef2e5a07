"""A test that comes too late to see work in flight, and one that passes (../test_baseline.py)."""

from fixtures.testbed.gates import Proof
from fixtures.vulkan.outcomes import unsupported


def test_comes_too_late(device):
    unsupported(Proof.NOT_SHOWN.value)


def test_passes(device):
    pass
