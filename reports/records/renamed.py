"""Renamed tests: renamed.txt maps an old id to the new one, for whatever reads old baselines and runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[1] / "renamed.txt"


@cache
def names(file: Path = FILE) -> dict[str, str]:
    """Each old name with the name that followed it; ValueError with the line that is neither a comment nor a renaming."""
    found = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        old, arrow, new = (part.strip() for part in line.partition(" -> "))
        if arrow and not line.startswith("#"):
            found[old] = new
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"{file}:{number}: write a line as OLD -> NEW")
    return found


def current(test: str, file: Path = FILE) -> str:
    """The present id of a test: looks up the whole id, then the id without parameters, and follows every renaming."""
    known = names(file)
    for _ in range(len(known)):
        function, bracket, parameters = test.partition("[")
        test = known.get(test) or known.get(function, function) + bracket + parameters
    return test
