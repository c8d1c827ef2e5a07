"""Who runs which test, and when."""

from types import SimpleNamespace

import pytest

from fixtures import scheduling
from fixtures.plugin import FOUND
from suites.selftest.runs import SAMPLES, run

HARDWARE, SOFTWARE = ([SimpleNamespace(software=software, manifest="")] for software in (False, True))


def judging(devices):
    """A configuration under which `devices` are judged."""
    return SimpleNamespace(stash={FOUND: SimpleNamespace(devices=devices)})


class Item(str):
    """A test that is called as it is marked, with a number behind."""

    def get_closest_marker(self, name):
        return True if self.startswith(name) else None


class Node:
    """A worker; what it is sent goes into `sent`."""

    def __init__(self, name, sent):
        self.gateway, self.send_runtest_some = SimpleNamespace(id=name), sent.extend


@pytest.mark.limit(60)
def test_exclusive_tests_come_last():
    """By turns with those that may run beside them; a software driver's others stay as they are."""
    names = run(SAMPLES + "scheduled.py").tests

    sorts = [name.partition("-")[0] for name in names]
    assert sorts == [*["plain"] * 16, *["isolated"] * 8, *["mocked", "exclusive"] * 4]


def test_on_hardware_exclusive_tests_come_between_isolated_and_others():
    """One worker begins with isolated tests, and meets the other in the middle."""
    items = [Item(one) for one in ("plain-0", "isolated-0", "exclusive-0", "plain-1", "mocked-0", "isolated-1")]

    scheduling.pytest_collection_modifyitems(judging(HARDWARE), items)

    assert items == ["isolated-0", "isolated-1", "exclusive-0", "mocked-0", "plain-0", "plain-1"]


@pytest.mark.parametrize(
    ("devices", "name", "wanted"),
    [(HARDWARE, "gw1", [4, 5]), (HARDWARE, "gw2", [0, 1]), (SOFTWARE, "gw1", [0, 1])],
    ids=["odd", "even", "software"],
)
def test_every_other_worker_of_hardware_takes_the_last_tests(monkeypatch, devices, name, wanted):
    """The others, and all workers of a software driver, take the first."""
    monkeypatch.setattr(
        scheduling.LoadScheduling, "__init__", lambda self, config, log: setattr(self, "config", config)
    )
    sent, found = [], scheduling._Even(judging(devices), None)
    node = Node(name, sent)
    found.collection, found.pending, found.node2pending = ["suites/one.py"] * 6, list(range(6)), {node: []}

    found._send_tests(node, 2)

    assert sent == wanted
