"""Which few known faults together explain what failed in a run: a diagnosis.

Each fault is a hypothesis of how the driver may be wrong. What it makes fail and did fail speaks for it, what it makes fail and
passed against it; the one for which most speaks is taken, then the next one for what is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from reports.diagnose.symptoms import Library, Symptoms, seen_in, split
from reports.records.baseline import key_of
from reports.records.lines import Line
from reports.records.runs import is_known
from reports.records.verdicts import FAILING, JUDGED

MOST = 5
"""Faults that a diagnosis names at most."""
ALTERNATIVES = 3
"""Faults that a finding names at most, the likeliest first."""
NEAR = 0.8
"""A fault is as likely as another one if its score is at least this part of that one's."""
STRAY = 0.02
"""How likely a test fails for another reason than the fault that is looked at."""
SURE = 0.8
"""How likely a test fails on a driver if the fault makes it fail on the reference driver: drivers differ."""
ODD = 0.2
"""How likely a failure shows another result than those that are seen with the fault over the reference driver."""
LIKELY = 0.5
"""The chance from which on a fault is said to make a test fail."""
VIOLATION = 3.0
"""The weight of a violation, which every call with the same result is, beside that of a test function."""
MOST_PASSED = 2
"""A fault explains nothing if it makes so many times more tests fail that passed than it explains."""
LEAST = 1.5
"""The least score with which a fault is worth a word."""


@dataclass(frozen=True)
class Match:
    """A fault held against results: what it `explains`, what it makes fail and `passed`, and the score of both.

    `odd` are those that it explains though they show an error, and nothing that fails with it in the reference driver does.
    """

    fault: Symptoms
    score: float
    explains: list[str]
    passed: list[str]
    odd: list[str]


@dataclass(frozen=True)
class Diagnosis:
    """Of one device: how many tests and violations `failed`, what explains them, and what is `left`.

    A finding has the likeliest fault first, then those that are as likely or explain the same.
    """

    device: str
    failed: int
    findings: list[list[Match]] = field(default_factory=list)
    left: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class _Function:
    """The results of one test function: the rules that it claims, and those that failed and that passed."""

    rules: list[str]
    failed: list[Line]
    passed: list[Line]


@dataclass(frozen=True)
class _Hypothesis:
    """A fault held against all results: by name of a failure how much it speaks for it, by function what speaks against it."""

    fault: Symptoms
    gains: dict[str, float]
    loss: float
    explains: list[str]
    passed: list[str]
    odd: list[str]

    def match(self, left: set[str]) -> Match:
        """How it explains the failures that are left."""
        score = self.loss + sum(gain for name, gain in self.gains.items() if name in left)
        explains, odd = ([name for name in names if name in left] for names in (self.explains, self.odd))
        return Match(self.fault, score, explains, self.passed, odd)


def diagnose(device: str, results: Iterable[Line], library: Library) -> Diagnosis:
    """What explains the failures among the results of a device; those that its baseline expects count neither way."""
    counted = [one for one in results if one["verdict"] in JUDGED and not is_known(one)]
    failed = [one for one in counted if one["verdict"] in FAILING]
    found = Diagnosis(device, len(failed), left=failed)
    hypotheses = _hypotheses(counted, library)
    while found.left and len(found.findings) < MOST:
        ranked = _ranked(hypotheses, found.left)
        if not ranked or ranked[0].score < LEAST:
            break
        found.findings.append([one for one in ranked if one.score >= NEAR * ranked[0].score][:ALTERNATIVES])
        explained = {*ranked[0].explains}
        found.left[:] = [one for one in found.left if key_of(one) not in explained]
    return found


def _ranked(hypotheses: Iterable[_Hypothesis], left: Iterable[Line]) -> list[Match]:
    """The faults that explain some of the failures that are left, the likeliest first."""
    names = {key_of(one) for one in left}
    matches = [one.match(names) for one in hypotheses]
    likely = [one for one in matches if one.explains and len(one.passed) <= MOST_PASSED * len(one.explains)]
    return sorted(likely, key=lambda one: (-one.score, one.fault.fault))


def _hypotheses(results: Iterable[Line], library: Library) -> list[_Hypothesis]:
    """The faults that may explain a failure."""
    functions: dict[str, _Function] = {}
    for one in results:
        rules = one["rules"] if one["type"] == "test" else [one["rule"]]
        function = functions.setdefault(split(key_of(one))[0], _Function(rules, [], []))
        (function.failed if one["verdict"] in FAILING else function.passed).append(one)
    failing = {name for name, function in functions.items() if function.failed}
    return [_hypothesis(one, functions, library) for one in library.faults if failing & one.fails.keys()]


def _hypothesis(fault: Symptoms, functions: dict[str, _Function], library: Library) -> _Hypothesis:
    made, loss = _Hypothesis(fault, {}, 0.0, [], [], []), 0.0
    for name, function in functions.items():
        if name not in fault.fails and not library.chance(fault, name, function.rules):
            continue
        weight = VIOLATION if name.startswith("breach ") else 1 / math.sqrt(len(function.failed) + len(function.passed))
        for one in (*function.failed, *function.passed):
            chance, key = library.chance(fault, key_of(one), function.rules), key_of(one)
            likely = name in fault.fails and chance >= LIKELY
            if one["verdict"] not in FAILING:
                loss += weight * math.log((1 - _raised(chance)) / (1 - STRAY))
                made.passed.extend([key] if likely else [])
            else:
                alike = fmean(fault.seen.get(what, 0.0) for what in seen_in(one))
                if one["type"] == "breach" and not alike:
                    continue  # another result is another violation
                made.gains[key] = weight * math.log(_raised(chance * (ODD + (1 - ODD) * alike)) / STRAY)
                made.explains.extend([key] if likely else [])
                made.odd.extend([key] if likely and _is_error(seen_in(one)) and not _is_error(fault.seen) else [])
    violations = {name for name in fault.fails if name.startswith("breach ")}
    if violations and not violations & functions.keys():
        loss -= sum(made.gains.values()) / 2
    return replace(made, loss=loss)


def _is_error(seen: Iterable[str]) -> bool:
    """Whether one of the results is an error."""
    return any(what.startswith("VK_ERROR") for what in seen)


def _raised(chance: float) -> float:
    """How likely a test fails that fails with this chance over the reference driver with the fault."""
    return STRAY + (SURE - STRAY) * chance


def of_run(devices: Iterable[str], results: Sequence[Line], library: Library) -> list[Diagnosis]:
    """The diagnosis of each device of a run, of its tests and violations together."""
    return [diagnose(slug, [one for one in results if one["device"] == slug], library) for slug in devices]


def judged_of(tests: Iterable[Line]) -> list[Line]:
    """The tests that a diagnosis needs: those that were judged, of the devices with a failure that no baseline expects."""
    judged = [one for one in tests if one["verdict"] in JUDGED]
    failing = {one["device"] for one in judged if one["verdict"] in FAILING and not is_known(one)}
    return [one for one in judged if one["device"] in failing]
