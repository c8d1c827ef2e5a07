"""Work with finished runs. `python -m reports COMMAND --help` describes a command.

RUN is a folder with a results.jsonl, such as reports/latest. Exit status: 0; 1 on a regression (`compare`), on parts that are
missing (`merge`), on a failure that cannot be repeated (`reproduce`) or needs no other test (`order`); 2 on an error, with
one sentence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reports.compare import database
from reports.compare import history_texts as texts
from reports.compare.changes import compare, is_regression
from reports.compare.history import history
from reports.compare.merge import merge
from reports.compare.nights import find_runs, read_all
from reports.compare.texts import as_html, as_json, as_text
from reports.diagnose import explain, order, words
from reports.diagnose.symptoms import library
from reports.formats import deqp, lava, lists
from reports.records import baseline
from reports.records.brief import brief
from reports.records.files import write
from reports.records.lines import record_of
from reports.records.runs import Run, load
from reports.records.verdicts import FAILING
from reports.render import artifacts, junit
from reports.reproduce import reproducer
from reports.reproduce.checks import Unable

ERROR = 2
"""Exit status of a command that could not do its work; argparse's, too."""
TOLD = 2.0
"""Calls that take so many times as long are told."""


def main() -> int:
    options = make_parser().parse_args()
    try:
        return options.act(options) or 0
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return ERROR


def make_parser() -> argparse.ArgumentParser:
    """The commands with their arguments; `act` of the parsed options is the function that does the work."""
    parser = argparse.ArgumentParser(
        prog="python -m reports", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: Callable[[argparse.Namespace], Any], about: str) -> Callable[..., argparse.Action]:
        made = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        made.set_defaults(act=act)
        return made.add_argument

    add = command("compare", compare_runs, "show what changed between two runs; exit status 1 on a regression")
    add("old", type=Path, metavar="OLD", help="the earlier run")
    add("new", type=Path, metavar="NEW", help="the later run")
    add("--html", dest="form", action="store_const", const=as_html, default=as_text, help="write a page")
    add("--json", dest="form", action="store_const", const=as_json, help="write JSON, for programs")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)
    add("--slower", type=factor, metavar="FACTOR", help=_SLOWER)

    add = command("history", show_history, "show test by date: what broke and was mended when, and what changed then")
    add("places", type=Path, nargs="+", metavar="RUN", help="a run, or a folder with runs anywhere below it")
    add("--html", dest="form", action="store_const", const=texts.as_html, default=texts.as_text, help="write a page")
    add("--json", dest="form", action="store_const", const=texts.as_json, help="write JSON, for programs")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)
    add("--sqlite", type=Path, metavar="FILE", help="write all runs, tests and verdicts as a database, too")

    add = command(
        "merge",
        merge_runs,
        _MERGE,
    )
    add("runs", type=Path, nargs="+", metavar="RUN")
    add("-o", dest="out", type=Path, metavar="DIR", required=True, help="the folder to write")

    add = command("page", lambda options: artifacts.write(options.run), "rewrite index.html, junit.xml and summary.md")
    add("run", type=Path, metavar="RUN", help="the folder of a run, also of one that died")

    add = command("baseline", write_baseline, "write a baseline from a run; an existing FILE keeps its reasons")
    add("run", type=Path, metavar="RUN")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)
    add("--reason", action="append", default=[], metavar="TEXT=REASON", help=_REASON)
    add("--fails", type=Path, action="append", default=[], metavar="LIST", help=_LISTS)
    add("--flakes", type=Path, action="append", default=[], metavar="LIST", help=_LISTS)
    add("--skips", type=Path, action="append", default=[], metavar="LIST", help=_LISTS)

    add = command("lists", write_lists, "write a baseline as deqp-runner's lists: fails.txt, flakes.txt, skips.txt")
    add("baseline", type=Path, metavar="BASELINE")
    add("-o", dest="out", type=Path, metavar="FOLDER", required=True, help="the folder to write")

    add = command("deqp", lambda options: deqp.write(load(options.run), options.out), _DEQP)
    add("run", type=Path, metavar="RUN")
    add("-o", dest="out", type=Path, metavar="FOLDER", required=True, help="the folder to write")

    add = command("lava", lambda options: print(*lava.signals(load(options.run)), sep="\n"), _LAVA)
    add("run", type=Path, metavar="RUN")

    add = command("xunit", write_xunit, "write the junit.xml of a run as the xUnit plugin of Jenkins takes it")
    add("run", type=Path, metavar="RUN", help="the folder of a run")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)

    add = command("reproduce", reproduce, "write a failure as a C program that needs libvulkan alone")
    add("run", type=Path, metavar="RUN")
    add("test", metavar="TEST", help="a part of the id of one failed test, or 'breach RULE COMMAND' for a violation")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)

    add = command("diagnose", diagnose, "tell which few known faults together explain what failed")
    add("run", type=Path, metavar="RUN")
    add("--known", action="store_true", help="explain what a baseline expects, too")
    add("--json", action="store_true", help="write JSON, for programs")

    add = command("order", find_order, "find the fewest tests after which a test fails that passes alone")
    add("run", type=Path, metavar="RUN")
    add("test", metavar="TEST", help="a part of the id of one test")
    return parser


_MERGE = (
    "merge runs into one: each device on each machine gets a column, shards share one; exit status 1 if one is missing"
)
_DEQP = "write results as deqp-runner does: results.csv, failures.csv, and a folder for each further device"
_LAVA = "print the signals that tell LAVA the results"
_LISTS = (
    "a list of deqp-runner's (repeatable): entries come from lists then; RUN tells the tests and what is unsupported"
)
_OUT = "the file to write (default: standard output)"
_SLOWER = "calls that take FACTOR times as long are a regression (default: told from 2 on, no regression; 0: not told)"
_REASON = "the reason of all entries whose line contains TEXT (repeatable)"


def compare_runs(options: argparse.Namespace) -> int:
    old, new = ended(options.old), ended(options.new)
    changes = compare(old, new, TOLD if options.slower is None else options.slower)
    counts = options.slower is not None
    put(options.form(old, new, changes, counts), options.out)
    return int(is_regression(changes, counts))


def show_history(options: argparse.Namespace) -> None:
    folders = find_runs(options.places)
    if absent := next((place for place in options.places if not place.exists()), None):
        raise ValueError(f"{absent}: there is no such file or folder")
    runs, problems = read_all(folders)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not runs:
        raise ValueError(f"{' '.join(map(str, options.places))}: no run that can be read")
    devices = history(runs)
    put(options.form(devices), options.out)
    if options.sqlite:
        database.write(devices, options.sqlite)


def merge_runs(options: argparse.Namespace) -> int:
    out = options.out.resolve()
    if out in [(one if one.is_dir() else one.parent).resolve() for one in options.runs]:
        raise ValueError(f"-o {options.out} is one of the runs to merge: name another folder")
    if record_of(out) and not brief(out).head.get("merged"):
        raise ValueError(f"-o {options.out} has a run, which would be lost: name another folder")
    absent = merge(options.runs, options.out)
    print(options.out / "index.html")
    for sentence in absent:
        print(sentence, file=sys.stderr)
    return int(bool(absent))


def write_baseline(options: argparse.Namespace) -> None:
    run = ended(options.run)
    old = baseline.read(options.out) if options.out and options.out.exists() else None
    given = (options.fails, options.flakes, options.skips)
    try:
        if any(given):
            made = lists.read(run, *given, old)
        else:
            made = baseline.from_results(run.head, [*run.tests, *run.breaches], old, run.is_whole)
    except ValueError as problem:
        raise ValueError(f"{options.out or options.run}: {problem}") from None
    for line in options.reason:
        text, _, reason = line.partition("=")
        meant = [key for key in made.known if text in f"{made.known[key]} {key}"]
        if not meant:
            raise ValueError(f"--reason {line}: no entry has {text!r} in its line")
        made.reasons |= dict.fromkeys(meant, reason)
    put(baseline.write(made), options.out)
    if not run.is_whole and not any(given):
        rest = "the other entries stay" if old else "the baseline lacks the other tests"
        print(f"{options.run} judged a part of the suite: {rest}", file=sys.stderr)


def write_lists(options: argparse.Namespace) -> None:
    lists.write(baseline.read(options.baseline), options.out)


def write_xunit(options: argparse.Namespace) -> None:
    file = options.run / "junit.xml"
    if not file.exists():
        artifacts.write(options.run)
    put(junit.strict(file.read_bytes()), options.out)


def diagnose(options: argparse.Namespace) -> None:
    run = load(options.run)
    results = [
        one | {"expected": "" if options.known else one.get("expected", "")} for one in (*run.tests, *run.breaches)
    ]
    found = explain.of_run([one["slug"] for one in run.devices], results, library())
    put(json.dumps(words.as_data(found), indent=1) + "\n" if options.json else words.as_text(found), None)


def find_order(options: argparse.Namespace) -> int:
    run = load(options.run)
    return order.tell(run, run.find(options.test), lambda line: print(line, flush=True))


def reproduce(options: argparse.Namespace) -> int:
    run = load(options.run)
    breach = next((one for one in run.breaches if baseline.key_of(one) == options.test), None)
    try:
        if breach:
            text = reproducer.write_breach(run.head, breach, run.tests)
        else:
            text = reproducer.write(run.head, run.find(options.test, FAILING))
    except Unable as reason:
        print(f"no reproducer: {reason}", file=sys.stderr)
        return 1
    put(text, options.out)
    return 0


def factor(text: str) -> float:
    """A factor of a command line: 0, or 1 and more."""
    number = float(text)
    if number and not 1 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no factor: give 0, or 1 and more")
    return number


def put(text: str, file: Path | None) -> None:
    """Write to a file, or to the standard output."""
    if file:
        write(file, text)
    else:
        sys.stdout.write(text)


def ended(path: Path) -> Run:
    """A run that came to its end; ValueError for one that died."""
    run = load(path)
    if not run.end:
        raise ValueError(f"{path}: the run died before its end; continue it with `.venv/bin/pytest --resume={path}`")
    return run


if __name__ == "__main__":
    sys.exit(main())
