"""How walks are walked: for how long, from which seed, around what, and again."""

import csv
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, reproduce_failure, seed, settings
from hypothesis import __version__ as hypothesis_version
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import DidNotReproduce, Flaky
from hypothesis.stateful import run_state_machine_as_test

from fixtures.drivers import ROOT
from fixtures.outcomes import warn
from suites.model.machine import Walk
from suites.model.players import Difference, Players

KNOWN = Path(__file__).with_name("known.tsv")
EXAMPLES = ROOT / "reports" / "examples"
QUICK_WALKS, STEPS = 60, 40
ROUND = 200


def known_steps(info):
    """The names of the steps that are known to go wrong on the driver: known.tsv has each with its reason."""
    with KNOWN.open(newline="") as file:
        return {row["step"] for row in csv.DictReader(file, delimiter="\t") if row["driver"] == info.driver_name}


def walk(nursery, info, profile, known, spoil=None, walks=None):
    """Walk as the profile says; the text of the shortest walk that differs, None if none did."""
    players = Players(nursery, info, spoil)
    started, round_seed = time.monotonic(), profile.seed if profile.seed is not None else int(time.time())
    try:
        while True:
            first = not profile.minutes and profile.seed is None
            some(
                players,
                known,
                None if first else round_seed,
                profile.replay,
                walks or (ROUND if profile.minutes else QUICK_WALKS),
            )
            spent = time.monotonic() - started
            if spent >= 60 * profile.minutes:
                return None
            print(f"{spent:.0f} s: {players.steps} steps in {players.walks} walks", flush=True)
            round_seed += 1
    except Difference as difference:
        hints = "\n".join(getattr(difference, "__notes__", []))
        again = f"--walk-seed={round_seed}" if profile.minutes or profile.seed is not None else "the same command"
        return f"{difference}\nfound after {players.steps_until_found} steps; again by {again}\n{hints}"
    except Flaky as problem:
        warn(f"a walk differed, and not when it was walked again: {str(problem).splitlines()[0]}")
        return None
    finally:
        players.close()


def some(players, known, number, replay, walks):
    """Some walks; raises the Difference of the shortest that differs."""

    def machine():
        return Walk(players, known)

    if replay:
        machine = reproduce_failure(hypothesis_version, replay.encode())(machine)
    elif number is not None:
        machine = seed(number)(machine)
    how = settings(
        max_examples=walks,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=number is None,
        database=None if number is None else DirectoryBasedExampleDatabase(EXAMPLES),
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=how)
    except DidNotReproduce as problem:
        raise AssertionError(f"--walk-replay: that walk does not differ any more: {problem}") from None
