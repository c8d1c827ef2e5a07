"""What the application must not use in two threads at once: the layer reports it; over the mock driver no race can do harm."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

import pytest

from fixtures.testbed import patience
from fixtures.testbed.devices import Device, Submission
from fixtures.testbed.layer import close_all
from fixtures.vulkan.native import Batch
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import checked_by, rule
from suites.valid_usage.steps import two_queues
from suites.valid_usage.submitting import SPARSE, SUBMIT, SUBMIT2

pytestmark = pytest.mark.mocked
LONG = (Batch(),) * 10_000
"""Batches whose submission takes some milliseconds under the layer, so that another thread meets it."""
SECONDS = 8.0
"""How long threads try to meet: two tries are enough on two free cores, two seconds on busy ones."""
TRIES = 3
"""How often they do: what they break has no bounds, and now and then it ends their process."""


@dataclass(frozen=True)
class Race:
    """`meet` submits to a queue with a fence while another thread uses something: the same if that is `shared`."""

    rule: str
    id: str
    meet: Callable[[Device, bool], None]

    def __str__(self) -> str:
        return f"{self.rule}-{self.id}"


def submit_beside(device: Device, through: str, fence: int, beside: Callable[[], object]) -> None:
    """A long submission to the first queue while another thread calls `beside` again and again."""
    done = Event()

    def repeat() -> None:
        while not done.is_set():
            beside()

    thread = Thread(target=repeat)
    thread.start()
    answer = getattr(device.vk, through)(device.queues[0].handle, LONG, fence)
    done.set()
    thread.join()
    device.submissions.append(Submission(device, through, answer, fence))


def queue_in(through: str) -> Callable[[Device, bool], None]:
    """The other thread submits to the same queue, or to another."""

    def meet(device: Device, shared: bool) -> None:
        queue = two_queues(device)[0 if shared else 1]
        submit_beside(device, through, device.fence(), lambda: device.vk.vkQueueSubmit(queue.handle, (), 0))

    return meet


def fence_in(through: str) -> Callable[[Device, bool], None]:
    """The other thread looks at the fence of the submission, or at another."""

    def meet(device: Device, shared: bool) -> None:
        fence = device.fence()
        seen = fence if shared else device.fence()
        submit_beside(device, through, fence, lambda: device.vk.vkGetFenceStatus(device.handle, seen))

    return meet


def idle(device: Device, shared: bool) -> None:
    """The other thread waits for all queues, or for another queue."""
    _, other = two_queues(device)
    wait, what = (device.vk.vkDeviceWaitIdle, device) if shared else (device.vk.vkQueueWaitIdle, other)
    submit_beside(device, SUBMIT, device.fence(), lambda: wait(what.handle))


RACES = [
    *(Race("SPEC-THREAD-04", through, queue_in(through)) for through in (SUBMIT, SUBMIT2, SPARSE)),
    *(Race("SPEC-THREAD-05", through, fence_in(through)) for through in (SUBMIT, SUBMIT2, SPARSE)),
    Race("SPEC-THREAD-08", "vkDeviceWaitIdle", idle),
]
EACH = pytest.mark.parametrize("race", [pytest.param(race, id=str(race), marks=rule(race.rule)) for race in RACES])


def meet_until_reported(channel, layer, number):
    """What the layer reported when threads met in RACES[number], or nothing in SECONDS."""
    session, reported, end = layer.over_threads(), list[str](), monotonic() + patience.seconds(SECONDS)
    while not reported and monotonic() < end:
        reported, _ = session.reports_of(lambda device: RACES[number].meet(device, True))
    close_all()
    return reported


@pytest.mark.no_repeat
@EACH
def test_the_layer_reports_a_breach_by_two_threads(layer, race, processes):
    """Threads that meet in what is externally synchronized are reported."""
    wanted, endings = (*checked_by(race.rule, layer.version),), []

    while len(endings) < TRIES and (not endings or endings[-1].how != "returned"):
        endings.append(processes.run(meet_until_reported, layer, RACES.index(race)))

    if endings[-1].how != "returned":
        unsupported(f"each of {TRIES} processes that broke the rule ended by it, which is allowed: {endings[-1]}")
    reported = endings[-1].value
    assert reported, f"the layer reported nothing in {patience.seconds(SECONDS)} s"
    assert all(one.startswith(wanted) for one in reported), f"the layer reported {sorted(set(reported))}"


@EACH
def test_the_layer_is_silent_about_threads_with_their_own(layer, race):
    """Threads that make the same calls, each on what is its own, are not reported."""
    reported, _ = layer.over("mock").reports_of(lambda device: race.meet(device, False))

    assert not reported, f"the layer reported {sorted(set(reported))} for legal calls"
