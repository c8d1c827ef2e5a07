"""What vkGetPhysicalDeviceExternalSemaphoreProperties answers, whatever the device supports (Optional Semaphore Capabilities)."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.testbed import bench
from fixtures.testbed.devices import Device
from fixtures.testbed.instances import instance_extensions
from fixtures.vulkan.outcomes import declined, unsupported, warn
from fixtures.vulkan.registry import HandleType, SemaphoreType
from suites.ledger import rule
from suites.steps.queries import (
    CORE_TYPES,
    KNOWN_FEATURES,
    KNOWN_TYPES,
    NEVER_WRITTEN,
    VULKAN_1_1,
    ask,
    ask_all,
    changes,
    each_handle_type,
    each_type,
    has_maintenance5,
    needs_type,
)

REPEATS = 100
THREADS = 8
WIN32_TYPES = (0x2, 0x4, 0x8)
SINGLE_TYPES = {1 << i for i in range(31) if KNOWN_TYPES >> i & 1}
GREATEST = 0x7FFFFFFE  # VK_..._MAX_ENUM is never to be used, and what a C enumeration holds above it is not settled


def integers():
    """Integers to query as a handle type under maintenance5: 0, each single bit, pairs of bits, and many random ones."""
    bits, chance = [1 << i for i in range(31)], random.Random(0)
    pairs = [bits[0] | bit for bit in bits[1:]] + [0x18, 0x1F, 0xFF, GREATEST]
    return dict.fromkeys([0, *bits, *pairs, *(chance.randint(0, GREATEST) for _ in range(200))])


@rule("SPEC-CAPS-01")
@each_type
@each_handle_type
def test_every_handle_type_gets_an_answer(device, handle_type, semaphore_type):
    """The query cannot fail: its answer is written whether or not the handle type is supported."""
    needs_type(device.info, semaphore_type)

    claim = ask(device.instance, handle_type, semaphore_type)

    assert claim.features != NEVER_WRITTEN, f"the driver did not write externalSemaphoreFeatures of {handle_type:#x}"
    if claim.features:
        assert NEVER_WRITTEN not in claim, f"the driver did not write all members for {handle_type:#x}: {claim}"
    elif NEVER_WRITTEN in claim:
        warn(f"the driver did not write all members for the unsupported {handle_type:#x}: {claim}")


@rule("SPEC-CAPS-02")
@each_type
@pytest.mark.parametrize("handle_type", WIN32_TYPES, ids=hex)
def test_handle_types_of_other_systems_get_a_steady_answer(device, handle_type, semaphore_type):
    """The query writes the features of the Win32 handle types, the same in each answer; features other than 0 are a warning."""
    needs_type(device.info, semaphore_type)

    seen = {ask(device.instance, handle_type, semaphore_type).features for _ in range(4)}

    assert NEVER_WRITTEN not in seen, f"the driver did not write externalSemaphoreFeatures of {handle_type:#x}"
    assert len(seen) == 1, f"externalSemaphoreFeatures of {handle_type:#x} differs between queries: {seen}"
    if seen != {0}:
        warn(f"the driver claims features {seen} for the handle type {handle_type:#x} of another system")


@rule("SPEC-CAPS-07")
@each_handle_type
def test_a_query_without_a_type_asks_about_binary(device, handle_type):
    """A query without VkSemaphoreTypeCreateInfo gets the answer for binary semaphores."""
    needs_type(device.info, SemaphoreType.BINARY)

    without, binary = ask(device.instance, handle_type), ask(device.instance, handle_type, SemaphoreType.BINARY)

    assert without == binary, f"for {handle_type:#x} without a type: {without}; for binary: {binary}"


@rule("SPEC-CAPS-09")
@each_type
@pytest.mark.isolated
def test_any_integer_is_a_handle_type(device_info, open_instance, semaphore_type):
    """With maintenance5 a query of any integer as handle type gets an answer, and handle type 0 is not supported."""
    needs_type(device_info, semaphore_type)
    instance = open_instance()
    if not has_maintenance5(instance):
        unsupported("the device has no maintenance5: only defined handle types may be asked about")

    features = {one: ask(instance, one, semaphore_type).features for one in integers()}

    unwritten = [hex(one) for one in features if features[one] == NEVER_WRITTEN and one]
    if features[0] == NEVER_WRITTEN:
        warn(
            "the driver did not write externalSemaphoreFeatures for handleType 0, which may be outside the valid range"
        )
    assert not unwritten, f"the driver did not write externalSemaphoreFeatures for {', '.join(unwritten)}"
    odd = [f"{one:#x} ({claim:#x})" for one, claim in features.items() if claim and one not in SINGLE_TYPES]
    if odd:
        warn(f"the driver claims support for handle types that the registry does not define: {', '.join(odd)}")
    assert features[0] in (0, NEVER_WRITTEN), f"externalSemaphoreFeatures of handleType 0 is {features[0]:#x}"


@rule("SPEC-CAPS-10")
def test_answers_stay_when_asked_again(device):
    """The same query gives the same answer each time."""
    first = ask_all(device.instance)

    differing = [difference for _ in range(REPEATS) if (difference := changes(first, ask_all(device.instance)))]

    assert not differing, f"{len(differing)} of {REPEATS} answers differ from the first: {differing[0]}"


@rule("SPEC-CAPS-07", "SPEC-CAPS-10")
def test_answers_do_not_depend_on_what_was_asked_before(device, open_instance):
    """The answers do not depend on the order of the queries: about binary semaphores first, or about timelines first."""
    forwards, backwards = ask_all(device.instance), ask_all(open_instance(), backwards=True)

    assert not changes(forwards, backwards), (
        f"the answers depend on the order of the queries: {changes(forwards, backwards)}"
    )


@rule("SPEC-CAPS-10")
def test_answers_are_the_same_in_every_thread(device):
    """The same queries from several threads at once give the same answers."""
    first = ask_all(device.instance)

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda _: ask_all(device.instance), range(REPEATS)))

    differing = [difference for answer in answers if (difference := changes(first, answer))]
    assert not differing, f"{len(differing)} of {REPEATS} answers to {THREADS} threads differ: {differing[0]}"


@rule("SPEC-CAPS-10")
def test_answers_stay_while_devices_come_and_go(open_instance):
    """Creating and destroying logical devices does not change the answers for their physical device."""
    instance = open_instance()
    before = ask_all(instance)

    devices = [Device(instance), Device(instance)]
    meanwhile = ask_all(instance)
    for device in devices:
        device.close()
    after = ask_all(instance)

    assert not changes(before, meanwhile), (
        f"while logical devices exist the answers differ: {changes(before, meanwhile)}"
    )
    assert not changes(before, after), (
        f"after logical devices were destroyed the answers differ: {changes(before, after)}"
    )


@rule("SPEC-CAPS-15")
def test_no_device_is_needed_to_ask(device, open_instance):
    """An instance without a device gives the same answers as one with a device."""
    bare, used = ask_all(open_instance()), ask_all(device.instance)

    assert not changes(bare, used), (
        f"an instance without a device and one with a device answer differently: {changes(bare, used)}"
    )


@rule("SPEC-CAPS-15", "SPEC-CAPS-07")
def test_an_instance_of_vulkan_1_1_asks_about_timelines(device, open_instance):
    """Below Vulkan 1.2 VK_KHR_timeline_semaphore is enough: a query with a semaphore type is about that type."""
    if "VK_KHR_timeline_semaphore" not in device.info.extensions:
        unsupported("the device does not offer VK_KHR_timeline_semaphore")

    instance = open_instance(version=VULKAN_1_1)
    _, listed = instance.commands.vkEnumerateDeviceExtensionProperties(instance.physical)
    if "VK_KHR_timeline_semaphore" not in listed:
        declined("an instance of Vulkan 1.1 does not show VK_KHR_timeline_semaphore")

    older, newer = ask_all(instance), ask_all(device.instance)

    assert not changes(newer, older), (
        f"instances of Vulkan 1.3 and of Vulkan 1.1 get different answers: {changes(newer, older)}"
    )


@rule("SPEC-CAPS-11")
def test_sync_fd_is_not_claimed_for_timelines(device):
    """For timeline semaphores the device neither claims SYNC_FD nor names it beside another handle type."""
    needs_type(device.info, SemaphoreType.TIMELINE)

    claims = {one: ask(device.instance, one, SemaphoreType.TIMELINE) for one in CORE_TYPES}

    sync = claims.pop(int(HandleType.SYNC_FD))
    assert sync.features == 0, f"the device claims SYNC_FD for timeline semaphores: {sync}"
    supported = {one: claim for one, claim in claims.items() if claim.features}
    naming = [f"{one:#x}: {claim}" for one, claim in supported.items() if (claim[1] | claim[2]) & HandleType.SYNC_FD]
    assert not naming, f"for timeline semaphores the device names SYNC_FD beside {'; '.join(naming)}"


@rule("SPEC-CAPS-12")
def test_the_khr_query_answers_as_the_core_one(device_info, open_instance):
    """vkGetPhysicalDeviceExternalSemaphorePropertiesKHR gives the same answers as the core command."""
    extension = "VK_KHR_external_semaphore_capabilities"
    if extension not in instance_extensions(bench.commands(), device_info):
        unsupported(f"no {extension}: the query has its core name only")
    core, older = (open_instance(spelling=one, extensions=(extension,)) for one in ("", "KHR"))
    name = "vkGetPhysicalDeviceExternalSemaphorePropertiesKHR"

    resolves, by_core, by_khr = older.commands.vkGetInstanceProcAddr(older.handle, name), ask_all(core), ask_all(older)

    assert resolves, f"{extension} is enabled, but vkGetInstanceProcAddr does not know {name}"
    assert not changes(by_core, by_khr), (
        f"the core command and the KHR command answer differently: {changes(by_core, by_khr)}"
    )


@rule("SPEC-CAPS-13")
@each_type
@each_handle_type
def test_a_supported_handle_type_is_compatible_with_itself(device, handle_type, semaphore_type):
    """compatibleHandleTypes of a supported handle type contains that handle type itself."""
    needs_type(device.info, semaphore_type)

    claim = ask(device.instance, handle_type, semaphore_type)

    if not claim.features:
        unsupported(f"the handle type {handle_type:#x} is not supported")
    assert claim.compatible & handle_type, f"{handle_type:#x} is supported but not compatible with itself: {claim}"


@rule("SPEC-CAPS-14")
@each_type
@each_handle_type
def test_answers_hold_defined_bits_only(device, handle_type, semaphore_type):
    """An answer has only bits that the registry defines."""
    needs_type(device.info, semaphore_type)

    claim = ask(device.instance, handle_type, semaphore_type)

    if not claim.features:
        unsupported(f"the handle type {handle_type:#x} is not supported")
    assert not claim.features & ~KNOWN_FEATURES, (
        f"the registry does not define these features of {handle_type:#x}: {claim}"
    )
    odd = (claim.compatible | claim.from_imported) & ~KNOWN_TYPES
    assert not odd, f"the registry does not define the handle types {odd:#x}, named beside {handle_type:#x}: {claim}"
