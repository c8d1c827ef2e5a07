"""A pytest plugin that adds up where a run spends its time and writes the seconds to STOPWATCH (../benchmark.py)."""

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest

from fixtures.running import isolation
from fixtures.running.channels import Channel
from fixtures.vulkan.journal import Journal

spent = Counter(elsewhere=0)
ends, runs, sleeps, receives = Journal.end, isolation._run, time.sleep, Channel.receive


def end(journal, entry, nanoseconds, *result, **named):
    spent["driver"] += nanoseconds / 1e9
    ends(journal, entry, nanoseconds, *result, **named)


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


def receive(channel, seconds=None):
    start = time.perf_counter()
    try:
        return receives(channel, seconds)
    finally:
        spent["elsewhere"] += time.perf_counter() - start


Journal.end, isolation._run, time.sleep, Channel.receive = end, here, sleep, receive


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
