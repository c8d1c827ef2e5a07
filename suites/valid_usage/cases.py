"""A case: one rule of the application, the smallest call that breaks it, and its nearest legal neighbour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fixtures.commands import RESULT_RULES
from fixtures.devices import Device
from suites.ledger import rules
from suites.valid_usage.calls import COMMAND_OF

SUCCESS_RULES = RESULT_RULES | {
    "vkGetPhysicalDeviceExternalSemaphoreProperties": "SPEC-CAPS-01",
    "vkCreateDevice": "SPEC-REGISTRY-10",
    "vkDestroySemaphore": "SPEC-DESTROY-05",
    "vkDestroyDevice": "SPEC-DESTROY-05",
    "vkAcquireNextImageKHR": "SPEC-WSI-01",
    "vkQueuePresentKHR": "SPEC-WSI-01",
    "vkGetSemaphoreFdKHR": "SPEC-CAPS-03",
    "vkImportSemaphoreFdKHR": "SPEC-CAPS-04",
}
"""The rule of the driver behind the success of a command that is used well."""


@dataclass(frozen=True)
class Case:
    """`violate` breaks `rule` by its last call; `legal` is the same without the breach, and returns that call's Result or None.

    `id` tells the cases of one rule apart.  `over` is the driver below the layer for the legal call, and `breach_over` for the
    breach: "mock", or "driver" where the mock driver claims the wrong things (all handle types, and timelines that may go
    no further than 0).
    """

    rule: str
    violate: Callable[[Device], Any]
    legal: Callable[[Device], Any]
    id: str = ""
    over: str = "mock"
    breach_over: str = "mock"

    @property
    def rules(self) -> tuple[str, str]:
        """What the legal neighbour proves: a rule of the driver, and the legal side of this one."""
        entity = rules()[self.rule].entity
        return SUCCESS_RULES[COMMAND_OF.get(entity, entity)], self.rule

    def __str__(self) -> str:
        return f"{self.rule}-{self.id}" if self.id else self.rule
