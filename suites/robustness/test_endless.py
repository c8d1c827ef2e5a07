"""Lives without end: rounds that destroy nothing, and that look at no fence, take neither more memory nor more time."""

import select
from itertools import count

import pytest

from fixtures.testbed import patience
from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE
from fixtures.testbed.devices import batch_of
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC, TIMELINE
from suites.ledger import rule
from suites.steps.exports import exported_payload
from suites.steps.leaks import OTHERS, grows, growth, slows
from suites.steps.queries import ask_all, needs
from suites.steps.timelines import needs_timelines

pytestmark = [pytest.mark.isolated, pytest.mark.one_queue]
SECONDS = 0.1
"""How long the rounds may take in a usual run, with whatever patience: fewer show nothing."""
LONG = {"counts": (33_000, 67_000), "seconds": 300.0}
"""How many rounds there are with --long, and how long they may take."""
AHEAD = 64
"""Rounds that may be submitted ahead of the queue."""


def submit(device, **batch):
    """Submit a batch without a fence."""
    answer = device.vk.vkQueueSubmit(device.queue.handle, (batch_of(**batch),), 0)
    assert answer.is_success, f"vkQueueSubmit returned {answer} (SPEC-RESULT-06)"


def paced(one_round, catch_up):
    """A round that calls `catch_up(its number)` once in AHEAD times, so that no submission lies far ahead."""

    def paced_round():
        nonlocal number
        number += 1
        given = one_round(number)
        if number % AHEAD == 0:
            catch_up(given)

    number = 0
    return paced_round


def signal_and_export(device):
    """Signal one semaphore, export it as SYNC_FD and close that; now and then poll()."""
    needs(device.info, BINARY_SYNC, EXPORTABLE)
    semaphore = device.semaphore(BINARY_SYNC, export=True)

    def one_round(number):
        submit(device, signals=[semaphore])
        with semaphore.exported() as descriptor:
            if number % AHEAD == 0 and descriptor.fd >= 0:
                poll = select.poll()
                poll.register(descriptor.fd, select.POLLIN)
                assert poll.poll(1000 * patience.seconds()), "poll() of an exported SYNC_FD does not report it ready"

    return paced(one_round, lambda given: None)


def export(device):
    """Export one semaphore as OPAQUE_FD and close that."""
    needs(device.info, BINARY_OPAQUE, EXPORTABLE)
    semaphore = device.semaphore(BINARY_OPAQUE, export=True)
    return lambda: semaphore.exported().close()


def signal_and_wait(device):
    """Signal one semaphore and wait for it by batches; now and then look at a fence."""
    semaphore, fence = device.semaphore(), device.fence()

    def one_round(number):
        submit(device, signals=[semaphore])
        submit(device, waits=[semaphore])

    def catch_up(given):
        device.vk.vkQueueSubmit(device.queue.handle, (), fence)
        answer = device.vk.vkWaitForFences(device.handle, (fence,), patience.nanoseconds())
        assert answer.is_success, f"a fence behind signals and waits: {answer} (SPEC-STATE-01)"
        device.vk.vkResetFences(device.handle, (fence,))

    return paced(one_round, catch_up)


def raise_a_timeline(device):
    """Raise one timeline by batches and by the host; now and then wait for it."""
    needs_timelines(device)
    semaphore = device.semaphore(TIMELINE)

    def one_round(number):
        submit(device, signals=[(semaphore, number)])
        return number

    return paced(one_round, lambda value: semaphore.host_wait(value))


def wait_for_any(device):
    """Raise one timeline by the host, and wait for it or another one, which is not reached."""
    needs_timelines(device)
    both, rising = [device.semaphore(TIMELINE) for _ in range(2)], count(1)
    handles = tuple(one.handle for one in both)

    def one_round():
        value = next(rising)
        both[0].host_signal(value)
        device.vk.vkWaitSemaphores(device.handle, handles, (value, value), 0, True)

    return one_round


def look(device):
    """Ask for claims, counters and fences, poll, and wait for the idle queue."""
    vk, fence, instance = device.vk, device.fence(), device.instance
    timeline = device.semaphore(TIMELINE) if device.info.timeline else None

    def one_round():
        ask_all(instance)
        vk.vkGetFenceStatus(device.handle, fence)
        vk.vkQueueWaitIdle(device.queue.handle)
        if timeline:
            timeline.counter()
            timeline.host_wait(1, 0)
            timeline.host_wait(0)

    return one_round


def importing(kind, temporary):
    """Import a payload into one semaphore that has it, again and again."""

    def life(device):
        needs(device.info, kind, EXPORTABLE | IMPORTABLE)
        exported, target, number = exported_payload(device, kind), device.semaphore(kind), 0

        def one_round():
            nonlocal number
            number += 1
            try:
                target.imports(exported, temporary)
            except OSError as problem:
                raise AssertionError(f"after {number} imports into one semaphore: {problem.strerror}") from None

        return one_round

    life.__doc__ = (
        f"Import a {kind} into one semaphore, {'temporarily' if temporary else 'permanently'}, over the last import."
    )
    return life


LIVES = {
    "signal-and-export": signal_and_export,
    "export": export,
    "signal-and-wait": signal_and_wait,
    "raise-a-timeline": raise_a_timeline,
    "wait-for-any": wait_for_any,
    "look": look,
    "import": importing(BINARY_OPAQUE, temporary=False),
    "import-temporarily": importing(BINARY_OPAQUE, temporary=True),
    "import-sync-fds": importing(BINARY_SYNC, temporary=True),
    "import-timelines": importing(TIMELINE, temporary=False),
}


def usual():
    """The rounds of a usual run, as arguments of `growth`."""
    return {"seconds": SECONDS / min(1.0, patience.factor)}


def check(life, device, rounds):
    """Assert that the rounds of a life leave nothing and do not become slower, nor further rounds after them."""
    one_round, kinds = life(device), ("descriptors", *OTHERS)
    device.later(device.vk.vkDeviceWaitIdle, device.handle)  # before it destroys what is in use
    series = growth(one_round, **rounds)
    again = growth(one_round, **usual()) if grows(series, *kinds) or slows(series) else series

    left = grows(series, *kinds) and grows(again, *kinds)
    slower = slows(series) and slows([*series, *again])
    assert not left, f"{life.__doc__} Left were {left}"
    assert not slower, f"{life.__doc__} {slower}"


SOME = ("signal-and-export", "export", "signal-and-wait", "raise-a-timeline", "wait-for-any", "look")
"""The lives of a usual run; importing/test_ownership.py looks at imports over imports, too."""


@rule("SPEC-DESTROY-08")
@pytest.mark.parametrize("life", SOME)
def test_a_life_without_end_takes_nothing_more(device, life):
    """Rounds that destroy nothing leave nothing behind, and take as long as the first ones."""
    check(LIVES[life], device, usual())


@rule("SPEC-DESTROY-08")
@pytest.mark.long
@pytest.mark.limit(400)
@pytest.mark.parametrize("life", LIVES)
def test_a_very_long_life_takes_nothing_more(device, life):
    """A hundred thousand rounds that destroy nothing leave nothing behind, and take as long as the first ones."""
    check(LIVES[life], device, LONG)


@rule("SPEC-DESTROY-08")
@pytest.mark.long
@pytest.mark.limit(400)
@pytest.mark.parametrize("life", SOME)
def test_a_very_long_life_under_the_layer_takes_nothing_more(layer, life):
    """A hundred thousand rounds under the validation layer leave nothing behind, and take as long as the first ones."""
    check(LIVES[life], layer.over("driver").device, LONG)
