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
from collections import defaultdict
from pathlib import Path

import pytest

from fixtures.running import alike
from fixtures.running.scratch import SCRATCH
from fixtures.testbed import bench, patience
from fixtures.testbed.bench import FOUND
from fixtures.testbed.drivers import ROOT
from reports.diagnose import symptoms
from reports.session import recorder
from suites.ledger import claims_of
from suites.selftest.runs import SECONDS, environment, read, scratch

NOTICED = ("fail", "crash", "timeout", "warn")
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
    expected(session)
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


def become(session, folder, fault, rules, alone, factor, known=None, noticed=None):
    """Go on as the session that runs the tests of `rules` over a driver with `fault`, on one device if `alone`.

    With `noticed`, a file of test functions that have noticed some fault, it runs what may be news alone: see `_Enough`; `known`
    are the driver's verdicts without a fault, as `baseline.Baseline.known`.
    """
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
    if noticed:
        enough = _Enough(config.stash[recorder.RECORDER].records, rules, known, noticed, fault)
        session.items.sort(key=enough.place)
        config.pluginmanager.register(enough)


def function(test_id):
    """The test function of a test's id."""
    return test_id.partition("[")[0]


def is_news(key, verdict, known):
    """Whether a verdict tells of something that the driver does not do without a fault; `known` as `baseline.Baseline.known`."""
    return verdict in NOTICED and known.get(key) != verdict


_expected: dict[str, set[str]] = {}
"""Test function to the faults of its rules that it is expected to notice, by reports/diagnose/symptoms.jsonl."""


def expected(session):
    """Fill `_expected` for the tests of a session."""
    claimed = defaultdict(set)
    for item in session.items:
        claimed[function(item.nodeid)] |= {*claims_of(item)}
    for one in symptoms.library().faults:
        for name in one.fails:
            if claimed[name] & {*one.rules}:
                _expected.setdefault(name, set()).add(one.fault)


class _Enough:
    """The plugin of a fork with a `fault`, which runs tests until each of the `rules` is noticed in its `records`.

    Those that are expected to notice the fault come first.  Once each rule is noticed, tests run whose function has not
    noticed a fault yet, by the file `noticed`, and is expected to notice this one, or none.
    """

    def __init__(self, records, rules, known, noticed, fault):
        self._records, self._known, self._file, self._fault = records, known, noticed, fault
        self._left, self._read = set(rules), 0
        self._seen = {*noticed.read_text().split()} if noticed.exists() else set()
        self._cases = {
            name: cases for one in symptoms.library().faults if one.fault == fault for name, cases in one.fails.items()
        }

    def place(self, item):
        """What to sort items by: expected to fail, of a function whose other cases are, has not noticed a fault yet, has."""
        name = function(item.nodeid)
        cases = self._cases.get(name)
        if cases and (cases == symptoms.ALL or item.nodeid.removesuffix("]").endswith((*cases,))):
            return 0
        return 1 if cases else 2 + self._is_enough(name)

    def _is_enough(self, name):
        """Whether a function need not notice this fault: it has noticed one, or is expected to notice others."""
        return name in self._seen or self._fault not in _expected.get(name, {self._fault})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        for one in self._records[self._read :]:
            news = [f"breach {rule} {command}" for rule, command, _ in one.breaches]
            self._left -= {key.split()[1] for key in news if key not in self._known}
            if is_news(one.id, one.verdict, self._known):
                self._left -= {*one.rules}
                self._add(function(one.id))
        self._read = len(self._records)
        return True if not self._left and self._is_enough(function(item.nodeid)) else None

    def _add(self, name):
        if name not in self._seen:
            self._seen.add(name)
            with self._file.open("a") as file:
                file.write(f"{name}\n")


class _Fork:
    """The plugin of a fork: it leaves what the process that waits has yet to clean up."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self, config):
        shutil.rmtree(config.stash[SCRATCH])
        os._exit(0)
