"""What changed between two runs: tests, violations, and the time that calls take.

Tests are matched by id, devices by slug; two runs of one device each are compared whatever their slugs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reports.records.baseline import LATE, key_of, lacks, spare
from reports.records.lines import Line
from reports.records.renamed import current
from reports.records.runs import Run
from reports.records.timing import spelled, times
from reports.records.verdicts import FAILING, JUDGED

REGRESSIONS = ("new failure", "other kind of failure", "new error", "newly unsupported", "vanished")
KINDS = (
    *REGRESSIONS,
    "slower",
    "too late",
    "newly flaky",
    "new warning",
    "fixed",
    "newly judged",
    "new test",
    "faster",
    "all slower",
    "all faster",
    "apart from drivers",
)
FEWEST, MANY = 20, 100
"""Calls below which times say nothing, and from which a fastest tenth that grew by the factor is no noise."""
OTHERS = 5
"""Other commands that it takes to tell a slow machine from a slow command."""


@dataclass(frozen=True)
class Change:
    """One difference: `was` and `now` are verdicts or durations, "" where the run has no such result."""

    kind: str
    device: str
    what: str
    was: str
    now: str
    message: str = ""
    rules: tuple[str, ...] = ()
    repeat: str = ""


def compare(old: Run, new: Run, factor: float = 2.0) -> list[Change]:
    """Every difference, regressions first; calls are slower if they take `factor` times as long, on a busy machine too."""
    devices = _same_devices(old, new)
    before = {(devices.get(one["device"], one["device"]), current(key)): one for key, one in _results(old)}
    after = {(one["device"], current(key)): one for key, one in _results(new)}
    layers = {layer["slug"] for layer in new.head.get("validation_layers", [])}
    (earlier, _), (later, judged) = lacks(old.tests), lacks(new.tests)
    few_late = later[LATE] - earlier[LATE] <= spare(judged)
    changes = []
    for device, key in dict.fromkeys((*after, *before)):
        was, now = before.get((device, key)), after.get((device, key))
        if kind := _kind(was, now):
            said: Line = now or was or {}
            is_late = kind == "newly unsupported" and said.get("lack") == LATE
            kind = "apart from drivers" if device in layers else "too late" if is_late and few_late else kind
            verdicts = (was["verdict"] if was else "", now["verdict"] if now else "")
            repeat = new.repeat(now) if now else ""
            changes.append(Change(kind, device, key, *verdicts, said["message"], tuple(_rules(said)), repeat))
    both = before.keys() & after.keys()
    changes += _times([before[one] | {"device": one[0]} for one in both], [after[one] for one in both], factor)
    return sorted(changes, key=lambda one: (KINDS.index(one.kind), one.device, one.what))


def is_regression(changes: list[Change], slower: bool = False) -> bool:
    """Whether any change is for the worse; calls that got slower count if `slower` says so."""
    return any(one.kind in REGRESSIONS or (slower and one.kind == "slower") for one in changes)


def _same_devices(old: Run, new: Run) -> dict[str, str]:
    """Slugs of the old run to those of the new one where they differ."""
    was, now = ([device["slug"] for device in run.devices] for run in (old, new))
    return {was[0]: now[0]} if len(was) == len(now) == 1 else {}


def _results(run: Run) -> Iterator[tuple[str, Line]]:
    yield from ((key_of(one), one) for one in run.tests)
    yield from ((key_of(one), one) for one in run.breaches)


def _rules(one: Line) -> list[str]:
    return [one["rule"]] if one["type"] == "breach" else list(one["rules"])


def _kind(old: Line | None, new: Line | None) -> str:
    """The kind of a change, "" for none; a run without a violation kept its rule."""
    breach = (old or new or {})["type"] == "breach"
    absent = "pass" if breach else ""
    was, now = _verdict(old) if old else absent, _verdict(new) if new else absent
    if was == now:
        return ""
    if now in FAILING:
        return "other kind of failure" if was in FAILING else "new failure"
    if not was:
        return "new error" if now == "error" else "new test"
    if not now:
        return "vanished"
    if now in ("unsupported", "pass", "warn"):
        improved = {"unsupported": "newly judged", "error": "newly judged"}
        worse = {"unsupported": "newly unsupported", "warn": "new warning" if was == "pass" else ""}
        return worse.get(now) or ("fixed" if was in FAILING else improved.get(was, ""))
    return "newly flaky" if now == "flaky" else "new error"


def _verdict(one: Line) -> str:
    """The verdict; flaky where the baseline says so, whatever the outcome this time."""
    return "flaky" if one.get("expected") == "flaky" and one["verdict"] in JUDGED else str(one["verdict"])


def _times(old: list[Line], new: list[Line], factor: float) -> Iterator[Change]:
    """Commands that got slower or faster in the tests that both runs have, and whether all commands of a device did."""
    before = {(one["device"], one["command"]): one for one in times(old)}
    pairs = [(was, now) for now in times(new) if (was := before.get((now["device"], now["command"])))]
    for was, now in pairs if factor > 0 else ():
        pace = _pace([pair for pair in pairs if pair[1]["device"] == now["device"] and pair[1] is not now])
        for kind, fast, slow, expected in (("slower", was, now, max(pace, 1)), ("faster", now, was, max(1 / pace, 1))):
            if _is_slower(fast, slow, factor * expected):
                longer = f"the fastest tenth takes {now['p10'] / max(was['p10'], 1):.2g} times as long as it did"
                yield Change(kind, now["device"], now["command"], _spell(was), _spell(now), longer)
    for device in dict.fromkeys(now["device"] for _, now in pairs) if factor > 0 else ():
        pace = _pace([pair for pair in pairs if pair[1]["device"] == device])
        if not 1 / factor < pace < factor:
            told = (
                f"half of all commands take {pace:.2g} times as long as they did: another machine, or all of the driver"
            )
            yield Change("all slower" if pace > 1 else "all faster", device, "all commands", "", "", told)


def _pace(pairs: list[tuple[Line, Line]]) -> float:
    """How many times as long the commands that are called often take, by the median of their fastest tenths; 1 for few."""
    grew = sorted(now["p10"] / max(was["p10"], 1) for was, now in pairs if min(was["count"], now["count"]) >= MANY)
    return max(grew[len(grew) // 2], 0.001) if len(grew) >= OTHERS else 1.0


def _is_slower(fast: Line, slow: Line, factor: float) -> bool:
    """The fastest tenth grew `factor` times; with few calls it also has to lie where hardly any call was before.

    Measured on SwiftShader on two cores, alone and beside eight busy processes: fastest tenths of a hundred calls and more
    differ by up to 1.4 times, those of fewer up to 13 times; medians up to 7 times, 99th percentiles up to 100 times.
    """
    enough = min(fast["count"], slow["count"])
    grew = bool(slow["p10"] >= factor * max(fast["p10"], 1))
    return grew and (enough >= MANY or bool(enough >= FEWEST and slow["p10"] > fast["p99"]))


def _spell(one: dict[str, Any]) -> str:
    return f"{spelled(one['p10'])} (median {spelled(one['median'])}, 99 % below {spelled(one['p99'])}, {one['count']} calls)"
