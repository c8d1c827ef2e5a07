"""A failure becomes a C program of its own, which shows it on the driver that has it and on no other.

One failure of each test function and verdict is tried; all of them where the environment has EVERY_REPRODUCER.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from fixtures.testbed.drivers import ROOT, SWIFTSHADER
from fixtures.vulkan.native import OWN_LIBRARIES
from fixtures.vulkan.outcomes import unsupported
from reports.reproduce import reproducer
from reports.reproduce.checks import Unable, find_check
from suites.selftest.runs import SAMPLES, run, scratch

HEADERS = ROOT / ".vulkan" / "include"
MOCK = ROOT / ".vulkan" / "mock" / "mock_icd.json"
KNOWN = ROOT / "reports" / "baselines" / "swiftshader.txt"
SECONDS = 2
REPAIRED = ("suites/importing/", "suites/robustness/")
"""Where samples/repaired.c keeps the rules."""

pytestmark = pytest.mark.limit(120)


def _groups():
    found = {}
    for verdict, test in re.findall(r"^(fail|crash|timeout) (suites/.+)$", KNOWN.read_text(), re.MULTILINE):
        found.setdefault((verdict, test.partition("[")[0]), []).append(test)
    return [group if "EVERY_REPRODUCER" in os.environ else group[:1] for group in found.values()]


def named(group):
    """What a group of failures is called: its test function."""
    return group[0].partition("[")[0].rpartition("::")[2]


GROUPS = _groups()
"""The known failures of SwiftShader that are tried, by test function and verdict."""

each_group = pytest.mark.parametrize("group", GROUPS, ids=named)


def known_run(tests=tuple(test for group in GROUPS for test in group), attempt=0):
    """A run of known failures, by default of all that are tried; the baseline spares it a second look at each."""
    selected = [test.replace("[", "[swiftshader-", 1) for test in tests]
    return run(*selected, f"-n{0 if attempt else 2}", f"--baseline={KNOWN}", again=str(attempt))


def failures():
    """(the record of a run of the known failures, their records by test); what passed beside other work runs again, alone."""
    first, records = known_run(), {}
    lines = first.lines
    for attempt in range(1, 5):
        records |= {line["id"]: line for line in lines if line["type"] == "test"}
        missed = [test for test, line in records.items() if line["verdict"] not in ("fail", "crash", "timeout")]
        if not missed:
            break
        lines = known_run(missed, attempt).lines
    return first.lines[0], records


def compile_c(source, name, *options):
    """What `cc` makes of a C file, which has to please it."""
    if shutil.which("cc") is None or not (HEADERS / "vulkan" / "vulkan.h").exists():
        unsupported("no C compiler, or no Vulkan headers in .vulkan/include (rm -r .vulkan; sh fixtures/setup.sh)")
    made = scratch("reproducers") / name
    command = ["cc", "-Wall", "-Wextra", *options, f"-I{HEADERS}", "-o", str(made), str(source)]
    done = subprocess.run(
        [*command, f"-L{OWN_LIBRARIES}", "-l:libvulkan.so.1"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{source}: {done.stderr}"
    return made


def program(test):
    """The program of a failure, made of its record."""
    about, records = failures()
    name = re.sub(r"\W+", "-", test.rpartition("::")[2])
    source = scratch("reproducers") / f"{name}-{os.getpid()}.c"
    source.write_text(reproducer.write(about, records[test]))
    return compile_c(source, source.stem, f"-DSECONDS={SECONDS}")


def ends(program, driver=SWIFTSHADER, preload="", factor=1):
    """(exit status, the one sentence) of a program on a driver, behind `factor` times the recorded work."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VK_")}
    own = {"LD_LIBRARY_PATH": str(OWN_LIBRARIES), "VK_DRIVER_FILES": str(driver), "LD_PRELOAD": str(preload)}
    command = [program, "0", str(factor)]
    done = subprocess.run(command, env={**kept, **own}, capture_output=True, text=True, timeout=60)
    assert len(done.stdout.splitlines()) == 1, f"not one sentence: {done.stdout}{done.stderr}"
    return done.returncode, done.stdout.strip()


@each_group
def test_a_failure_shows_again(group):
    """The program of a known failure compiles without a warning, and ends 1 on the driver."""
    for test in group:
        made = program(test)

        for factor in (1, 8, 64):  # the recorded work may be over before it is looked at, and nothing judged
            status, said = ends(made, factor=factor)
            if status != 2:
                break

        assert (status, said.partition(":")[0]) == (1, "broken"), f"{test}: ended {status}: {said}"


@pytest.mark.parametrize("group", [g for g in GROUPS if g[0].startswith(REPAIRED)], ids=named)
def test_a_driver_that_refuses_strangers_is_found_good(group):
    """The program ends 0 behind a shim that refuses foreign descriptors and reports a lack of descriptors rightly."""
    repaired = compile_c(ROOT / SAMPLES / "repaired.c", f"repaired-{os.getpid()}.so", "-shared", "-fPIC")

    for test in group:
        status, said = ends(program(test), preload=repaired)

        assert (status, said.partition(":")[0]) == (0, "kept"), f"{test}: ended {status}: {said}"


@pytest.mark.parametrize("group", [g for g in GROUPS if not g[0].startswith(REPAIRED)], ids=named)
def test_a_driver_without_the_failure_is_not_found_bad(group):
    """On a driver that does nothing, and does it at once, a wait ends and proves nothing: never 1.

    Where looks at the work are among the calls, their answers are others here, and nothing is judged.
    """
    if not MOCK.exists():
        unsupported("the mock driver is not set up")

    for test in group:
        status, said = ends(program(test), driver=MOCK)

        early = "the wait ended while the work" in failures()[1][test]["message"]
        allowed = [(0, "kept"), (2, "not judged")][: 1 + early]
        assert (status, said.partition(":")[0]) in allowed, f"{test}: {said}"


def made_of(name):
    """The text and the program of a failure of samples/reproduced.py."""
    found = run(SAMPLES + "reproduced.py", "-n1")
    source = scratch("reproducers") / f"{name}-{os.getpid()}.c"
    source.write_text(reproducer.write(found.lines[0], found.tests[name]))
    return source.read_text(), compile_c(source, source.stem, f"-DSECONDS={2 * SECONDS}")


@pytest.mark.parametrize("name", ["test_signal", "test_kill"])
def test_several_processes_have_their_part(name):
    """Processes, what they send each other and who waits for whom come back; so does a process that was killed."""
    text, made = made_of(name)

    assert "static void process1(void)" in text
    assert ends(made) == (1, "broken: " + ANSWERS[name])


def test_one_of_several_counters_decides():
    """Where a test compared a list of counters the program asks the one that was another."""
    _, made = made_of("test_counters")

    assert ends(made) == (1, "broken: one of the counters is behind")


def test_a_stranger_that_was_accepted_may_be_refused():
    """A failure behind an accepted foreign descriptor shows again; a driver that refuses it keeps the rule."""
    repaired = compile_c(ROOT / SAMPLES / "repaired.c", f"repaired-{os.getpid()}.so", "-shared", "-fPIC")
    _, made = made_of("test_stranger")

    assert ends(made)[0] == 1
    assert ends(made, preload=repaired) == (
        0,
        "kept: vkImportSemaphoreFdKHR refused with VK_ERROR_INVALID_EXTERNAL_HANDLE",
    )


@pytest.mark.parametrize("breach", re.findall(r"^fail (breach .+)$", KNOWN.read_text(), re.MULTILINE))
def test_a_breach_shows_again(breach):
    """The program of a violation ends 1 on the driver that has it, and 0 where a layer in between prevents it."""
    repaired = compile_c(ROOT / SAMPLES / "repaired.c", f"repaired-{os.getpid()}.so", "-shared", "-fPIC")
    source = scratch("reproducers") / f"{breach.replace(' ', '-')}.c"
    command = [sys.executable, "-m", "reports", "reproduce", str(known_run().folder), breach, "-o", str(source)]

    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    made = compile_c(source, source.stem)

    assert (ends(made)[0], ends(made, preload=repaired)[0]) == (1, 0)


ANSWERS = {
    "test_signal": "the child's signal came (here vkWaitForFences returned VK_SUCCESS)",
    "test_kill": "nobody signals (here vkWaitForFences returned VK_TIMEOUT)",
}
"""What the programs of samples/reproduced.py say."""
NO_SUCH = (
    "this run has no test with the verdict fail or crash or timeout that has 'no such test' in its id; "
    "its page lists them all\n"
)


def test_the_command_line_writes_a_program(tmp_path):
    """`reproduce RUN TEST -o FILE` takes a part of an id; what it cannot do it says in one sentence."""
    test, folder = GROUPS[0][0], known_run().folder
    command = [sys.executable, "-m", "reports", "reproduce", str(folder)]

    wrote = subprocess.run([*command, test, "-o", str(tmp_path / "it.c")], cwd=ROOT, capture_output=True, text=True)
    found = subprocess.run([*command, "no such test"], cwd=ROOT, capture_output=True, text=True)

    assert (wrote.returncode, wrote.stdout, wrote.stderr) == (0, "", "")
    first, _, _ = (tmp_path / "it.c").read_text().partition("*/")
    assert first.startswith("/*\n * cc -Wall -Wextra -o reproducer reproducer.c -lvulkan\n")
    assert f" * VK_DRIVER_FILES={SWIFTSHADER} ./reproducer\n" in first
    assert "libvulkan-dev" in first
    assert (found.returncode, found.stderr) == (2, NO_SUCH)


def record(detail, *calls, verdict="fail"):
    """A test record with these calls: (command, result, value)."""
    told = [{"command": c, "arguments": [], "ns": 1, "result": r, "value": v, "pid": 1} for c, r, v in calls]
    return {"verdict": verdict, "message": "m", "detail": detail, "calls": told}


CODES = {"VK_SUCCESS": 0, "VK_TIMEOUT": 2, "VK_ERROR_A": -1, "VK_ERROR_B": -2}
IMPORT, WAIT, OPEN, COUNTER = "vkImportSemaphoreFdKHR", "vkWaitForFences", "is_open", "vkGetSemaphoreCounterValue"


@pytest.mark.parametrize(
    ("detail", "calls", "index", "kept", "other"),
    [
        ("assert VK_ERROR_A == VK_ERROR_B", [(IMPORT, -1, 0), (WAIT, 0, 0)], 0, "result == -2", "result >= 0"),
        ("assert VK_ERROR_A in {VK_SUCCESS, VK_ERROR_B}", [(IMPORT, -1, 0)], 0, "result == -2 || result == 0", "0"),
        ("assert False\n + where False = finishes()", [(WAIT, 2, 0), (WAIT, 0, 0)], 0, "result == VK_SUCCESS", "0"),
        ("assert False\n + where False = x.is_open", [(IMPORT, -1, 0), (OPEN, None, 0)], 1, "result == 1", "0"),
        ("assert not True\n + where True = VK_SUCCESS.is_success", [(IMPORT, 0, 0)], 0, "result < 0", "0"),
        ("assert 3 == 9", [(COUNTER, 0, 3)], 0, "value == 9", "0"),
        ("assert [7, 0] == [7, 9]", [(COUNTER, 0, 7), (COUNTER, 0, 0)], 1, "value == 9", "0"),
        ("assert [0, 1, 0] == ([1] * 3)", [(COUNTER, 0, 0), (COUNTER, 0, 1), (COUNTER, 0, 0)], 0, "value == 1", "0"),
        ("assert <Proof.EARLY: ''> is <Proof.HELD: ''>", [(WAIT, 0, 0), (WAIT, 2, 0)], 1, "result == VK_SUCCESS", "0"),
        ("assert (VK_ERROR_A is None or False)", [(IMPORT, -1, 0)], 0, "result == VK_SUCCESS", "0"),
        ("a call failed", [(IMPORT, -1, 0), ("teardown", None, 0), (WAIT, 2, 0)], 0, "result == VK_SUCCESS", "0"),
    ],
)
def test_the_check_is_read_from_the_failure(detail, calls, index, kept, other):
    """Which call failed, what it owed, and what would be another way."""
    check = find_check(record(detail, *calls), CODES)

    assert (check.index, check.kept, check.other_way) == (index, kept, other)


@pytest.mark.parametrize(
    "detail",
    ["assert 3 == 9", "assert [3] == [9]", "assert 'a' == 'b'", "assert not [15]", "assert VK_ERROR_A == VK_..."],
)
def test_no_program_pretends_to_check_what_is_not_in_the_record(detail):
    """A comparison of something else is refused, not guessed."""
    with pytest.raises(Unable):
        find_check(record(detail, (IMPORT, 0, 0), (OPEN, None, 1)), CODES)
