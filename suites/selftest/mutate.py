"""Mutation testing: does a test notice when the reference driver's own code is changed in one place?

    .venv/bin/python -m suites.selftest.mutate [--sample N] [--seed S] [--only TEXT] [--list] [--listed]

A mutant is one change in a function or class of fixtures/reference.  No file is changed for it: samples/mutant.py loads its
source in place of the module's.  It is killed when a test of the suite fails over that driver, or warns of what it does not
warn of otherwise.  mutants.tsv lists those that do no harm, with the reason; they are not run.  Exit status 1: one that is
not listed survives, or one that is listed exists no more or, with `--listed`, is killed.
"""

import argparse
import ast
import csv
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from fixtures.testbed.drivers import ROOT
from suites.selftest.runs import CORES, command, environment, read
from suites.selftest.warm import NOTICED

DRIVER, LISTED = ROOT / "fixtures/reference", ROOT / "suites/selftest/mutants.tsv"
"""Mutants that do no harm: file, function, line, change, reason; "*" stands for any line, any change."""

EACH = ("-n0", "-x", "--patience=0.3", "-k", "not layer-", "-p", "suites.selftest.samples.mutant")
"""Of every run: the first failure ends it, also what hangs; validation layers run over another driver."""

FEW = ("-p", "suites.selftest.samples.few", "-p", "suites.selftest.samples.unshrunk")
FIRST = """
sharing/test_members.py timeline/test_counters.py permanence/test_stacks.py creation/test_initial_state.py results capabilities
submission/test_presenting.py submission/test_values.py permanence/test_copies.py importing/test_strangers.py
creation/test_arguments.py creation/test_destruction.py submission/test_restoring.py robustness/test_limits.py
neighbours/test_data.py neighbours/test_users.py submission/test_idle.py importing/test_odd_types.py submission/test_groups.py
"""
STAGES = ((*FEW, *[f"suites/{one}" for one in FIRST.split()]), FEW, ())
"""The tests that judge a mutant: some cases of those that are quick and notice most, some of each test, all."""

SECONDS = 600
SKIPPED = (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom, ast.arguments)
"""Code that is not changed: messages, what guards against misuse by the suite, imports, what stands for left-out arguments."""

OPERATORS = {ast.Lt: ast.LtE, ast.Gt: ast.GtE, ast.Eq: ast.NotEq, ast.Is: ast.IsNot, ast.In: ast.NotIn}
OPERATORS |= {ast.Add: ast.Sub, ast.Mult: ast.FloorDiv, ast.LShift: ast.RShift, ast.BitAnd: ast.BitOr}
OPERATORS |= {other: one for one, other in OPERATORS.items()} | {ast.Div: ast.Mult}
WORDS = {"min": "max", "any": "all", "SYNC_FD": "OPAQUE_FD", "BINARY": "TIMELINE"}
WORDS |= {other: one for one, other in WORDS.items()}
SAME = ast.parse("lambda made: made", mode="eval").body


@dataclass(frozen=True)
class Mutant:
    """One change: of a `line` of a `function` in a `file` of the driver; `source` gives the whole changed file."""

    file: str
    function: str
    line: str
    change: str
    source: Callable[[], str] = field(compare=False)

    def is_in(self, entries):
        """The entry of mutants.tsv that it is listed by, None if none; edits elsewhere leave it its names."""
        key = (self.file, self.function, self.line, self.change)
        return next(
            (one for one in entries if all(part in ("*", own) for part, own in zip(one, key, strict=True))), None
        )

    def __str__(self):
        return f"{self.file} {self.function}: {self.line}: {self.change}"


def places(parent, function=""):
    """Each node below `parent` that may be changed: what holds it, by which key, what it is there, and in which function."""
    if isinstance(parent, ast.FunctionDef | ast.ClassDef):
        function = f"{function}.{parent.name}".lstrip(".")
    for name, value in ast.iter_fields(parent):
        holder, keys = (value, range(len(value))) if isinstance(value, list) else (vars(parent), [name])
        for key in keys if name not in ("annotation", "returns", "bases") else ():
            if isinstance(holder[key], ast.AST) and not isinstance(holder[key], SKIPPED):
                yield holder, key, f"{type(parent).__name__}.{name}", function
                yield from places(holder[key], function)


def alternatives(node, name):
    """What may stand in place of a node, which is the `name`, such as "If.test", of the one around it."""
    match node:
        case ast.Compare():
            for at, operator in enumerate(node.ops):
                others = [*node.ops[:at], OPERATORS[type(operator)](), *node.ops[at + 1 :]]
                yield ast.Compare(node.left, others, node.comparators)
        case ast.BoolOp(values=values):
            for at in range(len(values)):
                left = values[:at] + values[at + 1 :]
                yield ast.BoolOp(node.op, left) if len(left) > 1 else left[0]
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=operator) if type(operator) in OPERATORS:
            yield ast.BinOp(node.left, OPERATORS[type(operator)](), node.right)
        case ast.AugAssign(op=operator):
            yield ast.AugAssign(node.target, OPERATORS[type(operator)](), node.value)
            yield ast.Pass()
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Name(id=text) if text in WORDS:
            yield ast.Name(WORDS[text])
        case ast.Attribute(value=ast.Name(id="Result"), attr=text):
            yield ast.Attribute(node.value, f"ERROR_{'UNKNOWN' if 'HOST' in text else 'OUT_OF_HOST_MEMORY'}")
        case ast.Attribute(attr=text) if text in WORDS:
            yield ast.Attribute(node.value, WORDS[text])
        case ast.With():
            yield ast.If(ast.Constant(True), node.body, [])
        case ast.Try():
            yield ast.If(ast.Constant(True), node.body + node.orelse + node.finalbody, [])
        case ast.Expr(value=ast.Call()) | ast.Delete() | ast.Raise() | ast.Return(value=None):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield ast.Pass()
    if name in ("If.test", "IfExp.test", "While.test", "comprehension.ifs"):
        yield from (ast.Constant(value) for value in (True, False) if not value or name != "While.test")
    elif name.endswith(".iter"):
        yield ast.Tuple([])
    elif name == "FunctionDef.decorator_list" and isinstance(node, ast.Name) and node.id != "property":
        yield SAME


def changed(tree, holder, key, other):
    """The source of a module with another node in one place."""
    node, holder[key] = holder[key], other
    text, holder[key] = ast.unparse(tree), node
    return text


def mutants(folder=DRIVER):
    """All mutants of the driver; changes of a line that read alike are numbered."""
    found, seen = [], Counter()
    for file in sorted(folder.glob("*.py")):
        text = file.read_text()
        tree = ast.parse(text)
        for holder, key, name, function in places(tree):
            node = holder[key]
            # not the tables and sizes of a module: others make another driver, not a wrong one
            for other in alternatives(node, name) if function else ():
                line = text.splitlines()[node.lineno - 1].strip()
                told = [ast.unparse(ast.fix_missing_locations(one)).split("\n")[0] for one in (node, other)]
                place = (file.name, function, line, " -> ".join(told))
                seen[place] += 1
                number = f" #{seen[place]}" if seen[place] > 1 else ""
                found.append(Mutant(*place[:3], place[3] + number, partial(changed, tree, holder, key, other)))
    return found


def listed():
    """The entries of mutants.tsv, and the reason of each."""
    rows = csv.reader(LISTED.read_text().splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE)
    return {tuple(row[:4]): row[4] for row in rows}


def told(source, name, tests):
    """(exit status, the tests that fail or warn, in order) over a driver whose file `name` has this source."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        file = Path(place, f"fixtures.reference.{name}")
        file.write_text(source)
        line = command(*EACH, *tests, folder=file.parent, driver=("--reference",))
        variables = environment(file.parent, MUTANT=str(file))
        try:
            done = subprocess.run(line, cwd=ROOT, env=variables, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return -1, [f"no end in {SECONDS} s"]
        found = [one for one in read(file.parent) if one.get("verdict") in (*NOTICED, "error")]
        untold = done.returncode and all(one["verdict"] == "warn" for one in found)
        names = [one.get("id", "a violation") for one in found]
        return done.returncode, names + [f"exit status {done.returncode}"] * bool(untold)


@cache
def usual(tests):
    """What is told over the driver as it is: that kills no mutant."""
    return told((DRIVER / "payloads.py").read_text(), "payloads.py", tests)[1]


def killer(mutant, source):
    """The test that notices a mutant of this source, "" if it survives.

    A failure of the first tests counts; a warning, and what fails among many tests on a busy machine, has to come again alone.
    """
    for tests in STAGES:
        status, noticed = told(source, mutant.file, tests)
        for test in [one for one in noticed if one not in usual(tests)]:
            is_sure = "::" not in test or (status and tests is STAGES[0])
            if is_sure or test in told(source, mutant.file, (test.partition("[")[0],))[1]:
                return test
    return ""


def judged(chosen):
    """Judge mutants and print what becomes of each: (survivors, killed)."""
    survivors, killed = [], []
    with ThreadPoolExecutor(CORES) as pool:
        sources = [mutant.source() for mutant in chosen]
        for mutant, test in zip(chosen, pool.map(killer, chosen, sources), strict=True):
            print(f"{mutant}\n    {'killed by ' * bool(test)}{test or 'survives'}", flush=True)
            (killed if test else survivors).append(mutant)
    return survivors, killed


def summary(chosen, known, survivors, killed):
    """The last lines of a run, and its exit status."""
    new = [one for one in survivors if not one.is_in(known)]
    harmful = len(killed) + len(new)
    gone = sorted(set(known) - {one.is_in(known) for one in mutants()})
    faults = [f"survives: {one}" for one in new]
    faults += [f"is listed, and killed: {one}" for one in killed if one.is_in(known)]
    faults += [f"is listed, and no such mutant: {' '.join(key)}" for key in gone]
    score = f"{100 * len(killed) / harmful:.1f} %" if harmful else "none"
    last = f"of {len(chosen)} mutants {len(killed)} killed, {len(new)} survive, {len(chosen) - harmful} do no harm; score {score}"
    return [*faults, last], int(bool(faults))


def main(arguments=None):
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m suites.selftest.mutate", description="Mutation testing.")
    parser.add_argument("--sample", type=int, metavar="N", help="take N mutants at random instead of all")
    parser.add_argument("--seed", type=int, metavar="S", help="take the same sample again")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutants whose line in --list contains TEXT")
    parser.add_argument("--list", action="store_true", help="list the mutants, and why those of mutants.tsv do no harm")
    parser.add_argument("--listed", action="store_true", help="run those of mutants.tsv, too")
    asked, known = parser.parse_args(arguments), listed()
    found = [one for one in mutants() if asked.only in str(one)]
    if asked.sample is not None:
        found = random.Random(asked.seed).sample(found, min(asked.sample, len(found)))
    if asked.list:
        print(*[f"{one}\n    {known[entry]}" if (entry := one.is_in(known)) else one for one in found], sep="\n")
        return 0
    lines, status = summary(found, known, *judged([one for one in found if asked.listed or not one.is_in(known)]))
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
