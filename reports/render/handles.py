"""The handles of a test by small numbers: `semaphore 1` is the first VkSemaphore that it has."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

from reports.records.lines import Line

Key = tuple[Any, str, int]
"""Process, type and number of a handle: each process has numbers of its own."""


class _Object(NamedTuple):
    """A name, that of the object of which it was made ("": unknown), and whether it was destroyed."""

    name: str
    parent: str
    is_gone: bool = False


class Handles:
    """The names of the handles of a test; `begin` each call before its handles are named.

    What is made with the number of an older object has a name of its own, so that the two are told apart.
    """

    def __init__(self) -> None:
        self._known: dict[Key, _Object] = {}
        self._replaced: dict[Key, tuple[str, int]] = {}  # names that the makers of newer objects took over, and when
        self._count: Counter[str] = Counter()
        self._call: Line = {}

    def begin(self, call: Line) -> None:
        """`call` is told now."""
        self._call = call

    def forget(self) -> None:
        """Calls are left out here: they may have made anew what was destroyed before."""
        self._known = {key: one for key, one in self._known.items() if not one.is_gone}

    def use(self, kind: str, number: int) -> str:
        """The name of a handle; TypeError for what is none."""
        if number == 0:
            return "VK_NULL_HANDLE"
        found = self._known.get(self._key(kind, number)) or self._new(kind, number, "")
        return f"{found.name} (destroyed)" if found.is_gone else found.name

    def make(self, kind: str, number: int, parent: str) -> str:
        """The name of a new object of `parent`; that of the known one if the call only gets it."""
        if number == 0:
            return "VK_NULL_HANDLE"
        key = self._key(kind, number)
        found = self._known.get(key)
        if found and not found.is_gone:
            if self._call["command"].startswith(("vkGet", "vkEnumerate")) and found.parent in ("", parent):
                return found.name
            self._replaced[key] = found.name, self._call.get("at", 0) + self._call["ns"]
        return self._new(kind, number, parent).name

    def end(self, kind: str, number: int) -> str:
        """The name of an object that this call destroys.

        If another thread made a new one with its number meanwhile, it is the older one.
        """
        name, key = self.use(kind, number), self._key(kind, number)
        if key in self._replaced and self._call.get("at", 0) <= self._replaced[key][1]:
            return self._replaced.pop(key)[0]
        if key in self._known:
            self._known[key] = self._known[key]._replace(is_gone=True)
        return name

    def _key(self, kind: str, number: int) -> Key:
        if not isinstance(number, int):
            raise TypeError(f"{number!r} is no handle")
        return self._call.get("pid"), kind, number

    def _new(self, kind: str, number: int, parent: str) -> _Object:
        word = re.sub(r"(KHR|EXT)$", "", kind.removeprefix("VkDevice" if kind == "VkDeviceMemory" else "Vk"))
        word = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).lower()
        self._count[word] += 1
        made = self._known[self._key(kind, number)] = _Object(f"{word} {self._count[word]}", parent)
        return made
