"""Run walks: for how long, from which seed, without which known steps, and again."""

import csv
import re
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, reproduce_failure, seed, settings
from hypothesis import __version__ as hypothesis_version
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import DidNotReproduce, Flaky
from hypothesis.stateful import run_state_machine_as_test

from fixtures.testbed.drivers import ROOT
from fixtures.vulkan.outcomes import warn
from suites.model.growth import Watch
from suites.model.machine import Walk
from suites.model.players import Difference, Found, Players

KNOWN = Path(__file__).with_name("known.tsv")
EXAMPLES = ROOT / "reports" / "examples"
QUICK_WALKS, STEPS = 30, 40
ROUND = 200
PHASES = (Phase.reuse, Phase.generate, Phase.shrink)


def known_steps(info):
    """The names of the steps that are known to fail on the driver: known.tsv has each with its reason."""
    with KNOWN.open(newline="") as file:
        return {row["step"] for row in csv.DictReader(file, delimiter="\t") if row["driver"] == info.driver_name}


def walk(nursery, info, profile, known, spoil=None, tell=print):
    """Walk as the profile says, with `spoil` in the driver; returns the Found difference or None.  `tell` gets the progress."""
    players = Players(nursery, info, spoil)
    watch, started = Watch(), time.monotonic()
    number = int(time.time()) if profile.seed is None else profile.seed
    try:
        while True:
            walk_round(players, known, profile, number)
            spent = time.monotonic() - started
            if spent >= 60 * profile.minutes:
                return None
            growth = watch.look(players)
            tell(f"{spent:.0f} s: {players.steps} steps in {players.walks} walks; {watch}")
            if growth or watch.is_full:
                return Found(players.steps, [], f"{growth}, {players.steps} steps later") if growth else None
            number += 1
    except Difference as difference:
        return players.found(difference, again(difference, profile, number))
    except Flaky:
        return players.found(players.first, f"not when it was walked again; the search by --walk-seed={number}")
    finally:
        players.close()


def again(difference, profile, number):
    """The options that repeat the shortest walk, and the search for it."""
    blob = re.search(r"@reproduce_failure\('[^']*', b'([^']*)'\)", "\n".join(getattr(difference, "__notes__", [])))
    search = "by the same command" if profile.is_quick else f"the search for it by --walk-seed={number}"
    return f"again by --walk-replay={blob[1]}, {search}" if blob else f"again: {search}"


def walk_round(players, known, profile, number):
    """Some walks, of seed `number` unless the profile is quick; raises the Difference of the shortest that differs."""

    def machine():
        return Walk(players, known)

    if profile.replay:
        machine = reproduce_failure(hypothesis_version, profile.replay.encode())(machine)
    elif not profile.is_quick:
        machine = seed(number)(machine)
    how = settings(
        max_examples=QUICK_WALKS if profile.is_quick else ROUND,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=profile.is_quick,
        database=DirectoryBasedExampleDatabase(EXAMPLES) if profile.remembers else None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=how)
    except DidNotReproduce as problem:
        warn(f"--walk-replay: that walk does not differ any more: {problem}")
