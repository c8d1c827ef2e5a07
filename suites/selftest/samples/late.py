"""Tests that come too late to see work in flight, and one that passes (../test_baseline.py and ../test_claims.py)."""

import pytest

from fixtures.testbed.gates import Proof
from fixtures.vulkan.outcomes import too_late


@pytest.mark.parametrize("number", range(12))
def test_comes_too_late(device, number):
    too_late(Proof.NOT_SHOWN.value)


def test_passes(device):
    pass
