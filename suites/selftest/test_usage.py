"""A command line that cannot be: one sentence and exit status 4, before any test, and without a run left behind."""

import pytest

from suites.selftest.runs import SAMPLES, run

pytestmark = pytest.mark.limit(60)
FILE = f"{SAMPLES}poison.py"
REFERENCE = ("--reference",)

WRONG = {
    "a file that is not there": (["suites/no_such.py"], "suites/no_such.py: there is no such file or folder"),
    "a folder that is not there": (["no/such"], "no/such: there is no such file or folder"),
    "an id in a file that is not there": (["no.py::test_x"], "no.py::test_x: there is no such file or folder"),
    "an id that is not there": ([f"{FILE}::test_no_such"], f"{FILE}::test_no_such (no match in any of"),
    "an id that is not there, without a worker": (
        ["-n0", f"{FILE}::test_no_such"],
        "::test_no_such (no match in any of",
    ),
    "an expression that is none": ([FILE, "-k", "("], "Wrong expression passed to '-k'"),
    "an expression of marks": ([FILE, "-n0", "-m", "("], "Wrong expression passed to '-m'"),
    "no number of workers": ([FILE, "-n-3"], "-n -3: wanted a number of workers"),
    **{
        f"a patience of {factor}": ([FILE, f"--patience={factor}"], "wanted a factor from 0.05 to 1000")
        for factor in ("0", "-1", "nan", "inf", "1e9")
    },
    **{
        f"walks for {minutes} minutes": ([FILE, f"--walk-minutes={minutes}"], "wanted minutes, or inf")
        for minutes in ("nan", "-1")
    },
    **{
        f"a walk from {text!r}": ([FILE, f"--walk-replay={text}"], f"--walk-replay={text}: this is no text that")
        for text in ("", "foo", "AXic")
    },
}
"""Arguments of a run, and what its one sentence says."""


@pytest.mark.parametrize("what", WRONG)
def test_a_command_line_that_cannot_be_is_refused(what):
    """One sentence, exit status 4, and no record of a run that judged nothing."""
    arguments, told = WRONG[what]

    found = run(*arguments, driver=REFERENCE)

    assert (found.status, told in found.error) == (4, True), found.output
    assert found.lines == [], "a record of nothing was left behind"


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_one_wrong_id_among_right_ones_is_refused(workers):
    """A list of tests of which one is gone must not look judged."""
    found = run(f"{FILE}::test_neighbour_before", f"{FILE}::test_no_such", workers, driver=REFERENCE)

    assert (found.status, "test_no_such" in found.error, found.lines) == (4, True, [])


VERDICTS = f"{SAMPLES}verdicts.py"
BISECT = {
    "a build on which it passes": ([VERDICTS, "-k", "test_passes"], 0),
    "a build on which it fails": ([VERDICTS, "-k", "test_fails and not only"], 1),
    "a build on which it crashes": ([VERDICTS, "-k", "crashes_about"], 1),
    "a build that does not claim it": ([VERDICTS, "-k", "test_lacks"], 125),
    "a build on which it is mixed": ([VERDICTS, "-k", "test_flakes"], 125),
    "a build that gives no driver": ([FILE, "--driver=no/such.json"], 125),
    "a test that is none": ([f"{FILE}::test_no_such"], 132),
    "a file that is none": (["suites/no_such.py"], 132),
    "a folder that cannot be written": ([FILE, "--report=/etc/passwd"], 131),
}
"""Arguments of a run, and what `git bisect run` shall see."""


@pytest.mark.parametrize("what", BISECT)
def test_git_bisect_sees_good_bad_or_neither(what):
    """0 and 1 are the driver's, 125 skips a build, 128 and more end the search."""
    arguments, status = BISECT[what]

    found = run(*arguments, "--bisect", "-n0", driver=() if "--driver" in arguments[-1] else REFERENCE)

    assert found.status == status, found.output
