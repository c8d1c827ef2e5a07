"""Symptoms: which tests each known fault makes fail, as symptoms.jsonl has them.

The file has an object a line: first the `probes`, then a fault a line. `.venv/bin/python -m suites.selftest.symptoms` makes it
by running tests over the reference driver with each fault: a few cases of each function that claims a rule of the fault, and
the first `probed` of the probes, one case each, that rest on what the fault breaks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from reports.records.lines import Line
from reports.records.renamed import current

FILE = Path(__file__).with_name("symptoms.jsonl")
RESULT = r"VK_(?:SUCCESS|TIMEOUT|NOT_READY|SUBOPTIMAL_KHR|ERROR_[A-Z_]+)"
"""A result in a message."""
ALL = ["*"]
"""In place of cases: each that was judged."""


@dataclass(frozen=True)
class Symptoms:
    """What was seen with one fault: the cases of each test function that failed, and those that passed although others failed.

    A violation counts as a function, named as in a baseline. `seen` has the share of the failures in which a result such as
    VK_SUCCESS was seen, or a crash. `unjudged` is how likely a test of its rules fails that there was no time for, `probed`
    how many of the probes there was time for. `unknown` is the reason where nothing failed.
    """

    fault: str
    statement: str
    rules: list[str]
    fails: dict[str, list[str]] = field(default_factory=dict)
    passes: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    unjudged: float = 0.0
    probed: int = 0
    unknown: str = ""


@dataclass(frozen=True)
class Library:
    """The symptoms of all faults, and the names of the probes in their order."""

    probes: tuple[str, ...]
    faults: list[Symptoms]

    def chance(self, one: Symptoms, name: str, rules: Iterable[str]) -> float:
        """How likely a test or violation fails where the driver has this fault, from 0 to 1; `rules` are those it claims.

        A case that nobody judged fails as the ones that are most like it; a function that nobody judged as often as probes do.
        """
        function, case = split(name)
        if function in one.fails:
            return _share(case, one.fails[function], one.passes.get(function, []))
        if function in self._probed(one.probed) or not one.probed:
            return 0.0
        return one.unjudged if {*one.rules} & {*rules} else self.breadth(one)

    def breadth(self, one: Symptoms) -> float:
        """The share of the probes that fail with a fault."""
        return len(self._probed(one.probed) & one.fails.keys()) / max(one.probed, 1)

    def _probed(self, count: int) -> frozenset[str]:
        return _first(self.probes, count)


@cache
def _first(probes: tuple[str, ...], count: int) -> frozenset[str]:
    return frozenset(probes[:count])


def split(name: str) -> tuple[str, str]:
    """The function and the case of a test's id; of one without parameters, and of a violation, the case is ""."""
    function, _, case = name.partition("[")
    return function, case.removesuffix("]")


def seen_in(line: Line) -> list[str]:
    """What was seen in a failure: the results that its message names, or how it ended; "other" where that is nothing."""
    if line["verdict"] != "fail":
        return [str(line["verdict"])]
    return sorted({*re.findall(RESULT, line["message"])}) or ["other"]


def _share(case: str, fails: list[str], passes: list[str]) -> float:
    """The share of failures among the cases that are most like this one: in those parts of the name by which failures differ."""
    if not passes:
        return 1.0
    failed, passed = [_parts(one) for one in fails], [_parts(one) for one in passes]
    weights = {part: abs(_held(part, failed) - _held(part, passed)) for part in frozenset().union(*failed, *passed)}

    def likeness(other: frozenset[str]) -> float:
        together, common = _parts(case) | other, _parts(case) & other
        return sum(weights.get(one, 0) for one in common) / (sum(weights.get(one, 0) for one in together) or 1)

    best = max(map(likeness, (*failed, *passed)))
    failing = sum(likeness(one) == best for one in failed)
    return failing / (failing + sum(likeness(one) == best for one in passed))


@cache
def _parts(case: str) -> frozenset[str]:
    return frozenset(case.split("-"))


def _held(part: str, cases: list[frozenset[str]]) -> float:
    """The share of the cases that have a part."""
    return sum(part in one for one in cases) / len(cases)


@cache
def library(file: Path = FILE) -> Library:
    """Reads symptoms.jsonl; tests that were renamed since have their present names."""
    first, *lines = map(json.loads, file.read_text().splitlines())

    def present(cases: dict[str, list[str]]) -> dict[str, list[str]]:
        return {current(function): found for function, found in cases.items()}

    for line in lines:
        line |= {what: present(line.get(what, {})) for what in ("fails", "passes")}
    return Library(tuple(current(one) for one in first["probes"]), [Symptoms(**line) for line in lines])
