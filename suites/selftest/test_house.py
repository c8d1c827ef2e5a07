"""The house is as it says: imports run one way and in no circles, and two thousand tests are found at once."""

import ast
import json
import time
import tomllib
from graphlib import TopologicalSorter

import pytest

from fixtures.testbed.drivers import ROOT
from suites.selftest.runs import run, scratch

pytestmark = pytest.mark.limit(60)
FORBIDDEN = {"fixtures": ("suites", "reports"), "reports": ("fixtures", "suites"), "suites": ("reports",)}
"""What the files of a folder may not import; the selftests may import anything."""


def sources(folder):
    """The Python files of a folder of the house, without the selftests."""
    return [file for file in sorted((ROOT / folder).rglob("*.py")) if "selftest" not in file.parts]


def imports_of(tree):
    """(module, line) of each import, wherever it stands in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} imports relatively"
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_run_one_way(folder):
    """suites -> fixtures; fixtures knows of neither suites nor reports, reports of neither drivers nor suites."""
    files = sources(folder)

    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for file in files
        for module, line in imports_of(ast.parse(file.read_text()))
        if module.partition(".")[0] in FORBIDDEN[folder]
    ]
    assert files
    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize("folder", ["fixtures", "reports"])
def test_imports_make_no_circles(folder):
    """What a module needs to be imported does not need that module."""
    graph = {}
    for file in sources(folder):
        at_import = ast.Module([node for node in ast.parse(file.read_text()).body if not isinstance(node, ast.If)], [])
        for node in [n for n in ast.walk(at_import) if isinstance(n, ast.FunctionDef)]:
            node.body = []
        needed = {module for module, _ in imports_of(at_import) if module.startswith(folder)}
        graph[f"{folder}.{file.stem}"] = needed - {f"{folder}.{file.stem}"}

    order = list(TopologicalSorter(graph).static_order())  # CycleError tells the circle

    assert set(graph) <= set(order)


def seconds_to_collect(count):
    """How long a run that only collects takes, with `count` trivial tests on the device; the best of three."""
    file = scratch("many") / f"many_{count}.py"
    file.write_text(
        "import pytest\n\n"
        f"@pytest.mark.parametrize('number', range({count}))\n"
        "def test_many(device, number):\n    assert number >= 0\n"
    )
    asked, taken = (str(file), "-p", "conftest", "--rootdir=.", "-c", "pyproject.toml", "--collect-only", "-qq"), []
    for _ in range(3):
        start = time.perf_counter()
        found = run(*asked, again=str(start))
        taken.append(time.perf_counter() - start)
        assert f": {count}\n" in found.output, found.output
    return min(taken)


@pytest.mark.exclusive
def test_two_thousand_tests_are_collected_in_a_second():
    """2,000 parametrized tests cost less than a second more than one."""
    one, many = seconds_to_collect(1), seconds_to_collect(2000)

    assert many - one < 1.0, f"2,000 tests took {many:.2f} s to collect, one {one:.2f} s"


def test_the_benchmarks_stopwatch_adds_up():
    """What the driver takes is a part of what a case takes, and every case is counted."""
    file = scratch("stopwatch") / "spent.json"
    cases = ("suites/selftest/samples/cases.py::test_together", "-n0", "-p", "suites.selftest.samples.stopwatch")

    found = run(*cases, STOPWATCH=str(file), CASES="3")

    assert found.status == 0, found.output
    spent = json.loads(file.read_text())
    assert (spent["cases"], spent["elsewhere"]) == (3, 0)
    assert 0 < spent["driver"] < spent["here"] <= spent["all"], spent


def test_every_chapter_is_run_by_default():
    """`pytest` alone runs each folder of suites/ but selftest."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    chapters = {f"suites/{path.name}" for path in (ROOT / "suites").iterdir() if list(path.glob("test_*.py"))}

    assert set(settings["testpaths"]) == chapters - {"suites/selftest"}
