"""A pytest plugin: a walk that differs is told as it was found; the shortest one takes its time (../matrix.py)."""

import sys


def pytest_collection_finish():
    if walking := sys.modules.get("suites.model.walking"):  # else there are no walks
        walking.PHASES = walking.PHASES[:-1]
