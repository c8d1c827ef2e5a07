"""Test ids stay: renamed.txt says what a test is called now, and everything that reads old names asks here."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[1] / "renamed.txt"


@cache
def names(file: Path = FILE) -> dict[str, str]:
    """Old name to the name after it; ValueError with the line that is neither a comment nor a renaming."""
    found = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        old, arrow, new = (part.strip() for part in line.partition(" -> "))
        if arrow and not line.startswith("#"):
            found[old] = new
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"{file}:{number}: a line is OLD -> NEW")
    return found


def current(test: str, file: Path = FILE) -> str:
    """What a test is called now: its whole id is looked up, then the id without its parameters, as often as it was renamed."""
    known = names(file)
    for _ in range(len(known)):
        function, bracket, parameters = test.partition("[")
        test = known.get(test) or known.get(function, function) + bracket + parameters
    return test
