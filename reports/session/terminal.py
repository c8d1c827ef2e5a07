"""The summary on the terminal: verdicts per device, then each failure and violation in a few lines."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import Any

import pytest

from reports.records.drivers import driver
from reports.records.lines import record_of
from reports.records.runs import repeat, short
from reports.records.verdicts import FAILING, VERDICTS, Record, told_steps
from reports.session.recorder import RECORDER, Recorder

SHOWN = 5


def pytest_suite_driver(device: dict[str, Any]) -> str:
    return driver(device)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    recorder = config.stash.get(RECORDER, None)
    write = terminalreporter.write_line
    if exitstatus == pytest.ExitCode.USAGE_ERROR and recorder and not recorder.records:
        return  # one sentence tells what was wrong
    if recorder is None:
        for error in terminalreporter.stats.get("error", []):
            write(f"{error.nodeid}\n{error.longrepr}")
        return
    terminalreporter.section("verdicts")
    for line in _counts(recorder):
        write(line)
    for title, lines in _sections(recorder):
        if lines:
            terminalreporter.section(title)
            for line in lines:
                write(line)
    write("")
    for name, file in (("record", record_of(recorder.folder)), ("page", recorder.folder / "index.html")):
        if file and file.exists():
            write(f"{name}: {short(file)}")


def _counts(recorder: Recorder) -> list[str]:
    lines = []
    for slug in sorted({record.device for record in recorder.records}):
        counts = Counter(record.verdict for record in recorder.records if record.device == slug)
        text = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
        lines.append(f"{slug or 'no device'}: {text}")
    return lines or ["nothing was judged"]


def _sections(recorder: Recorder) -> list[tuple[str, list[str]]]:
    bad = [r for r in recorder.records if r.verdict in FAILING]
    breaches = [b for b in recorder.breaches.values() if not b["expected"]]
    rest = {v: [r for r in recorder.records if r.verdict == v] for v in ("error", "flaky", "warn")}
    poisoned = [r for r in recorder.records if r.outcomes and r.outcomes[-1].get("outcome") == "poisoned process"]
    return [
        ("failures", _failures(recorder, [r for r in bad if r.differs])),
        (
            "failures of a validation layer, which fail no driver",
            _failures(recorder, [r for r in bad if _apart(recorder, r)]),
        ),
        ("violations", [line for breach in breaches for line in _violation(recorder, breach)]),
        ("differs from the baseline", [f"{key}: {what}" for key, what in recorder.surprises]),
        ("errors of the suite", [line for r in rest["error"] for line in (f"{r.nodeid}", r.detail)]),
        ("flaky", [line for r in rest["flaky"] for line in _flaky(recorder, r)]),
        ("known to fail", _known([r for r in bad if r.expected == r.verdict])),
        ("known to be flaky", _known([r for r in bad if r.expected == "flaky"])),
        ("failed only after other tests, judged alone", [line for r in poisoned for line in _after(recorder, r)]),
        ("after the last test", recorder.farewells),
        ("warnings", [f"{' '.join(r.rules)}  {r.id}: {r.message}" for r in rest["warn"]]),
    ]


def _apart(recorder: Recorder, record: Record) -> bool:
    return record.device in recorder.layers and not record.expected and not record.differs


def _flaky(recorder: Recorder, record: Record) -> list[str]:
    """A mixed result, and the outcome and place of each of its runs."""
    runs = ", ".join(f"{one['outcome']} in a {one['where']}" for one in record.outcomes[:-1])
    return [f"{record.id}: {record.message}", f"      {runs}", *_after(recorder, record)[1:]]


def _after(recorder: Recorder, record: Record) -> list[str]:
    """A test that fails only after others, and the command that finds them."""
    command = [".venv/bin/python", "-m", "reports", "order", short(recorder.folder), record.nodeid]
    return [record.id, f"      after which: {shlex.join(command)}"]


def _statement(recorder: Recorder, rule: str) -> str:
    return str(recorder.ledger.get(rule, {}).get("statement", "(a rule that the ledger does not have)"))


def _claim(recorder: Recorder, record: Record) -> str:
    return _statement(recorder, record.rules[0]) if record.rules else "(claims no rule)"


def _known(records: list[Record]) -> list[str]:
    """Known failures, grouped by verdict and reason: the first by name, the others counted."""
    groups: dict[tuple[str, str], list[str]] = {}
    for record in records:
        groups.setdefault((record.verdict, record.reason or record.message), []).append(record.id)
    lines = []
    for (verdict, reason), ids in groups.items():
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        lines += [f"{verdict}  {reason.splitlines()[0]}", f"      {ids[0]}{more}"]
    return lines


def _failures(recorder: Recorder, records: list[Record]) -> list[str]:
    """Failures, grouped by test function and verdict: the first in full, the others counted."""
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        function = record.id.partition("[")[0]
        groups.setdefault((record.verdict, record.device, function), []).append(record)
    return [line for group in groups.values() for line in _failure(recorder, group)]


def _failure(recorder: Recorder, group: list[Record]) -> list[str]:
    first, more = group[0], len(group) - 1
    on = f" [{first.device}]" if first.device else ""
    lines = [
        f"{first.verdict}  {' '.join(first.rules) or first.id.partition('[')[0]}{on}: {_claim(recorder, first)}",
        f"      {first.message}",
        *(f"      {step}" for step in told_steps(first.detail)),
        f"      repeat: {repeat(recorder.choice, first.nodeid, first.detail)}",
    ]
    if more:
        named = ", ".join(record.id.partition("[")[2].rstrip("]") for record in group[1:SHOWN])
        lines.insert(-1, f"      and {more} more: {named}{', ...' if len(group) > SHOWN else ''}")
    return lines


def _violation(recorder: Recorder, breach: dict[str, Any]) -> list[str]:
    on = f" [{breach['device']}]" if breach["device"] else ""
    count = len(breach["tests"])
    return [
        f"{breach['verdict']}  {breach['rule']}{on}: {_statement(recorder, breach['rule'])}",
        f"      {breach['message']} (in {count} test{'s' * (count != 1)})",
        f"      repeat: {repeat(recorder.choice, breach['nodeid'])}",
    ]
