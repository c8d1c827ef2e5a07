"""A test of two rules of different strength (../test_ledger.py runs it)."""

from suites.ledger import rule


@rule("SPEC-EXPORT-02", "SPEC-EXPORT-05")
def test_fails_and_warns(device):
    assert device.is_sound
