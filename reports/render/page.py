"""The page of a run: one file that needs no network, made of the parts in web/ and the run's data, compressed.

The texts of drivers and records reach the page as data and are shown as text. A content security policy allows no script
but the page's own.
"""

from __future__ import annotations

import json
import shlex
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from reports.records.baseline import key_of
from reports.records.drivers import version
from reports.records.lines import Line
from reports.records.runs import Run, short
from reports.records.verdicts import FAILING, dispute
from reports.render.specification import links

WEB = Path(__file__).with_name("web")
SCRIPTS = ("data.js", "results.js", "rules.js", "times.js", "diagnosis.js", "head.js", "main.js")
TRACES = 24_000_000
"""Characters of call traces that a page holds, failures first; the record has all of them."""
LEVEL = 6
"""How hard to compress the data."""
UNUSED = ("type", "calls", "nodeid", "process", "dispute", "seconds")
"""Fields of a test that the page does not show."""


def render(run: Run, pieces: Iterable[bytes], folder: Path, diagnoses: Sequence[Line] = ()) -> str:
    """The text of index.html, with what `packed` made of the tests, and what explains the failures of each device.

    `folder` may have a matrix.json (injected faults and the tests that detect them).
    """
    script, start = (
        "\n".join((WEB / name).read_text("utf-8") for name in SCRIPTS),
        (WEB / "start.js").read_text("utf-8"),
    )
    policy = " ".join(f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in (start, script))
    parts = {
        "{{title}}": _title(run),
        "{{policy}}": f"default-src 'none'; style-src 'unsafe-inline'; script-src {policy}",
        "{{style}}": (WEB / "page.css").read_text("utf-8"),
        "{{start}}": start,
        "{{script}}": script,
        "{{data}}": b64encode(_data(run, pieces, folder, diagnoses)).decode(),
    }
    text = (WEB / "page.html").read_text("utf-8")
    for mark, part in parts.items():
        text = text.replace(mark, part, 1)
    return text


def _title(run: Run) -> str:
    drivers = ", ".join(dict.fromkeys(str(device["driver_name"]) for device in run.devices))
    text = f"External semaphores: {drivers or 'no device'}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("{", "(")


def _data(run: Run, pieces: Iterable[bytes], folder: Path, diagnoses: Sequence[Line]) -> bytes:
    """All data as JSON, deflated; the tests are the last of them."""
    matrix = folder / "matrix.json"
    breaches = [{"id": key_of(breach), "rules": [breach["rule"]], **breach} for breach in run.breaches]
    rules = list(run.ledger.values())
    told = zip(rules, dispute(run.ledger, run.ledger), links(rules), strict=True)
    data = {
        "run": {name: value for name, value in run.head.items() if name not in ("ledger", "results")}
        | {"devices": [device | {"version": version(device)} for device in run.devices]},
        "ledger": [rule | disputed | {"link": link} for rule, disputed, link in told],
        "breaches": [{**breach, "commands": [run.repeat(breach)]} for breach in breaches],
        "diagnoses": list(diagnoses),
        "end": {name: value for name, value in run.end.items() if name != "times"},
        "times": run.end.get("times") or run.times,
        "matrix": json.loads(matrix.read_text()) if matrix.exists() else None,
    }
    before, comma = _deflated(_json(data).removesuffix("}") + ',"tests":['), _deflated(",")
    return before + comma.join(filter(None, pieces)) + _deflated("]}", zlib.Z_FINISH)


def packed(entries: Iterable[str]) -> bytes:
    """What tests add to the data, which can stand between that of others."""
    text = ",".join(entries)
    return _deflated(text) if text else b""


def _deflated(text: str, flush: int = zlib.Z_FULL_FLUSH) -> bytes:
    """A part of a deflated stream that needs none of the parts before it."""
    packer = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS)
    return packer.compress(text.encode()) + packer.flush(flush)


_json = json.JSONEncoder(separators=(",", ":")).encode


def is_notable(test: Line) -> bool:
    """Whether people have to look at it: a plain pass or lack has no calls on the page."""
    return test["verdict"] not in ("pass", "unsupported") or bool(test.get("differs"))


def entry(run: Run, test: Line, folder: Path, has_room: bool) -> str:
    """A test for the page: without empty fields, with its calls (`tell`), as JSON text, if it is notable and there is room."""
    kept = {name: value for name, value in test.items() if value not in ("", [], {}) and name not in UNUSED}
    if is_notable(test):
        kept |= {"trace": _json(test.get("calls", []))} if has_room else {"no_room": True}
    kept["commands"] = [run.repeat(test), *_commands(run, test, folder)]
    return _json(kept)


def _commands(run: Run, test: Line, folder: Path) -> Iterable[str]:
    """Further commands: a crash under gdb, a failure as a C program, the tests after which a flaky one fails."""
    reports, conclusion = [".venv/bin/python", "-m", "reports"], (test.get("outcomes") or [{}])[-1].get("outcome")
    if test["verdict"] == "crash":
        yield run.debug(test)
    if test["verdict"] in FAILING:
        yield shlex.join([*reports, "reproduce", short(folder), test["nodeid"], "-o", "reproducer.c"])
    if conclusion in ("flaky", "poisoned process") and test.get("process"):
        yield shlex.join([*reports, "order", short(folder), test["nodeid"]])
