"""Test by date: what each test of a driver did in run after run, since when it fails, and what changed then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from reports.compare.nights import Night, nights
from reports.records.brief import Brief, brief
from reports.records.verdicts import FAILING, VERDICTS

ABSENT = "-"
CODES = {verdict: verdict[0] for verdict in VERDICTS} | {"flaky": "k"}
"""How a night's verdict is spelled in a strip, one letter a night."""
NAMES = {code: verdict for verdict, code in CODES.items()} | {ABSENT: ""}
BAD, GOOD = frozenset(CODES[one] for one in FAILING), frozenset("pw")
JUDGED = BAD | GOOD | {CODES["flaky"]}
MACHINE = ("driver", "Vulkan", "kernel", "kernel modules", "loader", "layers")
"""Facts that decide what a test does, beside the suite itself."""
LASTING = 4
"""Nights in a row from which an unsteady test counts as broken, or as mended."""


@dataclass
class Story:
    """What one test did: `strip` has a letter for each night (CODES).

    `state` is the last night's: "failing", "passing", "unsupported", "error" or "absent". `turns` are its changes, each with
    the nights before and after and whether it broke; of an unsteady test only what lasts. `rate` is the share of
    nights on which it was flaky, or differed from most others though nothing had changed. `last_good` and `first_bad` are
    the nights around the last time that it broke, None where it always failed or never did.
    """

    name: str
    rules: list[str]
    strip: str
    rate: float
    turns: list[tuple[int, int, bool]]

    @property
    def state(self) -> str:
        last = self.strip[-1]
        named = "failing" if last in BAD else "passing" if last in JUDGED else NAMES[last]
        return named or "absent"

    @property
    def last_good(self) -> int | None:
        return next((was for was, _ in self._breaks), None)

    @property
    def first_bad(self) -> int | None:
        first = next((number for number, letter in enumerate(self.strip) if letter in BAD), None)
        return next((now for _, now in self._breaks), first)

    @property
    def _breaks(self) -> list[tuple[int, int]]:
        """The nights around each time that it broke, the last time first."""
        sides = [(number, letter in BAD) for number, letter in enumerate(self.strip) if letter in BAD | GOOD]
        return [(before, at) for (before, was), (at, now) in pairwise(sides) if now and not was][::-1]


@dataclass
class Group:
    """Tests that changed, or fail, together: all claim `rule`, or are of the function of that name if they claim none."""

    rule: str
    statement: str
    stories: list[Story]


@dataclass
class Event:
    """A night on which tests broke or were mended since `since`, the night before on which they were judged.

    `changed` has each fact that differs between the two, with what it was and what it is.
    """

    at: int
    since: int
    changed: list[tuple[str, str, str]]
    broke: list[Group]
    mended: list[Group]


@dataclass
class Device:
    """All nights of one driver, and the story of each test that ever failed, was flaky or is no longer judged."""

    slug: str
    nights: list[Night]
    stories: list[Story] = field(default_factory=list)
    ledger: dict[str, str] = field(default_factory=dict)

    @cached_property
    def events(self) -> list[Event]:
        """The newest first."""
        found: dict[tuple[int, int], tuple[list[Story], list[Story]]] = {}
        for story in self.stories:
            for since, at, broke in story.turns:
                found.setdefault((at, since), ([], []))[broke].append(story)
        return [
            Event(at, since, self.changed(since, at), self.grouped(broke), self.grouped(mended))
            for (at, since), (mended, broke) in sorted(found.items(), reverse=True)
        ]

    @cached_property
    def failing(self) -> list[Group]:
        """What fails on the last night."""
        return self.grouped([one for one in self.stories if one.state == "failing"])

    @property
    def unsteady(self) -> list[Story]:
        """The tests whose verdict changes while nothing else does, the worst first."""
        return sorted((one for one in self.stories if one.rate), key=lambda one: -one.rate)

    @property
    def lost(self) -> list[Story]:
        """Tests that were judged the night before the last one, and are unsupported, an error or not there now."""
        return [one for one in self.stories if one.strip[-1] not in JUDGED and one.strip[-2:-1] in JUDGED]

    def changed(self, since: int, at: int) -> list[tuple[str, str, str]]:
        """Each fact that differs between two nights, with what it was and what it is; the machine's name if nothing else does."""
        was, now = self.nights[since].facts, self.nights[at].facts
        found = [(fact, was[fact], now[fact]) for fact in now if was[fact] != now[fact]]
        return [one for one in found if one[0] != "machine"] or found

    def grouped(self, stories: Sequence[Story]) -> list[Group]:
        """The fewest rules that the tests claim, those of most tests first, each with its tests."""
        left, groups = list(stories), []
        while left:
            claims = Counter(rule for one in left for rule in _claims(one))
            rule = max(claims, key=lambda name: (claims[name], name.startswith("SPEC-"), name))
            groups.append(Group(rule, self.ledger.get(rule, ""), [one for one in left if rule in _claims(one)]))
            left = [one for one in left if rule not in _claims(one)]
        return groups


def _claims(story: Story) -> list[str]:
    return list(dict.fromkeys(story.rules)) or [story.name.partition("[")[0]]


def history(runs: Sequence[Brief]) -> list[Device]:
    """What each driver did in these runs, drivers before validation layers and tests of no device."""
    layers = {one["slug"] for run in runs for one in run.head.get("validation_layers", [])}
    found = [Device(slug, its) for slug, its in nights(runs).items()]
    for device in found:
        newest = brief(Path(device.nights[-1].folder))
        device.ledger = newest.ledger
        device.stories = list(_stories(device.nights, newest.rules))
    return sorted(found, key=lambda one: (one.slug in layers, not one.slug, one.slug))


def _stories(its: Sequence[Night], rules: dict[str, list[str]]) -> Iterator[Story]:
    strips: dict[str, list[str]] = {}
    for number, night in enumerate(its):
        for name, verdict in night.verdicts.items():
            strips.setdefault(name, [ABSENT] * len(its))[number] = CODES[verdict]
    spans = [*((span, 1) for span in _spans(its, (*MACHINE, "suite"))), *((span, 2) for span in _spans(its, MACHINE))]
    for name, letters in strips.items():
        strip = "".join(letters)
        is_lost = strip[-1] in "u-" and strip[-2:-1] in JUDGED and (strip[-1] == "u" or its[-1].whole)
        if is_lost or set(strip) & (BAD | {"k", "e"}):
            told = next((night.told[name] for night in reversed(its) if name in night.told), {})
            yield _story(name, rules.get(name) or told.get("rules", []), strip, spans)


def _spans(its: Sequence[Night], facts: Sequence[str]) -> Iterator[range]:
    """Nights in a row between which none of these facts changed."""
    values = [[night.facts[fact] for fact in facts] for night in its]
    starts = [number for number in range(len(its)) if number == 0 or values[number] != values[number - 1]]
    yield from (range(start, end) for start, end in pairwise([*starts, len(its)]))


def _story(name: str, rules: list[str], strip: str, spans: Sequence[tuple[range, int]]) -> Story:
    """`spans` are stretches of nights, each with the number of changes from which a test is unsteady that has more."""
    judged = [(number, letter in BAD) for number, letter in enumerate(strip) if letter in BAD | GOOD]
    changes = [number for number in range(1, len(judged)) if judged[number - 1][1] != judged[number][1]]
    lasting = changes[-1:] if changes and _lasts(judged, changes[-1]) else []
    until = judged[lasting[0]][0] if lasting else len(strip)
    odd = {number for number, letter in enumerate(strip) if letter == "k"}
    for span, most in spans:
        before = range(span.start, min(span.stop, until))
        if _changes(strip, before) > most:
            bad, good = ([number for number in before if strip[number] in side] for side in (BAD, GOOD))
            odd.update(bad if len(bad) < len(good) else good)
    turns = [(judged[at - 1][0], *judged[at]) for at in (lasting if odd else changes)]
    count = sum(letter in JUDGED for letter in strip)
    return Story(name, rules, strip, len(odd) / count if count else 0.0, turns)


def _lasts(judged: Sequence[tuple[int, bool]], number: int) -> bool:
    """Whether a test did one thing for some nights, and does another one from this night on."""
    return all(
        len(some) >= LASTING and len({is_bad for _, is_bad in some}) == 1
        for some in (judged[max(0, number - LASTING) : number], judged[number:])
    )


def _changes(strip: str, span: range) -> int:
    """How often a test broke or was mended within some nights."""
    sides = [strip[number] in BAD for number in span if strip[number] in BAD | GOOD]
    return sum(one != other for one, other in pairwise(sides))
