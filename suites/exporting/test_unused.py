"""Exports that nobody imports: the application closes the descriptor, whatever is still to happen to its payload."""

from fixtures.vulkan.outcomes import Broken
from suites.ledger import rule
from suites.steps.payloads import pending
from suites.steps.signals import signal_behind_work, wait_for


@rule("SPEC-EXPORT-02", "SPEC-STATE-01")
def test_a_descriptor_may_be_closed_before_its_signal(device, exportable):
    """Work after a signal whose exported descriptor was closed meanwhile goes on, and its own signal comes."""
    gate, _, descriptor = pending(device, exportable)
    descriptor.close()
    if not gate.finishes():
        raise Broken(f"the work before the signal does not end: {gate} (SPEC-FUND-09)")

    another = device.semaphore(exportable)
    signal_behind_work(another)
    wait = wait_for(another)

    assert wait.finishes(), f"after a pending {exportable} was closed, a wait for a later signal does not end: {wait}"
