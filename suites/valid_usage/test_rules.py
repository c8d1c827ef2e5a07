"""Every rule that binds the application: the layer reports its breach and nothing else, and what is legal works."""

import pytest

from fixtures.vulkan.outcomes import unsupported, warn
from suites.ledger import checked_by, rule, rules
from suites.valid_usage import (
    counting,
    creating,
    destroying,
    exporting,
    grouping,
    importing,
    presenting,
    stages,
    structures,
    submitting,
    unchecked,
)

CHAPTERS = (
    structures,
    creating,
    destroying,
    exporting,
    importing,
    submitting,
    stages,
    grouping,
    counting,
    presenting,
    unchecked,
)
CASES = [case for chapter in CHAPTERS for case in chapter.CASES]
MOCKED = {"mock": [pytest.mark.mocked]}


def each_case(rules_of, cases=CASES, over=lambda case: "driver"):
    """Parametrizes a test with the cases, each of which claims its rules and may run `over` the mock driver alone."""
    marked = [(case, [rule(*rules_of(case)), *MOCKED.get(over(case), [])]) for case in cases]
    return pytest.mark.parametrize("case", [pytest.param(case, id=str(case), marks=marks) for case, marks in marked])


def claims(case):
    """What the layer has to say about a case."""
    return case.claims


@pytest.mark.no_repeat
@each_case(claims, over=lambda case: case.breach_over)
def test_the_layer_reports_the_breach(layer, case):
    """The smallest call that breaks a rule is reported under that rule's id and, but for what it breaks besides, no other."""
    if case.violate is None:
        unsupported(f"no layer checks it: {rules()[case.rule].unchecked}")
    known = checked_by(case.rule, layer.version)
    if known == {"n"} or ("n" in known and case.breach_over == "driver"):
        unsupported(f"layer {layer.version} {'may have' if len(known) > 1 else 'has'} no such check")

    reported, answer = layer.over(case.breach_over if known != {""} else "mock").reports_of(case.violate)

    wanted = {case.rule, *known} - {"", "n", "y"}
    if "unnamed" in known:
        wanted.add("")
    if "n" in known and not wanted & {*reported}:
        unsupported(f"layer {layer.version} has no such check")
    assert wanted & {*reported}, f"the layer reported {reported or 'nothing'}, the call returned {answer}"
    others = {*reported} - {*wanted, *case.also}
    assert not others, f"beside {case.rule} the layer reported {', '.join(sorted(others))}, which is not broken"


@each_case(claims, over=lambda case: case.over)
def test_the_layer_is_silent_about_the_legal_neighbour(layer, case):
    """The nearest legal neighbour of a breach is not reported."""
    reported, _ = layer.over(case.over).reports_of(case.legal)

    assert not reported, f"the layer reported {reported} for legal calls"


@each_case(claims, [case for case in CASES if case.over == "mock"])
def test_the_layer_is_silent_over_the_driver(layer, case):
    """Nor is it reported when a driver that does something answers."""
    reported, _ = layer.over("driver").reports_of(case.legal)

    assert not reported, f"the layer reported {reported} for legal calls"


@each_case(lambda case: case.rules)
def test_the_legal_neighbour_works(device, case):
    """The nearest legal neighbour of a breach succeeds on the driver; one that returns nothing leaves the device sound.

    An error that no rule of the driver forbids is a warning.
    """
    answer, what = case.legal(device), "the legal neighbour"
    if answer is None:
        answer, what = device.vk.vkDeviceWaitIdle(device.handle), f"vkDeviceWaitIdle after {what}"

    if not case.rules and not answer.is_success:
        warn(f"{what} returned {answer}, which no rule forbids")
        return
    assert answer.is_success, f"{what} returned {answer}"
