"""Descriptors, threads and memory that rounds of a life cycle leave in this process."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fixtures.testbed import patience
from fixtures.testbed.descriptors import open_descriptors
from fixtures.vulkan.outcomes import too_late, warn

WARM_UP = 0.25
"""The share of the first count that runs first, uncounted: a driver opens and allocates some things once."""

SECONDS, FEWEST = 0.2, 100
"""Rounds that would take longer than SECONDS, before --patience, are reduced, to FEWEST at least in the first series."""

LONGEST = 12.0
"""Seconds, before --patience, that all rounds may take."""

LEAST = 0.01
"""The share of the rounds that has to leave something, for it to count as growth."""

BYTES = 256
"""Memory counts as growing from this many bytes a round on, of 1000 rounds at least: allocators take many pages at once."""

OTHERS = ("threads", "mappings", "memory")
"""What the specification does not oblige a driver to release."""

PARTS = 10
"""In so many parts of a series the processor's time is measured."""

SLOWER, MORE = 2.0, 20e-6
"""Rounds count as slower if the fastest of the last parts takes SLOWER times that of the first ones, and MORE seconds a round."""

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Growth:
    """What a series of `rounds` left: open descriptors, threads, mappings of files, bytes of resident memory.

    `pace` is the processor's time that a round took in each part of the series, in seconds.
    """

    rounds: int
    descriptors: int
    threads: int
    mappings: int
    memory: int
    pace: tuple[float, ...] = ()


def growth(
    one_round: Callable[[], object], counts: Sequence[int] = (1000, 2000), seconds: float = SECONDS
) -> list[Growth]:
    """What each of several series of rounds left, after a warm-up; `counts` are the rounds, fewer where they take `seconds`.

    `unsupported` where even the fewest would take longer than LONGEST.
    """
    start, done, took, limit = time.monotonic(), 0, 0.0, patience.seconds(seconds)
    while done < max(1, counts[0] * WARM_UP) and (done < FEWEST * WARM_UP or took < limit * WARM_UP):
        one_round()
        done, took = done + 1, time.monotonic() - start
        fewest = min(counts[0], FEWEST) * (WARM_UP + sum(counts) / counts[0])
        if took > 1 and fewest * took / done > patience.seconds(LONGEST):
            too_late(f"{done} rounds took {took:.1f} s: too long to count what hundreds of them leave")
    share = limit * done / took / sum(counts)
    series, before = [], _now()
    for rounds in (min(count, max(FEWEST * count // counts[0], int(count * share))) for count in counts):
        pace = tuple(_pace(one_round, rounds * (part + 1) // PARTS - rounds * part // PARTS) for part in range(PARTS))
        after = _settled(before, rounds)
        series.append(Growth(rounds, *(new - old for new, old in zip(after, before, strict=True)), pace))
        before = after
    return series


def _pace(one_round: Callable[[], object], rounds: int) -> float:
    start = time.process_time()
    for _ in range(rounds):
        one_round()
    return (time.process_time() - start) / max(1, rounds)


def _settled(before: tuple[int, int, int, int], rounds: int) -> tuple[int, int, int, int]:
    """The counts of `_now`, once descriptors no longer grow with the rounds, or after `patience.WAIT`.

    A driver may close what it owns some time later, in a thread of its own.
    """
    end, now = time.monotonic() + patience.seconds(), _now()
    while now[0] - before[0] >= LEAST * rounds and time.monotonic() < end:
        time.sleep(0.005)
        now = _now()
    return now


def _now() -> tuple[int, int, int, int]:
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * PAGE
    with open("/proc/self/maps") as file:
        mappings = sum(len(line.split()) > 5 for line in file)
    return len(open_descriptors()), len(os.listdir("/proc/self/task")), mappings, resident


def grows(series: Sequence[Growth], *kinds: str, least: float = LEAST) -> str:
    """What every series left at least `least` of a round (default: one in a hundred rounds), as text; "" if nothing.

    Of `memory` it takes BYTES a round.
    """
    for what in kinds:
        left = {one.rounds: getattr(one, what) for one in series}
        is_memory = what == "memory"
        if all(found >= (BYTES * max(n, 1000) if is_memory else least * n) for n, found in left.items()):
            return " and ".join(f"{found} {what} by {rounds} rounds" for rounds, found in left.items())
    return ""


def slows(series: Sequence[Growth]) -> str:
    """By how much the rounds became slower, as text; "" if they did not."""
    first, last = min(series[0].pace[: PARTS // 2]), min(series[-1].pace[PARTS // 2 :])
    if last <= SLOWER * first + MORE:
        return ""
    return f"a round took {1e6 * first:.0f} us at first, {1e6 * last:.0f} us {sum(one.rounds for one in series)} rounds later"


def left_again(one_round: Callable[[], object], series: Sequence[Growth], *kinds: str) -> str:
    """What further rounds left, if `series` left something: drivers and allocators now and then take much at once."""
    return grows(series, *kinds) and grows(growth(one_round), *kinds)


def descriptors_left(one_round: Callable[[], object]) -> str:
    """The descriptors that thousands of rounds left, as text of `grows`; threads, mappings and memory are a warning."""
    series = growth(one_round)
    if left := left_again(one_round, series, *OTHERS):
        warn(f"repeated rounds left {left} (SPEC-DESTROY-06)")
    return grows(series, "descriptors")
