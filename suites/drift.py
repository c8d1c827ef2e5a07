"""What has changed around the ledger: rules of the registry that it lacks or that are gone, paragraphs that read otherwise.

    python -m suites.drift                                     # ids, against the headers at hand
    python -m suites.drift --registry path/to/validusage.json  # ids, against this list
    python -m suites.drift --spec path/to/Vulkan-Docs          # paragraphs, against a checkout of the specification
    python -m suites.drift --spec path/to/Vulkan-Docs --update # after they were read: keep how they read now

The list of valid usage comes with the Vulkan headers (Debian: libvulkan-dev); by default it is the installed one, or what
setup.sh unpacked.  Every rule of it that is about semaphores has a row in the ledger, whatever structure or command it is
about, unless LEFT_OUT says why not.

The ledger's column `paragraph_VERSION` has a fingerprint of what each rule's `source` names, as it read in that version.
A line tells each rule whose paragraph reads otherwise or is gone, or that has no fingerprint yet, with its source;
suites.paragraphs says what a rule's paragraph is, and which sources have none.

Exit status 1: something differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import ParseError

from fixtures.testbed.drivers import ROOT
from suites.ledger import FILE, newest_not_after
from suites.paragraphs import WITHOUT, Specification

INSTALLED = Path("/usr/share/vulkan/registry/validusage.json")
UNPACKED = ROOT / ".vulkan" / "registry" / INSTALLED.name
ABOUT_SEMAPHORES = re.compile("emaphore|pWaitDstStageMask")
"""What an id or text has that is about them; the stages at which vkQueueSubmit waits do not name them."""
LEFT_OUT = {
    r"Win32|Zircon|D3D12Fence|Metal|SciSync": "the handles of other platforms",
    r"VkSemaphoreCreateInfo-pNext-06789": "the same: Metal's",
    r"RenderPassStripe|VkCommandBufferSubmitInfo-pNext-09446": "the stripes of VK_ARM_render_pass_striped",
    r"LatencySleep": "the pace of frames of VK_NV_low_latency2",
    r"VkDeviceCreateInfo-pNext-pNext|VkPhysicalDevice(Features|Properties)2-pNext-pNext": "lists of all extensions' structures",
    r"vkQueuePresentKHR-pWaitSemaphores-01295": "replaced by -03268",
}
"""Rules that name a semaphore and have no row, by patterns of their ids, each with the reason."""
PARAGRAPH = "paragraph_"


def rows() -> list[dict[str, str]]:
    """The ledger's rows, column by column."""
    with FILE.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def drift(registry: Path, ledger: Iterable[dict[str, str]]) -> tuple[str, list[str], list[str]]:
    """(version of the registry, ids that the ledger lacks, ids of the ledger that are gone); ValueError: no such list."""
    content = json.loads(registry.read_text("utf-8"))
    try:
        version, entities = content["version info"]["api version"], content["validation"]
    except (KeyError, TypeError):
        raise ValueError(f"{registry} is no validusage.json") from None
    ours = [row for row in ledger if "VUID" in row["kind"]]
    column = newest_not_after(version, ours[0], "in_")
    known, expected = {row["id"] for row in ours}, {row["id"] for row in ours if row[column] == "y"}
    texts = {one["vuid"]: one["text"] for kinds in entities.values() for rules in kinds.values() for one in rules}
    about = {one for one, text in texts.items() if ABOUT_SEMAPHORES.search(one + text)}
    about = {one for one in about if not any(re.search(pattern, one) for pattern in LEFT_OUT)}
    return version, sorted(about - known), sorted(expected - set(texts))


def changes(found: dict[str, str], ledger: Iterable[dict[str, str]]) -> list[str]:
    """A line for each rule whose fingerprint in `found` is not the ledger's, or whose source is not understood."""
    lines = []
    for row in ledger:
        before = next(cell for name, cell in row.items() if name.startswith(PARAGRAPH))
        now = found.get(row["id"], "")
        if not now and row["source"] not in WITHOUT:
            lines.append(f"no paragraph: {row['id']}, {row['source']}")
        elif now != before:
            what = "gone" if now == "gone" else "without a fingerprint" if not before else "changed"
            lines.append(f"{what}: {row['id']}, {row['source']}")
    return lines


def update(found: dict[str, str], version: str) -> None:
    """Write the fingerprints into the ledger, whose column is then that of `version`; all else stays as it is."""
    head, *lines = (line.split("\t") for line in FILE.read_text().splitlines())
    at = next(i for i, name in enumerate(head) if name.startswith(PARAGRAPH))
    head[at] = PARAGRAPH + version
    for cells in lines:
        cells[at] = found.get(cells[0], "")
    FILE.write_text("".join("\t".join(cells) + "\n" for cells in (head, *lines)))


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m suites.drift", description=__doc__, formatter_class=form)
    parser.add_argument("--registry", type=Path, metavar="FILE", help="validusage.json")
    parser.add_argument("--spec", type=Path, metavar="DIR", help="a checkout of KhronosGroup/Vulkan-Docs")
    parser.add_argument("--update", action="store_true", help="with --spec: write the fingerprints of its paragraphs")
    chosen = parser.parse_args()
    try:
        if chosen.spec:
            return _report_paragraphs(chosen.spec, chosen.update)
        return _report_ids(chosen.registry or (INSTALLED if INSTALLED.exists() else UNPACKED))
    except (OSError, ValueError, ParseError) as problem:
        sys.exit(str(problem))


def _report_ids(registry: Path) -> int:
    version, lacking, gone = drift(registry, rows())
    for line in (*(f"the ledger lacks {one}" for one in lacking), *(f"gone: {one}" for one in gone)):
        print(line)
    print(f"registry {version}: {len(lacking)} rules that the ledger lacks, {len(gone)} of the ledger that are gone")
    return int(bool(lacking or gone))


def _report_paragraphs(folder: Path, write: bool) -> int:
    specification, ledger = Specification(folder), rows()
    found = specification.fingerprints(ledger)
    lines = changes(found, ledger)
    for line in lines:
        print(line)
    before = next(name.removeprefix(PARAGRAPH) for name in ledger[0] if name.startswith(PARAGRAPH))
    without = len(ledger) - len(found)
    print(
        f"specification {specification.version}, ledger {before}: {len(lines)} of {len(found)} paragraphs differ; "
        f"{without} rules name none"
    )
    if write:
        update(found, specification.version)
    return int(bool(lines) and not write)


if __name__ == "__main__":
    sys.exit(main())
