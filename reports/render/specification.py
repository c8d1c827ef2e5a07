"""Where the text of a rule is published: a link for each rule of a ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.records.lines import Line

SPECIFICATION = "https://docs.vulkan.org/spec/latest"
PAGES = "https://docs.vulkan.org/refpages/latest/refpages/source"
"""A page for each command, structure and extension, with its valid usage and results."""
REGISTRY = "https://github.com/KhronosGroup/Vulkan-Docs/blob/main/xml/vk.xml"
CUDA = "https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__EXTRES__INTEROP.html"

_USAGE = re.compile(r"VUID-(\w+)-[\w-]+")
_PLACE = re.compile(r"(?:chapters/)?([\w/]+)\.adoc(?::|#([\w-]+))?")
_ANCHOR = re.compile(r"#([a-z]+)(-[\w-]+)")
_ENTITY = re.compile(r"\b(vk[A-Z]\w+|Vk[A-Z]\w+|VK_[A-Z]+_[a-z]\w+)")
_EXTENSION = re.compile(r"appendices/(VK_\w+)\.adoc")
_OTHER = re.compile(r"(?<![\w-])-(\d{5})\b")


def links(rules: Sequence[Line]) -> list[str]:
    """The address of each rule, by its `id`, `source` and `entity` in the ledger."""
    told = [[str(rule.get(name, "")) for name in ("id", "source", "entity")] for rule in rules]
    places = {name[-5:]: (name, source) for name, source, _ in told if _USAGE.fullmatch(name)}
    found: list[str] = []
    for name, source, entity in told:
        others = [_usage(*places[one]) for one in _OTHER.findall(source) if one in places]
        same = found[-1:] if source == "same" else []  # as the rule above
        found += [*others, *same, _usage(name, source) or _link(source, entity.partition(" @ ")[0])][:1]
    return found


def _usage(rule: str, source: str) -> str:
    """The address of valid usage: its chapter, or the page of its command; "" for other rules."""
    usage, place = _USAGE.fullmatch(rule), _PLACE.match(source)
    if usage and place and "common" not in source:
        return f"{SPECIFICATION}/chapters/{place[1]}.html#{rule}"
    return f"{PAGES}/{usage[1]}.html#{rule}" if usage else ""


def _link(source: str, entity: str) -> str:
    place, anchor = _PLACE.search(source), _ANCHOR.match(source)
    if place and place[2]:
        return f"{SPECIFICATION}/chapters/{place[1]}.html#{place[2]}"
    if anchor:
        return f"{SPECIFICATION}/chapters/{anchor[1]}.html#{anchor[1]}{anchor[2]}"
    if source.startswith("CUDA"):
        return CUDA
    if named := _ENTITY.search(entity) or _EXTENSION.search(source):
        return f"{PAGES}/{named[1]}.html"
    if place:
        return f"{SPECIFICATION}/{'appendices' if place[1] == 'glossary' else 'chapters'}/{place[1]}.html"
    return REGISTRY if "xml" in source else f"{SPECIFICATION}/index.html"
