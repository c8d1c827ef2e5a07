"""Results as deqp-runner writes them: results.csv and failures.csv.

A line has the test, the status and in results.csv the seconds. The test is its id without the device, or `breach RULE COMMAND`;
`%`, `,` and what is not ASCII are percent-encoded, so that a name has no comma.
"""

from __future__ import annotations

import string
from pathlib import Path
from urllib.parse import quote, unquote

from reports.records import files
from reports.records.baseline import key_of
from reports.records.lines import Line
from reports.records.renamed import current
from reports.records.runs import Run, is_apart
from reports.records.verdicts import FAILING
from reports.render import junit

_AS_IT_IS = " " + string.punctuation.replace("%", "").replace(",", "")
_SEEN = {
    "pass": "Pass", "warn": "Warn", "unsupported": "Skip", "flaky": "Flake",
    "fail": "Fail", "crash": "Crash", "timeout": "Timeout", "error": "Fail",
}  # fmt: skip
_FINE = ("Pass", "Warn", "Skip", "Flake", "KnownFlake", "ExpectedFail")
"""The statuses that are no failure to deqp-runner."""


def name_of(key: str) -> str:
    """How deqp-runner's files name a result that a baseline names `key`."""
    return quote(key, safe=_AS_IT_IS)


def key_of_name(name: str) -> str:
    """How a baseline names the result that deqp-runner's files call `name`; the opposite of `name_of`."""
    return current(unquote(name))


def status_of(one: Line) -> str:
    """The status of a test or violation. It is a failure to deqp-runner where it fails the run."""
    verdict, expected = one["verdict"], one.get("expected", "")
    if is_apart(one):  # a validation layer's failure
        return "Warn"
    if not one.get("differs"):
        if expected == "flaky" and verdict in (*FAILING, "flaky"):
            return "KnownFlake"
        return "ExpectedFail" if verdict == expected and verdict in (*FAILING, "error") else _SEEN[verdict]
    is_better = {"unsupported": (*FAILING, "error"), "fail": ("crash", "timeout")}.get(verdict, ())
    if verdict in ("pass", "warn") or expected in is_better:
        return f"UnexpectedImprovement({_SEEN[verdict]})"
    return {"unsupported": "Missing", "flaky": "Fail"}.get(verdict, _SEEN[verdict])


def write(run: Run, folder: Path) -> None:
    """Write results.csv and failures.csv of the first device into `folder`, those of each other one into a folder in it.

    What is of no device, such as an entry of the baseline that no test matched, is told beside the first one's results.
    """
    devices = [one["slug"] for one in (*run.devices, *run.head.get("validation_layers", []))]
    first = devices[0] if devices else ""
    found: dict[str, dict[str, tuple[str, float]]] = {device: {} for device in devices or [first]}
    for one in (*run.tests, *run.breaches):
        told = found.get(one["device"], found[first])
        told[name_of(key_of(one))] = status_of(one), one.get("seconds", 0)
    for key, what in junit.left_over(run):
        found[first][name_of(key)] = "UnexpectedImprovement(Pass)" if what == "no longer seen" else "Missing", 0
    for device in [first, *(one for one in found if one != first and found[one])]:
        told = found[device]
        _write(sorted(told.items()), folder if device == first else folder / device)


def _write(results: list[tuple[str, tuple[str, float]]], folder: Path) -> None:
    lines = [f"{name},{status},{seconds:g}\n" for name, (status, seconds) in results]
    failures = [f"{name},{status}\n" for name, (status, _) in results if status not in _FINE]
    folder.mkdir(parents=True, exist_ok=True)
    files.write(folder / "results.csv", "".join(lines))
    files.write(folder / "failures.csv", "".join(failures))
