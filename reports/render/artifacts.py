"""Writes the files beside a record: the page, JUnit and the summary in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from reports.records import slim
from reports.records.lines import Line, record_of
from reports.records.runs import Run
from reports.records.timing import Times
from reports.render import pieces


def write(folder: Path) -> None:
    """Write index.html, junit.xml and summary.md beside the record in `folder`; ValueError if there is none."""
    file = record_of(folder)
    if file is None:
        raise ValueError(f"{folder} has no results.jsonl; name the folder of a run, such as reports/latest")
    run = Run({})
    piece = pieces.make(run, tests_of(run, file), folder)
    if not run.end:  # it died: its call times are counted now, from all calls
        times = Times()
        for test, calls in tests_of(Run({}), file):
            times.add(test["device"], json.loads(calls))
        run.times = times.describe()
    pieces.write(run, [piece], folder)


def tests_of(run: Run, file: Path) -> Iterator[tuple[Line, bytes]]:
    """Each test of a record with its calls as JSON; the other lines go into `run`, the first one before any test comes."""
    for line, calls in slim.lines(file):
        kind = line["type"]
        run.end = line if kind == "end" else {}
        if kind == "run":
            run.head = line
        elif kind == "breach":
            run.breaches.append(line)
        elif kind == "test":
            yield line, calls
