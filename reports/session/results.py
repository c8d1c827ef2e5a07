"""A test's verdict and record, made of the reports that pytest gives of its phases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from reports.records.verdicts import Record

TOLD = 50
"""Calls of a test that passed which are told from its beginning, and from its end."""


def make_record(reports: Sequence[pytest.TestReport]) -> Record:
    """The record of a test, from the reports of its phases or from the single report of its crash."""
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
        lack=said.get("lack", "") if verdict == "unsupported" else "",
    )


def shortened(calls: list[dict[str, Any]], verdict: str) -> list[dict[str, Any]]:
    """The calls of a test as a record has them: begun at whole microseconds, and of a test that passed the first and last ones.

    What is left out is a third of a compressed record, and nobody reads it.
    """
    for call in calls:
        if "at" in call:
            call["at"] -= call["at"] % 1000
    if verdict != "pass" or len(calls) <= 2 * TOLD:
        return calls
    left_out = sum(call.get("dropped", 1) for call in calls[TOLD:-TOLD])
    return [*calls[:TOLD], {"dropped": left_out}, *calls[-TOLD:]]


def make_collection_error(report: pytest.CollectReport) -> Record:
    """The record of a file whose tests could not be collected."""
    text = str(report.longrepr).strip() or "no message"
    return Record(report.nodeid, [], "", "error", text.splitlines()[-1], 0.0, report.nodeid, detail=text)


def _verdict(reports: Sequence[pytest.TestReport], said: dict[str, Any], warnings: list[str]) -> tuple[str, str, str]:
    """The verdict, its message in one line, and the details."""
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
