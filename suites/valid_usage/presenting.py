"""Acquiring and presenting: a semaphore that is binary, idle, and in the right state."""

from collections.abc import Callable
from dataclasses import dataclass

from fixtures.testbed import bench, patience
from fixtures.testbed.devices import SURFACE, SWAPCHAIN, WANTED, Device, Semaphore, Submission
from fixtures.testbed.drivers import REFERENCE
from fixtures.testbed.instances import instance_extensions
from fixtures.vulkan.native import Batch
from fixtures.vulkan.outcomes import declined, unsupported
from fixtures.vulkan.registry import Result, result
from suites.valid_usage.calls import timeline
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import destroyed, ended, second, submitted, two_queues

NOTHING_TO_SHOW = (
    Result.TIMEOUT,
    Result.NOT_READY,
    Result.ERROR_OUT_OF_DATE_KHR,
    Result.ERROR_SURFACE_LOST_KHR,
)
"""Listed results that no rule of this suite judges."""


def screened(device: Device) -> Device:
    """The device, if surfaces and swapchains are enabled on it, else one like it with them."""
    if device.info.manifest == REFERENCE or SWAPCHAIN not in device.info.extensions:
        unsupported("the device has no swapchains")
    if missing := [name for name in SURFACE if name not in instance_extensions(device.vk, device.info)]:
        declined(f"no {' and no '.join(missing)}: there is no swapchain to acquire from")
    if device.vk.vkGetDeviceProcAddr(device.handle, "vkCreateSwapchainKHR"):
        return device
    made = bench.borrow_device(device.info, extensions=(*WANTED, SWAPCHAIN), instance_extensions=SURFACE)
    device.later(bench.return_device, made)
    return made


def make_swapchain(device: Device) -> int:
    """A swapchain on a headless surface; both live as long as the test."""
    vk, instance = device.vk, device.instance
    answer, surface = vk.vkCreateHeadlessSurfaceEXT(instance.handle)
    _have(answer)
    device.later(vk.vkDestroySurfaceKHR, instance.handle, surface)
    answer, presents = vk.vkGetPhysicalDeviceSurfaceSupportKHR(instance.physical, device.queue.family, surface)
    _have(answer)
    if not presents:
        declined("the first queue cannot present to a headless surface")
    answer, swapchain = vk.vkCreateSwapchainKHR(instance.physical, device.handle, surface)
    _have(answer)
    device.later(vk.vkDestroySwapchainKHR, device.handle, swapchain)
    device.later(vk.vkQueueWaitIdle, device.queue.handle)
    return swapchain


def _have(answer: Result) -> None:
    if not answer.is_success:
        declined(f"a swapchain on a headless surface: {answer}")


def reached(answer: Result, command: str) -> Result:
    """What acquiring or presenting came to; SUBOPTIMAL_KHR is success, `unsupported` where there is no image or surface."""
    if answer in NOTHING_TO_SHOW:
        declined(f"{command} on a headless surface returned {answer}")
    return Result.SUCCESS if answer == Result.SUBOPTIMAL_KHR else answer


@dataclass(frozen=True)
class Acquire:
    """Acquires an image by vkAcquireNextImageKHR, or by vkAcquireNextImage2KHR."""

    second: bool

    def by(self, device: Device, semaphore: int, swapchain: int, fence: int = 0) -> tuple[Result, int]:
        """The result and the image's index; a wait for the semaphore, if there is one, follows where it succeeds."""
        vk = device.vk
        if not self.second:
            answer, image = vk.vkAcquireNextImageKHR(device.handle, swapchain, patience.nanoseconds(), semaphore, fence)
        else:
            info = vk.new("VkAcquireNextImageInfoKHR", deviceMask=1, timeout=patience.nanoseconds())
            info.swapchain, info.fence = vk.handle("VkSwapchainKHR", swapchain), vk.handle("VkFence", fence)
            info.semaphore, found = vk.handle("VkSemaphore", semaphore), vk.ffi.new("uint32_t *")
            call = vk.of_device(device.handle, "vkAcquireNextImage2KHR")
            answer = result(int(call(vk.handle("VkDevice", device.handle), info, found)))
            image = found[0]
        answer = reached(answer, "vkAcquireNextImage2KHR" if self.second else "vkAcquireNextImageKHR")
        if semaphore and answer.is_success:
            device.queue.submit_batches([Batch(waits=(semaphore,))])
        return answer, image

    def fresh(self, device: Device) -> Result:
        """With a new semaphore."""
        device = screened(device)
        return self.by(device, device.semaphore().handle, make_swapchain(device))[0]

    def signaled(self, device: Device) -> Result:
        """With a signaled one."""
        device = screened(device)
        return self.by(device, signaled(device).handle, make_swapchain(device))[0]

    def busy(self, device: Device) -> Result:
        """With one that is waited for, and nobody has seen the end of that."""
        device = screened(device)
        semaphore, swapchain = signaled(device), make_swapchain(device)
        device.queue.submit(waits=[semaphore])
        return self.by(device, semaphore.handle, swapchain)[0]

    def of_timeline(self, device: Device) -> Result:
        """With a timeline."""
        device = screened(device)
        return self.by(device, timeline(device).handle, make_swapchain(device))[0]

    def destroyed(self, device: Device) -> Result:
        """With a semaphore that is destroyed."""
        device = screened(device)
        return self.by(device, destroyed(device), make_swapchain(device))[0]

    def of_another(self, device: Device) -> Result:
        """With a semaphore of another device."""
        device = screened(device)
        return self.by(device, second(device).semaphore().handle, make_swapchain(device))[0]

    def unnoticed(self, device: Device) -> Result:
        """With neither semaphore nor fence."""
        device = screened(device)
        return self.by(device, 0, make_swapchain(device))[0]

    def with_fence(self, device: Device) -> Result:
        """With a fence alone, which is waited for."""
        device = screened(device)
        fence = device.fence()
        answer = self.by(device, 0, make_swapchain(device), fence)[0]
        return answer if answer.is_error else ended(Submission(device, "vkAcquireNextImageKHR", answer, fence))


FIRST, SECOND = Acquire(second=False), Acquire(second=True)


def present_behind(prepare: Callable[[Device], Semaphore | int]) -> Callable[[Device], Result]:
    """An image presented behind a semaphore, which `prepare` makes; its handle alone is enough."""

    def present(device: Device) -> Result:
        device = screened(device)
        swapchain = make_swapchain(device)
        _, images = device.vk.vkGetSwapchainImagesKHR(device.handle, swapchain)
        answer, image = FIRST.by(device, device.semaphore().handle, swapchain)
        if answer.is_error:
            declined(f"vkAcquireNextImageKHR on a headless surface returned {answer}")
        make_presentable(device, images[image])
        semaphore = prepare(device)
        handle = semaphore if isinstance(semaphore, int) else semaphore.handle
        answer = device.vk.vkQueuePresentKHR(device.queue.handle, swapchain, image, (handle,))
        return reached(answer, "vkQueuePresentKHR")

    return present


def make_presentable(device: Device, image: int) -> None:
    """Bring the image into the layout that presenting asks for."""
    vk = device.vk
    pool = vk.vkCreateCommandPool(device.handle, device.queue.family)[1]
    device.later(vk.vkDestroyCommandPool, device.handle, pool)
    command = vk.vkAllocateCommandBuffer(device.handle, pool)[1]
    vk.vkBeginCommandBuffer(command)
    vk.vkCmdPipelineBarrierToPresent(command, image)
    vk.vkEndCommandBuffer(command)
    ended(device.queue.submit(commands=[command]))


def signaled(device: Device) -> Semaphore:
    """A binary semaphore whose signal is submitted."""
    semaphore = device.semaphore()
    submitted(device.queue, signals=[semaphore])
    return semaphore


def waited_for(device: Device) -> Semaphore:
    """A binary semaphore for which another queue waits."""
    one, other = two_queues(device)
    semaphore = device.semaphore()
    one.submit(signals=[semaphore])
    other.submit(waits=[semaphore])
    return semaphore


CASES = [
    Case("VUID-vkAcquireNextImageKHR-semaphore-01286", FIRST.signaled, FIRST.fresh),
    Case("VUID-vkAcquireNextImageKHR-semaphore-01779", FIRST.busy, FIRST.fresh),
    Case("VUID-vkAcquireNextImageKHR-semaphore-03265", FIRST.of_timeline, FIRST.fresh),
    Case("VUID-VkAcquireNextImageInfoKHR-semaphore-01288", SECOND.signaled, SECOND.fresh),
    Case("VUID-VkAcquireNextImageInfoKHR-semaphore-01781", SECOND.busy, SECOND.fresh),
    Case("VUID-VkAcquireNextImageInfoKHR-semaphore-03266", SECOND.of_timeline, SECOND.fresh),
    *(
        case
        for acquire, prefix, parent, neither in (
            (FIRST, "VUID-vkAcquireNextImageKHR-", "semaphore-parent", "semaphore-01780"),
            (SECOND, "VUID-VkAcquireNextImageInfoKHR-", "commonparent", "semaphore-01782"),
        )
        for case in (
            Case(f"{prefix}semaphore-parameter", acquire.destroyed, acquire.fresh),
            Case(prefix + parent, acquire.of_another, acquire.fresh),
            Case(prefix + neither, acquire.unnoticed, acquire.with_fence),
        )
    ),
    Case("VUID-vkQueuePresentKHR-pWaitSemaphores-01294", present_behind(waited_for), present_behind(signaled)),
    Case("VUID-vkQueuePresentKHR-pWaitSemaphores-03267", present_behind(timeline), present_behind(signaled)),
    Case(
        "VUID-vkQueuePresentKHR-pWaitSemaphores-03268",
        present_behind(lambda device: device.semaphore()),
        present_behind(signaled),
    ),
    Case("VUID-VkPresentInfoKHR-pWaitSemaphores-parameter", present_behind(destroyed), present_behind(signaled)),
    Case(
        "VUID-VkPresentInfoKHR-commonparent",
        present_behind(lambda device: second(device).semaphore()),
        present_behind(signaled),
    ),
]
