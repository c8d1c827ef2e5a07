"""The matrix: each fault against the tests that claim its rules.  As a page: `.venv/bin/python -m suites.selftest.matrix`.

`.venv/bin/python -m suites.selftest.matrix --all FAULT...` runs the tests of all rules over the reference driver with each fault
(default: every one) and tells which fail that have nothing to do with what it breaks.
"""

import fcntl
import html
import os
import re
import subprocess
import sys
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fixtures.faults.library import all_faults
from fixtures.testbed.drivers import ROOT
from reports.records import baseline
from suites.ledger import rules
from suites.selftest.resting import explains
from suites.selftest.runs import CORES, SECONDS, SWIFT, read, run, scratch
from suites.selftest.warm import Warm, function, is_news

PATIENCE = {"ideal": 0.3, "swiftshader": 0.4, "lavapipe": 0.4, "venus": 2}
"""How long tests wait over each driver: much of the matrix is waits that never end."""

LEFT_OUT = (
    "valid_usage",
    "model",
    "robustness/test_leaks.py",
    "neighbours/test_cuda.py",
    "neighbours/test_foreign_fences.py",
)
"""Tests that `--all` leaves out: they judge layers, or walk and repeat for long what other tests show in one step."""

EVERY = bool(os.environ.get("EVERY_CASE"))
"""Whether all tests of a fault's rules run, also when each rule is noticed."""

WALKS = "--deselect=suites/model/test_walks.py"
"""Left out of every run: what random steps may meet is no proof that a rule has a test."""

LONG = (
    "long-host-waits-abort",
    "queues-give-up-after-3-seconds",
    "waits-for-sync-files-give-up-after-10-seconds",
    "host-waits-give-up-after-10-seconds",
    "waits-for-idle-give-up-after-10-seconds",
    "waits-for-imported-fences-end-after-3-seconds",
)
"""Faults that only tests with `--long` notice."""

MISUSED = ("SPEC-RESULT-06", "SPEC-RESULT-07", "SPEC-RESULT-08")
"""Violations that `--all` leaves out: the reference driver answers so where a fault makes valid use look like misuse."""

ONCE = ("-n0", "-p", "suites.selftest.samples.once", "-p", "suites.selftest.samples.unshrunk")
ALL = (*ONCE, "-p", "suites.selftest.samples.few", *[f"--deselect=suites/{left_out}" for left_out in LEFT_OUT])
ALREADY, NOT_CLAIMED = "SwiftShader breaks the rule without it", "SwiftShader does not claim what shows it"
NO_DESCRIPTORS, ACCEPTED = "lavapipe claims SYNC_FD alone and exports -1", "lavapipe accepts every open descriptor"
HANGS = "lavapipe hangs in waits without a signal, for longer than a run may take"
NOT_ON_LAVAPIPE = {
    **dict.fromkeys(
        [
            "imported-payloads-do-not-export",
            "what-is-exportable-does-not-export",
            "exports-are-closed-with-their-semaphore",
            "imports-close-copies-too",
            "exports-without-close-on-exec",
            "every-tenth-export-without-close-on-exec",
            "an-export-without-room-succeeds",
            "exports-never-work-again-without-room",
            "exports-give-closed-numbers",
            "an-export-repeated-gives-the-same-descriptor",
            "imports-leave-the-descriptor-open",
            "every-hundredth-import-leaks-a-descriptor",
            "every-fourth-export-leaks-a-descriptor",
            "exports-are-closed-by-the-next-submission",
            "opaque-descriptors-stay-in-their-device",
            "only-exportable-semaphores-import",
            "opaque-descriptors-do-not-import-temporarily",
            "descriptors-stay-in-their-process",
            "copies-of-descriptors-are-refused",
            "a-payload-imports-once",
            "opaque-descriptors-die-with-their-semaphore",
            "payloads-export-as-their-importer-allows",
            "temporary-imports-are-permanent",
            "permanent-imports-are-temporary",
            "concurrent-exports-give-one-descriptor",
            "number-0-is-no-descriptor",
            "numbers-end-at-1024",
            "destroying-an-instance-closes-descriptors",
        ],
        NO_DESCRIPTORS,
    ),
    "failed-imports-close-the-descriptor": ACCEPTED,
    "every-third-failed-import-closes-the-descriptor": ACCEPTED,
    "refused-imports-leave-a-copy": ACCEPTED,
    "a-stranger-kills-the-process": ACCEPTED,
    "a-stranger-ends-all-later-imports": ACCEPTED,
    "strangers-are-out-of-memory": "lavapipe breaks the rule without it",
    "counters-go-back-now-and-then": "none of its tests asks three times there",
    "unlisted-result-of-vkImportSemaphoreFdKHR": "its tests import once there",
    "minus-one-imports-nothing": HANGS,
    "only-the-first-signal-of-a-batch-happens": HANGS,
    "unlisted-result-of-vkQueueSubmit": HANGS,
    "unlisted-result-of-vkQueueSubmit2": HANGS,
    "unlisted-result-of-vkQueueBindSparse": HANGS,
}
"""Faults that the matrix does not make on lavapipe, and why."""

NOT_ON_SWIFTSHADER = {
    "refused-imports-leave-a-copy": "SwiftShader has closed the descriptor by then",
    "an-export-without-room-succeeds": ALREADY,
    "failed-imports-close-the-descriptor": ALREADY,
    "every-third-failed-import-closes-the-descriptor": ALREADY,
    "strangers-are-out-of-memory": ALREADY,
    "strangers-fail-the-initialization": ALREADY,
    "counters-go-back-now-and-then": "none of its tests asks three times there",
    "odd-handle-types-kill-the-process": NOT_CLAIMED,
    "payloads-export-as-their-importer-allows": NOT_CLAIMED,
    "unlisted-result-of-vkQueueBindSparse": NOT_CLAIMED,
}
"""Faults that the matrix does not make on SwiftShader, and why."""

PAIRS = [
    (name, driver)
    for name, fault in all_faults().items()
    for driver in fault.drivers
    if name not in {"swiftshader": NOT_ON_SWIFTSHADER, "lavapipe": NOT_ON_LAVAPIPE}.get(driver, {})
]
HERE = [pair for pair in PAIRS if pair[1] not in ("lavapipe", "venus")]
"""What needs no Debian root or guest of its own (fixtures/lavapipe.sh, fixtures/vm.sh)."""

CHOICES = {
    "ideal": ("--reference",),
    "swiftshader": SWIFT,
    "lavapipe": [f"--driver={one}" for one in Path("/usr/share/vulkan/icd.d").glob("lvp_icd*.json")],
    "venus": [f"--driver={one}" for one in Path("/usr/share/vulkan/icd.d").glob("virtio_icd*.json")],
}
"""Driver to the arguments that choose it."""


@dataclass(frozen=True)
class Outcome:
    """What the tests that claim a fault's rules said: by rule the test functions that noticed, and the suite's own errors."""

    noticed: dict[str, list[str]]
    errors: list[str]


@cache
def known(driver):
    """Verdicts that the driver has without any fault, by test id and violation."""
    return {} if driver == "ideal" else baseline.read(ROOT / f"reports/baselines/{driver}.txt").known


def judge(name, driver, in_full=EVERY):
    """Run the tests that claim the rules of a fault, over a driver with that fault."""
    fault = all_faults()[name]
    lines = tests_of(name, driver, in_full)
    noticed, errors = {one: [] for one in fault.rules}, []
    for line in lines:
        if line["type"] == "test" and line["verdict"] == "error":
            errors.append(f"{line['id']}: {line['message']}")
        for one in [line["rule"]] if line["type"] == "breach" else line.get("rules", []):
            if one in noticed and is_news(baseline.key_of(line), line["verdict"], known(driver)):
                noticed[one] += [function(line["id"])] if line["type"] == "test" else ["a breach"]
    return Outcome({one: sorted(set(found)) for one, found in noticed.items()}, errors)


def tests_of(name, driver, in_full):
    """The record of tests that claim the rules of a fault, over a driver with that fault; each pair runs once a session.

    They run until each rule is noticed, and then those that have yet to notice a fault; all of them `in_full`.
    """
    fault, folder = all_faults()[name], scratch(f"{driver}-{name}{'-in-full' * in_full}")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            warm(driver, threading.get_ident(), name in LONG).judge(
                folder,
                fault=name,
                rules=fault.rules,
                alone=driver == "ideal" and not any("COMPAT" in one for one in fault.rules),
                factor=PATIENCE[driver],
                known=known(driver),
                noticed=None if in_full else scratch("noticed") / ("here" if (name, driver) in HERE else driver),
            )
            (folder / "done").touch()
    return read(folder)


@cache
def warm(driver, thread, is_long=False):
    """What judges the faults of a driver, one for each thread that asks."""
    return Warm(*ONCE, *CHOICES[driver], WALKS, *["--long"] * is_long)


def astray(name):
    """Tests that fail under a fault and neither claim nor name in their message a rule that it breaks, with the message."""
    fault = all_faults()[name]
    try:
        lines = run(*ALL, "--patience=0.2", f"--fault={name}", driver=("--reference", "--device=ideal-0")).lines
    except subprocess.TimeoutExpired:
        return {"no test": f"the run did not end in {SECONDS} s: it was not looked at"}
    failed = [
        one for one in lines if one.get("verdict") in ("fail", "crash", "timeout") and one.get("rule") not in MISUSED
    ]
    found = {}
    for line in failed:
        told = [line["rule"], line["message"]] if line["type"] == "breach" else [*line["rules"], line["message"]]
        if not explains({*fault.rules, *fault.also}, re.findall(r"[\w-]+", " ".join(told))):
            found.setdefault(function(line.get("id", "a breach")), " ".join(told))
    return found


@cache
def claims():
    """Rule to the test functions that claim it."""
    found, current = defaultdict(list), ""
    for line in run("--rules", driver=("--reference",)).output.splitlines():
        if match := re.match(r"(\S+)  \(judges", line):
            current = match[1]
        elif line.startswith("    suites/"):
            found[current].append(line.strip())
    return found


def owed():
    """The rules that need a fault: a driver can fail by them, and tests claim them."""
    return [one.id for one in rules().values() if one.judges_driver and one.strongest == "fail" and claims()[one.id]]


def pairs_for(tests):
    """The pairs whose fault breaks a rule that one of these test functions claims."""
    touched = {one for one, claiming in claims().items() if tests & {*claiming}}
    return [pair for pair in HERE if touched & {*all_faults()[pair[0]].rules}]


def page():
    """The matrix as one HTML file: faults down, the rules that they break, the tests that noticed."""
    with ThreadPoolExecutor(CORES) as pool:
        outcomes = list(pool.map(lambda pair: judge(*pair, in_full=True), HERE))
    rows = []
    for (name, driver), outcome in zip(HERE, outcomes, strict=True):
        cells = [
            f"<li class={'seen' if tests else 'missed'}>{one}: {html.escape(', '.join(tests) or 'nobody')}</li>"
            for one, tests in outcome.noticed.items()
        ]
        statement = html.escape(all_faults()[name].statement)
        rows.append(f"<tr><td>{name}<td>{driver}<td>{statement}<td><ul>{''.join(cells)}</ul>")
    style = "body{font:14px sans-serif}td{vertical-align:top;padding:4px 12px}.missed{color:#c00;font-weight:bold}"
    head = "<tr><th>fault<th>driver<th>what it does<th>rules and the tests that noticed"
    return f"<!doctype html><meta charset=utf-8><title>Faults</title><style>{style}</style><table>{head}{''.join(rows)}</table>"


def tell_astray(names):
    """Print what `astray` finds, fault by fault; returns how many faults break more than they say."""
    found = 0
    with ThreadPoolExecutor(CORES) as pool:
        for name, tests in zip(names, pool.map(astray, names), strict=True):
            print(name, *[f"    {test}: {message}" for test, message in tests.items()], sep="\n", flush=True)
            found += bool(tests)
    return found


if __name__ == "__main__":
    if "--all" in sys.argv:
        sys.exit(tell_astray([one for one in sys.argv[1:] if one != "--all"] or list(all_faults())) > 0)
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "matrix.html")
    target.write_text(page())
    print(f"written: {target}")
