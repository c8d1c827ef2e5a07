"""Writes a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write(file: Path, content: str | bytes) -> None:
    """Put `content` into `file` in place of what it held; on an OSError, such as a full disk, it holds what it held before."""
    new = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        new.write_bytes(content.encode("utf-8", "replace") if isinstance(content, str) else content)
        new.replace(file)
    except OSError as problem:
        with contextlib.suppress(OSError):
            new.unlink()
        raise OSError(problem.errno, problem.strerror, str(file)) from None
