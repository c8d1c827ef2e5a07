"""Sixty cases of a test that all fail, and one test that passes (../test_alike.py)."""

import pytest

from fixtures.testbed import patience


@pytest.mark.parametrize("number", range(60))
def test_fails(device, number):
    assert not device.is_sound, f"waits last {patience.seconds():g} s, a test {patience.seconds(patience.TEST):g} s"


def test_passes(device):
    assert device.is_sound
