"""Which rules cannot hold without which: a fault may turn tests of its own rules, and of those that rest on them."""

USES = (
    *(
        "SPEC-CREATE",
        "SPEC-DESTROY",
        "SPEC-EXPORT",
        "SPEC-IMPORT",
        "SPEC-HANDLE",
        "SPEC-COMPAT",
        "SPEC-SHARE",
        "SPEC-STATE",
    ),
    *(
        "SPEC-SUBMIT",
        "SPEC-HOST",
        "SPEC-THREAD",
        "SPEC-WSI",
        "SPEC-FUND",
        "SPEC-CAPS-03",
        "SPEC-CAPS-04",
        "SPEC-RESULT-06",
        "ISSUE",
    ),
)
"""Whatever is shown by signals and waits."""

TEMPORARY = (
    *(
        "SPEC-IMPORT-07",
        "SPEC-IMPORT-09",
        "SPEC-IMPORT-14",
        "SPEC-IMPORT-15",
        "SPEC-IMPORT-18",
        "SPEC-IMPORT-28",
        "SPEC-IMPORT-36",
    ),
    *("SPEC-SUBMIT-05", "SPEC-WSI-01", "SPEC-RESULT-06"),
)
"""What is shown by the wait after the one for a temporary payload."""

EXPORTS = (*("SPEC-CAPS-05", "SPEC-EXPORT-07", "SPEC-EXPORT-09", "SPEC-EXPORT-10", "SPEC-RESULT-01", "SPEC-THREAD-03"),)
"""What is shown by exports that succeed."""

IMPORTS = (
    *("SPEC-CREATE-10", "SPEC-EXPORT-01", "SPEC-HANDLE-02", "SPEC-HANDLE-04", "SPEC-HANDLE-07", "SPEC-HANDLE-11"),
    *("SPEC-IMPORT-28", "SPEC-RESULT-02"),
)
"""What is shown by imports that succeed."""

COUNTED = (*USES, "SPEC-CAPS-05", "SPEC-IMPORT-20", "SPEC-RESULT-10")
"""What is shown by counters and by waits of the host."""

EXCHANGED = (*USES, "SPEC-CAPS", "SPEC-RESULT-02")
"""What is shown by a payload that comes out of a descriptor as it went in."""

ALL = ("SPEC", "ISSUE")
"""What is shown by commands that succeed; a fault by which one never does has `also=("all",)`."""

RESTING = {
    "SPEC-CAPS-03": EXPORTS,
    "SPEC-CAPS-04": IMPORTS,
    "SPEC-IMPORT-06": TEMPORARY,
    **dict.fromkeys(("SPEC-CREATE-01", "SPEC-CREATE-02", "SPEC-CREATE-03", "SPEC-EXPORT-07", "SPEC-EXPORT-09"), USES),
    **dict.fromkeys(("SPEC-IMPORT-05", "SPEC-IMPORT-11", "SPEC-IMPORT-14", "SPEC-IMPORT-33"), USES),
    **dict.fromkeys(("SPEC-STATE-01", "SPEC-STATE-02", "SPEC-STATE-03", "SPEC-STATE-09", "SPEC-STATE-10"), USES),
    **dict.fromkeys(("SPEC-SHARE-01", "SPEC-SHARE-02", "SPEC-THREAD-06", "ISSUE-VK_KHR_timeline_semaphore-3"), USES),
    **dict.fromkeys(("SPEC-IMPORT-15", "SPEC-HANDLE-03", "SPEC-HANDLE-04"), EXCHANGED),
    **dict.fromkeys(("SPEC-IMPORT-08", "SPEC-IMPORT-17", "SPEC-IMPORT-21"), USES),
    **dict.fromkeys(
        ("SPEC-STATE-13", "SPEC-HOST-01", "SPEC-HOST-02", "SPEC-HOST-03", "SPEC-HOST-08", "SPEC-HOST-09"), COUNTED
    ),
    "all": ALL,
}
"""Rule to the beginnings of the names of those that cannot hold without it."""


def explains(broken, touched):
    """Whether a test that claims or names the rules `touched` may turn where the rules `broken` are."""
    resting = tuple(one for rule in broken for one in RESTING.get(rule, ()))
    return any(one in broken or one.startswith(resting) for one in touched)
