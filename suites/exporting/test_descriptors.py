"""Descriptors that vkGetSemaphoreFdKHR returns: their flags, their owner, their payload."""

import os
import resource
import subprocess
import sys
from contextlib import contextmanager

import pytest

from fixtures.running import apart
from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.descriptors import dup, is_open, same_file
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.outcomes import unsupported, warn
from fixtures.vulkan.registry import HandleType, Result
from suites.ledger import rule
from suites.steps.exports import STATES, VALUE, export_in, exported_payload, real
from suites.steps.leaks import descriptors_left
from suites.steps.members import close
from suites.steps.payloads import needs_exportable_imports
from suites.steps.signals import needs_binary, signal, signal_behind_work, wait_for
from suites.steps.timelines import needs_timelines

EXPORTS = 12
"""Enough exports to find a driver that forgets the flag in every tenth only."""


@rule("SPEC-EXPORT-04")
def test_an_exported_descriptor_is_marked_close_on_exec(device, exportable):
    """FD_CLOEXEC is set on every descriptor, not on most of them."""
    descriptors = [exported_payload(device, exportable) for _ in range(EXPORTS)]

    bare = [number for number, one in enumerate(descriptors, 1) if not one.closes_on_exec]
    assert not bare, f"exports number {bare} of {EXPORTS} returned a descriptor without FD_CLOEXEC"


@rule("SPEC-EXPORT-04")
def test_a_descriptor_of_an_imported_payload_is_marked_close_on_exec(device, kind, permanence):
    """FD_CLOEXEC is also set on a descriptor exported from an imported payload."""
    temporary = allow_permanence(kind, permanence)
    needs_exportable_imports(device, kind)
    importer = device.semaphore(kind, export=True)
    importer.imports(exported_payload(device, kind), temporary)

    answer, descriptor = importer.export_fd()
    if not answer.is_success or descriptor.fd == -1:
        unsupported(f"the export of an imported payload returned {answer}, {descriptor}: SPEC-CAPS-03 judges that")

    assert descriptor.closes_on_exec, f"{descriptor}, exported from an imported payload, has no FD_CLOEXEC"


@rule("SPEC-EXPORT-04")
def test_an_exported_descriptor_does_not_survive_execve(device, exportable):
    """An exported descriptor is closed in a program that the process executes."""
    descriptors = [exported_payload(device, exportable) for _ in range(EXPORTS)]
    kept = os.dup(descriptors[0].fd)
    os.set_inheritable(kept, True)  # shows that the program below can see what does survive
    asks = "import os, sys; print([int(n) for n in sys.argv[1:] if os.path.lexists(f'/proc/self/fd/{n}')])"

    command = [sys.executable, "-Sc", asks, *[str(one.fd) for one in descriptors], str(kept)]
    seen = subprocess.run(command, close_fds=False, capture_output=True, text=True, timeout=30).stdout.strip()
    os.close(kept)

    assert seen.endswith(f"{kept}]"), f"the executed program did not list its descriptors: {seen}"
    assert seen == f"[{kept}]", f"exported descriptors were open in an executed program: {seen}"


@rule("SPEC-EXPORT-01", "SPEC-CAPS-03")
@pytest.mark.parametrize("count", [2, 16])
def test_every_export_makes_a_descriptor_of_its_own(device, exportable, count):
    """Several exports give several descriptors, all open at the same time."""
    if exportable.handle_type == HandleType.SYNC_FD:
        descriptors = [exported_payload(device, exportable) for _ in range(count)]
    else:
        semaphore = device.semaphore(exportable, export=True)
        descriptors = [semaphore.exported() for _ in range(count)]

    numbers = [descriptor.fd for descriptor in descriptors]
    assert len(set(numbers)) == count, f"{count} exports returned the descriptors {numbers}"
    assert all(is_open(number) for number in numbers), f"exported descriptors {numbers} were not all open"


@rule("SPEC-EXPORT-01")
def test_closing_one_descriptor_leaves_the_others_good(device, opaque_kind):
    """Closing one descriptor of a payload leaves another descriptor of it open and importable."""
    semaphore, importer = device.semaphore(opaque_kind, export=True), device.semaphore(opaque_kind)
    first, second = semaphore.exported(), semaphore.exported()

    first.close()

    assert second.is_open, f"closing {first} closed {second}"
    assert importer.import_fd(second.dup().fd).is_success, f"after {first} was closed {second} does not import"
    signal_and_wait(semaphore, importer, f"the second descriptor, {second}")


@rule("SPEC-EXPORT-02", "SPEC-EXPORT-01")
def test_closing_a_descriptor_is_nothing_to_the_payload(device, open_device, opaque_kind):
    """Closing the first descriptor does not lose the exporter's signal, and the next signal reaches importers."""
    exporter, importing = device.semaphore(opaque_kind, export=True), open_device()
    descriptor = exporter.exported()
    importer = importing.semaphore(opaque_kind).imports(exporter.exported())
    signal(exporter, 1)

    descriptor.close()
    wait = wait_for(exporter, 1)

    assert wait.finishes(), f"after its first descriptor was closed the exporter's signal is lost: {wait}"
    proof = shown(lambda factor: (signal_behind_work(exporter, factor, 1 + factor), wait_for(importer, 1 + factor)))
    assert proof is Proof.HELD, (
        f"after the first descriptor was closed an importer waits for the exporter: {proof.value}"
    )


@rule("SPEC-EXPORT-02")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_exports_leave_nothing_open(device, exportable):
    """Rounds of export, close and destroy leave no descriptor open; no rule forbids one, so growth is a warning."""

    def one_round():
        assert real(export_in(device, exportable, "signaled")).close() == 0, "the exported descriptor cannot be closed"
        device.settle()

    left = descriptors_left(one_round)

    if left:
        warn(f"export, close and destroy left {left}")


@rule("SPEC-EXPORT-02")
def test_an_exported_descriptor_is_the_applications_to_close(device, exportable):
    """The driver leaves an exported descriptor open, for the application to close."""
    descriptor = exported_payload(device, exportable)
    device.semaphore(exportable)
    device.queue.submit().finishes()  # a driver may close late

    assert descriptor.is_open, f"the driver closed {descriptor}, which belongs to the application"
    problem = descriptor.close()
    assert problem == 0, f"close({descriptor.fd}) failed with {os.strerror(problem)}"


@rule("SPEC-HANDLE-02")
@pytest.mark.parametrize("how", ["dup", "dup2", "dup3"])
def test_copies_of_an_opaque_descriptor_import(device, opaque_kind, how):
    """Descriptors from dup, dup2 and dup3 import the same payload, also after the original was closed."""
    exporter, importer = device.semaphore(opaque_kind, export=True), device.semaphore(opaque_kind)
    original = exporter.exported()
    target = os.open("/dev/null", os.O_RDONLY)
    makers = {"dup": lambda: os.dup(original.fd), "dup2": lambda: os.dup2(original.fd, target)}
    makers["dup3"] = lambda: os.dup2(original.fd, target, inheritable=False)
    copy = makers[how]()
    original.close()

    answer = importer.import_fd(copy)

    assert answer.is_success, f"vkImportSemaphoreFdKHR of a {how} of an exported descriptor returned {answer}"
    signal_and_wait(exporter, importer, f"a {how} of the descriptor")


@contextmanager
def room_for(number, device):
    """Free a descriptor number until `device` is settled; then the file that was open there is open again."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] <= number:
        unsupported(f"this process may have {limits[1]} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], number + 1), limits[1]))
    before = apart.raised(dup(number)) if is_open(number) else -1
    yield
    device.settle()
    if before >= 0:
        if not is_open(number):
            os.dup2(before, number)
        os.close(before)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@rule("SPEC-HANDLE-02")
@pytest.mark.isolated(fresh=True)  # a driver may still hold the number that an earlier test gave it
@pytest.mark.one_queue
@pytest.mark.parametrize("number", [0, 2000])
def test_a_copy_imports_whatever_its_number(device, opaque_kind, number):
    """A descriptor with the number 0, or with a high number, made by dup2, imports the payload."""
    exporter, importer = device.semaphore(opaque_kind, export=True), device.semaphore(opaque_kind)
    with room_for(number, device):
        copy = os.dup2(exporter.exported().fd, number, inheritable=False)

        answer = importer.import_fd(copy)

        assert answer.is_success, f"vkImportSemaphoreFdKHR of a copy with the number {number} returned {answer}"
        signal_and_wait(exporter, importer, f"a copy with the number {number}")


def signal_and_wait(exporter, importer, through):
    """Assert that a wait for one ends after a signal of the other: they share a payload (SPEC-IMPORT-14)."""
    if exporter.kind.semaphore_type:
        value = exporter.counter() + 1
        assert exporter.host_signal(value).is_success, f"vkSignalSemaphore({value}) failed"
        assert importer.counter() == value, (
            f"through {through} the importer's counter is {importer.counter()} instead of {value} (SPEC-IMPORT-14)"
        )
    else:
        exporter.signal()
        wait = importer.device.queue.submit(waits=[importer])
        assert wait.finishes(), f"a wait through {through} does not see the signal: {wait} (SPEC-IMPORT-14)"


@rule("SPEC-HANDLE-01")
def test_an_opaque_export_is_an_open_descriptor(device, opaque_kind):
    """An export as OPAQUE_FD returns an open descriptor, never -1."""
    answer, descriptor = device.semaphore(opaque_kind, export=True).export_fd()

    assert answer == Result.SUCCESS, f"vkGetSemaphoreFdKHR returned {answer}"
    assert descriptor.is_open, f"vkGetSemaphoreFdKHR returned {descriptor}, which is not open"


@rule("SPEC-EXPORT-07")
@pytest.mark.parametrize("state", STATES)
def test_an_opaque_export_needs_no_state(device, opaque_kind, state):
    """An export as OPAQUE_FD succeeds from an unsignaled semaphore, a signaled one, and one with a pending signal."""
    answer, descriptor = export_in(device, opaque_kind, state)

    assert answer == Result.SUCCESS, f"vkGetSemaphoreFdKHR of a semaphore that is {state} returned {answer}"
    assert descriptor.is_open, f"vkGetSemaphoreFdKHR returned {descriptor}, which is not open"


@rule("SPEC-EXPORT-07", "SPEC-STATE-02")
def test_an_export_leaves_a_pending_wait_alone(device, open_device, opaque_kind):
    """A wait submitted before the first export consumes its signal, and importers wait for the next signal."""
    needs_binary(opaque_kind)
    needs_timelines(device)
    exporter, gate, importing = device.semaphore(opaque_kind, export=True), device.semaphore(TIMELINE), open_device()
    exporter.signal()
    held = device.queue.submit(waits=[(gate, 1), exporter])

    importer = importing.semaphore(opaque_kind).imports(exporter.exported())
    signaled = gate.host_signal(1).is_success and held.finishes()

    assert signaled, f"a wait that was pending during an export does not end: {held}"
    proof = shown(lambda factor: (signal_behind_work(exporter, factor), wait_for(importer)))
    assert proof is Proof.HELD, (
        f"a wait consumed the signal during an export; an importer waits for the next signal: {proof.value}"
    )


@rule("SPEC-DESTROY-02", "SPEC-EXPORT-02", "ISSUE-VK_KHR_external_semaphore_fd-1")
@pytest.mark.parametrize("destroyed", ["semaphore", "device", "instance"])
def test_destroying_the_exporter_leaves_the_descriptor_open(device, open_device, exportable, destroyed):
    """Destroying the exporter, its device or its instance leaves the descriptor open, on the same file."""
    exporter = open_device()
    descriptor = exported_payload(exporter, exportable)
    kept = descriptor.dup()

    close(exporter, destroyed, device)

    assert descriptor.is_open, f"destroying the {destroyed} closed {descriptor}"
    same = same_file(descriptor.fd, kept.fd)
    if same is None:
        unsupported("kcmp is not available: the file behind the descriptor cannot be compared")
    assert same, f"after the {destroyed} was destroyed {descriptor} refers to another file"


@rule("SPEC-HANDLE-04", "SPEC-DESTROY-02", "ISSUE-VK_KHR_external_semaphore_fd-1")
@pytest.mark.parametrize("destroyed", ["semaphore", "device", "instance"])
def test_a_descriptor_keeps_the_payload_alive(device, open_device, opaque_kind, destroyed):
    """A signal given before the exporter was destroyed reaches a later import of the descriptor."""
    exporter = open_device()
    descriptor = exported_payload(exporter, opaque_kind)
    close(exporter, destroyed, device)
    importer = device.semaphore(opaque_kind)

    answer = importer.import_fd(descriptor.fd)

    assert answer.is_success, f"after the {destroyed} was destroyed the import returned {answer}"
    if opaque_kind.semaphore_type:
        assert importer.counter() == VALUE, (
            f"the exporter's counter was {VALUE}, the importer's counter is {importer.counter()}"
        )
    else:
        wait = device.queue.submit(waits=[importer])
        assert wait.finishes(), f"destroying the {destroyed} lost the signal: {wait}"


@rule("SPEC-HANDLE-04", "SPEC-DESTROY-02")
@pytest.mark.parametrize("destroyed", ["semaphore", "device", "instance"])
def test_a_descriptor_keeps_an_unsignaled_payload(device, open_device, opaque_kind, destroyed):
    """Semaphores that import the payload of a destroyed exporter share it, unsignaled: a wait holds for their own signal."""
    source = open_device()
    descriptor = source.semaphore(opaque_kind, export=True).exported()
    close(source, destroyed, device)

    signaling, waiting = (one.semaphore(opaque_kind).imports(descriptor) for one in (device, open_device()))

    proof = shown(lambda n: (signal_behind_work(signaling, n, n), wait_for(waiting, n)))
    assert proof is Proof.HELD, (
        f"the {destroyed} was destroyed; importers of its payload signal and wait: {proof.value}"
    )
