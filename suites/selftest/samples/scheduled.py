"""Tests of each sort that workers share out (../test_scheduling.py runs them)."""

import time

import pytest


@pytest.mark.parametrize("number", range(16), ids="plain-{}".format)
def test_plain(device, number):
    time.sleep(0.05)
    assert device.is_sound, number


@pytest.mark.mocked
@pytest.mark.parametrize("number", range(4), ids="mocked-{}".format)
def test_mocked(device, number):
    assert device.is_sound, number


@pytest.mark.exclusive
@pytest.mark.isolated
@pytest.mark.parametrize("number", range(4), ids="exclusive-{}".format)
def test_exclusive(device, number):
    assert device.is_sound, number


@pytest.mark.isolated
@pytest.mark.parametrize("number", range(8), ids="isolated-{}".format)
def test_isolated(device, number):
    assert device.is_sound, number
