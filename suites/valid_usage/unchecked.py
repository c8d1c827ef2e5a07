"""Rules whose breach no layer sees, or no longer under that id: the legal side is all that can be shown."""

import re
from collections.abc import Callable
from typing import Any

from fixtures.testbed.devices import Device
from suites.ledger import Rule, rules
from suites.valid_usage.calls import call_of, need_timelines
from suites.valid_usage.cases import Case
from suites.valid_usage.destroying import allocated, close_late, destroy_done
from suites.valid_usage.exporting import export_waited_for
from suites.valid_usage.importing import import_from_another
from suites.valid_usage.structures import keeping
from suites.valid_usage.submitting import SPARSE, SUBMIT, SUBMIT2, wait_for

BY_HAND = {
    "VUID-vkCreateSemaphore-pAllocator-parameter": allocated(True, True),
    "VUID-vkDestroySemaphore-pAllocator-parameter": allocated(True, True),
    "VUID-vkDestroySemaphore-semaphore-01137": destroy_done,
    "VUID-vkDestroyDevice-device-00378": close_late,
    "VUID-VkSemaphoreGetFdInfoKHR-handleType-01134": export_waited_for,
    "VUID-VkImportSemaphoreFdInfoKHR-fd-01544": import_from_another,
    "VUID-vkQueueSubmit-pWaitSemaphores-00069": wait_for(1, SUBMIT),
    "VUID-vkQueueSubmit2-semaphore-03872": wait_for(1, SUBMIT2),
    "VUID-vkQueueBindSparse-pWaitSemaphores-01117": wait_for(1, SPARSE),
}
BEHIND_NEXT = 16
"""Where the members of a structure begin that are not sType and pNext."""


def ask_for(structure: str) -> Callable[[Device], None]:
    """The query of the physical device that fills the structure, each byte of which is 0xA5 before."""
    kind = "Features2" if "Features" in structure else "Properties2"

    def ask(device: Device) -> None:
        if "Timeline" in structure:
            need_timelines(device)
        names = f"vkGetPhysicalDevice{kind}", f"VkPhysicalDevice{kind}"
        found = device.vk.query_chain(device.instance.physical, *names, (structure,))[1]
        content = bytes(device.vk.ffi.buffer(found))[BEHIND_NEXT:]
        assert content.strip(b"\xa5"), f"{names[0]} did not write {structure}"

    return ask


def _legal(one: Rule) -> Callable[[Device], Any]:
    if one.entity.startswith("VkPhysicalDevice"):
        return ask_for(one.entity)
    return BY_HAND.get(one.id) or keeping(call_of(one.entity))


CASES = [
    Case(one.id, None, _legal(one), over="driver" if re.search("-vkSignal|-VkPhysicalDevice", one.id) else "mock")
    for one in rules().values()
    if one.kind.startswith("VUID") and one.judges == "nobody"
]
