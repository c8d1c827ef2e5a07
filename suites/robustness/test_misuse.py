"""Misuse of a shared payload: the specification lists the allowed outcomes (Importing Semaphore Payloads).

The violating command returns INITIALIZATION_FAILED, or its device is lost, or the command or the operation that waits goes
on after a while.  The specification sets no limit for this while, so a command that has not returned, and a wait that is still
pending, at the suite's limit is a warning.
"""

import os
from concurrent import futures

import pytest

from fixtures.testbed import bench, patience
from fixtures.testbed.kinds import BINARY_OPAQUE
from fixtures.vulkan.outcomes import unsupported, warn
from fixtures.vulkan.registry import Result, result
from suites.ledger import rule
from suites.robustness.violations import (
    PATIENCE,
    VIOLATIONS,
    Attempt,
    beside,
    failure_on,
    let_go,
    let_go_from_outside,
    violate,
)
from suites.steps.members import another_device
from suites.steps.other_process import export_pending, export_unsignaled
from suites.steps.signals import at

pytestmark = [pytest.mark.isolated(fresh=True), pytest.mark.exclusive]
BOUNDED = {Result.SUCCESS, Result.ERROR_INITIALIZATION_FAILED, Result.ERROR_DEVICE_LOST}

of_binary = pytest.mark.parametrize("opaque_kind", [BINARY_OPAQUE], indirect=True, ids=str)
"""The rules are about binary payloads."""


@pytest.fixture
def shared(device, opaque_kind):
    """(exporter, importer) of one binary payload; results that misuse may return count as listed."""
    device.vk.tolerated = frozenset({Result.ERROR_INITIALIZATION_FAILED})
    exporter = device.semaphore(opaque_kind, export=True)
    yield exporter, device.semaphore(opaque_kind).imports(exporter.exported())
    let_go(exporter)
    device.vk.tolerated = frozenset()


each_violation = pytest.mark.parametrize("how", VIOLATIONS)
"""A wait without a signal, a signal of what is signaled, two waits for one signal."""


@rule("SPEC-SHARE-03", "ISSUE-VK_KHR_external_semaphore-1")
@each_violation
@of_binary
def test_misuse_ends_in_one_of_the_bounded_ways(shared, how):
    """A violation through semaphores that share a payload has one of the listed outcomes."""
    ends = violate(how, *shared)

    odd = {str(end) for end in ends} - {str(end) for end in BOUNDED | {Result.TIMEOUT}}
    assert not odd, f"{how} ended with {', '.join(sorted(odd))}"


@rule("SPEC-SHARE-04", "SPEC-SHARE-05", "SPEC-SHARE-06")
@each_violation
@of_binary
def test_misuse_ends_soon(shared, how):
    """A violation ends with an error, the loss of its device, or a wait that counts as satisfied; still pending is a warning."""
    ends = violate(how, *shared)

    limit = patience.seconds(PATIENCE)
    assert Result.TIMEOUT not in ends, f"{how}: still pending after {limit:g} s; the specification sets no limit"


@rule("SPEC-SHARE-03", "SPEC-FUND-04", "ISSUE-VK_KHR_external_semaphore-1")
@each_violation
@of_binary
def test_misuse_harms_no_other_device(device, shared, open_device, processes, how):
    """Devices without a violation work on, both devices made before it and devices made after it; late work is a warning."""
    before = open_device()
    bystander, descriptor = before.semaphore(), shared[0].exported()
    bystander.signal()

    ends = violate(how, *shared)
    others = beside(lambda: stuck_elsewhere(before, bystander, open_device))
    in_time = returns(others, patience.seconds())
    is_let_go = in_time or let_go_from_outside(device, descriptor, processes)

    if not returns(others, 2 * patience.seconds()):
        assert not is_let_go, f"{how} ({ends}) is over, and work on another device does not end"
        warn(f"work on another device does not end while {how} is pending; the specification sets no limit")
        return
    assert not others.result(), f"after {how} ({ends}) {others.result()}"
    if not in_time:
        warn(f"work on another device took longer than {patience.seconds():g} s after {how} ({ends})")


def stuck_elsewhere(before, bystander, open_device):
    """What ends with an error on a device from before the violation or on a new one, as text; "" once all is done."""
    for other in (before, open_device(new=True)):
        exporter = other.semaphore(BINARY_OPAQUE, export=True)
        importer = other.semaphore(BINARY_OPAQUE).imports(exporter.exported())
        if stuck := failure_on(other, {"signals": [exporter]}, {"waits": [importer]}):
            return f"a signal or a wait on another device does not end: {stuck}"
    held = failure_on(before, {"waits": [bystander]})
    return f"a semaphore of another device has lost its signal: {held}" if held else ""


def returns(call, seconds):
    """Whether a call in another thread returns within `seconds`."""
    return bool(futures.wait([call], seconds).done)


@rule("SPEC-SHARE-07")
@each_violation
@of_binary
def test_a_new_payload_makes_the_semaphore_good_again(shared, how):
    """After a violation the import of another payload gives the semaphore a defined state, unless its device was lost."""
    _, importer = shared
    ends = violate(how, *shared)
    if Result.ERROR_DEVICE_LOST in ends:
        unsupported(f"{how} lost the device, which is allowed (SPEC-SHARE-05)")
    if Result.TIMEOUT in ends:
        unsupported(f"{how}: a submission that uses the semaphore is still pending, so an import into it is invalid")
    fresh = importer.device.semaphore(BINARY_OPAQUE, export=True)

    importer.imports(fresh.exported())

    signal, wait = (
        importer.device.queue.submit(**{side: [one]}) for side, one in (("signals", fresh), ("waits", importer))
    )
    done = signal.finishes() and wait.finishes()
    if Result.ERROR_DEVICE_LOST in {signal.result, signal.seen, wait.result, wait.seen}:
        unsupported(f"{how} lost the device later, which is allowed (SPEC-SHARE-05)")
    assert done, f"after {how} ({ends}) and a new import a signal or its wait does not end: {signal}; {wait}"


@rule("SPEC-SHARE-03", "ISSUE-VK_KHR_external_semaphore-1")
@of_binary
def test_a_wait_survives_an_exporter_killed_before_its_signal(device, shared, processes):
    """A wait for a signal that a killed process never submitted has one of the listed outcomes."""
    child, target = exported_elsewhere(device, processes, export_unsignaled)
    child.kill()

    end = end_of(Attempt(device.queue, [{"waits": [target]}]), target)

    assert end in BOUNDED | {Result.TIMEOUT}, f"a wait for a signal of a process that was killed ended with {end}"


@rule("SPEC-SHARE-03", "ISSUE-VK_KHR_external_semaphore-1")
@pytest.mark.parametrize("submitted", ["before", "after"])
@of_binary
def test_a_wait_survives_an_exporter_killed_behind_its_signal(device, shared, processes, submitted):
    """A wait for a signal that was pending when its process was killed has one of the listed outcomes."""
    child, target = exported_elsewhere(device, processes, export_pending)
    if submitted == "after":
        child.kill()

    wait = Attempt(device.queue, [{"waits": [target]}])
    if submitted == "before":
        child.kill()
    end = end_of(wait, target)

    assert end in BOUNDED | {Result.TIMEOUT}, (
        f"a wait for a signal that was pending when its process was killed ended with {end}"
    )


def exported_elsewhere(device, processes, step):
    """A process that has sent the descriptor of a payload, and a semaphore of this process that imported it."""
    child = processes.start(step, device.info, BINARY_OPAQUE)
    answer = result(child.channel.receive())
    assert answer.is_success, f"vkGetSemaphoreFdKHR in another process returned {answer} (SPEC-CAPS-03)"
    target = device.semaphore(BINARY_OPAQUE)
    imported = target.import_fd(child.channel.receive_fd())
    assert imported.is_success, f"the import of another process's payload returned {imported} (SPEC-CAPS-04)"
    return child, target


def end_of(wait, target):
    """How a wait for `target` ends; one that is still pending at the limit is a warning, as no text forbids it."""
    (end,) = wait.ends()
    if end == Result.TIMEOUT:
        target.device.is_sound = False
        let_go(target)
        warn(f"the wait is still pending after {patience.seconds(PATIENCE):g} s; the specification sets no limit")
    return end


@rule("SPEC-IMPORT-23", "SPEC-COMPAT-01")
def test_a_payload_of_an_unlike_device_harms_nobody(device, open_device, opaque_kind, pytestconfig):
    """After an import of an OPAQUE_FD from a device with another UUID, accepted or refused, both devices work on."""
    far = bench.open_device(another_device(pytestconfig, device.info, opaque_kind))
    exported, before = far.semaphore(opaque_kind, export=True).exported(), open_device()

    target, fd = device.semaphore(opaque_kind), os.dup(exported.fd)
    wanted = (device.handle, target.handle, int(opaque_kind.handle_type), fd, 0)
    answer = device.vk.table.vkImportSemaphoreFdKHR(*wanted)  # past the checks: what an undefined use returns is free

    for one in (far, device, before, open_device(new=True)):
        exporter = one.semaphore(opaque_kind, export=True)
        importer = one.semaphore(opaque_kind).imports(exporter.exported())
        signal, wait = one.queue.submit(signals=[at(exporter)]), one.queue.submit(waits=[at(importer)])
        assert signal.finishes(), (
            f"after an import of {far}'s payload ({answer}) a signal on {one} does not end: {signal}"
        )
        assert wait.finishes(), f"after an import of {far}'s payload ({answer}) a wait on {one} does not end: {wait}"
    bench.close_device(far)
    if answer.is_success:
        warn(f"the import of a payload of {far} succeeded although its UUIDs differ")
