"""Mutation testing tells the truth: what breaks the reference driver is killed, what survives is told unless it is listed."""

import shutil

import pytest

from suites.selftest import mutate
from suites.selftest.mutate import DRIVER, Mutant, alternatives, judged, listed, main, mutants, summary

pytestmark = pytest.mark.limit(300)
QUICK = ((*mutate.FEW, "suites/timeline/test_counters.py"),)
"""One stage that judges the mutants planted here."""

VALUE = "self.cells[VALUE] = max(self.value, value)"
HARMLESS, BREACH = f"{VALUE} + 0", "self.cells[VALUE] = value - 1"
KEY = ("payloads.py", "Timeline.signal", VALUE, "*")
HANG = "__import__('time').sleep(1000)"


def planted(text):
    """A mutant whose timelines are signaled by the statement `text`."""
    source = (DRIVER / "payloads.py").read_text()
    assert VALUE in source
    return Mutant("payloads.py", "Timeline.signal", VALUE, f"{VALUE} -> {text}", lambda: source.replace(VALUE, text))


def told(mutant, known, monkeypatch, stages=QUICK):
    """The last lines and the exit status of a run for one mutant, where `known` ones are listed."""
    monkeypatch.setattr(mutate, "STAGES", stages)
    monkeypatch.setattr(mutate, "mutants", lambda: [mutant])
    return summary([mutant], known, *judged([mutant]))


@pytest.mark.parametrize("text", [BREACH, HANG])
def test_a_breach_is_killed(text, monkeypatch):
    """A driver that breaks a rule or hangs is noticed, and nothing is left to do."""
    lines, status = told(planted(text), {}, monkeypatch)

    assert (lines, status) == (["of 1 mutants 1 killed, 0 survive, 0 do no harm; score 100.0 %"], 0)


@pytest.mark.parametrize("is_listed", [False, True])
def test_a_survivor_is_told_unless_it_is_listed(is_listed, monkeypatch):
    """A change without effect ends the run with exit status 1 until somebody says why it does no harm."""
    mutant = planted(HARMLESS)

    lines, status = told(mutant, {KEY: "adds nothing"} if is_listed else {}, monkeypatch)

    last = "1 do no harm; score none" if is_listed else "0 do no harm; score 0.0 %"
    assert lines[:-1] == ([] if is_listed else [f"survives: {mutant}"])
    assert (lines[-1].endswith(last), status) == (True, not is_listed), lines


def test_a_listed_mutant_that_is_killed_is_told(monkeypatch):
    """The list must tell the truth."""
    mutant = planted(BREACH)

    lines, status = told(mutant, {KEY: "said to be harmless"}, monkeypatch)

    assert (lines[0], status) == (f"is listed, and killed: {mutant}", 1)


def test_a_test_that_fails_anyway_kills_nobody(monkeypatch):
    """What fails over the unchanged driver, too, proves nothing."""
    lines, status = told(mutant := planted(BREACH), {}, monkeypatch, stages=(("suites/nowhere",),))

    assert (lines[0], status) == (f"survives: {mutant}", 1)


def test_a_mutant_is_known_again_after_edits_elsewhere(tmp_path):
    """Other lines above, below and between leave a mutant its name."""
    shutil.copytree(DRIVER, tmp_path / "reference")
    file = tmp_path / "reference/payloads.py"
    file.write_text(
        "NEW = 1 + 2\n" + file.read_text().replace("    def ", "    # a remark\n    def ") + "\nLAST = 3 < 4\n"
    )

    before, after = ([str(one) for one in mutants(folder)] for folder in (DRIVER, tmp_path / "reference"))

    assert len(set(before)) == len(before)
    assert after == before


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("one < 2", ["one <= 2", "True", "False"]),
        ("one and not two", ["not two", "one", "True", "False"]),
        ("min(one, 2)", ["True", "False"]),
    ],
)
def test_a_condition_is_changed_in_each_way(text, others):
    """The boundary, each part, and whether it is looked at at all."""
    node = mutate.ast.parse(text, mode="eval").body

    assert [mutate.ast.unparse(other) for other in alternatives(node, "If.test")] == others


def test_every_listed_mutant_exists():
    """An entry whose line has changed has to be looked at anew; each has a reason, and stands there once."""
    rows = mutate.LISTED.read_text().splitlines()

    assert not set(listed()) - {one.is_in(listed()) for one in mutants()}
    assert len(rows) == 1 + len(listed())
    assert not [key for key, reason in listed().items() if len(reason.split()) < 3]


def test_no_mutant_of_a_sample_survives_unlisted(capsys):
    """Thirty changes of the driver, always the same ones of the same code, are noticed or listed."""
    status = main(["--sample=30", "--seed=1"])

    assert status == 0, capsys.readouterr().out[-4000:]
