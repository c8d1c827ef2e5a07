"""deqp-runner's lists of known results: fails.txt, flakes.txt and skips.txt, written from a baseline and read into one.

A line of fails.txt is TEST,STATUS, and results.csv and failures.csv are such lists, too; a line of the other two is a regular
expression for the names of tests. `#` begins a comment: as in a baseline, the reason of the lines below it, up to an empty one.

| list | line | entry of a baseline |
|---|---|---|
| fails | `TEST,Fail`, also `Crash`, `Timeout` | `fail`, `crash`, `timeout` |
| fails | `TEST,Missing`; `TEST,Skip` | `error`; `optional`: it may pass or be unsupported, not fail |
| flakes | `REGEX` | `flaky` |
| skips | `REGEX` | `unsupported` of a baseline without claims; `flaky`, which accepts any outcome, of a judged test |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from reports.formats.deqp import key_of_name, name_of
from reports.records import baseline, files
from reports.records.baseline import Baseline, key_of
from reports.records.runs import Run

_STATUS = {"fail": "Fail", "crash": "Crash", "timeout": "Timeout", "error": "Missing", "optional": "Skip"}
_VERDICT = {
    "Fail": "fail", "ExpectedFail": "fail", "Crash": "crash", "Timeout": "timeout", "Missing": "error",
    "Flake": "flaky", "KnownFlake": "flaky", "Skip": "optional", "Warn": "optional", "Pass": "",
}  # fmt: skip
_SPECIAL = r"[\\.+*?()|\[\]{}^$]"
_LITERAL = re.compile(rf"\^((?:(?!{_SPECIAL}).|\\{_SPECIAL})*)\$")
"""A regular expression that matches one name alone, as `_exactly` writes it."""


def write(known: Baseline, folder: Path) -> None:
    """Write a baseline as the three lists into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: dict[str, list[tuple[str, str]]] = {"fails": [], "flakes": [], "skips": []}
    for key, verdict in sorted(known.known.items()):
        reason, name = known.reasons.get(key, ""), name_of(key)
        if verdict in _STATUS:
            lines["fails"].append((reason, f"{name},{_STATUS[verdict]}"))
        else:
            lines["flakes" if verdict == "flaky" else "skips"].append((reason, _exactly(name)))
    for name, entries in lines.items():
        files.write(folder / f"{name}.txt", _text(entries))


def _exactly(name: str) -> str:
    return "^" + re.sub(_SPECIAL, r"\\\g<0>", name) + "$"


def _text(entries: list[tuple[str, str]]) -> str:
    lines, above = list[str](), ""
    for reason, line in entries:
        if reason != above:
            lines += ["", *(f"# {each}" for each in reason.splitlines())]
        above = reason
        lines.append(line)
    return "".join(f"{line}\n" for line in lines).removeprefix("\n")


def read(
    run: Run, fails: Iterable[Path], flakes: Iterable[Path], skips: Iterable[Path], old: Baseline | None = None
) -> Baseline:
    """The baseline that lists make. The run tells the driver, its claims, the names of the tests, and which were judged.

    A test in several lists is a flake rather than a failure, and skipped rather than a flake. A reason that no comment gives
    is that of `old`, the baseline to be replaced, whose head stays. ValueError with the line that does not read.
    """
    made = baseline.from_results(run.head, [*run.tests, *run.breaches], old)
    if old and old.claims is not None:
        made.claims, made.declines, made.late = old.claims, old.declines, old.late
    devices = {one["slug"] for one in [*run.devices, *run.head.get("validation_layers", [])] if made.fits(one)} | {""}
    results = [one for one in (*run.tests, *run.breaches) if one["device"] in devices]
    names = {name_of(key_of(one)) for one in results}
    judged = {key_of(one) for one in results if one["verdict"] != "unsupported"}
    known, told = dict[str, str](), dict[str, str]()
    for key, verdict, reason in _failures(fails):
        known[key], told[key] = verdict, reason
    for key, reason in _matches(flakes, names):
        known[key], told[key] = "flaky", reason
    for key, reason in _matches(skips, names):
        if key in judged:
            known[key], told[key] = "flaky", reason
    before = {**made.reasons, **(old.reasons if old else {})}
    made.known, made.reasons = known, {key: told.get(key) or before.get(key, "") for key in known}
    return made


def _failures(lists: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    for where, line, reason in _lines(lists):
        name, _, rest = line.partition(",")
        status = rest.partition(",")[0].removeprefix("UnexpectedImprovement(").removesuffix(")")
        if status not in _VERDICT:
            raise ValueError(f"{where}: a line is TEST,STATUS, with a status such as {', '.join(_STATUS.values())}")
        if _VERDICT[status]:
            yield key_of_name(name), _VERDICT[status], reason


def _matches(lists: Iterable[Path], names: set[str]) -> Iterator[tuple[str, str]]:
    for where, line, reason in _lines(lists):
        if one := _LITERAL.fullmatch(line):
            yield key_of_name(re.sub(r"\\(.)", r"\1", one[1])), reason
            continue
        try:
            wanted = re.compile(line)
        except re.error as problem:
            raise ValueError(f"{where}: {line!r} is no regular expression: {problem}") from None
        yield from ((key_of_name(name), reason) for name in sorted(names) if wanted.search(name))


def _lines(lists: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    """(FILE:NUMBER, line, reason) of each line that is neither empty nor a comment."""
    for file in lists:
        comments = list[str]()
        for number, raw in enumerate(file.read_text().splitlines(), 1):
            line = raw.strip()
            if line.startswith("#"):
                comments.append(line[1:].strip())
            elif line:
                yield f"{file}:{number}", line, "\n".join(comments)
            else:
                comments.clear()
