"""Loads the suite's plugins; their options are in README.md."""

pytest_plugins = [
    "fixtures.plugin",
    "fixtures.isolation",
    "fixtures.cuda",
    "fixtures.health",
    "suites.ledger",
    "reports.recorder",
    "reports.parts",
    "reports.terminal",
]
