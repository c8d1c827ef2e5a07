"""Hooks by which a run's facts reach the record: reports read records, never drivers or suites."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookspec(firstresult=True)
def pytest_suite_facts(config: pytest.Config) -> dict[str, Any] | None:
    """Facts of the machine and its devices, as JSON values.

    `devices` is a list of dicts with a `slug`, `validation_layers` one of what is judged apart from
    them, `results` has the names of results by their values as text.
    """


@pytest.hookspec(firstresult=True)
def pytest_suite_ledger() -> list[dict[str, str]] | None:
    """The rules of this run: dicts with id, statement, strongest and source."""


@pytest.hookspec
def pytest_suite_farewell() -> list[str] | None:
    """Sentences about what went wrong when all verdicts were out, such as a crash while devices were closed."""
