"""Finds the check behind a failure: the recorded call that the test judged, and the result that the rule demands.

The record has both: the calls with their results, and the failed assertion as pytest prints it, such as
`assert VK_ERROR_X == VK_ERROR_Y` or `assert False` with `where False = finishes()`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reports.records.verdicts import FAILING

LOOKS = ("is_open", "closes_on_exec", "same_file")
"""Steps of the suite that ask a yes-or-no question."""

WAITS = ("vkWaitForFences", "vkGetFenceStatus", "vkWaitSemaphores")
_RESULT = re.compile(r"VK_[A-Z][A-Z0-9_]*")

Call = dict[str, Any]


class Unable(Exception):
    """One sentence that says why a failure makes no program."""


@dataclass(frozen=True)
class Check:
    """Call number `index` of the record decides: `kept` and `other_way` are conditions in C.

    They use `result`, a VkResult or the answer to a question, or the counter `value`. `other_way`: the driver returned before
    it reached what is judged. A check that `is_patient` gives a wait more time than recorded.
    """

    index: int
    kept: str
    other_way: str = "0"
    is_patient: bool = True


def find_check(record: dict[str, Any], codes: dict[str, int]) -> Check:
    """The check of a failed test; `codes` are the numbers of the VkResults. `Unable` if the record does not have it."""
    calls = record["calls"]
    if "check" in record:
        return record["check"]  # type: ignore[no-any-return]
    if record["verdict"] not in FAILING:
        raise Unable(f"the verdict is {record['verdict']}: there is no failure to reproduce")
    pending = [i for i, call in enumerate(calls) if call.get("ns", 0) is None]
    if record["verdict"] != "fail":
        if not pending:
            raise Unable(f"{record['message']}, but not within a call")
        return Check(pending[-1], "1")
    end = next((i for i, call in enumerate(calls) if call.get("command") == "teardown"), len(calls))
    test = list(enumerate(calls[:end]))[::-1]
    asserted = re.search(r"^assert (.+)$", record["detail"], re.MULTILINE)
    if asserted is None or asserted[1].startswith("("):  # several conditions: judge the last bad answer
        return _about_bad(test)
    compared = re.fullmatch(r"(not )?(.+?)(?: (==|in|is|<=) (.+))?", asserted[1])
    assert compared is not None
    negated, left, operator, right = compared.groups()
    if operator is None:
        return _about_truth(test, record["detail"], bool(negated), [i for i in pending if i < end])
    if left.startswith("<Proof."):
        return _about_proof(test, left)
    if operator == "is":
        raise Unable(f"the compared values are not in the record: {asserted[1]}")
    if (seen := _list(left)) and (owed := _list(right)):
        return _about_counters(test, seen, owed, asserted[1])
    return _about_result(test, _numbers(left, codes), _numbers(right, codes), asserted[1])


def of_breach(breach: dict[str, Any], test: dict[str, Any], listed: dict[str, list[int]]) -> dict[str, Any]:
    """The record of `test` with a violation in place of its failure, and the question that shows it among the calls.

    `listed` are the results that each command may return. `Unable` if no such question is known.
    """
    rule, command, calls = breach["rule"], breach["command"], test["calls"]
    noted = next((i for i, c in enumerate(calls) if _notes(c, rule, command)), None)
    if noted is None:
        raise Unable("the violation is not among the recorded calls")
    index = next(i for i in range(noted - 1, -1, -1) if calls[i].get("command") == command)
    asked = calls[index]["arguments"][3:4] or [calls[index].get("value")]
    found = {**test, "message": breach["message"], "rules": [rule]}
    if rule.startswith("SPEC-RESULT"):
        kept = " || ".join(f"result == {code}" for code in listed[command])
        return {**found, "check": Check(index, kept), "calls": calls[: index + 1]}
    if rule not in _SHOWN:
        raise Unable(f"no question is known that shows a violation of {rule}")
    shown = {**calls[index], "command": _SHOWN[rule], "arguments": asked, "result": None, "value": 0}
    return {**found, "check": Check(index + 1, "result == 1"), "calls": [*calls[: index + 1], shown]}


_SHOWN = {"SPEC-IMPORT-03": "is_open", "SPEC-EXPORT-04": "closes_on_exec"}
"""The question about the imported or exported descriptor that shows a violation of these rules."""


def _notes(call: Call, rule: str, command: str) -> bool:
    return call.get("command") == "breach" and call["arguments"][:2] == [rule, command]


def _numbers(text: str, codes: dict[str, int]) -> set[int]:
    """The VkResults, or the number, on one side of a comparison."""
    if text.lstrip("-").isdigit():
        return {int(text)}
    return set() if "..." in text else {codes[name] for name in _RESULT.findall(text) if name in codes}


def _list(text: str) -> list[int]:
    """The numbers of `[1, 2]` or `([1] * 2)`; none for another text."""
    found = re.fullmatch(r"\(?\[([\d, ]+)\](?: \* (\d+)\))?", text)
    return [int(number) for number in found[1].split(",")] * int(found[2] or 1) if found else []


def _last(test: list[tuple[int, Call]], is_it: Callable[[Call], bool]) -> int:
    """The index of the last call for which `is_it` is true."""
    found = next((i for i, call in test if "command" in call and is_it(call)), None)
    if found is None:
        raise Unable("the judged call is not among the recorded calls")
    return found


def _about_result(test: list[tuple[int, Call]], seen: set[int], owed: set[int], text: str) -> Check:
    wrong = seen - owed
    if not wrong or not owed:
        raise Unable(f"the compared values are not in the record: {text}")
    counter = next((call for _, call in test if call.get("command", "").startswith("vk")), {})
    if counter.get("command") == "vkGetSemaphoreCounterValue" and counter.get("value") in wrong:
        return Check(_last(test, lambda call: call is counter), f"value == {min(owed)}")
    index = _last(test, lambda call: call["result"] in wrong)
    allowed = " || ".join(f"result == {code}" for code in sorted(owed))
    return Check(index, allowed, "0" if 0 in owed else "result >= 0")


def _about_counters(test: list[tuple[int, Call]], seen: list[int], owed: list[int], text: str) -> Check:
    """Counters that were read one after the other: the first that should have been another decides."""
    reads = [(i, call) for i, call in test if call.get("command") == "vkGetSemaphoreCounterValue"][: len(seen)][::-1]
    if [call["value"] for _, call in reads] != seen or len(seen) != len(owed):
        raise Unable(f"the compared values are not in the record: {text}")
    return next(
        Check(read[0], f"value == {due}") for read, due in zip(reads, owed, strict=True) if read[1]["value"] != due
    )


def _about_proof(test: list[tuple[int, Call]], seen: str) -> Check:
    """A wait behind work: EARLY ends with a look at the work, NEVER with one at the wait."""
    index = _last(test, lambda call: call["command"] in WAITS and call["result"] != 0)
    return Check(index, "result == VK_SUCCESS", is_patient="EARLY" not in seen)


def _about_truth(test: list[tuple[int, Call]], detail: str, negated: bool, pending: list[int]) -> Check:
    """`assert x` or `assert not x`, where pytest may tell what x was."""
    if not negated:
        return _about_bad(test)
    where = re.search(r"where True = .*?(\w+)(?:\(.*\))?$", detail, re.MULTILINE)
    asked = where[1] if where else ""
    if asked == "is_success":
        return Check(_last(test, lambda call: call["result"] == 0), "result < 0")
    if asked == "is_error":
        return Check(_last(test, lambda call: (call["result"] or 0) < 0), "result >= 0")
    if asked in ("finishes", "is_done"):
        index = _last(test, lambda call: call["command"] in WAITS and call["result"] == 0)
        return Check(index, "result == VK_TIMEOUT", "result < 0", is_patient=False)
    if pending:  # another process died in it
        return Check(pending[-1], "1")
    return _about_bad(test)


def _about_bad(test: list[tuple[int, Call]]) -> Check:
    """Nothing but that something was not as it should be: the last answer that can be meant."""
    index = _last(
        test, lambda call: call["value"] == 0 if call["command"] in LOOKS else call["result"] not in (None, 0)
    )
    command = dict(test)[index]["command"]
    return Check(index, "result == 1" if command in LOOKS else "result == VK_SUCCESS")
