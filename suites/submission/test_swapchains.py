"""Swapchains: a present takes its waits once, whatever it shows; images come round; one swapchain replaces another."""

from functools import cache

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, run_work, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, TIMELINE
from fixtures.vulkan.outcomes import Broken, declined, too_late
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queries import needs
from suites.steps.queues import second_queue
from suites.steps.screens import REJECTED, another_screen, open_screen, replaced
from suites.steps.signals import first_stuck, signal, signal_behind_work
from suites.steps.timelines import needs_timelines
from suites.submission.idle import each_idle, wait_idle
from suites.submission.presents import IMAGE, acquire, needs_image, prepare, present, sharing, show

pytestmark = pytest.mark.isolated

NO_IMAGE = {Result.TIMEOUT, Result.NOT_READY}
"""What an acquire returns without an image."""
each_payload = pytest.mark.parametrize("payload", ["own", "imported"])
"""Whether a semaphore has a payload of its own, or imported one permanently."""


def three_ends(screen, open_device, payload):
    """(semaphore to present after, one that shares its payload, queue to wait on beside that one's work) three times."""
    return [sharing(screen.device, open_device, payload) for _ in range(3)]


def presented(screen, swapchains, of_old, waits):
    """What a present returned that waits for these semaphores; all that it waits for is over."""
    screens = [screen, *(another_screen(screen) for _ in range(swapchains - 1))]
    for one in screens:
        needs_image(prepare(one))
    if of_old:
        replaced(screen)
    answer = show(screens, waits)
    idle = screen.device.vk.vkQueueWaitIdle(screen.device.queue.handle)
    if not idle.is_success:
        raise Broken(f"vkQueueWaitIdle after a present returned {idle} (SPEC-STATE-14)")
    return answer


def holds(target, partner, queue):
    """The Proof of a wait for a semaphore whose partner is signaled behind work."""
    return shown(lambda factor: (signal_behind_work(partner, factor), queue.submit(waits=[target])))


@rule("SPEC-WSI-11")
@each_payload
@pytest.mark.parametrize(
    ("swapchains", "of_old"),
    [(1, False), (2, False), (1, True)],
    ids=["one-swapchain", "two-swapchains", "a-replaced-one"],
)
def test_a_present_takes_each_of_its_waits(open_device, device_info, payload, swapchains, of_old):
    """A present consumes the signal of each semaphore that it waits for: the next wait holds for the next signal."""
    screen = open_screen(open_device, device_info)
    ends = three_ends(screen, cache(open_device), payload)
    for _, partner, _ in ends:
        signal(partner)

    answer = presented(screen, swapchains, of_old, [target for target, *_ in ends])

    assert not answer.is_error or answer in REJECTED, f"vkQueuePresentKHR of {swapchains} swapchains returned {answer}"
    proofs = [holds(*one) for one in ends]
    assert proofs == [Proof.HELD] * 3, (
        f"after a present that returned {answer}, waits for its three semaphores: {[one.value for one in proofs]}"
    )


@rule("SPEC-WSI-08")
@each_payload
def test_a_rejected_present_takes_its_wait(open_device, device_info, payload):
    """A present that is rejected, such as one to a swapchain that was replaced, waits all the same."""
    screen = open_screen(open_device, device_info)
    end = sharing(screen.device, open_device, payload)
    signal(end[1])

    answer = presented(screen, 1, True, end[:1])

    if answer not in REJECTED:
        declined(f"a present to a swapchain that was replaced is not rejected: {answer}")
    proof = holds(*end)
    assert proof is Proof.HELD, f"after a present that returned {answer}, a wait for its semaphore: {proof.value}"


@rule("SPEC-WSI-11", "SPEC-SUBMIT-05")
@each_payload
@pytest.mark.parametrize("swapchains", [1, 2])
def test_a_present_takes_the_temporary_payload_once(open_device, device_info, payload, swapchains):
    """A present takes the temporary payload of the second of its semaphores, and leaves the permanent one its signal."""
    screen, opening = open_screen(open_device, device_info), cache(open_device)
    before, target, after = ends = three_ends(screen, opening, payload)
    above = exported_end(screen, opening, payload)
    for _, partner, _ in (*ends, above):
        signal(partner)
    target[0].imports(above[1].exported(), temporary=True)

    answer = presented(screen, swapchains, False, [before[0], target[0], after[0]])
    taken = holds(*above)
    wait = screen.device.queue.submit(waits=target[:1])

    assert taken is Proof.HELD, (
        f"after a present that returned {answer}, a wait for its temporary payload: {taken.value}"
    )
    assert wait.finishes(), f"a present that returned {answer} left no signal in the permanent payload: {wait}"
    proof = holds(*target)
    assert proof is Proof.HELD, f"after a present that returned {answer} and one wait, another wait: {proof.value}"


def exported_end(screen, open_device, payload):
    """As `sharing`, with a partner that exports its payload."""
    if payload != "own":
        return sharing(screen.device, open_device, payload)
    needs(screen.device.info, BINARY_OPAQUE)
    semaphore = screen.device.semaphore(BINARY_OPAQUE, export=True)
    return semaphore, semaphore, second_queue(screen.device)


def until_one_comes_round(screen, open_device, payload):
    """Acquire images and present them until one comes again: (image, the ends of its semaphore, why that or its fence failed)."""
    device, seen, image = screen.device, [], None
    while image not in seen:
        seen.append(image)
        end, fence = sharing(device, open_device, payload), device.fence()
        needs_image(acquire(screen, end[0], fence))
        image, wait = screen.acquired[-1], device.queue.submit(waits=end[:1])
        fenced = device.vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds())
        yield image, end, "" if wait.finishes() and fenced.is_success else f"{wait}; the acquire's {fenced}"
        screen.make_ready(screen.images[image])
        show([screen], [])


@rule("SPEC-WSI-06")
@each_payload
def test_an_image_that_comes_round_signals_its_new_semaphore(open_device, device_info, payload):
    """An image that is acquired again signals the semaphore and the fence given then, and not those given before."""
    screen = open_screen(open_device, device_info)

    rounds = list(until_one_comes_round(screen, cache(open_device), payload))

    stuck = [f"acquire {number}: {problem}" for number, (*_, problem) in enumerate(rounds, 1) if problem]
    assert not stuck, f"of {len(rounds)} acquires one did not signal its semaphore or its fence: {stuck[0]}"
    proof = holds(*next(end for image, end, _ in rounds if image == rounds[-1][0]))
    assert proof is Proof.HELD, f"when its image had come round, a wait for the semaphore of an acquire: {proof.value}"


def come_round(screens):
    """What acquires return, one of each screen at a time and more than there are images, each presented at once."""
    answers = []
    for _ in range(2 * len(screens[0].images)):
        answers += [prepare(one) for one in screens]
        if not {*answers} <= {*IMAGE}:
            break
        show(screens, [])
    return answers


@rule("SPEC-WSI-12")
def test_presented_images_come_round_while_another_queue_waits(open_device, device_info):
    """Images that were presented come round although another queue of the device waits for the host."""
    screen = open_screen(open_device, device_info)
    queue = second_queue(screen.device)
    needs_timelines(screen.device)
    timeline = screen.device.semaphore(TIMELINE)
    held = queue.submit(waits=[(timeline, 1)])

    answers = come_round([screen])
    timeline.host_signal(1)

    assert not NO_IMAGE & {*answers}, f"acquires beside a queue that waits for the host returned {answers}"
    assert held.finishes(), f"a submission that waits for 1 did not end at 1: {held}"
    needs_image(answers[-1])


@rule("SPEC-WSI-12")
@pytest.mark.parametrize("swapchains", [1, 2])
def test_presented_images_come_round(open_device, device_info, swapchains):
    """Where all images were presented, and nothing shows them, an acquire returns one within the time limit."""
    screen = open_screen(open_device, device_info)
    screens = [screen, *(another_screen(screen) for _ in range(swapchains - 1))]

    answers = come_round(screens)

    assert not NO_IMAGE & {*answers}, f"acquires, each after all images before it were presented, returned {answers}"
    needs_image(answers[-1])


def present_all(screen, factor):
    """Present each acquired image when work of about `factor` x 10 ms is done; returns that work."""
    device = screen.device
    gate, rendered = run_work(device, factor), [device.semaphore() for _ in screen.acquired]
    device.queue.submit(signals=rendered)
    for one in rendered:
        present(screen, one, has_fence=False)
    return gate


@rule("SPEC-WSI-12")
def test_an_acquire_waits_until_an_image_has_been_presented(open_device, device_info):
    """An acquire that finds no image, since all are presented when work is done, returns one then, without another call."""
    screen = open_screen(open_device, device_info)
    for factor in (1, 4, 16, 64):
        while prepare(screen, seconds=0) in IMAGE:
            pass
        gate = present_all(screen, factor)
        blocked, answer = not gate.is_done, prepare(screen)
        assert answer not in NO_IMAGE, f"all images were presented behind work; then an acquire returned {answer}"
        needs_image(answer)
        if blocked:
            return
    too_late("the work was over before an acquire could wait for it")


@rule("SPEC-WSI-06")
@each_payload
def test_a_semaphore_outlives_the_swapchain_that_it_was_acquired_from(open_device, device_info, payload):
    """The semaphore of an acquire is signaled although the swapchain is replaced, and works on when that is destroyed."""
    screen = open_screen(open_device, device_info)
    target, partner, queue = sharing(screen.device, open_device, payload)
    needs_image(acquire(screen, target))

    newer = replaced(screen)
    waits = [screen.device.queue.submit(waits=[target])]
    waits[0].finishes()
    screen.destroy()
    needs_image(acquire(newer, target))
    waits += [screen.device.queue.submit(waits=[target])]

    stuck = first_stuck(waits)
    assert not stuck, (
        f"a wait for an image of a swapchain that was then replaced, or of the new one, did not end: {stuck}"
    )
    proof = holds(target, partner, queue)
    assert proof is Proof.HELD, f"after that swapchain was destroyed, a wait for the semaphore: {proof.value}"


@each_idle
def test_idle_comes_although_an_image_is_acquired(open_device, device_info, idle):
    """A wait for idle returns when what was submitted is done, although an image was acquired and is not presented."""
    screen = open_screen(open_device, device_info)
    device, target = screen.device, screen.device.semaphore()
    needs_image(acquire(screen, target))
    wait = device.queue.submit(waits=[target])

    answer = wait_idle(device.queue, idle)

    assert answer.is_success, f"{idle} while the application has an image returned {answer}"
    assert wait.is_done, f"when {idle} returned, a batch before it was not done: {wait}"


@each_idle
def test_idle_comes_after_each_present(open_device, device_info, idle):
    """A wait for idle returns when the work before a present is done, although nobody acquires the image again."""
    screen = open_screen(open_device, device_info)
    device = screen.device

    for number in range(1, len(screen.images) + 1):
        needs_image(prepare(screen))
        batch = device.queue.submit(signals=[rendered := device.semaphore()])
        present(screen, rendered, has_fence=False)
        answer = wait_idle(device.queue, idle)

        assert answer.is_success, f"{idle} after present {number} returned {answer}"
        assert batch.is_done, f"when {idle} returned, a batch before present {number} was not done: {batch}"
