"""Swapchains on headless surfaces: one acquires images with a semaphore, and presents after a wait for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fixtures.testbed import bench, patience
from fixtures.testbed.devices import SURFACE, SWAPCHAIN, WANTED, Device, Semaphore
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.instances import instance_extensions, need
from fixtures.vulkan.journal import note
from fixtures.vulkan.outcomes import Broken, declined
from fixtures.vulkan.registry import Result

REJECTED = (Result.ERROR_OUT_OF_DATE_KHR, Result.ERROR_SURFACE_LOST_KHR)
"""What vkQueuePresentKHR returns where it shows nothing and waits all the same ("vkQueuePresentKHR")."""


@dataclass
class Screen:
    """A swapchain of `device`, whose first queue may present to it; `images` are those to draw on, by index."""

    device: Device
    surface: int
    swapchain: int
    images: list[int]
    acquired: list[int] = field(default_factory=list)
    is_alive: bool = True

    def acquire(self, semaphore: Semaphore) -> None:
        """vkAcquireNextImageKHR; `unsupported` where it returns no image, which no rule of this suite judges."""
        vk, limit = self.device.vk, patience.nanoseconds()
        answer, image = vk.vkAcquireNextImageKHR(self.device.handle, self.swapchain, limit, semaphore.handle)
        if answer not in (Result.SUCCESS, Result.SUBOPTIMAL_KHR):
            declined(f"vkAcquireNextImageKHR on a headless surface returned {answer}")
        self.acquired.append(image)

    def present(self, *waits: Semaphore) -> Result:
        """Make the image acquired last ready, and vkQueuePresentKHR it after a wait for each of `waits`."""
        self.make_ready(self.images[self.acquired[-1]])
        vk, image, handles = self.device.vk, self.acquired.pop(), tuple(one.handle for one in waits)
        answer: Result = vk.vkQueuePresentKHR(self.device.queue.handle, self.swapchain, image, handles)
        return answer

    def destroy(self) -> None:
        """vkDestroySwapchainKHR, here or when the device goes; nothing uses its images any more."""
        if self.is_alive:
            self.is_alive = False
            self.device.vk.vkDestroySwapchainKHR(self.device.handle, self.swapchain)

    def make_ready(self, image: int) -> None:
        """Bring an image into the layout for presenting, by a batch that has ended when this returns."""
        vk, device = self.device.vk, self.device
        answer, pool = vk.vkCreateCommandPool(device.handle, device.queue.family)
        need(answer, "vkCreateCommandPool", "SPEC-FUND-09")
        device.later(vk.vkDestroyCommandPool, device.handle, pool)
        answer, command = vk.vkAllocateCommandBuffer(device.handle, pool)
        need(answer, "vkAllocateCommandBuffers", "SPEC-FUND-09")
        need(vk.vkBeginCommandBuffer(command), "vkBeginCommandBuffer", "SPEC-FUND-09")
        vk.vkCmdPipelineBarrierToPresent(command, image)
        need(vk.vkEndCommandBuffer(command), "vkEndCommandBuffer", "SPEC-FUND-09")
        ready = device.queue.submit(commands=[command])
        if not ready.finishes():
            raise Broken(f"a batch that makes an image ready did not end: {ready} (SPEC-STATE-09)")


def open_screen(open_device: Callable[..., Device], info: DeviceInfo) -> Screen:
    """A swapchain on a device of its own; `unsupported` where the driver offers no headless surface to make it on."""
    missing = [name for name in SURFACE if name not in instance_extensions(bench.commands(), info)]
    missing += [SWAPCHAIN] * (SWAPCHAIN not in info.extensions)
    if missing:
        declined(f"no {' and no '.join(missing)}: there is no swapchain to acquire from")
    device = open_device(extensions=(*WANTED, SWAPCHAIN), instance_extensions=SURFACE)
    return _screen(device, _surface(device))


def another_screen(screen: Screen) -> Screen:
    """A swapchain of the same device on a surface of its own."""
    return _screen(screen.device, _surface(screen.device))


def replaced(screen: Screen) -> Screen:
    """A swapchain on the same surface, made with the old one as oldSwapchain; images of that are presented, not acquired."""
    note("oldSwapchain", screen.swapchain)  # no C program repeats it
    return _screen(screen.device, screen.surface, screen.swapchain)


def _surface(device: Device) -> int:
    vk, instance = device.vk, device.instance
    answer, surface = vk.vkCreateHeadlessSurfaceEXT(instance.handle)
    _have(answer, "vkCreateHeadlessSurfaceEXT")
    device.until_closed(vk.vkDestroySurfaceKHR, instance.handle, surface)
    answer, presents = vk.vkGetPhysicalDeviceSurfaceSupportKHR(instance.physical, device.queue.family, surface)
    if not (answer.is_success and presents):
        declined("the first queue cannot present to a headless surface")
    return int(surface)


def _screen(device: Device, surface: int, old: int = 0) -> Screen:
    vk = device.vk
    answer, swapchain = vk.vkCreateSwapchainKHR(device.instance.physical, device.handle, surface, *[old] * bool(old))
    _have(answer, "vkCreateSwapchainKHR")
    made = Screen(device, surface, swapchain, [])
    device.until_closed(made.destroy)
    answer, made.images = vk.vkGetSwapchainImagesKHR(device.handle, swapchain)
    _have(answer, "vkGetSwapchainImagesKHR")
    return made


def _have(answer: Result, command: str) -> None:
    if not answer.is_success:
        declined(f"{command} returned {answer}: there is no swapchain to acquire from")
