"""Hooks that bring the facts of a run into its record; fixtures and suites implement them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookspec(firstresult=True)
def pytest_suite_facts(config: pytest.Config) -> dict[str, Any] | None:
    """Facts of the machine and its devices, as JSON values.

    `devices` and `validation_layers` are lists of dicts with a `slug`; a layer is judged like a device, but its failures
    do not fail the run. `results` has the names of results by their values as text.
    """


@pytest.hookspec(firstresult=True)
def pytest_suite_driver(device: dict[str, Any]) -> str | None:
    """The driver of one of `devices` with its version, as its vendor writes it. The record's side implements this one."""


@pytest.hookspec(firstresult=True)
def pytest_suite_ledger() -> list[dict[str, str]] | None:
    """The rules of this run: dicts with the ledger's columns, such as id, statement, strongest and source."""


@pytest.hookspec
def pytest_suite_farewell() -> list[str] | None:
    """Sentences about what went wrong after the last test, such as a crash while devices were closed."""
