"""Writes pytest's events to results.jsonl, flushed line by line, and sets the exit status of the run."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from reports.records import baseline as baselines
from reports.records.anonymous import hider
from reports.records.lines import SCHEMA
from reports.records.runs import Run, load, short
from reports.records.timing import Times
from reports.records.verdicts import FAILING, JUDGED, Record, against, dispute
from reports.render import artifacts
from reports.session import hooks
from reports.session.folder import (
    HERE,
    RunFile,
    Unrecorded,
    discard,
    name_folder,
    parse_keep,
    point_latest,
    remove_old,
    told,
)
from reports.session.known import meant, own_baselines, read_baseline
from reports.session.results import make_collection_error, make_record, shortened
from reports.session.usage import for_bisect

SUITE_VERSION = "0.1"
RECORDER = pytest.StashKey["Recorder"]()
UNSET = {"VK_LOADER_LAYERS_DISABLE": "~implicit~"}
"""What the suite itself sets, where nobody has."""
MOST = pytest.StashKey[int]()
"""How many results may differ from the baseline before the run stops; 0 for any number."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("record")
    group.addoption(
        "--report", metavar="DIR", help="write the run into DIR, or a new folder in DIR/ (default: reports/runs/)"
    )
    group.addoption(
        "--baseline", metavar="FILE", help="known results of this driver: only a difference from them fails the run"
    )
    group.addoption(
        "--keep",
        metavar="N",
        help="remove all but the N newest runs of this driver beside it, or those of before N days (90d)",
    )
    group.addoption(
        "--anonymous", action="store_true", help="leave host names and device UUIDs out of the record and the page"
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hooks)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """A run that could not be written down ends with one sentence and exit status 3, whatever it judged."""
    problem: Exception | None = None
    try:
        status = yield
    except (Unrecorded, pytest.UsageError) as caught:
        problem = caught
        if not isinstance(problem, Unrecorded) and not config.option.bisect:
            raise
        status = pytest.ExitCode.USAGE_ERROR
    recorder = config.stash.get(RECORDER, None)
    told = [str(problem)] if problem else recorder.unwritten if recorder else []
    if isinstance(problem, Unrecorded) or (told and not problem):
        status = pytest.ExitCode.INTERNAL_ERROR
    for sentence in told if not hasattr(config, "workerinput") else ():
        print(f"ERROR: {sentence}", file=sys.stderr)
    if not config.option.bisect or hasattr(config, "workerinput"):
        return status
    return for_bisect(
        status or 0, problem, any(one.verdict == "flaky" for one in recorder.records) if recorder else False
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """-x and --maxfail count what differs from the baseline, which pytest does not know: the recorder does it."""
    config.stash[MOST] = config.option.maxfail
    config.option.maxfail = 0


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before workers are started."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    config.stash[RECORDER] = recorder = Recorder(config)
    recorder.stops = config.pluginmanager.getplugin("dsession") or session  # each looks at its own
    config.pluginmanager.register(recorder, "recorder")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark known failures: the isolation repeats them less often before it believes them.

    Without --baseline, the suite's own baseline of this driver and version counts.
    """
    chosen = config.option.baseline
    made = [baselines.read(config.invocation_params.dir / chosen)] if chosen else own_baselines()
    facts = config.hook.pytest_suite_facts(config=config) or {"devices": []}
    judged = [*facts["devices"], *facts.get("validation_layers", [])]
    known = {one["slug"]: its for its in made for one in judged if its.fits(one) or (chosen and its.is_of(one))}
    for item in items:
        told = dict(item.user_properties)
        its = known.get(str(told.get("device")), baselines.Baseline())
        verdict = its.known.get(its.entry(str(told.get("id"))))
        if verdict in FAILING:
            item.add_marker(pytest.mark.known(verdict))


class Recorder:
    """Writes one run; the terminal prints its `records`, `breaches` (violations) and `surprises`."""

    def __init__(self, config: pytest.Config) -> None:
        facts = config.hook.pytest_suite_facts(config=config) or {"devices": []}
        self.ledger = {one["id"]: one for one in config.hook.pytest_suite_ledger() or []}
        self.devices: list[dict[str, Any]] = facts["devices"]
        layers: list[dict[str, Any]] = facts.get("validation_layers", [])
        self.baseline = read_baseline(config.option.baseline, [*self.devices, *layers])
        self.note, judged = meant(self.baseline, [*self.devices, *layers])
        self._judged = judged
        self._fitting = {device["slug"] for device in judged} | {""}
        self.layers = {layer["slug"] for layer in layers}
        self._of_layers = {one["slug"]: its for its in own_baselines() for one in layers if its.fits(one)}
        self.records: list[Record] = []
        self.breaches: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.surprises: list[tuple[str, str]] = []
        self.farewells: list[str] = []
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self._seen: dict[str, Record] = {}
        self._times = Times()
        self._incomplete = False
        self._most = config.stash[MOST]
        self.stops: Any = None
        """What ends the run when its `shouldstop` is set."""
        self._is_enough = False
        self.status = int(pytest.ExitCode.INTERRUPTED)
        self.unwritten: list[str] = []
        self._keep = parse_keep(config.option.keep, config.option.resume or config.option.report)
        self.choice = _choice(config, facts.get("environment", {}))
        slug = self.devices[0]["slug"] if self.devices else ""
        self.folder = Path(config.option.resume) if config.option.resume else name_folder(config.option.report, slug)
        self._hide = hider(platform.node(), self.devices) if config.option.anonymous else lambda line: line
        head = {"type": "run", **_about(config), "choice": self.choice, **facts, "ledger": list(self.ledger.values())}
        self._begin(head, load(self.folder) if config.option.resume else None)

    def _begin(self, head: dict[str, Any], old: Run | None) -> None:
        """Write the first line and the records of an interrupted run, then replace the file of that run."""
        if old:
            _check_same(old, self.devices)
            head["resumed"] = [*old.head.get("resumed", []), old.head.get("time", "")]
        self._file = RunFile(self.folder, resumes=old is not None)
        self._write(head)
        for test in old.tests if old else ():
            test["process"] = f"earlier {test['process']}" if test.get("process") else ""  # it is gone
            if test["verdict"] != "error":
                self._add(Record(**{field.name: test[field.name] for field in fields(Record) if field.name in test}))
        if old:
            self._file.complete()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(self._hide(line))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]
            self._phases.pop(report.nodeid, None)
            return
        phases = self._phases.setdefault(report.nodeid, [])
        phases.append(report)
        if any(name in ("ending", "process") for name, _ in report.user_properties):  # the last one of a test has them
            del self._phases[report.nodeid]
            self._add(make_record(phases))
            for phase in phases:  # pytest keeps every report: free what is written down
                phase.user_properties, phase.keywords = [], {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._incomplete = True
            self._add(make_collection_error(report))

    def _add(self, record: Record) -> None:
        earlier = self._seen.get(record.nodeid)
        if earlier is not None:  # a crash in teardown reports a test twice: the worse verdict counts
            if record.verdict not in FAILING:
                return
            self.records.remove(earlier)
        stands = self._stands(record.id, record.device, record.verdict, record.lack)
        record.expected, record.reason, record.differs = stands
        record.dispute = dispute(self.ledger, record.rules) if record.verdict in FAILING else []
        self._seen[record.nodeid] = record
        self.records.append(record)
        for rule, command, what in record.breaches:
            self._add_breach(record, rule, command, what)
        self._times.add(record.device, record.calls)
        record.calls = shortened(record.calls, record.verdict)
        self._write({"type": "test", **vars(record)})
        record.calls = []
        if self._most and record.differs and sum(bool(one.differs) for one in self.records) >= self._most:
            self._is_enough, self.stops.shouldstop = True, f"stopping after {self._most} results that fail the run"

    def _add_breach(self, record: Record, rule: str, command: str, what: str) -> None:
        verdict = "fail" if self.ledger.get(rule, {}).get("strongest", "fail") == "fail" else "warn"
        named = {"rule": rule, "device": record.device, "command": command, "verdict": verdict}
        stands = self._stands(baselines.key_of({"type": "breach", **named}), record.device, verdict)
        known = dict(zip(("expected", "reason", "differs"), stands, strict=True))
        seen = {"message": what, "tests": [], "nodeid": record.nodeid, "dispute": dispute(self.ledger, [rule])}
        empty = {**named, **seen, **known}
        found = self.breaches.setdefault((rule, record.device, command), empty)
        found["tests"].append(record.id)

    def _stands(self, key: str, device: str, verdict: str, lack: str = "") -> tuple[str, str, str]:
        """The baseline's verdict, its reason, and why this verdict fails the run, each "" for none."""
        if device in self.layers - self._fitting:  # without a baseline of its own a layer does not fail the run
            known = self._of_layers.get(device, baselines.Baseline())
            entry = known.entry(key, verdict)
            return known.known.get(entry, ""), known.reasons.get(entry, ""), ""
        known = self.baseline if self.baseline and device in self._fitting else baselines.Baseline()
        entry = known.entry(key, verdict)
        expected = known.known.get(entry)
        problem = against(verdict, expected)
        if self.baseline and verdict == "unsupported":
            unlisted = "unsupported, which the baseline does not list" if expected is None else problem
            problem = unlisted if self.baseline.lists(lack) else None
        return expected or "", known.reasons.get(entry, ""), problem or ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        try:
            self._finish(session, exitstatus)
        except Unrecorded as problem:
            self.unwritten.append(str(problem))
        finally:
            self._file.close()
        if exitstatus == pytest.ExitCode.USAGE_ERROR and not self.records:
            discard(self.folder)  # nobody wants the page of a typing error
            return
        if self._file.is_broken:
            return
        try:
            artifacts.write(self.folder)
            point_latest(self.folder)
            if self._keep:
                remove_old(self.folder, self._keep)
        except (OSError, ValueError) as problem:
            what = told(problem, self.folder) if isinstance(problem, OSError) else str(problem)
            again = f".venv/bin/python -m reports page {short(self.folder)}"
            self.unwritten.append(f"the run has no page: {what}; `{again}` writes it")

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the violations and the last line, and set the exit status."""
        for breach in self.breaches.values():
            self._write({"type": "breach", **breach})
        ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
        stopped = session.shouldfail or session.shouldstop or exitstatus not in ended
        whole = _is_whole(session.config) and not stopped
        self.surprises = self._surprises(whole and not session.config.option.shard)
        self.farewells = [line for lines in session.config.hook.pytest_suite_farewell() for line in lines]
        totals = Counter(record.verdict for record in self.records)
        judged = Counter(record.verdict for record in self.records if record.device not in self.layers - self._fitting)
        if exitstatus in ended or self._incomplete or self._is_enough:
            session.exitstatus = self._status(judged)
        self.status = int(session.exitstatus)
        self._write(
            {
                "type": "end",
                "totals": totals,
                "exit": int(session.exitstatus),
                "surprises": self.surprises,
                "farewells": self.farewells,
                "whole": whole,
                "times": self._times.describe(),
            }
        )

    def _status(self, totals: Counter[str]) -> int:
        if totals["error"]:
            return 3
        if self.surprises or any(r.differs for r in self.records) or any(b["differs"] for b in self.breaches.values()):
            return 1
        return 0 if any(totals[verdict] for verdict in JUDGED) else 5

    def _surprises(self, whole: bool) -> list[tuple[str, str]]:
        """Pairs of a baseline's entry, claim or reason and how the run differs from it; none without a baseline.

        Entries that no result matches count in a `whole` run only: other tests could match them.
        """
        if self.baseline is None:
            return []
        entries = [{"type": "test", **vars(r)} for r in self.records]
        entries += [{"type": "breach", **b} for b in self.breaches.values()]
        found = [(baselines.key_of(e), f"{e['differs']}: {e['message']}") for e in entries if e["differs"]]
        for device in self._judged:
            on = f" [{device['slug']}]" if len(self._judged) > 1 else ""
            its = [one for one in entries if one["device"] == device["slug"]]
            found += [(f"{key}{on}", what) for key, what in self.baseline.beyond(device, its)]
        strict = self.baseline.claims is None
        seen = {self.baseline.entry(baselines.key_of(one), one["verdict"] if strict else "") for one in entries}
        gone = [key for key in self.baseline.known if key not in seen] if whole else []
        found += [(key, "matches no test") for key in gone if not key.startswith("breach ")]
        return found + [(key, "no longer seen") for key in gone if key in self.baseline.steady_breaches]


def _is_whole(config: pytest.Config) -> bool:
    """Whether the command line selects all tests of the suite."""
    option = config.option
    parts = (
        option.keyword,
        option.markexpr,
        option.deselect,
        option.ignore,
        option.ignore_glob,
        getattr(option, "lf", 0),
    )
    return config.args == config.getini("testpaths") and not any(parts) and not getattr(option, "rule", None)


def _check_same(old: Run, devices: list[dict[str, Any]]) -> None:
    """A run continues only with the drivers with which it began."""
    names = ("slug", "driver_name", "driver_version")
    was, now = ([tuple(str(one[name]) for name in names) for one in some] for some in (old.devices, devices))
    if was != now:
        raise pytest.UsageError(f"--resume: that run judged {was}, the devices here are {now}; choose the same driver")


def _choice(config: pytest.Config, environment: dict[str, str]) -> list[str]:
    """What chose the driver of this run, for the command that repeats a test: environment variables, then options."""
    chosen = [f"{name}={value}" for name, value in environment.items() if value != UNSET.get(name)]
    chosen += ["--reference"] if config.getoption("reference", False) else []
    chosen += [f"--variant={name}" for name in config.getoption("variant", None) or []]
    chosen += [f"--fault={config.option.fault}"] if config.getoption("fault", None) else []
    return chosen + [f"--driver={manifest}" for manifest in config.getoption("driver", None) or []]


def _about(config: pytest.Config) -> dict[str, Any]:
    """What was run, when and where."""
    return {
        "schema": SCHEMA,
        "suite": SUITE_VERSION,
        "commit": _commit(),
        "command": ["pytest", *config.invocation_params.args],
        "baseline": config.option.baseline or "",
        "shard": config.option.shard or "",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("pytest", "vulkan", "hypothesis", "pytest-xdist", "cffi")},
        "executable": sys.executable,
    }


def _commit() -> str:
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
