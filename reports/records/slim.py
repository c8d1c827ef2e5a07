"""The lines of a record without a look at the calls of its tests, which are most of it."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from reports.records.lines import Line, check

SMALL = 4_000_000
"""Bytes of a compressed record that is unpacked at once, which is quicker; a merged one may be larger than memory."""
PLAIN = re.compile(
    rb'\{"type": "test", "id": "([^"\\]*)", "rules": (\[[^\]]*\]), "device": "([^"\\]*)", "verdict": "(pass|unsupported)"'
)
"""How this suite begins the line of a test that nobody has to look at: its id, rules, device and verdict."""
_CALLS, _AFTER = b', "calls": [', b'], "warnings": '
"""What stands before and behind the calls. Inside a string the quotes would have backslashes."""


def texts(file: Path) -> Iterator[bytes]:
    """The lines of a record as they are; ValueError where it is damaged."""
    try:
        if file.suffix == ".gz" and file.stat().st_size < SMALL:
            yield from io.BytesIO(gzip.decompress(file.read_bytes()))
            return
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            yield from opened
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise ValueError(f"{file} is damaged: {problem}") from None


def parse(file: Path, text: bytes, number: int) -> tuple[Line, bytes] | None:
    """Line `number` of a record with "calls" of [], and the calls as they are written; None for one that was cut off.

    ValueError, with one sentence, if it is no line of a record.
    """
    start = text.find(_CALLS) if text.startswith(b'{"type": "test"') else -1
    end = text.find(_AFTER, start) if start >= 0 else -1
    short, calls = (text, b"[]")
    if end >= 0:
        start += len(_CALLS) - 1
        short, calls = text[: start + 1] + text[end:], text[start : end + 1]
    try:
        line = json.loads(short)
    except (ValueError, RecursionError):
        line = None
    if line is None or (short is text and b'"calls"' in text):  # a name in a call looks like that: all of it, then
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            if text.endswith(b"\n") or number == 1:
                raise ValueError(f"{file} is not the record of a run: line {number} is not JSON") from None
            return None
        if isinstance(line, dict) and line.get("type") == "test":
            calls = json.dumps(line.get("calls", [])).encode()
            line["calls"] = []
    check(file, line, number)
    return line, calls


def head(file: Path) -> Line:
    """The first line of a record."""
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
        parsed = parse(file, opened.readline(), 1)
    assert parsed  # else it is not JSON, which is an error of the first line
    return parsed[0]


def lines(file: Path) -> Iterator[tuple[Line, bytes]]:
    """Every line of a record, with what `parse` makes of it."""
    number = 0
    for number, text in enumerate(texts(file), 1):
        parsed = parse(file, text, number)
        if parsed is None:
            return
        yield parsed
    if not number:
        raise ValueError(f"{file} is not the record of a run: it is empty")


def joined(line: Line, calls: bytes) -> bytes:
    """A line of a record, of a test with these calls."""
    text = json.dumps(line).encode()
    return text.replace(b', "calls": []', b', "calls": ' + calls, 1) + b"\n"
