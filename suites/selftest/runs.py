"""Runs of this very suite over the samples beside this file, as a user starts them: exit status, output and record.

A run happens once per session, whichever tests and workers ask for it; SwiftShader is judged unless the arguments say otherwise.
"""

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fixtures.running.processes import die_with_parent
from fixtures.testbed import bench
from fixtures.testbed.drivers import ROOT, SWIFTSHADER
from fixtures.vulkan.outcomes import unsupported
from reports.records.lines import open_text, record_of

SAMPLES = "suites/selftest/samples/"
SWIFT = (f"--driver={SWIFTSHADER}",)
SECONDS = 300
CORES = len(os.sched_getaffinity(0))
MARK = "SUITE_SELFTEST"
"""Environment variable that every process of an inner run has; its value is the run's folder."""


@dataclass(frozen=True)
class Run:
    """A finished run: its exit `status`, what it printed, and the `folder` of its record."""

    status: int
    output: str
    folder: Path

    @cached_property
    def lines(self) -> list[dict]:
        """The lines of results.jsonl."""
        return read(self.folder)

    @property
    def tests(self) -> dict[str, dict]:
        """The record of each test by its short name: what stands in the brackets of its id, or its function."""
        return {short(line["id"]): line for line in self.lines if line["type"] == "test"}

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each test by its short name."""
        return {name: record["verdict"] for name, record in self.tests.items()}

    @property
    def breaches(self) -> list[dict]:
        """The records of the breaches."""
        return [line for line in self.lines if line["type"] == "breach"]

    @property
    def error(self) -> str:
        """The one sentence of a run that could not begin; fails if there is more or less than that."""
        errors = [line for line in self.output.splitlines() if line.startswith("ERROR: ")]
        assert len(errors) == 1, f"not one sentence but:\n{self.output}"
        assert "Traceback" not in self.output, f"a traceback instead of a sentence:\n{self.output}"
        return errors[0].removeprefix("ERROR: ")


def short(test_id: str) -> str:
    """What a sample's test is called in these selftests."""
    return test_id.partition("[")[2].rstrip("]") or test_id.rpartition("::")[2]


def read(folder: Path) -> list[dict]:
    """The lines of the record in `folder`; those of a run that did not begin are none."""
    file = record_of(folder)
    if file is None:
        return []
    with open_text(file) as opened:
        return [json.loads(line) for line in opened]


def scratch(name: str) -> Path:
    """A folder that all workers of this session share and that goes with it."""
    folder = Path(bench.journal().path).parent / "selftest" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's environment without what this session put there, with the mark of an inner run.

    All inner runs share their bytecode: to compile the suite takes as long as to collect it.
    """
    left_out = ("VK_", "PYTEST_", "GITHUB_", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    shared = {"PYTHONPYCACHEPREFIX": str(scratch("bytecode"))}
    return {**kept, **shared, MARK: str(folder), "TMPDIR": str(folder), **more}


def command(*arguments: str, folder: Path, driver: tuple[str, ...] = SWIFT) -> list[str]:
    """The command line of a run that leaves its record in `folder`; in one process unless `arguments` have a -n."""
    workers = () if any(a.startswith("-n") or a == "no:xdist" for a in arguments) else ("-n0",)
    return [
        *(sys.executable, "-m", "pytest", "-o", f"cache_dir={folder / 'cache'}", *workers, f"--report={folder}"),
        *(*driver, *arguments),
    ]


def run(*arguments: str, driver: tuple[str, ...] = SWIFT, cwd: Path = ROOT, again: str = "", **variables: str) -> Run:
    """Run pytest; `variables` go into its environment, `again` tells runs apart that are otherwise alike."""
    if not SWIFTSHADER.exists():
        unsupported("the software driver SwiftShader is not set up")
    asked = repr((arguments, driver, cwd, again, sorted(variables.items())))
    folder = scratch(hashlib.sha256(asked.encode()).hexdigest()[:12])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "status").exists():
            _run(command(*arguments, folder=folder, driver=driver), folder, cwd, variables)
    return Run(int((folder / "status").read_text()), (folder / "output").read_text(), folder)


def _run(line: list[str], folder: Path, cwd: Path, variables: dict[str, str]) -> None:
    variables = environment(folder, **variables)
    with (folder / "output").open("w") as output:
        done = subprocess.run(
            line, cwd=cwd, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            timeout=SECONDS, check=False, preexec_fn=die_with_parent,
        )  # fmt: skip
    (folder / "status").write_text(str(done.returncode))


def marked(folder: Path) -> list[int]:
    """The processes of the run in `folder` that are still there."""
    wanted, found = f"{MARK}={folder}".encode(), []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and wanted in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
        except OSError:
            continue  # gone, or somebody else's
    return found


def section(output: str, title: str) -> list[str]:
    """The lines of one section of what pytest printed."""
    found = re.search(rf"^=+ {title} =+\n(.*?)(?=^=+ )", output, re.MULTILINE | re.DOTALL)
    return found[1].partition("\n\n")[0].splitlines() if found else []
