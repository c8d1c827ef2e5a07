"""Every test can fail: tests notice each fault that breaks their rules, each rule has a fault, each test notices one."""

import pytest

from fixtures.faults.library import all_faults
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rules
from suites.selftest.matrix import CHOICES, HERE, PAIRS, claims, judge, owed, pairs_for

pytestmark = pytest.mark.limit(150)

ELSEWHERE = {
    "suites/neighbours/test_cuda.py": "needs CUDA",
    "suites/model/test_walks.py": "walks at random; test_walks.py beside this file shows that walks can fail",
    "suites/valid_usage/test_rules.py": "claims what binds the application; test_valid_usage.py shows that each can fail",
}
"""Files whose tests the matrix does not run, and why."""

SYNC_FILES = ("merged_sync_file", "copy_of_a_sync_file", "merge_of_two_devices")
FOREIGN_FENCES = (
    "foreign_fence_that_is_signaled_imports",
    "wait_for_a_foreign_fence_holds",
    "foreign_fence_and_an_own_one_in_one",
)
NEVER_FAILED = {
    "suites/neighbours/test_data.py::test_vulkan_and_cuda_read_what_the_other_wrote": "needs CUDA",
    "suites/neighbours/test_users.py::test_ffmpeg_hands_frames_to_cuda_and_back": "needs CUDA",
}
"""Test functions that no fault of the matrix can make fail, and why."""

ON_VENUS = {
    "suites/neighbours/test_two_drivers.py::test_a_merge_of_two_drivers_imports",
    *(f"suites/neighbours/test_sync_files.py::test_a_{what}_imports" for what in SYNC_FILES),
    *(f"suites/neighbours/test_foreign_fences.py::test_a_{what}" for what in FOREIGN_FENCES),
}
"""Test functions that can fail only where the kernel makes sync_files: faults of a driver in a guest show that they do."""

APART = {
    "lavapipe": "sh fixtures/lavapipe.sh",
    "venus": "venus_implicit_fencing=true sh fixtures/vm.sh --gpu",
}
"""Drivers that have a root or guest of their own, and how to run there."""


def runs_elsewhere(test):
    """Whether the matrix cannot show that a test function fails."""
    return test in {*NEVER_FAILED, *ON_VENUS} or test.partition("::")[0] in ELSEWHERE


def needs(driver, config):
    """Say `unsupported` where the run is not in the root or guest that the driver has of its own."""
    if driver in APART and not {*CHOICES[driver]} & {f"--driver={one}" for one in config.option.driver or ()}:
        unsupported(f"for a run with {driver}: {APART[driver]} suites/selftest/test_matrix.py -k {driver}")


def noticing(pairs, **how):
    """The test functions that notice one of these faults, judged as `judge` does."""
    return {test for pair in pairs for found in judge(*pair, **how).noticed.values() for test in found}


@pytest.mark.parametrize(("name", "driver"), PAIRS)
def test_a_fault_is_noticed_by_tests_of_its_rules(name, driver, pytestconfig):
    """For each rule that a fault breaks, at least one of the tests that claim it fails.

    On a busy machine work may be over before the one test can look that notices a fault: it has a second chance.
    """
    needs(driver, pytestconfig)
    outcome = judge(name, driver)
    if not all(outcome.noticed.values()):
        outcome = judge(name, driver, in_full=True)

    missed = [one for one, noticed in outcome.noticed.items() if not noticed]
    assert not outcome.errors, f"a fault of the driver was taken for one of the suite: {outcome.errors[:3]}"
    assert not missed, f"{name} breaks {', '.join(missed)}, and no test that claims it noticed"


def test_every_rule_has_a_fault():
    """Each rule by which a driver can fail, and that tests claim, is broken by a fault or has a reason why none can."""
    broken = {one for fault in all_faults().values() for one in fault.rules}
    elsewhere = {one for one in owed() if all(runs_elsewhere(test) for test in claims()[one])}

    left = [one for one in owed() if one not in broken | elsewhere]
    assert not left, f"no fault breaks {', '.join(left)}"


def test_faults_break_rules_of_the_ledger():
    """Every rule that a fault names is in the ledger, judges a driver and has a test."""
    named = {one for fault in all_faults().values() for one in fault.rules}

    assert not [one for one in named if one not in rules() or not rules()[one].judges_driver or not claims()[one]]


@pytest.mark.limit(600)
def test_every_test_notices_a_fault():
    """Each test that a driver can fail by fails, or warns, under at least one fault."""
    owing = {test for one in owed() for test in claims()[one]}

    left = {test for test in owing - noticing(HERE) if not runs_elsewhere(test)}
    # symptoms.jsonl, by which pairs leave tests out, may be older than a test
    left -= noticing(pairs_for(left), in_full=True)
    assert not left, f"no fault makes them fail: {sorted(left)}"


@pytest.mark.limit(600)
def test_tests_of_sync_files_notice_a_fault_on_venus(pytestconfig):
    """Each test that needs sync_files of the kernel fails under a fault of a driver that hands them out."""
    needs("venus", pytestconfig)

    left = ON_VENUS - noticing(pair for pair in PAIRS if pair[1] == "venus")
    assert not left, f"no fault on Venus makes them fail: {sorted(left)}"
