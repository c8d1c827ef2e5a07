"""A run that is asked to stop, by Ctrl-C or by SIGTERM, as CI sends it at its limit: it writes its page and says how to go on."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from reports.records.runs import short
from reports.session.recorder import RECORDER

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if RECORDER in session.config.stash:
        session.config.pluginmanager.register(Interrupted(session.config), "interrupted")


class Interrupted:
    """Handles the signals of a run that is recorded: the first ends its tests, the second ends it without a page."""

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._number = config, 0
        self._earlier = {number: signal.signal(number, self._stop) for number in SIGNALS}

    def _stop(self, number: int, frame: FrameType | None) -> None:
        for one in SIGNALS:
            signal.signal(one, self._leave)
        for pid in _children():  # workers that hang in a driver keep the page waiting
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        self._number = number
        raise KeyboardInterrupt(signal.Signals(number).name)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        os.write(2, f"\ninterrupted again: the run has no page; it goes on with\n{self._again()}\n".encode())
        os._exit(pytest.ExitCode.INTERRUPTED)

    def _again(self) -> str:
        """The command that runs what this run has not."""
        folder = short(self._config.stash[RECORDER].folder)
        return shlex.join([".venv/bin/pytest", *_chosen(self._config.invocation_params.args), f"--resume={folder}"])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._number:
            terminalreporter.write_line(f"go on: {self._again()}")

    def pytest_unconfigure(self) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)


def _children() -> list[int]:
    """The processes that this one started, as far as the kernel tells."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _chosen(arguments: tuple[Any, ...]) -> Iterator[str]:
    """A command line without what names the folder of its run."""
    words = map(str, arguments)
    for word in words:
        if word in ("--report", "--resume"):
            next(words, None)
        elif not word.startswith(("--report=", "--resume=")):
            yield word
