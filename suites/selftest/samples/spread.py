"""A pytest plugin: of each test function a few cases, whichever their parameters, and no test after a time (../symptoms.py).

`--cases=N` is how many, `--seconds=N` the time after which the tests that are left are skipped for `NO_TIME`.
"""

import hashlib
import time
from collections import defaultdict

import pytest

NO_TIME = "there was no time left"


def pytest_addoption(parser):
    parser.addoption("--cases", type=int, default=1)
    parser.addoption("--seconds", type=float, default=60)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    cases = defaultdict(list)
    for item in items:
        if not item.get_closest_marker("skip"):
            cases[item.nodeid.partition("[")[0]].append(item)
    items[:] = sorted((one for found in cases.values() for one in sorted(found, key=at)[: config.option.cases]), key=at)


def at(item):
    """A place that has nothing to do with what a test is about, and that tests which are added do not change."""
    return hashlib.sha256(item.nodeid.encode()).digest()


class Deadline:
    """Registered late, so that it is asked before the suite's own isolation."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        if time.monotonic() > self.end:
            item.add_marker(pytest.mark.skip(reason=NO_TIME))


def pytest_runtestloop(session):
    session.config.pluginmanager.register(Deadline(session.config.option.seconds))
