"""A pytest plugin: of each test function the first, the middle and the last case (../matrix.py)."""

from collections import defaultdict


def pytest_collection_modifyitems(items):
    cases = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    items[:] = [found[at] for found in cases.values() for at in sorted({0, len(found) // 2, len(found) - 1})]
