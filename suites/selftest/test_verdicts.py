"""What a run says of each test, of violations by calls in any test, and by its exit status."""

import re

import pytest

from suites.selftest.runs import SAMPLES, run, section

pytestmark = pytest.mark.limit(60)
VERDICTS = {
    "test_passes": ("pass", ""),
    "test_fails": ("fail", "the driver did wrong"),
    "test_warns": ("warn", "worth a look"),
    "test_fails_a_rule_that_only_warns": ("warn", "allowed, but worth a look"),
    "test_lacks": ("unsupported", "the device lacks it"),
    "test_flakes": ("flaky", "failed 1 of 4 times: only the first time"),
    "test_errs": ("error", "E   LookupError: the suite did wrong"),
    "test_errs_about_a_rule_that_only_warns": ("error", "E   LookupError: the suite did wrong"),
    "test_errs_in_setup": ("error", "E   LookupError: the suite did wrong"),
    "test_crashes_about_a_rule_that_only_warns": ("crash", "crash: SIGSEGV"),
    "test_breach_passes": ("pass", ""),
    "test_breach_passes_isolated": ("pass", ""),
    "test_breach_fails": ("fail", "the driver did wrong"),
    "test_breach_lacks": ("unsupported", "the device answers VK_TIMEOUT"),
    "test_breach_warns": ("warn", "the device answers VK_TIMEOUT"),
    "test_mere_warning": ("pass", ""),
}
"""Verdict and message of each test of the two samples."""
STATUSES = {
    "test_passes or test_warns or test_lacks": 0,
    "test_fails_a_rule_that_only_warns": 0,
    "test_flakes": 0,
    "test_mere_warning": 0,
    "test_passes or test_fails": 1,
    "test_crashes_about_a_rule_that_only_warns": 1,
    "test_breach_passes": 1,
    "test_breach_lacks": 1,
    "test_errs_in_setup": 3,
    "test_fails or test_errs": 3,
    "test_lacks": 5,
    "no_test_is_called_so": 5,
}
"""Exit status of a run of some of the tests."""


def sample(*arguments):
    return run(SAMPLES + "verdicts.py", SAMPLES + "breaches.py", *arguments)


def test_a_hang_now_and_then_is_told_as_one():
    """A flaky test whose process was ended tells the limit, not where it was."""
    record = run(SAMPLES + "hangs.py", "-n1").tests["test_hangs_at_first"]

    assert (record["verdict"], record["message"]) == ("flaky", "failed 1 of 2 times: timeout after 1 s")


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_and_message(name, workers):
    """A test's verdict and message are the same in one process and over workers."""
    record = sample(workers).tests[name]

    assert (record["verdict"], record["message"]) == VERDICTS[name]


@pytest.mark.parametrize("selected", STATUSES)
def test_exit_status(selected):
    """0: nothing wrong, 1: a failure or a violation, 3: the suite's own fault, 5: nothing judged."""
    found = sample("-n0", "-k", selected)

    assert found.status == STATUSES[selected], found.output
    assert found.lines[-1]["exit"] == found.status, "the record tells another exit status"


def test_errors_show_where():
    """The record of an error has the traceback through the suite, without what is installed."""
    detail = sample("-n2").tests["test_errs_in_setup"]["detail"]

    assert "samples/verdicts.py" in detail
    assert "site-packages" not in detail, detail


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_breach_is_one_record(workers):
    """All violations of a rule by a command of a device are one record, with every test in which they happened."""
    found = [one for one in sample(workers).breaches if one["rule"] == "SPEC-RESULT-12"]

    assert [(one["device"], one["command"], one["verdict"]) for one in found] == [
        ("swiftshader", "vkDeviceWaitIdle", "fail")
    ]
    assert sorted(test.rpartition("::")[2] for test in found[0]["tests"]) == [
        "test_breach_fails",
        "test_breach_lacks",
        "test_breach_passes",
        "test_breach_passes_isolated",
        "test_breach_warns",
    ]


def test_a_breach_of_a_rule_that_only_warns():
    """It is in the record as a warning, and the summary shows it."""
    found = sample("-n0", "-k", "test_mere_warning")

    assert [(one["rule"], one["verdict"]) for one in found.breaches] == [("SPEC-FUND-09", "warn")]
    assert "warn  SPEC-FUND-09" in "\n".join(section(found.output, "violations"))


def test_the_summary_tells_a_breach_once():
    """Rule, device, command, answer and the number of tests, in one place."""
    lines = "\n".join(section(sample("-n2").output, "violations"))

    assert lines.count("SPEC-RESULT-12") == 1, lines
    for part in ("fail  SPEC-RESULT-12 [swiftshader]", "vkDeviceWaitIdle returned VK_", "(in 5 tests)"):
        assert part in lines, f"{part!r} is missing in:\n{lines}"


def test_the_summary_tells_how_to_repeat_a_failure():
    """Each failure comes with its rule, what the driver did, and the command that repeats it."""
    lines = section(sample("-n2").output, "failures")

    first = next(i for i, line in enumerate(lines) if line.startswith("fail  SPEC-EXPORT-02"))
    assert lines[first + 1].strip() == "the driver did wrong"
    repeat = r".venv/bin/pytest -n0 --driver=\S+ '?suites/selftest/samples/verdicts.py::test_"
    assert re.search(repeat, "".join(lines[first:]))
