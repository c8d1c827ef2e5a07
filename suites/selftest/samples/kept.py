"""Isolated tests of a device that counts as slow to open: they share a process (../test_isolation.py runs them)."""

import ctypes

import pytest

from fixtures.running import isolation
from fixtures.vulkan.outcomes import warn

isolation.SLOW_SECONDS = 0.0
pytestmark = [pytest.mark.isolated, pytest.mark.limit(1)]
state = {"poisoned": False}


def test_learns_that_the_device_is_slow(device):
    assert device.is_sound


def test_begins(device):
    assert device.is_sound


def test_poison(device):
    state["poisoned"] = True
    assert device.is_sound


def test_neighbour(device):
    assert not state["poisoned"], f"{device} was met after another test"


def test_crash(device):
    ctypes.string_at(0)


def test_hang(device):
    ctypes.PyDLL(None).sleep(600)


def test_fails(device):
    assert not device.is_sound, "this one fails"


def test_goes_on(device):
    assert device.is_sound


def test_warns(device):
    warn(f"{device} is worth a look")


def test_comes_after_a_warning(device):
    assert device.is_sound
