"""Queues that are internally synchronized: the layer has nothing to say of threads that meet in one."""

from threading import Event, Thread

import pytest

from fixtures.vulkan.native import SYNCHRONIZED_QUEUES, Batch
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.valid_usage.steps import second
from suites.valid_usage.submitting import SPARSE, SUBMIT, SUBMIT2

pytestmark = [pytest.mark.mocked, pytest.mark.isolated]
EXTENSION = "VK_KHR_internally_synchronized_queues"
FIRST_LAYER = (1, 4, 340)
"""The first layer that knows the extension."""
LONG = (Batch(),) * 10_000
"""Batches whose submission takes some milliseconds under the layer, so that another thread meets it."""


def meet(device, through):
    """A long submission to a queue made with the flag, while another thread submits to it again and again."""
    features = ("timelineSemaphore", "synchronization2", SYNCHRONIZED_QUEUES)
    user = second(device, extensions=(EXTENSION,), features=features)
    queue, done = user.queues[0], Event()

    def repeat():
        while not done.is_set():
            user.vk.vkQueueSubmit(queue.handle, (), 0)

    thread = Thread(target=repeat)
    thread.start()
    answer = getattr(user.vk, through)(queue.handle, LONG, 0)
    done.set()
    thread.join()
    return answer


@rule("SPEC-THREAD-11")
@pytest.mark.parametrize("through", [SUBMIT, SUBMIT2, SPARSE])
def test_the_layer_is_silent_about_threads_in_a_synchronized_queue(layer, through):
    """Two threads that submit to one internally synchronized queue at once are not reported."""
    if tuple(map(int, layer.version.split("."))) < FIRST_LAYER:
        unsupported(f"the layer is older than {EXTENSION}")

    reported, answer = layer.over("mock").reports_of(lambda device: meet(device, through))

    assert not reported, f"the layer reported {sorted(set(reported))} for two threads in a synchronized queue"
    assert answer.is_success, f"{through} to a queue made with the flag returned {answer}"
