"""vkDestroySemaphore: of nothing, and of a semaphore that holds an imported payload (Semaphores; Object Lifetime)."""

import pytest

from fixtures.descriptors import open_descriptors
from fixtures.outcomes import unsupported, warn
from fixtures.plugin import allow_permanence
from fixtures.registry import HandleType
from suites.exporting.states import exported_payload
from suites.ledger import rule

ROUNDS = (40, 80)
WARM_UP = 8


def mappings():
    """How many mappings of files this process has."""
    with open("/proc/self/maps") as maps:
        return sum(len(line.split()) > 5 for line in maps)


def left_by(rounds, one_round):
    """(descriptors, mappings of files) that a series of rounds opened and left."""
    before = len(open_descriptors()), mappings()
    for _ in range(rounds):
        one_round()
    return len(open_descriptors()) - before[0], mappings() - before[1]


@rule("SPEC-DESTROY-01")
@pytest.mark.isolated
def test_destroying_nothing_does_nothing(device):
    """vkDestroySemaphore of VK_NULL_HANDLE is ignored: another semaphore keeps its signal, and the device works."""
    semaphore = device.semaphore()
    semaphore.signal()

    for _ in range(16):
        device.vk.vkDestroySemaphore(device.handle, 0)

    wait = device.queue.submit(waits=[semaphore])
    assert wait.finishes(), f"after vkDestroySemaphore of VK_NULL_HANDLE a wait for a signal did not end: {wait}"
    answer = device.vk.vkDeviceWaitIdle(device.handle)
    assert answer.is_success, f"after vkDestroySemaphore of VK_NULL_HANDLE vkDeviceWaitIdle returned {answer}"


@rule("SPEC-DESTROY-05")
@pytest.mark.isolated
@pytest.mark.parametrize("underneath", ["new", "imported"])
def test_destroying_gives_up_both_payloads(device, kind, underneath):
    """A semaphore destroyed with an unused temporary import gives up that payload and the permanent one."""
    allow_permanence(kind, "temporary")
    if underneath == "imported" and kind.handle_type == HandleType.SYNC_FD:
        unsupported("SYNC_FD has no permanent import")
    temporary = exported_payload(device, kind)
    permanent = exported_payload(device, kind)

    def one_round():
        target = device.semaphore(kind)
        if underneath == "imported":
            target.imports(permanent)
        target.imports(temporary, temporary=True)
        device.settle()

    left_by(WARM_UP, one_round)
    left = {rounds: left_by(rounds, one_round) for rounds in ROUNDS}

    growth = {rounds: descriptors for rounds, (descriptors, _) in left.items()}
    assert not all(growth[rounds] >= rounds / 2 for rounds in ROUNDS), (
        f"destroying semaphores with an unused temporary import leaves descriptors (rounds: descriptors): {growth}"
    )
    if all(mapped >= rounds / 2 for rounds, (_, mapped) in left.items()):
        warn(f"destroying semaphores with an unused temporary import leaves mappings (rounds: both kinds): {left}")
