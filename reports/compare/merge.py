"""Merges several runs into one: devices and machines get a column each, shards of one run share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.records.runs import Line, Run
from reports.records.timing import times


@dataclass
class Column:
    """A device on a machine: its description, its slug in the merged run, and the ids of its tests."""

    device: Line
    slug: str
    ids: set[str] = field(default_factory=set)


def merge(runs: Sequence[Run]) -> Run:
    """One run with the tests of all.

    Devices of two runs share a column if their descriptions and machines are the same and no test is in both: shards.
    """
    columns: list[Column] = []
    tests: list[Line] = []
    breaches: dict[tuple[str, str, str], Line] = {}
    for number, run in enumerate(runs, 1):
        slugs = _place(run, columns)
        for test in run.tests:
            process = f"{number}/{test['process']}" if test.get("process") else ""
            tests.append({**test, "device": slugs[test["device"]], "process": process})
        for breach in run.breaches:
            moved = {**breach, "device": slugs[breach["device"]]}
            found = breaches.setdefault((moved["rule"], moved["device"], moved["command"]), {**moved, "tests": []})
            found["tests"] = [*found["tests"], *breach["tests"]]
    described = [{**column.device, "slug": column.slug} for column in columns if column.device.get("driver_name")]
    end = _end(runs, tests) if all(run.end for run in runs) else {}
    return Run(_head(runs, described), tests, list(breaches.values()), end)


def _place(run: Run, columns: list[Column]) -> dict[str, str]:
    """For each device and layer of `run`, and "" for none, its slug in the merged run."""
    described: dict[str, Line] = {device["slug"]: device for device in run.devices}
    layers = {layer["slug"]: layer for layer in run.head.get("validation_layers", [])}
    described |= {one["device"]: layers.get(one["device"], {}) for one in run.tests if one["device"] not in described}
    placed = {}
    for slug, device in described.items():
        whole = {"choice": run.head.get("choice", []), "host": run.head.get("host", ""), **device, "slug": slug}
        ids = {test["id"] for test in run.tests if test["device"] == slug}
        fitting = (one for one in columns if one.device == whole and not one.ids & ids)
        column = next(fitting, None)
        if column is None:
            column = Column(whole, _unused(slug, str(whole["host"]), {one.slug for one in columns}))
            columns.append(column)
        column.ids |= ids
        placed[slug] = column.slug
    return placed


def _unused(slug: str, host: str, used: set[str]) -> str:
    """A free slug for a column: the device's own, else with the machine's name, else numbered."""
    machine = f"{slug or 'no device'}@{host}" if host else slug or "no device"
    wanted = [slug, machine, *(f"{machine} {number}" for number in range(2, len(used) + 3))]
    return next(name for name in wanted if name not in used)


def _head(runs: Sequence[Run], described: list[Line]) -> Line:
    first = runs[0].head
    ledger = {rule["id"]: rule for run in reversed(runs) for rule in run.head.get("ledger", [])}
    return {
        **first,
        "time": min(str(run.head.get("time", "")) for run in runs),
        "host": _one_of(run.head.get("host", "") for run in runs),
        "commit": _one_of(run.head.get("commit", "") for run in runs),
        "baseline": _one_of(run.head.get("baseline", "") for run in runs),
        "shard": "" if _is_whole(runs) else _one_of(run.head.get("shard", "") for run in runs),
        "merged": [{name: one for name, one in run.head.items() if name not in ("ledger", "results")} for run in runs],
        "devices": [one for one in described if "name" in one],
        "validation_layers": [one for one in described if "name" not in one],
        "ledger": list(ledger.values()),
    }


def _one_of(values: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values if value))


def _is_whole(runs: Sequence[Run]) -> bool:
    """Whether the runs, together, are the whole suite."""
    shards: set[str] = {run.head.get("shard", "") for run in runs}
    count = max(shards).partition("/")[2]
    complete = shards == ({f"{share}/{count}" for share in range(1, int(count) + 1)} if count else {""})
    return complete and all(run.end.get("whole") for run in runs)


def _end(runs: Sequence[Run], tests: Sequence[Mapping[str, Any]]) -> Line:
    exits = [int(run.end["exit"]) for run in runs]
    worst = next((status for status in (3, 4, 2, 1, 0, 5) if status in exits), max(exits))
    return {
        "type": "end",
        "totals": Counter(test["verdict"] for test in tests),
        "exit": worst,
        "surprises": [one for run in runs for one in run.end.get("surprises", [])],
        "whole": _is_whole(runs),
        "farewells": [one for run in runs for one in run.end.get("farewells", [])],
        "times": times(tests),
    }
