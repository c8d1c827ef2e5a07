"""Where a run is written: no run overwrites another, and what cannot be written is one sentence and exit status 3."""

import json
import random
import re
import resource
import subprocess
import sys
from contextlib import contextmanager

import pytest

from fixtures.testbed.drivers import ROOT
from fixtures.vulkan.outcomes import unsupported
from reports.records.runs import load, save
from reports.render import artifacts
from reports.session.folder import RunFile, Unrecorded
from suites.selftest.records import line_of, made, saved
from suites.selftest.runs import SAMPLES, Run, command, environment, run

pytestmark = pytest.mark.limit(60)
FILE = f"{SAMPLES}poison.py::test_neighbour_before"
REFERENCE = ("--reference",)
HOLD = (
    "from reports.session.folder import RunFile; import sys; RunFile(__import__('pathlib').Path(sys.argv[1])).write({})"
)


def judged(folder, *arguments):
    """A run that is written to `folder`."""
    return run(FILE, "-n0", f"--report={folder}", *arguments, driver=REFERENCE, again=str(folder))


def test_a_run_does_not_overwrite_another(tmp_path):
    """The second run into a folder is refused in one sentence, and the first one is as it was."""
    first = judged(tmp_path / "run")
    before = [test["seconds"] for test in load(tmp_path / "run").tests]

    second = judged(tmp_path / "run", "-q")

    assert (first.status, second.status) == (0, 4), second.output
    assert "has a run already; name another folder, or end the name with / for a new folder in it" in second.error
    assert [test["seconds"] for test in load(tmp_path / "run").tests] == before != []


def test_the_documented_nightly_survives_a_second_run(tmp_path):
    """The --report of the line in reports/README.md gives each run a folder of its own."""
    line = next(line for line in (ROOT / "reports/README.md").read_text().splitlines() if "--report=/srv" in line)
    place = re.search(r"--report=/srv/semaphores(\S*)", line)[1]

    found = [judged(f"{tmp_path}{place}", *again) for again in ([], ["-q"])]

    assert [one.status for one in found] == [0, 0], found[1].output
    assert [len(load(folder).tests) > 0 for folder in tmp_path.iterdir()] == [True, True]


@contextmanager
def going_on(folder):
    """A run in another process that has the folder for the time of the block."""
    line = [sys.executable, "-c", f"{HOLD}; print(flush=True); sys.stdin.read()", str(folder)]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        try:
            yield
        finally:
            child.kill()


@pytest.mark.parametrize("resumes", [False, True])
def test_two_runs_do_not_write_one_record(resumes, tmp_path):
    """The folder of a run that goes on is refused, to a new run and to one that would continue it."""
    with going_on(tmp_path / "run"), pytest.raises(pytest.UsageError, match="going on"):
        RunFile(tmp_path / "run", resumes)

    saved(tmp_path / "dead", {"a": "pass"}, end={})
    RunFile(tmp_path / "dead", resumes=True).close()


def test_a_run_that_judged_nothing_is_in_nobodys_way(tmp_path):
    """What a mistyped command line left behind does not keep its folder."""
    saved(tmp_path, {}, end={"exit": 4})

    found = judged(tmp_path)

    assert found.status == 0, found.output


@pytest.mark.parametrize("place", ["/etc/passwd", "/etc/passwd/run", "/sys/run", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_told(place):
    """One sentence names it, before any test, and the exit status is not that of a difference."""
    found = judged(place)

    assert (found.status, found.error.startswith("the run cannot be written: ")) == (3, True), found.output
    assert place in found.error
    assert "verdicts" not in found.output


def test_a_line_is_in_the_record_whole_or_not_at_all(tmp_path):
    """Where a line does not fit the record ends with the line before, as that of a run that died, and nothing follows."""
    file, soft = RunFile(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    for line in (made({}).head, *made({"a": "pass"}).tests):
        file.write(line)
    size = (tmp_path / "results.jsonl").stat().st_size

    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, soft[1]))
        with pytest.raises(Unrecorded, match=r"File too large.*--resume=\S+ continues it"):
            file.write(made({"b": "pass"}).tests[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)
    file.write(made({}).end)
    file.close()

    assert (tmp_path / "results.jsonl").stat().st_size == size
    found = load(tmp_path)
    assert ([test["id"] for test in found.tests], found.end) == (["a"], {})


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    """Exit status 3 with one sentence; the record has all verdicts and the status that they give."""
    (tmp_path / "index.html").mkdir()

    found = judged(tmp_path)

    assert (found.status, "Traceback" in found.output) == (3, False), found.output
    assert re.fullmatch(r"the run has no page: .*index.html; `.* -m reports page \S+` writes it", found.error), (
        found.error
    )
    assert (load(tmp_path).end["exit"], load(tmp_path).is_whole) == (0, False)


def on_a_small_disk(kilobytes, folder, *arguments, **variables):
    """A run whose folder, or temporary files, lie on a disk of so many kilobytes."""
    mount = f"mount -t tmpfs -o size={kilobytes}k none {folder} && "
    line = json.dumps(command(*arguments, folder=folder / "run", driver=REFERENCE))
    inner = f"import json, os; line = json.loads('''{line}'''); os.execv(line[0], line)"
    shell = ["unshare", "-rm", "sh", "-c", f'{mount} exec "$0" -c "$1"', sys.executable, inner]
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(folder)], capture_output=True).returncode:
        unsupported("nobody may mount a small disk here")
    done = subprocess.run(
        shell,
        cwd=ROOT,
        env=environment(folder.parent, **variables),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, folder)


@pytest.mark.parametrize("kilobytes", [100, 300])
def test_a_full_disk_is_no_difference(kilobytes, tmp_path):
    """Neither the first line nor the later ones that do not fit end in exit status 1 or a traceback."""
    (tmp_path / "disk").mkdir()

    found = on_a_small_disk(kilobytes, tmp_path / "disk", "suites/sharing/test_threads.py", "-n1")

    assert found.status == 3, found.output
    assert "the run cannot be written: No space left on device" in found.error


def test_a_full_disk_crashes_no_driver(tmp_path):
    """Without room for temporary files the tests do not begin: a crash for want of it would be blamed on the driver."""
    (tmp_path / "disk").mkdir()

    found = on_a_small_disk(
        1000, tmp_path / "disk", FILE, "-n1", f"--report={tmp_path}/run", TMPDIR=str(tmp_path / "disk")
    )

    assert (found.status, found.error) == (3, f"the tests cannot begin: No space left on device: {tmp_path}/disk")
    assert not (tmp_path / "run").exists(), "a record of nothing was left behind"


def test_old_runs_are_removed(tmp_path):
    """--keep=N leaves the N newest runs of this driver, --keep=Nd those of the last days; other folders are nobody's business."""
    old = [f"2026{month:02}01T023000.000000-ideal-0" for month in range(1, 5)]
    others = ["20260101T023000.000000-another", "baseline-run", "20250101T023000.000000-ideal-0"]
    for name in (*old, *others):
        saved(tmp_path / "runs" / name, {"a": "pass"})
    (tmp_path / "runs" / others[2] / "notes").touch()

    found = judged(f"{tmp_path}/runs/", "--keep=3")
    left = {one.name for one in (tmp_path / "runs").iterdir()}
    judged(f"{tmp_path}/runs/", "--keep=1d", "-q")

    assert found.status == 0, found.output
    assert left > {*old[2:], *others}
    assert len(left) == 6, left
    assert not [one for one in (tmp_path / "runs").iterdir() if one.name in old]
    assert {one.name for one in (tmp_path / "runs" / others[2]).iterdir()} > {"notes", "results.jsonl.gz"}


@pytest.mark.parametrize(
    ("report", "keep", "told"), [("runs/", "0", "wanted a number of runs"), ("run", "3", "end --report=")], ids=str
)
def test_what_would_remove_nothing_or_all_is_refused(report, keep, told, tmp_path):
    """--keep needs a number, and new folders beside which there are old ones."""
    found = judged(f"{tmp_path}/{report}", f"--keep={keep}")

    assert (found.status, told in found.error) == (4, True), found.output


def test_a_run_of_four_thousand_tests_is_small(tmp_path):
    """Record, page, JUnit and summary of as many tests and calls as a run of SwiftShader has: three megabytes."""
    dice, found = random.Random(7), made({})
    for number in range(4000):
        calls = [
            {"at": dice.randrange(10**9), "command": "vkImportSemaphoreFdKHR", "arguments": [94172889054304, 1, 16, 0],
             "ns": dice.randrange(10**6), "result": 0, "pid": 4711} for _ in range(15)
        ]  # fmt: skip
        name = f"suites/importing/test_strangers.py::test_a_refused_descriptor_is_left_alone[OPAQUE_FD-binary-temporary-{number}]"
        found.tests.append(line_of(name, ("pass", "unsupported", "fail")[number % 40 and number % 2], calls=calls))
    save(found, tmp_path)

    artifacts.write(tmp_path)

    sizes = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    assert sizes.keys() == {"index.html", "junit.xml", "results.jsonl.gz", "summary.md", "verdicts.json.gz"}
    assert sum(sizes.values()) < 3_000_000, sizes
