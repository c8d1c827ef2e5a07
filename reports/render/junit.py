"""JUnit as GitLab, Jenkins and GitHub's actions read it: a suite per device, a case per test and per violation.

A case that fails the run is a `failure` (an `error` where the suite is at fault); a known failure and the failure of a
validation layer are `skipped` with the reason. A violation is named as in a baseline, so that its history goes on.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from reports.records.baseline import key_of
from reports.records.runs import Run, is_apart, is_known
from reports.records.verdicts import dispute

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CALLS = 20  # the last calls of a failure that its text shows


def render(run: Run) -> bytes:
    """The text of junit.xml."""
    root = Element("testsuites", name="external semaphores")
    slugs = sorted({one["device"] for one in (*run.tests, *run.breaches)})
    for slug in slugs:
        _suite(root, run, slug)
    _rest(root, run)
    for suite in root:
        _total(suite, list(suite.iter("testcase")))
    _total(root, list(root.iter("testcase")))
    ElementTree.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode").encode() + b"\n"


def _suite(root: Element, run: Run, slug: str) -> None:
    suite = _add(root, "testsuite", name=slug or "no device", hostname=run.head.get("host", ""))
    suite.set("timestamp", str(run.head.get("time", "")))
    told = {"device": run.describe(slug), "commit": run.head.get("commit", ""), "suite": run.head.get("suite", "")}
    _properties(suite, list(told.items()))
    for test in run.tests:
        if test["device"] == slug:
            _case(suite, run, test)
    for breach in run.breaches:
        if breach["device"] == slug:
            _case(suite, run, {"id": key_of(breach), "rules": [breach["rule"]], **breach})


def _rest(root: Element, run: Run) -> None:
    """Failures of the run that are no test's: entries of the baseline that no result matched, and a run that died."""
    seen = {key_of(one) for one in (*run.tests, *run.breaches)}
    left = [(key, what) for key, what in run.end.get("surprises", []) if key not in seen]
    left += [] if run.end else [("the run", run.status)]
    if left:
        suite = _add(root, "testsuite", name="baseline" if run.end else "run")
    for key, what in left:
        case = _add(suite, "testcase", name=key, classname=suite.get("name", ""), time="0")
        _add(case, "failure", type="baseline", message=what)


def _case(suite: Element, run: Run, one: dict[str, Any]) -> None:
    path, _, name = one["id"].partition("::")
    module = path.removesuffix(".py").replace("/", ".") if name else "breaches"
    case = _add(suite, "testcase", name=name or path, classname=".".join(filter(None, (one["device"], module))))
    case.set("time", f"{one.get('seconds', 0):.6f}")
    if name:
        case.set("file", path)
    rules = [("rule", rule) for rule in one["rules"]]
    _properties(case, [*rules, ("device", one["device"]), ("verdict", one["verdict"]), ("repeat", run.repeat(one))])
    verdict, message = one["verdict"], one["message"]
    if verdict == "error":
        _add(case, "error", type="error", message=message).text = _clean(one.get("detail", ""))
    elif one.get("differs"):
        told = message if message.startswith(verdict) else f"{verdict}: {message}"
        _add(case, "failure", type=verdict, message=told).text = _clean(_text(run, one))
    elif is_known(one):
        _add(case, "skipped", type="known", message=f"known {verdict}: {one.get('reason') or message}")
    elif is_apart(one):
        _add(case, "skipped", type="apart", message=f"a validation layer's, not the driver's: {verdict}: {message}")
    elif verdict == "unsupported":
        _add(case, "skipped", type="unsupported", message=message)
    if verdict in ("warn", "flaky") or is_known(one) or is_apart(one):
        _add(case, "system-out").text = _clean(f"{verdict}: {message}\n{one.get('detail', '')}")


def _text(run: Run, one: dict[str, Any]) -> str:
    lines = [f"{one['differs']}: {one['message']}", ""]
    for told in dispute(run.ledger, one["rules"]):
        lines += [f"{told['rule']}: {run.statement(told['rule'])}", f"  {told['section']}"]
        lines += [f"  reading: {told['reading']}"] * bool(told["reading"])
        lines += [f"  weaker readings: {told['weaker']}"] * bool(told["weaker"])
    lines += ["", f"repeat: {run.repeat(one)}", "", one.get("detail", ""), ""]
    names = run.head.get("results", {})
    for call in one.get("calls", [])[-_CALLS:]:
        if "command" in call:
            result = names.get(str(call["result"]), call["result"]) if call["ns"] is not None else "(did not return)"
            lines.append(f"{call['command']}{tuple(call['arguments'])} -> {result}")
    return "\n".join(lines)


def _total(suite: Element, cases: list[Element]) -> None:
    kinds = {"tests": "*", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for name, kind in kinds.items():
        suite.set(name, str(sum(kind == "*" or case.find(kind) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _properties(parent: Element, pairs: list[tuple[str, str]]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in pairs:
        _add(properties, "property", name=name, value=value)


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    return SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})


def _clean(text: object) -> str:
    """The text without the characters that XML forbids: a driver may print anything."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(text))
