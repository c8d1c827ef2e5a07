"""A test that hangs the first time that it runs in this folder (../test_verdicts.py runs it)."""

import ctypes
import os
from pathlib import Path

import pytest


@pytest.mark.isolated
@pytest.mark.limit(1)
def test_hangs_at_first(device):
    file = Path(os.environ["SUITE_SELFTEST"], "hangs")
    if not file.exists():
        file.touch()
        ctypes.PyDLL(None).sleep(600)
