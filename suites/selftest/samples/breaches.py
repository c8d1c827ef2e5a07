"""Breaches on the way, in tests of several verdicts (../test_verdicts.py and ../test_baseline.py run them)."""

from types import SimpleNamespace

import pytest

from fixtures.testbed import bench
from fixtures.vulkan.commands import Commands
from fixtures.vulkan.outcomes import unsupported, warn
from fixtures.vulkan.registry import Result
from suites.ledger import rule


def wait_idle(answer):
    """vkDeviceWaitIdle of a driver that answers this."""
    driver = SimpleNamespace(vkDeviceWaitIdle=lambda _: answer)
    return Commands(driver, bench.journal()).vkDeviceWaitIdle(0)


def test_breach_passes(device):
    assert wait_idle(Result.TIMEOUT) == Result.TIMEOUT


@pytest.mark.isolated
def test_breach_passes_isolated(device):
    assert wait_idle(Result.NOT_READY) == Result.NOT_READY


@rule("SPEC-EXPORT-02")
def test_breach_fails(device):
    assert wait_idle(Result.TIMEOUT).is_success, "the driver did wrong"


def test_breach_lacks(device):
    unsupported(f"the device answers {wait_idle(Result.TIMEOUT)}")


def test_breach_warns(device):
    warn(f"the device answers {wait_idle(Result.TIMEOUT)}")


@rule("SPEC-EXPORT-05")
def test_mere_warning(device):
    assert wait_idle(Result.ERROR_UNKNOWN) == Result.ERROR_UNKNOWN
