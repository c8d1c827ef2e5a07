"""No test fails a conformant variant of the reference driver (fixtures/variants)."""

import itertools

import pytest

from fixtures.variants.library import all_variants
from suites.selftest.runs import run

TOGETHER = [
    ["one-queue", "types-apart", "signaled-payloads-export-as-minus-one", "handles-are-used-again"],
    ["many-families", "memory-of-many-types", "promoted-names-are-not-listed", "least-difference"],
    ["calls-hesitate", "semaphores-hold-descriptors", "descriptors-close-late", "host-waits-end-late"],
    [
        "imported-descriptors-are-closed-at-once",
        "descriptors-are-numbered-high",
        "without-room-is-out-of-memory",
        "misuse-is-not-looked-at",
        "nobody-looks-after-the-bereaved",
    ],
]
"""Variants that one driver combines, to save time; every other one is judged alone."""

ALONE = [[name] for name in all_variants() if name not in itertools.chain(*TOGETHER)]
FEWEST = 350
"""Tests that any driver has to be judged by, whatever little it claims."""


def test_combined_variants_exist():
    """Every name in TOGETHER is a variant."""
    assert {*itertools.chain(*TOGETHER)} <= {*all_variants()}


@pytest.mark.limit(300)
@pytest.mark.parametrize("taken", TOGETHER + ALONE, ids="+".join)
def test_no_test_fails_a_conformant_variant(taken):
    """Every test passes, warns, or says what is not claimed; none is flaky or an error of the suite."""
    variants = [f"--variant={name}" for name in taken]
    found = run(*variants, "-k", "not layer-", driver=("--reference", "--device=Reference device 0"))

    judged = [one for one in found.lines if one["type"] in ("test", "breach")]
    wrong = [
        (one.get("id", one.get("rule")), one["verdict"], one["message"])
        for one in judged
        if one["verdict"] not in ("pass", "warn", "unsupported")
    ]
    assert found.status == 0, found.output[-2000:]
    assert not wrong, f"{len(wrong)} verdicts: {wrong[:5]}"
    assert sum(one["verdict"] == "pass" for one in judged) >= FEWEST, "next to nothing was judged"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--reference", "--variant=none"), "--variant=none: no such conformant variant; known: sync-fd-alone, "),
        (("--variant=one-queue",), "--variant=one-queue changes the reference driver: add --reference"),
        (("--liberty=one-queue",), "--variant=one-queue changes the reference driver: add --reference"),
    ],
)
def test_a_variant_is_one_of_the_reference_driver(arguments, sentence):
    """An unknown name, or another driver, is refused in one sentence; the option's old spelling still works."""
    assert run(*arguments, driver=()).error.startswith(sentence)
