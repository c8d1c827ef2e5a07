"""A case: one rule of the application, the smallest call that breaks it, and its nearest legal neighbour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fixtures.testbed.devices import Device
from fixtures.vulkan.commands import RESULT_RULES
from suites.ledger import rules
from suites.valid_usage.calls import COMMAND_OF

SUCCESS_RULES = RESULT_RULES | {
    "vkGetPhysicalDeviceExternalSemaphoreProperties": "SPEC-CAPS-01",
    "vkCreateDevice": "SPEC-REGISTRY-10",
    "vkDestroySemaphore": "SPEC-DESTROY-05",
    "vkDestroyDevice": "SPEC-DESTROY-05",
    "vkGetSemaphoreFdKHR": "SPEC-CAPS-03",
    "vkImportSemaphoreFdKHR": "SPEC-CAPS-04",
    "VkPhysicalDeviceIDProperties": "SPEC-UUID-02",
    "VkPhysicalDeviceTimelineSemaphoreFeatures": "SPEC-HOST-12",
    "VkPhysicalDeviceTimelineSemaphoreProperties": "SPEC-HOST-11",
}
"""The rule of the driver behind the success of a command that is used well, and behind the content of a structure."""

ALSO = {
    "VUID-VkSemaphoreGetFdInfoKHR-handleType-01132": ("SPEC-CREATE-04",),
    "VUID-VkSemaphoreGetFdInfoKHR-handleType-01136": ("SPEC-HANDLE-10",),
    "VUID-vkImportSemaphoreFdKHR-semaphore-01142": ("SPEC-IMPORT-10",),
    "VUID-vkDestroySemaphore-semaphore-05149": ("SPEC-DESTROY-04", "SPEC-SUBMIT-06"),
    "VUID-VkSubmitInfo-commonparent": ("SPEC-FUND-01",),
    "VUID-VkSemaphoreGetFdInfoKHR-semaphore-parameter": ("SPEC-FUND-05",),
    "VUID-vkQueueSubmit-pSignalSemaphores-00067": ("SPEC-STATE-05",),
    "VUID-vkQueueSubmit-pWaitSemaphores-00068": ("SPEC-STATE-08",),
    "VUID-vkQueueSubmit-pWaitSemaphores-03238": ("SPEC-STATE-04", "SPEC-STATE-06", "SPEC-STATE-11"),
    "VUID-vkAcquireNextImageKHR-semaphore-03265": ("ISSUE-VK_KHR_timeline_semaphore-7",),
    "SPEC-STATE-07": ("ISSUE-VK_KHR_timeline_semaphore-10",),
}
"""Rules in the specification's own words that a layer checks by one of its ids."""


@dataclass(frozen=True)
class Case:
    """`violate` breaks `rule` by its last call; `legal` is the same without the breach, and returns that call's Result or None.

    `violate` is None where no layer sees the breach: the legal side is all that there is then.
    `id` tells the cases of one rule apart.  `over` is the driver below the layer for the legal call, and `breach_over` for the
    breach: "mock", or "driver" where the mock driver claims the wrong things (all handle types, and timelines that may go
    no further than 0).  `also` are the rules that the breach cannot help breaking at the same time: they may be reported, too.
    `command` is the one of the last call, where the ledger's row is not about a command.
    """

    rule: str
    violate: Callable[[Device], Any] | None
    legal: Callable[[Device], Any]
    id: str = ""
    over: str = "mock"
    breach_over: str = "mock"
    also: tuple[str, ...] = ()
    command: str = ""

    @property
    def rules(self) -> list[str]:
        """What the legal neighbour proves: a rule of the driver, and the legal side of this one if it judges anybody."""
        entity = self.command or rules()[self.rule].entity.partition(" ")[0]
        proven = SUCCESS_RULES.get(COMMAND_OF.get(entity, entity))
        return [proven, *self.claims] if proven else []

    @property
    def claims(self) -> list[str]:
        """The rule, if it judges anybody, and what says the same."""
        return [self.rule, *ALSO.get(self.rule, ())] if rules()[self.rule].strongest != "-" else []

    def __str__(self) -> str:
        return f"{self.rule}-{self.id}" if self.id else self.rule
