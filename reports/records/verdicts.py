"""The verdicts, the record of a test, and what a verdict means against a baseline."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

FAILING = ("fail", "crash", "timeout")
VERDICTS = (*FAILING, "error", "flaky", "warn", "pass", "unsupported")
JUDGED = ("pass", "warn", "flaky", *FAILING)


@dataclass
class Record:
    """One test's result: everything that results.jsonl says of it.

    `behaviour` is the sentence that the test states; `expected` and `reason` are the baseline's verdict and comment, ""
    where it has none; `differs` says why the verdict fails the run, "" where it does not; `dispute` has what a dispute
    over the failure needs, one entry per rule. `breaches` are the violations: [rule, command, what was seen].
    `lack` says what made it unsupported: "declined" an answer of the driver, "late" the machine's speed, "" anything else.
    """

    id: str
    rules: list[str]
    device: str
    verdict: str
    message: str
    seconds: float
    nodeid: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    breaches: list[list[str]] = field(default_factory=list)
    outcomes: list[dict[str, str]] = field(default_factory=list)
    process: str = ""
    detail: str = ""
    behaviour: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    expected: str = ""
    reason: str = ""
    differs: str = ""
    dispute: list[dict[str, str]] = field(default_factory=list)
    lack: str = ""


def alike(ones: Iterable[T], cause: Callable[[T], Hashable]) -> list[list[T]]:
    """Results grouped by their `cause`, in the order in which the first of each comes."""
    groups: dict[Hashable, list[T]] = {}
    for one in ones:
        groups.setdefault(cause(one), []).append(one)
    return list(groups.values())


def told_steps(text: str) -> list[str]:
    """The numbered lines of a failure's text, such as the calls of a random walk."""
    return [line for line in text.splitlines() if re.match(r" *\d+\. ", line)]


def against(verdict: str, expected: str | None) -> str | None:
    """Why a verdict fails the run; None if it does not. `expected` is the baseline's verdict, None where it has no entry."""
    if expected is None:
        return f"new {verdict}" if verdict in FAILING else None
    if verdict == expected or (expected == "flaky" and verdict in (*FAILING, "pass", "warn")):
        return None
    if verdict == "flaky" and expected in FAILING:  # it still fails, if not each time
        return None
    if expected == "optional" and verdict in ("pass", "warn", "unsupported"):
        return None
    if verdict == "unsupported":
        return f"was {expected}, turned unsupported"
    if verdict in FAILING:
        return f"was {expected}, now {verdict}"
    return f"was {expected}, no longer is" if expected in (*FAILING, "unsupported") else None


WEAKER = "Weaker: "
"""In a ledger's `reading`, the mark before the weaker readings that were considered; "-" after it: there are none."""
NO_WEAKER = "none: the text admits one reading only"


def dispute(ledger: dict[str, dict[str, str]], rules: Iterable[str]) -> list[dict[str, str]]:
    """For each rule its `section` of the specification, the `reading` that judged it, and the `weaker` readings considered."""

    def readings(rule: str) -> tuple[str, str]:
        reading, _, weaker = ledger.get(rule, {}).get("reading", "").partition(WEAKER)
        return reading.strip(), NO_WEAKER if weaker == "-" else weaker.strip()

    told = []
    for rule in rules:
        reading, weaker = readings(rule)
        others = re.findall(r"[A-Z]+-\d+", weaker) if weaker.startswith("as ") else []
        weaker = "\n".join([weaker, *(f"{other}: {readings(f'SPEC-{other}')[1]}" for other in others)])
        told.append(
            {"rule": rule, "section": ledger.get(rule, {}).get("source", ""), "reading": reading, "weaker": weaker}
        )
    return told
