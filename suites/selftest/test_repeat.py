"""Every command that a run prints, pasted into a clean shell, repeats the verdict that it was printed for."""

import os
import re
import subprocess

import pytest

from fixtures.testbed.drivers import ROOT, SWIFTSHADER
from suites.selftest.runs import MARK, SAMPLES, read, run

pytestmark = pytest.mark.limit(110)
LINE = re.compile(r"^(\w+)  .*?\n(?:      .*\n)*?      repeat: (.*)$", re.MULTILINE)
"""A failure on the terminal: its verdict, and the command."""


def pasted(line, folder):
    """The verdicts of tests and violations when a printed command runs in a shell with nothing but a PATH; its output."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), MARK: str(folder)}
    line = f"{line} --report={folder} -o cache_dir={folder}"
    done = subprocess.run(line, shell=True, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    return {one["verdict"] for one in read(folder) if one["type"] in ("test", "breach")}, done.stdout + done.stderr


def shown(output):
    """(verdict, command) of each failure and violation that the terminal shows in full."""
    return LINE.findall(output)


@pytest.fixture(scope="module")
def commands():
    """Verdict to the first command printed for it, of a run over a driver that the environment named."""
    files = [f"{SAMPLES}{name}.py" for name in ("verdicts", "breaches", "trouble")]
    found = run(*files, "-n2", driver=(), VK_DRIVER_FILES=str(SWIFTSHADER))
    return dict(reversed(shown(found.output)))


@pytest.mark.parametrize("verdict", ["fail", "crash", "timeout"])
def test_a_failure_repeats(commands, tmp_path, verdict):
    """What fails, crashes, hangs or breaks a rule does so again, on the driver that the environment had named."""
    verdicts, output = pasted(commands[verdict], tmp_path)

    assert verdict in verdicts, output
    assert f"driver {SWIFTSHADER};" in output


def test_a_walk_repeats(tmp_path):
    """The command of a failed walk walks it again, and nothing else."""
    found = run("suites/model", "-n0", "-k", "around", "--walk-seed=2", "--fault=permanent-imports-are-temporary")
    command = next(command for _, command in shown(found.output) if "--walk-replay=" in command)

    verdicts, output = pasted(command, tmp_path)

    assert "fail" in verdicts, output


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_ids_without_the_device_select(workers):
    """An id as page, warnings and baselines print it names one test of each device; a device in it is allowed."""
    names = ["[OPAQUE_FD-binary]", "[ideal-0-OPAQUE_FD-timeline]"]
    test = "suites/permanence/test_temporary.py::test_an_export_is_of_the_temporary_payload"

    found = run(*(test + one for one in names), "suites/exporting/test_unused.py", workers, driver=("--reference",))

    mine = [
        line["nodeid"].partition("[")[2] for line in found.lines if line["type"] == "test" and test in line["nodeid"]
    ]
    assert sorted(mine) == ["ideal-0-OPAQUE_FD-binary]", "ideal-0-OPAQUE_FD-timeline]"]
    assert len([line for line in found.lines if line["type"] == "test"]) > len(mine), "the file was left out"
