"""Records of runs that never were: quick to make, for whatever reads records."""

import base64
import gzip
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

from fixtures.testbed.drivers import ROOT
from reports.records.runs import Run, save

TIME = "2026-11-29T02:30:00+00:00"


def made(verdicts, driver="a driver", version=7, head=None, end=None):
    """A run whose tests, by id, got `verdicts` on one device; `head` and `end` say what else its first and last line have.

    Without tests of a device it would be none of any; an `end` of {} is a run that died.
    """
    device = {
        "slug": "a-gpu", "name": "A GPU", "driver_name": driver, "driver_info": "", "driver_id": 3, "driver_version": version,
        "api_version": "1.3.0", "device_uuid": "00", "driver_uuid": "00", "pci": "", "claims": {},
    }  # fmt: skip
    first = {"type": "run", "schema": 1, "suite": "0.1", "commit": "c0ffee", "command": ["pytest"], "baseline": ""}
    first |= {"shard": "", "time": TIME, "host": "lab", "kernel": "Linux 6.1", "choice": [], "devices": [device]}
    last = {"type": "end", "exit": 0, "totals": {}, "surprises": [], "farewells": [], "whole": True, "times": []}
    return Run(
        first | {"validation_layers": [], "ledger": [], "results": {}} | (head or {}),
        [line_of(test, verdict) for test, verdict in verdicts.items()],
        [],
        {} if end == {} else last | (end or {}),
    )


def line_of(test, verdict, **more):
    """The line of one test."""
    is_bad = verdict not in ("pass", "unsupported")
    message = f"{test}: seen" if is_bad else ""
    line = {"type": "test", "id": test, "nodeid": test, "device": "a-gpu", "verdict": verdict, "message": message}
    line |= {"rules": ["SPEC-IMPORT-03"], "seconds": 0.1, "calls": [], "warnings": [], "breaches": [], "outcomes": []}
    return line | {"process": "gw0", "detail": "", "expected": "", "reason": "", "differs": ""} | more


def saved(folder, *arguments, **named):
    """The folder, with a run of `made` in it."""
    save(made(*arguments, **named), folder)
    return Path(folder)


def reports(*arguments, timeout=60):
    """`python -m reports ...`, finished."""
    line = [sys.executable, "-m", "reports", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def cost_of(*arguments):
    """(seconds of a processor, MiB of the largest process) that `python -m reports ...` takes, which ends with status 0."""
    line = [sys.executable, "-m", "reports", *map(str, arguments)]
    child = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, line
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def text_of(file):
    """What a file of a run says; of a page with its data."""
    if file.suffix == ".gz":
        return gzip.decompress(file.read_bytes()).decode()
    packed = re.search('<script id="data" type="text/plain">(.*?)</script>', file.read_text())
    return file.read_text() + (zlib.decompress(base64.b64decode(packed[1]), -15).decode() if packed else "")
