"""Quick tests, then some that never end by themselves (../test_record.py breaks the run off)."""

import ctypes
import os
import time
from pathlib import Path

import pytest


def tell(name):
    """Leave a file that says: the test `name` has come to where it does not end."""
    Path(os.environ["SUITE_SELFTEST"], name).touch()


def sleep(channel):
    tell("stuck-process")
    time.sleep(600)


@pytest.mark.parametrize("number", range(40))
def test_quick(device, number):
    time.sleep(0.01)
    assert device.is_sound


@pytest.mark.isolated
def test_that_waits_for_another_process(device, processes):
    assert processes.run(sleep).how == "returned"


def test_that_waits_in_native_code(device):
    """A mutex locked twice: neither a signal nor another thread of Python's gets this one out."""
    mutex, libc = ctypes.create_string_buffer(64), ctypes.PyDLL(None)
    libc.pthread_mutex_lock(mutex)
    tell("stuck-native")
    libc.pthread_mutex_lock(mutex)
