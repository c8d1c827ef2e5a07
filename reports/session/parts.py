"""Parts of a run: the share of one of several machines (`--shard`), and the rest of an interrupted run (`--resume`)."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from reports.records.runs import load

DONE = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parts of a run")
    group.addoption("--shard", metavar="I/N", help="run share I of N of the tests; each test is in exactly one share")
    group.addoption(
        "--resume", metavar="DIR", help="continue the interrupted run in DIR: run the tests without a verdict"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    shard = re.fullmatch(r"(\d+)/(\d+)", config.option.shard or "1/1")
    if not shard or not 1 <= int(shard[1]) <= int(shard[2]):
        raise pytest.UsageError(f"--shard {config.option.shard}: wanted I/N with I from 1 to N")
    if config.option.resume and config.option.report:
        raise pytest.UsageError("--resume continues a run in its own folder: leave --report out")
    config.stash[DONE] = frozenset(getattr(config, "workerinput", {}).get("done", ()))
    if config.option.resume and not hasattr(config, "workerinput"):
        try:
            old = load(Path(config.option.resume))
        except (OSError, ValueError) as problem:
            raise pytest.UsageError(f"--resume {config.option.resume}: {problem}") from None
        config.stash[DONE] = frozenset(test["nodeid"] for test in old.tests if test["verdict"] != "error")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["done"] = sorted(node.config.stash[DONE])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    done, (share, shares) = config.stash[DONE], map(int, (config.option.shard or "1/1").split("/"))
    kept = [item for item in items if item.nodeid not in done and _share(item, shares) == share - 1]
    if len(kept) < len(items):
        left_out = set(items) - set(kept)
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = kept


def _share(item: pytest.Item, shares: int) -> int:
    """The share of a test, from its id without the device alone: it is the same on every machine."""
    name = str(dict(item.user_properties).get("id", item.nodeid))
    return zlib.crc32(name.encode()) % shares
