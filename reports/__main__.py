"""Work with finished runs: `python -m reports COMMAND --help` tells what each command does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

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
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    writing = commands.add_parser("baseline", help="write a baseline from a run; reasons of an existing OUT are kept")
    writing.add_argument("run", type=Path, metavar="RUN")
    writing.add_argument("-o", dest="out", type=Path, metavar="OUT", help="file to write (default: standard output)")
    writing.add_argument("--reason", action="append", default=[], metavar="TEXT=REASON", help=_REASON_HELP)
    writing.set_defaults(act=write_baseline)
    page = commands.add_parser("page", help="write index.html, junit.xml and summary.md of a run anew")
    page.add_argument("run", type=Path, metavar="RUN", help="a folder with results.jsonl")
    page.set_defaults(act=lambda options: artifacts.write(options.run))
    reproducing = commands.add_parser("reproduce", help="write a failure as a C program that needs only libvulkan")
    reproducing.add_argument("run", type=Path, metavar="RUN")
    reproducing.add_argument(
        "test", metavar="TEST", help="a part of the id that only this failure has; or breach RULE COMMAND"
    )
    reproducing.add_argument(
        "-o", dest="out", type=Path, metavar="FILE", help="file to write (default: standard output)"
    )
    reproducing.set_defaults(act=reproduce)
    comparing = commands.add_parser("compare", help="what changed between two runs; exit status 1 on a regression")
    comparing.add_argument("old", type=Path, metavar="OLD")
    comparing.add_argument("new", type=Path, metavar="NEW")
    comparing.add_argument(
        "--html", dest="form", action="store_const", const=as_html, default=as_text, help="as a page"
    )
    comparing.add_argument("--json", dest="form", action="store_const", const=as_json, help="for programs")
    comparing.add_argument("-o", dest="out", type=Path, metavar="OUT", help="file to write (default: standard output)")
    comparing.add_argument("--slower", type=float, default=2.0, metavar="FACTOR", help=_SLOWER_HELP)
    comparing.set_defaults(act=compare_runs)
    merging = commands.add_parser("merge", help="one run of several: devices, machines and shards, a column each")
    merging.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    merging.add_argument("-o", dest="out", type=Path, metavar="DIR", required=True, help="folder to write")
    merging.set_defaults(act=merge_runs)
    ordering = commands.add_parser("order", help="find the fewest tests after which a test fails that passes alone")
    ordering.add_argument("run", type=Path, metavar="RUN")
    ordering.add_argument("test", metavar="TEST", help="the test's id, or a part of it that no other has")
    ordering.set_defaults(act=find_order)
    options = parser.parse_args()
    try:
        return options.act(options) or 0
    except (OSError, ValueError) as problem:
        sys.exit(str(problem))


_SLOWER_HELP = "how many times longer a median is a regression (default 2; 0: times are left alone)"
_REASON_HELP = "the reason for all entries whose line contains TEXT (repeatable)"


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
        raise ValueError(f"{path}: the run died before its end")
    return run


if __name__ == "__main__":
    sys.exit(main())
