"""Faults that are hidden in a driver and looked for by a diagnosis of what then fails.

    .venv/bin/python -m suites.selftest.hiding [FAULT...]

prints for SwiftShader with each fault what the diagnosis says first and the place of the right fault, then the share of faults
that are found.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from fixtures.faults.library import all_faults
from reports.diagnose.explain import diagnose
from reports.diagnose.symptoms import library
from reports.records.baseline import key_of
from reports.records.verdicts import against
from suites.selftest.matrix import LONG, PAIRS, known
from suites.selftest.runs import CORES
from suites.selftest.symptoms import OWN, PROBES, judge

FIRST = 3
"""A fault is found if it, or one that breaks the same rule, is among so many that the diagnosis names first."""
MORE = (*OWN, "--cases=1000"), PROBES
"""How tests are judged: more of them than for the symptoms."""


def hidden(driver):
    """The faults that show on a driver, as far as the matrix makes them there and they have symptoms."""
    has = {one.fault for one in library().faults if one.fails}
    return [name for name, where in PAIRS if where == driver and name in has and name not in LONG]


def seen(name, driver):
    """What the tests of a fault and those that rest on it say of a driver with it; what it does without a fault is `expected`."""
    lines = {}
    for how in MORE:
        for line in judge(name, driver, how):
            if line["type"] in ("test", "breach"):
                expected = known(driver).get(key_of(line))
                differs = against(line["verdict"], expected) or ""
                lines[key_of(line)] = line | {"expected": expected or "", "differs": differs}
    return list(lines.values())


def place(name, driver):
    """(the place of the right fault or of one that breaks its first rule, that of the right one itself, what comes first).

    Places count from 1, and are 0 for none; all is None if nothing fails there that does not fail without the fault.
    """
    found = diagnose(driver, seen(name, driver), library())
    if not found.failed:
        return None
    ranked = found.findings[0] if found.findings else []
    rule = all_faults()[name].rules[0]
    alike = next((at for at, one in enumerate(ranked, 1) if one.fault.fault == name or rule in one.fault.rules), 0)
    exact = next((at for at, one in enumerate(ranked, 1) if one.fault.fault == name), 0)
    return alike, exact, [one.fault.fault for one in ranked[:FIRST]]


def measure(driver, names=()):
    """(found, shown, the lines that tell of each fault): how many faults that show on a driver are found."""
    names = names or hidden(driver)
    with ThreadPoolExecutor(CORES) as pool:
        places = list(zip(names, pool.map(lambda name: place(name, driver), names), strict=True))
    told = [f"{name}: {found or 'does not show'}" for name, found in places]
    shown = [found for _, found in places if found]
    return sum(0 < alike <= FIRST for alike, _, _ in shown), len(shown), told


if __name__ == "__main__":
    found, shown, told = measure("swiftshader", sys.argv[1:])
    print(*told, f"{found} of {shown} faults that show on SwiftShader are found", sep="\n")
