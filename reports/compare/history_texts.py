"""Writes a history as text, as JSON or as one HTML file: what broke and was mended when, what fails now, what is unsteady."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from reports.compare.history import NAMES, Device, Event, Group, Story
from reports.compare.nights import Night
from reports.records.baseline import title_of
from reports.records.verdicts import VERDICTS
from reports.render.page import WEB

SHOWN = 12
"""Entries of a list that the text names; it counts the others."""
GLYPHS = {"fail": "✗", "crash": "‼", "timeout": "∞", "error": "!", "flaky": "≈", "warn": "△", "pass": "✓"}
LONGEST = 100
"""Characters of a fact's value that are shown."""


def as_text(devices: Sequence[Device]) -> str:
    """Each driver: its last night, what changed, what fails since when, what is unsteady."""
    return "\n".join(line for device in devices for line in (*_about(device), "")) or "no run has a result\n"


def _about(device: Device) -> Iterator[str]:
    yield f"{device.slug or 'no device'}: {_nights(device)}"
    yield f"  last run {_told(device.nights[-1])}"
    yield f"  since the run before: {_news(device)}"
    for event in _some(device.events, "event"):
        if isinstance(event, str):
            yield f"  {event}"
            continue
        yield ""
        yield f"  {_when(device, event)}"
        yield f"      {_cause(event)}"
        for word, groups in (("broke", event.broke), ("mended", event.mended)):
            yield from (f"    {word:<7} {_named(group)}" for group in groups)
    if device.failing:
        yield ""
        yield f"  fails now: {sum(len(group.stories) for group in device.failing)} tests"
        for group in _some(device.failing, "group"):
            yield f"    {group}" if isinstance(group, str) else f"    {_named(group)}; {_since(device, group.stories)}"
    for title, stories in (("unsteady", device.unsteady), ("no longer judged", device.lost)):
        if stories:
            yield ""
            yield f"  {title}: {len(stories)} tests"
        for story in _some(stories, "test"):
            yield f"    {story}" if isinstance(story, str) else f"    {_rate(story)}{title_of(story.name)}"


def _some(ones: Sequence[Any], word: str) -> Iterator[Any]:
    yield from ones[:SHOWN]
    if len(ones) > SHOWN:
        yield f"and {len(ones) - SHOWN} more {word}s: the page (--html) and --json have them"


def _nights(device: Device) -> str:
    first, last = device.nights[0], device.nights[-1]
    count = len(device.nights)
    return f"{count} run{'s' * (count != 1)}, {first.date} to {last.date}" if count > 1 else f"1 run, {last.date}"


def _told(night: Night) -> str:
    counts = ", ".join(f"{night.counts[verdict]} {verdict}" for verdict in VERDICTS if night.counts[verdict])
    status = "died" if night.exit == "died" else f"exit status {night.exit}"
    return (
        f"{night.date}, driver {night.facts['driver'] or '-'}, suite {night.facts['suite'] or '-'}: {status}; {counts}"
    )


def _news(device: Device) -> str:
    """What the last night changed."""
    last = len(device.nights) - 1
    events = [event for event in device.events if event.at == last]
    counted = {
        "broke": sum(len(group.stories) for event in events for group in event.broke),
        "mended": sum(len(group.stories) for event in events for group in event.mended),
        "no longer judged": len(device.lost),
    }
    return ", ".join(f"{count} {what}" for what, count in counted.items() if count) or "nothing"


def _when(device: Device, event: Event) -> str:
    night = device.nights[event.at]
    broke, mended = (sum(len(group.stories) for group in groups) for groups in (event.broke, event.mended))
    counted = " and ".join(f"{count} {word}" for count, word in ((broke, "broke"), (mended, "mended")) if count)
    return f"{night.date}  driver {night.facts['driver'] or '-'}: {counted} since {device.nights[event.since].date}"


def _cause(event: Event) -> str:
    changes = [f"{fact} {_short(was) or 'none'} -> {_short(now) or 'none'}" for fact, was, now in event.changed]
    return f"changed: {'; '.join(changes)}" if changes else "nothing that a record has changed"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _named(group: Group) -> str:
    statement = f": {_short(group.statement)}" if group.statement else ""
    return f"{group.rule}{statement} ({_tests(group)})"


def _tests(group: Group) -> str:
    first, more = title_of(group.stories[0].name).rpartition("::")[2], len(group.stories) - 1
    return f"{first} and {more} more" if more else first


def _since(device: Device, stories: Sequence[Story]) -> str:
    """Since when the tests of a group fail, with the last good run, the latest first."""
    turns = sorted(
        {(one.first_bad or 0, -1 if one.last_good is None else one.last_good) for one in stories}, reverse=True
    )
    dates = [
        f"{device.nights[bad].date} (last good {device.nights[good].date})" if good >= 0 else device.nights[bad].date
        for bad, good in turns
    ]
    return f"since {' and '.join(dates[:3])}{' and before' * (len(dates) > 3)}"


def _rate(story: Story) -> str:
    return f"{story.rate:.0%} of its runs: " if story.rate else ""


def as_json(devices: Sequence[Device]) -> str:
    """An object with all that the page shows, and of each test the verdicts of all nights (null: not there)."""
    return json.dumps({"devices": [_object(device) for device in devices]}, indent=1) + "\n"


def _object(device: Device) -> dict[str, Any]:
    nights = [
        {"time": n.time, "folder": n.folder, "exit": n.exit, "whole": n.whole, "counts": n.counts, **n.facts}
        for n in device.nights
    ]

    def named(groups: Iterable[Group]) -> list[dict[str, Any]]:
        return [
            {"rule": one.rule, "statement": one.statement, "tests": [story.name for story in one.stories]}
            for one in groups
        ]

    return {
        "device": device.slug,
        "runs": nights,
        "events": [
            {
                "run": event.at,
                "since": event.since,
                "changed": [{"fact": fact, "was": was, "now": now} for fact, was, now in event.changed],
                "broke": named(event.broke),
                "mended": named(event.mended),
            }
            for event in device.events
        ],
        "failing": named(device.failing),
        "no_longer_judged": [story.name for story in device.lost],
        "tests": [
            {
                "id": one.name,
                "rules": one.rules,
                "state": one.state,
                "first_bad": one.first_bad,
                "last_good": one.last_good,
                "flake_rate": round(one.rate, 4),
                "verdicts": [NAMES[letter] or None for letter in one.strip],
            }
            for one in device.stories
        ],
    }


CSS = """
.strip { display: inline-flex; height: 1em; vertical-align: -.15em; }
.strip > span { background: var(--tone, none); width: calc(var(--n) * var(--night)); overflow: hidden; white-space: nowrap; }
.strip > [data-verdict] { color: var(--paper); font: 700 .7rem/1rem system-ui, sans-serif; text-align: center; }
.strip > [data-verdict="unsupported"] { background: none; border-top: 1px solid var(--line); margin-top: .5em; }
.strip.axis { height: auto; font-size: .75rem; color: var(--quiet); }
.strip.axis > span { border-left: 1px solid var(--line); padding-left: 2px; text-overflow: ellipsis; }
td.fixed { white-space: nowrap; }
h3 + p { margin: 0 0 .4rem; }
summary { cursor: pointer; }
details > ul { padding-left: 2rem; }
"""


def as_html(devices: Sequence[Device]) -> str:
    """One page without scripts; ElementTree escapes every text."""
    root = Element("html", lang="en")
    head = SubElement(root, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "title").text = "External semaphores: history"
    SubElement(head, "style").text = (WEB / "page.css").read_text("utf-8") + CSS
    body = SubElement(root, "body")
    SubElement(body, "h1").text = "External semaphores: test by date"
    for device in devices:
        _section(SubElement(body, "section"), device)
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _section(section: Element, device: Device) -> None:
    section.set("style", f"--night: {max(2, min(14, 560 // len(device.nights)))}px")
    SubElement(section, "h2").text = f"{device.slug or 'no device'}: {_nights(device)}"
    SubElement(section, "p").text = f"Last run {_told(device.nights[-1])}."
    SubElement(section, "p").text = f"Since the run before: {_news(device)}."
    for event in device.events:
        part = SubElement(section, "article")
        SubElement(part, "h3").text = _when(device, event)
        SubElement(part, "p").text = _cause(event)
        table = SubElement(SubElement(part, "div", {"class": "scroll"}), "table")
        _axes(table, device)
        for word, verdict, groups in (("broke", "fail", event.broke), ("mended", "pass", event.mended)):
            for group in groups:
                _row(table, device, word, verdict, group)
    _table(section, device, "Fails now", [("", "", group) for group in device.failing])
    unsteady = [(f"{one.rate:.0%}", "flaky", Group(one.name, "", [one])) for one in device.unsteady]
    _table(section, device, "Unsteady: the share of runs that differ though nothing had changed", unsteady)
    lost = [(one.state, "unsupported", group) for group in device.grouped(device.lost) for one in group.stories[:1]]
    _table(section, device, "No longer judged", lost)


def _table(section: Element, device: Device, title: str, rows: Sequence[tuple[str, str, Group]]) -> None:
    if rows:
        SubElement(section, "h3").text = f"{title}: {sum(len(group.stories) for _, _, group in rows)}"
        table = SubElement(SubElement(section, "div", {"class": "scroll"}), "table")
        _axes(table, device)
        for word, verdict, group in rows:
            _row(table, device, word, verdict, group)


def _axes(table: Element, device: Device) -> None:
    """Above the strips: the months, and what each driver's and each suite's version is."""
    told = {
        "date": [night.date[:10] if len(device.nights) < 15 else night.date[:7] for night in device.nights],
        "driver": [night.facts["driver"] for night in device.nights],
        "suite": [night.facts["suite"] for night in device.nights],
    }
    for name, values in told.items():
        if name == "suite" and not 1 < len(set(values)) <= SHOWN:
            continue
        row = SubElement(table, "tr")
        SubElement(row, "td").text = ""
        _strip(SubElement(row, "td", {"class": "fixed"}), values, axis=True)
        SubElement(row, "td", {"class": "on"}).text = name


def _row(table: Element, device: Device, word: str, verdict: str, group: Group) -> None:
    row = SubElement(table, "tr")
    SubElement(
        SubElement(row, "td", {"class": "fixed"}), "span", {"class": "badge", "data-verdict": verdict}
    ).text = word
    _strip(SubElement(row, "td", {"class": "fixed"}), _worst(group.stories), dates=device.nights)
    details = SubElement(SubElement(row, "td"), "details")
    summary = SubElement(details, "summary")
    SubElement(summary, "strong").text = title_of(group.rule)
    statement = f" {group.statement}" if group.statement else ""
    since = f"; fails {_since(device, group.stories)}" if group.stories[0].state == "failing" else ""
    summary[-1].tail = f"{statement} ({_tests(group)}{since})"
    listed = SubElement(details, "ul")
    for story in group.stories:
        entry = SubElement(listed, "li")
        _strip(entry, [NAMES[letter] for letter in story.strip], dates=device.nights)
        entry[-1].tail = f" {title_of(story.name)}"
        told = next((night.told[story.name] for night in reversed(device.nights) if story.name in night.told), None)
        if told:
            SubElement(entry, "div", {"class": "message"}).text = f"{told['message']}"


def _worst(stories: Sequence[Story]) -> list[str]:
    """Of each night the worst verdict that a test of the group had."""
    rank = {verdict: number for number, verdict in enumerate((*VERDICTS, ""))}
    nights = zip(*(one.strip for one in stories), strict=True)
    return [min((NAMES[letter] for letter in night), key=rank.__getitem__) for night in nights]


def _strip(parent: Element, values: Sequence[str], axis: bool = False, dates: Sequence[Night] = ()) -> None:
    """A bar with a part for each stretch of nights with one value, as wide as there are nights."""
    strip = SubElement(parent, "span", {"class": "strip axis" if axis else "strip"})
    start = 0
    for number in range(1, len(values) + 1):
        if number == len(values) or values[number] != values[start]:
            part = SubElement(strip, "span", {"style": f"--n: {number - start}"})
            if axis:
                part.set("title", values[start])
                part.text = values[start]
            else:
                part.set("data-verdict", values[start])
                part.text = GLYPHS.get(values[start], "")
                span = " to ".join(dict.fromkeys((dates[start].date, dates[number - 1].date)))
                part.set("title", f"{values[start] or 'not there'}: {span}")
            start = number
