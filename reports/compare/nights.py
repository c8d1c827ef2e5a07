"""Runs as nights: which folders have one, what each says of its devices, and the facts that may change between two."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.records.brief import Brief, brief
from reports.records.lines import Line, record_of

FEW = 8
"""Runs for which a further process is not worth its start."""


@dataclass
class Night:
    """One run of one device: when it began, its folder, the facts of the machine, its exit status as text ("died" for none),
    whether it was the whole suite, the verdict of each result, and the lines of those that are no plain pass."""

    time: str
    folder: str
    facts: dict[str, str]
    exit: str
    whole: bool
    verdicts: dict[str, str]
    told: dict[str, Line]

    @property
    def date(self) -> str:
        """The date and the time of day, without seconds."""
        return self.time[:16].replace("T", " ")

    @property
    def counts(self) -> Counter[str]:
        """How many results there are of each verdict."""
        return Counter(self.verdicts.values())


def find_runs(places: Iterable[Path]) -> list[Path]:
    """The folders of all runs that `places` name: a run's own folder or record, or a folder with runs anywhere below it."""
    found: dict[Path, Path] = {}
    for place in places:
        if record_of(place):
            found.setdefault(place.resolve(), place)
            continue
        for folder, below, _ in os.walk(place):
            below.sort()
            if record_of(Path(folder)):
                found.setdefault(Path(folder).resolve(), Path(folder))
                below.clear()
    return list(found.values())


def read_all(folders: Sequence[Path]) -> tuple[list[Brief], list[str]]:
    """Each run that can be read, and a sentence for each that cannot."""
    workers = min(len(os.sched_getaffinity(0)), len(folders) // FEW)
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            answers = list(pool.map(_try, folders, chunksize=4))
    else:
        answers = [_try(one) for one in folders]
    return [one for one in answers if isinstance(one, Brief)], [one for one in answers if isinstance(one, str)]


def _try(folder: Path) -> Brief | str:
    try:
        return brief(folder)
    except (OSError, ValueError) as problem:
        return str(problem)


def nights(runs: Sequence[Brief]) -> dict[str, list[Night]]:
    """The nights of each driver, by the word for it, oldest first; a run that is merged into another one of them is left out.

    Devices of several machines are one if their drivers are.
    """
    parts = {_part(one) for run in runs for one in run.head.get("merged", [])}
    found: dict[str, list[Night]] = {}
    for run in runs:
        if run.head.get("merged") or _part(run.head) not in parts:
            described = {one["slug"]: one for one in (*run.head["devices"], *run.head.get("validation_layers", []))}
            for slug, verdicts in run.verdicts.items():
                found.setdefault(slug.partition("@")[0], []).append(
                    _night(run, slug, described.get(slug, {}), verdicts)
                )
    return {slug: sorted(ones, key=lambda night: night.time) for slug, ones in found.items()}


def _part(head: Line) -> tuple[str, ...]:
    return tuple(str(head.get(name, "")) for name in ("time", "host", "shard", "command"))


def _night(run: Brief, slug: str, device: Line, verdicts: dict[str, str]) -> Night:
    host = device.get("host")
    head = next((one for one in run.head.get("merged", []) if host and one.get("host") == host), run.head)
    info, version = str(device.get("driver_info", "")), str(device.get("driver_version", ""))
    facts = {
        "driver": f"{info} ({version})" if info else version,
        "device": str(device.get("name", "")),
        "Vulkan": str(device.get("api_version", "")),
        "kernel": str(head.get("kernel", "")),
        "kernel modules": _listed(head.get("kernel_modules")),
        "suite": str(head.get("commit", "")),
        "loader": str(head.get("loader", "")),
        "layers": _listed(head.get("layers")),
        "environment": _listed(head.get("environment")),
        "machine": str(head.get("host", "")),
    }
    status = str(run.end["exit"]) if run.end else "died"
    whole = bool(run.end.get("whole")) and not run.head.get("shard") and status != "2"
    return Night(str(head.get("time", "")), run.folder, facts, status, whole, verdicts, run.told.get(slug, {}))


def _listed(values: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(values.items())) if isinstance(values, dict) else ""
