"""No test fails a perfect driver, whichever of the specification's liberties it takes (fixtures/liberties.py)."""

import itertools

import pytest

from fixtures.variants.library import names
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
"""Liberties that one driver takes at once, to save time; what none of these names is taken alone."""

ALONE = [[name] for name in names() if name not in itertools.chain(*TOGETHER)]
FEWEST = 350
"""Tests that any driver has to be judged by, whatever little it claims."""


def test_liberties_are_known_by_name():
    """Those that are taken together exist."""
    assert {*itertools.chain(*TOGETHER)} <= {*names()}


@pytest.mark.limit(300)
@pytest.mark.parametrize("taken", TOGETHER + ALONE, ids="+".join)
def test_no_test_fails_over_a_liberty(taken):
    """Every test passes, warns, or says what is not claimed; none is flaky or an error of the suite."""
    liberties = [f"--liberty={name}" for name in taken]
    found = run(*liberties, "-k", "not layer-", driver=("--ideal", "--device=Ideal device 0"))

    judged = [one for one in found.lines if one["type"] in ("test", "breach")]
    wrong = [
        (one.get("id", one.get("rule")), one["verdict"], one["message"])
        for one in judged
        if one["verdict"] not in ("pass", "warn", "unsupported")
    ]
    assert found.status == 0, found.output[-2000:]
    assert not wrong, f"{len(wrong)} verdicts: {wrong[:5]}"
    assert sum(one["verdict"] == "pass" for one in judged) >= FEWEST, "next to nothing was judged"


@pytest.mark.parametrize("arguments", [["--ideal", "--liberty=none"], ["--liberty=one-queue"]])
def test_a_liberty_is_one_of_the_ideal_drivers(arguments):
    """Another name, or another driver, is refused in one sentence that tells the names."""
    assert "with --ideal, one of sync-fd-alone, " in run(*arguments, driver=()).error
