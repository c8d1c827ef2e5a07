"""Tests that a baseline expects to fail (../test_isolation.py): one passes once, one always, one never."""

import os
from pathlib import Path


def test_passes_once(device):
    """Passes the first time that it runs in this folder."""
    file = Path(os.environ["SUITE_SELFTEST"], "recovers")
    seen = file.exists()
    file.touch()

    assert not seen, "not the first time"


def test_is_mended(device):
    pass


def test_fails_as_ever(device):
    raise AssertionError("as ever")
