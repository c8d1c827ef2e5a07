"""A claim of a rule that the ledger declares to need no test (../test_ledger.py runs it)."""

from suites.ledger import rule


@rule("SPEC-UUID-07")
def test_claims_what_none_can(device):
    assert device.is_sound
