"""Waits that last: none has a time limit of its own.  They are held for up to a minute, all at once, with `--long`."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.testbed import patience
from fixtures.vulkan.outcomes import too_late
from suites.ledger import rule
from suites.robustness.long_waits import (
    HOLDS,
    LAG,
    LIMIT,
    host_held,
    scaled,
    seconds_of_a_unit,
    sorts,
    timelines,
    work_for,
    work_held,
)
from suites.steps.timelines import needs_timelines

pytestmark = [pytest.mark.isolated(fresh=True), pytest.mark.long, pytest.mark.limit(400)]
MANY = 64
"""Threads: more than calls that wait."""
LOOKING = 0.05
"""Seconds between two looks."""


@rule("SPEC-HOST-03", "SPEC-STATE-14", "SPEC-STATE-03", "ISSUE-VK_KHR_timeline_semaphore-3")
def test_waits_for_the_host_last_a_minute(device, open_device):
    """Batches and calls that wait for them or for timelines hold for 2, 5, 15 and 60 seconds until the host signals."""
    needs_timelines(device)
    pairs = list(timelines(device, open_device))

    with ThreadPoolExecutor(MANY) as threads:
        held = [(pair, host_held(threads, *pair[:2], pair[3], n)) for n, pair in enumerate(pairs)]
        start, early, wrong = time.monotonic(), [], []
        for (seconds, _, signaling, _), calls in held:
            time.sleep(max(0.0, start + seconds - time.monotonic()))
            early += [one.name for one in calls if one.is_over]
            signaling.host_signal(1)
            wrong += [text for text in (one.says() for one in calls if one.name not in early) if text]

    assert not early, f"{len(early)} waits ended before their signal: {', '.join(early)}"
    assert not wrong, f"{len(wrong)} waits did not end well with their signal: {', '.join(wrong)}"


@rule("SPEC-IMPORT-33", "SPEC-STATE-01")
def test_waits_for_work_last_a_minute(device, open_device):
    """Waits for imported and exported binary payloads hold for 2, 5, 15 and 60 seconds of work, and end then."""
    chosen, unit, before, held = sorts(device), seconds_of_a_unit(device), 0.0, []

    with ThreadPoolExecutor(MANY) as threads:
        start, early, wrong, took = time.monotonic(), [], [], []
        for seconds in map(scaled, HOLDS):
            gate = work_for(device, seconds - before, unit)
            held.append((gate, work_held(threads, device, open_device, chosen, seconds)))
            before = seconds
        for gate, calls in held:
            while not gate.is_done and not any(one.is_over for one in calls) and gate.result.is_success:
                time.sleep(LOOKING)
            over = [one.name for one in calls if one.is_over]
            early += over if not gate.finishes(LAG) else []
            gate.finishes(patience.seconds(LIMIT))
            took.append(time.monotonic() - start)
            wrong += [text for text in (one.says() for one in calls) if text]

    assert not early, f"{len(early)} waits ended while the work before their signal still ran: {', '.join(early)}"
    assert not wrong, f"{len(wrong)} waits did not end well with their signal: {', '.join(wrong)}"
    if took[-1] < scaled(HOLDS[-1]) / 2:
        too_late(f"the work was over after {took[-1]:.1f} s")
