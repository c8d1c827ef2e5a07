"""Notes of processes that do not live to hand them over (../test_isolation.py runs it)."""

import ctypes

import pytest

from fixtures.vulkan.outcomes import breach, warn


def notes_and_crashes(*_):
    breach("SPEC-RESULT-12", "vkDeviceWaitIdle", "vkDeviceWaitIdle returned VK_TIMEOUT, which it does not list")
    warn("worth a look")
    ctypes.string_at(0)


@pytest.mark.isolated
def test_alone(device):
    notes_and_crashes()


def test_together(device):
    notes_and_crashes()


def test_step(device, processes):
    ending = processes.run(notes_and_crashes)
    assert ending.how == "crash", f"the step ended with {ending}"
