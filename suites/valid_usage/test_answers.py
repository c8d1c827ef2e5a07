"""What a layer may answer where the specification leaves it a choice."""

from fixtures.testbed.kinds import BINARY_SYNC
from fixtures.vulkan.registry import HandleType, Result
from suites.ledger import rule


@rule("SPEC-FUND-08")
def test_a_stopped_call_never_reaches_the_driver(layer):
    """A breach that the messenger wants stopped returns VALIDATION_FAILED, and the driver makes nothing."""
    device = layer.over("mock").device

    answer, handle = device.vk.vkCreateSemaphore(device.handle, semaphore_type=0, initial_value=1)

    if answer.is_success:
        device.later(device.vk.vkDestroySemaphore, device.handle, handle)
    assert answer == Result.ERROR_VALIDATION_FAILED, f"a breach that was to be stopped returned {answer}"
    assert not handle, f"vkCreateSemaphore returned {answer} and yet wrote {handle:#x}"


@rule("SPEC-EXPORT-12")
def test_an_imported_payload_may_be_exported_again(layer):
    """A SYNC_FD payload that was imported as signaled is exported again without a report."""

    def export_again(device):
        semaphore = device.semaphore(BINARY_SYNC, export=True)
        semaphore.import_fd(-1, HandleType.SYNC_FD, temporary=True)
        return semaphore.export_fd()[0]

    reported, answer = layer.over("mock").reports_of(export_again)

    assert not reported, f"the layer reported {reported}, vkGetSemaphoreFdKHR returned {answer}"
