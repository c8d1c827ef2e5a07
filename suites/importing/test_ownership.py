"""Who owns the descriptor after vkImportSemaphoreFdKHR: the driver after a success, the application after a failure."""

import fcntl
import os

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.descriptors import Descriptor, open_descriptors, same_file
from fixtures.testbed.devices import Device
from fixtures.vulkan.outcomes import declined, unsupported, warn
from suites.ledger import rule
from suites.steps.exports import VALUE, exported_payload
from suites.steps.foreign_imports import import_in_time
from suites.steps.leaks import descriptors_left, grows, growth
from suites.steps.signals import at

IMPORTS = 4
DEVICES = (1, 2)


@rule("SPEC-IMPORT-01", "ISSUE-VK_KHR_external_semaphore_fd-1")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_the_driver_closes_what_it_imported(device, kind, permanence):
    """The driver closes an imported descriptor by the time that the semaphore is destroyed: rounds leave none open."""
    temporary = allow_permanence(kind, permanence)
    exported = exported_payload(device, kind)

    def one_round():
        device.semaphore(kind).imports(exported, temporary)
        device.settle()

    left = descriptors_left(one_round)

    assert not left, f"import and destroy left {left}"


@rule("SPEC-IMPORT-01")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_replaced_payloads_are_given_up_with_the_semaphore(device, kind, permanence):
    """Destroying a semaphore releases all that it imported; keeping replaced payloads until then is a warning."""
    temporary = allow_permanence(kind, permanence)
    exported = exported_payload(device, kind)

    def one_round():
        target = device.semaphore(kind)
        for _ in range(IMPORTS):
            target.imports(exported, temporary)
        held.append(len(open_descriptors()))
        device.settle()

    held = []
    before = len(open_descriptors())
    left = descriptors_left(one_round)

    assert not left, f"{IMPORTS} imports into one semaphore left {left} after it was destroyed"
    if held[0] - before >= IMPORTS:
        warn(
            f"{held[0] - before} descriptors were open after {IMPORTS} imports into one semaphore, each replacing the last"
        )


@rule("SPEC-IMPORT-01")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_destroying_the_device_gives_up_what_was_imported(device, kind, permanence):
    """The driver closes imported descriptors by the time that the device is destroyed: rounds leave none open."""
    temporary = allow_permanence(kind, permanence)
    exported = exported_payload(device, kind)

    def one_device():
        importer = Device(device.instance, most=1)
        for _ in range(IMPORTS):
            importer.semaphore(kind).imports(exported, temporary)
        importer.close()

    left = grows(growth(one_device, DEVICES), "descriptors", least=1)

    assert not left, f"a device with {IMPORTS} imports left {left} after it was destroyed"


@rule("SPEC-EXPORT-02", "ISSUE-VK_KHR_external_semaphore_fd-1")
def test_an_import_takes_the_descriptor_that_it_was_given(device, kind, permanence):
    """An import of a dup leaves the original descriptor open, on the same file."""
    temporary = allow_permanence(kind, permanence)
    exported = exported_payload(device, kind)
    kept = exported.dup()

    device.semaphore(kind).imports(exported, temporary)

    assert exported.is_open, f"importing a dup of {exported} closed {exported}"
    same = same_file(exported.fd, kept.fd)
    if same is None:
        unsupported("kcmp is not available: the file behind the descriptor cannot be compared")
    assert same, f"importing a dup of {exported} changed the file that {exported} refers to"


@rule("ISSUE-VK_KHR_external_semaphore_fd-1", "SPEC-IMPORT-01")
@pytest.mark.parametrize("taken", ["after-the-import", "after-the-wait"])
def test_the_number_of_an_imported_descriptor_may_be_used_again(device, kind, permanence, taken):
    """The driver closes an imported descriptor once: another file that has the same number since then stays open."""
    temporary = allow_permanence(kind, permanence)
    semaphore, exported = device.semaphore(kind), exported_payload(device, kind)
    answer = semaphore.import_fd(exported.fd, temporary=temporary)
    assert answer.is_success, f"vkImportSemaphoreFdKHR returned {answer} (SPEC-CAPS-04)"

    again = reused(exported.fd, device.vk) if taken == "after-the-import" else None
    wait = device.queue.submit(waits=[at(semaphore, VALUE)])
    assert wait.finishes(), f"a wait for an imported payload does not end: {wait} (SPEC-IMPORT-14)"
    again = again or reused(exported.fd, device.vk)
    semaphore.destroy()

    assert again.is_open, f"the driver closed fd {again.fd} a second time: another file had taken the number {taken}"


def reused(number, commands):
    """Another file under that number; `unsupported` where the driver still holds the number."""
    opened = Descriptor(os.open("/dev/null", os.O_RDONLY), commands, "another file's descriptor")
    if opened.fd != number:
        opened = Descriptor(fcntl.fcntl(opened.fd, fcntl.F_DUPFD_CLOEXEC, number), commands, opened.name)
    return opened if opened.fd == number else declined("the driver still holds the number of the imported descriptor")


@rule("SPEC-IMPORT-03", "ISSUE-VK_KHR_external_semaphore_fd-1")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_a_failed_import_leaves_the_descriptor_open(worn_device, importable, permanence, stranger):
    """A descriptor whose import failed still belongs to the application: it is open, on the same file."""
    temporary = allow_permanence(importable, permanence)
    kept = [stranger.dup() for _ in range(4)]

    result = import_in_time(worn_device.semaphore(importable), stranger.fd, temporary=temporary)
    for one in kept[1:] if not result.is_success else []:
        import_in_time(worn_device.semaphore(importable), one.fd, temporary=temporary)

    if result.is_success:
        unsupported(f"the driver accepted {stranger.name}; SPEC-IMPORT-23 judges that")
    assert stranger.is_open, f"the driver closed {stranger} although its import failed with {result}"
    gone = [one.fd for one in kept if not one.is_open]
    assert not gone, (
        f"the driver closed the application's {gone} although the import of {stranger} failed with {result}"
    )
    same = same_file(stranger.fd, kept[0].fd)
    if same is None:
        unsupported("kcmp is not available: the file behind the descriptor cannot be compared")
    assert same, f"after the import failed with {result} {stranger} refers to another file"


@rule("SPEC-IMPORT-28")
def test_minus_1_as_sync_fd_is_a_signaled_payload(device, importable):
    """An import of -1 as SYNC_FD succeeds, and a wait for it ends at once."""
    if str(importable.handle_type) != "SYNC_FD":
        unsupported("-1 stands for a signaled payload only as SYNC_FD")
    target = device.semaphore(importable)

    result = target.import_fd(-1, temporary=True)

    assert result.is_success, f"vkImportSemaphoreFdKHR of -1 as SYNC_FD returned {result}"
    wait = device.queue.submit(waits=[target])
    assert wait.finishes(), f"a wait for the imported -1 did not end: {wait}"
