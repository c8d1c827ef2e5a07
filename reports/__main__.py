"""Work with finished runs. `python -m reports COMMAND --help` describes a command.

RUN is a folder with a results.jsonl, such as reports/latest. Exit status: 0, or 1 on a regression (`compare`), on a test that
does not depend on others (`order`), and on an error, with one sentence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reports.compare.changes import compare, is_regression
from reports.compare.merge import merge
from reports.compare.texts import as_html, as_json, as_text
from reports.diagnose import order
from reports.records import baseline
from reports.records.runs import Run, load, save
from reports.records.verdicts import FAILING
from reports.render import artifacts
from reports.reproduce import reproducer
from reports.reproduce.checks import Unable


def main() -> int:
    options = make_parser().parse_args()
    try:
        return options.act(options) or 0
    except (OSError, ValueError) as problem:
        sys.exit(str(problem))


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
    add("--slower", type=float, default=2.0, metavar="FACTOR", help=_SLOWER)

    add = command(
        "merge", merge_runs, "merge runs into one: each device on each machine gets a column, shards share one"
    )
    add("runs", type=Path, nargs="+", metavar="RUN")
    add("-o", dest="out", type=Path, metavar="DIR", required=True, help="the folder to write")

    add = command("page", lambda options: artifacts.write(options.run), "rewrite index.html, junit.xml and summary.md")
    add("run", type=Path, metavar="RUN", help="the folder of a run, also of one that died")

    add = command("baseline", write_baseline, "write a baseline from a run; an existing FILE keeps its reasons")
    add("run", type=Path, metavar="RUN")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)
    add("--reason", action="append", default=[], metavar="TEXT=REASON", help=_REASON)

    add = command("reproduce", reproduce, "write a failure as a C program that needs libvulkan alone")
    add("run", type=Path, metavar="RUN")
    add("test", metavar="TEST", help="a part of the id of one failed test, or 'breach RULE COMMAND' for a violation")
    add("-o", dest="out", type=Path, metavar="FILE", help=_OUT)

    add = command("order", find_order, "find the fewest tests after which a test fails that passes alone")
    add("run", type=Path, metavar="RUN")
    add("test", metavar="TEST", help="a part of the id of one test")
    return parser


_OUT = "the file to write (default: standard output)"
_SLOWER = "a median that grew by this factor is a regression (default 2; 0: ignore call times)"
_REASON = "the reason of all entries whose line contains TEXT (repeatable)"


def compare_runs(options: argparse.Namespace) -> int:
    old, new = whole(options.old), whole(options.new)
    changes = compare(old, new, options.slower)
    put(options.form(old, new, changes), options.out)
    return int(is_regression(changes))


def merge_runs(options: argparse.Namespace) -> None:
    save(merge([load(one) for one in options.runs]), options.out)
    artifacts.write(options.out)
    print(options.out / "index.html")


def write_baseline(options: argparse.Namespace) -> None:
    run = whole(options.run)
    old = baseline.read(options.out) if options.out and options.out.exists() else None
    made = baseline.from_results(run.head, [*run.tests, *run.breaches], old)
    for given in options.reason:
        text, _, reason = given.partition("=")
        made.reasons.update({key: reason for key in made.known if text in f"{made.known[key]} {key}"})
    put(baseline.write(made), options.out)


def find_order(options: argparse.Namespace) -> int:
    run = load(options.run)
    return order.tell(run, run.find(options.test), lambda line: print(line, flush=True))


def reproduce(options: argparse.Namespace) -> None:
    run = load(options.run)
    breach = next((one for one in run.breaches if baseline.key_of(one) == options.test), None)
    try:
        if breach:
            put(reproducer.write_breach(run.head, breach, run.tests), options.out)
        else:
            put(reproducer.write(run.head, run.find(options.test, FAILING)), options.out)
    except Unable as reason:
        raise ValueError(f"no reproducer: {reason}") from None


def put(text: str, file: Path | None) -> None:
    """Write to a file, or to the standard output."""
    if file:
        file.write_text(text)
    else:
        sys.stdout.write(text)


def whole(path: Path) -> Run:
    """A run that came to its end; ValueError for one that died."""
    run = load(path)
    if not run.end:
        raise ValueError(f"{path}: the run died before its end; continue it with `.venv/bin/pytest --resume={path}`")
    return run


if __name__ == "__main__":
    sys.exit(main())
