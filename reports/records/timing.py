"""Call times per device and command: the median, two percentiles and the distribution, in nanoseconds."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

STEPS = 4
"""Buckets of a distribution per power of ten: bucket b begins at 10 ** (b / STEPS) nanoseconds."""


@dataclass
class Times:
    """Collects the durations of calls by device and command: `add` tests, then `describe`."""

    taken: dict[tuple[str, str], array[int]] = field(default_factory=dict)

    def add(self, device: str, calls: Iterable[Mapping[str, Any]]) -> None:
        """Add the calls of a test on `device` ("" for none); calls that did not return do not count."""
        for call in calls:
            if call.get("ns") is not None and call["command"].startswith("vk"):  # not a step of the suite
                self.taken.setdefault((device, call["command"]), array("Q")).append(call["ns"])

    def describe(self) -> list[dict[str, Any]]:
        """For each device and command: `count`, `p10`, `median`, `p99`, `buckets` (pairs of bucket and count, fastest first)."""
        return [
            {"device": device, "command": command, **_describe(sorted(values))}
            for (device, command), values in sorted(self.taken.items())
        ]


def times(tests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The call times of some tests, as `Times.describe` returns them."""
    found = Times()
    for test in tests:
        found.add(test["device"], test.get("calls", ()))
    return found.describe()


def _describe(values: list[int]) -> dict[str, Any]:
    buckets = Counter(int(STEPS * math.log10(max(value, 1))) for value in values)
    return {
        "count": len(values),
        "p10": at(values, 0.1),
        "median": at(values, 0.5),
        "p99": at(values, 0.99),
        "buckets": sorted(buckets.items()),
    }


def at(values: list[int], share: float) -> int:
    """The value below which `share` of the sorted `values` lie, by nearest rank."""
    return values[max(0, math.ceil(share * len(values)) - 1)]


def spelled(nanoseconds: float) -> str:
    """A duration for people: 850 ns, 12.3 µs, 4.56 ms, 2.00 s."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"
