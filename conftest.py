"""Loads the suite's plugins; their options are in README.md."""

pytest_plugins = [
    "fixtures.running.plugin",
    "fixtures.running.fixtures",
    "fixtures.running.chosen",
    "fixtures.running.isolation",
    "fixtures.running.scheduling",
    "fixtures.testbed.cuda",
    "fixtures.testbed.health",
    "suites.ledger",
    "suites.model.options",
    "reports.session.usage",
    "reports.session.recorder",
    "reports.session.parts",
    "reports.session.terminal",
    "reports.session.interrupted",
]
