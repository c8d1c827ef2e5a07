"""A pytest plugin that adds up where a run spends its time and writes the seconds to STOPWATCH (../benchmark.py)."""

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from fixtures import isolation
from fixtures.journal import Journal

spent = Counter()
ends, runs, sleeps = Journal.end, isolation._run, time.sleep


def end(journal, entry, nanoseconds, *result):
    spent["driver"] += nanoseconds / 1e9
    ends(journal, entry, nanoseconds, *result)


def sleep(seconds):
    start = time.perf_counter()
    sleeps(seconds)
    spent["driver"] += time.perf_counter() - start  # tests sleep only until a driver's work is done


def here(item):
    start = time.perf_counter()
    try:
        return runs(item)
    finally:  # a child has counters of its own
        spent["here"] += time.perf_counter() - start


Journal.end, isolation._run, time.sleep = end, here, sleep


def timed(name):
    start = time.perf_counter()
    try:
        return (yield)
    finally:
        spent[name] += time.perf_counter() - start


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    spent["cases"] += not item.get_closest_marker("skip")
    return (yield from timed("all"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_logreport():
    return (yield from timed("record"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure():
    Path(os.environ["STOPWATCH"]).write_text(json.dumps(spent))
