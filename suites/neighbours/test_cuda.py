"""Semaphores that Vulkan exports and CUDA imports, in one process and in several."""

import pytest

from fixtures.testbed import cuda as cuda_driver
from fixtures.testbed.foreign import stranger as make_stranger
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.commands import is_open
from fixtures.vulkan.outcomes import declined, unsupported
from suites.ledger import rule
from suites.neighbours.children import from_child, said
from suites.neighbours.other_process import VALUE, export_signaled, import_into_cuda_and_signal
from suites.steps.leaks import grows, growth
from suites.steps.members import close, device_at
from suites.steps.signals import at, signal

pytestmark = [pytest.mark.isolated, pytest.mark.one_queue]
LARGE = 2**32 + 7
ROUNDS = 100


@pytest.fixture
def shared_timeline(cuda, device):
    """(a timeline of Vulkan at LARGE, the same one in CUDA)."""
    if device.info.features(TIMELINE) != 3:
        unsupported("OPAQUE_FD of timeline semaphores: not exportable and importable")
    semaphore = device.semaphore(TIMELINE, export=True, initial_value=LARGE)
    return semaphore, cuda.imports(semaphore.exported(), TIMELINE)


@rule("SPEC-CUDA-02")
def test_cuda_knows_the_device_by_its_uuid(device_info):
    """CUDA's device at the Vulkan device's PCI address has the same UUID as deviceUUID."""
    if device_info.driver_id != cuda_driver.NVIDIA_PROPRIETARY:
        unsupported("CUDA shares semaphores with NVIDIA's own driver only")

    api = cuda_driver.load()
    found = cuda_driver.devices(api)

    at_address = {uuid: one for uuid, (one, address) in found.items() if address == device_info.pci}
    if not at_address:
        declined("CUDA has no device at the PCI address that Vulkan tells")
    if {bytes(api.cuDeviceGetUuid(one)[1].bytes).hex() for one in at_address.values()} != {*at_address}:
        unsupported("CUDA's devices are instances of a partitioned device (MIG), with UUIDs of their own")
    assert device_info.device_uuid in at_address, f"at {device_info.pci} CUDA has {next(iter(at_address))}"


@rule("SPEC-CUDA-01")
def test_cuda_imports_what_vulkan_exports(cuda, device, opaque_kind):
    """The descriptor of an exportable semaphore imports into CUDA."""
    exported = device.semaphore(opaque_kind, export=True).exported()

    status, _ = cuda.import_semaphore(exported.dup().fd, opaque_kind)

    if int(status) == cuda_driver.NOT_SUPPORTED:
        declined(f"cuImportExternalSemaphore returned {status.name}")
    assert int(status) == cuda_driver.SUCCESS, f"cuImportExternalSemaphore of {exported} returned {status.name}"


@rule("SPEC-CUDA-03")
def test_cuda_waits_for_work_before_a_vulkan_signal(cuda, device, opaque_kind):
    """A CUDA stream that waits holds until the batch before Vulkan's signal is done, then continues."""
    semaphore = device.semaphore(opaque_kind, export=True)
    imported = cuda.imports(semaphore.exported(), opaque_kind)

    def arrange(factor):
        gate = run_work(device, factor)
        device.queue.submit(signals=[at(semaphore, factor)])
        cuda.wait(imported, factor)
        return gate, cuda.mark()

    proof = shown(arrange)
    assert proof is Proof.HELD, f"a CUDA wait for a Vulkan signal: {proof.value}"


@rule("SPEC-CUDA-04")
def test_vulkan_waits_for_work_before_a_cuda_signal(cuda, device, opaque_kind):
    """A batch that waits holds until the stream's work before CUDA's signal is done, then starts."""
    semaphore = device.semaphore(opaque_kind, export=True)
    imported = cuda.imports(semaphore.exported(), opaque_kind)

    def arrange(factor):
        gate = cuda.run_work(factor)
        cuda.signal(imported, factor)
        return gate, device.queue.submit(waits=[at(semaphore, factor)])

    proof = shown(arrange)
    assert proof is Proof.HELD, f"a Vulkan wait for a CUDA signal: {proof.value}"


@rule("SPEC-CUDA-03", "SPEC-CUDA-04")
def test_signals_go_back_and_forth(cuda, device, opaque_kind):
    """Vulkan and CUDA take turns many times over two semaphores, without a host wait between."""
    there, back = (device.semaphore(opaque_kind, export=True) for _ in range(2))
    in_cuda = [cuda.imports(one.exported(), opaque_kind) for one in (there, back)]

    for turn in range(1, ROUNDS + 1):
        device.queue.submit(signals=[at(there, turn)])
        cuda.wait(in_cuda[0], turn)
        cuda.signal(in_cuda[1], turn)
        last = device.queue.submit(waits=[at(back, turn)])

    assert last.finishes(), f"after {ROUNDS} turns Vulkan's last wait does not end: {last}"
    assert cuda.mark().finishes(), f"after {ROUNDS} turns CUDA's stream does not end"


@rule("SPEC-CUDA-04")
@pytest.mark.parametrize("value", [LARGE + 1, LARGE + 2**31 - 1], ids=["next", "far"])
def test_a_cuda_signal_sets_the_value(cuda, shared_timeline, value):
    """A CUDA signal sets a timeline to exactly its value."""
    semaphore, imported = shared_timeline

    cuda.signal(imported, value)

    assert cuda.mark().finishes(), f"a CUDA signal of {value} does not end"
    assert semaphore.counter() == value, f"CUDA signaled {value}, the counter is {semaphore.counter()}"


@rule("SPEC-CUDA-03")
@pytest.mark.parametrize("value", [1, LARGE - 1, LARGE], ids=["less", "one-less", "equal"])
def test_a_cuda_wait_for_a_value_that_is_reached_ends(cuda, shared_timeline, value):
    """A CUDA wait for a value up to the counter ends, and leaves the counter unchanged."""
    semaphore, imported = shared_timeline

    cuda.wait(imported, value)

    assert cuda.mark().finishes(), f"the counter is {LARGE}, and a CUDA wait for {value} does not end"
    assert semaphore.counter() == LARGE, f"a CUDA wait changed the counter from {LARGE} to {semaphore.counter()}"


@rule("SPEC-CUDA-08")
@pytest.mark.parametrize("by", ["host", "batch"])
def test_a_cuda_wait_comes_before_its_signal(cuda, device, shared_timeline, by):
    """A CUDA wait for a later value holds while a smaller one is signaled, and ends when the value is reached."""
    semaphore, imported = shared_timeline
    cuda.wait(imported, LARGE + 2)
    waiting = cuda.mark()

    reached = []
    for value in (LARGE + 1, LARGE + 2):
        semaphore.host_signal(value) if by == "host" else signal(semaphore, value)
        reached.append(waiting.finishes(0.05 if value == LARGE + 1 else None))

    assert reached == [False, True], (
        f"after signals of {LARGE + 1} and {LARGE + 2} a CUDA wait for the latter had ended: {reached}"
    )


@rule("SPEC-CUDA-08", "SPEC-STATE-12")
def test_a_vulkan_wait_comes_before_its_cuda_signal(cuda, device, shared_timeline):
    """A batch that waits for a later value starts when CUDA signals it."""
    semaphore, imported = shared_timeline

    waiting = device.queue.submit(waits=[(semaphore, LARGE + 1)])
    was_done = waiting.is_done
    cuda.signal(imported, LARGE + 1)

    assert waiting.finishes(), f"CUDA signaled {LARGE + 1}, and Vulkan's wait for it does not end: {waiting}"
    assert not was_done, f"the counter was {LARGE}, and Vulkan's wait for {LARGE + 1} had ended"


@rule("SPEC-CUDA-05")
def test_cuda_owns_what_it_imported(cuda, device, opaque_kind):
    """CUDA closes the descriptors that it imported when it destroys the semaphores: rounds leave none open."""
    exported = device.semaphore(opaque_kind, export=True).exported()
    cuda.imports(exported, opaque_kind)

    def one_round():
        cuda.imports(exported, opaque_kind)
        cuda.settle()

    left = grows(growth(one_round, (ROUNDS, 2 * ROUNDS)), "descriptors")

    assert not left, f"import by CUDA and destroy left {left}"


@rule("SPEC-CUDA-06")
@pytest.mark.parametrize("name", ["pipe-read", "memfd-noise", "dev-null"])
def test_cuda_leaves_alone_what_it_cannot_import(cuda, device, opaque_kind, name):
    """CUDA refuses a foreign descriptor and leaves it open."""
    with make_stranger(name, device) as stranger:
        status, _ = cuda.import_semaphore(stranger.fd, opaque_kind)

        assert int(status) != cuda_driver.SUCCESS, f"cuImportExternalSemaphore accepted {stranger}"
        assert is_open(stranger.fd), f"cuImportExternalSemaphore closed {stranger} although it returned {status.name}"


@rule("SPEC-HANDLE-04")
@pytest.mark.parametrize("destroyed", ["semaphore", "device", "instance"])
@pytest.mark.parametrize("imported", ["before", "after"])
def test_a_payload_in_cuda_outlives_its_exporter(cuda, device, open_device, opaque_kind, destroyed, imported):
    """A signal given before the exporter was destroyed ends CUDA's wait, and CUDA's signals reach a second importer."""
    source = device_at("other-instance", device, open_device)
    exporter = source.semaphore(opaque_kind, export=True)
    signal(exporter)
    descriptor = exporter.exported()
    in_cuda = cuda.imports(descriptor, opaque_kind) if imported == "before" else None
    close(source, destroyed, device)
    in_cuda = in_cuda or cuda.imports(descriptor, opaque_kind)
    second = device.semaphore(opaque_kind).imports(descriptor)

    cuda.wait(in_cuda)
    cuda.signal(in_cuda, 2)
    assert cuda.mark().finishes(), f"after the {destroyed} was destroyed a CUDA wait for its signal does not end"
    wait = device.queue.submit(waits=[at(second, 2)])

    assert wait.finishes(), f"after the {destroyed} was destroyed a CUDA signal reaches no importer: {wait}"


@rule("SPEC-CUDA-03", "SPEC-HANDLE-03")
@pytest.mark.parametrize("end", ["exits", "killed"])
def test_cuda_waits_for_a_signal_of_another_process(cuda, device, opaque_kind, processes, end):
    """A signal that a process gave before it exited or was killed ends a CUDA wait in this process."""
    child = processes.start(export_signaled, device.info, opaque_kind, "waits" if end == "killed" else "returns")
    _, received = from_child(child, device.vk)
    imported = cuda.imports(received, opaque_kind)
    child.kill() if end == "killed" else child.finish(gone=True)

    cuda.wait(imported, VALUE)

    assert cuda.mark().finishes(), f"the exporting process {end}, and a CUDA wait for its signal does not end"


@rule("SPEC-CUDA-04", "SPEC-HANDLE-03")
def test_cuda_of_another_process_signals(cuda, device, opaque_kind, processes):
    """A CUDA signal in another process, without Vulkan there, reaches Vulkan in this process."""
    exporter = device.semaphore(opaque_kind, export=True)

    child = processes.borrow(import_into_cuda_and_signal, device.info, opaque_kind)
    child.channel.send_fd(exporter.exported().fd)
    problem = said(child.finish())

    assert not problem, f"in another process {problem}"
    wait = device.queue.submit(waits=[at(exporter, VALUE)])
    assert wait.finishes(), f"a signal that CUDA gave in another process does not reach Vulkan: {wait}"
