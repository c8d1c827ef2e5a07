"""A swapchain on a headless surface: it acquires images with a semaphore, and presents after a wait for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fixtures.testbed import bench, patience
from fixtures.testbed.devices import SURFACE, SWAPCHAIN, WANTED, Device, Semaphore
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.instances import instance_extensions, need
from fixtures.vulkan.outcomes import Broken, unsupported
from fixtures.vulkan.registry import Result


@dataclass
class Screen:
    """A swapchain of `device`, whose first queue may present to it; `images` are those to draw on, by index."""

    device: Device
    swapchain: int
    images: list[int]
    acquired: list[int] = field(default_factory=list)

    def acquire(self, semaphore: Semaphore) -> None:
        """vkAcquireNextImageKHR; `unsupported` where it returns no image, which no rule of this suite judges."""
        vk, limit = self.device.vk, patience.nanoseconds()
        answer, image = vk.vkAcquireNextImageKHR(self.device.handle, self.swapchain, limit, semaphore.handle)
        if answer not in (Result.SUCCESS, Result.SUBOPTIMAL_KHR):
            unsupported(f"vkAcquireNextImageKHR on a headless surface returned {answer}")
        self.acquired.append(image)

    def present(self, wait: Semaphore) -> Result:
        """Make the image acquired last ready, and vkQueuePresentKHR it after a wait for `wait`."""
        self.make_ready(self.images[self.acquired[-1]])
        vk, image = self.device.vk, self.acquired.pop()
        answer: Result = vk.vkQueuePresentKHR(self.device.queue.handle, self.swapchain, image, (wait.handle,))
        return answer

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
        unsupported(f"no {' and no '.join(missing)}: there is no swapchain to acquire from")
    device = open_device(extensions=(*WANTED, SWAPCHAIN), instance_extensions=SURFACE)
    vk, instance = device.vk, device.instance
    answer, surface = vk.vkCreateHeadlessSurfaceEXT(instance.handle)
    _have(answer, "vkCreateHeadlessSurfaceEXT")
    device.until_closed(vk.vkDestroySurfaceKHR, instance.handle, surface)
    answer, presents = vk.vkGetPhysicalDeviceSurfaceSupportKHR(instance.physical, device.queue.family, surface)
    if not (answer.is_success and presents):
        unsupported("the first queue cannot present to a headless surface")
    answer, swapchain = vk.vkCreateSwapchainKHR(instance.physical, device.handle, surface)
    _have(answer, "vkCreateSwapchainKHR")
    device.until_closed(vk.vkDestroySwapchainKHR, device.handle, swapchain)
    answer, images = vk.vkGetSwapchainImagesKHR(device.handle, swapchain)
    _have(answer, "vkGetSwapchainImagesKHR")
    return Screen(device, swapchain, images)


def _have(answer: Result, command: str) -> None:
    if not answer.is_success:
        unsupported(f"{command} returned {answer}: there is no swapchain to acquire from")
