"""vkGetPhysicalDeviceExternalSemaphoreProperties and VkPhysicalDeviceIDProperties, as values."""

from typing import NamedTuple

import pytest

from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import Device
from fixtures.testbed.drivers import DeviceInfo
from fixtures.testbed.instances import Instance
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import ENUMS, HandleType, SemaphoreType

VULKAN_1_1 = 1 << 22 | 1 << 12
CORE_TYPES = (0x1, 0x2, 0x4, 0x8, 0x10)
"""The handle types of Vulkan 1.1, valid in a query on every device ("Valid Usage for Enumerated Types")."""

KNOWN_TYPES = sum(ENUMS["VkExternalSemaphoreHandleTypeFlagBits"].values())
KNOWN_FEATURES = sum(ENUMS["VkExternalSemaphoreFeatureFlagBits"].values())
NEVER_WRITTEN = 0xA5A5A5A5
"""What a 32-bit member holds before the query (`query_chain`)."""

each_type = pytest.mark.parametrize("semaphore_type", [None, *SemaphoreType], ids=["no-type", "binary", "timeline"])
"""The semaphore type that is chained to a query, if one is."""

each_handle_type = pytest.mark.parametrize("handle_type", CORE_TYPES, ids=hex)


class Claim(NamedTuple):
    """The members of VkExternalSemaphoreProperties."""

    features: int
    compatible: int
    from_imported: int

    def __str__(self) -> str:
        return f"features {self.features:#x}, compatible {self.compatible:#x}, from imported {self.from_imported:#x}"


def version_of(info: DeviceInfo) -> tuple[int, int]:
    """(major, minor) of the device's apiVersion."""
    major, minor, _ = info.api_version.split(".")
    return int(major), int(minor)


def has_types(info: DeviceInfo) -> bool:
    """Whether VkSemaphoreTypeCreateInfo may be chained: Vulkan 1.2 or VK_KHR_timeline_semaphore."""
    return version_of(info) >= (1, 2) or "VK_KHR_timeline_semaphore" in info.extensions


def needs_type(info: DeviceInfo, semaphore_type: SemaphoreType | None) -> None:
    """`unsupported` where a query of this semaphore type is not valid."""
    if semaphore_type is not None and not has_types(info):
        unsupported("the device has neither Vulkan 1.2 nor VK_KHR_timeline_semaphore")
    if semaphore_type == SemaphoreType.TIMELINE and not info.timeline:
        unsupported("the device has no timeline semaphores")


def ask(instance: Instance, handle_type: int, semaphore_type: SemaphoreType | None = None) -> Claim:
    """What the device of `instance` claims; a member that the driver did not write is NEVER_WRITTEN."""
    query = instance.commands.vkGetPhysicalDeviceExternalSemaphoreProperties
    return Claim(*query(instance.physical, handle_type, None if semaphore_type is None else int(semaphore_type)))


def ask_all(instance: Instance, backwards: bool = False) -> dict[str, Claim]:
    """The claims for each pair of core handle type and semaphore type, by name; the queries about timelines come last.

    With `backwards` they come first.
    """
    types = [None, *([SemaphoreType.BINARY] if has_types(instance.info) else [])]
    types += [SemaphoreType.TIMELINE] if instance.info.timeline else []
    order = types[::-1] if backwards else types
    return {f"{one:#x} of {kind or 'no type'}": ask(instance, one, kind) for kind in order for one in CORE_TYPES}


def needs(info: DeviceInfo, kind: Kind, features: int = EXPORTABLE | IMPORTABLE) -> None:
    """`unsupported` unless the device claims all `features` of `kind`."""
    if reason := unclaimed(kind, info, features):
        unsupported(reason)


def needs_pair(device: Device, semaphore_type: SemaphoreType, one: HandleType, other: HandleType) -> None:
    """`unsupported` unless the handle types may be requested together: exportable, and each names the other."""
    for first, second in ((one, other), (other, one)):
        needs(device.info, Kind(first, semaphore_type), EXPORTABLE)
        if first != second and not ask(device.instance, first, semaphore_type).compatible & second:
            unsupported(f"{first} does not name {second} as compatible")


def needs_path(device: Device, imported: HandleType, exported: HandleType) -> None:
    """`unsupported` unless a binary payload that was imported as one handle type exports as the other."""
    needs_pair(device, SemaphoreType.BINARY, imported, exported)
    if not ask(device.instance, exported, SemaphoreType.BINARY).from_imported & imported:
        unsupported(f"the device does not claim to export {exported} from an imported {imported}")


def changes(before: dict[str, Claim], after: dict[str, Claim]) -> str:
    """The claims that differ, as text; empty if none does."""
    return "; ".join(f"{what}: {before[what]}, then {after[what]}" for what in before if before[what] != after[what])


def has_maintenance5(instance: Instance) -> bool:
    """Whether the device offers VK_KHR_maintenance5 and supports the maintenance5 feature."""
    if "VK_KHR_maintenance5" not in instance.info.extensions:
        return False
    chain = ("VkPhysicalDeviceMaintenance5FeaturesKHR",)
    vk, name = instance.commands, "vkGetPhysicalDeviceFeatures2"
    found = vk.query_chain(instance.physical, name, "VkPhysicalDeviceFeatures2", chain)
    return bool(found[1].maintenance5 == 1)


class Identity(NamedTuple):
    """The members of VkPhysicalDeviceIDProperties; LUID and node mask are undefined unless `luid_valid`."""

    device: str
    driver: str
    luid_valid: int
    luid: str
    node_mask: int


def identity(instance: Instance, physical: int, chained: str = "VkPhysicalDeviceIDProperties") -> Identity:
    """The identity of a physical device, from VkPhysicalDeviceIDProperties or VkPhysicalDeviceVulkan11Properties."""
    vk, name = instance.commands, "vkGetPhysicalDeviceProperties2"
    found = vk.query_chain(physical, name, "VkPhysicalDeviceProperties2", (chained,))[1]
    uuids = bytes(found.deviceUUID).hex(), bytes(found.driverUUID).hex()
    return Identity(*uuids, int(found.deviceLUIDValid), bytes(found.deviceLUID).hex(), int(found.deviceNodeMask))


def identities(instance: Instance) -> list[Identity]:
    """The identities of the driver's physical devices of Vulkan 1.1 or newer, sorted, as their order may differ between calls."""
    _, physicals = instance.commands.vkEnumeratePhysicalDevices(instance.handle)
    return sorted(identity(instance, physical) for physical in instance.of_vulkan_1_1(physicals))
