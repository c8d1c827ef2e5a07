"""A run as the signals by which a test tells LAVA its results: a set per device, a case per test and per violation.

A name has letters, digits, `_`, `-` and `.` alone: LAVA takes a signal apart at spaces, `=` and `>`, and names go into addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from reports.records.baseline import key_of
from reports.records.lines import Line
from reports.records.runs import Run, is_apart, is_known
from reports.render import junit


def signals(run: Run) -> Iterator[str]:
    """The lines to print: they fail what JUnit fails, and skip what it skips; of what the suite got wrong LAVA knows nothing."""
    results = sorted((*run.tests, *run.breaches), key=lambda one: one["device"])
    for device, found in groupby(results, key=lambda one: str(one["device"])):
        cases = [_case(key_of(one), _result(one)) for one in found]
        yield from _as_a_set(device, cases) if device else cases
    yield from (_case(key, "fail") for key, _ in junit.left_over(run))


def name_of(key: str) -> str:
    """How LAVA's results name a test or violation that a baseline names `key`; a device, too."""
    dotted = re.sub(r"\.py::|[/\[]", ".", key.removesuffix("]"))
    return re.sub(r"[^\w.-]", "_", dotted, flags=re.ASCII)


def _as_a_set(device: str, cases: list[str]) -> list[str]:
    name = name_of(device)
    return [f"<LAVA_SIGNAL_TESTSET START {name}>", *cases, "<LAVA_SIGNAL_TESTSET STOP>"]


def _case(key: str, result: str) -> str:
    return f"<LAVA_SIGNAL_TESTCASE TEST_CASE_ID={name_of(key)} RESULT={result}>"


def _result(one: Line) -> str:
    if one["verdict"] == "error":
        return "unknown"
    if one.get("differs"):
        return "fail"
    return "skip" if one["verdict"] == "unsupported" or is_known(one) or is_apart(one) else "pass"
