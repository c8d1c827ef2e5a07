"""Tests that all fail, some of which take their time, and one that passes (../test_alike.py)."""

import time

import pytest

from fixtures.testbed import patience


@pytest.mark.parametrize("number", range(80))
def test_slow(device, number):
    time.sleep(0.1)
    assert not device.is_sound, f"waits last {patience.seconds():g} s, a test {patience.seconds(patience.TEST):g} s"


@pytest.mark.parametrize("number", range(30))
def test_quick(device, number):
    assert not device.is_sound, f"waits last {patience.seconds():g} s"


def test_passes(device):
    assert device.is_sound
