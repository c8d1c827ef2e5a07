"""The verdicts of a run without its calls: a tenth of the time and memory that the whole record takes.

They are kept beside a packed record, which makes that a hundredth; what is kept of another record does not count.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from reports.records import renamed, slim
from reports.records.baseline import key_of
from reports.records.files import write
from reports.records.lines import PACKED, Line, record_of

T = TypeVar("T")
KEPT = "verdicts.json.gz"
"""The file beside a packed record that has them."""


@dataclass
class Brief:
    """A run: its first line without the ledger, its last line or {}, and of each device each result by its current name.

    `verdicts` are those of tests and violations by device and name; `told` has the rules and the message of those that
    neither passed nor were unsupported. `rules` are those of all tests, `ledger` is what each rule says.
    """

    folder: str
    head: Line
    end: Line = field(default_factory=dict)
    ledger: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, dict[str, str]] = field(default_factory=dict)
    told: dict[str, dict[str, Line]] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=dict)


def brief(path: Path) -> Brief:
    """The verdicts of the run in a folder, or in such a file; ValueError, with one sentence, where there is none."""
    file = record_of(path)
    if file is None:
        raise ValueError(f"{path} has no record of a run")
    found = _kept(file) or _read(file)
    if renamed.names():
        found.rules = _renamed(found.rules)
        found.verdicts = {slug: _renamed(its) for slug, its in found.verdicts.items()}
        found.told = {slug: _renamed(its) for slug, its in found.told.items()}
    return found


def _renamed(results: dict[str, T]) -> dict[str, T]:
    return {renamed.current(name): one for name, one in results.items()}


def keep(folder: Path, found: Brief | None = None) -> None:
    """Write the verdicts of a packed record, which are `found` in it, beside it."""
    file = folder / PACKED
    told = {"of": _mark(file), **vars(found or _read(file)), "folder": ""}
    write(folder / KEPT, gzip.compress(json.dumps(told).encode(), 6, mtime=0))


def _kept(file: Path) -> Brief | None:
    """What is kept of this very record."""
    kept = file.with_name(KEPT)
    if file.name != PACKED or not kept.is_file():
        return None
    try:
        told = json.loads(gzip.decompress(kept.read_bytes()))
        if told.pop("of") == _mark(file):
            return Brief(**{**told, "folder": str(file.parent)})
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError):
        pass  # no file of this suite's
    return None


def _mark(file: Path) -> str:
    """The size and the checksum of what a packed record holds, from its end."""
    with file.open("rb") as opened:
        opened.seek(-8, os.SEEK_END)
        return f"{file.stat().st_size} {opened.read().hex()}"


def _read(file: Path) -> Brief:
    found = Brief(str(file.parent), {})
    for number, text in enumerate(slim.texts(file), 1):
        if plain := slim.PLAIN.match(text):
            found.end = {}
            name = plain[1].decode()
            found.verdicts.setdefault(plain[3].decode(), {})[name] = plain[4].decode()
            found.rules[name] = json.loads(plain[2])
        elif parsed := slim.parse(file, text, number):
            _take(found, parsed[0])
    if not found.head:
        raise ValueError(f"{file} is not the record of a run: it is empty")
    return found


def _take(found: Brief, line: Line) -> None:
    found.end = {name: value for name, value in line.items() if name != "times"} if line["type"] == "end" else {}
    if line["type"] == "run":
        found.ledger = {rule["id"]: str(rule.get("statement", "")) for rule in line.get("ledger", [])}
        found.head = {name: value for name, value in line.items() if name not in ("ledger", "results", "listed")}
    elif line["type"] in ("test", "breach"):
        name, device = key_of(line), line["device"]
        found.verdicts.setdefault(device, {})[name] = line["verdict"]
        found.rules[name] = line["rules"] if line["type"] == "test" else [line["rule"]]
        if line["verdict"] not in ("pass", "unsupported"):
            found.told.setdefault(device, {})[name] = {"rules": found.rules[name], "message": line["message"]}
