"""What `python -m reports merge` says of parts that are missing or there twice, and that it destroys no run."""

import json
import re

import pytest

from reports.records.brief import brief
from reports.records.runs import load, save
from reports.records.timing import times
from suites.selftest.records import cost_of, line_of, made, reports, saved, text_of

pytestmark = pytest.mark.limit(60)


def shard(folder, share, **more):
    """The folder of a run of one shard, whose one test is named after it."""
    head = {"shard": share, "host": f"lab-{share[0]}", **more}
    return saved(folder / f"{share[0]}{len(list(folder.iterdir()))}", {f"test_{share[0]}": "pass"}, head=head)


def test_a_missing_shard_is_told(tmp_path):
    """By the command with exit status 1, by the record, the page, JUnit and the summary: two of three are not the whole."""
    done = reports("merge", shard(tmp_path, "1/3"), shard(tmp_path, "2/3"), "-o", tmp_path / "both")

    told = "shard 3/3 of the tests on a driver 7 is missing"
    assert (done.returncode, done.stderr) == (1, f"{told}\n")
    end = load(tmp_path / "both").end
    assert (end["missing"], end["exit"], end["whole"]) == ([told], 2, False)
    for file in ("index.html", "junit.xml", "summary.md"):
        text = text_of(tmp_path / "both" / file).replace("\\", "")
        assert told in text, f"{file} does not say that a shard is missing"
    assert '<failure type="baseline"' in (tmp_path / "both" / "junit.xml").read_text()


def test_shards_of_several_machines_are_one_column(tmp_path):
    """All shards are there: exit status 0, one column, the whole suite; a merged part counts for its shards."""
    one, two, three = (shard(tmp_path, f"{number}/3") for number in (1, 2, 3))

    part = reports("merge", one, two, "-o", tmp_path / "part")
    done = reports("merge", tmp_path / "part", three, "-o", tmp_path / "all")

    found = load(tmp_path / "all")
    assert (part.returncode, done.returncode, done.stderr) == (1, 0, "")
    assert [(one["slug"], one["host"]) for one in found.devices] == [("a-gpu", "lab-1, lab-2, lab-3")]
    assert (found.end["exit"], found.is_whole, len(found.tests)) == (0, True, 3)


def test_a_shard_that_ran_twice_does_not_stand_for_another(tmp_path):
    """Two runs of the first of two shards are two sets without the second."""
    again = shard(tmp_path, "1/2", time="2026-11-30T02:30:00+00:00")

    done = reports("merge", shard(tmp_path, "1/2"), again, "-o", tmp_path / "both")

    assert done.returncode == 1
    assert done.stderr == 2 * "shard 2/2 of the tests on a driver 7 is missing\n"


def test_one_run_named_twice_is_refused(tmp_path):
    """One sentence, and nothing is written."""
    one = shard(tmp_path, "1/2")

    done = reports("merge", one, one, "-o", tmp_path / "both")

    assert done.returncode == 2
    assert re.fullmatch(r"shard 1/2 of the run of \S+ on lab-1 is named twice\n", done.stderr), done.stderr
    assert not (tmp_path / "both").exists()


@pytest.mark.parametrize(("end", "told"), [({}, "died before its end"), ({"exit": 2}, "interrupted")])
def test_a_run_without_an_end_is_told(end, told, tmp_path):
    """A run that died or was interrupted makes exit status 1 and a sentence that names its folder."""
    whole, part = saved(tmp_path / "whole", {"a": "pass"}), saved(tmp_path / "part", {"b": "pass"}, end=end)

    done = reports("merge", whole, part, "-o", tmp_path / "both")

    assert (done.returncode, done.stderr) == (1, f"{part}: {told}\n")
    assert not load(tmp_path / "both").is_whole


def test_a_merge_destroys_no_run(tmp_path):
    """Into one of its runs or over another one: refused; over what an earlier merge made: done."""
    one, other = saved(tmp_path / "one", {"a": "pass"}), saved(tmp_path / "other", {"b": "pass"})

    over_itself = reports("merge", one, "-o", one)
    over_another = reports("merge", one, "-o", other)
    merged = [reports("merge", one, other, "-o", tmp_path / "both").returncode for _ in range(2)]

    assert (over_itself.returncode, "is one of the runs to merge" in over_itself.stderr) == (2, True)
    assert (over_another.returncode, "has a run, which would be lost" in over_another.stderr) == (2, True)
    assert [load(one).tests[0]["id"], load(other).tests[0]["id"], merged] == ["a", "b", [0, 0]]


@pytest.mark.exclusive
def test_a_merge_of_many_runs_holds_few_of_them(tmp_path):
    """Ten runs of four thousand tests with fifteen calls each: ten seconds of one processor, and 300 MB a process."""
    name = "suites/importing/test_strangers.py::test_a_refused_descriptor_is_left_alone[OPAQUE_FD-binary-temporary-{}]"
    call = {
        "at": 12345678,
        "command": "vkImportSemaphoreFdKHR",
        "arguments": [94172889054304, 1, 16, 0],
        "ns": 4321,
        "result": 0,
    }
    run = made({})
    run.tests = [line_of(name.format(n), "fail" if n % 40 == 0 else "pass", calls=[call] * 15) for n in range(4000)]
    for number in range(10):
        run.head["time"] = f"2026-11-{number + 10}T02:30:00+00:00"
        save(run, tmp_path / str(number))

    seconds, megabytes = cost_of("merge", *(tmp_path / str(number) for number in range(10)), "-o", tmp_path / "all")

    assert seconds < 10
    assert megabytes < 300
    assert brief(tmp_path / "all").end["totals"] == {"pass": 39_000, "fail": 1000}


def test_call_times_of_shards_are_counted_together(tmp_path):
    """The median of a column that shards share is that of all of its calls; other columns keep theirs."""
    for share, taken in ((1, (100, 200, 300)), (2, (1000,))):
        calls = [{"command": "vkX", "arguments": [], "ns": ns, "result": 0} for ns in taken]
        run = made({}, head={"shard": f"{share}/2"})
        run.tests = [line_of(f"test_{share}", "pass", calls=calls)]
        run.end["times"] = times(run.tests)
        save(run, tmp_path / str(share))

    reports("merge", tmp_path / "1", tmp_path / "2", "-o", tmp_path / "both")
    reports("merge", tmp_path / "1", "-o", tmp_path / "one")

    told = [load(tmp_path / which).end["times"] for which in ("both", "one")]
    assert [(one["device"], one["count"], one["median"]) for ones in told for one in ones] == [
        ("a-gpu", 4, 200),
        ("a-gpu", 3, 200),
    ]


def test_a_merged_run_has_every_call(tmp_path):
    """The lines of its tests are those of the runs, but for their column and their process."""
    calls = [{"command": "vkX", "arguments": ['"calls": []', '], "warnings": '], "ns": 1, "result": 0, "value": 7}]
    for night in ("one", "two"):
        run = made({}, head={"time": night, "host": night})
        run.tests = [line_of("a", verdict, calls=calls, nodeid=verdict) for verdict in ("pass", "fail")]
        save(run, tmp_path / night)

    reports("merge", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "both")

    found = load(tmp_path / "both").tests
    assert [(test["device"], test["process"]) for test in found[::2]] == [("a-gpu", "1/gw0"), ("a-gpu@two", "2/gw0")]
    whole = [test | {"device": "a-gpu", "process": "gw0"} for test in found]
    assert whole == 2 * load(tmp_path / "one").tests


def test_a_record_that_something_else_wrote_is_merged_with_its_calls(tmp_path):
    """Other spaces and another order of fields are the same record."""
    run = made({"a": "fail"}, end={})
    run.tests[0]["calls"] = calls = [{"command": "vkX", "arguments": [], "ns": 1, "result": 0}]
    told = [json.dumps(line, separators=(",", ":"), sort_keys=True) for line in (run.head, *run.tests, made({}).end)]
    (tmp_path / "results.jsonl").write_text("\n".join([*told, ""]))

    done = reports("merge", tmp_path, "-o", tmp_path / "all")

    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "all").tests[0]["calls"] == load(tmp_path).tests[0]["calls"] == calls
    assert "vkX" in text_of(tmp_path / "all" / "index.html")
