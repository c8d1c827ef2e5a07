"""A failure as a C program: the recorded calls in their order, and the check that failed.

`write` takes the first line of a run and a test's record and returns the program, which needs libvulkan and libc alone. Each
process of the test becomes a function; of the functions in `reproducer.c` and `foreign.c` it gets those that it uses.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from reports.reproduce.c_calls import COMMANDS, QUERIES, RESULTLESS
from reports.reproduce.c_steps import STEPS
from reports.reproduce.checks import LOOKS, Call, Check, Unable, find_check, of_breach

LEAST = 2_000_000_000
"""Nanoseconds that a successful wait gets at least: another machine may be slower than the recorded one."""

TEMPLATE, FOREIGN = (Path(__file__).with_name(name).read_text() for name in ("reproducer.c", "foreign.c"))
HEAD, *PARTS, MAIN = re.split(r"\n\n(?=/\*)", TEMPLATE)
PARTS += re.split(r"\n\n(?=/\*)", FOREIGN.rstrip())[1:]
NAMED = frozenset(re.findall(r"case (VK_\w+)", TEMPLATE))
"""The results that older headers have too; the program has others as numbers."""

DEFINED = re.compile(r"^(?:static [\w *]*?|#define )(\w+)(?=[(\[;,]| = )", re.MULTILINE)
"""Finds the functions, variables and macros that a part defines."""

WRAP = textwrap.TextWrapper(
    116, initial_indent="    ", subsequent_indent="        ", break_long_words=False, break_on_hyphens=False
)
MARKS = ("teardown", "breach", "warn")
OPTIONAL = {"factor": "fill(", "ends": "send_fd("}
"""Words in lines of main(), each with the call without which the program leaves these lines out."""


@dataclass
class Process:
    """A process of the program: its statements so far, and the variables that hold what it made."""

    index: int
    lines: list[str] = field(default_factory=list)
    held: dict[tuple[str, int], str] = field(default_factory=dict)
    devices: dict[int, str] = field(default_factory=dict)
    declared: dict[str, list[str]] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    made: int = 0

    def use(self, kind: str, number: int) -> str:
        if number == 0:
            return "VK_NULL_HANDLE"
        if kind == "VkPhysicalDevice":  # the program picks its own
            return self.declared[kind][-1]
        if (kind, number) not in self.held:
            raise Unable(f"the test uses a {kind} that it made outside the recorded calls")
        return self.held[kind, number]

    def make(self, kind: str) -> str:
        names = self.declared.setdefault(kind, [])
        word = "fd" if kind == "int" else re.sub(r"KHR$", "", kind.removeprefix("Vk"))
        names.append(f"{word[0].lower()}{word[1:]}{len(names) + 1}")
        self.held[kind, self.made] = names[-1]
        return names[-1]

    def fd(self, number: int) -> str:
        if ("int", number) not in self.held and number >= 0:
            raise Unable(f"the descriptor {number} comes from outside the recorded calls")
        return self.held.get(("int", number), str(number))

    def device_of(self, number: int) -> str:
        if number not in self.devices:
            raise Unable("the test uses a queue or command buffer that it made outside the recorded calls")
        return self.devices[number]

    def write(self, call: Call) -> str:
        """The call in C, without its semicolon."""
        command, arguments = call["command"], list(call["arguments"])
        writer = COMMANDS.get(command) or STEPS.get(command)
        if writer is None:
            raise Unable(f"no C code is known for {command}")
        named = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        self.made = call.get("value", 0)
        text = writer(self, *arguments, **named)
        if command in ("stranger", "file_of"):
            self.foreign.add(self.fd(self.made))
        if command in ("vkGetDeviceQueue", "vkAllocateCommandBuffer"):
            self.devices[self.made] = self.use("VkDevice", arguments[0])
        return text

    def add(self, statement: str) -> None:
        """Append a statement, wrapped."""
        whole = statement.replace(" = ", "\0=\0")  # a member stays on one line with its value
        self.lines.append(WRAP.fill(f"{whole};").replace("\0", " "))


def write_breach(run: dict[str, Any], breach: dict[str, Any], tests: Sequence[dict[str, Any]]) -> str:
    """The program for a violation, from the first of its tests whose record holds enough; `Unable` if none does."""
    reason = Unable("none of the tests with this violation is in the run")
    for test in tests:
        if test["id"] in breach["tests"] and test["device"] == breach["device"]:
            try:
                return write(run, of_breach(breach, test, run["listed"]))
            except Unable as problem:
                reason = problem
    raise reason


def write(run: dict[str, Any], record: dict[str, Any]) -> str:
    """The program for a failed test; raises `Unable` where the record does not hold enough for one."""
    check = find_check(record, {name: int(code) for code, name in run["results"].items()})
    names = {int(code): name for code, name in run["results"].items() if name in NAMED}
    judged, calls = record["calls"][check.index], _made(record["calls"], check.index)
    device = next((one for one in run["devices"] if one["slug"] == record["device"]), None)
    if device is None:
        raise Unable("the test has no device")
    processes: dict[int, Process] = {}
    for call in calls:
        processes.setdefault(call["pid"], Process(len(processes)))
    for number, call in enumerate(calls):
        process = processes[call["pid"]]
        before, after = _turns(calls, number)
        process.lines += before
        if call is judged:
            statements = _judged(process, call, check, names)
        elif call["command"] == "kill":
            statements = _kill(processes.get(call["arguments"][0]))
        else:
            statements = _again(process, call, names)
        for statement in statements:
            process.add(statement)
        if call["command"] == "vkEnumeratePhysicalDevices":
            for claim in _needed(calls, device["claims"]):
                process.add(f"needs({process.use('VkPhysicalDevice', 1)}, {claim})")
        process.lines += after
    return _program(_about(run, record, device), record, device["index"], list(processes.values()))


def _made(calls: Sequence[Call], judged: int) -> list[Call]:
    """The calls up to the judged one, and the calls of other processes while it lasted."""
    if any("dropped" in call for call in calls[: judged + 1]):
        raise Unable("the test made more calls than the record keeps")
    last = calls[judged]
    end = float("inf") if last["ns"] is None else last["at"] + last["ns"]
    others = [c for c in calls[judged + 1 :] if c.get("pid", last["pid"]) != last["pid"] and c["at"] <= end]
    return [call for call in [*calls[: judged + 1], *others] if not QUERIES.fullmatch(call["command"])]


def _again(process: Process, call: Call, names: dict[int, str]) -> list[str]:
    """The statements that make a call again; questions before the judged call are left out."""
    command, result = call["command"], call["result"]
    if command in (*LOOKS, *MARKS):
        return []
    text = process.write(_given_time(call) if result == 0 else call)
    if result is None or command == "vkEnumeratePhysicalDevices":
        return [text]
    if command == "vkImportSemaphoreFdKHR" and result == 0 and process.fd(call["arguments"][3]) in process.foreign:
        return [f'admit("{command}", {text})']
    return [f'same("{command}", {names.get(result, result)}, {text})']


def _given_time(call: Call) -> Call:
    """A wait that gets at least `LEAST`; other calls as they are."""
    at = {"vkWaitForFences": 2, "vkWaitSemaphores": 3}.get(call["command"])
    if at is None:
        return call
    arguments = list(call["arguments"])
    arguments[at] = max(arguments[at], LEAST)
    return {**call, "arguments": arguments}


def _judged(process: Process, call: Call, check: Check, names: dict[int, str]) -> list[str]:
    """The statements that make the last call and judge it."""
    kept = re.sub(r"-?\b\d+\b", lambda code: names.get(int(code[0]), code[0]), check.kept)
    command = call["command"]
    text = process.write(_given_time(call) if check.is_patient else call)
    if command in LOOKS:
        return [f"result = {text}", f'judge_that("{text}", {check.kept})']
    if RESULTLESS.match(command):
        return [text, f'judge_that("the end of {command}", {check.kept})']
    if "value" in check.kept:
        return [f'same("{command}", VK_SUCCESS, {text})', f'judge_that("the counter", {check.kept})']
    return [f"result = {text}", f'judge("{command}", result, {kept}, {check.other_way})']


def _kill(other: Process | None) -> list[str]:
    return [f"end_process({other.index})"] if other else []


def _needed(calls: Sequence[Call], claims: dict[str, list[int]]) -> list[str]:
    """The claims that these calls need, as arguments of `needs`: those of the kinds used that the recorded device had."""
    used = {c["arguments"][2] for c in calls if c["command"] in ("vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR")}
    types = {c["arguments"][2] or 0 for c in calls if c["command"] == "vkCreateSemaphore" and len(c["arguments"]) > 2}
    found = []
    for claim, (features, *_) in sorted(claims.items()):
        handle_type, semaphores = claim.split(":")
        kind = int(semaphores == "timeline")
        if {"OPAQUE_FD": 1, "SYNC_FD": 16}[handle_type] in used and kind in types and features & 3:
            bit, named = (
                f"VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_{handle_type}_BIT",
                f"VK_SEMAPHORE_TYPE_{semaphores.upper()}",
            )
            found.append(f"{bit}, {named}, {features & 3}")
    return found


def _turns(calls: Sequence[Call], number: int) -> tuple[list[str], list[str]]:
    """Lines before and after a call that keep several processes in the recorded order.

    A turn is a series of calls of one process. It ends before a call that still ran when another process went on.
    """
    turn = sum(one["pid"] != other["pid"] for one, other in pairwise(calls[: number + 1]))
    call, is_first = calls[number], number > 0 and calls[number - 1]["pid"] != calls[number]["pid"]
    is_last = number + 1 < len(calls) and calls[number + 1]["pid"] != call["pid"]
    take = [f"    take_turn({turn});"] if is_first else []
    give = [f"    shared->turn = {turn + 1};"] if is_last else []
    if is_last and (call["ns"] is None or "times" in call or call["at"] + call["ns"] > calls[number + 1]["at"]):
        return take + give, []
    return take, give


def _about(run: dict[str, Any], record: dict[str, Any], device: dict[str, Any]) -> str:
    """The first comment of the program: how to compile and run it, its rules, and the failure."""
    ledger = {one["id"]: one for one in run["ledger"]}
    rules = [
        f"{rule}: {ledger[rule]['statement']} ({ledger[rule]['source']})" for rule in record["rules"] if rule in ledger
    ]
    seen = f"{device['name']}, {device['driver_name']} {device['driver_info']}".strip()
    lines = [
        "cc -Wall -Wextra -o reproducer reproducer.c -lvulkan",
        f"VK_DRIVER_FILES={device.get('manifest', 'MANIFEST')} ./reproducer",
        "",
        "Needs gcc and libvulkan-dev (Debian), or gcc, vulkan-headers and vulkan-loader-devel (Fedora).",
        "VK_DRIVER_FILES names the driver's manifest; without it the loader takes the installed drivers.",
        *rules,
        f"Seen on {seen}, Vulkan {device['api_version']}: {record['message']}",
        f"Made from {record['id']}, suite {run['commit'] or run['suite']}, {run['time']}.",
        "Usage: ./reproducer [DEVICE [FACTOR]]: index of the physical device, from 0; factor for the amount of recorded work.",
        "Exit status: 0 if the driver keeps the rule, 1 if it breaks it, 2 if nothing was judged; it prints one sentence.",
    ]
    text = "\n".join(textwrap.fill(line, 112, break_long_words=False) for line in lines)
    return textwrap.indent(_plain(text), " * ", lambda line: True).removeprefix(" * ").replace(" * \n", " *\n")


def _plain(text: str) -> str:
    """The text in ASCII, without comment marks and trigraphs."""
    printable = "".join(c if c == "\n" or 32 <= ord(c) < 127 else "?" for c in text)
    return printable.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def _program(about: str, record: dict[str, Any], device: int, processes: list[Process]) -> str:
    functions = [_function(process) for process in processes]
    facts = {
        "ABOUT": about,
        "SENTENCE": json.dumps(_plain(record["message"])),
        "SECONDS": str(max(10, int(2 * record["seconds"]) + 5)),
        "DEVICE": str(device),
        "PROCESSES": str(len(processes)),
        "STEPS": ", ".join(f"process{process.index}" for process in processes),
    }
    left_out = [word for word, user in OPTIONAL.items() if not any(user in function for function in functions)]
    main = [line for line in MAIN.splitlines() if not any(word in line for word in left_out)]
    body = "\n\n".join([*functions, "\n".join(main)])
    parts: list[str] = []
    for part in reversed(PARTS):  # a part uses only earlier ones
        names = DEFINED.findall(part)
        used = re.sub(r"/\*.*?\*/|\".*?\"", "", "\n".join([*parts, body]), flags=re.DOTALL)
        if any(re.search(rf"\b{name}\b", used) for name in names):
            parts.insert(0, part)
    text = "\n\n".join([HEAD, *parts, body])
    for name, fact in facts.items():
        text = text.replace(f"@{name}@", fact)
    return text


def _function(process: Process) -> str:
    """The process as a function; a descriptor that nothing uses gets no variable."""
    body = "\n".join(process.lines)
    unused = {name for name in re.findall(r"\b(fd\d+) = ", body) if len(re.findall(rf"\b{name}\b", body)) == 1}
    body = re.sub(r"\b(fd\d+) = ", lambda found: "" if found[1] in unused else found[0], body)
    kept = {kind: [name for name in names if name not in unused] for kind, names in process.declared.items()}
    declared = [f"    {kind} {', '.join(names)};" for kind, names in kept.items() if names]
    return "\n".join([f"static void process{process.index}(void)", "{", *declared, "", body, "}"])
