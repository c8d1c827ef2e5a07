"""Loads the suite's plugins; their options are in README.md."""

pytest_plugins = [
    "fixtures.plugin",
    "fixtures.isolation",
    "fixtures.scheduling",
    "fixtures.cuda",
    "fixtures.health",
    "suites.ledger",
    "suites.model.options",
    "reports.recorder",
    "reports.parts",
    "reports.terminal",
]
