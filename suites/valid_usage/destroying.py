"""Destroying: whose a semaphore is, who still uses it, which allocator it came from."""

from collections.abc import Callable

from fixtures.testbed.devices import Device
from fixtures.vulkan.outcomes import warn
from suites.valid_usage.allocators import blocks_of_objects, create_by, destroy_by
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import second, submitted


def destroy(device: Device, handle: int) -> None:
    """vkDestroySemaphore."""
    device.vk.vkDestroySemaphore(device.handle, handle)


def destroy_of_another(device: Device) -> None:
    """A semaphore through a device that is not its own."""
    destroy(device, second(device).semaphore().handle)


def destroy_pending(device: Device) -> None:
    """A semaphore whose signal nobody has seen the end of."""
    semaphore = device.semaphore()
    device.queue.submit(signals=[semaphore])
    destroy(device, semaphore.handle)


def destroy_done(device: Device) -> None:
    """A semaphore whose signal is done."""
    semaphore = device.semaphore()
    submitted(device.queue, signals=[semaphore])
    semaphore.destroy()


def close_early(device: Device) -> None:
    """A device that still has a semaphore; the loader forgets the device, though the layer keeps it."""
    other = Device(device.instance)
    other.semaphore()
    other.vk.vkDestroyDevice(other.handle)


def close_late(device: Device) -> None:
    """A device whose semaphores are gone."""
    other = Device(device.instance)
    other.semaphore()
    other.close()


def allocated(by: bool, destroyed_by: bool) -> Callable[[Device], None]:
    """A semaphore made with an allocator or without, and destroyed with it or without; what stays allocated is a warning."""

    def both(device: Device) -> None:
        before = blocks_of_objects(device.vk.ffi)
        destroy_by(device, create_by(device, by), destroyed_by)
        left = blocks_of_objects(device.vk.ffi) - before
        if by == destroyed_by and left:
            warn(f"vkDestroySemaphore left {left} blocks of the application's allocator that were the semaphore's")

    return both


CASES = [
    Case("VUID-vkDestroySemaphore-semaphore-parent", destroy_of_another, lambda device: device.semaphore().destroy()),
    Case("VUID-vkDestroySemaphore-semaphore-05149", destroy_pending, destroy_done),
    Case("VUID-vkDestroySemaphore-semaphore-01138", allocated(True, False), allocated(True, True)),
    Case("VUID-vkDestroySemaphore-semaphore-01139", allocated(False, True), allocated(False, False)),
    Case("VUID-vkDestroyDevice-device-05137", close_early, close_late),
]
