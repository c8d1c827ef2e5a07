"""A run as a value: reads and writes its record, finds tests, spells the command that repeats one."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reports.records import brief, lines
from reports.records.drivers import driver
from reports.records.lines import Line
from reports.records.verdicts import FAILING, VERDICTS


@dataclass
class Run:
    """One run: its first line, its tests (each once, in the order of their end), its violations, its last line or {}."""

    head: Line
    tests: list[Line] = field(default_factory=list)
    breaches: list[Line] = field(default_factory=list)
    end: Line = field(default_factory=dict)
    times: list[Line] = field(default_factory=list)
    """Call times of a run whose last line has none."""

    @property
    def devices(self) -> list[Line]:
        """The devices as the first line describes them."""
        return list(self.head.get("devices", []))

    @property
    def ledger(self) -> dict[str, Line]:
        """The rules as they stood in this run, by id."""
        return {rule["id"]: rule for rule in self.head.get("ledger", [])}

    @property
    def is_whole(self) -> bool:
        """Whether it judged the whole suite: no selection, no shard, and nobody stopped it."""
        return bool(self.end.get("whole")) and not self.head.get("shard") and self.end.get("exit") != 2

    @property
    def status(self) -> str:
        """The exit status as text, or that the run died."""
        return str(self.end["exit"]) if self.end else "died before its end"

    def describe(self, slug: str) -> str:
        """A device with its driver in one line."""
        device = next((one for one in self.devices if one["slug"] == slug), None)
        if device is None:
            return slug or "no device"
        return f"{slug}: {device['name']}, {driver(device)}, Vulkan {device['api_version']}"

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
        return repeat(self._choice(one), one["nodeid"], one.get("detail", ""))

    def debug(self, one: Line) -> str:
        """The command that runs a crashing test under gdb, which names the frames of the driver if its symbols are installed."""
        gdb = ["gdb", "-batch", "-ex", "run", "-ex", "bt", "--args", ".venv/bin/python", "-m", "pytest"]
        return shlex.join(on_driver(self._choice(one), [*gdb, "-n0", "-s", "--pdb"], one["nodeid"]))

    def _choice(self, one: Line) -> list[str]:
        mine = [device for device in self.devices if device["slug"] == one["device"] and "choice" in device]
        return list([*mine, self.head][0].get("choice", []))

    def statement(self, rule: str) -> str:
        """What a rule says."""
        return str(self.ledger.get(rule, {}).get("statement", "(a rule that the ledger does not have)"))


def repeat(choice: list[str], nodeid: str, detail: str = "") -> str:
    """The command that repeats a test, and the walk that its `detail` tells of, on the driver of `choice` (see `on_driver`)."""
    walk = re.search(r"--walk-replay=[^\s,]+", detail)
    return shlex.join(on_driver(choice, [".venv/bin/pytest", "-n0"], *([walk[0]] if walk else []), nodeid))


def on_driver(choice: list[str], program: list[str], *arguments: str) -> list[str]:
    """A pytest command on the driver that `choice` names: options, and environment variables as NAME=VALUE."""
    variables = [one for one in choice if not one.startswith("-")]
    options = [one for one in choice if one.startswith("-")]
    return [*(["env", *variables] if variables else []), *program, *options, *arguments]


def short(path: Path) -> str:
    """A path as a person types it: relative where it lies below the folder that this process works in."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def save(run: Run, folder: Path) -> None:
    """Write the record of a run into `folder`, which is created if it is missing; that of a run with an end is compressed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / lines.NAME).open("w") as file:
        file.writelines(json.dumps(line) + "\n" for line in (run.head, *run.tests, *run.breaches, run.end) if line)
    if run.end:
        lines.pack(folder)
        brief.keep(folder)
    else:
        (folder / lines.PACKED).unlink(missing_ok=True)


def load(path: Path) -> Run:
    """Read the run in a folder, or in such a file; ValueError with one sentence if there is none.

    Of two records of a test the later one counts: a crash in teardown makes a second one.
    """
    run, tests = Run({}), {}
    for line in lines.read(path):
        run.end = line if line["type"] == "end" else {}
        if line["type"] == "run":
            run.head = line
        elif line["type"] == "breach":
            run.breaches.append(line)
        elif line["type"] == "test":
            if not lines.are_calls(line.setdefault("calls", [])):
                raise ValueError(f"{path} is not the record of a run: the calls of {line['nodeid']} are none")
            tests[line["device"], line["nodeid"]] = line
    run.tests = list(tests.values())
    return run


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
