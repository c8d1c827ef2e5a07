"""Creating semaphores: what may be asked of which device."""

from collections.abc import Callable
from typing import Any

from fixtures.testbed.devices import Device
from fixtures.testbed.instances import need
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import STRUCTURE_TYPES, HandleType, Result, result
from suites.valid_usage.calls import need_claims, need_structures, need_timelines, timeline
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import created, second

BINARY, TIMELINE = {"semaphore_type": 0}, {"semaphore_type": 1}


def create_timeline(device: Device) -> Result:
    """A timeline where the feature is on."""
    timeline(device)
    return created(device, **TIMELINE)


def create_exportable(device: Device) -> Result:
    """A semaphore to export as what the device claims."""
    kind = BINARY_OPAQUE if device.info.features(BINARY_OPAQUE) else BINARY_SYNC
    need_claims(device, kind)
    return created(device, export=kind.handle_type)


def create_without_queues(device: Device) -> Result:
    """A semaphore on a device that has no queues, which maintenance9 allows."""
    vk = device.vk
    feature = vk.new(
        "VkPhysicalDeviceTimelineSemaphoreFeatures", timelineSemaphore=1
    )  # one flag, as the one that is meant
    feature.sType = STRUCTURE_TYPES["VkPhysicalDeviceMaintenance9FeaturesKHR"]
    names, _kept = vk.texts(["VK_KHR_maintenance9"])
    info = vk.new("VkDeviceCreateInfo", feature, enabledExtensionCount=1, ppEnabledExtensionNames=names)
    made = vk.ffi.new("VkDevice *")
    create = vk.of_physical(device.instance.physical, "vkCreateDevice")
    answer = create(vk.handle("VkPhysicalDevice", device.instance.physical), info, vk.ffi.NULL, made)
    if Result(answer) == Result.ERROR_VALIDATION_FAILED:
        unsupported("the layer stops the making of a device without queues: it does not know VK_KHR_maintenance9")
    need(Result(answer), "vkCreateDevice", "SPEC-FUND-09")
    bare = vk.number(made[0])
    device.later(vk.vkDestroyDevice, bare)
    return vk.vkCreateSemaphore(bare)[0]


def device_with(*extensions: str) -> Callable[[Device], Result]:
    """A device with these extensions."""

    def create(device: Device) -> Result:
        vk = device.vk
        answer, made = vk.vkCreateDevice(device.instance.physical, extensions, [(device.queue.family, 1)])
        if answer.is_success:
            device.later(vk.vkDestroyDevice, made)
        return answer

    return create


def _create_device(device: Device, info: Any) -> Result:
    vk, made = device.vk, device.vk.ffi.new("VkDevice *")
    create = vk.of_physical(device.instance.physical, "vkCreateDevice")
    answer = result(int(create(vk.handle("VkPhysicalDevice", device.instance.physical), info, vk.ffi.NULL, made)))
    if answer.is_success:
        device.later(vk.vkDestroyDevice, vk.number(made[0]))
    return answer


def device_with_features(*structures: str) -> Callable[[Device], Result]:
    """A device of Vulkan 1.2 with timelines, asked for by each of these structures."""

    def create(device: Device) -> Result:
        need_structures(device)
        need_timelines(device)
        if [int(part) for part in device.info.api_version.split(".")] < [1, 2]:
            unsupported(f"the device is one of Vulkan {device.info.api_version}")
        vk, chain = device.vk, [None]
        for name in structures:
            chain.append(vk.new(name, chain[-1], timelineSemaphore=1))
        priorities = vk.ffi.new("float[]", [1.0])
        queue = vk.new("VkDeviceQueueCreateInfo", queueFamilyIndex=device.queue.family, queueCount=1)
        queue.pQueuePriorities = priorities
        return _create_device(
            device, vk.new("VkDeviceCreateInfo", chain[-1], queueCreateInfoCount=1, pQueueCreateInfos=queue)
        )

    return create


CASES = [
    Case(
        "VUID-VkSemaphoreTypeCreateInfo-timelineSemaphore-03252",
        lambda device: created(second(device, features=()), **TIMELINE),
        create_timeline,
    ),
    Case(
        "VUID-VkSemaphoreTypeCreateInfo-semaphoreType-03279",
        lambda device: created(device, **BINARY, initial_value=1),
        lambda device: created(device, **BINARY, initial_value=0),
    ),
    Case(
        "VUID-VkExportSemaphoreCreateInfo-handleTypes-01124",
        lambda device: created(device, export=HandleType.D3D12_FENCE),
        create_exportable,
        breach_over="driver",
    ),
    Case(  # from Vulkan 1.1 on nothing that VK_KHR_external_semaphore_fd needs can be missing: another extension shows it
        "VUID-vkCreateDevice-ppEnabledExtensionNames-01387",
        device_with("VK_KHR_external_semaphore_fd", "VK_KHR_swapchain_mutable_format"),
        device_with("VK_KHR_external_semaphore_fd"),
    ),
    Case(
        "VUID-VkDeviceCreateInfo-pNext-02830",
        device_with_features("VkPhysicalDeviceVulkan12Features", "VkPhysicalDeviceTimelineSemaphoreFeatures"),
        device_with_features("VkPhysicalDeviceVulkan12Features"),
        command="VkPhysicalDeviceTimelineSemaphoreFeatures",
    ),
    Case("VUID-vkCreateSemaphore-device-queuecount", create_without_queues, created),
]
