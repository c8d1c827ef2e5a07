"""Makes reports/diagnose/symptoms.jsonl: which tests fail over the reference driver with each fault.

    .venv/bin/python -m suites.selftest.symptoms [FAULT...]

judges the faults that are named, or all, and rewrites their lines; all take about 40 minutes of two cores.
"""

import json
import sys
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from fixtures.faults.library import all_faults
from reports.diagnose.symptoms import ALL, FILE, seen_in, split
from reports.records.baseline import key_of
from reports.records.verdicts import FAILING
from suites.ledger import rules
from suites.selftest.matrix import CHOICES, LONG, MISUSED, PATIENCE, WALKS
from suites.selftest.resting import explains
from suites.selftest.runs import CORES, read, scratch
from suites.selftest.samples.spread import NO_TIME
from suites.selftest.warm import Warm

SPREAD = ("-p", "suites.selftest.samples.unshrunk", "-p", "suites.selftest.samples.spread")
OWN = (*SPREAD, WALKS, "--deselect=suites/valid_usage", "--cases=8", "--seconds=20")
"""How the tests that claim the rules of a fault are judged: some cases of each, whichever their parameters."""

EVERY = (*OWN, "--cases=1000", "--seconds=30")
"""How they are judged where none of these fails: all cases."""

LEFT_OUT = [f"--deselect=suites/{chapter}" for chapter in ("valid_usage", "robustness", "neighbours", "model")]
PROBES = (*SPREAD, *LEFT_OUT, "-m", "not isolated", "--cases=1", "--seconds=10")
"""How the tests are judged that rest on what a fault breaks: one case of each, of those that are quick."""

UNKNOWN = {
    "venus": "it can be made on a driver in a guest alone, whose kernel makes sync_files",
    "long": "only tests with --long notice it",
    "nothing": "the tests that notice it warn, or need a second driver or more time",
}
"""Why a fault has no symptoms."""


def without_symptoms(name):
    """Why a fault is not judged; "" if it is."""
    if "ideal" not in all_faults()[name].drivers:
        return UNKNOWN["venus"]
    return UNKNOWN["long"] if name in LONG else ""


@cache
def warm(driver, how, thread):
    """What judges faults over a driver, one for each thread that asks."""
    return Warm(*how, *CHOICES[driver])


def judge(name, driver, how):
    """The record of the tests of a fault over a driver with it: `OWN` are those of its rules, `PROBES` rest on them.

    A fault may kill the process: the tests before it count. Violations by which the reference driver answers to misuse do not.
    """
    fault = all_faults()[name]
    touched = [one for one in rules() if explains({*fault.rules, *fault.also}, [one])]
    folder = scratch(f"symptoms-{driver}-{name}-{hash(how)}")
    try:
        warm(driver, how, threading.get_ident()).judge(
            folder,
            fault=name,
            rules=fault.rules if how[: len(OWN)] == OWN else touched,
            alone=driver == "ideal" and not any("COMPAT" in one for one in fault.rules),
            factor=PATIENCE[driver],
        )
    except RuntimeError:
        if not read(folder):
            raise  # it did not begin
    return [one for one in read(folder) if one.get("rule") not in MISUSED or one["rule"] in fault.rules]


def probes():
    """The functions of the probes, in the order in which they are judged: those that the reference driver supports."""
    asked = {"fault": None, "rules": list(rules()), "alone": True, "factor": PATIENCE["ideal"]}
    lines = Warm(*PROBES, "--seconds=200", *CHOICES["ideal"]).judge(scratch("symptoms-probes"), **asked)
    return [split(key_of(one))[0] for one in results(lines) if one["type"] == "test"]


def symptoms(name, order):
    """The line of a fault; `order` has the probes."""
    fault = all_faults()[name]
    line = {"fault": name, "statement": fault.statement, "rules": fault.rules}
    if reason := without_symptoms(name):
        return line | {"unknown": reason}
    own, probed = judge(name, "ideal", OWN), judge(name, "ideal", PROBES)
    if not failures([*own, *probed]):
        own = judge(name, "ideal", EVERY)
    fails, passes = found_in([*own, *probed])
    if not fails:
        return line | {"unknown": UNKNOWN["nothing"]}
    seen = Counter(what for one in failures([*own, *probed]) for what in seen_in(one))
    shares = {what: round(count / len(failures([*own, *probed])), 2) for what, count in sorted(seen.items())}
    line |= {"fails": fails, "passes": passes, "seen": shares}
    late = too_late(probed)
    known = next((at for at, one in enumerate(order) if one in late), len(order))
    return line | {"unjudged": unjudged(own, fails), "probed": known}


def results(lines):
    """What a record says of the driver: tests that were judged, and violations."""
    return [one for one in lines if one["type"] in ("test", "breach") and one["verdict"] != "unsupported"]


def failures(lines):
    """The results that are failures."""
    return [one for one in results(lines) if one["verdict"] in FAILING]


def too_late(lines):
    """The functions that no time was left for."""
    late = {split(one["id"])[0] for one in lines if one["type"] == "test" and NO_TIME in one["message"]}
    return late - {split(key_of(one))[0] for one in results(lines)}


def unjudged(own, fails):
    """How likely a test of a fault's rules fails that no time was left for, as far as those tell that were judged."""
    judged, late = {split(key_of(one))[0] for one in results(own) if one["type"] == "test"}, too_late(own)
    return round(len(late) / max(len(judged | late), 1) * len(judged & fails.keys()) / max(len(judged), 1), 2)


def found_in(lines):
    """The cases that failed by function, and those that passed of functions that failed."""
    failed, passed = defaultdict(set), defaultdict(set)
    for line in results(lines):
        function, case = split(key_of(line))
        (failed if line["verdict"] in FAILING else passed)[function].add(case)
    passes = {function: sorted(passed[function] - failed[function]) for function in sorted(failed)}
    fails = {function: sorted(failed[function]) if passes[function] else ALL for function in sorted(failed)}
    return fails, {function: cases for function, cases in passes.items() if cases}


def main(names):
    """Rewrite the lines of these faults, or of all; those of faults that are gone are left out."""
    old = FILE.read_text().splitlines() if FILE.exists() else []
    lines = {one["fault"]: one for one in map(json.loads, old[1:]) if one["fault"] in all_faults()}
    first = json.loads(old[0]) if names and old else {"probes": probes()}
    with ThreadPoolExecutor(CORES) as pool:
        for line in pool.map(lambda name: symptoms(name, first["probes"]), names or all_faults()):
            lines[line["fault"]] = line
            print(f"{line['fault']}: {len(line.get('fails', ()))} functions fail", flush=True)
    FILE.write_text("".join(json.dumps(one) + "\n" for one in (first, *(lines[one] for one in sorted(lines)))))


if __name__ == "__main__":
    main(sys.argv[1:])
