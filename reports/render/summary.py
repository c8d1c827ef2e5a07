"""A run in Markdown, for the page of a job, such as GitHub's step summary."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from reports.records.baseline import key_of, title_of
from reports.records.lines import Line
from reports.records.runs import Run, is_apart, is_known, rank
from reports.records.verdicts import VERDICTS, alike

SHOWN = 50
"""Rows per table: a step summary holds one mebibyte."""


def render(run: Run, counts: Mapping[str, Mapping[str, int]], diagnoses: Sequence[str] = ()) -> str:
    """The text of summary.md; `counts` says how many tests of each device got each verdict, `run` has those to look at.

    `diagnoses` are sentences that tell what explains the failures.
    """
    lines = ["# External semaphores", "", f"Exit status {run.status}.", "", *_counts(run, counts)]
    lines += ["", *(f"* {_text(one)}" for one in diagnoses)] if diagnoses else []
    ranked = sorted(run.tests, key=rank)
    breaches = [{"id": key_of(breach), "rules": [breach["rule"]], **breach} for breach in run.breaches]
    wrong = [one for one in (*ranked, *breaches) if one.get("differs") or one["verdict"] == "error"]
    seen = {one["id"] for one in wrong}
    lines += _table("Fails the run", run, wrong)
    lines += [f"* {_text(key)}: {_text(what)}" for key, what in run.end.get("surprises", []) if key not in seen]
    lines += [f"* {_text(one)}" for one in run.end.get("missing", [])]
    lines += [f"* after the last test: {_text(one)}" for one in run.end.get("farewells", [])]
    lines += _table("Known to fail", run, [one for one in (*ranked, *breaches) if is_known(one)])
    lines += _table(
        "Failures of validation layers, which do not fail the run",
        run,
        [one for one in (*ranked, *breaches) if is_apart(one)],
    )
    for verdict in ("flaky", "warn"):
        lines += _table(verdict.capitalize(), run, [one for one in ranked if one["verdict"] == verdict])
    return "\n".join(lines) + "\n"


def _counts(run: Run, counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    used = [verdict for verdict in VERDICTS if any(counted.get(verdict) for counted in counts.values())]
    lines = [f"| device | {' | '.join(used)} |", f"|---|{'--:|' * len(used)}"]
    for slug in dict.fromkeys([*(device["slug"] for device in run.devices), *counts]):
        counted = counts.get(slug, {})
        lines.append(f"| {_text(run.describe(slug))} | {' | '.join(str(counted.get(one, 0)) for one in used)} |")
    return lines


def _table(title: str, run: Run, ones: Sequence[Line]) -> list[str]:
    if not ones:
        return []
    lines = [
        "",
        f"## {title}: {len(ones)}",
        "",
        "| verdict | rule | test or violation | device | what was seen |",
        "|---|---|---|---|---|",
    ]
    groups = alike(ones, _cause)
    for first, *rest in groups[:SHOWN]:
        name = title_of(first["id"]) + (f" and {len(rest)} more" if rest else "")
        seen = first.get("reason") or first["message"]
        cells = (first["verdict"], " ".join(first["rules"]), name, first["device"], seen)
        lines.append("| " + " | ".join(map(_text, cells)) + " |")
    if len(groups) > SHOWN:
        lines += ["", f"and {len(groups) - SHOWN} rows more: the page and results.jsonl have them."]
    first = ones[0]
    return [*lines, "", f"Repeat the first: {_code(run.repeat(first))}"]


def _cause(one: Line) -> tuple[object, ...]:
    """What results have in common that are one row: verdict, rules, device, and the known reason, else the test function."""
    cause = one.get("reason") or one["id"].partition("[")[0]
    return one["verdict"], " ".join(one["rules"]), one["device"], cause


def _text(value: object) -> str:
    """Any text, escaped: it makes no Markdown, no HTML and no mention of a user."""
    flat = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~:@-])", r"\\\1", html.escape(flat, quote=False))


def _code(value: str) -> str:
    fence = "`" * (1 + max(map(len, re.findall("`+", value)), default=0))
    return f"{fence} {value} {fence}"
