"""`--anonymous`: removes the machine's name and the devices' UUIDs from all texts of a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

HIDDEN = "(left out)"
KEPT = frozenset({"type", "id", "nodeid", "verdict", "expected", "device", "slug", "rule", "rules", "tests", "ledger"})
"""Fields that the suite alone fills. They stay as they are: a machine may be called "test"."""


def hider(host: str, devices: Iterable[Mapping[str, Any]]) -> Callable[[Any], Any]:
    """A function that takes any value of a record and returns it without `host` and the UUIDs of `devices`."""
    uuids = [device[name] for device in devices for name in ("device_uuid", "driver_uuid") if device[name].strip("0")]
    secrets = [re.escape(spelled) for one in uuids for spelled in (one, str(UUID(one)))]
    secrets += [rf"(?<![\w-]){re.escape(host)}(?![\w-])"] if host else []
    pattern = re.compile("|".join(secrets) or "(?!)", re.IGNORECASE)

    def hide(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(HIDDEN, value)
        if isinstance(value, dict):
            return {name: one if name in KEPT else hide(one) for name, one in value.items()}
        return [hide(one) for one in value] if isinstance(value, list | tuple) else value

    return hide
