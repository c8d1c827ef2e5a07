"""A walk that differs is told call by call, walked again and shrunk, a crash and a hang too; what grows ends the walks."""

import os
import re
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import pytest

from reports.records.verdicts import told_steps
from suites.selftest.browser import browser
from suites.selftest.runs import run
from suites.selftest.samples import spoilers
from suites.selftest.test_page import opened
from suites.selftest.walks import search

pytestmark = pytest.mark.limit(110)
FAULT = "permanent-imports-are-temporary"
SEED = "--walk-seed=2"
CALL = re.compile(r" *\d+\. process [01]: (\w+ = )?(vk[A-Z]|dup\(|close\(|descriptor\d+, sent)")


def walks(*arguments, fault=FAULT, **named):
    """A run of the walks over SwiftShader, with a fault in it."""
    faulty = [f"--fault={fault}"] if fault else []
    return run("suites/model", "-n0", "-k", "around", *faulty, *arguments, **named)


def test_a_failed_walk_is_a_numbered_list_of_calls():
    """In the record each step is a line of its own, with its number, its process and the Vulkan call."""
    record = walks(SEED).tests["around-known"]

    steps = told_steps(record["detail"])
    assert (record["verdict"], walks(SEED).status) == ("fail", 1)
    assert [int(step.split(".")[0]) for step in steps] == list(range(1, len(steps) + 1))
    assert steps
    assert not [step for step in steps if not CALL.match(step)]


def test_terminal_and_page_tell_the_same_list():
    """Whoever reads the terminal or the page reads every step of the record."""
    finished = walks(SEED)
    steps = told_steps(finished.tests["around-known"]["detail"])
    with browser() as page:
        page.show(finished.folder / "index.html")
        shown = opened(page, "around")

    assert not [step for step in steps if step not in finished.output]
    assert not [step for step in steps if step not in shown]


def test_a_walk_is_found_again_by_its_seed():
    """The same seed finds the same walk after as many steps."""
    one, other = (walks(SEED, again=again).tests["around-known"]["detail"] for again in ("", "a second time"))

    assert one == other


def test_a_walk_is_walked_again_by_its_text():
    """--walk-replay takes the steps of the shortest walk, and no others, and they differ as before."""
    record = walks(SEED).tests["around-known"]
    blob = re.search(r"--walk-replay=(\S+?),", record["detail"])[1]

    again = walks(f"--walk-replay={blob}").tests["around-known"]

    steps = told_steps(again["detail"])
    assert steps == told_steps(record["detail"])
    assert int(re.search(r"found after (\d+) steps", again["detail"])[1]) <= len(steps)


def test_a_walk_that_no_longer_differs_is_told():
    """--walk-replay over a driver that was mended warns that the walk does not differ any more."""
    blob = re.search(r"--walk-replay=(\S+?),", walks(SEED).tests["around-known"]["detail"])[1]

    record = walks(f"--walk-replay={blob}", fault="").tests["around-known"]

    assert (record["verdict"], "does not differ any more" in record["message"]) == ("warn", True), record["message"]


@pytest.mark.parametrize(("spoil", "ending"), [(spoilers.kills, "crash: SIGSEGV"), (spoilers.hangs, "hangs")])
def test_a_walk_that_kills_or_holds_its_process_is_shrunk(spoil, ending):
    """What is left is what it takes: a semaphore or two, an export and the import."""
    found = searched(spoil, 3)

    assert ending in found.text, found.text
    assert len(found.walk) <= 4, found.text
    assert "TEMPORARY" in found.walk[-1], found.text


def test_a_driver_that_loses_descriptors_ends_the_walks():
    """Descriptors that grow from round to round are a failure with the numbers."""
    found = searched(spoilers.leaks, 1, minutes=1.6)  # a round takes long on a busy machine

    assert re.search(r"process \d has \d+ descriptors, and had \d+ after the first walks", found.text), found.text


def searched(spoil, seed, **named):
    """What a search finds, in a process of its own."""
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as pool:
        return pool.submit(search, spoil, "ideal", seed, **named).result()


@pytest.fixture
def players():
    """Processes that walk: this one alone."""
    return SimpleNamespace(begin=lambda: None, children={0: SimpleNamespace(pid=os.getpid())})


def test_memory_that_grows_ends_the_walks_with_a_warning(players, monkeypatch):
    """No sentence obliges a driver to give memory back, so what grows beyond the bound is a warning."""
    from fixtures.vulkan.outcomes import notes
    from suites.model import growth

    monkeypatch.setattr(growth, "MEBIBYTES", 16)
    watch = growth.Watch()
    watch.look(players)

    held = bytearray(b"leak") * (8 << 20)
    lost = watch.look(players)

    warned, notes.warnings = notes.warnings, []
    assert (lost, watch.is_full, len(held) >> 20) == ("", True, 32)
    assert re.fullmatch(r"process 0 has \d+ MiB, and had \d+ after the first walks \(SPEC-DESTROY-06\)", *warned)
