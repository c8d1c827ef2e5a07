"""The last lines of a run: the verdicts, what fails it, its exit status and why; few enough for the end of a log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reports.records.baseline import key_of
from reports.records.verdicts import FAILING, VERDICTS, Record, alike
from reports.session.recorder import Recorder

MOST = 12
"""Lines of what fails the run; the page has the others."""
WIDTH = 200
LOST, BROKEN, MENDED, REST = range(4)
NO_RESULT = ("matches no test", "no longer seen")
"""How an entry of the baseline differs that no result of a run meets."""


def counts(recorder: Recorder) -> list[str]:
    """How many tests of each device have which verdict."""
    lines = []
    for slug in sorted({record.device for record in recorder.records}):
        found = Counter(record.verdict for record in recorder.records if record.device == slug)
        text = ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS if found[verdict])
        lines.append(f"{slug or 'no device'}: {text}")
    return lines or ["nothing was judged"]


def failing(recorder: Recorder) -> list[str]:
    """What fails the run: lost claims and reasons; by rules and test function what is broken, then what is mended; the rest."""
    groups: dict[tuple[int, str, str, str], list[str]] = {}
    for record in recorder.records:
        if record.differs or record.verdict == "error":
            key = _kind(record), record.verdict, " ".join(record.rules), record.id.partition("[")[0]
            groups.setdefault(key, []).append(record.message or record.differs)
    for breach in recorder.breaches.values():
        if breach["differs"]:
            groups.setdefault((BROKEN, breach["verdict"], breach["rule"], "violation"), []).append(breach["message"])
    for entry, what in _beyond(recorder):
        key = (REST, what, "", entry.partition("[")[0]) if what in NO_RESULT else (LOST, entry, "", what)
        groups.setdefault(key, []).append("")
    lines = [_line(*named[1:], told) for named, told in sorted(groups.items(), key=lambda group: group[0][0])]
    more = len(lines) - MOST
    return [*lines[:MOST], f"and {more} groups more: see the page"] if more > 1 else lines


def _kind(record: Record) -> int:
    if record.verdict in (*FAILING, "error", "flaky"):
        return BROKEN
    return MENDED if record.expected in (*FAILING, "flaky") else REST


def _line(verdict: str, rules: str, where: str, told: list[str]) -> str:
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    text = "  ".join(one for one in (verdict, rules, f"{where}{more}") if one)
    line = f"{text}: {told[0]}" if told[0] else text
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def known(recorder: Recorder) -> list[list[Record]]:
    """Failures as the baseline expects them, by reason."""
    return by_reason([one for one in recorder.records if one.verdict in FAILING and one.expected == one.verdict])


def by_reason(records: list[Record]) -> list[list[Record]]:
    """Records by verdict and reason, the message where a baseline has none."""
    return alike(records, lambda one: (one.verdict, one.reason or one.message))


def why(recorder: Recorder, baseline: str) -> str:
    """The exit status, and why it is this one."""
    status, at = recorder.status, f" from {Path(baseline).name}" if baseline else ""
    groups, beyond, rest = known(recorder), _beyond(recorder), ""
    if groups:
        failures = _number(sum(map(len, groups)), "known failure", "known failures")
        rest = f"; {failures} in {_number(len(groups), 'group', 'groups')}"
    if flaky := sum(one.expected == "flaky" and one.verdict in FAILING for one in recorder.records):
        rest += f"; {_number(flaky, 'failure', 'failures')} of what is known to be flaky"
    found = [
        (sum(bool(one.differs) for one in recorder.records), "test", "tests"),
        (sum(bool(one["differs"]) for one in recorder.breaches.values()), "violation", "violations"),
        (sum(key.startswith("claims ") for key, _ in beyond), "lost claim", "lost claims"),
        (
            sum(key.startswith(("declines ", "late")) for key, _ in beyond),
            "reason to skip tests",
            "reasons to skip tests",
        ),
        (sum(what in NO_RESULT for _, what in beyond), "entry without a result", "entries without a result"),
    ]
    differing = ", ".join(_number(*one) for one in found if one[0])
    sentences = {
        pytest.ExitCode.OK: f"nothing differs{at}{rest}" if baseline else "nothing fails",
        pytest.ExitCode.TESTS_FAILED: f"what differs{at}: {differing}{rest}"
        if baseline
        else f"what fails: {differing}",
        pytest.ExitCode.INTERRUPTED: "the run was interrupted",
        pytest.ExitCode.INTERNAL_ERROR: "errors of the suite, which say nothing of a driver",
        pytest.ExitCode.NO_TESTS_COLLECTED: "nothing was judged",
    }
    return f"exit {status}: {sentences.get(pytest.ExitCode(status), 'the run did not come to its end')}"


def _beyond(recorder: Recorder) -> list[tuple[str, str]]:
    """Differences from the baseline that are no result's."""
    breaches = ({"type": "breach", **breach} for breach in recorder.breaches.values())
    seen = {record.id for record in recorder.records} | {key_of(breach) for breach in breaches}
    return [(key, what) for key, what in recorder.surprises if key not in seen]


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def recount(stats: dict[str, list[Any]], recorder: Recorder) -> None:
    """Make pytest's last line count tests as this suite does: a known failure is an expected one."""
    for name in ("passed", "failed", "error", "skipped", "xfailed", "rerun"):
        stats.pop(name, None)
    for record in recorder.records:
        stats.setdefault(_outcome(record), []).append(record)


def _outcome(record: Record) -> str:
    if record.verdict in ("error", "unsupported"):
        return {"error": "error", "unsupported": "skipped"}[record.verdict]
    if record.verdict in FAILING or record.differs:
        return "failed" if record.differs else "xfailed"
    return "passed"
