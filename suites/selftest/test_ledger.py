"""The ledger is well-formed, and a test claims only what it bears out."""

import ast
import csv
import re

import pytest

from fixtures.testbed.drivers import ROOT
from fixtures.vulkan.commands import RESULT_RULES
from suites.ledger import FILE, rules
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
JUDGES = {"driver", "layer", "loader", "suite", "nobody"}
ID = re.compile(r"\b(?:SPEC-[A-Z]+-\d+|ISSUE-VK_\w+-\d+|VUID-\w+-[\w-]*\w)\b")
CLAIMS = (f"{SAMPLES}unknown_rule.py", f"{SAMPLES}mixed_rules.py", f"{SAMPLES}unclaimable.py")


def rows():
    """The ledger as it stands in the file."""
    with FILE.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_every_row_has_every_column():
    """No row is shorter or longer than the head, and none lacks what a reader needs."""
    for row in rows():
        assert None not in row, f"{row['id']} has more cells than the head"
        assert None not in row.values(), f"{row['id']} has fewer cells than the head"
        empty = [name for name in ("id", "group", "statement", "judges", "strongest") if not row[name]]
        assert not empty, f"{row['id']} says nothing in {empty}"


def test_ids_are_unique():
    """No two rules have one id, and every id reads as one."""
    ids = [row["id"] for row in rows()]

    assert len(ids) == len(set(ids)), f"twice: {sorted({one for one in ids if ids.count(one) > 1})}"
    assert len(rules()) == len(ids)
    odd = [one for one in ids if not ID.fullmatch(one)]
    assert not odd, f"ids that cannot be told from other text: {odd}"


def test_whom_a_rule_judges_and_how_strongly():
    """`judges` names known parties; `strongest` is fail or warn, and "-" exactly where nobody is judged."""
    for row in rows():
        judges = set(row["judges"].split("+"))
        assert judges <= JUDGES, f"{row['id']} judges {row['judges']}"
        assert row["strongest"] in ({"-"} if judges == {"nobody"} else {"fail", "warn"}), (
            f"{row['id']} judges {row['judges']}, at most {row['strongest']}"
        )


def test_a_rule_that_fails_a_driver_says_what_weaker_reading_was_considered():
    """Its reading ends with the weaker one and why it was set aside or taken, or with "-": the text admits one only."""
    open_rules = [
        one.id
        for one in rules().values()
        if one.judges_driver and one.strongest == "fail" and not one.without_test
        if not re.search(r"(^|\. )Weaker: (-$|as [A-Z]+-\d+.*\.$|.*(set aside|taken).*\.$)", one.reading)
    ]

    assert not open_rules, f"no word about weaker readings, or not how they were met: {', '.join(open_rules)}"


def ids_in(path):
    """(id, line) of every rule that a string of a Python file names, docstrings included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((found, node.lineno) for found in ID.findall(node.value))


@pytest.mark.parametrize("folder", ["fixtures", "suites"])
def test_rules_named_in_code_are_in_the_ledger(folder):
    """A breach, a message or a docstring names no rule that does not exist."""
    files = [file for file in (ROOT / folder).rglob("*.py") if "selftest" not in file.parts]

    named = [(one, f"{file.relative_to(ROOT)}:{line}") for file in files for one, line in ids_in(file)]
    unknown = [f"{place} names {one}" for one, place in named if one not in rules()]
    assert not unknown, "; ".join(unknown)
    assert len(named) > 10, f"only {len(named)} rules are named in {folder}: they are not found"


def test_the_results_of_a_command_are_judged_by_its_own_rule():
    """The rule that holds a command's list of results is about that command and may fail a driver."""
    statements = {row["id"]: row for row in rows()}

    for command, one in RESULT_RULES.items():
        row = statements[one]
        assert command in row["entity"], f"{one} is about {row['entity']}, not {command}"
        assert (row["judges"], row["strongest"]) == ("driver", "fail")


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_wrong_claim_is_an_error_of_collection(workers):
    """A rule that the ledger lacks, and rules of different strength on one test: a sentence each, exit status 3."""
    found = run(*CLAIMS, workers)

    test = f"{CLAIMS[0]}::test_claims_too_much[swiftshader]"
    assert f"{test} claims SPEC-EXPORT-99, which the ledger does not have\n" in found.output
    test = f"{CLAIMS[1]}::test_fails_and_warns[swiftshader]"
    assert f"{test} claims rules of different strength: SPEC-EXPORT-02, SPEC-EXPORT-05\n" in found.output
    assert f"{CLAIMS[2]}::test_claims_what_none_can[swiftshader] claims SPEC-UUID-07, which no test can" in found.output
    assert found.status == 3, found.output
    assert "Traceback" not in found.output


def test_every_rule_of_a_driver_or_layer_has_a_test_or_a_reason():
    """`--rules` over the whole suite: no rule is left, and those without a test stand apart with the ledger's reason."""
    lines = run("--rules").output.splitlines()

    none = lines.index("0 rules that judge a driver or a layer have no test:")
    declared = lines[
        next(i for i, line in enumerate(lines) if line.endswith("are declared to need no test:")) + 1 : none
    ]
    wanted = [f"    {one.id}: {one.without_test}" for one in rules().values() if one.without_test]
    assert [line for line in declared if line] == wanted
    assert all(rules()[line.strip().partition(":")[0]].owes_test for line in wanted)


def test_rules_lists_tests_and_what_nobody_claims():
    """`--rules` gives each rule with its statement and tests, then the rules of a driver without one, and runs nothing."""
    found = run(f"{SAMPLES}verdicts.py", "--rules")

    lines = found.output.splitlines()
    first = lines.index("SPEC-EXPORT-02  (judges driver, at most fail)")
    assert lines[first + 1 : first + 3] == [
        f"    {rules()['SPEC-EXPORT-02'].statement}",
        f"    {SAMPLES}verdicts.py::test_fails",
    ]
    unclaimed = lines[
        next(i for i, line in enumerate(lines) if line.endswith("that judge a driver or a layer have no test:")) :
    ]
    assert "    SPEC-EXPORT-01" in unclaimed
    assert "    SPEC-EXPORT-02" not in unclaimed
    assert (found.status, found.lines) == (0, [])


def test_rule_selects():
    """`--rule ID` runs the tests of that rule, several times given those of any."""
    both = run(f"{SAMPLES}verdicts.py", f"{SAMPLES}breaches.py", "-n0", "--rule=SPEC-EXPORT-02")

    assert set(both.tests) == {"test_fails", "test_breach_fails"}
    more = run(f"{SAMPLES}verdicts.py", "-n2", "--rule=SPEC-EXPORT-02", "--rule=SPEC-EXPORT-05", "-k", "not errs")
    assert set(more.tests) == {
        "test_fails",
        "test_fails_a_rule_that_only_warns",
        "test_crashes_about_a_rule_that_only_warns",
    }
