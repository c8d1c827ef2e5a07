"""Imports of foreign descriptors, which no semaphore exported, and of numbers that are no descriptor.

The specification asks for validation that leaves "a valid semaphore", or VK_ERROR_INVALID_EXTERNAL_HANDLE (Importing
Semaphore Payloads).  So a driver may accept an open foreign descriptor if the semaphore then works as its kind allows.
"""

import pytest

from fixtures.testbed import foreign, patience
from fixtures.testbed.claims import allow_permanence
from fixtures.vulkan.outcomes import unsupported, warn
from fixtures.vulkan.registry import HandleType, Result
from suites.ledger import rule
from suites.steps.foreign_imports import STALL, exchange, import_in_time
from suites.steps.misuse import misuse_is_tolerated
from suites.steps.signals import at, is_timeline

REFUSED = Result.ERROR_INVALID_EXTERNAL_HANDLE
ALLOWED = {Result.ERROR_DEVICE_LOST, Result.ERROR_INITIALIZATION_FAILED, Result.TIMEOUT}
LACK = (Result.ERROR_OUT_OF_HOST_MEMORY, Result.ERROR_OUT_OF_DEVICE_MEMORY)

pytestmark = [pytest.mark.isolated, pytest.mark.one_queue]


def any_permanence(kind):
    """A permanence that the kind supports."""
    return "temporary" if kind.handle_type == HandleType.SYNC_FD else "permanent"


def import_stranger(device, kind, permanence, stranger):
    """(target, result) of importing a foreign descriptor."""
    temporary = allow_permanence(kind, permanence)
    target = device.semaphore(kind)
    return target, import_in_time(target, stranger.fd, temporary=temporary)


def is_meant_as_signaled(kind, number):
    """Whether a driver may treat the number as a signaled SYNC_FD: -1 by the specification, others below 0 by common practice."""
    return kind.handle_type == HandleType.SYNC_FD and number.fd < 0


@rule("SPEC-IMPORT-24")
@pytest.mark.isolated(spoils=False)
def test_a_refused_descriptor_is_an_invalid_external_handle(worn_device, importable, permanence, stranger):
    """An import that refuses a foreign descriptor returns VK_ERROR_INVALID_EXTERNAL_HANDLE."""
    _, result = import_stranger(worn_device, importable, permanence, stranger)

    if result.is_success:
        unsupported(f"the driver accepted {stranger.name}; SPEC-IMPORT-23 judges that")
    assert result == REFUSED, f"the import of {stranger} as {importable} failed with {result} instead of {REFUSED}"


@rule("SPEC-IMPORT-24")
@pytest.mark.isolated(spoils=False)
def test_a_refused_number_is_an_invalid_external_handle(device, importable, permanence, number):
    """An import that refuses a number that is no descriptor returns VK_ERROR_INVALID_EXTERNAL_HANDLE."""
    _, result = import_stranger(device, importable, permanence, number)

    if result.is_success:
        unsupported(f"the driver accepted {number.name}; SPEC-IMPORT-23 judges that")
    assert result == REFUSED, f"the import of {number} as {importable} failed with {result} instead of {REFUSED}"


@rule("SPEC-RESULT-13", "SPEC-IMPORT-23", "SPEC-IMPORT-29", "ISSUE-VK_KHR_external_semaphore-2")
@pytest.mark.isolated(spoils=False)
def test_a_number_that_is_no_descriptor_is_refused(device, importable, permanence, number):
    """An import of a number that is no descriptor fails; as SYNC_FD a driver may take a number below 0 as signaled."""
    target, result = import_stranger(device, importable, permanence, number)

    if is_meant_as_signaled(importable, number):
        if number.fd == -1:
            unsupported("-1 as SYNC_FD is a signaled payload; SPEC-IMPORT-28 judges that")
        if result.is_success:
            wait = device.queue.submit(waits=[target])
            ends = wait.finishes(patience.seconds(STALL))
            assert ends, f"the driver accepted {number} as SYNC_FD, but a wait for it does not end: {wait}"
            warn(
                f"the driver accepted {number} as SYNC_FD and treats it as signaled; the specification says so of -1 only"
            )
            return
    assert not result.is_success, f"the driver imported {number}, which is no descriptor, as {importable}"


@rule("SPEC-IMPORT-23", "ISSUE-VK_KHR_external_semaphore-2")
def test_an_accepted_opaque_stranger_works_or_ends_as_allowed(worn_device, opaque_importable, stranger):
    """A semaphore that accepted a foreign descriptor as OPAQUE_FD can be signaled and waited for, or fails as misuse may fail."""
    target, result = import_stranger(worn_device, opaque_importable, "permanent", stranger)
    if not result.is_success:
        unsupported(f"the driver refused {stranger.name}; SPEC-IMPORT-24 judges that")

    with misuse_is_tolerated(worn_device):
        signal = worn_device.queue.submit(signals=[at(target)])
        wait = worn_device.queue.submit(waits=[at(target)])
    ends = [step.result if step.result.is_error else step.end(patience.seconds(STALL)) for step in (signal, wait)]

    odd = {answer for answer in ends if not answer.is_success}
    assert odd <= ALLOWED, f"the driver accepted {stranger} as OPAQUE_FD, then signal and wait ended with {ends}"
    warn(f"the driver accepted {stranger} as OPAQUE_FD; signal and wait ended with {ends}")


@rule("SPEC-IMPORT-23", "ISSUE-VK_KHR_external_semaphore-2")
def test_an_accepted_sync_fd_stranger_can_be_waited_for(worn_device, sync_importable, stranger):
    """A wait for a foreign descriptor that the driver accepted as SYNC_FD ends, without stall or device loss."""
    target, result = import_stranger(worn_device, sync_importable, "temporary", stranger)
    if not result.is_success:
        unsupported(f"the driver refused {stranger.name}; SPEC-IMPORT-24 judges that")

    wait = worn_device.queue.submit(waits=[target])

    assert wait.finishes(patience.seconds(STALL)), (
        f"the driver accepted {stranger} as SYNC_FD, but a wait for it does not succeed: {wait}"
    )
    warn(f"the driver accepted {stranger} as SYNC_FD, and a wait for it ends")


@rule("SPEC-IMPORT-23", "SPEC-IMPORT-30")
def test_the_target_of_a_failed_import_still_works(worn_device, importable, stranger):
    """After a failed import the semaphore can be signaled and waited for."""
    target = worn_device.semaphore(importable, initial_value=5 if is_timeline(importable) else 0)

    result = import_in_time(target, stranger.fd, temporary=not is_timeline(importable))

    if result.is_success:
        unsupported(f"the driver accepted {stranger.name}; SPEC-IMPORT-23 judges that")
    signal = worn_device.queue.submit(signals=[at(target, 9)])
    assert signal.finishes(), f"after an import that failed with {result} a signal does not end: {signal}"
    wait = worn_device.queue.submit(waits=[at(target, 9)])
    assert wait.finishes(), f"after an import that failed with {result} a wait does not end: {wait}"


@rule("SPEC-IMPORT-30")
def test_the_target_of_a_failed_import_keeps_its_state(worn_device, importable, stranger):
    """An import that failed for lack of memory leaves the semaphore its state; losing it after another error is a warning."""
    target = worn_device.semaphore(importable, initial_value=5 if is_timeline(importable) else 0)
    if not is_timeline(importable):
        target.signal()

    result = import_in_time(target, stranger.fd, temporary=not is_timeline(importable))

    if result.is_success:
        unsupported(f"the driver accepted {stranger.name}; SPEC-IMPORT-23 judges that")
    kept = target.counter() == 5 if is_timeline(importable) else still_signaled(target)
    assert kept or result not in LACK, f"the semaphore lost its state although {result} leaves objects unmodified"
    if not kept:
        warn(f"the semaphore lost its state in an import of {stranger} that failed with {result}")


def still_signaled(semaphore):
    """Whether a wait for a binary semaphore that was signaled ends; a driver may answer it as misuse if the signal is gone."""
    with misuse_is_tolerated(semaphore.device):
        return semaphore.device.queue.submit(waits=[semaphore]).finishes(patience.seconds(STALL))


@rule("SPEC-IMPORT-23", "SPEC-FUND-04")
@pytest.mark.isolated(spoils=False)
def test_a_stranger_harms_nothing_else(device, kind, stranger):
    """After the import of a foreign descriptor the device and its other semaphores work as before."""
    bystander = device.semaphore()
    bystander.signal()

    _, result = import_stranger(device, kind, any_permanence(kind), stranger)

    exchange(device, kind, f"after the import of {stranger} ended with {result}")
    wait = device.queue.submit(waits=[bystander])
    assert wait.finishes(), f"after the import of {stranger} another semaphore has lost its signal: {wait}"


@rule("SPEC-IMPORT-23", "SPEC-FUND-04")
@pytest.mark.parametrize("stranger", ["pipe-read", "exported-memory"], indirect=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stranger_harms_no_other_device(device, open_device, kind, stranger, when):
    """A device of another instance, made before or after the import of a foreign descriptor, works."""
    earlier = open_device() if when == "before" else None
    _, result = import_stranger(device, kind, any_permanence(kind), stranger)

    other = earlier or open_device(new=True)

    exchange(other, kind, f"after the import of {stranger} ended with {result}, a device made {when} it:")


@rule("SPEC-CAPS-03", "SPEC-CAPS-04")
@pytest.mark.parametrize("name", ["pipe-read", "eventfd"])
@pytest.mark.isolated(spoils=False)
def test_a_device_that_exported_does_so_after_a_refused_import(device, kind, name):
    """A device that refused a foreign descriptor exports and imports as before."""
    exchange(device, kind, "before any foreign descriptor was imported")

    with foreign.stranger(name, device) as stranger:
        _, result = import_stranger(device, kind, any_permanence(kind), stranger)

    if result.is_success:
        unsupported(f"the driver accepted {stranger.name}; SPEC-IMPORT-23 judges that")
    exchange(device, kind, f"after the import of {stranger} ended with {result}")
