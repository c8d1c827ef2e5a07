"""Writes a comparison as text, as JSON or as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from reports.compare.changes import KINDS, Change, is_regression
from reports.records.baseline import title_of
from reports.records.runs import Run
from reports.records.verdicts import alike
from reports.render.page import WEB

CSS = WEB / "page.css"
SHOWN = 20
"""Changes of each kind that the text names; it counts the others."""


def as_text(old: Run, new: Run, changes: Sequence[Change], slower: bool = False) -> str:
    """Both runs with their drivers, then the changes by kind."""
    lines = [*_about("old", old), *_about("new", new), ""]
    for kind in KINDS:
        ones = [one for one in changes if one.kind == kind]
        lines += [f"{kind}: {len(ones)}"] if ones else []
        groups = alike(ones, _cause)
        for one, *rest in groups[:SHOWN]:
            on = f" [{one.device}]" if one.device else ""
            lines.append(f"  {' '.join((*one.rules, _title(one, len(rest))))}{on}: {_turned(one, '->')}")
            lines += [f"      {one.message}"] if one.message else []
            lines += (
                [f"      repeat: {one.repeat}"]
                if one.repeat and kind in ("new failure", "other kind of failure")
                else []
            )
        left = sum(map(len, groups[SHOWN:]))
        lines += [f"  and {left} more"] if left else []
    return "\n".join([*lines, _conclusion(changes, slower)]) + "\n"


def _cause(one: Change) -> tuple[object, ...]:
    """What changes have in common that are told once: test function, device, rules, and what it was and is."""
    return one.what.partition("[")[0], one.device, tuple(one.rules), one.was, one.now


def _title(one: Change, more: int) -> str:
    return title_of(one.what) + (f" and {more} more" if more else "")


def _turned(one: Change, arrow: str) -> str:
    """What it was and what it is; "" for a change that is of no single result."""
    return f"{one.was or 'not there'} {arrow} {one.now or 'not there'}" if one.was or one.now else ""


def _about(name: str, run: Run) -> list[str]:
    when = f"{run.head.get('time', '')} {run.head.get('host', '')}".strip()
    return [f"{name}: {run.describe(device['slug'])}; {when}" for device in run.devices] or [
        f"{name}: no device; {when}"
    ]


def _conclusion(changes: Sequence[Change], slower: bool) -> str:
    told = "a regression" if is_regression(list(changes), slower) else "no regression"
    count = sum(one.kind == "slower" for one in changes)
    calls = f"calls of {count} command{'s' * (count != 1)} got slower"
    return f"{told}; {calls}" + ("" if slower else ", which counts with --slower=FACTOR alone") if count else told


def as_json(old: Run, new: Run, changes: Sequence[Change], slower: bool = False) -> str:
    """An object with the drivers of both runs, every change, and whether there is a regression."""
    told = {
        "old": [run_device | {"time": old.head.get("time")} for run_device in _drivers(old)],
        "new": [run_device | {"time": new.head.get("time")} for run_device in _drivers(new)],
        "regression": is_regression(list(changes), slower),
        "changes": [asdict(one) for one in changes],
    }
    return json.dumps(told, indent=1) + "\n"


def _drivers(run: Run) -> list[dict[str, str]]:
    names = ("slug", "name", "driver_name", "driver_info", "driver_version", "api_version")
    return [{name: device.get(name, "") for name in names} for device in run.devices]


def as_html(old: Run, new: Run, changes: Sequence[Change], slower: bool = False) -> str:
    """One page without scripts; ElementTree escapes every text."""
    root = Element("html", lang="en")
    head = SubElement(root, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "title").text = "External semaphores: what changed"
    SubElement(head, "style").text = CSS.read_text("utf-8")
    body = SubElement(root, "body")
    SubElement(body, "h1").text = f"What changed: {_conclusion(changes, slower)}"
    for line in (*_about("old", old), *_about("new", new)):
        SubElement(body, "p").text = line
    for kind in KINDS:
        ones = [one for one in changes if one.kind == kind]
        if ones:
            SubElement(body, "h2").text = f"{kind}: {len(ones)}"
            _table(SubElement(SubElement(body, "div", {"class": "scroll"}), "table"), ones)
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _table(table: Element, ones: Sequence[Change]) -> None:
    for one, *rest in alike(ones, _cause):
        row = SubElement(table, "tr")
        for text in (
            " ".join(one.rules),
            _title(one, len(rest)),
            one.device,
            _turned(one, "→"),
            one.message,
        ):
            SubElement(row, "td").text = text
