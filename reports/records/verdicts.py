"""What a verdict is, how a test's reports make one, and how one stands against what was known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

FAILING = ("fail", "crash", "timeout")
VERDICTS = (*FAILING, "error", "flaky", "warn", "pass", "unsupported")
JUDGED = ("pass", "warn", "flaky", *FAILING)


@dataclass
class Record:
    """One test's result: everything that results.jsonl says of it.

    `behaviour` is the sentence that the test states; `expected` and `reason` are the baseline's verdict and comment, ""
    where it has none; `differs` says what is wrong with the verdict, "" where nothing fails the run; `dispute` has of
    each rule what a quarrel over a failure needs.
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


def make_record(reports: Sequence[pytest.TestReport]) -> Record:
    """One record from the reports of a test's phases, or from the one report of its crash."""
    properties: list[tuple[str, Any]] = [one for report in reports for one in report.user_properties]
    said = dict(properties)
    said["calls"] = json.loads(said.get("calls", "[]"))
    warnings = [text for name, texts in properties if name == "warnings" for text in texts]
    verdict, message, detail = _verdict(reports, said, warnings)
    return Record(
        id=said.get("id", reports[0].nodeid),
        rules=said.get("rules", []),
        device=said.get("device", ""),
        verdict=verdict,
        message=message,
        seconds=round(sum(report.duration for report in reports), 6),
        nodeid=reports[0].nodeid,
        calls=said["calls"],
        warnings=warnings,
        breaches=said.get("breaches", []),
        outcomes=said.get("outcomes", []),
        process=said.get("process", ""),
        detail=detail,
        behaviour=said.get("behaviour", ""),
        parameters=said.get("parameters", {}),
    )


def make_collection_error(report: pytest.CollectReport) -> Record:
    """The record of a file whose tests could not be collected."""
    text = str(report.longrepr).strip() or "no message"
    return Record(report.nodeid, [], "", "error", text.splitlines()[-1], 0.0, report.nodeid, detail=text)


def _verdict(reports: Sequence[pytest.TestReport], said: dict[str, Any], warnings: list[str]) -> tuple[str, str, str]:
    """(verdict, one-line message, detail)."""
    conclusion = (said.get("outcomes") or [{}])[-1].get("outcome")
    if conclusion == "flaky":
        runs = said["outcomes"][:-1]
        failed = [one["message"] for one in runs if "message" in one]
        return "flaky", f"failed {len(failed)} of {len(runs)} times: {first_line(failed[0])}", failed[0]
    ending = said.get("ending")
    if ending:
        verdict = "timeout" if ending.startswith("timeout") else "crash"
        pending = [call["command"] for call in said["calls"] if call.get("ns", 0) is None]
        where = f" in {pending[-1]}" if pending else ""
        return verdict, ending + where, next(str(r.longrepr) for r in reports if r.longrepr)
    broken = [report for report in reports if report.failed]
    if broken:
        properties: list[tuple[str, Any]] = broken[0].user_properties
        suite = ("suite", str(broken[0].longrepr))
        blamed, text = next((value for name, value in properties if name == "failure"), suite)
        last = text.strip().splitlines()[-1] if text.strip() else "no message"
        return ("fail", first_line(text), text) if blamed == "driver" else ("error", last, text)
    skipped = next((report for report in reports if report.skipped), None)
    if skipped is not None:
        reason = skipped.longrepr[2] if isinstance(skipped.longrepr, tuple) else str(skipped.longrepr)
        return "unsupported", reason.removeprefix("Skipped: "), ""
    if warnings:
        return "warn", first_line(warnings[0]), "\n".join(warnings)
    return "pass", "", ""


def first_line(text: str) -> str:
    """The first line of an assertion's message, without what pytest appends."""
    line = text.strip().splitlines()[0] if text.strip() else "no message"
    return line.removeprefix("AssertionError: ")


def told_steps(text: str) -> list[str]:
    """The numbered list that a failure's text has, one step a line, such as the calls of a random walk."""
    return [line for line in text.splitlines() if re.match(r" *\d+\. ", line)]


def against(verdict: str, expected: str | None) -> str | None:
    """What is wrong with a verdict where `expected` was known (None: nothing was); None if nothing is."""
    if expected is None:
        return f"new {verdict}" if verdict in FAILING else None
    if verdict == expected or (expected == "flaky" and verdict in (*FAILING, "pass", "warn")):
        return None
    if verdict == "unsupported":
        return f"was {expected}, turned unsupported"
    if verdict in FAILING:
        return f"was {expected}, now {verdict}"
    return f"was {expected}, no longer is" if expected in (*FAILING, "unsupported") else None


WEAKER = "Weaker: "
"""In a ledger's `reading`, what stands before the weaker readings that were considered, or "-"."""
NO_WEAKER = "none: the text admits one reading only"


def dispute(ledger: dict[str, dict[str, str]], rules: Iterable[str]) -> list[dict[str, str]]:
    """Of each rule: `section` of the specification, the `reading` by which it was judged, the `weaker` ones considered."""

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
