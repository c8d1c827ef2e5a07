"""Rules whose breach no layer sees, or no longer under that id: the legal side is all that can be shown."""

from collections.abc import Callable
from typing import Any

from fixtures.devices import Device
from suites.ledger import Rule, rules
from suites.valid_usage.calls import CALLS, COMMAND_OF
from suites.valid_usage.cases import Case
from suites.valid_usage.destroying import allocated, close_late
from suites.valid_usage.exporting import export_signaled
from suites.valid_usage.structures import keeping

BY_HAND = {
    "VUID-vkCreateSemaphore-pAllocator-parameter": allocated(True, True),
    "VUID-vkDestroySemaphore-pAllocator-parameter": allocated(True, True),
    "VUID-vkDestroyDevice-device-00378": close_late,
    "VUID-VkSemaphoreGetFdInfoKHR-handleType-01134": export_signaled,
}


def ask_for(structure: str) -> Callable[[Device], None]:
    """The query of the physical device that fills the structure."""
    kind = "Features2" if "Features" in structure else "Properties2"

    def ask(device: Device) -> None:
        name = f"vkGetPhysicalDevice{kind}"
        device.vk.query_chain(device.instance.physical, name, f"VkPhysicalDevice{kind}", (structure,))

    return ask


def _legal(one: Rule) -> Callable[[Device], Any]:
    if one.entity.startswith("VkPhysicalDevice"):
        return ask_for(one.entity)
    return BY_HAND.get(one.id) or keeping(CALLS[COMMAND_OF.get(one.entity, one.entity)])


CASES = [
    Case(one.id, None, _legal(one), over="driver" if "vkSignal" in one.id else "mock")
    for one in rules().values()
    if one.kind.startswith("VUID") and one.judges == "nobody"
]
