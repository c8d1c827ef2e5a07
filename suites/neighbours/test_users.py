"""The flows of well-known applications of external semaphores, each in short form and bounded in time."""

import pytest

from fixtures.testbed.foreign import stranger as make_stranger
from fixtures.testbed.gates import run_work
from fixtures.testbed.kinds import KINDS, TIMELINE
from fixtures.vulkan.commands import is_open
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import HandleType
from suites.ledger import rule
from suites.neighbours.children import said
from suites.neighbours.other_process import consume_frames
from suites.steps import buffers
from suites.steps.exports import export_in, succeeded
from suites.steps.queries import CORE_TYPES
from suites.steps.signals import at
from suites.steps.timelines import needs_timelines

FRAMES = 48
RING = 3
BYTES = 1 << 16


def word_of(frame):
    """What CUDA writes into a frame."""
    return 0x01010101 * (frame % 200 + 1)


@rule("SPEC-CUDA-03", "SPEC-CUDA-04", "SPEC-CUDA-07")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_ffmpeg_hands_frames_to_cuda_and_back(cuda, device):
    """FFmpeg: each frame of a pool has memory and a timeline, which Vulkan, CUDA and Vulkan raise in turn."""
    needs_timelines(device, shared=True)
    buffers.check_claim(device)
    pool = [buffers.make(device, BYTES, external=buffers.OPAQUE) for _ in range(RING)]
    seen = buffers.make(device, BYTES, buffers.HOST_VISIBLE_AND_COHERENT)
    in_cuda = [cuda.import_memory(buffers.export(one), buffers.allocated(one), dedicated=True) for one in pool]
    timelines = [device.semaphore(TIMELINE, export=True) for _ in pool]
    timelines_in_cuda = [cuda.imports(one.exported(), TIMELINE) for one in timelines]

    wrong = []
    for frame in range(FRAMES):
        use, slot = divmod(frame, RING)
        timeline, value = timelines[slot], 3 * use
        decoding = [buffers.write(pool[slot], 0)]
        device.queue.submit(waits=[(timeline, value)], commands=decoding, signals=[(timeline, value + 1)])
        cuda.wait(timelines_in_cuda[slot], value + 1)
        cuda.fill(in_cuda[slot], word_of(frame), BYTES)
        cuda.signal(timelines_in_cuda[slot], value + 2)
        reading = [buffers.read(pool[slot], seen)]
        done = device.queue.submit(waits=[(timeline, value + 2)], commands=reading, signals=[(timeline, value + 3)])
        assert done.finishes(), f"the batch after CUDA's signal of frame {frame} does not end: {done}"
        wrong += [frame] * (bytes(seen.bytes) != bytes(word_of(frame).to_bytes(4, "little") * (BYTES // 4)))

    assert not wrong, f"frames {wrong[:5]} of {FRAMES} do not hold what CUDA wrote"


def passed_on(exporter, importer):
    """Export as SYNC_FD and import the descriptor itself, or the -1, temporarily."""
    answer = importer.import_fd(exporter.exported().fd, temporary=True)
    assert answer.is_success, f"the import of a SYNC_FD returned {answer} (SPEC-CAPS-04)"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-12", "SPEC-IMPORT-17")
def test_wlroots_imports_a_fence_every_frame(device, open_device, sync_kind):
    """wlroots: each frame the compositor imports the client's fence into one of few semaphores, and sends one back."""
    compositor, used = open_device(), []
    rendered, release = ([device.semaphore(sync_kind, export=True) for _ in range(RING)] for _ in range(2))
    acquire, done = ([compositor.semaphore(sync_kind, export=True) for _ in range(RING)] for _ in range(2))

    for frame in range(FRAMES):
        slot = frame % RING
        for submission in used[-2 * RING :][:2]:
            assert submission.finishes(), f"frame {frame - RING} does not end: {submission}"
        used.append(device.queue.submit(waits=[release[slot]] if frame >= RING else [], signals=[rendered[slot]]))
        passed_on(rendered[slot], acquire[slot])
        used.append(compositor.queue.submit(waits=[acquire[slot]], signals=[done[slot]]))
        passed_on(done[slot], release[slot])

    stuck = [submission for submission in used if not submission.finishes()]
    assert not stuck, f"{len(stuck)} of {len(used)} submissions do not end: {stuck[0]}"


@rule("SPEC-IMPORT-06", "SPEC-IMPORT-12", "SPEC-FUND-03")
def test_pipewire_sends_a_fence_with_every_frame(device, sync_kind, processes):
    """PipeWire: each frame's fence goes to another process, which imports it temporarily and sends its own back."""
    child = processes.borrow(consume_frames, device.info, sync_kind, FRAMES)
    ready, released = device.semaphore(sync_kind, export=True), device.semaphore(sync_kind)

    for frame in range(FRAMES):
        device.queue.submit(signals=[ready])
        child.channel.send_descriptor(ready.exported().fd)
        answer = released.import_fd(child.channel.receive_descriptor(), temporary=True)
        assert answer.is_success, f"the import of the release fence of frame {frame} returned {answer}"
        wait = device.queue.submit(waits=[released])
        assert wait.finishes(), f"a wait for the release fence of frame {frame} does not end: {wait}"

    problem = said(child.finish())
    assert not problem, f"in the consumer {problem}"


@rule("SPEC-HANDLE-02", "SPEC-IMPORT-14", "SPEC-HOST-09")
def test_gamescope_imports_copies_of_a_timeline(device, open_device):
    """gamescope: it keeps a client's timeline descriptors and for each commit imports a dup of them permanently."""
    needs_timelines(device, shared=True)
    acquire, release = (device.semaphore(TIMELINE, export=True) for _ in range(2))
    kept, compositor = [acquire.exported(), release.exported()], open_device()

    for point in range(1, FRAMES + 1):
        run_work(device) if point % 16 == 0 else None
        device.queue.submit(signals=[(acquire, point)])
        theirs, ours = (compositor.semaphore(TIMELINE).imports(one) for one in kept)
        commit = compositor.queue.submit(waits=[(theirs, point)], signals=[(ours, point)])
        answer = release.host_wait(point)
        assert answer.is_success, f"a wait for the release of commit {point} returned {answer}; {commit}"

    assert [acquire.counter(), release.counter()] == [FRAMES, FRAMES], (
        f"the client's timelines were signaled to {FRAMES}, their counters are {[acquire.counter(), release.counter()]}"
    )
    assert all(one.is_open for one in kept), "importing a dup closed a descriptor that the compositor keeps"


@rule("SPEC-EXPORT-07", "SPEC-IMPORT-14")
def test_libplacebo_exports_before_any_signal(device, open_device, opaque_kind):
    """libplacebo: both semaphores of a texture are exported as soon as they exist, then used in turn."""
    ready, done = (device.semaphore(opaque_kind, export=True) for _ in range(2))
    theirs = open_device()
    ready_there, done_there = (theirs.semaphore(opaque_kind).imports(one.exported()) for one in (ready, done))

    for turn in range(1, FRAMES + 1):
        device.queue.submit(signals=[at(ready, turn)])
        theirs.queue.submit(waits=[at(ready_there, turn)], signals=[at(done_there, turn)])
        last = device.queue.submit(waits=[at(done, turn)])
        assert last.finishes(), f"in turn {turn} the wait for the texture does not end: {last}"


@rule("SPEC-IMPORT-03", "SPEC-CAPS-04")
@pytest.mark.isolated
@pytest.mark.one_queue
def test_chromium_survives_an_import_that_fails(device, kind):
    """Chromium: a semaphore whose import failed is destroyed at once, the descriptor closed, and the next import works."""
    temporary = kind.handle_type == HandleType.SYNC_FD
    with make_stranger("pipe-read", device) as stranger:
        refused = device.semaphore(kind)
        answer = refused.import_fd(stranger.fd, temporary=temporary)
        if answer.is_success:
            unsupported(f"the driver accepted {stranger.name}; SPEC-IMPORT-23 judges that")
        refused.destroy()
        assert is_open(stranger.fd), f"the driver closed {stranger} although its import failed with {answer}"

    exported = succeeded(export_in(device, kind, "signaled"))
    good = device.semaphore(kind).imports(exported, temporary)

    wait = device.queue.submit(waits=[at(good, 1)])
    assert wait.finishes(), f"after an import that failed with {answer} the next payload is not signaled: {wait}"


@rule("SPEC-CAPS-01", "SPEC-CAPS-03", "SPEC-CAPS-04")
def test_monado_probes_every_type(device):
    """Monado: it queries each handle type and semaphore type, and what is claimed as exportable and importable works."""
    ask, physical = device.vk.vkGetPhysicalDeviceExternalSemaphoreProperties, device.instance.physical
    types = [None, 0, 1] if device.info.timeline else [None]
    answers = {(handle_type, one): ask(physical, handle_type, one)[0] for handle_type in CORE_TYPES for one in types}

    for kind in KINDS:
        if answers.get((int(kind.handle_type), int(kind.semaphore_type)), 0) & 3 != 3:
            continue
        exported = succeeded(export_in(device, kind, "signaled"))
        target = device.semaphore(kind).imports(exported, temporary=kind.handle_type == HandleType.SYNC_FD)
        wait = device.queue.submit(waits=[at(target, 1)])
        assert wait.finishes(), (
            f"the device claims {kind}, but a signaled payload is not signaled after export and import: {wait}"
        )
