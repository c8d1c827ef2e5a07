"""What an acquire returns; presents of several swapchains, or with a fence (VK_EXT_swapchain_maintenance1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from fixtures.testbed import bench, patience
from fixtures.testbed.devices import Device, Queue, Semaphore, Submission
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.instances import instance_extensions
from fixtures.testbed.kinds import BINARY_OPAQUE
from fixtures.vulkan.journal import note
from fixtures.vulkan.outcomes import declined
from fixtures.vulkan.registry import Result
from suites.steps.queries import needs
from suites.steps.queues import second_queue
from suites.steps.screens import Screen, open_screen

CAPABILITIES = "VK_KHR_get_surface_capabilities2"
MAINTENANCE = {
    "VK_EXT_swapchain_maintenance1": ("VK_EXT_surface_maintenance1", CAPABILITIES),
    "VK_KHR_swapchain_maintenance1": ("VK_KHR_surface_maintenance1", CAPABILITIES),
}
"""The extensions that bring present fences, each with the instance extensions that it needs."""

FEATURE = "swapchainMaintenance1"
IMAGE = (Result.SUCCESS, Result.SUBOPTIMAL_KHR)
"""What an acquire returns with an image."""


def acquire(screen: Screen, semaphore: Semaphore | None, fence: int = 0, seconds: float | None = None) -> Result:
    """vkAcquireNextImageKHR within `seconds` (default: `patience.WAIT`); an image that comes is in `screen.acquired`."""
    vk, limit = screen.device.vk, patience.nanoseconds() if seconds is None else int(seconds * 1e9)
    handle = semaphore.handle if semaphore else 0
    answer, image = vk.vkAcquireNextImageKHR(screen.device.handle, screen.swapchain, limit, handle, fence)
    if answer in IMAGE:
        screen.acquired.append(image)
    return answer


def needs_image(answer: Result) -> None:
    """`unsupported` where an acquire returned no image."""
    if answer not in IMAGE:
        declined(f"vkAcquireNextImageKHR on a headless surface returned {answer}")


def acquire_nothing(screen: Screen, semaphore: Semaphore | None, fence: int = 0) -> None:
    """Acquire where no image is left, without waiting; `unsupported` where one comes after all."""
    before = len(screen.acquired)
    answer = acquire(screen, semaphore, fence, seconds=0)
    if len(screen.acquired) > before:
        declined(f"all images had been acquired, but vkAcquireNextImageKHR returned {answer} and another one")


def acquire_all(screen: Screen) -> None:
    """Acquire images until there is none; `unsupported` where the driver keeps on returning some."""
    for _ in range(len(screen.images) + 1):
        if acquire(screen, screen.device.semaphore(), seconds=0) == Result.NOT_READY:
            return
    declined(f"of a swapchain with {len(screen.images)} images more than these can be acquired")


def open_fenced_screen(open_device: Callable[..., Device], info: DeviceInfo) -> Screen:
    """A screen whose presents take a fence; `unsupported` where the driver offers none."""
    there = {*info.extensions, *instance_extensions(bench.commands(), info)}
    offered = [one for one, needed in MAINTENANCE.items() if {one, *needed} <= there]
    if not offered:
        declined("the device has no swapchain maintenance: presents take no fence")
    features = ["timelineSemaphore"] * info.timeline + ["synchronization2"] * info.synchronization2 + [FEATURE]

    def opening(extensions: tuple[str, ...], instance_extensions: tuple[str, ...]) -> Any:
        return open_device(
            extensions=(*extensions, offered[0]),
            instance_extensions=(*instance_extensions, *MAINTENANCE[offered[0]]),
            features=tuple(features),
        )

    return open_screen(opening, info)


def prepare(screen: Screen, seconds: float | None = None) -> Result:
    """`acquire` an image and make it ready to be presented; what the acquire returned."""
    acquired = screen.device.semaphore()
    answer = acquire(screen, acquired, seconds=seconds)
    if answer in IMAGE:
        screen.device.queue.submit(waits=[acquired])
        screen.make_ready(screen.images[screen.acquired[-1]])
    return answer


def present(screen: Screen, wait: Semaphore, has_fence: bool = True) -> Submission:
    """Present the prepared image after a wait for `wait`; returns that, with the present fence (0 if it has none)."""
    device, image = screen.device, screen.acquired.pop()
    fence = device.fence() if has_fence else 0
    if has_fence:
        note("present_fence", fence)  # no C program repeats it
    start = time.perf_counter()
    answer = device.vk.vkQueuePresentKHR(
        device.queue.handle, screen.swapchain, image, (wait.handle,), *[fence] * has_fence
    )
    made = Submission(device, "vkQueuePresentKHR", answer, fence, took=time.perf_counter() - start)
    device.submissions += [made] * has_fence
    return made


def show(screens: Sequence[Screen], waits: Sequence[Semaphore]) -> Result:
    """vkQueuePresentKHR of the prepared image of each screen, all of one device, after a wait for each semaphore."""
    device, (first, *others) = screens[0].device, [(one.swapchain, one.acquired.pop()) for one in screens]
    if others:
        note("swapchains", len(screens))  # no C program repeats it
    more = (0, tuple(others)) if others else ()
    answer: Result = device.vk.vkQueuePresentKHR(device.queue.handle, *first, tuple(one.handle for one in waits), *more)
    return answer


def sharing(device: Device, open_device: Callable[..., Device], payload: str) -> tuple[Semaphore, Semaphore, Queue]:
    """A semaphore to acquire with, one that shares its payload, and the queue to wait on beside that one's work."""
    if payload == "own":
        semaphore = device.semaphore()
        return semaphore, semaphore, second_queue(device)
    needs(device.info, BINARY_OPAQUE)
    other = open_device()
    exporting, importing = (device, other) if payload == "exported" else (other, device)
    exporter = exporting.semaphore(BINARY_OPAQUE, export=True)
    importer = importing.semaphore(BINARY_OPAQUE).imports(exporter.exported())
    return *((exporter, importer) if payload == "exported" else (importer, exporter)), device.queue
