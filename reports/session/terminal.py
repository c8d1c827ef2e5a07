"""The summary on the terminal: verdicts per device, then each failure and violation in a few lines."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from typing import Any

import pytest

from reports.records.drivers import driver
from reports.records.lines import record_of
from reports.records.runs import repeat, short
from reports.records.verdicts import FAILING, Record, alike, told_steps
from reports.session import ending
from reports.session.recorder import RECORDER, Recorder

SHOWN = 5


def pytest_suite_driver(device: dict[str, Any]) -> str:
    return driver(device)


@pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_terminal_summary")
def pytest_last_line(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    """When all sections are written, also pytest's own (-r): its last line counts as this suite does."""
    yield
    if recorder := config.stash.get(RECORDER, None):
        ending.recount(terminalreporter.stats, recorder)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    recorder = config.stash.get(RECORDER, None)
    write = terminalreporter.write_line
    if exitstatus == pytest.ExitCode.USAGE_ERROR and recorder and not recorder.records:
        return  # one sentence tells what was wrong
    if recorder is None:
        for error in terminalreporter.stats.get("error", []):
            write(f"{error.nodeid}\n{error.longrepr}")
        return
    terminalreporter.ensure_newline()
    for title, lines in _sections(recorder):
        if lines:
            terminalreporter.section(title)
            for line in lines:
                write(line)
    terminalreporter.section("verdicts")
    for line in [
        *ending.counts(recorder),
        *ending.failing(recorder),
        ending.why(recorder, config.option.baseline or ""),
    ]:
        write(line)
    if recorder.note:
        write(recorder.note)
    for name, file in (("record", record_of(recorder.folder)), ("page", recorder.folder / "index.html")):
        if file and file.exists():
            write(f"{name}: {short(file)}")


def _sections(recorder: Recorder) -> list[tuple[str, list[str]]]:
    bad = [r for r in recorder.records if r.verdict in FAILING]
    breaches = [b for b in recorder.breaches.values() if not b["expected"]]
    rest = {v: [r for r in recorder.records if r.verdict == v] for v in ("error", "flaky", "warn")}
    poisoned = [r for r in recorder.records if r.outcomes and r.outcomes[-1].get("outcome") == "poisoned process"]
    return [
        ("warnings", _warnings(rest["warn"])),
        ("known to be flaky", _known(ending.by_reason([r for r in bad if r.expected == "flaky"]))),
        ("known to fail", _known(ending.known(recorder))),
        ("failed only after other tests, judged alone", [line for r in poisoned for line in _after(recorder, r)]),
        ("after the last test", recorder.farewells),
        (
            "failures of a validation layer, which fail no driver",
            _failures(recorder, [r for r in bad if _apart(recorder, r)]),
        ),
        ("errors of the suite", [line for r in rest["error"] for line in (f"{r.nodeid}", r.detail)]),
        ("flaky", [line for r in rest["flaky"] for line in _flaky(recorder, r)]),
        ("differs from the baseline", [f"{key}: {what}" for key, what in recorder.surprises]),
        ("violations", [line for breach in breaches for line in _violation(recorder, breach)]),
        ("failures", _failures(recorder, [r for r in bad if r.differs])),
    ]


def _warnings(records: list[Record]) -> list[str]:
    """Warnings, grouped by rules and test function: the first in full, the others counted."""
    groups = alike(records, lambda one: (*one.rules, _function(one)))
    return [
        f"{' '.join(first.rules)}  {first.id}: {first.message}" + f" (and {len(rest)} more)" * bool(rest)
        for first, *rest in groups
    ]


def _function(record: Record) -> str:
    return record.id.partition("[")[0]


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


def _known(groups: list[list[Record]]) -> list[str]:
    """Known failures by verdict and reason: the first by name, the others counted."""
    lines = []
    for first, *rest in groups:
        reason, more = first.reason or first.message, f" and {len(rest)} more" if rest else ""
        lines += [f"{first.verdict}  {reason.splitlines()[0]}", f"      {first.id}{more}"]
    return lines


def _failures(recorder: Recorder, records: list[Record]) -> list[str]:
    """Failures, grouped by test function and verdict: the first in full, the others counted."""
    groups = alike(records, lambda one: (one.verdict, one.device, _function(one)))
    return [line for group in groups for line in _failure(recorder, group)]


def _failure(recorder: Recorder, group: list[Record]) -> list[str]:
    first, more = group[0], len(group) - 1
    on = f" [{first.device}]" if first.device else ""
    lines = [
        f"{first.verdict}  {' '.join(first.rules) or _function(first)}{on}: {_claim(recorder, first)}",
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
