"""Parts of a run: shards, interrupted runs that continue, several machines on one page, and records without names."""

import json
import platform
import shutil
import subprocess
import sys

import pytest

from fixtures.testbed.drivers import ROOT
from reports.records.lines import open_text
from reports.records.runs import Run, load, save
from suites.selftest.browser import browser
from suites.selftest.records import line_of, made, reports, text_of
from suites.selftest.runs import SAMPLES, SWIFT, run

pytestmark = pytest.mark.limit(60)
QUICK = (SAMPLES + "endless.py", "-n2", "-k", "quick")


def merged(folder, *runs):
    """`python -m reports merge`, and the run that it makes; exit status 1 where a part of it is missing."""
    done = reports("merge", *runs, "-o", folder)
    assert done.returncode == bool(done.stderr), done.stderr
    return load(folder)


def verdicts(found: Run):
    return {(test["device"], test["id"]): test["verdict"] for test in found.tests}


def test_shards_are_the_whole(tmp_path):
    """Each test is in one of three shards, and merged they are one column with the verdicts of a whole run."""
    shards = [load(run(*QUICK, f"--shard={share}/3").folder) for share in (1, 2, 3)]
    whole = load(run(*QUICK).folder)

    together = merged(tmp_path, *(run(*QUICK, f"--shard={share}/3").folder for share in (1, 2, 3)))

    sizes = [len(shard.tests) for shard in shards]
    assert sum(sizes) == len(whole.tests) == 40
    assert min(sizes) > 4, f"shards of {sizes} tests"
    assert verdicts(together) == verdicts(whole)
    assert [device["slug"] for device in together.devices] == ["swiftshader"]
    assert (together.end["exit"], together.end["totals"]) == (0, {"pass": 40})


@pytest.mark.parametrize("share", ["0/2", "3/2", "one", "1/0"])
def test_a_shard_that_is_none(share):
    """One sentence, and no run."""
    found = run(*QUICK, f"--shard={share}")

    assert found.status == 4
    assert found.error == f"--shard {share}: wanted I/N with I from 1 to N"


def test_devices_are_columns(tmp_path):
    """Two drivers make a page with a column each, with the command that repeats a test on its own driver."""
    passes = (SAMPLES + "verdicts.py", "-n0", "-k", "test_passes")
    swift, reference = run(*passes), run(*passes, driver=("--reference",))

    found = merged(tmp_path, swift.folder, reference.folder)

    slugs = ["swiftshader", "ideal-0", "ideal-1"]
    assert sorted(device["slug"] for device in found.devices) == sorted(slugs)
    assert [found.repeat(test).split()[2].partition("=")[0] for test in found.tests] == [
        "--driver",
        "--reference",
    ]
    with browser() as page:
        page.show(tmp_path / "index.html")
        assert [page.js("SLUGS.length"), page.js("document.querySelectorAll('article').length")] == [3, 3]


def test_one_driver_on_two_machines_is_two_columns(tmp_path):
    """Runs with the same tests are told apart, by the machine's name where there is one."""
    one = run(*QUICK)
    other = load(one.folder)
    other.head["host"] = "elsewhere"
    save(other, tmp_path / "other")

    found = merged(tmp_path / "both", one.folder, tmp_path / "other")
    other.head |= {"host": one.lines[0]["host"], "time": "another night"}
    save(other, tmp_path / "another")
    again = merged(tmp_path / "again", one.folder, tmp_path / "another")

    assert [device["slug"] for device in found.devices] == ["swiftshader", "swiftshader@elsewhere"]
    assert (len(found.tests), len(again.tests), len(again.devices)) == (80, 80, 2)
    for run_of_40 in (found.tests[:40], found.tests[40:]):
        assert len({test["process"].partition("/")[0] for test in run_of_40}) == 1, "processes of two runs share a name"


def test_a_layer_is_no_device_when_merged(tmp_path):
    """Two runs' results of one validation layer are two columns, each told as a layer."""
    layer = {"slug": "layer-1.4", "driver_name": "a layer"}
    for night in ("one", "another"):
        one = made({}, head={"devices": [], "validation_layers": [layer], "host": "here", "time": night})
        one.tests = [line_of("a", "pass", device="layer-1.4")]
        save(one, tmp_path / night)

    found = merged(tmp_path / "both", tmp_path / "one", tmp_path / "another")

    assert found.devices == []
    assert [told["slug"] for told in found.head["validation_layers"]] == ["layer-1.4", "layer-1.4@here"]
    assert [test["device"] for test in found.tests] == ["layer-1.4", "layer-1.4@here"]


def test_a_merged_run_with_one_that_died_has_no_end(tmp_path):
    """It must not look as if it had come to its end."""
    one = load(run(*QUICK).folder)
    save(Run(one.head, one.tests[:5]), tmp_path / "died")

    found = merged(tmp_path / "both", run(*QUICK, "--shard=1/3").folder, tmp_path / "died")

    assert found.end == {}


def interrupted(folder):
    """The record of a run that was killed in the middle of a line after ten tests."""
    with open_text(run(*QUICK).folder / "results.jsonl.gz") as file:
        lines = file.readlines()
    folder.mkdir()
    (folder / "results.jsonl").write_text("".join(lines[:11]) + lines[11][:30])
    return [json.loads(line) for line in lines[1:11]]


def resumed(folder, *arguments):
    line = [sys.executable, "-m", "pytest", *SWIFT, *QUICK, f"--resume={folder}", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)


def test_an_interrupted_run_goes_on(tmp_path):
    """Only what has no verdict runs; what was there stays, and record and last line are those of a whole run."""
    before = interrupted(tmp_path / "run")

    done = resumed(tmp_path / "run")

    found = load(tmp_path / "run")
    assert (done.returncode, "40 passed" in done.stdout) == (0, True), done.stdout
    assert [test | {"process": ""} for test in found.tests[:10]] == [test | {"process": ""} for test in before]
    assert {test["process"] for test in found.tests[:10]} & {test["process"] for test in found.tests[10:]} == set()
    assert (len(found.tests), found.end["totals"]) == (40, {"pass": 40})
    assert len(found.head["resumed"]) == 1
    assert (tmp_path / "run" / "index.html").exists()


def test_a_run_that_ended_goes_on_with_what_has_no_verdict(tmp_path):
    """A part of the tests becomes all of them: the record is compressed before and after."""
    part = run(*QUICK, f"--deselect={SAMPLES}endless.py::test_quick[swiftshader-1")
    (tmp_path / "run").mkdir()
    shutil.copy(part.folder / "results.jsonl.gz", tmp_path / "run")

    done = resumed(tmp_path / "run")

    assert done.returncode == 0, done.stdout
    assert len(load(tmp_path / "run").tests) == 40 > len(part.tests)
    assert sorted(file.suffix for file in (tmp_path / "run").iterdir()) == [".gz", ".gz", ".html", ".md", ".xml"]


def test_a_run_goes_on_with_its_own_driver_only(tmp_path):
    """One sentence names both; the record is left as it was."""
    interrupted(tmp_path / "run")
    text = (tmp_path / "run" / "results.jsonl").read_text().replace('"driver_version": 20971520', '"driver_version": 1')
    (tmp_path / "run" / "results.jsonl").write_text(text)

    done = resumed(tmp_path / "run")

    assert done.returncode == 4, done.stdout
    assert "that run judged" in done.stdout + done.stderr
    assert (tmp_path / "run" / "results.jsonl").read_text() == text


def test_there_has_to_be_a_run_to_go_on_with(tmp_path):
    """One sentence for a folder without a record."""
    done = resumed(tmp_path)

    assert done.returncode == 4
    assert f"--resume {tmp_path}: " in done.stdout + done.stderr


def test_an_anonymous_run_names_nobody():
    """Neither this machine nor the device's UUIDs: not in the terminal, not in any file of the run."""
    arguments = (SAMPLES + "verdicts.py", "-n0", "-k", "test_passes or test_lacks")
    named, anonymous = run(*arguments), run(*arguments, "--anonymous", VK_LAYER_PATH=f"/home/{platform.node()}/x")

    device = named.lines[0]["devices"][0]
    secrets = [device["device_uuid"], device["driver_uuid"], f"/{platform.node()}/"]
    files = [file for file in anonymous.folder.iterdir() if file.suffix in (".gz", ".html", ".md", ".xml")]
    texts = [anonymous.output, *map(text_of, files)]
    assert len(texts) == 6
    assert not [secret for secret in secrets for text in texts[1:] if secret in text and secret.strip("0")]
    assert device["device_uuid"] not in texts[0]
    assert anonymous.lines[0]["host"] == "(left out)"
    assert anonymous.verdicts == named.verdicts
