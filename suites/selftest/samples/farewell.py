"""A device that cannot be destroyed without a crash (../test_isolation.py runs it)."""

import ctypes

import pytest


@pytest.mark.parametrize("number", range(3))
def test_neighbour(device, number):
    device.until_closed(ctypes.string_at, 0)
    semaphore = device.semaphore()
    assert semaphore.handle, "vkCreateSemaphore made none"
