"""A pytest plugin: when a test function has failed or warned, its other cases are left out (../matrix.py)."""

import pytest


class Once:
    """Registered late, so that it is asked before the suite's own isolation."""

    def __init__(self):
        self.seen = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        return True if item.nodeid.partition("[")[0] in self.seen else None

    def pytest_runtest_logreport(self, report):
        if report.failed or any(name == "warnings" and texts for name, texts in report.user_properties):
            self.seen.add(report.nodeid.partition("[")[0])


def pytest_sessionstart(session):
    session.config.pluginmanager.register(Once())
