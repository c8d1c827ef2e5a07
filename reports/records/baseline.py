"""Baselines: the known results of a driver, one entry per line, with the reason in the comment above it.

    @driverID 10
    @driverName SwiftShader driver
    @versions 20971520..20971520
    @claims OPAQUE_FD:binary: exportable, importable, exports from OPAQUE_FD, compatible with OPAQUE_FD
    @declines 3 the driver makes no further device: vkCreateDevice returned VK_ERROR_TOO_MANY_OBJECTS
    @late 14

    # why this fails
    fail suites/importing/test_strangers.py::test_...[OPAQUE_FD-binary-pipe-read]

`@where TEXT` in the head says under which other circumstances it holds; such a baseline counts only where it is named.

A test that is `unsupported` needs no entry, as the head tells why there may be such: `@claims` has what the device claims
(claims.py), `@declines` how many tests end by an answer of the driver of which its claims tell nothing, `@late` how many come too
late to see work in flight. What differs is a claim that the device no longer makes, a reason that is not there, and a number that
is higher by more than FEW and SHARE. A baseline without `@claims` lists every `unsupported` test instead; `@slow` in it says that
the machine is, so that tests may come too late.

An entry names a test without its device, or a violation as `breach RULE COMMAND`; `*` in it stands for any text, and an entry
without one counts before such. Verdicts other than `pass` and `warn` have an entry. `flaky` accepts every outcome but `error`,
and without claims `unsupported`; `optional` accepts `pass`, `warn` and `unsupported`, for what some builds of a version claim and
others do not. Both stay when the baseline is rewritten, and a run leaves every entry alone that it did not judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from reports.records import claims
from reports.records.claims import Claims
from reports.records.renamed import current
from reports.records.verdicts import FAILING, JUDGED, against

LISTED = ("crash", "error", "fail", "flaky", "optional", "timeout", "unsupported")
HEAD = (
    "@driverID NUMBER, @driverName NAME, @versions LOWEST..HIGHEST, @where TEXT, @claims CLAIM, @declines NUMBER REASON, "
    "@late NUMBER, @slow"
)
DECLINED, LATE = "declined", "late"
"""The `lack` of an unsupported test that an answer of the driver ended, and of one that came too late."""
FEW, SHARE = 10, 1 / 50
"""How many tests more than the head says are no difference: so many, or that share of those that were judged."""


@dataclass
class Baseline:
    """The known verdicts of one driver by test id or violation, and the reasons that somebody gave.

    `where` names the circumstances beside the driver, such as a guest's kernel; "" where there are none. `claims` are None where
    every `unsupported` test has an entry, of which `slow` then says that they may come too late; else `declines` has the number
    of tests by the driver's answer, `late` that of those that came too late.
    """

    driver_id: int = 0
    driver_name: str = ""
    versions: tuple[int, int] = (0, 2**32 - 1)
    where: str = ""
    slow: bool = False
    claims: Claims | None = None
    declines: dict[str, int] = field(default_factory=dict)
    late: int = 0
    known: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def is_of(self, device: dict[str, Any]) -> bool:
        """Whether it is about the driver of `device` (a device of a run's first line), in whatever version."""
        return (device["driver_id"], device["driver_name"]) == (self.driver_id, self.driver_name)

    def fits(self, device: dict[str, Any]) -> bool:
        """Whether it covers the driver of `device` in its version."""
        return self.is_of(device) and self.versions[0] <= int(device["driver_version"]) <= self.versions[1]

    def entry(self, key: str, verdict: str = "") -> str:
        """The entry that a result meets: its own, else the first whose `*` stand for parts of it; "" for none.

        What is unsupported meets no `*` of failures: of a group of tests a device may claim some.
        """
        if key in self.known:
            return key
        met = (one for one, pattern in self._patterns.items() if pattern.fullmatch(key))
        return next((one for one in met if verdict != "unsupported" or self.known[one] not in FAILING), "")

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        return {one: re.compile(".*".join(map(re.escape, one.split("*")))) for one in self.known if "*" in one}

    def lists(self, lack: str) -> bool:
        """Whether a test has an entry that is unsupported for such a `lack`."""
        return self.claims is None and not (self.slow and lack == LATE)

    def beyond(self, device: dict[str, Any], results: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
        """(what, how it differs) of each difference that is no test's, where `device` had these results."""
        if self.claims is None:
            return []
        counted, judged = lacks(results)
        few = spare(judged)
        known = {f"declines {reason}": number for reason, number in self.declines.items()} | {LATE: self.late}
        more = [
            (what, f"{number} test{'s' * (number != 1)}, {known.get(what, 0)} in the baseline")
            for what, number in counted.items()
            if number > (known[what] + few if what in known else 0)
        ]
        return claims.lost(self.claims, claims.of(device)) + more

    @property
    def steady_breaches(self) -> set[str]:
        """The entries of violations that every whole run shows."""
        return {key for key in self.known if key.startswith("breach ") and not self.is_unsteady(key)}

    def is_unsteady(self, key: str) -> bool:
        """Whether the entry is of a violation that a whole run may or may not show."""
        return key.startswith("breach ") and self.known[key] == "flaky"

    def __str__(self) -> str:
        return f"{self.driver_name} {self.versions[0]}..{self.versions[1]}"


def read(path: Path) -> Baseline:
    """Read a baseline; ValueError with the line that does not read."""
    made, comments = Baseline(), list[str]()
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        line = raw.strip()
        if not line:
            comments.clear()
        elif line.startswith("#"):
            comments.append(line[1:].strip())
        elif line.startswith("@"):
            try:
                _head(made, line[1:])
            except ValueError:
                raise ValueError(f"{path}:{number}: {line!r} is none of {HEAD}") from None
        else:
            verdict, _, key = line.partition(" ")
            if verdict not in LISTED or not key:
                raise ValueError(
                    f"{path}:{number}: an entry is one of {', '.join(LISTED)}, then a test id or breach RULE COMMAND"
                )
            made.known[current(key)] = verdict
            made.reasons[current(key)] = "\n".join(comments)
    return made


def _head(made: Baseline, line: str) -> None:
    name, _, value = line.partition(" ")
    if name == "driverID":
        made.driver_id = int(value)
    elif name == "driverName":
        made.driver_name = value
    elif name == "versions":
        low, _, high = value.partition("..")
        made.versions = int(low), int(high)
    elif name == "where":
        made.where = value
    elif name == "slow":
        made.slow = True
    elif name == "claims":
        made.claims = made.claims or {}
        claims.add(made.claims, value)
    elif name == "declines":
        number, _, reason = value.partition(" ")
        made.declines[reason] = int(number)
    elif name == "late":
        made.late = int(value)
    else:
        raise ValueError(name)


def write(baseline: Baseline) -> str:
    """The text of a baseline: sorted by entry; neighbours with the same reason share its comment."""
    low, high = baseline.versions
    lines = [f"@driverID {baseline.driver_id}", f"@driverName {baseline.driver_name}", f"@versions {low}..{high}"]
    lines += [f"@where {baseline.where}"] * bool(baseline.where) + ["@slow"] * baseline.slow
    if baseline.claims is not None:
        lines += claims.lines(baseline.claims)
        lines += [f"@declines {number} {reason}" for reason, number in sorted(baseline.declines.items())]
        lines += [f"@late {baseline.late}"] * bool(baseline.late)
    above = None
    for key, verdict in sorted(baseline.known.items(), key=lambda item: (item[1] == "unsupported", item[0])):
        reason = baseline.reasons.get(key, "")
        if reason != above:
            lines += ["", *(f"# {line}" for line in reason.splitlines())]
        above = reason
        lines.append(f"{verdict} {key}")
    return "\n".join(lines) + "\n"


def from_results(
    run: dict[str, Any], results: Iterable[dict[str, Any]], old: Baseline | None = None, whole: bool = True
) -> Baseline:
    """A baseline of the driver of `old`, else of the run's first device; reasons and versions of `old` are kept.

    The reason of a new entry is the message of its result. Of a run that is not `whole` only what it judged is new: the other
    entries of `old` stay, and its claims. ValueError if the run did not judge the driver of `old`, or a part of another version
    of it.
    """
    device = _device([*run["devices"], *run.get("validation_layers", [])], old, whole)
    version = int(device["driver_version"])
    versions = old.versions if old and old.fits(device) else (version, version)
    made = Baseline(device["driver_id"], device["driver_name"], versions, old.where if old else "")
    judged = {key_of(one): one for one in results if one["device"] in ("", device["slug"])}
    counted, _ = lacks(judged.values())
    made.late = counted.pop(LATE, 0)
    made.declines = {what.partition(" ")[2]: number for what, number in counted.items()}
    if old and not whole:
        made.claims, made.declines, made.late, made.slow = old.claims, made.declines | old.declines, old.late, old.slow
    else:
        made.claims = claims.of(device)
    for key, one in judged.items():
        entry = old.entry(key, one["verdict"]) if old else ""
        before = old.known[entry] if old and entry else None
        stays = before in ("flaky", "optional") and not against(one["verdict"], before)
        verdict = before if before and stays else one["verdict"]
        if verdict in LISTED and (verdict != "unsupported" or made.lists(one.get("lack", ""))):
            listed = entry if entry and before == verdict else key
            made.known[listed] = verdict
            made.reasons[listed] = (old.reasons[entry] if old and entry and before == verdict else "") or one["message"]
    if old:
        unseen = _unseen(old, judged, whole, made.claims is not None)
        made.known |= {key: old.known[key] for key in unseen}
        made.reasons |= {key: old.reasons[key] for key in unseen}
    return made


def _unseen(old: Baseline, judged: dict[str, dict[str, Any]], whole: bool, has_claims: bool) -> list[str]:
    """The entries of which a run tells nothing: of tests that did not run or, beside claims, were unsupported.

    A flaky violation may not have shown this time.
    """
    lacking = [key for key, one in judged.items() if has_claims and one["verdict"] == "unsupported"]
    met = {old.entry(key, one["verdict"]) for key, one in judged.items() if key not in lacking}
    kept = {key for key in old.known if not whole or old.is_unsteady(key)} | {old.entry(key) for key in lacking}
    return [
        key for key, verdict in old.known.items() if key in kept - met and not (has_claims and verdict == "unsupported")
    ]


def spare(judged: int) -> int:
    """How many tests more than are known may be unsupported, where so many were judged, and make no difference."""
    return int(max(FEW, judged * SHARE))


def lacks(results: Iterable[dict[str, Any]]) -> tuple[Counter[str], int]:
    """How many tests are unsupported for each reason that claims do not decide, and how many were judged."""
    tests = [one for one in results if one["type"] == "test"]
    names = {DECLINED: "declines {message}", LATE: LATE}
    lacks = Counter(names[one["lack"]].format_map(one) for one in tests if one.get("lack") in names)
    return lacks, sum(one["verdict"] in JUDGED for one in tests)


def _device(there: list[dict[str, Any]], old: Baseline | None, whole: bool) -> dict[str, Any]:
    """The device or layer of a run whose baseline is to be written: that of `old`, else the first."""
    if not there:
        raise ValueError("the run judged no device")
    if old is None or not old.driver_name:
        return there[0]
    of_driver = [one for one in there if old.is_of(one)]
    found = next((one for one in of_driver if old.fits(one)), of_driver[0] if whole and of_driver else None)
    if found is None:
        what = "a part of the suite on " * (not whole) + ", ".join(
            f"{one['driver_name']} {one['driver_version']}" for one in there
        )
        raise ValueError(f"it is about {old}, but the run judged {what}")
    return found


def key_of(one: dict[str, Any]) -> str:
    """How a baseline names a result: by the test's id, or as `breach RULE COMMAND`."""
    return one["id"] if one["type"] == "test" else f"breach {one['rule']} {one['command']}"


def title_of(key: str) -> str:
    """How a person reads the name of a result whose rule stands beside it: `violation by COMMAND` for `breach RULE COMMAND`."""
    return f"violation by {key.split()[2]}" if key.startswith("breach ") else key
