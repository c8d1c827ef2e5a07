"""What a registry's list of valid usage has that the ledger lacks, and what the ledger has that is gone from there.

    python -m suites.drift --registry path/to/validusage.json

The list comes with the Vulkan headers (Debian: libvulkan-dev); by default it is the installed one, or what setup.sh
unpacked.  Exit status 1: they differ.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from pathlib import Path

from fixtures.testbed.drivers import ROOT
from suites.ledger import FILE, newest_not_after

INSTALLED = Path("/usr/share/vulkan/registry/validusage.json")
UNPACKED = ROOT / ".vulkan" / "registry" / INSTALLED.name
LEFT_OUT = {
    r"-stageMask-\d+$": "which stages a queue or a feature allows",
    r"-pCommandBufferInfos-\d+$": "what command buffers hold",
    r"VkSemaphoreCreateInfo-pNext-06789": "Metal",
    r"AcquireNextImage.*-(semaphore-parameter|semaphore-parent|commonparent|0178[02])$": "how a swapchain is used at all",
    r"vkQueuePresentKHR-pWaitSemaphores-01295": "replaced by -03268",
}
"""Rules that name a semaphore and are about something else."""


def drift(registry: Path) -> tuple[str, list[str], list[str]]:
    """(version of the registry, ids that the ledger lacks, ids of the ledger that are gone); ValueError: no such list."""
    content = json.loads(registry.read_text("utf-8"))
    try:
        version, entities = content["version info"]["api version"], content["validation"]
    except (KeyError, TypeError):
        raise ValueError(f"{registry} is no validusage.json") from None
    with FILE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if "VUID" in row["kind"]]
    column = newest_not_after(version, rows[0], "in_")
    known, expected = {row["id"] for row in rows}, {row["id"] for row in rows if row[column] == "y"}
    ours = {row["entity"] for row in rows}
    listed = {
        rule["vuid"]: entity in ours and ("Semaphore" in entity or "emaphore" in rule["text"])
        for entity, blocks in entities.items()
        for rules in blocks.values()
        for rule in rules
    }
    about = {one for one, is_ours in listed.items() if is_ours and not any(re.search(p, one) for p in LEFT_OUT)}
    return version, sorted(about - known), sorted(expected - set(listed))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m suites.drift", description=__doc__)
    parser.add_argument("--registry", type=Path, metavar="FILE", help="validusage.json")
    file = parser.parse_args().registry or (INSTALLED if INSTALLED.exists() else UNPACKED)
    try:
        version, lacking, gone = drift(file)
    except (OSError, ValueError) as problem:
        sys.exit(str(problem))
    for line in (*(f"the ledger lacks {one}" for one in lacking), *(f"gone: {one}" for one in gone)):
        print(line)
    print(f"registry {version}: {len(lacking)} rules that the ledger lacks, {len(gone)} of the ledger that are gone")
    return int(bool(lacking or gone))


if __name__ == "__main__":
    sys.exit(main())
