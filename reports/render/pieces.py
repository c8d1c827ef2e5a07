"""The files beside a record, made of one or several pieces: each piece is what the tests of one run add to them.

A merged run has many runs' tests; each is rendered where it is read, and nobody holds all of them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.diagnose.explain import judged_of, of_run
from reports.diagnose.symptoms import library
from reports.diagnose.words import as_data
from reports.records import files
from reports.records.lines import Line, are_calls
from reports.records.runs import Run
from reports.render import junit, page, summary
from reports.render.calls import tell

SEEN = ("type", "id", "device", "rules", "verdict", "message", "expected", "differs")
"""What a diagnosis looks at of a test."""


@dataclass
class Piece:
    """What the tests of a run add: to the page and to JUnit, how many of each device there are of each verdict, those that
    people have to look at, without their calls, and in brief those that a diagnosis looks at."""

    page: bytes
    suites: dict[str, junit.Suite]
    counts: dict[str, Counter[str]]
    notable: list[Line]
    judged: list[Line]


def make(run: Run, tests: Iterable[tuple[Line, bytes]], folder: Path, room: int = page.TRACES) -> Piece:
    """The piece of these tests, each with its calls as JSON; `folder` is where the page goes, `room` is for traces on it.

    `run` has the first line when the first test comes. Of two records of a test the later one counts: a crash in teardown
    makes a second one.
    """
    shown: dict[tuple[str, str], str] = {}
    cases: dict[tuple[str, str], junit.Case] = {}
    notable: dict[tuple[str, str], Line] = {}
    counts: dict[str, Counter[str]] = {}
    judged: dict[tuple[str, str], Line] = {}
    for test, calls in tests:
        key = test["device"], test["nodeid"]
        if page.is_notable(test):
            recorded = json.loads(calls)
            if not are_calls(recorded):
                raise ValueError(f"{folder} is not the record of a run: the calls of {test['nodeid']} are none")
            test["calls"] = tell(recorded, run.head.get("results", {}))
            room -= len(calls)
            notable[key] = test
        shown[key] = page.entry(run, test, folder, room > 0)
        cases[key] = junit.case(run, test)
        judged[key] = {name: test.get(name, "") for name in SEEN}
        test["calls"] = []
    for (slug, _), case in cases.items():
        counts.setdefault(slug, Counter())[case.verdict] += 1
    return Piece(
        page.packed(shown.values()), junit.suites(cases), counts, list(notable.values()), judged_of(judged.values())
    )


def write(run: Run, pieces: Sequence[Piece], folder: Path) -> None:
    """Write index.html, junit.xml and summary.md; `run` has everything but its tests.

    Under GitHub Actions the summary is also appended to the job's page (GITHUB_STEP_SUMMARY).
    """
    counts: dict[str, Counter[str]] = {}
    for piece in pieces:
        for slug, counted in piece.counts.items():
            counts.setdefault(slug, Counter()).update(counted)
    run.tests = [test for piece in pieces for test in piece.notable]
    results = [*(test for piece in pieces for test in piece.judged), *run.breaches]
    diagnoses = as_data(of_run([device["slug"] for device in run.devices], results, library()))
    text = summary.render(run, counts, [one["in_short"] for one in diagnoses if one["failed"]])
    files.write(folder / "junit.xml", junit.render(run, [piece.suites for piece in pieces]))
    files.write(folder / "summary.md", text)
    files.write(folder / "index.html", page.render(run, [piece.page for piece in pieces], folder, diagnoses))
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(step, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
