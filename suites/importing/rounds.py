"""Rounds of a life cycle, and what they leave behind."""

from collections.abc import Callable

from fixtures.descriptors import Descriptor, open_descriptors
from fixtures.devices import Device
from fixtures.drivers import Kind

WARM_UP = 8


def descriptors_left(rounds: int, one_round: Callable[[], object]) -> tuple[int, int]:
    """How many descriptors were opened and left by a first and by a second series of rounds.

    A driver may open some of its own once, so only what both series leave grows with the rounds.
    """
    for _ in range(min(WARM_UP, rounds)):
        one_round()
    counts = [len(open_descriptors())]
    for _ in range(2):
        for _ in range(rounds):
            one_round()
        counts.append(len(open_descriptors()))
    return counts[1] - counts[0], counts[2] - counts[1]


def import_and_destroy(device: Device, kind: Kind, exported: Descriptor, temporary: bool) -> None:
    """Import a copy of a payload and destroy the semaphore."""
    device.semaphore(kind).imports(exported, temporary)
    device.settle()
