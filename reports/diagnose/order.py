"""Finds the fewest tests after which a test fails that passes alone.

Runs the test again and again, each time in a fresh worker, after fewer and fewer of the tests that its process had run before,
until none of them can be left out.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from reports.records.lines import Line
from reports.records.runs import Run, load, on_driver
from reports.records.verdicts import FAILING

ROOT = Path(__file__).parents[2]


def before(run: Run, test: Line) -> list[str]:
    """The nodeids of the tests that did something before `test` in its process; ValueError if it had a process of its own.

    A test that could not judge the driver may have called it all the same.
    """
    if not test.get("process"):
        raise ValueError(f"{test['nodeid']} had a process of its own: it cannot depend on other tests")
    mine = [one for one in run.tests if one.get("process") == test["process"]]
    return [one["nodeid"] for one in mine[: mine.index(test)] if one["verdict"] != "unsupported" or _did_something(one)]


def _did_something(test: Line) -> bool:
    return any(call.get("command") != "teardown" for call in test["calls"])  # which every test has


def shortest(tests: Sequence[str], fails: Callable[[Sequence[str]], bool]) -> list[str]:
    """The fewest of `tests`, in their order, after which the test `fails`: no single one can be left out.

    Delta debugging (Zeller and Hildebrandt, 2002): tries ever smaller parts, and the list without each of them.
    """
    kept, parts = list(tests), 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        cuts = [(start, start + size) for start in range(0, len(kept), size)]
        alone = [kept[start:end] for start, end in cuts]
        without = [kept[:start] + kept[end:] for start, end in cuts] if parts > 2 else []
        smaller = next((some for some in [*alone, *without] if fails(some)), None)
        if smaller is not None:
            parts = 2 if smaller in alone else max(2, parts - 1)
            kept = smaller
        elif parts >= len(kept):
            break
        else:
            parts = min(len(kept), 2 * parts)
    return kept


def fails_after(run: Run, test: str, tests: Sequence[str]) -> bool:
    """Whether `test` fails at its first attempt in one worker after `tests`; its repetitions alone do not count."""
    with tempfile.TemporaryDirectory(prefix="order-") as folder:
        (Path(folder) / "tests").write_text("\n".join([*tests, test]))
        line = [*command(run), f"--report={folder}", f"@{folder}/tests"]
        subprocess.run(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False)
        found = [one for one in load(Path(folder)).tests if one["nodeid"] == test]
    if not found:
        raise ValueError(f"{test} was not run by {shlex.join(line)}")
    outcomes = [one["outcome"] for one in found[0].get("outcomes", [])]
    return outcomes[0] == "failed" if outcomes else found[0]["verdict"] in FAILING


def command(run: Run) -> list[str]:
    """The command that runs tests in one worker, on the driver that was judged."""
    return on_driver(run.head.get("choice", []), [sys.executable, "-m", "pytest", "-n1"])


def tell(run: Run, test: Line, say: Callable[[str], None]) -> int:
    """Find the fewest tests and report each step; 0 if some were found, 1 if `test` does not depend on others."""
    nodeid, earlier = test["nodeid"], before(run, test)

    def fails(tests: Sequence[str]) -> bool:
        answer = fails_after(run, nodeid, tests)
        say(f"after {len(tests)} test{'s' * (len(tests) != 1)}: {'fails' if answer else 'passes'}")
        return answer

    if fails([]):
        say("it fails alone: it depends on no other test")
        return 1
    if not fails(earlier):
        say("it passes after all tests that its process had run before: the failure does not show again")
        return 1
    culprits = shortest(earlier, fails)
    say("it fails after:\n" + "\n".join(f"    {one}" for one in culprits))
    again = on_driver(run.head.get("choice", []), [".venv/bin/pytest", "-n1"], *culprits, nodeid)
    say(f"repeat: {shlex.join(again)}")
    return 0
