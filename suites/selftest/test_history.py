"""`python -m reports history`: since when a test fails, what changed then, and what is merely unsteady."""

import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from reports.compare import history_texts
from reports.compare.history import history
from reports.compare.nights import find_runs, read_all
from reports.records import brief
from reports.records.runs import load, save
from suites.selftest.browser import browser
from suites.selftest.records import cost_of, line_of, made, reports, saved

pytestmark = pytest.mark.limit(60)
FIRST = datetime(2026, 10, 31, 2, 30, tzinfo=UTC)
MENDED, BROKEN = ("SPEC-EXPORT-04", "SPEC-SHARE-05"), ("SPEC-IMPORT-06", "SPEC-STATE-13", "SPEC-WAIT-02")
UPDATE = 20
"""The night with a new driver: three faults more, two less."""


def night(folder, number, verdicts, rules=None, info="", **head):
    """The run of one night, on a machine with a name of its own; `rules` has those of tests by name."""
    time = (FIRST + timedelta(days=number)).isoformat(timespec="seconds")
    found = made(verdicts, head={"time": time, "host": f"runner-{number}", **head})
    found.devices[0]["driver_info"] = info
    found.head["ledger"] = [
        {"id": rule, "statement": f"What {rule} says."} for rule in sorted({*(rules or {}).values()})
    ]
    for test in found.tests:
        test["rules"] = [(rules or {}).get(test["id"], "SPEC-CREATE-01")]
    save(found, folder / f"{number:02}")


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Thirty nights of five faults with four tests each, and a hundred tests that pass."""
    folder = tmp_path_factory.mktemp("nights")
    rules = {f"suites/a.py::test_{rule}[{one}]": rule for rule in (*MENDED, *BROKEN) for one in range(4)}
    for number in range(30):
        wrong = MENDED if number < UPDATE else BROKEN
        verdicts = {name: "fail" if rule in wrong else "pass" for name, rule in rules.items()}
        verdicts |= {f"suites/a.py::test_{one}": "pass" for one in range(100)}
        info = "Mesa 26.2.1" if number < UPDATE else "Mesa 26.2.2"
        night(folder, number, verdicts, rules, info, kernel="Linux 6.1" if number < UPDATE else "Linux 6.2")
    return folder


def test_a_driver_update_is_named_first(nights):
    """The first lines name the night, both versions, what else changed, and the five faults by their rules, one line each."""
    lines = reports("history", nights).stdout.splitlines()[:11]

    assert "2026-11-20 02:30  driver Mesa 26.2.2 (7): 12 broke and 8 mended since 2026-11-19 02:30" in lines[4]
    assert lines[5].strip() == "changed: driver Mesa 26.2.1 (7) -> Mesa 26.2.2 (7); kernel Linux 6.1 -> Linux 6.2"
    told = {(word, rule): rest for word, rule, rest in (line.split(maxsplit=2) for line in lines[6:])}
    assert told.keys() == {*(("broke", f"{rule}:") for rule in BROKEN), *(("mended", f"{rule}:") for rule in MENDED)}
    assert told["broke", "SPEC-IMPORT-06:"] == "What SPEC-IMPORT-06 says. (test_SPEC-IMPORT-06[0] and 3 more)"


def test_the_first_screen_of_the_page_names_it(nights, tmp_path):
    """Night, versions and the five faults stand above the fold, with a bar of all nights; names of machines nowhere."""
    reports("history", nights, "--html", "-o", tmp_path / "page.html")

    with browser() as page:
        page.send("Page.navigate", url=(tmp_path / "page.html").as_uri())
        page.look(tmp_path / "page.png", width=1300, height=900)
        shown = page.js(
            "[...document.querySelectorAll('article h3, article p, article strong, article .strip:not(.axis)')]"
            ".filter((one) => one.checkVisibility() && one.getBoundingClientRect().bottom < 900)"
            ".map((one) => one.textContent || [...one.children].map((part) => part.title).join())"
        )
    assert shown[0].startswith("2026-11-20 02:30  driver Mesa 26.2.2 (7): 12 broke and 8 mended")
    assert {*MENDED, *BROKEN} < {*shown}, shown
    assert shown.count("✓✗") == 3
    assert "runner-" not in (tmp_path / "page.html").read_text()


def told_of(folder, *verdicts, **facts):
    """The device of nights on which one test got a verdict (None: it was not there) each; facts have a value for each night."""
    for number, verdict in enumerate(verdicts):
        here = {name: values[number] for name, values in facts.items()}
        night(folder, number, {"other": "pass"} | ({"test": verdict} if verdict else {}), **here)
    (device,) = history(read_all(find_runs([folder]))[0])
    return device


def test_a_failure_has_its_first_night_and_the_last_good_one(tmp_path):
    """Nights that could not judge it stand between; what changed is told between the two that did."""
    device = told_of(
        tmp_path, "pass", "pass", "unsupported", None, "fail", "crash", commit=["a", "a", "b", "b", "b", "b"]
    )

    (story,), (event,) = device.stories, device.events
    assert (story.last_good, story.first_bad, story.state, story.strip) == (1, 4, "failing", "ppu-fc")
    assert (event.since, event.at, event.changed) == (1, 4, [("suite", "a", "b")])


FACTS = {
    "kernel": {"kernel": ["Linux 1", "Linux 2"]},
    "kernel modules": {"kernel_modules": [{"nvidia": "1"}, {"nvidia": "2"}]},
    "suite": {"commit": ["a", "b"]},
    "layers": {"layers": [{}, {"VK_INSTANCE_LAYERS": "VK_LAYER_x"}]},
    "environment": {"environment": [{"MESA_DEBUG": "1"}, {}]},
    "driver": {"info": ["1.2", "1.3"]},
    "machine": {},
}


@pytest.mark.parametrize("fact", FACTS)
def test_what_changed_is_named(fact, tmp_path):
    """Each fact of the machine, and the machine itself where nothing else changed."""
    device = told_of(tmp_path, "pass", "fail", **FACTS[fact])

    assert [name for name, _, _ in device.events[0].changed] == [fact]


STRIPS = {
    "always good": ("pp", None, None),
    "always bad": ("ff", 0.0, 0),
    "broke for good": ("pppff", 0.0, 1),
    "broke and was mended": ("ppffpp", 1 / 3, 0),
    "one bad night": ("ppppfppppp", 0.1, 0),
    "flaky by itself": ("ppkpp", 0.2, 0),
    "unsteady, then broken": ("ppfpppppffff", 1 / 12, 1),
}
"""What a test did on nights between which nothing changed; how unsteady it is, and how many events that makes."""


@pytest.mark.parametrize("what", STRIPS)
def test_what_comes_and_goes_is_unsteady(what, tmp_path):
    """What changes back while nothing else changes is no event but a rate: the share of nights that differ."""
    strip, rate, events = STRIPS[what]
    names = {"p": "pass", "f": "fail", "k": "flaky"}

    device = told_of(tmp_path, *(names[letter] for letter in strip))

    assert [story.rate for story in device.stories] == ([] if rate is None else [pytest.approx(rate)])
    assert (len(device.unsteady) > 0, len(device.events)) == (bool(rate), events or 0)


def test_a_mended_failure_is_no_flake_where_something_changed(tmp_path):
    """Broken by one version and mended by the next: two events, steady all the time."""
    device = told_of(tmp_path, "pass", "pass", "fail", "fail", "pass", "pass", info=["1", "1", "2", "2", "3", "3"])

    assert [(event.at, len(event.broke), len(event.mended)) for event in device.events] == [(4, 0, 1), (2, 1, 0)]
    assert device.unsteady == []


def test_what_is_new_since_yesterday(tmp_path):
    """What broke, what was mended and what is judged no more since the run before; a part of the suite loses no test."""
    nights = [{"a": "pass", "b": "fail", "c": "pass", "d": "pass"}, {"a": "fail", "b": "pass", "c": "unsupported"}]
    for number, verdicts in enumerate(nights):
        night(tmp_path / "whole", number, verdicts)
        night(tmp_path / "part", number, verdicts, shard="1/2")

    whole, part = (reports("history", tmp_path / one).stdout for one in ("whole", "part"))

    assert "since the run before: 1 broke, 1 mended, 2 no longer judged" in whole
    assert "since the run before: 1 broke, 1 mended, 1 no longer judged" in part


def test_json_and_sqlite_have_it_all(nights, tmp_path):
    """For programs, and for queries that nobody has foreseen."""
    told = json.loads(reports("history", nights, "--json", "--sqlite", tmp_path / "all.sqlite").stdout)
    database = sqlite3.connect(tmp_path / "all.sqlite")

    (device,) = told["devices"]
    (event,) = device["events"]
    test = next(one for one in device["tests"] if one["id"] == "suites/a.py::test_SPEC-WAIT-02[3]")
    assert (event["run"], {group["rule"] for group in event["mended"]}) == (UPDATE, {*MENDED})
    assert (test["first_bad"], test["last_good"], test["verdicts"]) == (20, 19, ["pass"] * 20 + ["fail"] * 10)
    query = "SELECT driver, COUNT(*) FROM result WHERE verdict = 'fail' GROUP BY driver ORDER BY driver"
    assert database.execute(query).fetchall() == [("Mesa 26.2.1 (7)", 160), ("Mesa 26.2.2 (7)", 120)]
    query = "SELECT run.time FROM test JOIN run ON run.id = test.first_bad WHERE test.name LIKE '%WAIT-02[3]'"
    assert database.execute(query).fetchall() == [("2026-11-20T02:30:00+00:00",)]


def test_a_merged_run_is_not_counted_twice(tmp_path):
    """Shards that lie beside the run that they were merged into are a part of it."""
    for share in (1, 2):
        saved(tmp_path / f"s{share}", {f"test_{share}": "pass"}, head={"shard": f"{share}/2", "host": f"lab-{share}"})
    reports("merge", tmp_path / "s1", tmp_path / "s2", "-o", tmp_path / "both")

    (device,) = history(read_all(find_runs([tmp_path]))[0])

    assert [night.folder for night in device.nights] == [str(tmp_path / "both")]
    assert device.nights[0].whole


def test_what_cannot_be_read_is_told(tmp_path):
    """A sentence for each such run; exit status 2 where none is left, and for what is not there."""
    night(tmp_path / "runs", 0, {"a": "pass"})
    (tmp_path / "runs" / "odd").mkdir()
    (tmp_path / "runs" / "odd" / "results.jsonl").write_text("42\n")
    save(made({"a": "fail"}, end={}), tmp_path / "runs" / "dead")

    some, none, absent = (reports("history", tmp_path / one) for one in ("runs", "runs/odd", "no-such"))

    assert (some.returncode, some.stderr.count("is not the record of a run")) == (0, 1), some.stderr
    assert "a-gpu: 2 runs" in some.stdout
    assert (none.returncode, "no run that can be read" in none.stderr) == (2, True)
    assert (absent.returncode, "there is no such file or folder" in absent.stderr) == (2, True)


def test_verdicts_that_are_kept_of_another_record_do_not_count(tmp_path):
    """What lies beside a record is read in its place only if it was made of that very record."""
    save(made({"a": "pass"}), tmp_path)
    kept = (tmp_path / brief.KEPT).read_bytes()
    save(made({"a": "fail"}), tmp_path)
    fresh = brief.brief(tmp_path).verdicts
    (tmp_path / brief.KEPT).write_bytes(kept)

    assert fresh == brief.brief(tmp_path).verdicts == {"a-gpu": {"a": "fail"}}
    (tmp_path / brief.KEPT).write_bytes(b"no gzip")
    assert brief.brief(tmp_path).verdicts == fresh


ODD = ['a "quoted" name], "warnings": [1', "suites/ü.py::test", "test[\\n]", 'x", "verdict": "fail"']


@pytest.mark.parametrize("name", ODD)
def test_a_quick_look_sees_what_a_long_one_sees(name, tmp_path):
    """Names and arguments that look like parts of a record do not mislead what skips the calls."""
    calls = [{"command": "vkX", "arguments": [name, {"warnings": [name]}], "ns": 1}]
    run = made({})
    run.tests = [line_of(name, verdict, calls=calls, device=verdict) for verdict in ("pass", "fail", "unsupported")]
    save(run, tmp_path)

    (tmp_path / brief.KEPT).unlink()

    found = {test["device"]: {test["id"]: test["verdict"]} for test in load(tmp_path).tests}
    assert brief.brief(tmp_path).verdicts == found == {one: {name: one} for one in ("pass", "fail", "unsupported")}


@pytest.mark.exclusive
def test_two_hundred_runs_take_seconds(tmp_path):
    """Of four thousand tests each: ten seconds of one processor, a gigabyte, and a page of five megabytes."""
    names = [
        f"suites/importing/test_strangers.py::test_a_refused_descriptor[OPAQUE_FD-binary-{n}]" for n in range(4000)
    ]
    first = saved(tmp_path / "runs" / "000", {name: "fail" if n % 40 == 0 else "pass" for n, name in enumerate(names)})
    for number in range(1, 200):
        (tmp_path / "runs" / f"{number:03}").mkdir()
        for file in first.iterdir():
            os.link(file, tmp_path / "runs" / f"{number:03}" / file.name)

    seconds, megabytes = cost_of("history", tmp_path / "runs", "--html", "-o", tmp_path / "page.html")

    assert seconds < 10
    assert megabytes < 1000
    assert (tmp_path / "page.html").stat().st_size < 5_000_000


def test_what_a_record_says_is_text_on_the_page(tmp_path):
    """Messages, names and facts make no element."""
    evil = "<script>alert(1)</script>"
    night(tmp_path, 0, {evil: "fail"}, {evil: evil}, evil)

    page = history_texts.as_html(history(read_all([tmp_path / "00"])[0]))

    assert ("<script>" in page, "&lt;script&gt;alert" in page) == (False, True)
