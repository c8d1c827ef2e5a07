"""What a descriptor is that vkGetSemaphoreFdKHR hands out."""

from suites.ledger import rule


@rule("SPEC-EXPORT-04")
def test_an_exported_descriptor_closes_on_exec(device, exportable):
    """The descriptor is marked close-on-exec."""
    semaphore = device.semaphore(exportable, export=True)

    descriptor = semaphore.exported()

    assert descriptor.closes_on_exec, f"vkGetSemaphoreFdKHR returned {descriptor} without FD_CLOEXEC"
