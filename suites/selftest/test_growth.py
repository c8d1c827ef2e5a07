"""A leak is found however small it is, and what happens once is no leak."""

import os
import threading
from itertools import count

import pytest

from suites.steps.leaks import OTHERS, grows, growth, left_again, slows

COUNTS = (200, 400)


@pytest.fixture
def leaks():
    """What each kind of leak does in a round, with what it opened closed afterwards."""
    opened, held, release = [], [], threading.Event()

    def start():
        held.append(threading.Thread(target=release.wait))
        held[-1].start()

    yield {
        "descriptors": lambda: opened.append(os.open("/dev/null", os.O_RDONLY)),
        "threads": start,
        "memory": lambda: held.append(bytearray(b"leak" * (1 << 18))),
    }
    release.set()
    for fd in opened:
        os.close(fd)


def leaking(leak, every):
    """A round that leaks once in `every` rounds."""
    rounds = count(1)
    return lambda: leak() if next(rounds) % every == 0 else None


@pytest.mark.isolated  # a process that has freed much has room for small leaks
@pytest.mark.parametrize("what", ["descriptors", "threads", "memory"])
def test_a_leak_in_one_round_of_a_hundred_is_found(leaks, what):
    """The text says what was left and by how many rounds."""
    series = growth(leaking(leaks[what], 100), COUNTS)

    assert grows(series, what), series
    assert all(f"by {rounds} rounds" in grows(series, what) for rounds in COUNTS)


@pytest.mark.parametrize("what", ["descriptors", "threads", "memory"])
def test_what_is_opened_now_and_then_is_no_leak(leaks, what):
    """A descriptor, a thread or a buffer that comes once in one of the series is none."""
    series = growth(leaking(leaks[what], 500), COUNTS)

    assert not grows(series, "descriptors", *OTHERS), series


def test_what_stops_growing_is_no_leak():
    """Memory that comes in each of the first series, and then no more, is none."""
    held, rounds = [], count(1)

    def one_round():
        if next(rounds) < 3000:
            held.append(bytearray(b"pool" * (1 << 10)))

    series = growth(one_round)

    assert grows(series, "memory"), f"no pool to be seen: {series}"
    assert not left_again(one_round, series, "memory"), "a pool that is full counts as a leak"


def test_rounds_that_become_slower_are_found():
    """A round that looks through all that came before takes longer and longer."""
    rounds = count(1)

    def one_round():
        return sum(range(next(rounds) ** 2 // 50))

    assert slows(growth(one_round, (300, 300))), "rounds that take longer each time count as flat"
    assert not slows(growth(lambda: sum(range(1000)))), "rounds that are all alike count as slower"


def test_nothing_is_found_where_nothing_leaks():
    """Rounds that give back all they take leave nothing."""
    series = growth(lambda: os.close(os.open("/dev/null", os.O_RDONLY)), COUNTS)

    assert not grows(series, "descriptors", *OTHERS), series
