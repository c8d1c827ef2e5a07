"""Who closes small numbers that are not his own closes none of the suite's: the run goes on."""

import subprocess
import sys
from collections import Counter

import pytest

from fixtures.running import apart
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
LOWEST = """
import os, sys
sys.path[:0] = ["."]
from fixtures.running import apart
own = os.dup(0)
apart.release()
print(own, os.dup(0))
"""


def test_a_worker_survives_the_closing_of_small_numbers():
    """Verdicts are those of the tests: no crash, no error of the suite, and locks, processes and record go on."""
    found = run(f"{SAMPLES}strays.py", "-n1", driver=("--reference", "--device=ideal-0"))

    assert found.status == 1, found.output
    assert Counter(line["verdict"] for line in found.tests.values()) == {"pass": 10, "fail": 3}


def test_a_worker_begins_with_low_numbers_taken():
    """What it opens at its start has high numbers; drivers get the low ones from `release` on."""
    line = [sys.executable, apart.__file__, "-c", LOWEST]

    done = subprocess.run(line, capture_output=True, text=True, check=True)

    own, drivers = map(int, done.stdout.split())
    assert own >= apart.LOW.stop
    assert drivers == apart.LOW.start
