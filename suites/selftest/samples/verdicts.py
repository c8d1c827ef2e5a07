"""Tests of every verdict (../test_verdicts.py and ../test_baseline.py run them)."""

import ctypes
import os
from pathlib import Path

import pytest

from fixtures.vulkan.outcomes import unsupported, warn
from suites.ledger import rule


def test_passes(device):
    assert device.is_sound


@rule("SPEC-EXPORT-02")
def test_fails(device):
    assert not device.is_sound, "the driver did wrong"


def test_warns(device):
    warn("worth a look")


@rule("SPEC-EXPORT-05")
def test_fails_a_rule_that_only_warns(device):
    assert not device.is_sound, "allowed, but worth a look"


def test_lacks(device):
    unsupported("the device lacks it")


def test_flakes(device):
    """Fails the first time that it runs in this folder."""
    file = Path(os.environ["SUITE_SELFTEST"], "flakes")
    seen = file.exists()
    file.touch()

    assert seen, "only the first time"


def test_errs(device):
    raise LookupError("the suite did wrong")


@rule("SPEC-EXPORT-05")
def test_errs_about_a_rule_that_only_warns(device):
    raise LookupError("the suite did wrong")


@pytest.fixture
def broken_fixture(device):
    raise LookupError("the suite did wrong")


def test_errs_in_setup(broken_fixture):
    pass


@pytest.mark.isolated
@rule("SPEC-EXPORT-05")
def test_crashes_about_a_rule_that_only_warns(device):
    ctypes.string_at(0)
