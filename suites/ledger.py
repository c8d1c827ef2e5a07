"""The ledger of rules (rules.tsv beside this file), the `rule` marker that claims them, and what a rule's strength allows."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("rules.tsv")
NO_TEST = "No test: "
rule = pytest.mark.rule


@dataclass(frozen=True)
class Rule:
    """One row: what is said, by which source, whom it judges, how strongly and by which reading."""

    id: str
    group: str
    kind: str
    entity: str
    statement: str
    judges: str
    strongest: str
    reading: str
    observable_by: str
    test_idea: str
    source: str

    @property
    def judges_driver(self) -> bool:
        """Whether a driver can break it."""
        return "driver" in self.judges or "loader" in self.judges

    @property
    def owes_test(self) -> bool:
        """Whether it judges a driver or a layer, which a test has to do."""
        return self.judges_driver or self.judges == "layer"

    @property
    def unchecked(self) -> str:
        """Why no validation layer checks it, as the ledger says."""
        return (
            "an older id"
            if self.kind == "VUID-retired"
            else re.sub(r"^not-testable\((.*)\).*$", r"\1", self.observable_by)
        )

    @property
    def without_test(self) -> str:
        """Why no test claims it, as the ledger declares; empty if one should."""
        return self.test_idea.removeprefix(NO_TEST) if self.test_idea.startswith(NO_TEST) else ""


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its id, in the ledger's order."""
    return {one: Rule(**{name: row[name] for name in Rule.__dataclass_fields__}) for one, row in _rows().items()}


@cache
def _rows() -> dict[str, dict[str, str]]:
    with FILE.open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def newest_not_after(version: str, columns: Iterable[str], prefix: str) -> str:
    """The column `prefix` with the newest version that is not after `version`; the oldest if all are."""
    there = versions(columns, prefix)
    return next((name for name in reversed(there) if _numbers(name, prefix) <= _numbers(version)), there[0])


def versions(columns: Iterable[str], prefix: str) -> list[str]:
    """The columns that begin with `prefix`, oldest version first."""
    return sorted((name for name in columns if name.startswith(prefix)), key=lambda name: _numbers(name, prefix))


def _numbers(name: str, prefix: str = "") -> list[int]:
    return [int(part) for part in name.removeprefix(prefix).split(".")]


def checked_by(one: str, version: str) -> set[str]:
    """What the validation layer `version` may make of a breach of rule `one`, as the ledger saw the newest layer not after it.

    "y": it reports the rule's id and stops the call; another id: the same under that id; "unnamed": the same under an empty
    one; "n": it has no such check; "": unknown.
    A version between two that the ledger saw may have changed already: then also what the later one makes of it.
    """
    row = _rows()[one]
    seen = versions(row, "layer_")
    at = seen.index(newest_not_after(version, seen, "layer_"))
    return {row[name] for name in seen[at : at + (1 if seen[at] == f"layer_{version}" else 2)]}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rules")
    group.addoption("--rule", action="append", metavar="ID", help="only the tests of this rule (repeatable)")
    group.addoption("--rules", action="store_true", help="list the rules, the tests of each, and what nobody claims")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rule(*ids): the rules of suites/rules.tsv that the test proves")
    unknown = [one for one in config.option.rule or [] if one not in rules()]
    if unknown:
        raise pytest.UsageError(f"--rule {unknown[0]}: the ledger has no such rule")
    if config.option.rules:
        config.option.collectonly, config.option.dist, config.option.tx = True, "no", []


def claims_of(item: pytest.Item) -> list[str]:
    """The ids on a test's `rule` markers."""
    return [one for marker in item.iter_markers("rule") for one in marker.args]


def strength_of(item: pytest.Item) -> str:
    """The strongest verdict that the test's rules carry: "fail" or "warn"; a test has rules of one strength."""
    return next((rules()[one].strongest for one in claims_of(item)), "fail")


def problem_of(item: pytest.Item) -> str | None:
    """What is wrong with a test's claims, None if nothing is."""
    claims = claims_of(item)
    unknown = [one for one in claims if one not in rules()]
    if unknown:
        return f"{item.nodeid} claims {unknown[0]}, which the ledger does not have"
    declared = [one for one in claims if rules()[one].without_test]
    if declared:
        return f"{item.nodeid} claims {declared[0]}, which no test can, as the ledger says"
    strengths = {rules()[one].strongest for one in claims}
    if len(strengths) > 1 or "-" in strengths:
        return f"{item.nodeid} claims rules of different strength: {', '.join(claims)}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file with a claim that the ledger does not bear out is not collected."""
    report = yield
    items = [one for one in report.result or [] if isinstance(one, pytest.Item)]
    problems = [problem for item in items if (problem := problem_of(item))]
    if problems:
        report.outcome, report.longrepr, report.result = "failed", "\n".join(problems), []
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties.append(("rules", claims_of(item)))
    wanted = set(config.option.rule or [])
    if wanted:
        left_out = [item for item in items if not wanted & set(claims_of(item))]
        items[:] = [item for item in items if wanted & set(claims_of(item))]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed assertion about a rule that carries no more than `warn` is a warning."""
    report = yield
    if report.failed and strength_of(item) == "warn":
        blamed = [text for name, text in report.user_properties if name == "failure" and text[0] == "driver"]
        if blamed:
            report.outcome, report.longrepr = "passed", None
            report.user_properties = [p for p in report.user_properties if p[0] != "failure"]
            report.user_properties.append(("warnings", [blamed[0][1]]))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.rules:
        print(describe(session.items))
        session.items = []  # whose names pytest prints otherwise


def describe(items: Iterable[pytest.Item]) -> str:
    """The text of `pytest --rules`: each rule with its tests, what the ledger declares without one, then what no test claims."""
    tests: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for one in claims_of(item):
            tests[one].add(item.nodeid.partition("[")[0])
    lines = []
    for one in rules().values():
        lines += [f"{one.id}  (judges {one.judges}, at most {one.strongest})", f"    {one.statement}"]
        lines += [f"    {test}" for test in sorted(tests[one.id])]
    left = [one for one in rules().values() if one.owes_test and not tests[one.id]]
    declared = [f"    {one.id}: {one.without_test}" for one in left if one.without_test]
    unclaimed = [f"    {one.id}" for one in left if not one.without_test]
    lines += ["", f"{len(declared)} rules that judge a driver or a layer are declared to need no test:", *declared]
    lines += ["", f"{len(unclaimed)} rules that judge a driver or a layer have no test:", *unclaimed]
    return "\n".join(lines)


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    return True if session.config.option.rules else None


def pytest_suite_ledger() -> list[dict[str, str]]:
    """The recorder's hook: the rules as they stand in this run."""
    return [dict(vars(one)) for one in rules().values()]
