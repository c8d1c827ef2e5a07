"""Acquiring and presenting images: what signals a semaphore and a fence, what leaves them, and when they may go."""

from functools import cache

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import BINARY_OPAQUE
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queries import needs
from suites.steps.screens import open_screen
from suites.steps.signals import signal, signal_behind_work
from suites.submission.presents import (
    acquire,
    acquire_all,
    acquire_nothing,
    needs_image,
    open_fenced_screen,
    prepare,
    present,
    sharing,
)

pytestmark = pytest.mark.isolated
PRESENTS = 4
LOOKING = 0.01
"""Seconds for which the test watches that a fence stays unsignaled."""


@rule("SPEC-WSI-06")
@pytest.mark.parametrize("given", ["semaphore", "fence", "both"])
def test_an_acquired_image_signals_what_was_given(open_device, device_info, given):
    """An acquire that returns an image signals its semaphore and its fence."""
    screen = open_screen(open_device, device_info)
    device = screen.device
    semaphore = device.semaphore() if given != "fence" else None
    fence = device.fence() if given != "semaphore" else 0

    needs_image(acquire(screen, semaphore, fence))
    seen = device.vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds()) if fence else Result.SUCCESS
    wait = device.queue.submit(waits=[semaphore] if semaphore else [])

    assert seen.is_success, f"a wait for the fence of an acquire returned {seen}"
    assert wait.finishes(), f"a wait for the semaphore of an acquire did not end: {wait}"


@rule("SPEC-WSI-06", "SPEC-STATE-10")
def test_the_fence_of_an_acquire_is_reset_for_a_submission(open_device, device_info):
    """A fence that an acquire signaled is unsignaled by a reset: a wait for its next submission holds for the work before."""
    screen = open_screen(open_device, device_info)
    device, vk, fence = screen.device, screen.device.vk, screen.device.fence()
    needs_image(acquire(screen, None, fence))
    seen = vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds())
    assert seen.is_success, f"a wait for the fence of an acquire returned {seen}"

    def arrange(factor):
        vk.vkResetFences(device.handle, (fence,))
        gate = run_work(device, factor)
        vk.vkQueueSubmit(device.queue.handle, (), fence)
        return gate, lambda: vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds()).is_success

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for a submission with the fence of an acquire: {proof.value}"


@rule("SPEC-WSI-05")
@pytest.mark.parametrize("given", ["fence", "both"])
def test_an_acquire_without_an_image_leaves_its_fence(open_device, device_info, given):
    """An acquire that returns no image leaves its fence unsignaled, for a submission to use."""
    screen = open_screen(open_device, device_info)
    device, vk = screen.device, screen.device.vk
    acquire_all(screen)
    fence, semaphore = device.fence(), device.semaphore() if given == "both" else None

    acquire_nothing(screen, semaphore, fence)
    seen = vk.vkWaitForFences(device.handle, (fence,), int(LOOKING * 1e9))
    assert seen == Result.TIMEOUT, f"after an acquire without an image a wait for its fence returned {seen}"
    vk.vkQueueSubmit(device.queue.handle, (), fence)
    used = vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds())

    assert used.is_success, f"a wait for a fence that was submitted after an acquire without an image returned {used}"


@rule("SPEC-WSI-05")
@pytest.mark.parametrize("payload", ["own", "imported", "exported"])
def test_an_acquire_without_an_image_leaves_its_semaphore(open_device, device_info, payload):
    """After an acquire that returns no image, a wait for its semaphore holds for the signal of its permanent payload."""
    screen = open_screen(open_device, device_info)
    target, partner, queue = sharing(screen.device, open_device, payload)
    acquire_all(screen)

    def arrange(factor):
        acquire_nothing(screen, target)
        return signal_behind_work(partner, factor), queue.submit(waits=[target])

    proof = shown(arrange)

    assert proof is Proof.HELD, f"after an acquire without an image: {proof.value}"


@rule("SPEC-WSI-09")
def test_a_present_returns_in_finite_time(open_device, device_info):
    """vkQueuePresentKHR returns within the time limit, though the signal that it waits for comes after work."""
    screen, presented = open_screen(open_device, device_info), []

    for _ in range(PRESENTS):
        needs_image(prepare(screen))
        rendered = screen.device.semaphore()
        signal_behind_work(rendered)
        presented.append(present(screen, rendered, has_fence=False))
    screen.device.vk.vkQueueWaitIdle(screen.device.queue.handle)  # before the semaphores may go

    answers, took = [one.result for one in presented], max(one.took for one in presented)
    assert not any(answer.is_error for answer in answers), f"{PRESENTS} presents behind work returned {answers}"
    assert took < patience.seconds(), f"of {PRESENTS} presents behind work one took {took:.1f} s"


@rule("SPEC-WSI-10", "SPEC-WSI-11")
@pytest.mark.parametrize("payload", ["own", "imported"])
@pytest.mark.parametrize("used", [False, True], ids=["new", "used-before"])
def test_a_present_fence_comes_after_the_wait(open_device, device_info, payload, used):
    """A present fence is signaled once the wait of the present is over, also where its semaphore was waited for before."""
    screen, opening = open_fenced_screen(open_device, device_info), cache(open_device)

    def arrange(factor):
        needs_image(prepare(screen))
        rendered = rendering = screen.device.semaphore()
        if payload == "imported":
            rendered, rendering, _ = sharing(screen.device, opening, payload)
        if used:
            signal(rendering)
            screen.device.queue.submit(waits=[rendered]).finishes()
        return signal_behind_work(rendering, factor), present(screen, rendered)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait for a present fence: {proof.value}"


@rule("SPEC-WSI-10")
@pytest.mark.parametrize("payload", ["own", "imported"])
def test_the_semaphore_of_a_present_may_go_with_its_fence(open_device, device_info, payload):
    """A semaphore is destroyed as soon as the present that waits for it has signaled its fence; its payload still works."""
    screen, ended = open_fenced_screen(open_device, device_info), []
    exporter = None if payload == "own" else exporting(screen.device)

    for _ in range(PRESENTS):
        waited = screen.device.semaphore(BINARY_OPAQUE)
        if exporter:
            waited.imports(exporter.exported())
        signal(exporter or waited)
        needs_image(prepare(screen))
        ended.append(present(screen, waited))
        if ended[-1].finishes():
            waited.destroy()

    stuck = [str(one) for one in ended if not one.finishes()]
    assert not stuck, f"{len(stuck)} of {PRESENTS} present fences did not signal: {stuck[0]}"


def exporting(device):
    """An exportable semaphore; `unsupported` where its payload is not shared by reference."""
    needs(device.info, BINARY_OPAQUE)
    return device.semaphore(BINARY_OPAQUE, export=True)
