"""The documents are true and short: every command in them runs, every link leads somewhere."""

import fcntl
import re
import shutil
import subprocess
from functools import cache

import pytest

from fixtures.testbed.drivers import ROOT, SWIFTSHADER
from fixtures.vulkan.outcomes import unsupported
from suites.selftest.runs import environment, scratch

pytestmark = pytest.mark.limit(300)
DOCUMENTS = ("README.md", "suites/README.md", "fixtures/README.md", "reports/README.md", "reports/baselines/README.md")
MOST_LINES = {"README.md": 90}
FEW = "-n0 -k 'not test_docs and (close_on_exec or without_room_for_a or vulkan_1_0 or wait_is_judged_by_its_end)'"
"""What a run of everything is narrowed to: enough for the commands that work with a finished run, and a selftest."""

EVERYTHING = r"pytest( suites/selftest| --(reference|driver|variant|baseline)=?\S*)*$"
FAILS = ("reports order", "--fault=", "setup.sh && .venv/bin/pytest$", r"pytest --driver=\S+$")
"""What ends with exit status 1 here: a fault or SwiftShader fails, a test depends on no other."""

ELSEWHERE = {
    "setup.sh --bundle": "the last step of .ci/run",
    "lavapipe.sh": "needs root and a Debian root, a step of .ci/run",
    "vm.sh": "needs root, a Debian root and a guest, a step of .ci/run",
    "my_icd.json": "a driver of the reader's",
    "test_variants.py": "minutes, and a selftest already",
    "suites.selftest.matrix": "minutes: test_matrix.py",
    "suites.selftest.benchmark": "half an hour, for figures to read",
}
"""Part of a command to what runs it instead of this file, or why nobody does."""


@cache
def commands():
    """(document, command) of each indented line that a shell runs."""
    found = []
    for document in DOCUMENTS:
        for line in re.findall(
            r"^    ((?:sh|\.venv|python3?|gdb) .*|\.venv/\S+.*)$", (ROOT / document).read_text(), re.M
        ):
            found.append((document, re.sub(r"\s+#.*$", "", line).strip()))
    return found


RUN_HERE = [one for one in commands() if not any(part in one[1] for part in ELSEWHERE)]


@pytest.fixture(scope="module")
def checkout():
    """A copy of the checkout with what setup.sh made, and a run of SwiftShader in it; all workers share it."""
    folder = scratch("docs") / "checkout"
    with folder.with_name("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            copy_of_the_checkout(folder)
            shell(folder, f".venv/bin/pytest --driver={SWIFTSHADER} --report=reports/runs/finished {FEW}")
    return folder


def copy_of_the_checkout(folder):
    """The files that git knows or would add, as they are now, and what setup.sh made."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.split():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for made in (".venv", ".vulkan"):
        (folder / made).mkdir()
        for one in (ROOT / made).iterdir():
            (folder / made / one.name).symlink_to(one)
    if (stamp := folder / ".venv" / "stamp").exists():  # setup.sh has nothing to do: it names the checkout
        text = stamp.read_text().replace(str(ROOT), str(folder))
        stamp.unlink()
        stamp.write_text(text)


def shell(folder, command):
    """The command, finished, with a run that nobody moves in place of the newest one."""
    line = command.replace("reports/latest", "reports/runs/finished")
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.parametrize(("document", "command"), RUN_HERE)
def test_a_command_runs(checkout, document, command):
    """It ends with the status that the documents say, and without a traceback."""
    if not SWIFTSHADER.exists():
        unsupported("the software driver SwiftShader is not set up")
    wanted = command.removeprefix("sh fixtures/setup.sh && ")  # which this machine has run

    done = shell(checkout, f"{wanted} {FEW}" if re.search(EVERYTHING, wanted) else wanted)

    output = done.stdout + done.stderr
    assert done.returncode == any(re.search(one, command) for one in FAILS), output[-2000:]
    assert "Traceback" not in output, output[-2000:]


def test_documents_have_commands():
    """Each document but the list of known failures has commands, and those that are not run here exist."""
    assert {document for document, _ in commands()} >= {*DOCUMENTS[:4]}
    assert not [part for part in ELSEWHERE if not any(part in command for _, command in commands())]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    """Files that a document links to exist."""
    text = (ROOT / document).read_text()
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if not target.startswith("http")]

    missing = [target for target in targets if not (ROOT / document).parent.joinpath(target).exists()]
    assert not missing, f"{document} links to {', '.join(missing)}"


@pytest.mark.parametrize("document", MOST_LINES)
def test_documents_are_short(document):
    """A document has at most so many lines."""
    assert len((ROOT / document).read_text().splitlines()) <= MOST_LINES[document]
