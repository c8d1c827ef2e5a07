"""JUnit as GitLab, Jenkins and GitHub's actions read it: a suite per device, a case per test and per violation.

A case that fails the run is a `failure` (an `error` where the suite is at fault); a known failure and the failure of a
validation layer are `skipped` with the reason. A violation is named as in a baseline, so that its history goes on.

`strict` makes of it what Jenkins' xUnit plugin takes: its schema refuses the `file` of a case, which GitLab and GitHub show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import escape, quoteattr

from reports.records.baseline import key_of
from reports.records.lines import Line
from reports.records.runs import Run, is_apart, is_known
from reports.records.verdicts import FAILING, dispute

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HARMLESS = re.compile(r"[\w \-./:\[\](),=+|^]*", re.ASCII)
_CALLS = 20  # the last calls of a failure that its text shows


@dataclass(frozen=True)
class Case:
    """The text of one testcase, what it counts as ("" for a pass), its seconds, and the verdict."""

    text: str
    kind: str
    seconds: float
    verdict: str


@dataclass
class Suite:
    """The texts of the cases of a device, and what they add up to."""

    texts: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, case: Case) -> None:
        """Add a case."""
        self.texts.append(case.text)
        self.kinds[case.kind] += 1
        self.seconds += case.seconds

    @property
    def totals(self) -> str:
        """The attributes of a suite."""
        counts = {"tests": self.kinds.total(), "failures": self.kinds["failure"], "errors": self.kinds["error"]}
        counts["skipped"] = self.kinds["skipped"]
        return " ".join([*(f'{name}="{count}"' for name, count in counts.items()), f'time="{self.seconds:.3f}"'])


def suites(cases: Mapping[tuple[str, str], Case]) -> dict[str, Suite]:
    """The suites of cases that are named by their device and their test."""
    found: dict[str, Suite] = {}
    for (slug, _), case in cases.items():
        found.setdefault(slug, Suite()).add(case)
    return {slug: Suite(["\n".join(one.texts)], one.kinds, one.seconds) for slug, one in found.items()}


def render(run: Run, pieces: Sequence[Mapping[str, Suite]]) -> bytes:
    """The text of junit.xml, with the suites of each piece of the run; `run` has the tests that somebody has to look at."""
    told = {slug: Suite() for slug in sorted({*(slug for piece in pieces for slug in piece), *_devices(run)})}
    for slug, suite in told.items():
        for part in (piece[slug] for piece in pieces if slug in piece):
            suite.texts += part.texts
            suite.kinds.update(part.kinds)
            suite.seconds += part.seconds
        for breach in run.breaches:
            if breach["device"] == slug:
                suite.add(case(run, {"id": key_of(breach), "rules": [breach["rule"]], **breach}))
    rest = _rest(run)
    total = Suite([], sum((one.kinds for one in (*told.values(), rest)), Counter()))
    total.seconds = sum(one.seconds for one in told.values())
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<testsuites name="external semaphores" {total.totals}>']
    for slug, suite in told.items():
        where = f"hostname={_quoted(run.head.get('host', ''))} timestamp={_quoted(run.head.get('time', ''))}"
        lines += [f"<testsuite name={_quoted(slug or 'no device')} {where} {suite.totals}>", _about(run, slug)]
        lines += [*suite.texts, "</testsuite>"]
    if rest.texts:
        name = "baseline" if run.end else "run"
        lines += [f'<testsuite name="{name}" {rest.totals}>', *rest.texts, "</testsuite>"]
    return "\n".join([*lines, "</testsuites>", ""]).encode()


def strict(text: bytes) -> str:
    """A junit.xml without what the schema of Jenkins' xUnit plugin refuses; what the properties of a case say is its output."""
    root = ElementTree.fromstring(text)
    root.attrib.pop("skipped", None)
    for one in root.iter("testcase"):
        one.attrib.pop("file", None)
        for properties in one.findall("properties"):
            one.remove(properties)
            told = "".join(f"{each.get('name')}: {each.get('value')}\n" for each in properties)
            output = one.find("system-out")
            if output is None:
                output = SubElement(one, "system-out")
            output.text = told + (output.text or "")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def left_over(run: Run) -> list[tuple[str, str]]:
    """Failures of a run that are no test's: entries of the baseline that no result matched, and that it, or a shard, died."""
    if not run.end:
        return [("the run", run.status)]
    seen = {key_of(one) for one in (*run.tests, *run.breaches)}
    left = [(key, what) for key, what in run.end.get("surprises", []) if key not in seen]
    return left + [("the run", what) for what in run.end.get("missing", [])]


def _devices(run: Run) -> list[str]:
    return [breach["device"] for breach in run.breaches]


def _about(run: Run, slug: str) -> str:
    told = {"device": run.describe(slug), "commit": run.head.get("commit", ""), "suite": run.head.get("suite", "")}
    properties = Element("properties")
    _fill(properties, list(told.items()))
    return ElementTree.tostring(properties, encoding="unicode")


def _rest(run: Run) -> Suite:
    suite = Suite()
    for key, what in left_over(run):
        case = Element("testcase", name=_clean(key), classname="baseline" if run.end else "run", time="0")
        _add(case, "failure", type="baseline", message=what)
        suite.add(Case(ElementTree.tostring(case, encoding="unicode"), "failure", 0.0, ""))
    return suite


def case(run: Run, one: Line) -> Case:
    """The case of a test, or of a violation."""
    path, _, name = one["id"].partition("::")
    module = path.removesuffix(".py").replace("/", ".") if name else "breaches"
    told = {"name": name or path, "classname": ".".join(filter(None, (one["device"], module)))}
    told["time"] = f"{one.get('seconds', 0):.6f}"
    verdict, message, seconds = one["verdict"], one["message"], float(one.get("seconds", 0))
    if name and (verdict != "unsupported" or one.get("differs")):
        told["file"] = path
    if verdict in ("pass", "unsupported") and not one.get("differs"):  # most are: of them nobody asks for more
        begun = f"<testcase {' '.join(f'{key}={_quoted(value)}' for key, value in told.items())}"
        if verdict == "pass":
            return Case(f"{begun} />", "", seconds, verdict)
        told_why = f'<skipped type="unsupported" message={_quoted(message)}>{escape(_clean(message))}</skipped>'
        return Case(f"{begun}>{told_why}</testcase>", "skipped", seconds, verdict)
    made = Element("testcase", {key: _clean(value) for key, value in told.items()})
    rules = [("rule", rule) for rule in one["rules"]]
    _fill(
        SubElement(made, "properties"),
        [*rules, ("device", one["device"]), ("verdict", verdict), ("group", _group(one)), ("repeat", run.repeat(one))],
    )
    kind = _outcome(made, run, one)
    if verdict in ("warn", "flaky") or is_known(one) or is_apart(one):
        _add(made, "system-out").text = _clean(f"{verdict}: {message}\n{one.get('detail', '')}")
    return Case(ElementTree.tostring(made, encoding="unicode"), kind, seconds, verdict)


def _group(one: Line) -> str:
    """What a result has in common with others of the same cause: the reason in the baseline, else its rules and function."""
    return one.get("reason") or f"{' '.join(one['rules'])} {one['id'].partition('[')[0]}".strip()


def _outcome(made: Element, run: Run, one: Line) -> str:
    """Add how it ended to a case; what that counts as, "" for a pass."""
    verdict, message = one["verdict"], one["message"]
    if verdict == "error":
        _add(made, "error", type="error", message=message).text = _clean(one.get("detail", ""))
        return "error"
    if one.get("differs"):
        told = message if message.startswith(verdict) else f"{verdict}: {message}"
        _add(made, "failure", type=verdict, message=told).text = _clean(_text(run, one))
        return "failure"
    if is_known(one):
        kind, told = "known", f"known {verdict}: {one.get('reason') or message}"
    elif is_apart(one):
        kind, told = "apart", f"a validation layer's, not the driver's: {verdict}: {message}"
    else:
        return ""
    _add(made, "skipped", type=kind, message=told).text = _clean(told)  # Jenkins shows the attribute, GitLab the text
    return "skipped"


def _text(run: Run, one: Line) -> str:
    lines = [f"{one['differs']}: {one['message']}", ""]
    for told in dispute(run.ledger, one["rules"]) if one["verdict"] in FAILING else ():
        lines += [f"{told['rule']}: {run.statement(told['rule'])}", f"  {told['section']}"]
        lines += [f"  reading: {told['reading']}"] * bool(told["reading"])
        lines += [f"  weaker readings: {told['weaker']}"] * bool(told["weaker"])
    lines += ["", f"repeat: {run.repeat(one)}", "", one.get("detail", ""), ""]
    lines += [call.text for call in one.get("calls", [])[-_CALLS:]]
    return "\n".join(lines)


def _fill(properties: Element, pairs: list[tuple[str, str]]) -> None:
    for name, value in pairs:
        _add(properties, "property", name=name, value=value)


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    return SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})


def _clean(text: object) -> str:
    """The text without the characters that XML forbids: a driver may print anything."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(text))


def _quoted(text: object) -> str:
    """The text as the value of an attribute, in quotes."""
    return f'"{text}"' if _HARMLESS.fullmatch(str(text)) else quoteattr(_clean(text))
