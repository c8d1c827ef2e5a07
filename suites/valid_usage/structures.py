"""Implicit rules: what the structures' and commands' own description asks of each call, broken in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fixtures.testbed.devices import Device
from fixtures.vulkan.registry import MEMBERS
from suites.ledger import rules
from suites.valid_usage import calls
from suites.valid_usage.calls import COMMAND_OF, Call, call_of, need_structures
from suites.valid_usage.cases import Case
from suites.valid_usage.steps import destroyed

UNDEFINED_BIT = 0x40000000
BY_HAND = ("commonparent", "parent", "queuecount", "queuetype")
"""Endings of implicit rules about more than one object or a special device: the chapters have these, and those of swapchains."""


def breaking(rule: str) -> Callable[[Device], Any]:
    """The call that breaks implicit `rule`, whose id names structure or command, member and kind."""
    _, entity, member, *_ = rule.split("-")

    def violate(device: Device) -> Any:
        call = call_of(entity)(device)
        if entity in COMMAND_OF:
            _break_member(call, call.structures[entity], rule)
        else:
            call.arguments[member] = _wrong(call, call.arguments[member])
        return call.make()

    return violate


def _break_member(call: Call, info: Any, rule: str) -> None:
    _, entity, member, what = rule.split("-")
    vk = call.device.vk
    kinds = dict(MEMBERS[entity])
    if what == "unique":
        twice = vk.new(EXTENDED_BY[entity], info.pNext)
        call.kept += [twice, vk.new(EXTENDED_BY[entity], twice)]
        info.pNext = call.kept[-1]
    elif member == "sType":
        info.sType = 0
    elif member == "pNext":
        call.kept.append(vk.new("VkFenceCreateInfo"))
        info.pNext = call.kept[-1]
    elif what == "arraylength":
        setattr(info, member, 0)
    elif what == "zerobitmask":
        setattr(info, member, 1)
    elif kinds[member] == "const VkSemaphore*":
        call.kept.append(vk.handles("VkSemaphore", [destroyed(call.device)]))
        setattr(info, member, call.kept[-1])
    elif kinds[member] == "VkSemaphore" or "*" in kinds[member]:
        setattr(info, member, _wrong(call, getattr(info, member)))
    elif kinds[member] == "VkPipelineStageFlags2":
        setattr(info, member, 1 << 60)
    else:  # where one bit is asked for, the layer accepts unknown ones of devices with maintenance5, but never none
        setattr(info, member, 0 if kinds[member].endswith("FlagBits") else UNDEFINED_BIT)


EXTENDED_BY = {
    "VkPhysicalDeviceExternalSemaphoreInfo": "VkSemaphoreTypeCreateInfo",
    "VkSemaphoreCreateInfo": "VkExportSemaphoreCreateInfo",
}
"""A structure that may be in the chain of another, once."""


def _wrong(call: Call, value: Any) -> Any:
    """A destroyed semaphore in place of a semaphore, NULL in place of a pointer."""
    vk = call.device.vk
    if vk.ffi.typeof(value) is not vk.ffi.typeof("VkSemaphore"):
        return vk.ffi.NULL
    return vk.handle("VkSemaphore", destroyed(call.device))


def keeping(make: Callable[[Device], Call]) -> Callable[[Device], Any]:
    """The same call unbroken."""

    def keep(device: Device) -> Any:
        need_structures(device)
        return make(device).make()

    return keep


def _case(rule: str, entity: str) -> Case:
    make = call_of(entity)
    over = "driver" if make is calls.signal else "mock"
    return Case(rule, breaking(rule), keeping(make), over=over)


CASES = [
    _case(one.id, one.entity)
    for one in rules().values()
    if one.kind == "VUID-implicit" and one.judges == "layer" and one.group != "WSI" and not one.id.endswith(BY_HAND)
]
