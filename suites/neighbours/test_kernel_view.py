"""What the kernel tells of the sync_files that a driver exports, and what becomes of them when others end.

No sentence of the specification demands most of it: a warning then.
"""

import resource
import time

import pytest

from fixtures.testbed import bench, patience
from fixtures.vulkan.outcomes import declined, too_late, warn
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.neighbours import sync_files
from suites.neighbours.children import ended, from_child
from suites.neighbours.other_process import export_behind_work, import_and_end
from suites.neighbours.two_drivers import OVER, is_signaled, judged, neighbour_of
from suites.steps import buffers
from suites.steps.exports import exported_payload, real

BOUNDED = {Result.SUCCESS, Result.ERROR_INITIALIZATION_FAILED, Result.ERROR_DEVICE_LOST}
FRAMES, FEWEST, WARM_UP, LONGEST = 1000, 100, 25, 3.0
"""How many frames keep their sync_files, and how many at least where they last longer than LONGEST seconds, before --patience."""
SIZE, LARGE = 1 << 18, 1 << 24
ROOM = 256
"""Descriptors that a process has open beside those that are kept."""
END = patience.SIGNALED
"""Seconds, before --patience, after which what waits for a killed process counts as not ended."""
WORK = 64
"""How much work, x 10 ms, is pending when a process is killed."""


def told(descriptor):
    """What the kernel tells of the fences of a sync_file; `unsupported` where it is none."""
    try:
        return sync_files.fences(descriptor.fd)
    except OSError as problem:
        declined(f"SYNC_IOC_FILE_INFO failed with {problem.strerror}; SPEC-HANDLE-05 judges that")


@rule("SPEC-HANDLE-05")
def test_a_sync_file_names_its_driver_and_timeline(device, sync_kind):
    """Each fence of an exported sync_file has the names of a driver and of a timeline, as debugging tools show them."""
    found = told(exported_payload(device, sync_kind))

    assert found, "the exported sync_file has no fence"
    assert all(one.driver and one.timeline for one in found), f"a fence of the exported sync_file has no name: {found}"


@rule("SPEC-HANDLE-06")
def test_a_fence_tells_when_it_was_signaled(device, sync_kind):
    """A signaled fence has a time of CLOCK_MONOTONIC, not before the submission if it was pending after the export."""
    start = time.monotonic_ns()
    exported = exported_payload(device, sync_kind)
    was_pending = any(one.status == 0 for one in told(exported))
    assert sync_files.is_ready(exported.fd, patience.seconds()), f"poll() does not report {exported} ready"

    times, end = [one.nanoseconds for one in told(exported)], time.monotonic_ns()

    early = f"the work was submitted after {start} ns" if was_pending else ""
    assert all((start if was_pending else 1) <= one <= end for one in times), (
        f"signaled fences of {exported} have the times {times} ns, at {end} ns of CLOCK_MONOTONIC; {early}"
    )


@rule("SPEC-HANDLE-06")
def test_poll_and_the_fences_agree(device, sync_kind):
    """poll() reports a sync_file ready as soon as its fences are signaled, and from then on."""
    exported = exported_payload(device, sync_kind)
    seen, end = [], time.monotonic() + patience.seconds()

    while (not seen or not seen[-1][1]) and time.monotonic() < end:
        before = [one.status for one in told(exported)]
        seen.append((before, sync_files.is_ready(exported.fd, 0)))
    states, ready = [one.status for one in told(exported)], sync_files.is_ready(exported.fd, 0)

    late = [statuses for statuses, ready in seen if all(statuses) and not ready]
    assert not late, f"poll() does not report {exported} ready although its fences have the states {late[0]}"
    assert ready, f"poll() does not report {exported} ready, or not again; its fences have the states {states}"
    assert all(states), f"poll() reports {exported} ready, but its fences have the states {states}"


@pytest.fixture
def frames():
    """How many sync_files a process can keep, with as many descriptors as it may have; FRAMES at most."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = max(least, min(most, FRAMES + ROOM))
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
    yield min(FRAMES, enough - ROOM)
    resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))


def memory(device):
    """Bytes that this process has: in RAM, and of the device's memory where the driver tells."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[1]) * resource.getpagesize()
    if "VK_EXT_memory_budget" in device.info.extensions:
        name, base = "vkGetPhysicalDeviceMemoryProperties2", "VkPhysicalDeviceMemoryProperties2"
        chain = ("VkPhysicalDeviceMemoryBudgetPropertiesEXT",)
        heaps, budget = device.vk.query_chain(device.instance.physical, name, base, chain)
        used += sum(budget.heapUsage[i] for i in range(heaps.memoryProperties.memoryHeapCount))
    return used


def frame(device, kind, size=SIZE):
    """(the sync_file of work that fills a new buffer, what `memory` is after the work); all else is destroyed by now."""
    buffer = buffers.make(device, size, buffers.HOST_VISIBLE_AND_COHERENT)
    rendered = device.semaphore(kind, export=True)
    work = device.queue.submit(commands=[buffers.write(buffer, 0xFEEDBEEF)], signals=[rendered])
    descriptor = real(rendered.export_fd())
    work.finishes()
    seen = memory(device)
    device.settle()
    return descriptor, seen


@rule("SPEC-DESTROY-06")
@pytest.mark.isolated
@pytest.mark.one_queue
@pytest.mark.limit(30)
def test_kept_sync_files_hold_no_memory_of_their_work(device, sync_kind, frames):
    """Sync_files that are kept for a thousand frames hold no memory of the buffers that those frames used and freed."""
    kept, before = [], memory(device)
    if frame(device, sync_kind, LARGE)[1] - before < LARGE // 2:
        declined("the memory of a buffer cannot be seen: the driver has it elsewhere, and offers no memory budget")

    end = time.monotonic() + patience.seconds(LONGEST)
    while len(kept) < frames and (len(kept) < FEWEST or time.monotonic() < end):
        kept.append(frame(device, sync_kind)[0])
        before = memory(device) if len(kept) == WARM_UP else before
    grown = memory(device) - before

    counted = len(kept) - WARM_UP
    assert grown < counted * SIZE // 2, (
        f"{counted} frames used {SIZE} bytes each, and left {grown} bytes with their sync_files"
    )


@pytest.fixture
def importer(device_info, sync_kind, processes):
    """A process with a device, which imports a descriptor and waits."""
    with ended(processes.start(import_and_end, device_info, sync_kind)) as child:
        child.channel.receive()
        yield child


@pytest.fixture(params=["own-driver", "another-driver"])
def exporter(request, pytestconfig, device_info, sync_kind, processes):
    """A process on the same or another driver, and the descriptor of a payload that is pending there."""
    info = device_info if request.param == "own-driver" else neighbour_of(pytestconfig, device_info)
    with ended(processes.start(export_behind_work, info, sync_kind, WORK, True)) as child:
        with judged(info == device_info, info.slug):
            _, received = from_child(child, bench.commands())
        if is_signaled(received):
            too_late(OVER)
        yield child, received


@rule("ISSUE-VK_KHR_external_semaphore-1")
@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_wait_survives_a_killed_exporter(importer, exporter, killed):
    """A wait for the SYNC_FD of a process that is killed, with its signal pending, has one of the listed outcomes."""
    child, received = exporter

    child.kill() if killed == "before" else None
    importer.channel.send_fd(received.fd)
    importer.channel.receive()
    child.kill() if killed == "after" else None
    ending = importer.finish(time.monotonic() - importer.started + patience.seconds(2 * END))

    if ending.how == "timeout" or ending.value == Result.TIMEOUT:
        warn(
            f"a wait for the SYNC_FD of a killed process has not ended after {END:g} s, before --patience; that is allowed"
        )
        return
    assert ending.value in BOUNDED, f"a wait for the SYNC_FD of a process that was killed ended with {ending}"


@rule("SPEC-HANDLE-06")
def test_a_fence_of_a_killed_process_ends(exporter):
    """poll() reports the sync_file of a killed process ready in finite time, signaled or with an error."""
    child, received = exporter
    told(received)

    child.kill()

    assert sync_files.is_ready(received.fd, patience.seconds(END)), (
        f"{END:g} s, before --patience, after its process was killed poll() does not report {received} ready"
    )
    assert all(one.status for one in told(received)), f"a ready sync_file has fences in the states {told(received)}"
