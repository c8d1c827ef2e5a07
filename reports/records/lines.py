"""The lines of a record: which file they are in, how they are read, and which fields each has to have."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from reports.records.verdicts import VERDICTS

Line = dict[str, Any]
SCHEMA = 1
"""The schema of records that this suite writes and reads; a field more is no other schema."""

NAME, PACKED = "results.jsonl", "results.jsonl.gz"
"""The record of a run that goes on or died, and that of one that came to its end."""
LEVEL = 9
"""How hard to compress: it takes half a second at the end of a run, a third of which would make a tenth more."""

_DEVICE = {"slug": str, "name": str, "driver_name": str, "driver_id": int, "driver_version": int | str}
_LAYER = {"slug": str, "driver_name": str}
_CALL = {"command": str, "ns": int | None}
_TIMES = {"device": str, "command": str, "count": int, "median": int, "p99": int, "buckets": list}
NEEDED: dict[str, Line] = {
    "run": {"schema": int, "devices": [_DEVICE]},
    "test": {"id": str, "nodeid": str, "device": str, "verdict": str, "message": str, "rules": [str]},
    "breach": {
        "rule": str,
        "command": str,
        "device": str,
        "verdict": str,
        "message": str,
        "tests": [str],
        "nodeid": str,
    },
    "end": {"exit": int},
}
"""For each type of line the fields that it has to have, with their types; [...] is a list, {...} an object with these fields."""

OPTIONAL: dict[str, Line] = {
    "run": {"validation_layers": [_LAYER], "ledger": [{"id": str}], "results": dict, "choice": [str], "time": str, "host": str},
    "test": {
        "calls": list, "process": str, "outcomes": [{"outcome": str}], "breaches": [list], "warnings": [str], "detail": str,
        "seconds": float | int, "expected": str, "reason": str, "differs": str, "dispute": [dict], "lack": str,
    },
    "breach": {"expected": str, "reason": str, "differs": str, "dispute": [dict]},
    "end": {"surprises": [list], "farewells": [str], "times": [_TIMES], "missing": [str]},
}  # fmt: skip
"""Fields with which programs here work where they are there."""


def record_of(path: Path) -> Path | None:
    """The record of the run in a folder, compressed or not, or that file itself; None if there is none."""
    files = [path / NAME, path / PACKED] if path.is_dir() else [path]
    return next((file for file in files if file.is_file()), None)


def open_text(file: Path) -> IO[str]:
    """A record to read line by line, compressed or not."""
    return gzip.open(file, "rt", errors="replace") if file.suffix == ".gz" else file.open(errors="replace")


def pack(folder: Path) -> None:
    """Compress the record of a run that came to its end; at any moment one of the two files is whole."""
    new = folder / f".{PACKED}-{os.getpid()}"
    try:
        with (folder / NAME).open("rb") as plain, gzip.open(new, "wb", LEVEL) as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)
        new.replace(folder / PACKED)
    finally:
        new.unlink(missing_ok=True)
    (folder / NAME).unlink()


def read(path: Path) -> Iterator[Line]:
    """The lines of a run in a folder, or of such a file, the "run" first; those of types that this suite lacks are left out.

    A last line that was cut off is left out, too. ValueError, with one sentence, where there is no record or none that this
    suite can read.
    """
    file = record_of(path)
    if file is None:
        raise ValueError(f"{path} has no {NAME}; name the folder of a run, such as reports/latest")
    try:
        with open_text(file) as opened:
            yield from _lines(file, opened)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise ValueError(f"{file} is damaged: {problem}") from None


def _lines(file: Path, opened: IO[str]) -> Iterator[Line]:
    number = 0
    for number, text in enumerate(opened, 1):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            if text.endswith("\n") or number == 1:
                raise ValueError(f"{file} is not the record of a run: line {number} is not JSON") from None
            return
        check(file, line, number)
        if line["type"] in NEEDED:
            yield line
    if not number:
        raise ValueError(f"{file} is not the record of a run: it is empty")


def check(file: Path, line: Any, number: int) -> None:
    """ValueError, with one sentence, if line `number` of a record is none."""
    if problem := _problem(line, number):
        raise ValueError(f"{file} is not the record of a run: line {number} {problem}")


def _problem(line: Any, number: int) -> str:
    """What is wrong with a line; "" for nothing."""
    kind = line.get("type") if isinstance(line, dict) else None
    if not isinstance(kind, str):
        return 'is no object with a "type"'
    if (kind == "run") != (number == 1):
        return f'is of "type": "{kind}"; a record begins with its only "run"'
    for name, shape in NEEDED.get(kind, {}).items():
        if name not in line:
            return f'is of "type": "{kind}" and has no "{name}"'
        if not _is(line[name], shape):
            return f'has a "{name}" that is none: {json.dumps(line[name])[:60]}'
    for name, shape in OPTIONAL.get(kind, {}).items():
        if name in line and not _is(line[name], shape):
            return f'has a "{name}" that is none: {json.dumps(line[name])[:60]}'
    if kind == "run" and line["schema"] != SCHEMA:
        return f"is of schema {line['schema']}; this version of the suite reads schema {SCHEMA}"
    if kind in NEEDED and line.get("verdict", "pass") not in VERDICTS:
        return f"has the verdict {line['verdict']!r}, which is none"
    return ""


def _is(value: Any, shape: Any) -> bool:
    if type(value) is shape:
        return True
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(name in value and _is(value[name], its) for name, its in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(_is(one, shape[0]) for one in value)
    return isinstance(value, shape)


def are_calls(calls: list[Any]) -> bool:
    """Whether these are calls, or stand for calls that were left out."""
    return all(isinstance(one, dict) and ("dropped" in one or _is(one, _CALL)) for one in calls)
