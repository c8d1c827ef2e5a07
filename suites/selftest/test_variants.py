"""No test fails a conformant variant of the reference driver; portraits of real drivers fail by their flaws alone."""

import itertools
import os

import pytest

from fixtures.faults.library import all_faults
from fixtures.testbed.drivers import ROOT
from fixtures.variants.library import all_variants
from fixtures.variants.portraits import MENDED, PORTRAITS
from fixtures.vulkan.outcomes import unsupported
from reports.records import baseline
from suites.selftest.runs import SAMPLES, run

EVERY = os.environ.get("EVERY_CASE")
"""Whether every variant and portrait is judged, and by every case: which takes minutes more."""

KNOWN = ROOT / "reports" / "baselines" / "portraits"
DRIVER = ("--reference", "--device=Reference device 0")
TOGETHER = [
    [
        "one-queue",
        "types-apart",
        "signaled-payloads-export-as-minus-one",
        "handles-are-used-again",
        "swapchains-have-many-images",
    ],
    [
        "many-families",
        "memory-of-many-types",
        "promoted-names-are-not-listed",
        "least-difference",
        "sparse-binding-overtakes-its-queue",
        "one-image-at-a-time",
    ],
    [
        "calls-hesitate",
        "semaphores-hold-descriptors",
        "descriptors-close-late",
        "host-waits-end-late",
        "fences-are-seen-late",
        "images-are-shown-for-a-while",
    ],
    [
        "imported-descriptors-are-closed-at-once",
        "descriptors-are-numbered-high",
        "without-room-is-out-of-memory",
        "misuse-is-not-looked-at",
        "nobody-looks-after-the-bereaved",
        "a-thread-opens-and-closes-descriptors",
        "presents-return-when-their-waits-end",
    ],
    [
        "three-instances-at-a-time",
        "exports-see-a-temporary-payload-until-its-wait-ends",
        "misuse-loses-the-device",
        "swapchains-are-suboptimal",
    ],
    ["opaque-fd-of-binary-alone", "work-is-done-inside-the-submission"],
    ["timelines-alone", "batches-run-late-and-in-bursts"],
    ["nothing-beside", "two-devices-at-a-time", "a-device-of-vulkan-1-0-beside"],
    [
        "sparse-binding-has-a-queue-of-its-own",
        "refused-imports-unsignal-the-semaphore",
        "exports-without-room-use-the-signal-up",
        "later-instances-show-one-device",
        "descriptors-are-closed-twice-a-second",
        "images-are-acquired-while-they-are-shown",
    ],
]
"""Variants that one driver combines, to save time; every other one is judged in a portrait or alone."""

SHOWN = {*itertools.chain(*TOGETHER, *(one.variants for one in PORTRAITS.values()))}
ALONE = [[name] for name in all_variants() if name not in SHOWN]
FIRMLY = "not layer- and not random_walks"
"""Leaves out what may meet a flaw or not."""

PLUGIN = SAMPLES.replace("/", ".")
SHARE = () if EVERY else ("-p", f"{PLUGIN}share")
"""Draws the cases that judge a variant: many variants meet each case, and each variant every test function."""

FEWEST = 350 if EVERY else 200
"""Tests that any driver has to be judged by, whatever little it claims."""


def test_combined_variants_exist():
    """Every name in TOGETHER and in a portrait is a variant, every flaw a fault."""
    assert {*all_variants()} >= SHOWN
    assert {*all_faults()} >= {*itertools.chain(*(one.flaws for one in PORTRAITS.values()))}


@pytest.mark.limit(300)
@pytest.mark.parametrize("taken", [*TOGETHER, *ALONE, *([f"{name}{MENDED}"] for name in PORTRAITS)], ids="+".join)
def test_no_test_fails_a_conformant_variant(taken):
    """Every test passes, warns, or says what is not claimed; none is flaky or an error of the suite."""
    if not EVERY and taken[0].endswith(MENDED) and PORTRAITS[taken[0].removesuffix(MENDED)].flaws:
        unsupported("EVERY_CASE=1 judges portraits without their flaws as well, which takes minutes")
    found = run(*(f"--variant={name}" for name in taken), *SHARE, "-k", "not layer-", driver=DRIVER)

    judged = [one for one in found.lines if one["type"] in ("test", "breach")]
    wrong = [
        (one.get("id", one.get("rule")), one["verdict"], one["message"])
        for one in judged
        if one["verdict"] not in ("pass", "warn", "unsupported")
    ]
    assert found.status == 0, found.output[-2000:]
    assert not wrong, f"{len(wrong)} verdicts: {wrong[:5]}"
    assert sum(one["verdict"] == "pass" for one in judged) >= FEWEST, "next to nothing was judged"


@pytest.mark.limit(300)
@pytest.mark.parametrize("name", [name for name, one in PORTRAITS.items() if one.flaws])
def test_a_portrait_fails_by_its_flaws_alone(name):
    """What fails over a portrait of a real driver is what reports/baselines/portraits has of it, each with its reason.

    An entry there is a test function: one of its cases fails.
    """
    expected = baseline.read(KNOWN / f"{name}.txt")
    found = run(f"--variant={name}", *SHARE, "-p", f"{PLUGIN}once", "-k", FIRMLY, driver=DRIVER)

    wrong = [one for one in found.lines if one.get("verdict") in ("fail", "crash", "timeout", "flaky", "error")]
    assert {baseline.key_of(one).partition("[")[0]: one["verdict"] for one in wrong} == expected.known
    assert all(expected.reasons.values()), f"{name}.txt has entries without a reason"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--reference", "--variant=none"), "--variant=none: no such conformant variant; known: "),
        (("--variant=one-queue",), "--variant=one-queue changes the reference driver: add --reference"),
        (("--liberty=one-queue",), "--variant=one-queue changes the reference driver: add --reference"),
    ],
)
def test_a_variant_is_one_of_the_reference_driver(arguments, sentence):
    """An unknown name, or another driver, is refused in one sentence; the option's old spelling still works."""
    assert run(*arguments, driver=()).error.startswith(sentence)
