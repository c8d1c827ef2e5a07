"""A history as a SQLite file, for queries that nobody has foreseen."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from reports.compare.history import Device, Story

FACTS = (
    "driver",
    "device",
    "Vulkan",
    "kernel",
    "kernel modules",
    "suite",
    "loader",
    "layers",
    "environment",
    "machine",
)
SCHEMA = f"""
CREATE TABLE run (id INTEGER PRIMARY KEY, slug TEXT, time TEXT, folder TEXT, exit TEXT, whole INTEGER,
    {", ".join(f'"{fact.replace(" ", "_").lower()}" TEXT' for fact in FACTS)});
CREATE TABLE test (id INTEGER PRIMARY KEY, slug TEXT, name TEXT, rules TEXT, state TEXT, first_bad INTEGER REFERENCES run,
    last_good INTEGER REFERENCES run, flake_rate REAL);
CREATE TABLE verdict (test INTEGER REFERENCES test, run INTEGER REFERENCES run, verdict TEXT, message TEXT,
    PRIMARY KEY (test, run)) WITHOUT ROWID;
CREATE VIEW result AS SELECT run.slug, run.time, run.driver, run.suite, test.name, verdict.verdict, verdict.message, test.rules
    FROM verdict JOIN run ON run.id = verdict.run JOIN test ON test.id = verdict.test;
"""


def write(devices: Sequence[Device], file: Path) -> None:
    """Write all runs, tests and verdicts into `file`, in place of what it held.

    `test` has what the history says of a test: its state, since when it fails, and how often it is unsteady; "" and NULL of
    one that has always passed or was never judged. OSError if the file cannot be written.
    """
    new = file.with_name(f".{file.name}-{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        database = sqlite3.connect(new)
        try:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
            for device in devices:
                _fill(database, device)
            database.commit()
        finally:
            database.close()
        new.replace(file)
    except sqlite3.Error as problem:
        raise OSError(f"{file}: {problem}") from None
    finally:
        new.unlink(missing_ok=True)


def _fill(database: sqlite3.Connection, device: Device) -> None:
    first = database.execute("SELECT COUNT(*) FROM run").fetchone()[0] + 1
    known = {story.name: story for story in device.stories}
    names = dict.fromkeys(name for night in device.nights for name in night.verdicts)
    tests = {
        name: number
        for number, name in enumerate(names, 1 + database.execute("SELECT COUNT(*) FROM test").fetchone()[0])
    }
    for number, night in enumerate(device.nights, first):
        facts = [night.facts[fact] for fact in FACTS]
        row = (number, device.slug, night.time, night.folder, night.exit, night.whole, *facts)
        database.execute(f"INSERT INTO run VALUES ({', '.join('?' * len(row))})", row)
    for name, number in tests.items():
        story = known.get(name)
        bad, good = (
            (None if one is None else one + first for one in (story.first_bad, story.last_good))
            if story
            else (None, None)
        )
        rules = " ".join(story.rules) if story else ""
        row = (number, device.slug, name, rules, story.state if story else "", bad, good, story.rate if story else 0.0)
        database.execute("INSERT INTO test VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    database.executemany(
        "INSERT INTO verdict VALUES (?, ?, ?, ?)",
        (
            (tests[name], number, verdict, night.told[name]["message"] if name in night.told else None)
            for number, night in enumerate(device.nights, first)
            for name, verdict in night.verdicts.items()
        ),
    )


def _told(story: Story | None, first: int) -> tuple[str, str, int | None, int | None, float]:
    """Rules, state, first bad and last good run, and the flake rate; `first` is the number of the first night's run."""
    if story is None:
        return "", "", None, None, 0.0
    bad, good = (None if night is None else night + first for night in (story.first_bad, story.last_good))
    return " ".join(story.rules), story.state, bad, good, story.rate
