"""A pytest plugin: when a test has failed or warned, other cases of its function with its rules are left out (../matrix.py)."""

import pytest

from suites.ledger import claims_of


class Once:
    """Registered late, so that it is asked before the suite's own isolation."""

    def __init__(self):
        self.seen = set()
        self.now = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self.now = item.nodeid.partition("[")[0], frozenset(claims_of(item))
        return True if self.now in self.seen else None

    def pytest_runtest_logreport(self, report):
        if report.failed or any(name == "warnings" and texts for name, texts in report.user_properties):
            self.seen.add(self.now)


def pytest_sessionstart(session):
    session.config.pluginmanager.register(Once())
