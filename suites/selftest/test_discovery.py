"""What a run says, in one sentence and by its exit status, when there is nothing to judge; and what it judges instead."""

import json
import shutil
import subprocess

import pytest

from fixtures.testbed.drivers import ROOT, SWIFTSHADER
from fixtures.vulkan.outcomes import unsupported
from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
TEST = f"{SAMPLES}poison.py::test_neighbour_before"
NOTHING_TO_RUN = 4
"""pytest's exit status of a usage error."""


def library(folder, flag):
    """samples/driver.c, compiled with `flag`."""
    compiler = shutil.which("cc")
    if compiler is None:
        unsupported("there is no C compiler here to make a driver with")
    made = folder / "libdriver.so"
    line = [compiler, "-shared", "-fPIC", flag, "-o", str(made), str(ROOT / SAMPLES / "driver.c")]
    subprocess.run(line, check=True, timeout=30)
    return str(made)


def manifest(folder, path):
    """The text of a manifest for the library at `path`."""
    return json.dumps({"file_format_version": "1.0.0", "ICD": {"library_path": path, "api_version": "1.3.0"}})


def text_file(folder):
    file = folder / "library.txt"
    file.write_text("no library")
    return str(file)


MANIFESTS = {
    "not JSON": (lambda _: "not JSON", "not a driver manifest (JSON with ICD.library_path)"),
    "a layer's": (lambda _: '{"layer": {}}', "not a driver manifest (JSON with ICD.library_path)"),
    "an array": (lambda _: "[]", "not a driver manifest (JSON with ICD.library_path)"),
    "of a missing library": (
        lambda folder: manifest(folder, "./no_such.so"),
        "names a library that does not exist: ./no_such.so",
    ),
    "of something else": (lambda folder: manifest(folder, text_file(folder)), "its driver cannot be loaded"),
    "of a driver without devices": (
        lambda folder: manifest(folder, library(folder, "-DNOTHING")),
        "its driver shows no device",
    ),
    "of a driver that crashes": (
        lambda folder: manifest(folder, library(folder, "-DABORT")),
        "its driver crashed with SIGABRT while it was being looked at",
    ),
}
"""Manifests that lead to no device: their text, and what a run must say."""


@pytest.mark.parametrize("which", MANIFESTS)
def test_a_manifest_without_a_device_is_refused(tmp_path, which):
    """One sentence names the manifest that --driver named, and what is wrong with it."""
    text, told = MANIFESTS[which]
    file = tmp_path / "driver.json"
    file.write_text(text(tmp_path))

    found = run(TEST, "-n0", driver=("--driver", str(file)))

    assert found.status == NOTHING_TO_RUN
    assert found.error.startswith(f"{file}: "), found.error
    assert told in found.error


@pytest.mark.parametrize("name", ["no_such.json", "."])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, name):
    """A file that is not there, and a folder."""
    found = run(TEST, "-n0", driver=("--driver", str(tmp_path / name)))

    assert found.status == NOTHING_TO_RUN
    assert f"{tmp_path / name}: the manifest cannot be read: " in found.error


@pytest.fixture
def crashing(tmp_path):
    """A manifest of a driver that crashes when it is loaded."""
    file = tmp_path / "driver.json"
    file.write_text(MANIFESTS["of a driver that crashes"][0](tmp_path))
    return str(file)


@pytest.fixture
def installed(tmp_path, crashing):
    """A folder that stands for /usr/share, in which a driver that crashes is installed; and its manifest there."""
    place = tmp_path / "vulkan/icd.d"
    place.mkdir(parents=True)
    return tmp_path, str(shutil.copy(crashing, place / "crashing.json"))


def nowhere_else(folder):
    """Variables with which drivers are looked for in `folder` alone."""
    return {"XDG_DATA_DIRS": str(folder), "XDG_CONFIG_DIRS": "/nowhere", "HOME": str(folder)}


def test_a_crashing_driver_spares_the_one_beside_it(installed):
    """Of two installed drivers the good one is judged, and a notice names the manifest of the other."""
    folder, crashing = installed
    text = json.loads(SWIFTSHADER.read_text())
    text["ICD"]["library_path"] = str(SWIFTSHADER.parent / text["ICD"]["library_path"])
    (folder / "vulkan/icd.d/swiftshader.json").write_text(json.dumps(text))
    found = run(TEST, "-n0", driver=(), **nowhere_else(folder))

    assert (found.status, found.verdicts) == (0, {"test_neighbour_before": "pass"})
    (notice,) = found.lines[0]["notices"]
    assert notice == f"{crashing}: its driver crashed with SIGABRT while it was being looked at"
    assert f"notice: {notice}\n" in found.output


def test_swiftshader_stands_in_where_nobody_asked_for_more(installed):
    """Without a usable driver SwiftShader is judged, and notices tell that and why, the last words of the run as well."""
    found = run(TEST, "-n0", "-q", driver=(), **nowhere_else(installed[0]))

    assert (found.status, found.tests["test_neighbour_before"]["device"]) == (0, "swiftshader")
    why, instead = found.lines[0]["notices"]
    assert "crashed with SIGABRT" in why
    assert "SwiftShader is judged instead" in instead
    assert f"notice: {instead}" in found.output.splitlines()[-5:]


@pytest.mark.parametrize(
    "asked", ["--device=swiftshader", "--require=OPAQUE_FD:binary", "--baseline=known.txt"], ids=lambda text: text
)
def test_swiftshader_never_stands_in_for_what_was_asked_for(installed, asked):
    """Who names a device, a claim or a baseline does not get SwiftShader's verdicts when the driver is broken."""
    found = run(TEST, "-n0", asked, driver=(), **nowhere_else(installed[0]))

    assert found.status == NOTHING_TO_RUN
    assert found.error.startswith("no device offers VK_KHR_external_semaphore_fd: ")
    assert installed[1] in found.error


NAMING = {
    "VK_DRIVER_FILES": "{0}:{1}",
    "VK_ICD_FILENAMES": "{0}",
    "VK_ADD_DRIVER_FILES": "{0}",
}
"""Variables of the environment that name a driver, with a value of which {0} is a broken driver and {1} SwiftShader."""


@pytest.mark.parametrize("which", ["of a driver that crashes", "of something else", "of a missing library"])
@pytest.mark.parametrize("variable", NAMING)
def test_a_driver_that_the_environment_names_has_to_load(tmp_path, variable, which):
    """Where a variable names a driver that cannot be loaded, no other one is judged: exit status 4, with the linker's words."""
    file = tmp_path / "mine.json"
    file.write_text(MANIFESTS[which][0](tmp_path))

    found = run(TEST, "-n0", "-q", driver=(), **{variable: NAMING[variable].format(file, SWIFTSHADER)})

    assert found.status == NOTHING_TO_RUN
    assert found.error.startswith(f"{file}: ")
    assert MANIFESTS[which][1] in found.error
    assert which != "of something else" or "invalid ELF header" in found.error or "file too short" in found.error


def test_a_selection_of_drivers_has_to_find_one(installed):
    """VK_LOADER_DRIVERS_SELECT that leaves no driver, or a broken one, is no reason to judge SwiftShader."""
    for glob in ("no-such*", "crash*"):
        found = run(TEST, "-n0", "-q", driver=(), VK_LOADER_DRIVERS_SELECT=glob, **nowhere_else(installed[0]))

        assert found.status == NOTHING_TO_RUN
        assert found.error.startswith("no device offers VK_KHR_external_semaphore_fd: ")


@pytest.fixture
def bare_checkout(tmp_path):
    """This checkout before setup.sh, and a folder in which a broken libvulkan.so.1 hides the system's."""
    for name in ("conftest.py", "pyproject.toml", "fixtures", "reports", "suites"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/libvulkan.so.1").touch()
    return tmp_path


def test_without_a_loader(bare_checkout):
    """One sentence says what is missing and how to get it."""
    hidden = {"LD_LIBRARY_PATH": str(bare_checkout / "hidden"), "PYTHONDONTWRITEBYTECODE": "1"}

    found = run(TEST, "-n0", driver=(), cwd=bare_checkout, **hidden)

    assert found.status == NOTHING_TO_RUN
    assert found.error.startswith("no Vulkan loader: libvulkan.so.1 is neither installed nor at .vulkan/loader/")
    assert "run `sh fixtures/setup.sh`" in found.error


def test_without_any_driver(bare_checkout):
    """Where not even SwiftShader is set up, one sentence says how to get it."""
    (bare_checkout / ".vulkan").mkdir()
    (bare_checkout / ".vulkan/loader").symlink_to(ROOT / ".vulkan/loader")
    variables = {**nowhere_else(bare_checkout), "PYTHONDONTWRITEBYTECODE": "1"}

    found = run(TEST, "-n0", driver=(), cwd=bare_checkout, **variables)

    assert found.status == NOTHING_TO_RUN
    assert "for the software driver run `sh fixtures/setup.sh`" in found.error


OPTIONS = {
    "--device=nothing-matches": "--device nothing-matches matches none of the devices: SwiftShader Device",
    "--require=OPAQUE_FD:timeline": "--require OPAQUE_FD:timeline: SwiftShader Device (Subzero) does not claim it",
    "--require=OPAQUE": "--require OPAQUE: known claims are OPAQUE_FD:binary, OPAQUE_FD:timeline, SYNC_FD:binary",
    "--rule=SPEC-NOTHING-01": "--rule SPEC-NOTHING-01: the ledger has no such rule",
    "--ideal": "--reference judges the reference driver; --driver names another one",  # its old spelling
    "--reference": "--reference judges the reference driver; --driver names another one",
    "--baseline=no_such.txt": "--baseline no_such.txt: ",
}
"""Options that ask for what there is not, and what a run on SwiftShader must say."""


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_that_asks_for_what_there_is_not_is_refused(option):
    """One sentence names the option and what there is."""
    found = run(TEST, "-n0", option)

    assert found.status == NOTHING_TO_RUN
    assert found.error.startswith(OPTIONS[option])


@pytest.mark.parametrize("text", ["SWIFTSHADER", "subzero", "53776966"])
def test_a_device_is_chosen_by_a_part_of_what_it_is_called(text):
    """A part of its driver's name, its own name or its UUID, in any case."""
    found = run(TEST, "-n0", "--device", text, "--require", "OPAQUE_FD:binary")

    assert (found.status, found.verdicts) == (0, {"test_neighbour_before": "pass"})
