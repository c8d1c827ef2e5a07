"""A run as a value: reads and writes results.jsonl, finds tests, spells the command that repeats one."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports.records.verdicts import FAILING, VERDICTS

Line = dict[str, Any]


@dataclass
class Run:
    """One run: its first line, its tests (each once, in the order of their end), its violations, its last line or {}."""

    head: Line
    tests: list[Line] = field(default_factory=list)
    breaches: list[Line] = field(default_factory=list)
    end: Line = field(default_factory=dict)

    @property
    def devices(self) -> list[Line]:
        """The devices as the first line describes them."""
        return list(self.head.get("devices", []))

    @property
    def ledger(self) -> dict[str, Line]:
        """The rules as they stood in this run, by id."""
        return {rule["id"]: rule for rule in self.head.get("ledger", [])}

    @property
    def status(self) -> str:
        """The exit status as text, or that the run died."""
        return str(self.end["exit"]) if self.end else "died before its end"

    def counts(self) -> dict[str, Counter[str]]:
        """How many tests of each device, by its slug, got each verdict."""
        counted: dict[str, Counter[str]] = {device["slug"]: Counter() for device in self.devices}
        for test in self.tests:
            counted.setdefault(test["device"], Counter())[test["verdict"]] += 1
        return counted

    def describe(self, slug: str) -> str:
        """A device with its driver in one line."""
        device = next((one for one in self.devices if one["slug"] == slug), None)
        if device is None:
            return slug or "no device"
        driver = f"{device['driver_name']} {device['driver_info']}".strip()
        return f"{slug}: {device['name']}, {driver} ({device['driver_version']}), Vulkan {device['api_version']}"

    def find(self, text: str, verdicts: Sequence[str] = VERDICTS) -> Line:
        """The one test with one of these verdicts whose id or nodeid is `text` or contains it; ValueError for none or several."""
        tests = [one for one in self.tests if one["verdict"] in verdicts]
        exact = [one for one in tests if text in (one["id"], one["nodeid"])]
        found = exact or [one for one in tests if text in one["nodeid"] or text in one["id"]]
        if len(found) != 1:
            kinds = "" if verdicts is VERDICTS else f" with the verdict {' or '.join(verdicts)}"
            if not found:
                raise ValueError(f"this run has no test{kinds} that has {text!r} in its id; its page lists them all")
            names = "".join(f"\n    {one['nodeid']}" for one in found[:9])
            raise ValueError(f"{len(found)} tests{kinds} have {text!r} in their id; give more of the id of one:{names}")
        return found[0]

    def repeat(self, one: Line) -> str:
        """The command that runs a test, or the first test with a violation, again."""
        return repeat(self._choice(one), one["nodeid"])

    def debug(self, one: Line) -> str:
        """The command that runs a crashing test under gdb, which names the frames of the driver if its symbols are installed."""
        gdb = ["gdb", "-batch", "-ex", "run", "-ex", "bt", "--args", ".venv/bin/python", "-m", "pytest"]
        return shlex.join([*gdb, "-n0", "-s", "--pdb", *self._choice(one), one["nodeid"]])

    def _choice(self, one: Line) -> list[str]:
        mine = [device for device in self.devices if device["slug"] == one["device"] and "choice" in device]
        return list([*mine, self.head][0].get("choice", []))

    def statement(self, rule: str) -> str:
        """What a rule says."""
        return str(self.ledger.get(rule, {}).get("statement", "(a rule that the ledger does not have)"))


def repeat(choice: list[str], nodeid: str) -> str:
    """The command that runs one test again on the driver that the options `choice` name."""
    return shlex.join([".venv/bin/pytest", "-n0", *choice, nodeid])


def short(path: Path) -> str:
    """A path as a person types it: relative where it lies below the folder that this process works in."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def save(run: Run, folder: Path) -> None:
    """Write results.jsonl of a run into `folder`, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [run.head, *run.tests, *run.breaches, *([run.end] if run.end else [])]
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def load(path: Path, all_calls: bool = True) -> Run:
    """Read the run in a folder with results.jsonl, or in such a file; ValueError with one sentence if there is none.

    A last line that was cut off is ignored. Of two records of a test the later one counts: a crash in teardown makes a
    second one. Without `all_calls` the calls of tests that passed, most of a record, are dropped.
    """
    file = path / "results.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"{file} does not exist; name the folder of a run, such as reports/latest")
    lines: list[Line] = []
    with file.open(errors="replace") as opened:
        for number, text in enumerate(opened, 1):
            try:
                line = json.loads(text)
            except ValueError:
                if text.endswith("\n") or number == 1:
                    raise ValueError(f"{file} is not the record of a run: line {number} is not JSON") from None
                break
            if not all_calls and line.get("verdict") == "pass":
                line["calls"] = []
            lines.append(line)
    if not lines or lines[0].get("type") != "run":
        raise ValueError(f'{file} is not the record of a run: its first line is not of "type": "run"')
    tests = {(line["device"], line["nodeid"]): line for line in lines if line["type"] == "test"}
    breaches = [line for line in lines if line["type"] == "breach"]
    return Run(lines[0], list(tests.values()), breaches, lines[-1] if lines[-1]["type"] == "end" else {})


def rank(one: Line) -> tuple[int, int, str]:
    """Sorts failures first: what fails the run, then by verdict, then by id."""
    verdict = one["verdict"]
    place = VERDICTS.index(verdict) if verdict in VERDICTS else 0
    return (0 if one.get("differs") or verdict == "error" else 1, place, one.get("id", ""))


def is_known(one: Line) -> bool:
    """Whether it fails as the baseline expects."""
    return one["verdict"] in FAILING and bool(one.get("expected")) and not one.get("differs")


def is_apart(one: Line) -> bool:
    """Whether it is a new failure that does not fail the run: one of a validation layer."""
    return one["verdict"] in FAILING and not one.get("expected") and not one.get("differs")
