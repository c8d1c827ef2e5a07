"""Merges several runs into one: devices and machines get a column each, shards of one run share it."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reports.records import slim
from reports.records.brief import Brief, brief, keep
from reports.records.lines import NAME, PACKED, Line, record_of
from reports.records.runs import Run
from reports.records.timing import Times
from reports.render import artifacts, page
from reports.render.pieces import Piece, make, write

LEVEL = 1
"""How hard to compress: a merged record is as large as all of its runs."""

INTERRUPTED = 2
"""The exit status of a run that is not complete."""


@dataclass
class Column:
    """A device on a machine, or on those that share a driver's tests: how it is told from others, its description, its slug
    in the merged run, and the ids of its tests."""

    key: Line
    device: Line
    slug: str
    ids: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Share:
    """What is to be done with one run: its number, its record, its columns by its own slugs, where the merged run goes, the
    columns whose call times other runs have a share of, and the room for traces on the page."""

    number: int
    file: Path
    slugs: dict[str, str]
    folder: Path
    shared: frozenset[str]
    room: int


@dataclass
class Done:
    """What a run adds to the merged one: the lines of its tests, compressed, what they add to the page and to JUnit, its
    violations, its last line or {}, and the times of calls on shared columns."""

    record: bytes
    piece: Piece
    breaches: list[Line]
    end: Line
    taken: Times


def merge(folders: Sequence[Path], out: Path) -> list[str]:
    """Write one run with the tests of all into `out`; a sentence for each part of it that is missing.

    Shards share a column, whatever their machines, and so do runs of one device on one machine that have no test in common.
    ValueError if one of them is named twice.
    """
    runs = [brief(one) for one in folders]
    _refuse_twins(runs)
    columns: list[Column] = []
    slugs = [_place(run, its_set, columns) for run, its_set in zip(runs, _sets(runs), strict=True)]
    placed = Counter(slug for its in slugs for slug in its.values())
    shared = frozenset(slug for slug, count in placed.items() if count > 1)
    files = [one for folder in folders if (one := record_of(folder))]
    heads = [slim.head(file) for file in files]
    head = _head(runs, heads, [{**one.device, "slug": one.slug} for one in columns if one.device.get("driver_name")])
    room = page.TRACES // len(runs)
    shares = [
        Share(number, file, its, out, shared, room)
        for number, (file, its) in enumerate(zip(files, slugs, strict=True), 1)
    ]
    _write(runs, slugs, head, shares, out)
    absent = [f"{folder}: died before its end" for folder, run in zip(folders, runs, strict=True) if not run.end]
    absent += [f"{folder}: interrupted" for folder, run in zip(folders, runs, strict=True) if _was_interrupted(run)]
    return absent + missing(runs)


def _write(
    runs: Sequence[Brief], slugs: Sequence[dict[str, str]], head: Line, shares: Sequence[Share], out: Path
) -> None:
    """The record, a compressed member for each run, then what is kept beside it, then the files for people."""
    out.mkdir(parents=True, exist_ok=True)
    new, pieces, done = out / f".{PACKED}-{os.getpid()}", list[Piece](), list[Done]()
    try:
        with new.open("wb") as record:
            record.write(_packed([head]))
            for one in _map(shares):
                record.write(one.record)
                one.record = b""
                pieces.append(one.piece)
                done.append(one)
            breaches = _breaches(done)
            ends = [one.end for one in done]
            end = _end(runs, ends, pieces, _times(done, shares)) if all(ends) else {}
            record.write(_packed([*breaches, *([end] if end else [])]))
        new.replace(out / PACKED)
    finally:
        new.unlink(missing_ok=True)
    (out / NAME).unlink(missing_ok=True)
    keep(out, _together(runs, slugs, head, end))
    write(Run(head, breaches=breaches, end=end), pieces, out)


def _packed(lines: Sequence[Line]) -> bytes:
    return (
        gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines), LEVEL, mtime=0) if lines else b""
    )


def _map(shares: Sequence[Share]) -> Iterator[Done]:
    """What each run adds, in their order; several processes work on them."""
    workers = min(len(os.sched_getaffinity(0)), len(shares))
    if workers < 2:
        yield from map(_add, shares)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_add, shares)


def _add(share: Share) -> Done:
    run, taken, packer = Run({}), Times(), zlib.compressobj(LEVEL, wbits=16 + zlib.MAX_WBITS)
    packed: list[bytes] = []

    def moved() -> Iterator[tuple[Line, bytes]]:
        for test, calls in artifacts.tests_of(run, share.file):
            _move(run, share.slugs)
            test["device"] = share.slugs[test["device"]]
            test["process"] = f"{share.number}/{test['process']}" if test.get("process") else ""
            packed.append(packer.compress(slim.joined(test, calls)))
            if test["device"] in share.shared:
                taken.add(test["device"], json.loads(calls))
            yield test, calls

    piece = make(run, moved(), share.folder, share.room)
    for breach in run.breaches:
        breach["device"] = share.slugs[breach["device"]]
    for times in run.end.get("times", []):
        times["device"] = share.slugs[times["device"]]
    return Done(b"".join([*packed, packer.flush()]), piece, run.breaches, run.end, taken)


def _move(run: Run, slugs: dict[str, str]) -> None:
    """Give the devices of a run the slugs that they have in the merged one; the second time it does nothing."""
    if "moved" not in run.head:
        run.head["moved"] = [device.update(slug=slugs.get(device["slug"], device["slug"])) for device in run.devices]


def _breaches(done: Sequence[Done]) -> list[Line]:
    """A violation that several runs of a column have is one."""
    found: dict[tuple[str, str, str], Line] = {}
    for breach in (breach for one in done for breach in one.breaches):
        key = breach["rule"], breach["device"], breach["command"]
        there = found.setdefault(key, {**breach, "tests": []})
        there["tests"] = [*there["tests"], *breach["tests"]]
    return list(found.values())


def _times(done: Sequence[Done], shares: Sequence[Share]) -> list[Line]:
    """The call times of a run's own columns as it has them; those of shared ones are counted anew."""
    together = Times()
    for one in done:
        for key, values in one.taken.taken.items():
            together.taken.setdefault(key, array("Q")).extend(values)
    own = [
        times
        for one, share in zip(done, shares, strict=True)
        for times in one.end.get("times", [])
        if times["device"] not in share.shared
    ]
    return [*own, *together.describe()]


def _together(runs: Sequence[Brief], slugs: Sequence[dict[str, str]], head: Line, end: Line) -> Brief:
    """The verdicts of all runs, in their columns."""
    left_out = ("ledger", "results", "listed")
    kept = Brief("", {name: value for name, value in head.items() if name not in left_out})
    kept.end = {name: value for name, value in end.items() if name != "times"}
    kept.ledger = {rule["id"]: str(rule.get("statement", "")) for rule in head["ledger"]}
    for run, its in zip(runs, slugs, strict=True):
        kept.rules |= run.rules
        for slug in run.verdicts:
            kept.verdicts.setdefault(its[slug], {}).update(run.verdicts[slug])
            kept.told.setdefault(its[slug], {}).update(run.told.get(slug, {}))
    return kept


def _refuse_twins(runs: Sequence[Brief]) -> None:
    for number, run in enumerate(runs):
        if any((run.head, run.end, run.verdicts) == (one.head, one.end, one.verdicts) for one in runs[:number]):
            where = f" on {run.head['host']}" if run.head.get("host") else ""
            shard = f"shard {run.head['shard']} of " if run.head.get("shard") else ""
            raise ValueError(f"{shard}the run of {run.head.get('time', '')}{where} is named twice")


Set = tuple[str, str, int]
"""The shards of one driver's tests: of how many, which driver, and which of several that are alike."""


def _sets(runs: Sequence[Brief]) -> list[Set | None]:
    """For each run the set of shards that it is a part of; None if it is no shard."""
    counted: Counter[tuple[str, str, frozenset[str]]] = Counter()
    found: list[Set | None] = []
    for run in runs:
        drivers = (
            ", ".join(f"{one['driver_name']} {one['driver_version']}" for one in run.head["devices"]) or "no device"
        )
        shares = _shares(run)
        count = max((share.partition("/")[2] for share in shares), default="")
        counted[count, drivers, shares] += 1
        found.append((count, drivers, counted[count, drivers, shares]) if shares else None)
    return found


def _shares(run: Brief) -> frozenset[str]:
    """The shares of a run: one "I/N" of a shard, several of a merged run that has a part of them, none of others."""
    return frozenset(re.findall(r"\d+/\d+", str(run.head.get("shard", ""))))


def missing(runs: Sequence[Brief]) -> list[str]:
    """A sentence for each set of shards that is not complete."""
    present: dict[Set, set[str]] = {}
    for run, its_set in zip(runs, _sets(runs), strict=True):
        if its_set:
            present.setdefault(its_set, set()).update(_shares(run))
    sentences = []
    for (count, drivers, _), shares in present.items():
        absent = [share for number in range(1, int(count) + 1) if (share := f"{number}/{count}") not in shares]
        if absent:
            shards, are = ("shards", "are") if len(absent) > 1 else ("shard", "is")
            sentences.append(f"{shards} {', '.join(absent)} of the tests on {drivers} {are} missing")
    return sentences


def _place(run: Brief, its_set: Set | None, columns: list[Column]) -> dict[str, str]:
    """For each device and layer of `run`, and "" for none, its slug in the merged run."""
    described: dict[str, Line] = {device["slug"]: device for device in run.head["devices"]}
    layers = {layer["slug"]: layer for layer in run.head.get("validation_layers", [])}
    described |= {slug: layers.get(slug, {}) for slug in run.verdicts if slug not in described}
    placed = {}
    for slug, device in described.items():
        whole = {"choice": run.head.get("choice", []), "host": run.head.get("host", ""), **device, "slug": slug}
        key = {"set": its_set, "slug": slug} if its_set else whole
        ids = {name for name in run.verdicts.get(slug, ()) if not name.startswith("breach ")}
        fitting = (one for one in columns if one.key == key and not one.ids & ids)
        column = next(fitting, None)
        if column is None:
            column = Column(key, whole, _unused(slug, str(whole["host"]), {one.slug for one in columns}))
            columns.append(column)
        column.device["host"] = _one_of([column.device["host"], whole["host"]])
        column.ids |= ids
        placed[slug] = column.slug
    return placed


def _unused(slug: str, host: str, used: set[str]) -> str:
    """A free slug for a column: the device's own, else with the machine's name, else numbered."""
    machine = f"{slug or 'no device'}@{host}" if host else slug or "no device"
    wanted = [slug, machine, *(f"{machine} {number}" for number in range(2, len(used) + 3))]
    return next(name for name in wanted if name not in used)


def _head(runs: Sequence[Brief], heads: Sequence[Line], described: list[Line]) -> Line:
    ledger = {rule["id"]: rule for head in reversed(heads) for rule in head.get("ledger", [])}
    return {
        **heads[0],
        "time": min(str(head.get("time", "")) for head in heads),
        "host": _one_of(head.get("host", "") for head in heads),
        "commit": _one_of(head.get("commit", "") for head in heads),
        "baseline": _one_of(head.get("baseline", "") for head in heads),
        "shard": "" if _is_whole(runs) else _one_of(head.get("shard", "") for head in heads),
        "merged": [{name: one for name, one in head.items() if name not in ("ledger", "results")} for head in heads],
        "devices": [one for one in described if "name" in one],
        "validation_layers": [one for one in described if "name" not in one],
        "ledger": list(ledger.values()),
    }


def _one_of(values: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values if value))


def _is_whole(runs: Sequence[Brief]) -> bool:
    """Whether the runs, together, are the whole suite."""
    return not missing(runs) and not any(map(_was_interrupted, runs)) and all(_selects_all(run) for run in runs)


def _was_interrupted(run: Brief) -> bool:
    """Whether somebody stopped it, or a run that was merged into it."""
    return INTERRUPTED in _exits(run)


def _exits(run: Brief) -> list[int]:
    """The exit status of a run, or of each that was merged into it."""
    return list(run.end.get("exits") or [run.end["exit"]] if run.end else [])


def _selects_all(run: Brief) -> bool:
    """Whether its command line selects the whole suite; of a merged part of the shards: that of each."""
    return bool(run.end and (run.end["whole"] or run.end.get("missing")))


def _end(runs: Sequence[Brief], ends: Sequence[Line], pieces: Sequence[Piece], times: list[Line]) -> Line:
    absent = missing(runs)
    exits = [int(status) for run in runs for status in _exits(run)]
    told = [*exits, *[INTERRUPTED] * bool(absent)]
    worst = next((status for status in (3, 4, INTERRUPTED, 1, 0, 5) if status in told), max(told))
    return {
        "type": "end",
        "totals": sum((counted for piece in pieces for counted in piece.counts.values()), Counter[str]()),
        "exit": worst,
        "exits": exits,
        "surprises": list(dict.fromkeys(tuple(one) for end in ends for one in end.get("surprises", []))),
        "whole": _is_whole(runs),
        "missing": absent,
        "farewells": [one for end in ends for one in end.get("farewells", [])],
        "times": times,
    }
