"""A pytest that has collected and waits; each request is judged in a fork of it, which saves start and collection.

`Warm` is the side of who asks, the rest a plugin of the pytest that waits.
"""

import gc
import math
import multiprocessing.connection
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from fixtures.running import alike
from fixtures.running.isolation import SCRATCH
from fixtures.testbed import bench, patience
from fixtures.testbed.bench import FOUND
from fixtures.testbed.drivers import ROOT
from reports.session import recorder
from suites.ledger import claims_of
from suites.selftest.runs import SECONDS, environment, read, scratch

SOCKET = "SUITE_WARM"
"""Environment variable with the number of the socket through which requests come."""


class Warm:
    """A pytest over one driver that waits for requests; `arguments` as on its command line."""

    def __init__(self, *arguments: str) -> None:
        self._mine, theirs = multiprocessing.connection.Pipe()
        self._folder = folder = scratch(f"warm-{os.getpid()}-{id(self)}")
        line = [sys.executable, "-m", "pytest", "-n0", "-qq", "-p", __name__, f"--report={folder}", *arguments]
        variables = environment(folder, **{SOCKET: str(theirs.fileno())})
        with (folder / "output").open("w") as output:
            self._process = subprocess.Popen(
                line, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
            )  # fmt: skip
        theirs.close()

    def judge(self, folder: Path, **asked: object) -> list[dict]:
        """Run what is `asked` (see `become`) and leave its record in `folder`; returns the lines of the record."""
        self._mine.send({"folder": folder, **asked})
        ended, lines = self._mine.recv(), read(folder)
        if not ended or not lines or lines[-1]["type"] != "end":
            text = (self._folder / "output").read_text()[-2000:]
            raise RuntimeError(f"{asked}: the run died or did not end in {SECONDS} s\n{text}")
        return lines


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session):
    """Fork for each request; the fork goes on with the session, this process without any test when nobody asks any more."""
    asking = multiprocessing.connection.Connection(int(os.environ[SOCKET]))
    gc.freeze()
    while asked := _next(asking):
        child = os.fork()
        if child == 0:
            asking.close()
            become(session, **asked)
            break
        asking.send(_ends(child))
    else:
        session.items.clear()
    return (yield)


def _next(asking):
    try:
        return asking.recv()
    except EOFError:
        return None


def _ends(child):
    """Whether the process ends in time; it is ended otherwise."""
    deadline = time.monotonic() + SECONDS
    ends = bool(multiprocessing.connection.wait([pidfd := os.pidfd_open(child)], deadline - time.monotonic()))
    os.close(pidfd)
    if not ends:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return ends


def become(session, folder, fault, rules, alone, factor):
    """Go on as the session that runs the tests of `rules` over a driver with `fault`, on one device if `alone`."""
    config = session.config
    config.option.report, config.option.fault, bench.fault, patience.factor = str(folder), fault, fault, factor
    alike.HURRY = math.inf  # each test is judged in full, in the process of those before, on a busy machine as well
    config.stash[SCRATCH] = config.pluginmanager.get_plugin("isolation").scratch = Path(tempfile.mkdtemp(dir=folder))
    if alone:
        del config.stash[FOUND].devices[1:]
    session.items[:] = [one for one in session.items if set(rules) & set(claims_of(one))]
    config.pluginmanager.unregister(name="recorder")
    recorder.artifacts.write = lambda folder: None  # nobody reads the page
    recorder.pytest_sessionstart(session)
    config.pluginmanager.register(_Fork())


class _Fork:
    """The plugin of a fork: it leaves what the process that waits has yet to clean up."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config):
        shutil.rmtree(config.stash[SCRATCH])
        os._exit(0)
