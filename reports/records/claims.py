"""What a device claims, as the head of a baseline has it, and what of that another device does not claim.

    @claims Vulkan: 1.3
    @claims OPAQUE_FD:binary: exportable, importable, exports from OPAQUE_FD, compatible with OPAQUE_FD
    @claims queue family 0: GRAPHICS, COMPUTE, TRANSFER, 16 queues
    @claims timelines

A claim has a subject and, behind a colon, what of it is claimed; `@claims none` is the only line of what claims nothing, such as
a validation layer. A higher version or more queues are what a lower version or fewer queues claim, and more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reports.records.signatures import ENUMERANTS

Claims = dict[str, tuple[str, ...]]
"""By subject what is claimed of it; () where the subject says it all."""

_EXTENSIONS = """
VK_EXT_conditional_rendering VK_EXT_fragment_density_map VK_EXT_memory_budget VK_EXT_mesh_shader VK_EXT_opacity_micromap
VK_EXT_pci_bus_info VK_EXT_swapchain_maintenance1 VK_EXT_transform_feedback VK_HUAWEI_invocation_mask VK_HUAWEI_subpass_shading
VK_KHR_acceleration_structure VK_KHR_deferred_host_operations VK_KHR_driver_properties VK_KHR_external_fence_fd
VK_KHR_external_memory_fd VK_KHR_external_semaphore VK_KHR_external_semaphore_fd VK_KHR_fragment_shading_rate
VK_KHR_internally_synchronized_queues VK_KHR_maintenance5 VK_KHR_maintenance9 VK_KHR_ray_tracing_maintenance1
VK_KHR_ray_tracing_pipeline VK_KHR_swapchain VK_KHR_swapchain_maintenance1 VK_KHR_swapchain_mutable_format
VK_KHR_synchronization2 VK_KHR_timeline_semaphore
"""
EXTENSIONS = frozenset(_EXTENSIONS.split())
"""The device extensions of which tests make anything."""

_QUEUES = {1: "GRAPHICS", 2: "COMPUTE", 4: "TRANSFER", 8: "SPARSE_BINDING"}
_HANDLES = ENUMERANTS["VkExternalSemaphoreHandleTypeFlagBits"]


def of(device: dict[str, Any]) -> Claims:
    """The claims of a device of a run's first line; {} of a validation layer."""
    found: Claims = {}
    if version := device.get("api_version"):
        found["Vulkan"] = (version.rpartition(".")[0],)
    found |= {name: () for name, field in _FEATURES.items() if device.get(field)}
    for kind, (features, exports_from, compatible) in device.get("claims", {}).items():
        if features:
            told = [*_bits(features, {1: "exportable", 2: "importable"})]
            told += [f"exports from {name}" for name in _bits(exports_from, _HANDLES)]
            found[kind] = *told, *(f"compatible with {name}" for name in _bits(compatible, _HANDLES))
    for number, (flags, count) in enumerate(device.get("families", [])):
        found[f"queue family {number}"] = *_bits(flags, _QUEUES), f"{count} queue{'s' * (count != 1)}"
    return found | dict.fromkeys(sorted(EXTENSIONS & {*device.get("extensions", [])}), ())


_FEATURES = {"timelines": "timeline", "synchronization2": "synchronization2"}


def _bits(value: int, names: dict[int, str]) -> Iterator[str]:
    return (name for bit, name in names.items() if value & bit)


def lines(claims: Claims) -> list[str]:
    """The lines of a baseline's head that say so."""
    told = [f"{subject}: {', '.join(its)}" if its else subject for subject, its in claims.items()]
    return [f"@claims {one}" for one in told or ["none"]]


def add(claims: Claims, text: str) -> None:
    """Add what a line has behind `@claims`."""
    subject, _, its = text.partition(": ")
    if not subject:
        raise ValueError(text)
    if text != "none":
        claims[subject] = tuple(one.strip() for one in its.split(",") if one.strip())


def lost(known: Claims, there: Claims) -> list[tuple[str, str]]:
    """(the claim, what is lost of it) of each claim of `known` that `there` does not have whole."""
    found = []
    for subject, its in known.items():
        missing = [one for one in its if not any(_covers(other, one) for other in there.get(subject, ()))]
        if subject not in there or missing:
            found.append((f"claims {subject}", f"the driver no longer claims {', '.join(missing) or 'it'}"))
    return found


def _covers(there: str, known: str) -> bool:
    """Whether a claim is `known`, or the same with higher numbers."""
    return _words(there) == _words(known) and _numbers(there) >= _numbers(known)


def _words(claim: str) -> str:
    return re.sub(r"\d+|s$", "", claim)


def _numbers(claim: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", claim)]
