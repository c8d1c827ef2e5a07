"""What vkCreateSemaphore does with the structures chained to VkSemaphoreCreateInfo."""

import pytest

from fixtures.testbed.claims import EXPORTABLE, unclaimed
from fixtures.testbed.devices import Semaphore
from fixtures.testbed.instances import need
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import HandleType, SemaphoreType
from suites.creation.other_process import export_past_an_unknown_structure
from suites.ledger import rule
from suites.steps.exports import exported_payload
from suites.steps.queries import ask
from suites.steps.timelines import needs_timelines

MANY = 256
VALUE = 7
OPAQUE, SYNC = HandleType.OPAQUE_FD, HandleType.SYNC_FD

each_semaphore_type = pytest.mark.parametrize("semaphore_type", SemaphoreType, ids=str)


@rule("SPEC-CREATE-05")
def test_several_handle_types_for_one_semaphore(device):
    """vkCreateSemaphore succeeds for all handle types together that the device claims as exportable and compatible."""
    for one, other in ((OPAQUE, SYNC), (SYNC, OPAQUE)):
        if reason := unclaimed(Kind(one, SemaphoreType.BINARY), device.info, EXPORTABLE):
            unsupported(reason)
        if not ask(device.instance, one).compatible & other:
            unsupported(f"{one} does not name {other} as compatible")

    answer, handle = device.vk.vkCreateSemaphore(device.handle, int(OPAQUE | SYNC))

    assert answer.is_success, f"vkCreateSemaphore for {OPAQUE | SYNC}, which are compatible, returned {answer}"
    device.vk.vkDestroySemaphore(device.handle, handle)


@rule("SPEC-CREATE-06")
@each_semaphore_type
def test_no_handle_types_make_a_semaphore_that_works(device, semaphore_type):
    """A semaphore made with handleTypes 0 can be signaled and waited for like any other."""
    if semaphore_type:
        needs_timelines(device)

    answer, handle = device.vk.vkCreateSemaphore(device.handle, 0, int(semaphore_type) or None)

    assert answer.is_success, f"vkCreateSemaphore with handleTypes 0 returned {answer}"
    device.later(device.vk.vkDestroySemaphore, device.handle, handle)
    semaphore = Semaphore(device, handle, Kind(OPAQUE, semaphore_type))
    signal = device.queue.submit(signals=[(semaphore, VALUE) if semaphore_type else semaphore])
    wait = device.queue.submit(waits=[(semaphore, VALUE) if semaphore_type else semaphore])
    assert signal.finishes(), f"a signal of a semaphore with handleTypes 0 did not end: {signal}"
    assert wait.finishes(), f"a wait for a semaphore with handleTypes 0 did not end: {wait}"


@rule("SPEC-CREATE-07")
def test_an_unknown_structure_hides_nothing(device_info, exportable, processes):
    """The driver skips a chained structure that it does not know, and uses the structures after it."""
    ending = processes.run(export_past_an_unknown_structure, device_info, exportable)

    problem = ending.value if ending.how == "returned" else str(ending)
    assert not problem, (
        f"the driver did not use a VkExportSemaphoreCreateInfo chained after an unknown structure: {problem}"
    )


@rule("SPEC-CREATE-08")
@each_semaphore_type
@pytest.mark.parametrize("export", [False, True], ids=["plain", "exportable"])
def test_a_semaphore_is_never_null(device, semaphore_type, export):
    """When vkCreateSemaphore succeeds, the handle is not VK_NULL_HANDLE."""
    if semaphore_type:
        needs_timelines(device)
    if export and (reason := unclaimed(Kind(OPAQUE, semaphore_type), device.info, EXPORTABLE)):
        unsupported(reason)
    wanted = (int(OPAQUE) if export else None, int(semaphore_type) or None)

    made = [device.vk.vkCreateSemaphore(device.handle, *wanted) for _ in range(MANY)]

    handles = [handle for answer, handle in made if answer.is_success]
    for handle in handles:
        device.later(device.vk.vkDestroySemaphore, device.handle, handle)
    assert handles, f"no call of vkCreateSemaphore succeeded: {made[0][0]}"
    assert 0 not in handles, f"{handles.count(0)} of {len(handles)} semaphores are VK_NULL_HANDLE"


@rule("SPEC-CREATE-10", "SPEC-CREATE-06")
@pytest.mark.parametrize("types", [None, 0], ids=["no-export-info", "no-handle-types"])
def test_a_plain_semaphore_takes_an_import(device, kind, types):
    """An import into a semaphore made without VkExportSemaphoreCreateInfo succeeds."""
    timeline, temporary = int(kind.semaphore_type) or None, kind.handle_type == SYNC
    descriptor = exported_payload(device, kind)
    answer, handle = device.vk.vkCreateSemaphore(device.handle, types, timeline)
    need(answer, "vkCreateSemaphore", "SPEC-CREATE-06" if types == 0 else "SPEC-RESULT-03")
    device.later(device.vk.vkDestroySemaphore, device.handle, handle)
    target = Semaphore(device, handle, kind)

    answer = target.import_fd(descriptor.dup().fd, temporary=temporary)

    assert answer.is_success, f"vkImportSemaphoreFdKHR into a semaphore that cannot be exported returned {answer}"
    wait = device.queue.submit(waits=[(target, VALUE) if timeline else target])
    assert wait.finishes(), f"a wait for the signal imported into a plain semaphore did not end: {wait}"
