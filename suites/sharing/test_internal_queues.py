"""Queues that several threads use at once (VK_KHR_internally_synchronized_queues)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.testbed.devices import WANTED, Submission, batch_of
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.journal import note
from fixtures.vulkan.native import LIKE, SYNCHRONIZED_QUEUES
from fixtures.vulkan.outcomes import declined, unsupported
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.queues import queue_for
from suites.steps.signals import first_stuck
from suites.steps.timelines import needs_timelines

EXTENSION = "VK_KHR_internally_synchronized_queues"
FEATURES = "VkPhysicalDeviceInternallySynchronizedQueuesFeaturesKHR"
THREADS = 4
ROUNDS = 24


def synchronized_device(device, open_device):
    """A device whose queues are internally synchronized; `unsupported` where the driver offers none."""
    if EXTENSION not in device.info.extensions:
        unsupported(f"the device does not offer {EXTENSION}")
    names = ("vkGetPhysicalDeviceFeatures2", "VkPhysicalDeviceFeatures2")
    found = device.vk.query_chain(device.instance.physical, *names, (FEATURES,))
    if getattr(found[1], LIKE[SYNCHRONIZED_QUEUES]) != 1:
        declined(f"the device does not have the feature {SYNCHRONIZED_QUEUES}")
    note("synchronized_queues")  # no C program repeats it
    features = ["timelineSemaphore"] * device.info.timeline + ["synchronization2"] * device.info.synchronization2
    return open_device(extensions=(*WANTED, EXTENSION), features=(*features, SYNCHRONIZED_QUEUES))


def live(queue, through, binary, timeline, fences):
    """Signal and wait for a binary semaphore, raising a timeline each time; returns the submissions."""
    calls = []
    for value in range(1, ROUNDS + 1):
        for batch in (batch_of(signals=[binary, (timeline, value)]), batch_of(waits=[binary])):
            fence = fences.pop()
            answer = getattr(queue.device.vk, through)(queue.handle, (batch,), fence)
            calls.append(Submission(queue.device, through, answer, fence))
    return calls


@rule("SPEC-THREAD-10")
@pytest.mark.isolated
@pytest.mark.parametrize("through", ["vkQueueSubmit", "vkQueueSubmit2", "by-turns"])
def test_threads_submit_to_one_queue_at_once(device, open_device, through):
    """Signals and waits that several threads submit to one queue all happen, while another thread waits for it to be idle."""
    needs_timelines(device)
    user = synchronized_device(device, open_device)
    ways = ["vkQueueSubmit", "vkQueueSubmit2"] if through == "by-turns" else [through]
    queue = queue_for(user, ways[-1])
    made = [
        (user.semaphore(), user.semaphore(TIMELINE), [user.fence() for _ in range(2 * ROUNDS)]) for _ in range(THREADS)
    ]

    with ThreadPoolExecutor(THREADS + 1) as threads:
        idle = threads.submit(lambda: {user.vk.vkQueueWaitIdle(queue.handle) for _ in range(ROUNDS)})
        started = [threads.submit(live, queue, ways[n % len(ways)], *one) for n, one in enumerate(made)]
        calls = [call for one in started for call in one.result()]
    user.submissions += calls

    stuck, counters = first_stuck(calls), [timeline.counter() for _, timeline, _ in made]
    assert not stuck, f"of {len(calls)} submissions of {THREADS} threads to one queue one did not end: {stuck}"
    assert counters == [ROUNDS] * THREADS, f"timelines that {THREADS} threads raised to {ROUNDS} are at {counters}"
    assert idle.result() == {Result.SUCCESS}, f"vkQueueWaitIdle beside submissions returned {idle.result()}"
