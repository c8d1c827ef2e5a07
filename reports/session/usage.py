"""What a command line asks for and cannot be: one sentence and exit status 4, also where a worker alone finds out.

What a worker needs and cannot write is a sentence, too, and exit status 3.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from reports.session.folder import Unrecorded, told


class Wrong(pytest.UsageError):  # type: ignore[misc]
    """One sentence about a command line that is wrong whatever driver there is."""


WRONG = pytest.StashKey[str]()
"""What is wrong with the expressions of -k or -m."""


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "exit statuses for `git bisect run`: 0 good, 1 bad, 125 not to be judged, 128 and more for an end"
    parser.getgroup("parts of a run").addoption("--bisect", action="store_true", help=told)


def for_bisect(status: int, problem: Exception | None, is_mixed: bool) -> int:
    """What `git bisect run` takes for the exit status of a run, or for the problem by which it could not begin.

    Good and bad are what the driver did. A build that gives no driver, claims too little or has mixed results is skipped; a
    wrong command line, a full disk or Ctrl-C end the search.
    """
    if isinstance(problem, (Wrong, Unrecorded)) or status == pytest.ExitCode.INTERRUPTED:
        return 128 + status
    return int(status) if status in (0, 1) and not problem and not (is_mixed and status == 0) else 125


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Before anybody looks for a driver."""
    workers = getattr(config.option, "numprocesses", None)
    if isinstance(workers, int) and workers < 0:
        raise Wrong(f"-n {workers}: wanted a number of workers, 0 for none")
    for one in () if config.option.pyargs else config.args:
        if not (Path(config.invocation_params.dir) / one.partition("::")[0]).exists():
            raise Wrong(f"{one}: there is no such file or folder")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """A worker whose -k or -m does not read has no tests: the controller must not share them out."""
    try:
        yield
    except pytest.UsageError as problem:
        config.stash[WRONG] = _sentence(problem)
        items.clear()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is wrong is one sentence; a worker hands it to the controller."""
    config, problem = session.config, None
    try:
        done = yield
    except (pytest.UsageError, OSError) as caught:
        problem, done = _problem(caught), None
    if wrong := config.stash.get(WRONG, ""):
        problem = Wrong(wrong)
    if problem and hasattr(config, "workerinput"):
        kind = "unwritten" if isinstance(problem, Unrecorded) else "wrong"
        config.workeroutput[kind] = str(problem)  # type: ignore[attr-defined]
    if problem:
        raise problem
    return done


def _problem(caught: Exception) -> pytest.UsageError:
    if isinstance(caught, OSError):
        return Unrecorded(f"the tests cannot begin: {told(caught, Path(tempfile.gettempdir()))}")
    return Wrong(_sentence(caught))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker's output tells the controller what it found."""
    output = getattr(node, "workeroutput", {})
    for name, kind in (("wrong", Wrong), ("unwritten", Unrecorded)):
        if name in output:
            raise kind(output[name])


def _sentence(problem: Exception) -> str:
    return " ".join(" ".join(map(str, problem.args)).split())
