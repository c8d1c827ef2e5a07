"""A pytest plugin: of each test function a share of the cases, another one for each variant (../test_variants.py).

Functions that reports/baselines/portraits/ knows to fail over a variant stay whole.
"""

import zlib
from collections import defaultdict
from math import ceil

from fixtures.testbed.drivers import ROOT
from reports.records import baseline

SHARE = 1 / 4


def pytest_collection_modifyitems(config, items):
    variants, failing = config.option.variant, fails(config.option.variant)
    cases = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    kept = {item for name, found in cases.items() for item in drawn(found, " ".join(variants), name in failing)}
    items[:] = [item for item in items if item in kept]


def drawn(found, seed, whole):
    """The cases of one function that are judged, by a hash of `seed` and their ids: of those that its claims leave."""
    left = [item for item in found if not item.get_closest_marker("skip")] or found[:1]
    ordered = sorted(left, key=lambda item: zlib.crc32(f"{seed} {item.nodeid}".encode()))
    return left if whole else ordered[: ceil(len(left) * SHARE)]


def fails(variants):
    """The functions that fail over portraits among `variants`."""
    files = [ROOT / "reports" / "baselines" / "portraits" / f"{one}.txt" for one in variants]
    return {key.partition("[")[0] for file in files if file.exists() for key in baseline.read(file).known}
