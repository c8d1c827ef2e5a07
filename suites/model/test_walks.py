"""Random walks of legal steps, to find failures where features meet; the reference model predicts each step."""

import pytest

from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.model.options import Profile
from suites.model.walking import known_steps, walk
from suites.model.world import shareable


@rule("SPEC-IMPORT-14", "SPEC-DESTROY-03", "SPEC-EXPORT-07", "SPEC-HANDLE-02", "SPEC-HANDLE-03", "SPEC-HANDLE-04")
@pytest.mark.limit(1e6)  # each step has its own
@pytest.mark.parametrize("steps", ["all", "around-known"])
def test_random_walks_agree_with_the_model(processes, device_info, steps, pytestconfig):
    """After legal steps in any order, results, descriptors and payloads are as the reference model predicts."""
    if not shareable(device_info):
        unsupported("no kind of payload is both exportable and importable: nothing can be shared")
    profile, known = Profile.of(pytestconfig.option), known_steps(device_info)
    if steps == "around-known" and not known:
        unsupported("suites/model/known.tsv has no known failure of this driver")
    if steps == "all" and known and profile.is_quick:
        unsupported("suites/model/known.tsv has steps that fail on this driver; --walk-minutes takes them too")

    difference = walk(processes, device_info, profile, known if steps == "around-known" else set())

    assert difference is None, difference.text
