"""Work with finished runs: `python -m reports baseline RUN` writes what is known of a driver."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from reports import baseline


def load(run: Path) -> list[dict[str, Any]]:
    """The lines of a run: a folder with results.jsonl, or such a file."""
    file = run / "results.jsonl" if run.is_dir() else run
    return [json.loads(line) for line in file.read_text().splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    writing = commands.add_parser("baseline", help="write a baseline from a run; reasons of an existing OUT are kept")
    writing.add_argument("run", type=Path, metavar="RUN")
    writing.add_argument("-o", dest="out", type=Path, metavar="OUT", help="file to write (default: standard output)")
    writing.add_argument("--reason", action="append", default=[], metavar="TEXT=REASON", help=_REASON_HELP)
    options = parser.parse_args()
    lines = load(options.run)
    if lines[-1]["type"] != "end":
        sys.exit(f"{options.run}: the run died before its end; a baseline needs a whole one")
    old = baseline.read(options.out) if options.out and options.out.exists() else None
    made = baseline.from_results(lines[0], lines[1:], old)
    for given in options.reason:
        text, _, reason = given.partition("=")
        made.reasons.update({key: reason for key in made.known if text in f"{made.known[key]} {key}"})
    text = baseline.write(made)
    if options.out:
        options.out.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


_REASON_HELP = "the reason for all entries whose line contains TEXT (repeatable)"

if __name__ == "__main__":
    sys.exit(main())
