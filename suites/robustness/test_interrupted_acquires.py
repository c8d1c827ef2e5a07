"""POSIX signals that reach a thread which waits for an image of a swapchain."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.testbed import patience
from fixtures.vulkan.outcomes import declined
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.robustness.interruptions import interrupted
from suites.steps.screens import open_screen

pytestmark = pytest.mark.isolated
LIMIT = 0.2
"""Seconds, before --patience, for which an acquire waits for an image that does not come."""


def acquire(screen, seconds):
    """(what vkAcquireNextImageKHR within `seconds` returned, how many seconds it took)."""
    device, semaphore, start = screen.device, screen.device.semaphore(), time.perf_counter()
    answer, _ = device.vk.vkAcquireNextImageKHR(device.handle, screen.swapchain, int(seconds * 1e9), semaphore.handle)
    return answer, time.perf_counter() - start


@rule("SPEC-FUND-12")
def test_posix_signals_do_not_end_a_wait_for_an_image(open_device, device_info):
    """An acquire that finds no image waits for its whole timeout, also when POSIX signals reach its thread."""
    screen, limit = open_screen(open_device, device_info), patience.seconds(LIMIT)
    answers = [acquire(screen, 0)[0] for _ in range(len(screen.images) + 1)]
    undisturbed, took = acquire(screen, limit)
    if answers[-1] != Result.NOT_READY or undisturbed != Result.TIMEOUT or took < limit / 2:
        declined("an acquire that finds no image does not wait until its timeout is over")

    with ThreadPoolExecutor(1) as thread, interrupted():
        answer, took = thread.submit(acquire, screen, limit).result()

    assert answer == Result.TIMEOUT, f"an acquire without an image, while POSIX signals came, returned {answer}"
    assert took > limit / 2, f"when POSIX signals came, a wait of {limit:g} s for an image was over after {took:.3f} s"
