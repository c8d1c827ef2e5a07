"""The record of a run, and what remains of it and of the run's processes when somebody interrupts the run."""

import fcntl
import os
import shlex
import signal
import statistics
import subprocess
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.running.scratch import LOCK, PREFIX
from fixtures.testbed.drivers import ROOT
from reports.records.verdicts import FAILING, dispute
from reports.session.results import shortened
from suites.ledger import rules
from suites.selftest.runs import MARK, SAMPLES, command, environment, marked, read, run

pytestmark = pytest.mark.limit(60)
RUN = (
    "schema suite commit command time host kernel kernel_modules python packages loader layers environment "
    "ledger devices notices"
)
DEVICE = (
    "name slug driver_name driver_info driver_id driver_version api_version conformance_version device_uuid driver_uuid "
    "pci claims manifest"
)
TEST = (
    "id rules device verdict message seconds calls nodeid detail warnings breaches outcomes process behaviour parameters "
    "expected reason differs"
)
BREACH = "rule device command verdict message tests nodeid expected reason differs"
CALL = "at command arguments ns result pid"


def whole(*arguments):
    return run(SAMPLES + "verdicts.py", SAMPLES + "breaches.py", "-n2", *arguments)


def test_the_record_begins_with_the_run_and_ends_with_the_totals():
    """First line "run", last line "end", between them the tests, then the violations."""
    types = [line["type"] for line in whole().lines]

    assert (types[0], types[-1]) == ("run", "end")
    assert types[1:-1] == sorted(types[1:-1], reverse=True)
    assert {"test", "breach"} == set(types[1:-1])


def test_the_run_says_what_was_run_where():
    """The first line has every field of a run and of each of its devices."""
    first = whole().lines[0]

    assert set(RUN.split()) <= set(first), f"missing: {set(RUN.split()) - set(first)}"
    assert set(DEVICE.split()) <= set(first["devices"][0])
    assert [one["id"] for one in first["ledger"]] == list(rules())
    assert first["packages"]["vulkan"], "the version of the binding is missing"
    assert first["command"][0] == "pytest"
    assert SAMPLES + "verdicts.py" in first["command"]


def test_the_run_says_which_layers_and_variables_were_in_force():
    """Layers that the environment asks for are in the record, implicit ones switched off beside them."""
    first = run(SAMPLES + "poison.py", "-n0", VK_LAYER_PATH="/no/such", MESA_DEBUG="1").lines[0]

    assert first["layers"] == {"VK_LAYER_PATH": "/no/such", "VK_LOADER_LAYERS_DISABLE": "~implicit~"}
    assert first["environment"]["MESA_DEBUG"] == "1"


@pytest.mark.parametrize(("kind", "fields"), [("test", TEST), ("breach", BREACH)])
def test_every_line_has_all_its_fields(kind, fields):
    """Every test and every violation has each of its fields."""
    lines = [line for line in whole().lines if line["type"] == kind]

    missing = [(line, set(fields.split()) - set(line)) for line in lines if set(fields.split()) - set(line)]
    assert lines
    assert not missing


def test_calls_are_written_with_arguments_time_and_result():
    """Each call of a test has its command, arguments, duration, result and process."""
    calls = whole().tests["test_breach_passes_isolated"]["calls"]

    assert all(set(call) - {"value", "times"} == set(CALL.split()) for call in calls), calls
    call, noted, after = calls[-3:]
    assert (call["command"], call["arguments"], call["result"]) == ("vkDeviceWaitIdle", [0], 1)
    assert call["ns"] > 0
    assert (noted["command"], noted["arguments"][:2]) == ("breach", ["SPEC-RESULT-12", "vkDeviceWaitIdle"])
    assert after["command"] == "teardown", "what the driver is asked after the test is not told apart"


def test_a_failure_carries_what_a_dispute_needs():
    """Of each rule: the specification's section, the reading by which it was judged, the weaker ones that were considered."""
    ledger = {
        "SPEC-A-1": {"source": "chapter.adoc#a", "reading": "By growth. Weaker: any growth; set aside."},
        "SPEC-A-2": {"source": "chapter.adoc#b", "reading": "Weaker: as A-1."},
        "SPEC-A-3": {"source": "chapter.adoc#c", "reading": "Weaker: -"},
    }

    first, second, third = dispute(ledger, ledger)

    assert first == {
        "rule": "SPEC-A-1",
        "section": "chapter.adoc#a",
        "reading": "By growth.",
        "weaker": "any growth; set aside.",
    }
    assert (second["reading"], second["weaker"]) == ("", "as A-1.\nA-1: any growth; set aside.")
    assert third["weaker"] == "none: the text admits one reading only"
    for line in whole().lines[1:-1]:
        claimed = line["rules"] if line["type"] == "test" else [line["rule"]]
        if line["verdict"] in FAILING:
            assert [(one["rule"], one["section"]) for one in line["dispute"]] == [
                (r, rules()[r].source) for r in claimed
            ]


@pytest.mark.parametrize(
    ("verdict", "kept"), [("pass", [*range(50), "dropped", *range(200, 250)]), ("fail", [*range(250)])]
)
def test_a_record_has_what_somebody_reads(verdict, kept):
    """Of a test that passed the first and the last calls, of any other one all of them; each began at a whole microsecond."""
    calls = [{"command": "vkX", "arguments": [number], "at": 1000 * number + 7, "ns": 4321} for number in range(250)]

    told = shortened(calls, verdict)

    assert [one["arguments"][0] if "command" in one else "dropped" for one in told] == kept
    assert {one["at"] % 1000 for one in told if "at" in one} == {0}
    assert sum(one.get("dropped", 1) for one in told) == 250


def test_the_last_line_has_the_totals():
    """The totals are those of the lines before, with the exit status."""
    found = whole()

    totals = found.lines[-1]["totals"]
    assert totals == {v: list(found.verdicts.values()).count(v) for v in totals}
    assert sum(totals.values()) == len(found.tests)
    assert found.lines[-1]["exit"] == found.status == 3
    assert found.lines[-1]["whole"] is False


def test_the_last_line_has_the_times_of_calls():
    """Of each device and command: how many calls returned, their median and 99th percentile in nanoseconds."""
    found = whole()

    taken = defaultdict(list)
    for test in found.tests.values():
        for call in [one for one in test["calls"] if one["command"].startswith("vk")]:
            taken[test["device"], call["command"]] += [call["ns"]] * (call["ns"] is not None)
    told = {(one["device"], one["command"]): one for one in found.lines[-1]["times"]}
    assert {key: one["count"] for key, one in told.items()} == {key: len(ns) for key, ns in taken.items() if ns}
    assert all(one["median"] == statistics.median_low(taken[key]) for key, one in told.items())
    assert all(one["p99"] >= one["median"] and one["p99"] in taken[key] for key, one in told.items())
    assert all(sum(count for _, count in one["buckets"]) == one["count"] for one in told.values())


@contextmanager
def started(folder, selected):
    """A run of samples/endless.py in a process group of its own: amid its quick tests, or hanging in all the others."""
    line = command(SAMPLES + "endless.py", "-n2", "-k", selected, folder=folder)
    variables, output = environment(folder), (folder / "output").open("w")
    child = subprocess.Popen(
        line, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )
    try:
        file, stuck = folder / "results.jsonl", [folder / "stuck-native", folder / "stuck-process"]
        quick = selected == "quick"
        begun = until(
            lambda: file.exists() and file.read_text().count("\n") > 10 if quick else all(map(Path.exists, stuck))
        )
        assert begun, (folder / "output").read_text()
        yield child
    finally:
        output.close()
        for pid in marked(folder):
            os.kill(pid, signal.SIGKILL)
        child.wait()


def until(condition, seconds=20.0):
    """Whether `condition()` turned true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("selected", ["quick", "quick or that"])
def test_a_killed_run_leaves_whole_lines(tmp_path, selected):
    """SIGKILL leaves a record whose every line is whole, without the last one, and no process."""
    with started(tmp_path, selected) as child:
        child.kill()
        child.wait()

        assert until(lambda: not marked(tmp_path), 6), f"{MARK} still in {marked(tmp_path)}"
    lines = read(tmp_path)
    assert lines[0]["type"] == "run"
    assert {line["type"] for line in lines[1:]} == {"test"}


def test_what_a_killed_run_left_goes_with_the_next(tmp_path):
    """A killed run leaves its folder of temporary files; the next run removes it, and that of a run under way it does not."""
    left, live = tmp_path / f"{PREFIX}left", tmp_path / f"{PREFIX}live"
    for folder in (left, live):
        folder.mkdir()
        (folder / LOCK).touch()
    with (live / LOCK).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with started(tmp_path, "quick") as child:
            child.kill()
            child.wait()
            assert until(lambda: not marked(tmp_path), 6), f"{MARK} still in {marked(tmp_path)}"
        first = {*tmp_path.glob(f"{PREFIX}*")}
        line = command(SAMPLES + "kept.py", "-k", "learns", folder=tmp_path / "next")
        subprocess.run(line, cwd=ROOT, env=environment(tmp_path), capture_output=True, check=False)

    assert left not in first
    assert len(first) == 2
    assert [*tmp_path.glob(f"{PREFIX}*")] == [live]


@pytest.mark.parametrize("selected", ["quick", "quick or that"])
@pytest.mark.parametrize("stop", ["Ctrl-C", "SIGTERM to all", "SIGTERM to pytest"])
def test_a_run_that_is_stopped_leaves_a_page_and_no_process(tmp_path, selected, stop):
    """Ctrl-C and SIGTERM end all of a run, also what hangs in native code; its page and JUnit are there, and how it goes on."""
    with started(tmp_path, selected) as child:
        if stop == "SIGTERM to pytest":
            child.terminate()
        else:
            os.killpg(child.pid, signal.SIGINT if stop == "Ctrl-C" else signal.SIGTERM)

        assert until(lambda: child.poll() is not None, 6), "the run goes on after 6 s"
        assert until(lambda: not marked(tmp_path), 2), f"{MARK} still in {marked(tmp_path)}"
    verdicts, said = {line.get("verdict") for line in read(tmp_path)}, (tmp_path / "output").read_text()
    assert child.returncode == 2
    assert verdicts == {"pass", None}, f"{stop} made verdicts: {verdicts}"
    assert (tmp_path / "index.html").exists()
    assert (tmp_path / "junit.xml").exists()
    assert f"--resume={tmp_path}" in said
    assert "Traceback" not in said


def test_ctrl_c_again_ends_the_run_at_once(tmp_path):
    """A second Ctrl-C leaves no page, but a record that --resume continues, and says so in place of a traceback."""
    with started(tmp_path, "quick") as child:
        os.killpg(child.pid, signal.SIGINT)
        time.sleep(0.02)  # two at once are one
        os.killpg(child.pid, signal.SIGINT)
        assert until(lambda: child.poll() is not None, 6), "the run goes on after 6 s"
        assert until(lambda: not marked(tmp_path), 2), f"{MARK} still in {marked(tmp_path)}"
    said = (tmp_path / "output").read_text()

    assert child.returncode == 2
    assert "interrupted again" in said
    assert "Traceback" not in said
    line = shlex.split(said.partition("goes on with\n")[2].splitlines()[0])
    again = subprocess.run(line, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout
    assert len({line["id"] for line in read(tmp_path) if line["type"] == "test"}) == 40
