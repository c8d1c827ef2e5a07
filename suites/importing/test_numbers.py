"""SYNC_FDs whatever their number: -1 alone stands for a payload that is signaled."""

import os

import pytest

from fixtures.testbed.gates import Proof, watch
from fixtures.vulkan.outcomes import too_late
from suites.ledger import rule
from suites.steps.payloads import pending
from suites.steps.signals import wait_for


@rule("SPEC-IMPORT-33")
@pytest.mark.isolated(fresh=True)  # its standard input is gone afterwards
def test_a_pending_copy_may_have_the_number_0(device, sync_kind):
    """A descriptor with the number 0 imports, and a wait for it holds for the pending signal."""
    importer = device.semaphore(sync_kind)
    gate, _, descriptor = pending(device, sync_kind, 8)
    number = os.dup2(descriptor.fd, 0, inheritable=False)

    answer = importer.import_fd(number, temporary=True)
    proof = watch(gate, wait_for(importer)) if answer.is_success else Proof.NEVER

    assert answer.is_success, f"vkImportSemaphoreFdKHR of a SYNC_FD with the number {number} returned {answer}"
    if proof is Proof.NOT_SHOWN:
        too_late("the work was over before the wait was submitted")
    assert proof is Proof.HELD, f"a wait for a pending SYNC_FD with the number {number}: {proof.value}"
