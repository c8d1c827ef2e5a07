"""The UUIDs of a device, which decide with which devices it can share payloads (VkPhysicalDeviceIDProperties)."""

from collections import Counter
from pathlib import Path

import pytest

from fixtures.testbed.drivers import API_VERSION
from fixtures.vulkan.outcomes import Broken, declined, unsupported
from suites.capabilities.other_process import identities_there
from suites.ledger import rule
from suites.steps.queries import VULKAN_1_1, identities, identity, version_of

VERSIONS = {"instance": API_VERSION, "instance-of-1.1": VULKAN_1_1}


@pytest.fixture(params=[*VERSIONS, "process"])
def elsewhere(request, device_info, open_instance, processes):
    """The identities of the driver's devices in another instance, or in another process."""
    if request.param in VERSIONS:
        return identities(open_instance(version=VERSIONS[request.param]))
    ending = processes.run(identities_there, device_info)
    if ending.how != "returned":
        raise Broken(f"another process could not query the driver's devices (SPEC-UUID-01): {ending}")
    return ending.value


def compared(device, elsewhere):
    """The identities here and elsewhere, as lists; where the driver shows more or fewer devices there, of this device alone."""
    here = identities(device.instance)
    if len(here) == len(elsewhere):
        return here, elsewhere
    ours, theirs = ([one for one in side if one.device == device.info.device_uuid] for side in (here, elsewhere))
    if not theirs and len(elsewhere) < len(here):
        declined(f"another instance or process shows {len(elsewhere)} of {len(here)} devices, and not this one")
    return ours, theirs


@rule("SPEC-UUID-01")
def test_a_device_uuid_is_the_same_everywhere(device, elsewhere):
    """deviceUUID is the same in every instance and in every process."""
    ours, theirs = compared(device, elsewhere)

    here, there = ([one.device for one in side] for side in (ours, theirs))

    assert here == there, f"the deviceUUIDs are {here} in this instance, {there} in another instance or process"


@rule("SPEC-UUID-02")
def test_a_driver_uuid_is_the_same_everywhere(device, elsewhere):
    """driverUUID is the same in every instance and in every process."""
    ours, theirs = compared(device, elsewhere)

    here, there = ([(one.device, one.driver) for one in side] for side in (ours, theirs))

    assert here == there, (
        f"(deviceUUID, driverUUID) are {here} in this instance, {there} in another instance or process"
    )


@rule("SPEC-UUID-04")
def test_a_valid_node_mask_has_one_bit(device):
    """With a valid LUID deviceNodeMask has exactly one bit, and is 1 on a system without Direct3D 12."""
    known = identity(device.instance, device.instance.physical)
    if not known.luid_valid:
        unsupported("deviceLUIDValid is false: LUID and node mask have no defined content")

    mask = known.node_mask

    assert mask.bit_count() == 1, f"deviceLUIDValid is true and deviceNodeMask {mask:#x}, not one bit"
    if not Path("/dev/dxg").exists():
        assert mask == 1, f"there is no Direct3D 12 on this system, but deviceNodeMask is {mask:#x}"


@rule("SPEC-UUID-05")
def test_a_device_uuid_is_not_made_of_zeros(device):
    """deviceUUID is not all zeros."""
    known = identity(device.instance, device.instance.physical)

    assert int(known.device, 16), f"deviceUUID is {known.device}"


@rule("SPEC-UUID-05")
def test_device_uuids_are_unique(device):
    """No two physical devices of the driver have the same deviceUUID."""
    found = [one.device for one in identities(device.instance)]

    several = [uuid for uuid, count in Counter(found).items() if count > 1]

    assert not several, f"more than one physical device has the deviceUUID {', '.join(several)}"


@rule("SPEC-UUID-06")
def test_vulkan_1_1_properties_tell_the_same_identity(device):
    """VkPhysicalDeviceVulkan11Properties has the same values as VkPhysicalDeviceIDProperties, where they are defined."""
    if version_of(device.info) < (1, 2):
        unsupported("VkPhysicalDeviceVulkan11Properties needs Vulkan 1.2")
    physical = device.instance.physical

    alone = identity(device.instance, physical)
    within = identity(device.instance, physical, "VkPhysicalDeviceVulkan11Properties")

    defined = 5 if alone.luid_valid else 3
    assert alone[:defined] == within[:defined], (
        f"VkPhysicalDeviceIDProperties has {alone}, VkPhysicalDeviceVulkan11Properties {within}"
    )
