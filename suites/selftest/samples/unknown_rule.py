"""A claim of a rule that does not exist (../test_ledger.py runs it)."""

from suites.ledger import rule


@rule("SPEC-EXPORT-02", "SPEC-EXPORT-99")
def test_claims_too_much(device):
    assert device.is_sound
