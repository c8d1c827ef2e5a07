"""What a device that lists an extension has to offer: its commands, its requirements, its features and limits."""

import pytest

from fixtures.testbed.drivers import EXTENSION
from fixtures.testbed.instances import need
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import declined, unsupported
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queries import version_of
from suites.steps.timelines import greatest_step

VULKAN_1_0 = 1 << 22
TIMELINES = "VK_KHR_timeline_semaphore"

each_command = pytest.mark.parametrize("command", ["vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR"])


@rule("SPEC-REGISTRY-08", "SPEC-FUND-06")
@each_command
def test_an_enabled_extension_brings_its_commands(open_device, command):
    """vkGetDeviceProcAddr knows the commands of VK_KHR_external_semaphore_fd where it is enabled."""
    device = open_device(extensions=(EXTENSION,), features=())

    resolves = device.vk.vkGetDeviceProcAddr(device.handle, command)

    assert resolves, f"{EXTENSION} is enabled, but vkGetDeviceProcAddr returned NULL for {command}"


@rule("SPEC-REGISTRY-08", "SPEC-FUND-06")
@each_command
def test_without_the_extension_its_commands_are_null(open_device, command):
    """vkGetDeviceProcAddr returns NULL for the commands of an extension that is not enabled."""
    device = open_device(extensions=(), features=())

    resolves = device.vk.vkGetDeviceProcAddr(device.handle, command)

    assert not resolves, f"{EXTENSION} is not enabled, but vkGetDeviceProcAddr returned a pointer for {command}"


@rule("SPEC-REGISTRY-09")
@each_command
def test_an_available_extension_brings_its_commands_to_the_instance(open_instance, command):
    """vkGetInstanceProcAddr knows the commands as soon as a physical device offers the extension."""
    instance = open_instance()

    resolves = instance.commands.vkGetInstanceProcAddr(instance.handle, command)

    assert resolves, f"{EXTENSION} is offered, but vkGetInstanceProcAddr returned NULL for {command}"


@rule("SPEC-REGISTRY-10")
@pytest.mark.parametrize("extension", [EXTENSION, "VK_KHR_external_semaphore", TIMELINES])
def test_an_extension_in_the_list_can_be_enabled(device_info, open_instance, extension):
    """With Vulkan 1.1 every requirement of the extension is met, so vkCreateDevice with this extension alone succeeds."""
    if extension not in device_info.extensions:
        unsupported(f"the device does not list {extension}")
    instance = open_instance()

    answer, handle = instance.commands.vkCreateDevice(instance.physical, [extension], [(0, 1)], ())

    refused = answer == Result.ERROR_EXTENSION_NOT_PRESENT
    assert not refused, f"vkCreateDevice with {extension}, which the device lists, returned {answer}"
    if answer == Result.ERROR_TOO_MANY_OBJECTS:
        declined(f"the driver makes no further device: vkCreateDevice returned {answer}")
    need(answer, "vkCreateDevice", "SPEC-FUND-09")
    instance.commands.vkDestroyDevice(handle)


@rule("SPEC-REGISTRY-11")
@pytest.mark.parametrize("extension", [EXTENSION, "VK_KHR_external_semaphore"])
def test_an_instance_of_vulkan_1_0_does_not_show_the_extension(open_instance, extension):
    """No device lists the extension in an instance of Vulkan 1.0 without the instance extension that it requires."""
    vk = open_instance().commands  # chooses the driver; no instance of the suite's own can be Vulkan 1.0
    answer, instance = vk.vkCreateInstance(VULKAN_1_0)
    need(answer, "vkCreateInstance for Vulkan 1.0", "SPEC-FUND-09")
    _, physicals = vk.vkEnumeratePhysicalDevices(instance)

    lists = [vk.vkEnumerateDeviceExtensionProperties(physical)[1] for physical in physicals]

    vk.vkDestroyInstance(instance)
    listing = sum(extension in names for names in lists)
    assert not listing, f"{listing} of {len(lists)} devices list {extension} in an instance of Vulkan 1.0"


@rule("SPEC-HOST-12")
@pytest.mark.parametrize("structure", ["TimelineSemaphore", "Vulkan12"])
def test_timeline_semaphores_come_with_vulkan_1_2_or_their_extension(device, structure):
    """With Vulkan 1.2 or VK_KHR_timeline_semaphore the timelineSemaphore feature is supported, in the structure of either."""
    info = device.info
    if version_of(info) < (1, 2) and (structure == "Vulkan12" or TIMELINES not in info.extensions):
        unsupported(f"the device has neither Vulkan 1.2 nor {TIMELINES}")

    names = ("vkGetPhysicalDeviceFeatures2", "VkPhysicalDeviceFeatures2")
    found = device.vk.query_chain(device.instance.physical, *names, (f"VkPhysicalDevice{structure}Features",))

    offered = found[1].timelineSemaphore
    assert offered == 1, f"timelineSemaphore is {offered:#x} with Vulkan {info.api_version}"


@rule("SPEC-HOST-12")
def test_the_feature_is_enough_to_make_timelines(device_info, open_device):
    """With the timelineSemaphore feature enabled, vkCreateSemaphore makes timelines; from Vulkan 1.2 on without the extension."""
    if not device_info.timeline:
        unsupported("the device has no timeline semaphores")
    needed = () if version_of(device_info) >= (1, 2) else (TIMELINES,)

    timeline = open_device(extensions=needed, features=("timelineSemaphore",)).semaphore(TIMELINE)

    assert timeline.handle, "vkCreateSemaphore of a timeline returned VK_NULL_HANDLE"
    assert timeline.counter() == 0, f"the counter of a new timeline is {timeline.counter()}"


@rule("SPEC-HOST-11")
@pytest.mark.parametrize("structure", ["TimelineSemaphore", "Vulkan12"])
def test_a_timeline_may_be_far_ahead(device, timeline, structure):
    """maxTimelineSemaphoreValueDifference is 2^31 - 1 or more, in the extension's structure and in that of Vulkan 1.2."""
    if version_of(device.info) < (1, 2) and structure == "Vulkan12":
        unsupported("the device has no Vulkan 1.2")

    greatest = greatest_step(device, structure)

    assert greatest != 0xA5A5A5A5A5A5A5A5, "the driver did not write maxTimelineSemaphoreValueDifference"
    assert greatest >= 2**31 - 1, f"maxTimelineSemaphoreValueDifference is {greatest}"
