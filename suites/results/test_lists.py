"""Every command returns only results that the registry lists for it, and succeeds for valid use.

The suite checks every call of every test against these lists; here each command has a test of its own.
"""

import pytest

from fixtures.vulkan import registry
from fixtures.vulkan.native import Batch
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.exports import exported_payload

ROUNDS = 20


def check(command, answers, expected=(Result.SUCCESS,)):
    """Assert that the registry lists all answers for the command, and that each is one of `expected`; the test names the rule."""
    listed = registry.results_of(command)
    odd = sorted({str(answer) for answer in answers if answer not in listed})
    assert not odd, f"{command} returned {', '.join(odd)}, which it does not list"
    failed = sorted({str(answer) for answer in answers if answer not in expected})
    assert not failed, f"{command} returned {', '.join(failed)} for valid use"


@rule("SPEC-RESULT-01")
def test_results_of_get(device, exportable):
    """vkGetSemaphoreFdKHR returns listed results, and succeeds for valid use."""
    semaphores = [device.semaphore(exportable, export=True) for _ in range(ROUNDS)]
    if not exportable.semaphore_type:
        for semaphore in semaphores:
            semaphore.signal()

    check("vkGetSemaphoreFdKHR", [semaphore.export_fd()[0] for semaphore in semaphores])


@rule("SPEC-RESULT-02")
def test_results_of_import(device, kind):
    """vkImportSemaphoreFdKHR returns listed results, and succeeds for valid use."""
    exported = exported_payload(device, kind)
    temporary = str(kind.handle_type) == "SYNC_FD"

    answers = [device.semaphore(kind).import_fd(exported.dup().fd, temporary=temporary) for _ in range(ROUNDS)]

    check("vkImportSemaphoreFdKHR", answers)


@rule("SPEC-RESULT-03")
def test_results_of_create(device, exportable):
    """vkCreateSemaphore returns listed results, and succeeds for exportable and other semaphores."""
    vk, chosen = device.vk, int(exportable.semaphore_type)
    exports = [None, 0, int(exportable.handle_type)] * ROUNDS

    made = [vk.vkCreateSemaphore(device.handle, export, chosen or None, 0) for export in exports]

    for answer, handle in made:
        if answer.is_success:
            vk.vkDestroySemaphore(device.handle, handle)
    check("vkCreateSemaphore", [answer for answer, _ in made])


@pytest.mark.parametrize(
    "through",
    [
        pytest.param("vkQueueSubmit", marks=rule("SPEC-RESULT-06")),
        pytest.param("vkQueueSubmit2", marks=rule("SPEC-RESULT-07")),
        pytest.param("vkQueueBindSparse", marks=rule("SPEC-RESULT-08")),
    ],
)
def test_results_of_submission(device, through):
    """Each submission command returns listed results, and succeeds with signals, with waits and for no batch at all."""
    queue = device.queue_for(through)
    if queue is None:
        unsupported(f"the device has no queue for {through}")
    semaphore = device.semaphore()
    batches = [(), (Batch(),), (Batch(signals=(semaphore.handle,)),), (Batch(waits=(semaphore.handle,)),)]

    submissions = [queue.submit_batches(batch, through) for batch in batches * ROUNDS]

    check(through, [submission.result for submission in submissions])
    assert submissions[-1].finishes(), f"the last of {len(submissions)} submissions does not end: {submissions[-1]}"


@rule("SPEC-RESULT-09")
def test_results_of_counter(timeline):
    """vkGetSemaphoreCounterValue returns listed results, and succeeds for valid use."""
    vk, device = timeline.device.vk, timeline.device

    answers = [vk.vkGetSemaphoreCounterValue(device.handle, timeline.handle)[0] for _ in range(ROUNDS)]

    check("vkGetSemaphoreCounterValue", answers)


@rule("SPEC-RESULT-10")
@pytest.mark.parametrize(("value", "expected"), [(0, Result.SUCCESS), (1, Result.TIMEOUT)])
def test_results_of_host_wait(timeline, value, expected):
    """vkWaitSemaphores returns listed results: VK_SUCCESS for a reached value, VK_TIMEOUT for another."""
    answers = [timeline.host_wait(value, seconds) for seconds in (0, 0.000001, 0.001) for _ in range(5)]

    check("vkWaitSemaphores", answers, (expected,))


@rule("SPEC-RESULT-11")
def test_results_of_host_signal(timeline):
    """vkSignalSemaphore returns listed results, and succeeds for valid use."""
    check("vkSignalSemaphore", [timeline.host_signal(value) for value in range(1, ROUNDS)])


@rule("SPEC-RESULT-12")
@pytest.mark.parametrize("command", ["vkQueueWaitIdle", "vkDeviceWaitIdle"])
def test_results_of_waiting_for_idle(device, command):
    """vkQueueWaitIdle and vkDeviceWaitIdle return listed results, and succeed behind a batch that ends."""
    target = device.queue.handle if command == "vkQueueWaitIdle" else device.handle

    answers = []
    for _ in range(ROUNDS):
        device.queue.submit()
        answers.append(getattr(device.vk, command)(target))

    check(command, answers)
