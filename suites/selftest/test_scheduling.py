"""Who runs which test, and when."""

from types import SimpleNamespace

import pytest

from fixtures.running import scheduling
from fixtures.running.scratch import SCRATCH
from fixtures.testbed.bench import FOUND
from suites.selftest.runs import SAMPLES, run


def session(args=(), hardware=False, unasked=True):
    """A session of two workers over a driver, whose number is the suite's choice if `unasked`."""
    stash = {FOUND: SimpleNamespace(devices=[SimpleNamespace(software=not hardware)]), scheduling.UNASKED: unasked}
    option = SimpleNamespace(tx=["popen"] * 2)
    return SimpleNamespace(config=SimpleNamespace(stash=stash, args=list(args), option=option))


class Item(str):
    """A test that is called as it is marked, with a number behind."""

    @property
    def nodeid(self):
        return self

    def get_closest_marker(self, name):
        return True if self.startswith(name) else None


class Node:
    """A worker; what it is sent goes into `sent`."""

    def __init__(self, name, sent):
        self.gateway, self.send_runtest_some = SimpleNamespace(id=name), sent.extend


@pytest.mark.limit(60)
def test_exclusive_tests_come_last():
    """Behind them what may run beside them, which every other worker takes meanwhile; in one process the others stay."""
    names = run(SAMPLES + "scheduled.py", "-n0").tests

    sorts = [name.partition("-")[0] for name in names]
    assert sorts == [*["plain"] * 16, *["isolated"] * 8, *["exclusive"] * 4, *["mocked"] * 4]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({}, 4),
        ({"hardware": True}, 2),
        ({"args": ["suites/selftest"]}, 3),
        ({"args": ["suites/selftest/test_calls.py"], "hardware": True}, 3),
        ({"unasked": False}, 2),
    ],
)
def test_where_tests_mostly_wait_are_more_workers(arguments, wanted):
    """Twice as many over a driver without hardware, one more for selftests; as many as were asked for otherwise."""
    made = session(**arguments)

    scheduling.pytest_sessionstart(made)

    assert made.config.option.tx == ["popen"] * wanted


@pytest.mark.parametrize("worker", [False, True])
def test_isolated_tests_come_first_where_workers_share(tmp_path, worker):
    """One worker begins with them, another with the end of the others; what comes last is counted."""
    items = [Item(one) for one in ("plain-0", "isolated-0", "mocked-0", "plain-1", "exclusive-0", "isolated-1")]
    config = SimpleNamespace(stash={SCRATCH: tmp_path}, **{"workerinput": {}} if worker else {})

    scheduling.pytest_collection_modifyitems(config, items)

    plain, isolated = ["plain-0", "plain-1"], ["isolated-0", "isolated-1"]
    wanted = isolated + plain if worker else ["plain-0", "isolated-0", "plain-1", "isolated-1"]
    assert items == [*wanted, "exclusive-0", "mocked-0"]
    assert (tmp_path / scheduling.LAST).read_text() == "2"


@pytest.mark.parametrize(
    ("name", "last", "wanted"),
    [("gw1", 2, [2, 3]), ("gw1", 5, [0]), ("gw1", 6, [4, 5]), ("gw2", 2, [0, 1]), ("gw2", 6, [0, 1])],
)
def test_every_other_worker_takes_the_last_tests(monkeypatch, tmp_path, name, last, wanted):
    """From the end of what comes before the last ones of all; then of those."""
    monkeypatch.setattr(
        scheduling.LoadScheduling, "__init__", lambda self, config, log: setattr(self, "config", config)
    )
    (tmp_path / scheduling.LAST).write_text(str(last))
    sent, found = [], scheduling._Even(SimpleNamespace(stash={SCRATCH: tmp_path}), None)
    node = Node(name, sent)
    found.collection, found.pending, found.node2pending = ["suites/one.py"] * 6, list(range(6)), {node: []}

    found._send_tests(node, 2)

    assert sent == wanted
    assert sorted(sent + found.pending) == list(range(6))


@pytest.mark.parametrize(("test", "most"), [("suites/selftest/test_one.py", 2), ("suites/one.py", 8)])
def test_a_worker_holds_few_of_the_selftests(monkeypatch, tmp_path, test, most):
    """While many tests are left, a worker that asks again and again is told of no more than it soon runs."""
    monkeypatch.setattr(scheduling.LoadScheduling, "__init__", lambda self, config, log: None)
    monkeypatch.setattr(scheduling._Even, "log", lambda *_: None, raising=False)
    sent, found = [], scheduling._Even(None, None)
    node = Node("gw0", sent)
    node.shutting_down = False
    found.config, found.maxschedchunk = SimpleNamespace(stash={SCRATCH: tmp_path}), 2
    (tmp_path / scheduling.LAST).write_text("0")
    found.collection, found.pending, found.node2pending = [test] * 90, list(range(90)), {node: []}

    for _ in range(20):
        found.check_schedule(node)

    assert len(sent) == most
