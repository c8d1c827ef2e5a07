"""Writes values in C: structures, arrays, and the variables for the recorded numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

NULL = "NULL"


class Names(Protocol):
    """The variables of a process, by the recorded numbers."""

    def use(self, kind: str, number: int) -> str:
        """The variable of handle `number` of C type `kind`; VK_NULL_HANDLE for 0."""

    def make(self, kind: str) -> str:
        """A new variable for what this call makes, of C type `kind`; "int" is a descriptor."""

    def fd(self, number: int) -> str:
        """The variable of a descriptor; the number itself if it is negative, thus no descriptor."""

    def device_of(self, number: int) -> str:
        """The variable of the device of a queue or command buffer."""


Writer = Callable[..., str]
"""Takes the variables and the recorded arguments, returns the call in C without its semicolon."""


def stype(kind: str) -> str:
    """The VkStructureType of a structure."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=\d)", "_", kind.removeprefix("Vk")).upper()
    return f"VK_STRUCTURE_TYPE_{words}"


def fields(kind: str, members: dict[str, Any]) -> str:
    """A structure's braces: its sType, and the members that are not 0."""
    given = {name: value for name, value in members.items() if value not in (0, None, NULL, "VK_NULL_HANDLE")}
    return "{" + ", ".join(f".{name} = {value}" for name, value in {"sType": stype(kind), **given}.items()) + "}"


def struct(kind: str, **members: Any) -> str:
    """The address of a structure."""
    return f"&({kind}){fields(kind, members)}"


def array(kind: str, values: Sequence[Any]) -> str:
    """An array; NULL for an empty one."""
    return f"({kind}[]){{{', '.join(map(str, values))}}}" if values else NULL


def texts(values: Sequence[str]) -> str:
    """An array of strings."""
    return array("const char *", [f'"{value}"' for value in values])


def handles(it: Names, kind: str, numbers: Sequence[int]) -> str:
    """An array of the variables of these handles."""
    return array(kind, [it.use(kind, number) for number in numbers])


def chained(links: Sequence[tuple[str, dict[str, Any]]]) -> str | None:
    """The structures as a pNext chain, the last one at its head."""
    chain = None
    for kind, members in links:
        chain = struct(kind, pNext=f"(void *){chain}" if chain else None, **members)
    return chain
