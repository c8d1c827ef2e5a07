"""The folder of a run and its record: one run alone has them, and a line of the record is there whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.records.brief import KEPT, keep
from reports.records.lines import NAME, PACKED, pack, read, record_of

HERE = Path(__file__).parents[1]
RUNS = HERE / "runs"
FILES = {NAME, PACKED, KEPT, "index.html", "junit.xml", "summary.md", "resumed.jsonl"}
"""What runs leave in their folders."""
_NEW = re.compile(r"(\d{8}T\d{6}\.\d{6})-(.+)")


class Unrecorded(pytest.UsageError):  # type: ignore[misc]
    """One sentence that says why a run cannot be written down; the run ends with exit status 3.

    A UsageError, since pytest lets that alone through its own ends of a run without a traceback.
    """


class RunFile:
    """The record of a run that goes on, in `folder`; `resumes` says that a run begun earlier is there."""

    def __init__(self, folder: Path, resumes: bool = False) -> None:
        self.folder = folder
        self.is_broken = False
        self._held: list[int] = []
        try:
            self._file = self._resume() if resumes else self._begin()
        except OSError as problem:
            raise Unrecorded(f"the run cannot be written: {told(problem)}; name a folder with --report=DIR") from None

    def _begin(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_empty(self.folder)
        if there := record_of(self.folder):
            raise pytest.UsageError(f"--report {self.folder}: {_occupied(there)}")
        try:
            descriptor = self._hold(self.folder / NAME, os.O_CREAT | os.O_EXCL)
        except FileExistsError:  # another run came first just now
            raise pytest.UsageError(f"--report {self.folder}: {_occupied(self.folder / NAME)}") from None
        if (self.folder / PACKED).exists():  # and has just ended
            (self.folder / NAME).unlink()
            raise pytest.UsageError(f"--report {self.folder}: {_occupied(self.folder / PACKED)}")
        return descriptor

    def _resume(self) -> int:
        """The record of the earlier run is held, so that nobody else goes on with it, until `complete` replaces it."""
        there = record_of(self.folder)
        if there:
            self._hold(there, 0)
        return self._hold(self.folder / "resumed.jsonl", os.O_CREAT | os.O_TRUNC)

    def _hold(self, file: Path, flags: int) -> int:
        """Open a file; as long as this process lives another one that wants to write it is refused."""
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | flags, 0o666)
        self._held.append(descriptor)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise pytest.UsageError(f"--resume {self.folder}: that run is still going on") from None
        except OSError:
            pass  # a file system without locks
        return descriptor

    def complete(self) -> None:
        """What an interrupted run has left is written: from now on this is the record of both."""
        (self.folder / "resumed.jsonl").replace(self.folder / NAME)
        (self.folder / PACKED).unlink(missing_ok=True)

    def write(self, line: dict[str, Any]) -> None:
        """Append a line; `Unrecorded`, and nothing of it and of all that follow, where it does not fit."""
        if self.is_broken:
            return
        text, start = (json.dumps(line) + "\n").encode(), os.lseek(self._file, 0, os.SEEK_CUR)
        try:
            while text:
                text = text[os.write(self._file, text) :]
        except OSError as problem:
            self.is_broken = True  # without its last line it is a run that died, which --resume continues
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, start)
            if start == 0:
                discard(self.folder)
            rest = f"; --resume={self.folder} continues it" if start else ""
            raise Unrecorded(f"the run cannot be written: {told(problem, self.folder)}{rest}") from None

    def close(self) -> None:
        """Compress the record, if it fits, and let go of it."""
        if not self.is_broken:
            with contextlib.suppress(OSError, ValueError):
                pack(self.folder)
                keep(self.folder)
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()


def name_folder(wanted: str | None, slug: str) -> Path:
    """The folder that --report names; a new one in it if the name ends with a slash, in reports/runs without any name."""
    new = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{slug or 'no-device'}"
    if not wanted:
        return RUNS / new
    return Path(wanted) / new if wanted.endswith("/") else Path(wanted)


def remove_empty(folder: Path) -> None:
    """Remove the record of a run that came to its end without any test: its command line was wrong."""
    if there := record_of(folder):
        with contextlib.suppress(ValueError):
            types = {line["type"] for line in read(there)}
            if "end" in types and "test" not in types:
                there.unlink()


def parse_keep(text: str | None, report: str | None) -> tuple[int, bool] | None:
    """How many runs --keep keeps, or days (True); None for all. UsageError for what is neither, or names no new folder."""
    if text is None:
        return None
    wanted = re.fullmatch(r"([1-9]\d{0,5})(d?)", text)
    if wanted is None:
        raise pytest.UsageError(f"--keep={text}: wanted a number of runs, such as 30, or of days, such as 90d")
    if report and not report.endswith("/"):
        raise pytest.UsageError(f"--keep removes old runs beside a new folder: end --report={report} with /")
    return int(wanted[1]), bool(wanted[2])


def remove_old(folder: Path, keep: tuple[int, bool]) -> None:
    """Of the runs of one driver, beside `folder` and with it, remove the files of all but the newest, or of those too old.

    A folder that has another name than `name_folder` gives, that holds anything else or whose run is going on stays.
    """
    number, of_days = keep
    began = {one: _NEW.fullmatch(one.name) for one in sorted(folder.parent.iterdir()) if not one.is_symlink()}
    slug = folder.name.partition("-")[2]
    mine = [(one, name[1]) for one, name in began.items() if name and name[2] == slug]
    last = f"{datetime.now(UTC) - timedelta(days=number):%Y%m%dT%H%M%S.%f}"
    old = [one for one, time in mine if time < last] if of_days else [one for one, _ in mine[:-number]]
    for one in old:
        with contextlib.suppress(OSError):  # somebody else's, or just removed by another run
            files = [*one.iterdir()]
            if one != folder and {file.name for file in files} <= FILES and not _goes_on(one):
                for file in files:
                    file.unlink()
                one.rmdir()


def _goes_on(folder: Path) -> bool:
    """Whether a process writes the run."""
    try:
        with (folder / NAME).open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def discard(folder: Path) -> None:
    """Remove the record of a run without any test, and its folder if nothing else is in it."""
    with contextlib.suppress(OSError):
        for name in (NAME, PACKED, KEPT):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def _occupied(there: Path) -> str:
    try:
        is_over = any(line["type"] == "end" for line in read(there))
    except ValueError:
        is_over = False  # its first line is on its way
    what = "has a run already" if is_over else "has a run that is going on or died: --resume continues it"
    return f"{what}; name another folder, or end the name with / for a new folder in it"


def told(problem: OSError, where: Path | None = None) -> str:
    """What went wrong with which file."""
    return f"{problem.strerror or problem}: {problem.filename or where}"


def point_latest(folder: Path) -> None:
    """Let reports/latest lead to a run in reports/runs."""
    if folder.parent != RUNS:
        return
    new = HERE / f".latest-{os.getpid()}"
    new.unlink(missing_ok=True)
    new.symlink_to(folder.relative_to(HERE))
    try:
        new.replace(HERE / "latest")
    finally:
        new.unlink(missing_ok=True)
