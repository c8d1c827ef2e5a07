"""Recorded calls as people read them: names of parameters, enumerants and results, and a small number for each handle.

`tell` makes what page and JUnit show of the calls of a test, such as
`vkImportSemaphoreFdKHR(device 1, semaphore 3, OPAQUE_FD, fd 16, TEMPORARY) = VK_SUCCESS`. What a record says in no known way
is shown as it is: other versions of the suite have written it.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from reports.records.lines import Line
from reports.records.signatures import ENUMERANTS, SIGNATURES, UNKNOWN, Parameter, bits_of, is_handle
from reports.render.handles import Handles

UNTOUCHED = (0, -1, -12345)
"""What the output of a failed call has if the driver left it alone; the last is what the suite puts there."""
HIGHEST = {2**64 - 1: "UINT64_MAX", 2**63 - 1: "INT64_MAX"}
FAMILIES = {2**32 - 1: "IGNORED", 2**32 - 2: "EXTERNAL", 2**32 - 3: "FOREIGN"}
TIMES = {"s": 10**9, "ms": 10**6, "µs": 10**3, "ns": 1}
SIZES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "bytes": 1}
OBVIOUS = ("semaphores", "fences", "batches")
"""Parameters whose arguments say what they are."""
ODD = (TypeError, ValueError, AttributeError, OverflowError, IndexError)
"""What is raised where an argument is not what its parameter says."""


class Told(NamedTuple):
    """A call as text; when it began and how long it took in nanoseconds, None where that is unknown; and whether it failed."""

    at: int | None
    text: str
    ns: int | None
    pid: int | None
    is_bad: bool


def tell(calls: Sequence[Line], results: Mapping[str, str]) -> list[Told]:
    """The calls of a test as text; `results` has the names of results by their values, as the first line of a run."""
    teller = _Teller(results)
    return [teller.tell(call) for call in calls]


class _Teller:
    """Tells the calls of a test one after the other."""

    def __init__(self, results: Mapping[str, str]) -> None:
        self._results = results
        self._handles = Handles()
        self._binary: set[str] = set()  # names of semaphores that have no values

    def tell(self, call: Line) -> Told:
        """A call, or an entry that stands for some that were left out."""
        if "command" not in call:
            self._handles.forget()
            return Told(None, f"{call['dropped']} calls are left out", None, None, False)
        command, result, ns = call["command"], call.get("result"), call["ns"]
        self._handles.begin(call)
        given = call.get("arguments", [])
        told = self._arguments(command, list(given) if isinstance(given, list) else [given])
        text = f"{command}({', '.join(told)})" if command not in MARKS else " ".join([MARKS[command], *told[-1:]])
        is_bad = ns is None or (isinstance(result, int) and result < 0)
        if ns is None:
            text += " did not return"
        elif result is not None:
            text += f" = {self._results.get(str(result), result)}"
        if "value" in call and not (is_bad and call["value"] in UNTOUCHED):
            text += f" -> {self._output(call, is_bad, told)}"
        if call.get("times", 1) != 1:
            text += f" ({call['times']} times)"
        return Told(call.get("at"), text, ns if command.startswith("vk") else None, call.get("pid"), is_bad)

    def _arguments(self, command: str, given: list[Any]) -> list[str]:
        """The arguments as text, without those at their defaults."""
        named = given.pop() if given and isinstance(given[-1], dict) else {}
        parameters = SIGNATURES.get(command, UNKNOWN).parameters
        told = [self._argument(*pair) for pair in zip(parameters, given, strict=False)]
        told += [_as_it_is(value) for value in given[len(parameters) :]]
        if named:
            by_name = {_letters(one.name): one for one in parameters}
            told += [
                self._argument(by_name.get(_letters(key), Parameter("", key, "")), one) for key, one in named.items()
            ]
        try:
            if command.startswith(("vkDestroy", "vkFree")):
                told[-1] = self._handles.end(parameters[-1].kind, given[-1])
            elif command == "vkWaitSemaphores":
                told[1:3] = [f"[{', '.join(self._points(given[1], given[2], '>='))}]"]
        except ODD:
            pass  # as they are, then
        return [text for text in told if text]

    def _argument(self, parameter: Parameter, value: Any) -> str:
        """An argument with its parameter's name, if it does not say itself what it is; "" if it is at its default."""
        kind, name, default = parameter
        if default and (value is None or value is False or value == [] or str(value) == default):
            return ""
        if kind == "bool" and value is True:
            return name
        try:
            text, is_plain = self._spell(kind, name, value)
            return text if is_plain or name in OBVIOUS else f"{name} {text}"
        except ODD:
            return f"{name} {_as_it_is(value)}"

    def _spell(self, kind: str, name: str, value: Any) -> tuple[str, bool]:
        """A value by its kind, and whether it says what it is."""
        if kind.endswith("[]") or (isinstance(value, list) and bits_of(kind) in ENUMERANTS):
            return f"[{', '.join(self._spell(kind.removesuffix('[]'), name, one)[0] for one in value)}]", False
        if bits_of(kind) in ENUMERANTS:
            text, is_named = enumerant(bits_of(kind), value)
            return text, is_named and kind in ENUMERANTS
        if is_handle(kind):
            return self._handles.use(kind, value), name.lower() in kind.lower()
        if kind == "batch":
            return self._batch(*value), True
        if kind == "imported":
            return f"{enumerant('VkExternalMemoryHandleTypeFlagBits', value[0])[0]} fd {value[1]:d}", False
        if kind == "image":
            return f"{self._handles.use('VkSwapchainKHR', value[0])} imageIndex {value[1]:d}", True
        return SPELLERS.get(kind, _as_it_is)(value), kind in PLAIN

    def _batch(
        self, waits: Sequence[int], commands: Sequence[int], signals: Sequence[int],
        wait_values: Sequence[int] | None = None, signal_values: Sequence[int] | None = None,
    ) -> str:  # fmt: skip
        """A batch: what it waits for, runs and signals."""
        runs = [self._handles.use("VkCommandBuffer", one) for one in commands]
        parts = {
            "wait": self._points(waits, wait_values, ">="),
            "run": runs,
            "signal": self._points(signals, signal_values, "="),
        }
        return "{" + "; ".join(f"{name} {', '.join(ones)}" for name, ones in parts.items() if ones) + "}"

    def _points(self, semaphores: Sequence[int], values: Sequence[int] | None, sign: str) -> list[str]:
        """Semaphores with their values; the 0 that stands for a binary one's is left out."""
        names = [self._handles.use("VkSemaphore", one) for one in semaphores]
        if not values:
            return names
        if len(values) != len(names):
            return [*names, f"with {len(values)} values: {', '.join(map(_number, values))}"]
        pairs = zip(names, values, strict=True)
        return [
            name if value == 0 and name in self._binary else f"{name} {sign} {_number(value)}" for name, value in pairs
        ]

    def _output(self, call: Line, is_bad: bool, told: list[str]) -> str:
        """What a call with the arguments `told` gave: an object, a descriptor, a number."""
        value, gives = call["value"], SIGNATURES.get(call["command"], UNKNOWN).gives
        try:
            if not is_handle(gives):
                return SPELLERS[gives](value) if gives in SPELLERS else f"{gives} {_as_it_is(value)}".strip()
            if is_bad:
                return hex(value)
            name = self._handles.make(gives, value, told[0])
            if gives == "VkSemaphore" and "TIMELINE" not in told:
                self._binary.add(name)
            return name
        except ODD:
            return _as_it_is(value)


@cache
def enumerant(kind: str, value: int) -> tuple[str, bool]:
    """An enumerant or several bits by their names, and whether all of it has names."""
    names, left = ENUMERANTS[kind], value
    told: list[str] = []
    if value in names:
        return names[value], True
    for bit, name in names.items() if "FlagBits" in kind and value > 0 else ():
        if value & bit:
            told, left = [*told, name], left & ~bit
    unnamed = [hex(left) if left > 9 else str(left)] if left or not told else []
    return "|".join(told + unnamed), not unnamed


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _as_it_is(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> str:
    return HIGHEST.get(value) or _as_it_is(value)


def _time(nanoseconds: int) -> str:
    """A timeout, exact."""
    if nanoseconds == 0 or nanoseconds in HIGHEST:
        return _number(nanoseconds)
    units = (one for one in TIMES.items() if nanoseconds * 1000 % one[1] == 0 and nanoseconds >= one[1])
    unit, size = next(units, ("ns", 1))
    whole, rest = divmod(nanoseconds, size)
    return f"{whole}.{rest * 1000 // size:03d}".rstrip("0").rstrip(".") + f" {unit}"


def _size(size: int) -> str:
    units = (one for one in SIZES.items() if size % one[1] == 0 and size >= one[1])
    unit, one = next(units, ("bytes", 1))
    return f"{size // one} {unit}"


SPELLERS: dict[str, Callable[[Any], str]] = {
    "base64": lambda content: f"{len(content.rstrip('=')) * 3 // 4} bytes",
    "bool": lambda value: "true" if value else "false",
    "family": lambda index: FAMILIES.get(index, str(index)),
    "fd": lambda number: f"fd {number:d}",
    "names": lambda names: f"[{', '.join(names)}]",
    "ns": _time,
    "number": _number,
    "queue": lambda family: f"{family[1]:d} of family {family[0]:d}",
    "signal": lambda number: signal.Signals(number).name,
    "size": _size,
    "text": str,
    "version": lambda version: f"{version >> 22 & 127}.{version >> 12 & 1023}.{version & 4095}",
}
"""How values are written, by their kinds."""
PLAIN = ("base64", "fd", "signal", "size", "text")
"""The kinds of values that say what they are."""
MARKS = {"teardown": "the test is over", "warn": "warning:", "breach": "violation:"}
"""What stands between the calls and is none, by what people call it."""
