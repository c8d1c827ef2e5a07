"""How soon random walks find the faults of payloads that they can meet, and how short the walk is that they show.

    .venv/bin/python -m suites.selftest.walks [SEEDS] [PART OF A FAULT'S NAME]

prints the table: median over the seeds of the steps until a walk differed, and of the calls of the shortest such walk.
"""

import contextlib
import csv
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor

from fixtures.faults.library import all_faults
from fixtures.running.processes import Nursery
from fixtures.testbed import bench, drivers
from suites.selftest.runs import CORES

FOUND = drivers.ROOT / "suites/model/found.tsv"
"""What ten seeds found.  It names the faults that walks are measured on: to measure one more, add a row for it.

Left out are faults that no step of a walk can meet.  Walks do not poll, wait on the host for one value that is reached, have one
thread a process but for waits for idle, chain no structure that asks for nothing, and do not judge how long a call takes.  On
SwiftShader they have no timelines, which cannot be shared there, and acquire no image.
"""

SEEDS = 10
MINUTES = 0.5
"""As long as one search may take: a nightly walk has ten minutes."""


def faults(driver):
    """The names of the faults that walks are measured on over a driver, "ideal" or "swiftshader"."""
    with FOUND.open() as file:
        return [row["fault"] for row in csv.DictReader(file, delimiter="\t") if row["driver"] == driver]


def search(spoil, driver, seed, minutes=MINUTES):
    """What walks from a seed find over a driver that `spoil(table)` has broken; in a process that has loaded no driver."""
    from suites.model.options import Profile
    from suites.model.walking import known_steps, walk

    bench.reference = driver == "ideal"
    found = drivers.look_at_reference() if bench.reference else drivers.look([drivers.SWIFTSHADER])
    info = drivers.name_devices(found.devices)[0]
    bench.journal()
    nursery = Nursery(bench.around_step)
    try:
        with contextlib.redirect_stdout(None):  # Hypothesis prints each walk that it shrinks
            return walk(nursery, info, Profile(minutes, seed), known_steps(info), spoil, tell=lambda text: None)
    finally:
        nursery.close()


def table(seeds, part=""):
    """The lines of the table, as they become known."""
    pairs = [(name, driver) for driver in ("ideal", "swiftshader") for name in faults(driver) if part in name]
    with ProcessPoolExecutor(CORES, max_tasks_per_child=1) as pool:
        running = [
            (pair, [pool.submit(search, all_faults()[pair[0]].install, pair[1], seed) for seed in range(seeds)])
            for pair in pairs
        ]
        for (name, driver), searches in running:
            found = [one for one in (search.result() for search in searches) if one]
            steps = statistics.median([one.steps for one in found] or [0])
            length = statistics.median([len(one.walk) for one in found] or [0])
            yield f"{name:50} {driver:12} {len(found):2} of {seeds}  {steps:7.0f} steps  {length:4.0f} calls"


if __name__ == "__main__":
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS, *sys.argv[2:3]):
        print(line, flush=True)
