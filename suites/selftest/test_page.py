"""The page of a run, in a real browser: what it shows, the keyboard, and that a driver's words stay words."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from fixtures.testbed.drivers import ROOT
from fixtures.vulkan.outcomes import unsupported
from reports.records.runs import load
from reports.records.verdicts import VERDICTS
from suites.selftest.browser import browser
from suites.selftest.records import made
from suites.selftest.runs import SAMPLES, environment, run

pytestmark = pytest.mark.limit(60)
EVIL = (
    "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"> {{data}} &lt;"
)


@pytest.fixture(scope="module")
def finished():
    return run(SAMPLES + "verdicts.py", SAMPLES + "breaches.py", "-n2")


def page_of(lines, folder):
    """The page that `python -m reports page` makes of a record."""
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    subprocess.run([sys.executable, "-m", "reports", "page", str(folder)], cwd=ROOT, check=True, timeout=50)
    return folder / "index.html"


def text_of(page, selector):
    """The text below an element, as it stands in the document."""
    return page.js(f"document.querySelector({json.dumps(selector)}).textContent")


def opened(page, search):
    """The text of the one result that matches a search, opened."""
    page.press("Escape", "/", *search, "Enter", "j", "Enter")
    assert page.js("document.querySelectorAll('#breaches details, #list details').length") == 1, text_of(page, "#shown")
    page.js("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")  # it is filled once it is open
    return text_of(page, "#breaches details[open], #list details[open]")


def test_it_needs_no_network(finished):
    """Nothing but the file is asked for, and the console stays empty."""
    with browser() as page:
        page.show(finished.folder / "index.html")

        assert page.asked == [(finished.folder / "index.html").as_uri()]
        assert page.said == []


def test_it_names_device_driver_and_counts(finished):
    """The top has the device with its driver and as many of each verdict as the record."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        top = text_of(page, "header")
        counts = page.js("[...document.querySelectorAll('#verdicts button')].map((one) => one.textContent)")

    device, counted = finished.lines[0]["devices"][0], Counter(finished.verdicts.values())
    assert all(str(device[name]) in top for name in ("name", "driver_name", "driver_version", "device_uuid"))
    assert {verdict: int(count) for _, verdict, count in map(str.split, counts)} == {
        verdict: counted[verdict] for verdict in VERDICTS
    }


def test_failures_come_first(finished):
    """What fails the run, then what does not."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        shown = page.js("[...document.querySelectorAll('#list summary .badge')].map((one) => one.textContent)")

    fails = [text.split()[1] in ("fail", "crash", "timeout", "error") for text in shown]
    assert len(fails) == len(finished.tests)
    assert fails == sorted(fails, reverse=True)


def test_failures_of_one_function_share_a_row(tmp_path):
    """The first of them, and the others in a fold beneath it; what passes, fails otherwise or is another function has its own."""
    verdicts = {f"suites/a.py::test_same[{case}]": "fail" for case in "abc"} | {"suites/a.py::test_same[d]": "crash"}
    verdicts |= {"suites/a.py::test_other[a]": "fail", **{f"suites/a.py::test_right[{case}]": "pass" for case in "ab"}}
    with browser() as page:
        page.show(page_of([made(verdicts).head, *made(verdicts).tests, made(verdicts).end], tmp_path))
        shown = page.js("[...document.querySelectorAll('#list summary')].map((one) => one.textContent)")
        page.js("document.querySelector('.others').open = true")
        page.js("new Promise((done) => setTimeout(done, 100))")
        others = page.js("[...document.querySelectorAll('.others .id')].map((one) => one.textContent)")

    names = [re.search(r"a: \w+\[.\]|and .*", text)[0] for text in shown]
    assert sorted(names) == [
        "a: other[a]",
        "a: right[a]",
        "a: right[b]",
        "a: same[a]",
        "a: same[d]",
        "and 2 more like it",
    ]
    assert names.index("and 2 more like it") == names.index("a: same[a]") + 1
    assert others == ["a: same[b]", "a: same[c]"]


def test_a_failure_tells_all_that_is_known(finished):
    """The rule with its section and reading, what was seen, the calls with their results, and the command to repeat it."""
    record, ledger = finished.tests["test_breach_fails"], {one["id"]: one for one in finished.lines[0]["ledger"]}
    with browser() as page:
        page.show(finished.folder / "index.html")
        told = opened(page, "test_breach_fails")

    rule = ledger["SPEC-EXPORT-02"]
    weaker = "none: the text admits one reading only"
    for part in (record["message"], rule["statement"], rule["source"], weaker, "vkDeviceWaitIdle", "VK_TIMEOUT"):
        assert part in told, f"{part!r} is missing in {told}"
    assert f".venv/bin/pytest -n0 --driver={ROOT}" in told
    assert record["nodeid"] in told


def test_a_flaky_test_tells_each_of_its_runs(finished):
    """How it ended where, and the command that finds out after which tests it fails."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        told = opened(page, "test_flakes")

    for part in ("shared process: failed: only the first time", "fresh process: passed", "-m reports order"):
        assert part in told, f"{part!r} is missing in {told}"


def test_a_crash_tells_its_stack(finished):
    """The stacks of a crash are on the page, Python's and the native one."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        told = opened(page, "test_crashes_about")

    assert "SIGSEGV" in told
    assert "in test_crashes_about_a_rule_that_only_warns" in told
    assert re.search(r"Native stack \(most recent call first\):\s+libc\.so\.6\+0x", told), told


def test_a_crash_tells_how_to_look_at_it_in_a_debugger(finished):
    """One pasted command shows the frames of the driver, with what gdb knows of them where it is installed."""
    if shutil.which("gdb") is None:
        unsupported("no gdb on this machine")
    record = finished.tests["test_crashes_about_a_rule_that_only_warns"]

    done = subprocess.run(
        shlex.split(load(finished.folder).debug(record)), cwd=ROOT, env=environment(finished.folder),
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip

    assert "received signal SIGSEGV" in done.stdout, done.stdout + done.stderr
    assert re.search(r"^#0 .*\n#1 ", done.stdout, re.MULTILINE), done.stdout
    with browser() as page:
        page.show(finished.folder / "index.html")
        assert "gdb -batch" in opened(page, "test_crashes_about")


def test_the_keyboard_filters(finished):
    """A digit chooses a verdict, Escape everything, and the address keeps what was chosen."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        page.press("1")
        failing = text_of(page, "#shown")
        address = page.js("location.hash")
        page.press("Escape")
        everything = text_of(page, "#shown")

    fails = list(finished.verdicts.values()).count("fail")
    assert failing.startswith(f"{fails} of {len(finished.tests)} results")
    assert "verdicts=fail" in address
    assert everything.startswith(f"{len(finished.tests)} of")


def test_the_picture_has_every_judged_rule(finished):
    """A rule with a failed test is a square that says fail."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        squares = page.js("[...document.querySelectorAll('.square[title]')].map((s) => [s.title, s.dataset.verdict])")

    worst = {title.split()[0]: verdict for title, verdict in squares}
    assert worst == {
        "SPEC-EXPORT-02": "fail",
        "SPEC-EXPORT-05": "crash",
        "SPEC-RESULT-12": "fail",
        "SPEC-FUND-09": "warn",
    }


def test_faults_and_what_finds_them(finished, tmp_path):
    """A matrix.json in the run's folder becomes a table: fault, rule, tests; a rule without a test says so."""
    (tmp_path / "matrix.json").write_text(
        json.dumps({"a-fault": {"SPEC-EXPORT-02": ["one", "two"], "SPEC-EXPORT-04": []}})
    )
    file = page_of(finished.lines, tmp_path)
    with browser() as page:
        page.show(file)
        cells = page.js("[...document.querySelectorAll('#faults td')].map((one) => one.textContent)")

    assert cells == ["a-fault", "SPEC-EXPORT-02", "one\ntwo", "", "SPEC-EXPORT-04", "no test detects it"]


def test_light_and_dark(finished, tmp_path):
    """The colours follow the reader's."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        seen = []
        for scheme in ("light", "dark"):
            page.look(tmp_path / f"{scheme}.png", prefers_color_scheme=scheme)
            seen.append(page.js("getComputedStyle(document.body).backgroundColor"))

    assert seen == ["rgb(255, 255, 255)", "rgb(22, 24, 29)"]


def test_nothing_sticks_out_of_a_narrow_window(finished, tmp_path):
    """What is too wide scrolls by itself."""
    with browser() as page:
        page.show(finished.folder / "index.html")
        page.look(tmp_path / "narrow.png", width=400)

        assert page.js("document.documentElement.scrollWidth") <= 400


def test_failures_are_open_on_paper(finished, tmp_path):
    """All of them, also those that the screen shows on request only."""
    lines = [line for line in many(finished.lines, 3000, calls=2) if line.get("verdict") != "pass"]
    file = page_of(lines, tmp_path)
    with browser() as page:
        page.show(file)
        page.paper(tmp_path / "page.pdf")
        opened = page.js("document.querySelectorAll('#list details[open] summary .badge[data-verdict=fail]').length")

    assert opened == len(lines) - 2 == 150
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def evil(value):
    """A foreign record: every text ends with markup that would do harm if it were any."""
    if isinstance(value, dict):
        return {name: evil(one) if name not in ("type", "verdict", "differs") else one for name, one in value.items()}
    if isinstance(value, list):
        return [evil(one) for one in value]
    return value + EVIL if isinstance(value, str) else value


def test_a_foreign_record_is_text(finished, tmp_path):
    """Whatever a record says is shown as text: no element, no script, no request comes of it."""
    file = page_of([evil(line) for line in finished.lines], tmp_path)
    with browser() as page:
        page.show(file)
        page.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        shown = page.js("new Promise((done) => setTimeout(() => done(document.body.textContent), 300))")

        assert shown.count("onerror=") > 100, "the record's texts are not on the page"
        assert page.js("[document.images.length, document.scripts.length]") == [0, 1]
        assert page.js("document.title") != "taken"
        assert page.asked == [file.as_uri()]
        assert page.said == []


def many(lines, count, calls=100):
    """A record of `count` tests made from a real one: one in twenty fails, with so many calls."""
    head, *rest = lines
    record = next(line for line in rest if line["type"] == "test" and line["verdict"] == "fail")
    made = (record["calls"] * calls)[:calls]
    yield head
    for number in range(count):
        names = {
            "id": f"suites/many.py::test_many[{number}]",
            "nodeid": f"suites/many.py::test_many[swiftshader-{number}]",
        }
        yield (
            record
            | names
            | ({"calls": made} if number % 20 == 0 else {"verdict": "pass", "message": "", "differs": ""})
        )
    yield rest[-1]


SEARCH = """(() => {
    const start = performance.now();
    search("TEXT", "");
    document.body.offsetHeight; // has it laid out
    return performance.now() - start;
})()"""


@pytest.mark.exclusive
def test_twenty_thousand_results(finished, tmp_path):
    """The page opens in less than two seconds and answers each key of a search in less than a tenth of one."""
    file = page_of(many(finished.lines, 20_000), tmp_path)
    with browser() as page:
        ready = page.show(file)
        took = [page.js(SEARCH.replace("TEXT", f"many[{digit}")) for digit in range(9)]

    assert ready < 2000, f"the page was ready after {ready} ms"
    assert max(took) < 100, f"searches took {took} ms"
