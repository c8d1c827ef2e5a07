"""Payloads that cross between two drivers as SYNC_FD, as between a compositor and its client on two GPUs.

The handle type asks for no equal UUIDs.  With one driver installed, its second device stands in for another one.
"""

from contextlib import ExitStack

import pytest

from fixtures.testbed import bench, patience
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.vulkan.outcomes import unsupported, warn
from suites.ledger import rule
from suites.neighbours.children import ended, from_child, said
from suites.neighbours.other_process import export_behind_work, import_and_tell
from suites.neighbours.sync_files import Fence, fences, is_ready, merge_sync_files
from suites.neighbours.two_drivers import Pair, at_fault, export_of_pending, is_signaled, judged, neighbour_of
from suites.steps.exports import exported_payload, real
from suites.steps.signals import signal, signal_behind_work, wait_for

FRAMES = 24
RING = 3


@pytest.fixture
def neighbour(pytestconfig, device_info, sync_kind):
    """The DeviceInfo of the device on the other side."""
    return neighbour_of(pytestconfig, device_info)


@pytest.fixture(params=["exports", "imports"])
def pair(request, device, neighbour):
    """The device under test, which exports or imports, and a device of its neighbour, which does the other."""
    with judged(False, neighbour.slug):
        other = bench.borrow_device(neighbour)
    yield Pair(device, other, device) if request.param == "exports" else Pair(other, device, device)
    bench.return_device(other)


@pytest.fixture
def borrow(processes):
    """As `processes.borrow`; a step that was not finished when the test ends is killed."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(ended(processes.borrow(*arguments)))


@rule("SPEC-COMPAT-02", "SPEC-HANDLE-08")
def test_a_signaled_payload_crosses_to_another_driver(pair, sync_kind):
    """A payload that was signaled before its export on one driver is signaled on the other."""
    exporter = pair.semaphore(pair.exporting)
    with pair.acts(pair.exporting):
        signal(exporter)

    wait = wait_for(pair.passed(exporter))

    problem = "" if wait.finishes() else pair.told(at_fault(Proof.NEVER, pair.sent, pair.importing), f"{pair}: {wait}")
    assert not problem, problem


@rule("SPEC-IMPORT-33", "SPEC-COMPAT-02", "SPEC-HANDLE-08")
def test_a_pending_payload_crosses_to_another_driver(pair, sync_kind):
    """A wait on one driver holds until the work on the other driver is done."""

    def arrange(factor):
        gate, descriptor = pair.sent_behind_work(factor)
        return gate, wait_for(pair.taken(descriptor))

    problem = pair.problem(arrange)

    assert not problem, problem


@rule("SPEC-IMPORT-33", "SPEC-COMPAT-02", "SPEC-HANDLE-08")
def test_a_merge_of_two_drivers_imports(pair, sync_kind):
    """A wait for a merge of a driver's own sync_file with the other's holds until the other's work is done."""

    def arrange(factor):
        with pair.acts(pair.importing):
            own = exported_payload(pair.importing, sync_kind)
        gate, theirs = pair.sent_behind_work(factor, real)
        return gate, wait_for(pair.taken(merge_sync_files(theirs, own)))

    problem = pair.problem(arrange)

    assert not problem, problem


@rule("SPEC-HANDLE-06")
def test_a_merge_of_two_drivers_is_ready_when_both_are(pair, sync_kind):
    """poll() reports a merge of two drivers' sync_files ready once the work of the slower one is done, not before."""

    def arrange(factor):
        with pair.acts(pair.importing):
            own = exported_payload(pair.importing, sync_kind)
        gate, theirs = pair.sent_behind_work(factor, real)
        merged[:] = [merge_sync_files(theirs, own)]
        return gate, lambda: is_ready(merged[0].fd, patience.seconds())

    merged = []
    problem = pair.problem(arrange)

    assert not problem, f"poll() of a merged sync_file: {problem}"
    states = {one.status for one in fences(merged[0].fd)}
    assert states == {1}, f"poll() reports a merged sync_file ready, but its fences have the states {states}"


@rule("SPEC-IMPORT-33", "SPEC-COMPAT-02", "SPEC-HANDLE-08")
def test_a_signal_behind_another_drivers_signal_is_pending(pair, open_device, sync_kind):
    """What a driver signals after a wait for the other's payload is pending until the other's work is done."""
    last = open_device()

    def arrange(factor):
        relayed = pair.semaphore(pair.importing)
        gate, descriptor = pair.sent_behind_work(factor)
        pair.importing.queue.submit(waits=[pair.taken(descriptor)], signals=[relayed])
        with export_of_pending(gate, factor):
            target = pair.passed(relayed, last)
        return gate, wait_for(target)

    problem = pair.problem(arrange)

    assert not problem, problem


@rule("SPEC-COMPAT-02", "SPEC-HANDLE-08")
def test_frames_go_from_driver_to_driver_and_back(pair, sync_kind):
    """A client hands each frame to a compositor on another driver, with a fence each way, and every frame ends."""
    rendered, done = (pair.semaphore(one) for one in (pair.exporting, pair.importing))
    released, used = [], []

    for frame in range(FRAMES):
        with pair.acts(pair.exporting):
            run_work(pair.exporting) if frame % 16 == 0 else None
        used.append(pair.exporting.queue.submit(waits=released[frame - RING :][: frame >= RING], signals=[rendered]))
        used.append(pair.importing.queue.submit(waits=[pair.passed(rendered)], signals=[done]))
        released.append(pair.passed(done, pair.exporting))
    stuck = next((one for one in used if not one.finishes()), None)

    text = f"{pair}: of {len(used)} submissions {stuck} is the first that does not end"
    problem = pair.told(at_fault(Proof.NEVER, pair.sent[: used.index(stuck)], stuck.device), text) if stuck else ""
    assert not problem, problem


@rule("SPEC-COMPAT-02", "SPEC-HANDLE-08", "SPEC-FUND-03")
def test_a_signaled_payload_of_another_drivers_process_imports(device, neighbour, sync_kind, borrow):
    """What a process exports on one driver and signals imports in this process on the other driver, and a wait ends."""
    child = borrow(export_behind_work, neighbour, sync_kind, 1)
    with judged(False, neighbour.slug):
        _, received = from_child(child, device.vk)
    if not is_ready(received.fd, patience.seconds()):
        unsupported(f"{neighbour.slug}, which is not judged here, does not signal its sync_file")

    wait = wait_for(device.semaphore(sync_kind).imports(received, temporary=True))

    assert wait.finishes(), f"a wait for a signaled payload of {neighbour.slug} in another process does not end: {wait}"
    child.finish()


@rule("SPEC-IMPORT-33", "SPEC-COMPAT-02", "SPEC-HANDLE-08")
def test_a_wait_for_another_drivers_process_holds(device, neighbour, sync_kind, borrow):
    """A wait for the pending payload of another process on another driver holds until the kernel's fence is signaled."""

    def arrange(factor):
        [child.finish() for child in children[-1:]]
        children.append(borrow(export_behind_work, neighbour, sync_kind, factor))
        with judged(False, neighbour.slug):
            received[:] = [from_child(children[-1], device.vk)[1]]
        return Fence(*received), wait_for(device.semaphore(sync_kind).imports(*received, temporary=True))

    children, received = [], []
    proof = shown(arrange)

    if proof is Proof.NEVER and not is_signaled(*received):
        unsupported(f"{neighbour.slug}, which is not judged here, does not signal its sync_file")
    assert proof is Proof.HELD, f"{neighbour.slug} signals in another process, {device} waits: {proof.value}"
    children[-1].finish()


@rule("SPEC-IMPORT-33", "SPEC-COMPAT-02")
def test_another_drivers_process_waits_for_a_pending_payload(device, neighbour, sync_kind, borrow):
    """A wait of another process on another driver holds until the work on the exporter's is done."""

    def arrange(factor):
        exporter = device.semaphore(sync_kind, export=True)
        gate = signal_behind_work(exporter, factor)
        with export_of_pending(gate, factor):
            descriptor = real(exporter.export_fd())
        child = borrow(import_and_tell, neighbour, sync_kind)
        child.channel.send_fd(descriptor.fd)
        with judged(False, neighbour.slug):
            child.channel.receive()
        used[:] = gate, descriptor
        return gate, lambda: said(child.finish()) == ""

    used = []
    proof = shown(arrange)

    text = f"{device} signals, {neighbour.slug} waits in another process: {proof.value}"
    if proof is not Proof.HELD:
        guilty = at_fault(proof, [(device, used[1])], neighbour, used[0])
        assert guilty is neighbour, text
        warn(text)
