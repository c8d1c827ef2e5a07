"""The rules of the application: each has its case, none passes by default, and the ledger has what the registry has."""

import json
import subprocess
import sys

import pytest

from fixtures.testbed import layer
from fixtures.testbed.drivers import ROOT
from fixtures.vulkan.outcomes import unsupported
from suites.drift import INSTALLED, UNPACKED, drift, rows
from suites.ledger import checked_by, rules
from suites.selftest.runs import run, scratch
from suites.valid_usage.test_rules import CASES

pytestmark = pytest.mark.limit(60)
RULES = {one.id for one in rules().values() if one.id.startswith("VUID-") and one.judges == "layer"}


def breaches(*more, **environment):
    """A run of all breaches."""
    if layer.find() == [layer.MISSING]:
        unsupported("no validation layer is set up")
    return run("suites/valid_usage", "-k", "breach", "-n2", *more, **environment)


def muted(*more):
    """A run of all breaches, under layers that check nothing."""
    return breaches("--patience=0.2", *more, LAYER_MUTED="1")


def verdicts(found):
    """The verdict of each breach on each layer."""
    return {(one["device"], one["id"]): one["verdict"] for one in found.lines if one["type"] == "test"}


def test_every_rule_of_the_application_has_a_case():
    """No rule that a layer may check is without a breach and its neighbour, and there is no case of another."""
    assert {case.rule for case in CASES if case.violate and case.rule.startswith("VUID-")} == RULES


def test_every_rule_is_checked_by_a_layer_or_declared():
    """The ledger knows of each rule what each version of the layer that it has a column for makes of it."""
    unknown = [one for one in RULES for version in ("1.3.239", "1.4.352", "1.4.363") if "" in checked_by(one, version)]
    assert not unknown, f"nobody has seen what a layer makes of {unknown}"


def test_every_breach_is_reported_by_a_layer_or_says_why_not():
    """Each id of the ledger passes on one layer at least, or is unsupported on all, with the reason."""
    records = [line for line in breaches().lines if line["type"] == "test"]

    seen = {
        one.id: [line for line in records if f"[{one.id}" in line["id"]]
        for one in rules().values()
        if "VUID" in one.kind
    }
    assert all(seen.values()), f"no breach of {[one for one, lines in seen.items() if not lines]}"
    missed = {one for one, lines in seen.items() if "pass" not in {line["verdict"] for line in lines}}
    reasons = {(line["verdict"], bool(line["message"])) for one in missed for line in seen[one]}
    assert reasons <= {("unsupported", True)}, (
        f"neither reported nor unsupported, with a reason, on every layer: {missed}"
    )


def test_no_breach_passes_under_a_mute_layer():
    """With its checks off a layer reports nothing: each breach that is judged with them fails, or kills the mock driver."""
    awake, asleep = verdicts(breaches()), verdicts(muted())

    assert asleep.keys() == awake.keys(), muted().output
    silent = {(one["device"], one["id"]) for one in muted().lines if one.get("message", "").endswith("no such check")}
    judged = {one for one, verdict in awake.items() if verdict != "unsupported"}
    assert judged <= silent | {one for one, verdict in asleep.items() if verdict in ("fail", "crash")}
    assert "pass" not in asleep.values()


def test_a_layer_turns_no_driver_red():
    """What only a layer failed is listed, and counts neither as failure nor as judgement of a driver."""
    found = muted()

    assert "failures of a validation layer, which fail no driver" in found.output
    assert found.status == 5, found.output


def test_a_layer_fails_against_its_own_baseline():
    """`--baseline` with the baseline of a layer judges that layer."""
    known = [file for one in layer.find() if (file := ROOT / f"reports/baselines/{one.slug}.txt").exists()]
    if not known:
        unsupported("no layer that is set up has a baseline")

    assert muted("--baseline", str(known[0])).status == 1


def test_the_ledger_is_level_with_the_registry():
    """The valid usage of the headers at hand names no semaphore's rule that the ledger lacks, and has all of the ledger's."""
    file = INSTALLED if INSTALLED.exists() else UNPACKED
    if not file.exists():
        unsupported("no validusage.json is installed or set up")

    version, lacking, gone = drift(file, rows())

    assert not lacking, f"the ledger lacks, of registry {version}: {lacking}"
    assert not gone, f"registry {version} does not have {gone}"


@pytest.mark.parametrize("entity", ["VkDeviceGroupSubmitInfo", "vkAcquireNextImageKHR", "VkSemaphoreWaitInfo"])
def test_what_the_ledger_does_not_know_at_all_is_lacking(entity):
    """A structure or command that takes semaphores is told though no row is about it."""
    kept = [row for row in rows() if row["entity"] != entity]
    rule = {"vuid": f"VUID-{entity}-semaphore-parameter", "text": "a valid VkSemaphore handle"}
    content = {"version info": {"api version": "1.4.400"}, "validation": {entity: {"core": [rule]}}}
    file = scratch("unknown") / "validusage.json"
    file.write_text(json.dumps(content))

    assert drift(file, kept)[1] == [rule["vuid"]]


def test_drift_is_named():
    """A rule that is new in the registry, and one that is gone from it, are named each in a line; exit status 1."""
    old = sorted(one for one in RULES if "vkSignalSemaphore" in one)
    new = {"vuid": "VUID-vkSignalSemaphore-new-99999", "text": "a semaphore"}
    kept = [{"vuid": one, "text": ""} for one in old[1:]]
    file = scratch("drift") / "validusage.json"
    content = {"version info": {"api version": "1.4.400"}, "validation": {"vkSignalSemaphore": {"core": [new, *kept]}}}
    file.write_text(json.dumps(content))

    command = [sys.executable, "-m", "suites.drift", "--registry", str(file)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert found.returncode == 1, found.stderr
    assert "the ledger lacks VUID-vkSignalSemaphore-new-99999\n" in found.stdout
    assert f"gone: {old[0]}\n" in found.stdout


def test_an_installed_layer_is_found(monkeypatch):
    """A layer that the system has is judged beside those of setup.sh; other manifests there do no harm."""
    folder = scratch("explicit_layer.d")
    for name, content in {
        "layer": json.dumps({"layer": {"name": layer.NAME, "api_version": "9.9.999"}}),
        "other": json.dumps({"layer": {"name": "VK_LAYER_MESA_overlay", "api_version": "1.0.0"}}),
        "several": json.dumps([]),
        "broken": "{",
    }.items():
        (folder / f"{name}.json").write_text(content)
    unpacked = [one for one in layer.find() if one != layer.MISSING]
    monkeypatch.setattr(layer, "INSTALLED", folder)
    monkeypatch.setattr(layer, "MOCK", folder / "layer.json")

    assert layer.find()[0] == layer.Layer(str(folder), "9.9.999")
    assert {one.version for one in layer.find()} >= {one.version for one in unpacked if str(ROOT) in one.folder}


def test_no_layer_is_judged_over_nothing(monkeypatch):
    """Without the mock driver no layer is found: the tests of it stand in the record as unsupported."""
    monkeypatch.setattr(layer, "MOCK", ROOT / "nowhere")

    assert layer.find() == [layer.MISSING]


def test_a_layer_that_does_not_load_is_no_failure():
    """A layer whose library is missing, or made for another system, is not judged; the reason says so."""
    if not layer.MOCK.exists():
        unsupported("the mock driver is not set up")
    folder = scratch("unloadable")
    described = {"name": layer.NAME, "type": "GLOBAL", "library_path": "./gone.so", "api_version": "9.9.999"}
    described |= {"implementation_version": "1", "description": "gone"}
    (folder / "layer.json").write_text(json.dumps({"file_format_version": "1.2.0", "layer": described}))

    with pytest.raises(pytest.skip.Exception, match="cannot load VK_LAYER_KHRONOS_validation"):
        layer.Layered(layer.Layer(str(folder), "9.9.999"), None).over("mock")


def test_a_layer_between_two_that_the_ledger_saw_may_do_as_either():
    """A version with a column of its own does as that says, one between two as one of both, a newer one as the newest."""
    one = "VUID-vkQueueSubmit-pSignalSemaphores-00067"
    older = "UNASSIGNED-CoreValidation-DrawState-QueueForwardProgress"

    assert checked_by(one, "1.3.239") == {older}
    assert checked_by(one, "1.4.309") == {older, "y"}
    assert checked_by(one, "1.4.352") == checked_by(one, "1.4.363") == checked_by(one, "1.5.1") == {"y"}
