"""The house is as it says: imports run one way and in no circles, and two thousand tests are found at once."""

import ast
import json
import re
import subprocess
import time
import tomllib
from functools import cache
from graphlib import TopologicalSorter

import pytest

from fixtures.testbed.drivers import ROOT
from suites.selftest.benchmark import follow
from suites.selftest.runs import run, scratch

pytestmark = pytest.mark.limit(60)
FLOORS = {
    "fixtures": ("vulkan", "reference", "faults", "variants", "testbed", "running"),
    "reports": ("records", "diagnose", "render", "formats", "compare", "reproduce", "session"),
}
"""The rooms of a folder, lowest floor first: a room imports itself and rooms on lower floors."""

MAY_IMPORT = {"fixtures": ("fixtures",), "reports": ("reports",), "suites": ("suites", "fixtures")}
"""What the files of a folder import of this project; the selftests may import anything."""

GROUND_FLOOR = ("suites.steps", "suites.ledger", "suites.paragraphs")
"""What every chapter of suites may import beside itself and fixtures."""

MOST_LINES, DATA = 400, (".tsv", ".json", ".jsonl", ".txt", ".md")


def sources(folder):
    """The Python files of a folder of the house, without the selftests and what runs left."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return [file for file in files if not {"selftest", "runs"} & {*file.relative_to(ROOT).parts}]


def name_of(file):
    """The module name of a file, as other files import it."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(file, at_import=False):
    """(module, line) of each import of this project's modules; only of those that run at import, if asked."""
    tree = ast.parse(file.read_text())
    if at_import:
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]
        for node in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        for name in names:
            found = module_of(f"{prefix}{name}") or module_of(prefix.rstrip("."))
            if found:
                yield found, node.lineno


@cache
def module_of(name):
    """The module of this project that an import of `name` needs; "" if it is none."""
    place = ROOT / name.replace(".", "/")
    is_ours = name.partition(".")[0] in MAY_IMPORT
    return name if is_ours and (place.with_suffix(".py").exists() or (place / "__init__.py").exists()) else ""


def wrong_imports(folder, is_allowed):
    """ "file:line imports module" of each import for which `is_allowed(file, module)` is false."""
    files = sources(folder)
    assert files
    return [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for file in files
        for module, line in imports_of(file)
        if not is_allowed(file, module)
    ]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_folders_import_one_way(folder):
    """suites -> fixtures; fixtures knows of neither suites nor reports, reports of neither drivers nor suites."""
    wrong = wrong_imports(folder, lambda file, module: module.startswith(MAY_IMPORT[folder]))

    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize("folder", FLOORS)
def test_rooms_import_one_way(folder):
    """A room imports itself and rooms on lower floors; every room has its floor."""
    floors = FLOORS[folder]

    def is_allowed(file, module):
        room, other = file.relative_to(ROOT).parts[1], module.split(".")[1]
        return room == "__main__.py" or floors.index(other) <= floors.index(room)

    rooms = {file.parent.name for file in sources(folder) if file.parent.parent.name == folder}
    assert rooms == {*floors}
    wrong = wrong_imports(folder, is_allowed)
    assert not wrong, "; ".join(wrong)


def test_chapters_import_no_chapter():
    """A chapter of suites imports itself, the ground floor and fixtures; nobody imports a file of tests."""

    def is_allowed(file, module):
        own = module.startswith(name_of(file).rpartition(".")[0] + ".") and file.parent.name != "suites"
        is_test = module.rpartition(".")[2].startswith("test_")
        return not is_test and (own or not module.startswith("suites") or module.startswith(GROUND_FLOOR))

    wrong = wrong_imports("suites", is_allowed)
    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_make_no_circles(folder):
    """No file needs, to be imported, a file that needs it."""
    graph = {
        name_of(file): {module for module, _ in imports_of(file, at_import=True)} - {name_of(file)}
        for file in sources(folder)
    }

    order = list(TopologicalSorter(graph).static_order())  # CycleError tells the circle

    assert set(graph) <= set(order)


def test_files_are_short():
    """No file of code in the repository has more than 400 lines."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    files = [ROOT / name for name in listed.stdout.split() if not name.endswith((*DATA, ".png"))]
    lengths = {file: len(file.read_text().splitlines()) for file in files if file.exists()}

    assert lengths
    assert not {str(file.relative_to(ROOT)): count for file, count in lengths.items() if count > MOST_LINES}


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


def test_the_benchmark_counts_the_cases_of_a_peer():
    """Of another suite it tells when the first case began, how many there were, and how long all took."""
    case = "Test case 'dEQP-VK.synchronization'.."
    peer = (
        "sh",
        "-c",
        f'echo "Writing test log"; sleep 0.1; echo "{case}"; echo "  Pass (ok)"; sleep 0.1; echo "{case}"',
    )

    first, count, total = follow(peer, re.compile("Test case '"))

    assert count == 2
    assert 0.1 <= first <= total - 0.1


def test_every_chapter_is_run_by_default():
    """`pytest` alone runs each folder of suites/ but selftest."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    chapters = {f"suites/{path.name}" for path in (ROOT / "suites").iterdir() if list(path.glob("test_*.py"))}

    assert set(settings["testpaths"]) == chapters - {"suites/selftest"}
