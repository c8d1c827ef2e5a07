"""A diagnosis in words, and as data for programs and the page."""

from __future__ import annotations

from typing import Any

from reports.diagnose.explain import Diagnosis, Match
from reports.records.baseline import key_of, title_of
from reports.records.lines import Line
from reports.records.verdicts import alike

SHOWN = 10
"""Groups of failures without an explanation that are told."""


def as_text(found: list[Diagnosis]) -> str:
    """What a person reads of the diagnoses of a run."""
    return "\n".join(line for one in found for line in _lines(one)) + "\n"


def as_data(found: list[Diagnosis]) -> list[dict[str, Any]]:
    """The same for programs: of each device the findings with their faults, the likeliest first, and what is left."""
    return [
        {
            "device": one.device,
            "failed": one.failed,
            "in_short": in_short(one),
            "findings": [[_fault(match, one) for match in finding] for finding in one.findings],
            "left": [{"text": _group(group), "tests": [key_of(result) for result in group]} for group in _groups(one)],
        }
        for one in found
    ]


def in_short(one: Diagnosis) -> str:
    """A diagnosis in a sentence."""
    if not one.failed:
        return f"{one.device}: nothing failed that a baseline does not expect"
    if not one.findings:
        return f"{one.device}: no known fault explains {_failures(one.failed)}"
    first, *more = one.findings
    faults = f"; {len(more)} more fault{'s' * (len(more) > 1)} for the others" if more else ""
    return f"{one.device}: looks like: {saying(first[0])}; {explains(first[0], one)}{faults}"


def saying(match: Match) -> str:
    """What the fault is, as part of a sentence."""
    text = " ".join(match.fault.statement.partition("\n\n")[0].split()).rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def explains(match: Match, one: Diagnosis) -> str:
    """How well a fault explains what failed."""
    passed = f", though {len(match.passed)} that it makes fail passed" if match.passed else ""
    odd = f", {len(match.odd)} of them with an error that it does not make" if match.odd else ""
    return f"explains {len(match.explains)} of {_failures(one.failed)}{odd}{passed}"


def _lines(one: Diagnosis) -> list[str]:
    if not one.findings:
        return [in_short(one), *_left(one)]
    lines = [f"{one.device}: {_failures(one.failed)}"]
    for number, (first, *others) in enumerate(one.findings, 1):
        lines += [f"{number}. looks like: {saying(first)} ({first.fault.fault})"]
        lines += [f"   {explains(first, one)}; it breaks {', '.join(first.fault.rules)}"]
        lines += [f"   passed nevertheless: {title_of(name)}" for name in first.passed[:2]]
        lines += [f"   or: {saying(other)} ({other.fault.fault}); {explains(other, one)}" for other in others]
    return [*lines, *_left(one)]


def _left(one: Diagnosis) -> list[str]:
    groups = _groups(one)
    head = [f"no known fault explains {_failures(len(one.left))}:"] if one.findings and one.left else []
    more = [f"    and {sum(map(len, groups[SHOWN:]))} more"] * (len(groups) > SHOWN)
    return [*head, *(f"    {_group(group)}" for group in groups[:SHOWN]), *more]


def _groups(one: Diagnosis) -> list[list[Line]]:
    return alike(one.left, lambda result: key_of(result).partition("[")[0])


def _group(group: list[Line]) -> str:
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    verdicts = ", ".join(sorted({str(one["verdict"]) for one in group}))
    return f"{verdicts}  {title_of(key_of(group[0]))}{more}"


def _fault(match: Match, one: Diagnosis) -> dict[str, Any]:
    return {
        "fault": match.fault.fault,
        "statement": saying(match),
        "rules": match.fault.rules,
        "score": round(match.score, 1),
        "text": explains(match, one),
        "explains": match.explains,
        "passed": match.passed,
    }


def _failures(count: int) -> str:
    return f"{count} failure{'s' * (count != 1)}"
