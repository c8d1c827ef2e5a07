"""The page of a run: one file that needs no network, made of the parts in web/ and the run's data as JSON.

The texts of drivers and records reach the page as data and are shown as text. A content security policy allows no script
but the page's own.
"""

from __future__ import annotations

import json
import shlex
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from reports.records.baseline import key_of
from reports.records.runs import Line, Run, rank, short
from reports.records.timing import times
from reports.records.verdicts import FAILING, dispute

WEB = Path(__file__).with_name("web")
SCRIPTS = ("data.js", "results.js", "rules.js", "times.js", "head.js", "main.js")
TRACES = 24_000_000
"""Characters of call traces that a page holds, failures first; results.jsonl has all of them."""


def render(run: Run, folder: Path) -> str:
    """The text of index.html; `folder` may have a matrix.json (injected faults and the tests that detect them)."""
    script = "\n".join((WEB / name).read_text("utf-8") for name in SCRIPTS)
    policy = b64encode(sha256(script.encode()).digest()).decode()
    parts = {
        "{{title}}": _title(run),
        "{{policy}}": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{policy}'",
        "{{style}}": (WEB / "page.css").read_text("utf-8"),
        "{{script}}": script,
        "{{data}}": embed(_data(run, folder)),
    }
    text = (WEB / "page.html").read_text("utf-8")
    for mark, part in parts.items():  # the data last: marks inside it are left alone
        text = text.replace(mark, part, 1)
    return text


def embed(value: object) -> str:
    """JSON that is safe inside a script element, whatever its strings contain."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _title(run: Run) -> str:
    drivers = ", ".join(dict.fromkeys(str(device["driver_name"]) for device in run.devices))
    text = f"External semaphores: {drivers or 'no device'}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("{", "(")


def _data(run: Run, folder: Path) -> dict[str, Any]:
    matrix = folder / "matrix.json"
    ranked = sorted(run.tests, key=rank)
    breaches = [{"id": key_of(breach), "rules": [breach["rule"]], **breach} for breach in run.breaches]
    return {
        "run": {name: value for name, value in run.head.items() if name != "ledger"},
        "ledger": [
            rule | told for rule, told in zip(run.ledger.values(), dispute(run.ledger, run.ledger), strict=True)
        ],
        "tests": list(_slim(run, ranked, folder)),
        "breaches": [{**breach, "commands": [run.repeat(breach)]} for breach in breaches],
        "end": {name: value for name, value in run.end.items() if name != "times"},
        "times": run.end.get("times") or times(run.tests),
        "matrix": json.loads(matrix.read_text()) if matrix.exists() else None,
    }


def _slim(run: Run, tests: Iterable[Line], folder: Path) -> Iterable[Line]:
    """The tests without empty fields; calls, as JSON text, only of tests that did neither pass nor lack something."""
    room = TRACES
    for test in tests:
        kept = {
            name: value for name, value in test.items() if value not in ("", [], {}) and name not in ("type", "calls")
        }
        if test["verdict"] not in ("pass", "unsupported") or test.get("differs"):
            calls = json.dumps(test.get("calls", []), separators=(",", ":"))
            room -= len(calls)
            kept |= {"trace": calls} if room > 0 else {"no_room": True}
        kept["commands"] = [run.repeat(test), *_commands(run, test, folder)]
        yield kept


def _commands(run: Run, test: Line, folder: Path) -> Iterable[str]:
    """Further commands: a crash under gdb, a failure as a C program, the tests after which a flaky one fails."""
    reports, conclusion = [".venv/bin/python", "-m", "reports"], (test.get("outcomes") or [{}])[-1].get("outcome")
    if test["verdict"] == "crash":
        yield run.debug(test)
    if test["verdict"] in FAILING:
        yield shlex.join([*reports, "reproduce", short(folder), test["nodeid"], "-o", "reproducer.c"])
    if conclusion in ("flaky", "poisoned process") and test.get("process"):
        yield shlex.join([*reports, "order", short(folder), test["nodeid"]])
