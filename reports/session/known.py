"""The baselines that judge a run: the one that was named, and the suite's own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from reports.records import baseline as baselines
from reports.session.folder import HERE


@functools.cache
def own_baselines() -> list[baselines.Baseline]:
    """The baselines in reports/baselines, without those that hold under certain circumstances only."""
    made = [baselines.read(file) for file in (HERE / "baselines").glob("*.txt")]
    return [one for one in made if not one.where]


def read_baseline(path: str | None, devices: list[dict[str, Any]]) -> baselines.Baseline | None:
    if path is None:
        return None
    try:
        made = baselines.read(Path(path))
    except (OSError, ValueError) as problem:
        raise pytest.UsageError(f"--baseline {path}: {problem}") from None
    if not any(made.is_of(device) for device in devices):
        there = ", ".join(f"{device['driver_name']} {device['driver_version']}" for device in devices)
        what = f"--baseline {path} is about {made}, but the devices here are of {there}"
        raise pytest.UsageError(f"{what}; name the baseline of this driver, or leave --baseline out")
    return made


def meant(baseline: baselines.Baseline | None, devices: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The devices that a baseline judges: those in its versions, else, with a note that says so, its driver's in other ones."""
    if baseline is None:
        return "", []
    if fitting := [device for device in devices if baseline.fits(device)]:
        return "", fitting
    others = [device for device in devices if baseline.is_of(device)]
    return f"note: the baseline is about {baseline}, the driver is of version {others[0]['driver_version']}", others
