"""A driver with its version, as its vendor writes it."""

from __future__ import annotations

from reports.records.lines import Line

NVIDIA = 4
"""VK_DRIVER_ID_NVIDIA_PROPRIETARY, whose versions have four parts, of 10, 8, 8 and 6 bits."""


def version(device: Line) -> str:
    """The driver's version: of NVIDIA's driver by its own layout, of others by that of VK_MAKE_VERSION."""
    number = device["driver_version"]
    if not isinstance(number, int):
        return str(number)
    if device["driver_id"] == NVIDIA:
        return f"{number >> 22}.{number >> 14 & 255}.{number >> 6 & 255}.{number & 63}"
    return f"{number >> 22}.{number >> 12 & 1023}.{number & 4095}"


def driver(device: Line) -> str:
    """The driver's name, what it says of itself, and its version if that does not say it."""
    name, info, number = device["driver_name"], device.get("driver_info", ""), version(device)
    begins = ".".join(number.split(".")[:2])
    return " ".join(filter(None, (name, info, "" if begins in info else number)))
