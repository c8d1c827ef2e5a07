"""A test that ends its worker, but no process of its own (../test_isolation.py runs it)."""

import ctypes
import os

WORKER = os.getpid()


def test_crashes_in_its_worker(device):
    if os.getpid() == WORKER:
        ctypes.string_at(0)


def test_neighbour(device):
    assert device.is_sound
